"""What the guard weighs and holds: deletions, and changes that no stamp told of (`let_go`, `holds`, and `objects`).

Held objects are pending with the reason of their kind, and never due. A row of `holds` is what a person is shown and
lets through; it says of how many objects, so that nobody lets through more than was shown.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from connector.clock import Clock
from connector.ledger.bulk import id_list, in_list
from connector.ledger.database import Database
from connector.ledger.objects import LIVE_SQL, REMEMBERING_SQL
from connector.ledger.records import HoldKind, Live, Pending, Weight
from connector.ledger.statement import text
from connector.object_types import ObjectType

DAY_MINUTES: Final = 24 * 60
HELD: Final = {HoldKind.DELETIONS: Pending.HELD_DELETION, HoldKind.CHANGES: Pending.HELD_CHANGE}
"""The reason for which objects of a hold are pending."""
_RELEASED: Final = {HoldKind.DELETIONS: Pending.GONE, HoldKind.CHANGES: Pending.SILENT}
"""The reason for which they are pending once they are let through: each is looked at by key before it is sent."""


class Holds:
    """Reads and writes what is held. Raises LedgerUnavailable and LeaseLost everywhere."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def weight(self, object_type: ObjectType, kind: HoldKind) -> Weight:
        """Return how much of a kind went in the last 24 hours without a person's word, and how much is held."""
        since = int(self._clock.now() // 60) - DAY_MINUTES
        with self._database.reading() as connection:
            gone: int = connection.execute(
                text(
                    'SELECT COALESCE(sum("count"), 0) FROM let_go'
                    " WHERE type = :type AND kind = :kind AND minute > :since"
                ),
                {"type": object_type, "kind": kind, "since": since},
            ).scalar_one()
            held = _count(connection, object_type, kind)
        return Weight(int(gone), held)

    def live(self, object_type: ObjectType) -> int:
        """Return how many objects of a type Gong has, or may have."""
        with self._database.reading() as connection:
            return _live(connection, object_type)

    def let_go(self, object_type: ObjectType, ids: Sequence[str]) -> None:
        """Book objects that a whole comparison did not find as gone, and count them: they are looked for by key once
        more, then deleted. What they waited for before does not matter any more.
        """
        now = self._clock.now()
        with self._database.writing("let_go") as connection:
            _pend_all(connection, object_type, ids, Pending.GONE, now, now)
            count(connection, object_type, HoldKind.DELETIONS, len(ids), now)

    def hold(self, object_type: ObjectType, ids: Sequence[str]) -> None:
        """Hold the deletion of objects that a whole comparison did not find."""
        now = self._clock.now()
        with self._database.writing("hold") as connection:
            _pend_all(connection, object_type, ids, Pending.HELD_DELETION, now, None)
            refresh(connection, object_type, HoldKind.DELETIONS, len(ids), now)

    def show(self, object_type: ObjectType, kind: HoldKind) -> int:
        """Make the open hold of a kind say what is held, so that a person may let it through; return how many are."""
        with self._database.writing("show_hold") as connection:
            refresh(connection, object_type, kind, None, self._clock.now())
            return _count(connection, object_type, kind)

    def release(self, object_type: ObjectType, kind: HoldKind) -> int:
        """Let everything go that is held of a kind, and count it: it weighs no more than may go by itself.

        Returns:
            How many objects.
        """
        now = self._clock.now()
        with self._database.writing("release_hold") as connection:
            released = _release(connection, object_type, kind, now)
            count(connection, object_type, kind, released, now)
            refresh(connection, object_type, kind, 0, now)
        return released

    def approve(self, hold_id: int, by: str) -> int | None:
        """Let everything of a hold through, on a person's word, which is kept.

        Returns:
            How many objects, again when asked again by the same; None when no such hold is open: somebody else let it
            through, it has grown, or fell apart.
        """
        now = self._clock.now()
        with self._database.writing("approve") as connection:
            found = connection.execute(
                text("SELECT type, kind, objects, approved, approved_by FROM holds WHERE id = :id"), {"id": hold_id}
            ).first()
            if found is None or found.approved_by is not None:
                return None if found is None or found.approved_by != by else int(found.approved)
            object_type, kind = ObjectType(found.type), HoldKind(found.kind)
            if not 0 < _count(connection, object_type, kind) <= found.objects:
                return None
            released = _release(connection, object_type, kind, now)
            connection.execute(
                text("UPDATE holds SET approved_at = :now, approved_by = :by, approved = :count WHERE id = :id"),
                {"now": now, "by": by, "count": released, "id": hold_id},
            )
        return released


def count(connection: Connection, object_type: ObjectType, kind: HoldKind, number: int, now: float) -> None:
    """Count what goes without a person's word."""
    if number:
        connection.execute(
            text(
                'INSERT INTO let_go (type, kind, minute, "count") VALUES (:type, :kind, :minute, :number)'
                ' ON CONFLICT (type, kind, minute) DO UPDATE SET "count" = let_go."count" + excluded."count"'
            ),
            {"type": object_type, "kind": kind, "minute": int(now // 60), "number": number},
        )


def refresh(connection: Connection, object_type: ObjectType, kind: HoldKind, fresh: int | None, now: float) -> None:
    """Make the open hold of a kind say what is held. One that has grown gets a new id: nobody has seen it yet.

    `fresh` are the objects that were not held before; None when that is only known by their number.
    """
    held = _count(connection, object_type, kind)
    chosen = {"type": object_type, "kind": kind}
    open_one = connection.execute(
        text("SELECT id, since, objects FROM holds WHERE type = :type AND kind = :kind AND approved_at IS NULL"), chosen
    ).first()
    known = 0 if open_one is None else int(open_one.objects)
    grown = held > known if fresh is None else fresh > 0
    if open_one is not None and held and not grown:
        connection.execute(text("UPDATE holds SET objects = :held WHERE id = :id"), {"held": held, "id": open_one.id})
        return
    if open_one is not None:
        connection.execute(text("DELETE FROM holds WHERE id = :id"), {"id": open_one.id})
    if held:
        since = now if open_one is None or held == fresh else open_one.since
        connection.execute(
            text("INSERT INTO holds (type, kind, since, objects, live) VALUES (:type, :kind, :since, :objects, :live)"),
            chosen | {"since": since, "objects": held, "live": _live(connection, object_type)},
        )


def live_after(connection: Connection, object_type: ObjectType, after: str, limit: int) -> list[Live]:
    """Return objects of a type that Gong has, or may have, by id after `after`."""
    rows = connection.execute(
        text(
            f"SELECT object_id, pending, refused_digest FROM objects WHERE {LIVE_SQL} AND object_id > :after"
            " ORDER BY object_id LIMIT :limit"
        ),
        {"type": object_type, "after": after, "limit": limit},
    )
    return [
        Live(object_id, None if pending is None else Pending(pending), refused) for object_id, pending, refused in rows
    ]


def _count(connection: Connection, object_type: ObjectType, kind: HoldKind) -> int:
    number: int = connection.execute(
        text("SELECT count(*) FROM objects WHERE pending IS NOT NULL AND type = :type AND pending = :held"),
        {"type": object_type, "held": HELD[kind]},
    ).scalar_one()
    return number


def _live(connection: Connection, object_type: ObjectType) -> int:
    number: int = connection.execute(
        text(f"SELECT count(*) FROM objects WHERE {LIVE_SQL}"), {"type": object_type}
    ).scalar_one()
    return number


def _release(connection: Connection, object_type: ObjectType, kind: HoldKind, now: float) -> int:
    return connection.execute(
        text(
            "UPDATE objects SET pending = :released, pending_due = :now, tries = 0"
            " WHERE pending IS NOT NULL AND type = :type AND pending = :held"
        ),
        {"released": _RELEASED[kind], "held": HELD[kind], "type": object_type, "now": now},
    ).rowcount


def _pend_all(
    connection: Connection, object_type: ObjectType, ids: Sequence[str], reason: Pending, now: float, due: float | None
) -> None:
    connection.execute(
        text(
            "UPDATE objects SET pending = :reason, pending_since = COALESCE(pending_since, :now), pending_due = :due,"
            f" refused_digest = CASE WHEN pending IN {REMEMBERING_SQL} THEN NULL ELSE refused_digest END"
            f" WHERE type = :type AND {in_list(connection, 'object_id')}"
        ),
        {"reason": reason, "now": now, "due": due, "type": object_type, "ids": id_list(connection, ids)},
    )
