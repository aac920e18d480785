"""Looks at the ledger for whoever asks, seldom enough that a page left open in ten tabs costs the daemon nothing."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from connector.clock import Clock
from connector.engine.judgement import State, Verdict, judge
from connector.engine.overview import Overview
from connector.errors import ConnectorError
from connector.ledger.charts import Charts, Minute, Settled
from connector.ledger.finder import Finder
from connector.ledger.queries import Approval

DAY: Final = 86_400.0
LEAST_SECONDS: Final = 1.0
SHARE: Final = 10
"""A look that took a second is good for ten."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the looks go: each call opens what it needs, and raises LedgerUnavailable while it cannot."""

    overview: Callable[[], Overview]
    charts: Callable[[], Charts]
    finder: Callable[[], Finder]
    approvals: Callable[[], Sequence[Approval]]
    spooled: Callable[[], int]
    """Gives the bytes that the spool holds; raises SpoolUnavailable."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look saw."""

    overview: Overview
    verdict: Verdict
    """With the time since when all is well, as far as it was watched."""
    settled: Sequence[Settled]
    """Files of the last 24 hours."""
    calls: Sequence[Minute]
    """Calls of the last 48 hours."""
    spooled: int | None
    """Bytes that the spool holds; None where it cannot be looked at."""


class Lookout:
    """One look at a time, shared by all who ask. Raises ConnectorError when the ledger cannot be read."""

    def __init__(self, sources: Sources, clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._lock = threading.Lock()
        self._last: Sight | None = None
        self._good_until = 0.0
        self._state: State | None = None
        self._since = 0.0

    def look(self) -> Sight:
        """Return how everything stands, as of a few seconds ago at most where the ledger is quick."""
        with self._lock:
            began = self._clock.monotonic()
            if self._last is None or began >= self._good_until:
                self._last = self._fresh()
                took = self._clock.monotonic() - began
                self._good_until = began + max(LEAST_SECONDS, SHARE * took)
            return self._last

    def find(self, ask: Callable[[Finder], T]) -> T:
        """Return what `ask` finds of single objects."""
        with self._lock:
            return ask(self._sources.finder())

    def approvals(self) -> Sequence[Approval]:
        """Return what persons let through."""
        with self._lock:
            return self._sources.approvals()

    def _fresh(self) -> Sight:
        try:
            overview = self._sources.overview()
            charts = self._sources.charts()
            settled, calls = charts.settled(overview.now - DAY), charts.calls(overview.now - 2 * DAY)
        except ConnectorError:
            self._state = None
            raise
        verdict = judge(overview)
        if verdict.state is not self._state:
            self._state, self._since = verdict.state, overview.now
        if verdict.since is None:
            verdict = replace(verdict, since=self._since)
        return Sight(overview, verdict, settled, calls, self._spooled())

    def _spooled(self) -> int | None:
        try:
            return self._sources.spooled()
        except ConnectorError:
            return None
