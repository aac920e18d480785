"""`run`: the daemon's process: start, standby, signals, and the end."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

import click

from connector import logs
from connector.cli.exits import Status
from connector.cli.page import page
from connector.cli.parts import log_format_of_a_service
from connector.clock import SystemClock
from connector.engine.daemon_parts import make_daemon
from connector.engine.observe import Observer
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError, LeaseLost, RetriableError
from connector.settings import load_settings

AGAIN_SECONDS: Final = 5.0
"""Between two tries to start, or to take over from the process that is active."""
END_SECONDS: Final = 9.0
"""After which a daemon that was asked to end does so, whatever it waits for: a second more than its threads have."""
_NO_SIGNAL: Final = b"\0"


class Stop:
    """The wish to end; can be waited for."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.reread = threading.Event()
        """The wish (SIGHUP) that the mapping file be read again; whoever fulfils it clears it."""
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
    """Give a Stop that SIGTERM and SIGINT ask. SIGHUP asks for the mapping file to be read again; for the end where it
    says that the terminal is gone.

    Python's handlers run in the midst of whatever the main thread does, waiting for the same Stop included, whose lock
    they would then wait for in vain; and not at all while it waits outside Python, for a lock of the ledger's, say. So
    the number is taken from a pipe that the system's own handler writes to, by a thread that passes it on.
    """
    stop = Stop()
    coming, going = os.pipe()
    os.set_blocking(going, False)
    interactive = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()
    earlier = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    wakeup = signal.set_wakeup_fd(going, warn_on_full_buffer=False)

    def pass_on() -> None:
        while (number := os.read(coming, 1)) != _NO_SIGNAL:
            if number[0] == signal.SIGHUP and (not interactive or _has_terminal()):
                stop.reread.set()
            elif number[0] in earlier:
                stop.ask()

    listener = threading.Thread(target=pass_on, name="signals", daemon=True)
    listener.start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in earlier.items():
            signal.signal(number, handler)
        os.write(going, _NO_SIGNAL)
        listener.join()
        os.close(coming)
        os.close(going)


def _has_terminal() -> bool:
    """Tell whether there is a terminal to which this process belongs: one that was closed is gone."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Is there so that the signal does nothing of its own."""


@contextmanager
def in_time(stop: Stop, observer: Observer) -> Iterator[None]:
    """End the whole process when what is inside does not end soon after it was asked to: it waits for something that
    nothing can interrupt, a locked ledger or a source that does not answer. The lease then runs out by itself.
    """
    over = threading.Event()

    def watch() -> None:
        stop.asked.wait()
        if not over.wait(END_SECONDS):
            observer.event("daemon.stopped", rested=False)
            _end_now(Status.WELL)

    watcher = threading.Thread(target=watch, name="end", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        stop.asked.set()  # if nobody asked, there is nothing to watch any more
        watcher.join()


def run() -> Status:
    """Keep syncing until a signal ends it."""
    settings = load_settings()
    logs.configure(log_format_of_a_service(settings), settings.log_level, logs.new_run())
    logs.guard_threads()
    clock, observer = SystemClock(), logs.LogObserver()
    with (
        stop_by_signal() as stop,
        in_time(stop, observer),
        page(settings, clock, observer) as shown,
        Wiring(settings, clock, shown) as wiring,
    ):
        return serve(wiring, shown, stop, shown.postpone)


def serve(
    wiring: Wiring, observer: Observer, stop: Stop, postpone: Callable[[str | None], None] = lambda _words: None
) -> Status:
    """Become the active process as soon as possible, and run the daemon until it is asked to stop. `postpone` is told
    why it is not active yet, and None once it is or stands by.

    Ends the whole process when a thread is stuck in a call or a statement that nothing can interrupt: what it
    does is booked, and the next start finds out how it ended.

    Raises:
        ConfigError: nothing is registered, or the mapping does not fit the source.
    """
    if not _becomes_active(wiring, observer, stop, postpone):
        return Status.WELL
    observer.event("daemon.started", interval=wiring.settings.sync_interval_seconds)
    daemon = make_daemon(wiring)
    daemon.remapping.asked = stop.reread
    stop.tell(daemon.stop)
    try:
        rested = daemon.run()
    except LeaseLost as error:
        click.echo(f"gong-connector: {error}", err=True)
        _end_now(Status.FAILED)
    observer.event("daemon.stopped", rested=rested)
    if not rested:
        wiring.lease.release()
        _end_now(Status.WELL)
    return Status.WELL


def _becomes_active(wiring: Wiring, observer: Observer, stop: Stop, postpone: Callable[[str | None], None]) -> bool:
    """Wait for what is out of reach, and for the process that is active; return False when asked to stop."""
    said = ""
    while not stop.asked.is_set():
        if stop.reread.is_set():
            _reread(wiring, observer, stop)
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
            postpone(said)
        else:
            postpone(None)
            if other is None:
                observer.event("lease.taken", sources=len(entities))
                return True
            if said != other:
                observer.event("daemon.standby", active=other)
            said = other
        stop.asked.wait(AGAIN_SECONDS)
    return False


def _reread(wiring: Wiring, observer: Observer, stop: Stop) -> None:
    """Take up the mapping file, if it is right, before this process is active."""
    stop.reread.clear()
    try:
        taken = wiring.remap()
    except ConnectorError as error:
        observer.event("mapping.refused", error="; ".join(str(error).splitlines()), alarm=True)
        if isinstance(error, RetriableError):
            stop.reread.set()
    else:
        observer.event("mapping.taken" if taken else "mapping.unchanged")


def _end_now(status: Status) -> None:
    """End without waiting for threads that do not come to rest."""
    logs.flush()
    os._exit(status)
