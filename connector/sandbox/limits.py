"""The company's rate limits: sliding windows over the times of its calls."""

from collections import deque
from collections.abc import Iterable

from connector.sandbox.behaviour import Behaviour

DAY_SECONDS = 86_400.0


class RateLimit:
    """Says of each call whether it is still within the calls per second and per day."""

    def __init__(self, behaviour: Behaviour, counted: Iterable[float]) -> None:
        windows = ((1.0, behaviour.calls_per_second), (DAY_SECONDS, behaviour.calls_per_day))
        self._windows = [(seconds, most) for seconds, most in windows if most is not None]
        self._refused_count = behaviour.refused_calls_count
        self._times = deque(counted)

    def admit(self, now: float) -> float | None:
        """Count a call made `now`; return None when it is allowed, else the seconds until one will be."""
        while self._times and self._times[0] <= now - DAY_SECONDS:
            self._times.popleft()
        wait = max((self._wait(seconds, most, now) for seconds, most in self._windows), default=0.0)
        if wait <= 0.0 or self._refused_count:
            self._times.append(now)
        return wait if wait > 0.0 else None

    def _wait(self, seconds: float, most: int, now: float) -> float:
        if len(self._times) < most:
            return 0.0
        return self._times[-most] + seconds - now
