"""How fast calls may go on so that the day's number lasts. Pure: calls by minute in, rates and waits out.

Every rule here is the same thought: what was called in a minute is free again a day later, so how many calls the
coming hours can take follows from the calls of the past ones.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from connector.ledger.records import Priority

DAY: Final = 86_400
HOUR: Final = 3_600
LATER_SHARE: Final = {Priority.RECONCILE: 0.9, Priority.BACKFILL: 0.8}
"""What may be kept of a day for more urgent calls at most: the rest is for this priority however busy the day is, or
a first load that takes every call would keep deletions from Gong for ever."""


_MARGIN: Final = 1.1
"""More urgent work may need a little more than it did."""


class Calls(NamedTuple):
    """Calls of one priority in one minute (since 1970 UTC)."""

    minute: int
    priority: int
    number: int


def first_minute(now: float) -> int:
    """Return the earliest minute whose calls count at `now`."""
    return int(now // 60) - DAY // 60


def free_at(minute: int) -> float:
    """Return when the calls of a minute do not count any more: a day after its end."""
    return float((minute + 1) * 60 + DAY)


def sustainable(calls: Sequence[Calls], now: float, per_day: int) -> float:
    """Return how many calls a second may be made evenly from `now` on without ever more than `per_day` in 24 hours."""
    left = sum(one.number for one in calls)
    rate = per_day / DAY
    for one in sorted(calls):
        wait = free_at(one.minute) - now
        if wait > 0:
            rate = min(rate, max(per_day - left, 0) / wait)
        left -= one.number
    return rate


def wait_for_room(calls: Sequence[Calls], now: float, per_day: int, reserved: float) -> float:
    """Return the seconds until a less urgent call may be made: 0 when after it `reserved` calls a second can still be
    made at all times.
    """
    left = sum(one.number for one in calls)
    wait = 0.0
    for one in sorted(calls):
        frees = free_at(one.minute) - now
        if frees > 0 and left + 1 + reserved * frees > per_day:
            wait = frees
        left -= one.number
    return wait


def reserved(calls: Sequence[Calls], now: float, per_day: int, priority: Priority) -> float:
    """Return how many calls a second are kept for what is more urgent than `priority`: its pace of the last hour or
    of the last day, whichever is higher, and a tenth more; but not the share that is nobody's.
    """
    if priority not in LATER_SHARE:
        return 0.0
    return min(_MARGIN * pace(calls, now, priority), LATER_SHARE[priority] * per_day / DAY, max(per_day - 1, 0) / DAY)


def pace(calls: Sequence[Calls], now: float, below: Priority) -> float:
    """Return how many calls a second work more urgent than `below` makes, with its share of the polls."""
    hour = [one for one in calls if one.minute >= (now - HOUR) // 60]
    return max(_of(hour, below) / HOUR, _of(calls, below) / DAY)


def _of(calls: Sequence[Calls], below: Priority) -> float:
    polls = sum(one.number for one in calls if one.priority == Priority.POLL)
    others = sum(one.number for one in calls if one.priority != Priority.POLL)
    urgent = sum(one.number for one in calls if Priority.POLL < one.priority < below)
    return urgent * (1 + polls / others) if others else float(polls)
