"""What sending costs: files, calls to Gong and time, and what a day of syncing takes of the quota. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connector.object_types import ObjectType

CALLS_PER_FILE: Final = 2
"""Its upload, and one question what became of it (the questions' times are learned)."""
DAY_SECONDS: Final = 86_400.0
INTERVALS: Final = (60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0)
"""Seconds between passes that are worth choosing."""
SHARE: Final = 0.8
"""Of the day's calls, that a day of syncing may take: the rest is for full comparisons, retries and people."""
_WAVES: Final = (
    (ObjectType.BUSINESS_USER, ObjectType.STAGE),
    (ObjectType.ACCOUNT,),
    (ObjectType.CONTACT, ObjectType.DEAL),
    (ObjectType.LEAD,),
)
"""What may be on its way at the same time."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How often the rows of one source change."""

    source: str
    changes_a_day: float
    interval: float | None = None
    """The source's own seconds between readings."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent of one source at once."""

    type: ObjectType
    lines: int
    bytes: int
    read_seconds: float
    """For reading and mapping its rows."""
    gong_seconds: float | None
    """What Gong usually takes for a file of it; None when nothing is known."""


def files_of(lines: int, size: int, max_file_bytes: int) -> int:
    """Return how many data files so many lines and bytes make."""
    return max(1, math.ceil(size / max_file_bytes)) if lines else 0


def calls_a_day(flows: Sequence[Flow], interval: float) -> float:
    """Return the calls of a day whose changes come evenly: in fact they come together, in fewer files."""
    total = 0.0
    for flow in flows:
        passes = DAY_SECONDS / max(interval, flow.interval or 0.0)
        total += CALLS_PER_FILE * passes * (1 - math.exp(-flow.changes_a_day / passes))
    return total


def advised(flows: Sequence[Flow], per_day: int, least: float) -> float | None:
    """Return the shortest interval whose day fits well into the quota; None where not even the longest does.

    Args:
        flows: how often rows change.
        per_day: calls that a day has.
        least: no interval may be shorter.
    """
    fitting = (one for one in INTERVALS if one >= least and calls_a_day(flows, one) <= SHARE * per_day)
    return next(fitting, None)


def load_seconds(loads: Sequence[Load], calls: int, per_second: int, account_wait: float, gong_seconds: float) -> float:
    """Return how long it takes to send everything, at least.

    Reading goes on while files are on their way. A wave's files are settled together, and accounts rest a while
    before what names them follows.

    Args:
        loads: what is sent.
        calls: what it costs.
        per_second: calls that may be made in a second.
        account_wait: seconds between an account's arrival and what names it (ACCOUNT_WAIT_SECONDS).
        gong_seconds: what Gong takes for a file where that is not known.
    """
    waiting = 0.0
    for wave in _WAVES:
        taken = [gong_seconds if one.gong_seconds is None else one.gong_seconds for one in loads if one.type in wave]
        waiting += max(taken, default=0.0)
    types = {one.type for one in loads}
    if ObjectType.ACCOUNT in types and types & {ObjectType.CONTACT, ObjectType.DEAL}:
        waiting += account_wait
    return max(sum(one.read_seconds for one in loads), calls / per_second) + waiting
