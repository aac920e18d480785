"""The numbers behind the charts. Pure: files and calls in, points out."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from statistics import median
from typing import Final, NamedTuple

from connector.ledger.charts import Minute, Settled
from connector.object_types import ObjectType

STEP: Final = 900
"""Seconds of a chart's bar."""
HOUR: Final = 3600
DAY: Final = 86_400


class Bar(NamedTuple):
    """What was settled in a quarter of an hour."""

    start: int
    """Seconds since 1970 UTC."""
    lines: int
    files: int
    lag: float | None
    """Seconds from the oldest change of the latest file to DONE, the worst one; None where no change was settled."""


class Used(NamedTuple):
    """Calls of the 24 hours before a moment."""

    at: int
    calls: int
    foreseen: bool
    """At the pace of the last hour."""


class Lag(NamedTuple):
    """How long a type's changes took in the last 24 hours, in seconds."""

    last: float
    usual: float
    """The median over files, each by its oldest change."""
    worst: float


def bars(settled: Sequence[Settled], now: float) -> list[Bar]:
    """Return the last 24 hours in quarters of an hour."""
    first = (int(now) - DAY) // STEP + 1
    found: list[list[Settled]] = [[] for _ in range(DAY // STEP)]
    for one in settled:
        place = int(one.settled_at) // STEP - first
        if 0 <= place < len(found):
            found[place].append(one)
    return [
        Bar(
            (first + place) * STEP,
            sum(one.lines for one in files),
            len(files),
            max((one.lag for one in files if one.lag is not None), default=None),
        )
        for place, files in enumerate(found)
    ]


def lags(settled: Sequence[Settled]) -> dict[ObjectType, Lag]:
    """Return how long each type's changes took, from the change in the CRM to Gong's DONE."""
    found: dict[ObjectType, list[float]] = {}
    for one in settled:
        if one.lag is not None:
            found.setdefault(one.type, []).append(one.lag)
    return {kind: Lag(seen[-1], median(seen), max(seen)) for kind, seen in found.items()}


def budget(calls: Sequence[Minute], now: float, last_hour: int) -> list[Used]:
    """Return the calls of 24 hours at each full half hour of the last day, now, and of the next day, foreseen."""
    minutes = [one.minute for one in calls]
    sums = [0, *accumulate(one.calls for one in calls)]

    def between(start: float, end: float) -> int:
        return sums[bisect_left(minutes, int(end // 60) + 1)] - sums[bisect_left(minutes, int(start // 60) + 1)]

    half = HOUR // 2
    begin = (int(now) - DAY) // half * half
    past = [Used(at, between(at - DAY, at), False) for at in range(begin, int(now) + 1, half)]
    past.append(Used(int(now), between(now - DAY, now), False))
    ahead = [
        Used(int(now) + wait, between(now + wait - DAY, now) + round(last_hour * wait / HOUR), True)
        for wait in range(half, DAY + 1, half)
    ]
    return past + ahead
