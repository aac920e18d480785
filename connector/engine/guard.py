"""What the guard weighs, and when that is too much to be believed. Pure.

Deletions can take half a company out of Gong; a change that no stamp told of may come from a statement, or a lost
right, that emptied a column for every row. Either goes by itself while there is little of it in a day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from connector.ledger.records import HoldKind, ObjectState, Pending, Weight
from connector.model import Line

FEW: Final = 10
"""So many objects are never a mass, whatever share of a small type they are."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much is too much (DELETE_GUARD_COUNT, DELETE_GUARD_PERCENT)."""

    count: int
    percent: float

    def holds(self, weight: Weight, fresh: int, live: Callable[[], int]) -> bool:
        """Tell whether there is too much of a kind to let any more of it go without a person's word.

        Args:
            weight: what went in the last 24 hours, and what is held.
            fresh: what is to go now, beside those.
            live: counts the type's objects that Gong has, or may have; asked only when it matters.
        """
        total = weight.let_go + weight.held + fresh
        if total > self.count:
            return True
        return total > FEW and total * 100 > (live() + weight.let_go) * self.percent


def weighed_as(line: Line, state: ObjectState | None, *, silent: bool) -> HoldKind | None:
    """Return as what a line that tells Gong something new is weighed; None when it goes unweighed.

    Args:
        line: what the row amounts to now.
        state: what the ledger knows of the object.
        silent: the reading is of everything, and passes find this source's changes by their stamps.
    """
    if state is None or state.last_modified is None:
        return None
    if line.deleted:
        return None if state.pending is Pending.GONE or state.deleting else HoldKind.DELETIONS
    looked_for = state.pending is Pending.HELD_CHANGE or (silent and state.pending is None)
    if not looked_for or state.told is None or state.told_deleted:
        return None
    return None if line.stamp is not None and line.stamp > state.last_modified else HoldKind.CHANGES
