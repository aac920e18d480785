"""What the calls to Gong want of whoever counts them."""

from typing import Protocol


class Limiter(Protocol):
    """The company's shared budget of calls, asked before each call."""

    def acquire(self, priority: int) -> float:
        """Book one call, waiting until it may be made; raise RetriableError when that is far off.

        Returns what `finished` wants to be told.
        """
        ...

    def finished(self, booked: float) -> None:
        """Take note that a call is over: Gong has counted it by now, which may be long after it was booked."""
        ...

    def throttled(self, until: float) -> None:
        """Make everyone wait until `until` (epoch seconds): Gong answered 429."""
        ...
