"""Read models of the ledger for `status`, `failures`, `sync` and whoever else looks on: nothing here writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connector.ledger.database import Database
from connector.ledger.holds import HELD
from connector.ledger.objects import UNSETTLED_SQL
from connector.ledger.passes import FOLLOWED_SQL, load_counts
from connector.ledger.records import (
    UNSETTLED,
    Counts,
    CursorStatus,
    HoldKind,
    Pass,
    PassKind,
    Pending,
)
from connector.ledger.statement import text
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class Work:
    """What is still to be done before Gong equals what was read."""

    unsettled: int
    """Batches that Gong has not answered, or whose answer is not booked."""
    awaited: int
    """Pending objects that go by themselves soon."""
    held: int
    """Objects that wait for something that may never come: an account, a dependency, a long delay, the end of a
    pause.
    """
    refused: int
    """Objects whose latest line is refused, by the connector or by Gong."""


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """How one object type stands."""

    type: ObjectType
    objects: int
    """Objects that Gong was told of, deletions aside."""
    in_flight: int
    pending: Mapping[Pending, int]
    oldest_pending: float | None
    """Seconds since 1970 UTC."""
    refused: int
    last_done: float | None
    """When Gong last took a file of the type (seconds since 1970 UTC)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An object whose latest line is refused."""

    type: str
    object_id: str
    origin: str
    """`connector` for rows that cannot be mapped, `gong` for lines that Gong turned down."""
    kind: str
    field: str
    reason: str
    batch_id: int | None
    request_id: str | None
    line: int | None
    first_at: float
    last_at: float
    times: int


@dataclass(frozen=True, slots=True)
class Active:
    """The process that holds the lease."""

    holder: str
    serves: bool
    """It is a daemon: it carries out requests."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """What was uploaded from some batch on."""

    files: int
    lines: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What the guard holds of a type, of one kind."""

    id: int
    type: ObjectType
    kind: HoldKind
    objects: int
    """How many are held now."""
    live: int
    """How many Gong had, or may have had, when the hold was opened or grew."""
    since: float
    """Seconds since 1970 UTC."""
    sample: Sequence[str]
    """Ids of the first of them."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person let through."""

    id: int
    type: ObjectType
    kind: HoldKind
    since: float
    objects: int
    approved_at: float
    approved_by: str


SAMPLE: Final = 5
"""Held objects that are named."""

_AWAITED = f"""
pending IN ('in_flight', 'account_fresh', 'resend', 'asked', 'retry', 'related', 'gone', 'silent')
OR (pending = 'suspect' AND pending_due <= :now + 900)
OR (pending = 'address' AND batch_id IN (SELECT id FROM batches WHERE state IN {UNSETTLED_SQL}))
OR (pending = 'address' AND pending_due <= :now)
OR (pending = 'account' AND EXISTS (SELECT 1 FROM objects a WHERE a.type = 'ACCOUNT'
    AND a.object_id = objects.account_id AND (a.refused_digest IS NULL OR a.pending = 'suspect')
    AND (a.sent_digest IS NOT NULL AND NOT a.sent_deleted
         OR a.sent_digest IS NULL AND a.told_digest IS NOT NULL AND NOT a.told_deleted
         OR a.pending IN ('in_flight', 'resend', 'asked', 'retry', 'suspect'))))
"""


_PAUSED = "type IN (SELECT type FROM pauses)"
GOING_SQL = f"({_AWAITED}) AND NOT ({_PAUSED}) AND NOT (pending = 'account' AND 'ACCOUNT' IN (SELECT type FROM pauses))"
"""Pending objects that go by themselves, as a condition on `objects` with the parameter `now`."""
_LAST_DONE = " UNION ALL ".join(
    f"SELECT '{kind}', max(settled_at) FROM batches WHERE type = '{kind}' AND state = 'done'" for kind in ObjectType
)
_HELD_FILES = f"state IN ('spooled', 'sent') AND {_PAUSED}"


class Queries:
    """Answers questions about the ledger. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def work(self, now: float) -> Work:
        """Return what is left to do."""
        with self._database.reading() as connection:
            unsettled, held = connection.exec_driver_sql(
                f"SELECT count(*) FILTER (WHERE NOT ({_HELD_FILES})),"
                f" COALESCE(sum(lines) FILTER (WHERE {_HELD_FILES}), 0)"
                f" FROM batches WHERE state IN {UNSETTLED_SQL}"
            ).one()
            awaited, pending = connection.execute(
                text(
                    f"SELECT COALESCE(sum(CASE WHEN {GOING_SQL} THEN 1 ELSE 0 END), 0), count(*)"
                    " FROM objects WHERE pending IS NOT NULL"
                ),
                {"now": now},
            ).one()
            refused = connection.exec_driver_sql("SELECT count(*) FROM refusals").scalar_one()
        return Work(unsettled, awaited, pending - awaited + int(held), refused)

    def types(self, told: Mapping[ObjectType, int]) -> list[TypeStatus]:
        """Return how every type stands, in Gong's order; types that were never read are left out. `told` is how many
        objects Gong was told of (`Census`).
        """
        with self._database.reading() as connection:
            flying = connection.exec_driver_sql(
                f"SELECT type, sum(lines) FROM batches WHERE state IN {UNSETTLED_SQL} AND kind <> '{PassKind.BACKFILL}'"
                " GROUP BY type"
            ).all()
            pending = connection.exec_driver_sql(
                "SELECT type, pending, count(*), min(pending_since) FROM objects WHERE pending IS NOT NULL"
                " GROUP BY type, pending"
            ).all()
            refused = connection.exec_driver_sql("SELECT type, count(*) FROM refusals GROUP BY type").all()
            done = connection.exec_driver_sql(_LAST_DONE).all()
        refusals = {row[0]: row[1] for row in refused}
        settled = {row[0]: row[1] for row in done if row[1] is not None}
        in_flight = {row[0]: int(row[1]) for row in flying}
        found = []
        for object_type in ObjectType:
            waiting = {Pending(reason): count for kind, reason, count, _ in pending if kind == object_type}
            since = [first for kind, _, _, first in pending if kind == object_type]
            if told[object_type] or waiting or any(object_type in some for some in (refusals, in_flight, settled)):
                found.append(
                    TypeStatus(
                        object_type,
                        told[object_type],
                        in_flight.get(object_type, 0),
                        waiting,
                        min(since, default=None),
                        refusals.get(object_type, 0),
                        settled.get(object_type),
                    )
                )
        return found

    def unsettled(self) -> dict[str, int]:
        """Return how many batches are in each of the states that are not the end."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT state, count(*) FROM batches WHERE state IN {UNSETTLED_SQL} GROUP BY state"
            ).all()
        found = {row[0]: row[1] for row in rows}
        return {state.value: found.get(state, 0) for state in UNSETTLED}

    def last_passes(self) -> list[Pass]:
        """Return the latest full or incremental pass of each entity source."""
        with self._database.reading() as connection:
            rows = (
                connection.exec_driver_sql(
                    "SELECT * FROM passes WHERE id IN"
                    f" (SELECT max(id) FROM passes WHERE {FOLLOWED_SQL} GROUP BY name) ORDER BY id"
                )
                .mappings()
                .all()
            )
        return [
            Pass(
                id=row["id"],
                name=row["name"],
                kind=PassKind(row["kind"]),
                started_at=row["started_at"],
                finished_at=row["finished_at"],
                counts=Counts(
                    row["rows"],
                    row["lines"],
                    row["skipped"],
                    row["pended"],
                    row["refused"],
                    load_counts(row["not_shown"]),
                    load_counts(row["warnings"]),
                ),
                error=row["error"],
            )
            for row in rows
        ]

    def cursors(self) -> list[CursorStatus]:
        """Return how far the changes of each source that has a cursor are accounted for."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, cursor_at, held_by, held_since FROM cursors"
                " WHERE cursor IS NOT NULL OR pass_bound IS NOT NULL ORDER BY name"
            ).all()
        return [CursorStatus(*row) for row in rows]

    def failures(self, object_type: ObjectType | None = None, object_id: str | None = None) -> list[Failure]:
        """Return refused objects, those of `object_type` or the one with `object_id` only, the latest first."""
        where = ["true"]
        if object_type is not None:
            where.append("f.type = :type")
        if object_id is not None:
            where.append("f.object_id = :id")
        with self._database.reading() as connection:
            rows = (
                connection.execute(
                    text(
                        "SELECT f.type, f.object_id, f.origin, f.kind, f.field, f.reason, f.batch_id, b.request_id,"
                        " f.line, f.first_at, f.last_at, f.times"
                        " FROM refusals f LEFT JOIN batches b ON b.id = f.batch_id"
                        f" WHERE {' AND '.join(where)} ORDER BY f.last_at DESC, f.type, f.object_id"
                    ),
                    {"type": object_type, "id": object_id},
                )
                .mappings()
                .all()
            )
        return [Failure(**{str(key): value for key, value in row.items()}) for row in rows]

    def uploads_after(self, batch_id: int) -> Uploads:
        """Return what was uploaded in batches with a higher id."""
        with self._database.reading() as connection:
            files, lines, size = connection.execute(
                text(
                    "SELECT count(*), COALESCE(sum(lines), 0), COALESCE(sum(bytes), 0) FROM batches"
                    " WHERE id > :id AND uploads > 0"
                ),
                {"id": batch_id},
            ).one()
        return Uploads(files, int(lines), int(size))

    def last_batch(self) -> int:
        """Return the highest batch id; 0 when there is none."""
        with self._database.reading() as connection:
            value: int = connection.exec_driver_sql("SELECT COALESCE(max(id), 0) FROM batches").scalar_one()
            return value

    def holds(self) -> list[Hold]:
        """Return what the guard holds, in Gong's order of types, with some of the objects of each."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT id, type, kind, since, live FROM holds WHERE approved_at IS NULL"
            ).all()
            found = [_hold(connection, *row) for row in rows]
        order = list(ObjectType)
        return sorted((hold for hold in found if hold.objects), key=lambda hold: (order.index(hold.type), hold.id))

    def approvals(self) -> list[Approval]:
        """Return what persons let through, the latest first."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT id, type, kind, since, approved, approved_at, approved_by FROM holds"
                " WHERE approved_at IS NOT NULL ORDER BY approved_at DESC, id DESC"
            ).all()
        return [Approval(row[0], ObjectType(row[1]), HoldKind(row[2]), *row[3:]) for row in rows]

    def doubted_since(self) -> float | None:
        """Return since when the ledger is known to be older than what Gong was told; None as a rule."""
        with self._database.reading() as connection:
            value: float | None = connection.exec_driver_sql("SELECT doubted_at FROM epoch").scalar_one()
            return value

    def active(self, now: float) -> Active | None:
        """Return the active process; None when there is none. `now` is the lease's own time."""
        with self._database.reading() as connection:
            row = connection.execute(
                text("SELECT holder, serves FROM lease WHERE id = 1 AND expires_at > :now"), {"now": now}
            ).one_or_none()
        return None if row is None or row.holder is None else Active(row.holder, bool(row.serves))


def _hold(connection: Connection, hold_id: int, kind: str, what: str, since: float, live: int) -> Hold:
    held = "FROM objects WHERE pending IS NOT NULL AND type = :type AND pending = :held"
    values = {"type": kind, "held": HELD[HoldKind(what)], "limit": SAMPLE}
    count = connection.execute(text(f"SELECT count(*) {held}"), values).scalar_one()
    sample = connection.execute(text(f"SELECT object_id {held} ORDER BY object_id LIMIT :limit"), values).scalars()
    return Hold(hold_id, ObjectType(kind), HoldKind(what), count, live, since, list(sample))
