"""Signals to the daemon's process: each is heard, whatever the main thread is doing just then."""

import signal
from collections.abc import Iterator

import pytest

from connector.cli import daemon
from connector.cli.daemon import stop_by_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_the_wish_is_being_looked_at_is_heard_all_the_same(number: signal.Signals) -> None:
    """The handler runs within the main thread, which may hold what the handler would wait for."""
    earlier = signal.getsignal(number)
    with stop_by_signal() as stop:
        with stop.asked._cond:  # as within stop.asked.wait()
            signal.raise_signal(number)
        assert stop.asked.wait(60)
    assert signal.getsignal(number) is earlier


@pytest.mark.parametrize(
    ("terminal", "ends"),
    [((False, False), False), ((True, True), False), ((True, False), True)],
    ids=["a service", "kill -HUP in a terminal", "the terminal was closed"],
)
def test_a_hangup_asks_for_the_mapping_unless_it_is_one(
    monkeypatch: pytest.MonkeyPatch, terminal: tuple[bool, bool], ends: bool
) -> None:
    there: Iterator[bool] = iter(terminal)
    monkeypatch.setattr(daemon, "_has_terminal", lambda: next(there))
    earlier = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may have been started by nohup
    try:
        with stop_by_signal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert (stop.asked if ends else stop.reread).wait(60)
            assert stop.asked.is_set() is ends
            assert stop.reread.is_set() is not ends
    finally:
        signal.signal(signal.SIGHUP, earlier)
