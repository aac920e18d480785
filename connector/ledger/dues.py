"""The times from which things are to be done, for when the host's clock was set back."""

from typing import Final

from connector.clock import Clock
from connector.ledger.database import Database
from connector.ledger.objects import UNSETTLED_SQL
from connector.ledger.records import NEVER_DUE
from connector.ledger.statement import text

_DUE: Final = (
    ("batches", "due_at", f"state IN {UNSETTLED_SQL}"),
    ("objects", "pending_due", "pending IS NOT NULL"),
    ("isolations", "due", "true"),
    ("backfills", "due_at", "true"),
    ("budget", "blocked_until", "true"),
)
"""Table, column, and the rows that count."""


class Dues:
    """Moves them. Raises LedgerUnavailable and LeaseLost."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set_back(self, seconds: float) -> None:
        """Move the times that are still to come back by as much as the clock was, so that nothing waits longer for it.
        Moved twice, they come too early, which costs a question or a try.
        """
        values = {"by": seconds, "now": self._clock.now(), "never": NEVER_DUE}
        with self._database.writing("set_back") as connection:
            for table, column, counts in _DUE:
                connection.execute(
                    text(
                        f"UPDATE {table} SET {column} = {column} - :by"
                        f" WHERE {counts} AND {column} > :now AND {column} < :never"
                    ),
                    values,
                )
