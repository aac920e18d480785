"""Read models of single objects and of long lists, a page at a time: where an object stands, who is refused, who waits,
who asked for what. Nothing here writes.
"""

from dataclasses import dataclass

from sqlalchemy import RowMapping

from connector.ledger.database import Database
from connector.ledger.objects import UNSETTLED_SQL
from connector.ledger.queries import GOING_SQL
from connector.ledger.records import BatchState, Pending
from connector.ledger.statement import text
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class File:
    """The data file of an object's latest line. Times are seconds since 1970 UTC."""

    state: BatchState
    request_id: str
    line: int | None
    created_at: float
    settled_at: float | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """For the bad lines of a failed file that Gong did not list."""

    type: ObjectType
    rounds: int
    """How often what is left of the file was cut into smaller ones."""
    lines: int
    """Lines that wait for its end, or to be sent in a smaller file."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an object's latest line is refused."""

    type: str
    object_id: str
    origin: str
    kind: str
    field: str
    reason: str
    first_at: float
    last_at: float
    times: int


@dataclass(frozen=True, slots=True)
class Found:
    """Where an object stands. Times are seconds since 1970 UTC."""

    type: ObjectType
    object_id: str
    told: bool
    """Gong settled a line of it well."""
    told_deleted: bool
    """The last such line was a deletion."""
    unsure: bool
    """Gong may have kept a line of a file that failed since."""
    in_flight: bool
    deleting: bool
    """Its latest line is a deletion."""
    changed: int | None
    """modifiedDate of its latest line."""
    file: File | None
    """Of its latest line; None when there is none, or it was settled long ago."""
    pending: Pending | None
    pending_since: float | None
    pending_due: float | None
    account_id: str | None
    refused: Refused | None


@dataclass(frozen=True, slots=True)
class Waits:
    """An object that waits for something that may never come."""

    type: ObjectType
    object_id: str
    reason: Pending
    since: float
    account_id: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked of the connector. Times are seconds since 1970 UTC."""

    operation: str
    arguments: str
    asked_at: float
    asked_by: str
    finished_at: float | None
    outcome: str | None
    error: str | None


_REFUSED = "type, object_id, origin, kind, field, reason, first_at, last_at, times"
_TYPES = "(" + ", ".join(f"'{object_type}'" for object_type in ObjectType) + ")"


class Finder:
    """Looks objects up. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, object_id: str, object_type: ObjectType | None = None) -> list[Found]:
        """Return what is known of the objects with that id, of one type or of any."""
        chosen = "" if object_type is None else " AND o.type = :type"
        with self._database.reading() as connection:
            values = {"id": object_id, "type": object_type}
            rows = (
                connection.execute(
                    text(
                        "SELECT o.*, b.state, b.request_id, b.created_at, b.settled_at, b.note,"
                        f" b.state IN {UNSETTLED_SQL} AS unsettled FROM objects o LEFT JOIN batches b"
                        f" ON b.id = o.batch_id WHERE o.object_id = :id{chosen}"
                    ),
                    values,
                )
                .mappings()
                .all()
            )
            refusals = connection.execute(
                text(f"SELECT {_REFUSED} FROM refusals o WHERE type IN {_TYPES} AND object_id = :id{chosen}"), values
            ).all()
        refused = {row[0]: Refused(*row) for row in refusals}
        found = [_found(row, refused.pop(row["type"], None)) for row in rows]
        return [*found, *(_only_refused(one) for one in refused.values())]

    def refused(self, object_type: ObjectType | None, offset: int, limit: int) -> list[Refused]:
        """Return some of the refused objects, the latest first."""
        chosen = "" if object_type is None else " WHERE type = :type"
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    f"SELECT {_REFUSED} FROM refusals{chosen} ORDER BY last_at DESC, type, object_id"
                    " LIMIT :limit OFFSET :offset"
                ),
                {"type": object_type, "limit": limit, "offset": offset},
            ).all()
        return [Refused(*row) for row in rows]

    def waits(self, now: float, offset: int, limit: int) -> list[Waits]:
        """Return some of the objects that wait for something that may never come, the longest waiting first: orphans,
        what the guard holds, what Gong misses something for.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT type, object_id, pending, pending_since, account_id FROM objects WHERE pending IS NOT NULL"
                    f" AND NOT ({GOING_SQL}) AND pending <> '{Pending.HISTORY}'"
                    " ORDER BY pending_since, type, object_id LIMIT :limit OFFSET :offset"
                ),
                {"now": now, "limit": limit, "offset": offset},
            ).all()
        return [Waits(ObjectType(row[0]), row[1], Pending(row[2]), *row[3:]) for row in rows]

    def asked(self, limit: int) -> list[Asked]:
        """Return what was asked for lately, the latest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT operation, arguments, asked_at, asked_by, finished_at, outcome, error FROM requests"
                    " ORDER BY id DESC LIMIT :limit"
                ),
                {"limit": limit},
            ).all()
        return [Asked(*row) for row in rows]

    def searches(self) -> list[Search]:
        """Return the searches for bad lines that are under way, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT i.type, i.rounds, count(o.object_id) FROM isolations i LEFT JOIN objects o"
                f" ON o.pending IS NOT NULL AND o.pending = '{Pending.SUSPECT}' AND o.isolation = i.id"
                " GROUP BY i.id, i.type, i.rounds ORDER BY i.id LIMIT 20"
            ).all()
        return [Search(ObjectType(kind), rounds, lines) for kind, rounds, lines in rows]


def _found(row: RowMapping, refused: Refused | None) -> Found:
    sent, unsettled = row["sent_digest"] is not None, bool(row["unsettled"])
    settled = sent and not unsettled
    file = None
    if sent and row["state"] is not None:
        file = File(
            BatchState(row["state"]),
            row["request_id"],
            row["line"],
            row["created_at"],
            row["settled_at"],
            row["note"],
        )
    return Found(
        type=ObjectType(row["type"]),
        object_id=row["object_id"],
        told=settled or row["told_digest"] is not None,
        told_deleted=bool(row["sent_deleted"] if settled else row["told_deleted"]),
        unsure=bool(row["told_unsure"]) and not settled,
        in_flight=sent and unsettled,
        deleting=bool(row["sent_deleted"]),
        changed=row["last_modified"],
        file=file,
        pending=None if row["pending"] is None else Pending(row["pending"]),
        pending_since=row["pending_since"],
        pending_due=row["pending_due"],
        account_id=row["account_id"],
        refused=refused,
    )


def _only_refused(refused: Refused) -> Found:
    """Return what is known of a row whose key was not usable: it was refused, nothing else."""
    return Found(
        type=ObjectType(refused.type),
        object_id=refused.object_id,
        told=False,
        told_deleted=False,
        unsure=False,
        in_flight=False,
        deleting=False,
        changed=None,
        file=None,
        pending=None,
        pending_since=None,
        pending_due=None,
        account_id=None,
        refused=refused,
    )
