"""The end of the daemon's process when a thread is stuck."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

import connector.cli.daemon
from connector.cli.daemon import Stop, serve
from connector.engine.observe import Silent


class _Ended(BaseException):
    """Stands for the end of the process."""


def test_process_ends_well_with_the_lease_given_back_when_a_thread_does_not_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[object] = []

    def end(status: int) -> None:
        happened.append(status)
        raise _Ended

    monkeypatch.setattr(os, "_exit", end)
    stop = Stop()
    wiring: Any = SimpleNamespace(
        integration_id=lambda: 1,
        mapping=SimpleNamespace(entities=()),
        lease=SimpleNamespace(acquire=lambda serves: None, release=lambda: happened.append("released")),
        settings=SimpleNamespace(sync_interval_seconds=120),
        recovery=SimpleNamespace(begin=lambda _stopped: None),
    )
    daemon = SimpleNamespace(
        stop=lambda: happened.append("told"), run=lambda: stop.ask() or False, remapping=SimpleNamespace()
    )
    monkeypatch.setattr(connector.cli.daemon, "make_daemon", lambda _wiring: daemon)
    with pytest.raises(_Ended):
        serve(wiring, Silent(), stop)
    assert happened == ["told", "released", 0]
