"""Read models of the past day, for charts: what was settled when, how late, and at how many calls."""

from collections.abc import Sequence
from typing import NamedTuple

from connector.ledger.database import Database
from connector.ledger.records import BatchState
from connector.ledger.statement import text
from connector.object_types import ObjectType


class Settled(NamedTuple):
    """A file that Gong took, or whose lines were seen to after it refused some."""

    type: ObjectType
    state: BatchState
    lines: int
    settled_at: float
    """Seconds since 1970 UTC."""
    oldest_change: float | None
    """The earliest change in it, where an incremental pass made it."""

    @property
    def lag(self) -> float | None:
        """Seconds from the oldest change in it to Gong's DONE; None where that says nothing."""
        if self.oldest_change is None or self.state is not BatchState.DONE:
            return None
        return max(self.settled_at - self.oldest_change, 0.0)


class Minute(NamedTuple):
    """Calls to Gong in a minute."""

    minute: int
    """Since 1970 UTC."""
    calls: int


class Charts:
    """Answers what was. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settled(self, since: float) -> Sequence[Settled]:
        """Return the files that were settled since then, in that order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT type, state, lines, settled_at, oldest_change FROM batches"
                    " WHERE settled_at >= :since AND state IN ('done', 'resolved') ORDER BY settled_at"
                ),
                {"since": since},
            ).all()
        return [Settled(ObjectType(row[0]), BatchState(row[1]), *row[2:]) for row in rows]

    def calls(self, since: float) -> Sequence[Minute]:
        """Return the calls of each minute since then."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text("SELECT minute, sum(count) FROM calls WHERE minute >= :minute GROUP BY minute ORDER BY minute"),
                {"minute": int(since // 60)},
            ).all()
        return [Minute(minute, int(calls)) for minute, calls in rows]
