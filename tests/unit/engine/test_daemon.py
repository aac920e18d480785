"""The daemon's end: whatever stands in its threads' queues, none of them keeps the process from ending."""

import threading
from types import SimpleNamespace
from typing import Any

from connector.clock import SystemClock
from connector.engine.comparisons import Every
from connector.engine.daemon import Daemon
from connector.engine.observe import Silent

PATIENCE_SECONDS = 60
ROUNDS = 7


class _CountingClock(SystemClock):
    """Lets a test wait until it was asked for the time so often."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)

    def monotonic(self) -> float:
        self.asked.release()
        return super().monotonic()


def test_rounds_that_still_wait_for_their_turn_do_not_keep_the_process_from_ending() -> None:
    """While the upkeep takes long, the next pass is due and waits for the same thread; the end comes just then."""
    ticked, stopped, clock = threading.Semaphore(0), threading.Event(), _CountingClock()
    done: list[str] = []

    def tidy() -> None:
        assert stopped.wait(PATIENCE_SECONDS)
        for _ in range(1 + ROUNDS):  # all other rounds were found at rest, and this one is waited for
            assert clock.asked.acquire(timeout=PATIENCE_SECONDS)
        done.append("upkeep")

    rounds: Any = SimpleNamespace(
        mapping=SimpleNamespace(entities=()),
        reader=SimpleNamespace(stop=stopped.set),
        courier=SimpleNamespace(tidy=tidy),
        tend=lambda: done.append("a pending object"),
        deliver=ticked.release,
    )
    other: Any = SimpleNamespace(
        renew=lambda: None,
        seconds=90.0,
        prune=lambda _before: 0,
        give_up=lambda: 0,
        begin=lambda: None,
        tick=lambda: False,
        last=None,
        carry_out_last=lambda rested: None,
    )
    before = set(threading.enumerate())
    pacer: Any = SimpleNamespace(due=lambda: True, begin=lambda _sources: None, ahead=lambda: 0.0)
    daemon = Daemon(
        rounds,
        other,
        other,
        other,
        clock,
        pacer,
        other,
        Every(3600.0),
        90,
        Silent(),
        other,
        other,
        other,
        lambda: None,
        lambda: None,
        other,
    )
    ended: list[bool] = []
    main = threading.Thread(target=lambda: ended.append(daemon.run()), daemon=True)
    main.start()
    for _ in range(2):  # the pass is due every second, too
        assert ticked.acquire(timeout=PATIENCE_SECONDS)
    daemon.stop()
    main.join(PATIENCE_SECONDS)
    assert ended == [True]
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), f"{thread.name} waits for ever"
    assert done == ["upkeep"], "no round begins once the end was asked for"
