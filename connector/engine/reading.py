"""What reading needs of the CRM's database, and what a tick of it comes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from connector.ledger.records import Counts, PassKind
from connector.model import Bound, Position, Relation, Row

HELD_SECONDS: Final = 900.0
"""A transaction of the source that is open for so long is worth an alarm: until it ends, passes read the same again."""


class Source(Protocol):
    """What the engine needs of the CRM's database (connector.source.Source)."""

    def cursor_bound(self, relation: Relation, overlap: float) -> Bound: ...
    def changes(self, relation: Relation, after: Position | None) -> Iterator[list[Row]]: ...
    def unstamped(self, relation: Relation) -> Iterator[list[Row]]: ...
    def everything(self, relation: Relation) -> Iterator[list[Row]]: ...
    def by_key(self, relation: Relation, keys: Sequence[str]) -> list[Row]: ...
    def position(self, relation: Relation, row: Row) -> Position: ...


class End(StrEnum):
    """How a reading ended."""

    FINISHED = "finished"
    SPOOL_FULL = "spool full"
    """CONNECTOR_SPOOL_MAX_BYTES are waiting; it goes on from its position when there is room."""
    STOPPED = "stopped"
    """The process is to end; it goes on from its position at the next start."""
    PAUSED = "paused"
    """Its type is paused; it goes on from its position when somebody resumes it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tick of reading did."""

    end: End
    kind: PassKind
    counts: Counts
    resumed: bool = False
    """It went on with an interrupted pass: what was committed since may lie before the place where that stood."""
