"""When the next pass comes: at the set interval, or later, so that the day's calls last.

A pass that finds nothing costs no call. One that sends costs two calls for each of its files. Once a quarter of the
day's calls is used, each pass is followed by as long a break as its calls are worth at the pace that can be kept up for
a whole day: calls spent faster would be missing later, for hours. The first quarter is for bursts after quiet hours.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

import orjson

from connector.clock import Clock
from connector.ledger.budget import Budget, Mark, Standing
from connector.ledger.store import Store

PACING: Final = "pacing"
"""The ledger's property that says when the last pass began."""
CALLS_PER_SOURCE: Final = 4
"""A pass is taken to cost so many calls for each entity source at most: a file and one for what waited, with a
question each. What a first load or an outage made it cost is no measure for the next one; those calls count, for they
slow down the pace that can be kept up."""
FREE_SHARE: Final = 0.25
"""Of the day's calls: no pass waits for the sake of calls while fewer are used."""
LONGEST_SECONDS: Final = 86_400.0
JITTER: Final = 0.05
"""Of the set interval: so much earlier at most does a pass come, by chance, lest several connectors meet at the same
database for ever, or meet its jobs of every full minute.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """When the next pass comes, and why then."""

    set_interval: float
    """SYNC_INTERVAL_SECONDS."""
    interval: float
    """Seconds from pass to pass that are in force."""
    calls: int
    """What the last pass cost."""
    next_at: float
    """Seconds since 1970 UTC; in the past when no pass was made for long, or none ever."""
    standing: Standing

    @property
    def stretched(self) -> bool:
        """Whether the passes come more rarely than they are set to."""
        return self.interval > self.set_interval


@dataclass(frozen=True, slots=True)
class _Begun:
    """The last pass, as the ledger keeps it."""

    at: float
    before: int
    sources: int


def stretch(set_interval: float, calls: int, standing: Standing) -> float:
    """Return the seconds from a pass that cost so many calls to the next.

    Args:
        set_interval: seconds between passes when calls are no matter.
        calls: what the last pass cost.
        standing: how the day's calls stand.
    """
    if calls <= 0 or standing.used < FREE_SHARE * standing.per_day:
        return set_interval
    worth = calls / standing.per_second if standing.per_second > 0 else LONGEST_SECONDS
    return max(set_interval, min(worth, LONGEST_SECONDS))


class Pacer:
    """Tells when passes come. What it goes by is in the ledger, so that a restart changes nothing, and every process
    can tell.
    """

    def __init__(self, budget: Budget, store: Store, clock: Clock, set_interval: float) -> None:
        """Prepare to pace passes, `set_interval` seconds apart where nothing hinders."""
        self._budget = budget
        self._store = store
        self._clock = clock
        self.set_interval = set_interval
        self._begun = False

    def begin(self, sources: int) -> None:
        """Book that a pass over so many entity sources begins now."""
        mark = self._budget.mark()
        self._store.set_meta(PACING, orjson.dumps(_Begun(mark.at, mark.before, sources)).decode())
        self._begun = True

    def begin_anew(self) -> None:
        """Have a pass come at once, as the first of a process."""
        self._begun = False

    def due(self) -> bool:
        """Tell whether it is time for a pass. The first of a process comes at once, if calls allow."""
        now = self._clock.now()
        mark = self._mark()
        if self._begun and mark is not None and mark.at <= now < self._jittered(mark):
            return False
        plan = self._plan(mark)
        return plan.next_at <= now or (not self._begun and not plan.stretched and plan.standing.free_at is None)

    def ahead(self) -> float:
        """Return by how many seconds the last pass lies in the future: the clock was set back since."""
        mark = self._mark()
        return 0.0 if mark is None else max(mark.at - self._clock.now(), 0.0)

    def plan(self) -> Plan:
        """Return when the next pass comes."""
        return self._plan(self._mark())

    def _plan(self, mark: "_Begun | None") -> Plan:
        standing = self._budget.standing()
        # A mark from the future is from before the clock was set back.
        if mark is None or mark.at > self._clock.now():
            return Plan(self.set_interval, self.set_interval, 0, standing.free_at or 0.0, standing)
        calls = self._budget.since(Mark(mark.at, mark.before))
        interval = stretch(self.set_interval, min(calls, CALLS_PER_SOURCE * mark.sources), standing)
        earliest = mark.at + interval if interval > self.set_interval else self._jittered(mark)
        return Plan(self.set_interval, interval, calls, max(earliest, standing.free_at or 0.0), standing)

    def _jittered(self, mark: "_Begun") -> float:
        """Return when the pass after a mark comes where nothing stretches the interval: the same for whoever asks."""
        return mark.at + self.set_interval * (1 - JITTER * Random(mark.at).random())  # noqa: S311 - no secret

    def _mark(self) -> "_Begun | None":
        stored = self._store.meta(PACING)
        return None if stored is None else _Begun(**orjson.loads(stored))
