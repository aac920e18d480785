"""Runs rounds for ever, each at its own pace, and keeps that pace whatever happens to the host's clock."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from connector.clock import Clock

WATCH_SECONDS: Final = 1.0
"""How often the clock is looked at."""
JUMP_SECONDS: Final = 5.0
"""A clock that moved by so much between two looks, beside the time that went by, was set; or the host slept."""


class _Paced(BaseTrigger):  # type: ignore[misc] # APScheduler 3 ships no types
    """So many seconds apart; times that were missed are not made up for one by one, be they a year's."""

    def __init__(self, seconds: float) -> None:
        self._step = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return a step after the last time, or after now where that has gone by."""
        following = (previous or now) + self._step
        return following if following > now else now + self._step


class Schedule:
    """Rounds on a few threads. A round that takes long is not begun a second time meanwhile; whatever it missed comes
    once, as soon as its thread is free.
    """

    def __init__(
        self, clock: Clock, threads: Sequence[str], stop: threading.Event, jumped: Callable[[float], None]
    ) -> None:
        """Prepare.

        Args:
            clock: the one source of time.
            threads: names of the threads that there are to be.
            stop: is set when all is to end.
            jumped: is told, on the thread of `run`, by how many seconds the clock was set (negative: back).
        """
        self._clock = clock
        self._stop = stop
        self._jumped = jumped
        self._ahead = self._offset()
        self._busy: dict[str, threading.Lock] = {}
        self._scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in threads},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def add(self, name: str, work: Callable[[], None], seconds: float, thread: str, *, at_once: bool = False) -> None:
        """Have a round come every so many seconds on the thread of that name, the first time `at_once` or after as
        long.
        """
        busy = self._busy.setdefault(name, threading.Lock())

        def round_() -> None:
            with busy:
                if not self._stop.is_set():
                    work()

        first = {"next_run_time": self._now()} if at_once else {}
        self._scheduler.add_job(round_, _Paced(seconds), id=name, name=name, executor=thread, **first)

    def run(self) -> None:
        """Let the rounds come until the end is asked for."""
        self._scheduler.start()
        while not self._stop.wait(WATCH_SECONDS):
            self._watch()
        self._scheduler.shutdown(wait=False)

    def rest(self, seconds: float) -> bool:
        """Wait so long for the rounds that are under way; return whether all came to rest.

        Each lock is given back at once: a round that still stands in its thread's queue takes it, sees that all is
        to end, and does nothing. If it could not, its thread would wait for ever, and the process for the thread.
        """
        until = self._clock.monotonic() + seconds
        rested = True
        for busy in self._busy.values():
            if busy.acquire(timeout=max(until - self._clock.monotonic(), 0.0)):
                busy.release()
            else:
                rested = False
        return rested

    def _watch(self) -> None:
        """Where the clock was set, let all rounds come now: the scheduler goes by times of the clock as it was."""
        before, self._ahead = self._ahead, self._offset()
        if abs(self._ahead - before) < JUMP_SECONDS:
            return
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._now())
        self._jumped(self._ahead - before)

    def _offset(self) -> float:
        return self._clock.now() - self._clock.monotonic()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)
