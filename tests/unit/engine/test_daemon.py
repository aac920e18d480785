"""The daemon's end: whatever stands in its threads' queues, none of them keeps the process from ending."""

import threading
from types import SimpleNamespace
from typing import Any

from connector.clock import SystemClock
from connector.engine.daemon import Daemon
from connector.engine.observe import Silent

PATIENCE_SECONDS = 60


def test_rounds_that_still_wait_for_their_turn_do_not_keep_the_process_from_ending() -> None:
    """At the start a pass is read while the first upkeep waits for the same thread; the end comes just then."""
    reading, ticked, stopped = threading.Event(), threading.Event(), threading.Event()
    done: list[str] = []

    def read(_entity: object) -> Any:
        reading.set()
        assert stopped.wait(PATIENCE_SECONDS)
        done.append("read")
        return SimpleNamespace(end=None)

    rounds = SimpleNamespace(
        mapping=SimpleNamespace(entities=("the only one",)),
        reader=SimpleNamespace(stop=stopped.set),
        courier=SimpleNamespace(tidy=lambda: done.append("upkeep")),
        read_at=lambda _entity: 0.0,
        read=read,
        tend=lambda: None,
        deliver=ticked.set,  # by then the other rounds of that tick stand in their queues
    )
    nothing: Any = SimpleNamespace(renew=lambda: None, prune=lambda _before: 0)
    made: Any = rounds
    before = set(threading.enumerate())
    daemon = Daemon(made, nothing, nothing, SystemClock(), 3600.0, nothing, 3600.0, 90, Silent())
    ended: list[bool] = []
    main = threading.Thread(target=lambda: ended.append(daemon.run()))
    main.start()
    assert reading.wait(PATIENCE_SECONDS)
    assert ticked.wait(PATIENCE_SECONDS)
    daemon.stop()
    main.join(PATIENCE_SECONDS)
    assert ended == [True]
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), f"{thread.name} waits for ever"
    assert done == ["read"]
