"""The daemon's rounds: how failures and the upkeep are told of, and that none keeps the process from ending."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from connector.clock import SystemClock
from connector.engine.comparisons import Every
from connector.engine.daemon import Daemon
from connector.engine.observe import Silent
from connector.errors import LedgerUnavailable
from tests.unit.engine.company import Company

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


def test_a_round_that_fails_each_second_is_told_of_once_a_minute_with_a_count(tmp_path: Path) -> None:
    company = Company(tmp_path)
    daemon, notes = company.daemon, company.notes

    def fails() -> None:
        raise LedgerUnavailable("the ledger refuses connections")

    for _ in range(150):
        for name in ("tend", "deliver"):
            daemon.round(name, fails)
        company.clock.advance(1)
    told = [(facts["round"], facts["times"]) for facts in notes.named("round.failed")]
    assert told == [(name, times) for times in (1, 60, 60) for name in ("tend", "deliver")]
    assert notes.named("round.failed")[0]["error"] == "the ledger refuses connections"
    company.close()


def test_a_pass_that_fails_is_told_of_with_its_id_and_type(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.put("deals", id=1, name="Paper", account=1)
    company.sync()
    company.crm.executescript(
        "ALTER TABLE deals RENAME TO stored; CREATE VIEW deals AS"
        " SELECT id, json_extract(name || '{', '$.x') AS name, account, amount, updated FROM stored"
    )
    company.clock.advance(200)
    company.daemon.passes()
    (failed,) = company.notes.named("pass.failed")
    assert (failed["entity"], failed["type"]) == ("DEAL", "DEAL")
    assert failed["pass_id"] == company.notes.named("pass.started")[-1]["pass_id"]
    company.crm.execute("DROP VIEW deals")
    company.clock.advance(200)
    company.daemon.passes()
    assert "pass_id" not in company.notes.named("pass.failed")[-1], "none began"
    company.close()


def test_the_upkeep_says_what_it_forgot(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.put("users", id="u1", email="ann@acme.example")
    company.sync()
    (company.settings.spool_dir / "left.jsonl.part").write_bytes(b"{")
    company.clock.advance(91 * 86_400)
    company.daemon.upkeep()
    (ended,) = company.notes.named("upkeep.ended")
    assert ended == {"batches": 1, "requests": 0, "spool_files": 1}
    company.close()
