"""How many objects Gong has: the one question that needs a look at each of them, so it is asked seldom."""

from collections.abc import Mapping
from typing import Final

from connector.clock import Clock
from connector.ledger.database import Database
from connector.ledger.objects import UNSETTLED_SQL
from connector.object_types import ObjectType

SHARE: Final = 100
"""A count that took a second is good for a hundred."""
_LIVE: Final = f"""
CASE WHEN sent_digest IS NOT NULL AND batch_id NOT IN (SELECT id FROM batches WHERE state IN {UNSETTLED_SQL})
     THEN NOT sent_deleted ELSE told_digest IS NOT NULL AND NOT told_deleted END
"""
# Not grouped: SQLite would sort all objects by their type.
_COUNT: Final = f"""
SELECT {", ".join(f"count(*) FILTER (WHERE type = '{kind}' AND {_LIVE})" for kind in ObjectType)} FROM objects
"""


class Census:
    """Counts, or tells the last count while that is good. Raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counted: Mapping[ObjectType, int] = {}
        self._good_until = 0.0

    def told(self) -> Mapping[ObjectType, int]:
        """Return how many objects of each type Gong was told of, deletions aside."""
        began = self._clock.monotonic()
        if not self._counted or began >= self._good_until:
            with self._database.reading() as connection:
                counts = connection.exec_driver_sql(_COUNT).one()
            self._counted = dict(zip(ObjectType, counts, strict=True))
            self._good_until = began + SHARE * (self._clock.monotonic() - began)
        return self._counted
