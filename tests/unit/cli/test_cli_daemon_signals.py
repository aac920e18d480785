"""Signals to the daemon's process: each is heard, whatever the main thread is doing just then."""

import signal

import pytest

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
