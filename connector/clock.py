"""Time, so that tests and the simulation own it."""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Where the connector gets the time from; nothing else in the package may ask for it."""

    def now(self) -> float:
        """Return seconds since 1970-01-01 UTC. May jump when the host's clock is set."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring how long something took."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds; at once when `seconds` is not positive."""
        ...

    def shared(self, ask: Callable[[], float], /) -> float:
        """Return the time by which processes agree with each other: what `ask` gets from a server that they share,
        whatever their hosts' clocks say. A clock of tests is everybody's.
        """
        ...


class SystemClock:
    """The host's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def shared(self, ask: Callable[[], float], /) -> float:
        return ask()


class FakeClock:
    """A clock that moves only when told; sleeping moves it. For tests, the simulation and examples."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._now += seconds

    def shared(self, _ask: Callable[[], float], /) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move by `seconds`, back too when negative."""
        self._now += seconds
