"""A client whose limiter and transport are seen through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from connector.clock import FakeClock
from connector.gong import AccessKeyAuth, GongClient

KEY = "CANARYKEY"
SECRET = "canary-secret-7f3a"
NOW = 1_700_000_000.0


@dataclass
class RecordingLimiter:
    acquired: list[int] = field(default_factory=list)
    over: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def acquire(self, priority: int) -> float:
        self.acquired.append(priority)
        return float(len(self.acquired))

    def finished(self, booked: float) -> None:
        self.over.append(booked)

    def throttled(self, until: float) -> None:
        self.waits.append(until)


@dataclass
class Gong:
    """The client under test; `answer` decides what comes back, `requests` holds what was sent."""

    client: GongClient
    limiter: RecordingLimiter
    clock: FakeClock
    requests: list[httpx.Request]
    answer: Callable[[httpx.Request], httpx.Response]

    def answers(self, status: int, **parts: object) -> None:
        self.answer = lambda _: httpx.Response(status, **parts)  # type: ignore[arg-type]

    def raises(self, error: BaseException) -> None:
        def fail(_: httpx.Request) -> httpx.Response:
            raise error

        self.answer = fail


@pytest.fixture
def gong() -> Iterator[Gong]:
    limiter, clock, requests = RecordingLimiter(), FakeClock(NOW), []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return seen.answer(request)

    client = GongClient(
        AccessKeyAuth("https://gong.example", KEY, SECRET),
        limiter,
        clock,
        transport=httpx.MockTransport(handle),
    )
    seen = Gong(client, limiter, clock, requests, lambda _: httpx.Response(500))
    with client:
        yield seen
