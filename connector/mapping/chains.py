"""Puts one field's changes in their order, and says where they do not meet. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, permutations
from typing import Any, Final

MOST_TIED: Final = 6
"""So many changes of a field at one time are tried in every order; more keep the order in which they came."""

Same = Callable[[Any, Any], bool]
"""Tells whether two values of the field say the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of one field."""

    stamp: int
    """Seconds since 1970 UTC."""
    at: Any
    """The time as the log has it: changes with equal ones are tied."""
    before: Any
    after: Any


def chained(changes: Sequence[Change], present: Any, same: Same) -> list[Change]:
    """Return changes of a field, which come by their times, with those of one time in the order in which their
    values meet.

    Args:
        changes: by ascending time.
        present: the field's value now, with which the last change should end.
        same: tells whether two values say the same.
    """
    groups = [list(tied) for _, tied in groupby(changes, key=lambda change: change.at)]
    ordered: list[Change] = []
    for tied in reversed(groups):  # backwards, since it is known where the chain ends
        end = ordered[0].before if ordered else present
        ordered = [*_best(tied, end, same), *ordered]
    return ordered


def breaks(changes: Sequence[Change], present: Any, same: Same) -> list[tuple[int, str]]:
    """Return where an ordered chain does not meet: the stamp, and `step` or `present` (model.Gap)."""
    found = [(later.stamp, "step") for earlier, later in pairwise(changes) if not same(earlier.after, later.before)]
    if changes and not same(changes[-1].after, present):
        found.append((changes[-1].stamp, "present"))
    return found


def _best(tied: list[Change], end: Any, same: Same) -> Sequence[Change]:
    if len(tied) == 1 or len(tied) > MOST_TIED:
        return tied

    def meetings(order: Sequence[Change]) -> int:
        return sum(same(one.after, following.before) for one, following in pairwise(order)) + same(order[-1].after, end)

    return max(permutations(tied), key=meetings)  # of equals the first: the order in which they came
