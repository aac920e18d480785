"""`run`: the daemon's process: start, standby, signals, and the end."""

import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType
from typing import Final

import click

from connector import logs
from connector.cli.exits import Status
from connector.cli.parts import log_format_of_a_service
from connector.clock import SystemClock
from connector.engine.observe import Observer
from connector.engine.wiring import Wiring
from connector.errors import LeaseLost, RetriableError
from connector.settings import load_settings

AGAIN_SECONDS: Final = 5.0
"""Between two tries to start, or to take over from the process that is active."""
_NO_SIGNAL: Final = 0


class Stop:
    """The wish to end; can be waited for."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._tell: Callable[[], None] | None = None

    def ask(self) -> None:
        """Ask for the end, from any thread."""
        self.asked.set()
        if self._tell is not None:
            self._tell()

    def tell(self, stop: Callable[[], None]) -> None:
        """Pass the wish on to `stop`, at once if it was uttered already."""
        self._tell = stop
        if self.asked.is_set():
            stop()


@contextmanager
def stop_by_signal() -> Iterator[Stop]:
    """Give a Stop that SIGTERM and SIGINT ask.

    A handler runs in the midst of whatever the main thread does, waiting for the same Stop included, whose lock it
    would then wait for in vain. So it only writes the signal down, by the one queue that allows it, and a thread
    passes it on.
    """
    stop = Stop()
    signals: SimpleQueue[int] = SimpleQueue()

    def note(number: int, _frame: FrameType | None) -> None:
        signals.put(number)

    def pass_on() -> None:
        while signals.get():
            stop.ask()

    listener = threading.Thread(target=pass_on, name="signals", daemon=True)
    listener.start()
    earlier = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        signals.put(_NO_SIGNAL)
        listener.join()


def run() -> Status:
    """Keep syncing until a signal ends it."""
    settings = load_settings()
    logs.configure(log_format_of_a_service(settings), settings.log_level, uuid.uuid4().hex[:8])
    observer = logs.LogObserver()
    with stop_by_signal() as stop, Wiring(settings, SystemClock(), observer) as wiring:
        return serve(wiring, observer, stop)


def serve(wiring: Wiring, observer: Observer, stop: Stop) -> Status:
    """Become the active process as soon as possible, and run the daemon until it is asked to stop.

    Ends the whole process when a thread is stuck in a call or a statement that nothing can interrupt: what it
    does is booked, and the next start finds out how it ended.

    Raises:
        ConfigError: nothing is registered, or the mapping does not fit the source.
    """
    if not _becomes_active(wiring, observer, stop):
        return Status.WELL
    observer.event("daemon.started", interval=wiring.settings.sync_interval_seconds)
    stop.tell(wiring.daemon.stop)
    try:
        rested = wiring.daemon.run()
    except LeaseLost as error:
        click.echo(f"gong-connector: {error}", err=True)
        _end_now(Status.FAILED)
    observer.event("daemon.stopped", rested=rested)
    if not rested:
        wiring.lease.release()
        _end_now(Status.WELL)
    return Status.WELL


def _becomes_active(wiring: Wiring, observer: Observer, stop: Stop) -> bool:
    """Wait for what is out of reach, and for the process that is active; return False when asked to stop."""
    said = ""
    while not stop.asked.is_set():
        try:
            wiring.integration_id()
            entities = wiring.mapping.entities
            other = wiring.lease.acquire(serves=True)
            if other is None:
                wiring.recovery.begin(stop.asked.is_set)
        except RetriableError as error:
            with suppress(RetriableError):
                wiring.lease.release()
            if said != str(error):
                observer.event("start.postponed", error=str(error), alarm=True)
            said = str(error)
        else:
            if other is None:
                observer.event("lease.taken", sources=len(entities))
                return True
            if said != other:
                observer.event("daemon.standby", active=other)
            said = other
        stop.asked.wait(AGAIN_SECONDS)
    return False


def _end_now(status: Status) -> None:
    """End without waiting for threads that do not come to rest."""
    logs.flush()
    os._exit(status)
