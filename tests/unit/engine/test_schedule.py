"""Rounds keep their pace, sources their intervals, and nothing waits for a clock that was set."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from company import MAPPING, Company

from connector.clock import SystemClock
from connector.engine import schedule
from connector.engine.observe import Fact
from connector.engine.schedule import Schedule
from connector.ledger.dues import Dues
from connector.ledger.records import NEVER_DUE, BatchState

PATIENCE_SECONDS = 30
HOUR = 3600.0


class SetClock(SystemClock):
    """The host's clock, which somebody sets."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """A clock that APScheduler goes by, too."""
    made = SetClock()

    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(made.now(), tz)

    for module in ("schedulers.base", "executors.base"):
        monkeypatch.setattr(f"apscheduler.{module}.datetime", Now)
    monkeypatch.setattr(schedule, "WATCH_SECONDS", 0.01)
    return made


@pytest.mark.parametrize("jump", [-HOUR, HOUR, 365 * 24 * HOUR], ids=["back", "forward", "a year"])
def test_rounds_go_on_at_their_pace_when_the_clock_is_set(clock: SetClock, jump: float) -> None:
    came, stop, told = threading.Semaphore(0), threading.Event(), list[float]()
    made = Schedule(clock, ["one"], stop, told.append)
    made.add("round", came.release, 0.02, "one")
    running = threading.Thread(target=made.run, daemon=True)
    running.start()
    try:
        for ahead in (0.0, jump):
            clock.ahead = ahead
            for _ in range(5):
                assert came.acquire(timeout=PATIENCE_SECONDS), "no round comes"
        while not told:
            assert came.acquire(timeout=PATIENCE_SECONDS)
    finally:
        stop.set()
        running.join(PATIENCE_SECONDS)
    assert told == [pytest.approx(jump, abs=1)]
    assert made.rest(PATIENCE_SECONDS)


def test_rounds_that_were_missed_come_once() -> None:
    paced, began = schedule._Paced(60.0), datetime(2026, 6, 1, tzinfo=UTC)
    assert paced.get_next_fire_time(began, began + timedelta(seconds=2)) == began + timedelta(seconds=60)
    late = began + timedelta(days=365)
    assert paced.get_next_fire_time(began, late) == late + timedelta(seconds=60)


OWN_INTERVAL = MAPPING.replace("{table: users, key: id,", "{table: users, key: id, interval_seconds: 300,") % ""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, mapping_text=OWN_INTERVAL, sync_interval_seconds=60)
    yield made
    made.close()


def test_what_waits_for_a_time_does_not_wait_longer_when_the_clock_was_set_back_meanwhile(company: Company) -> None:
    company.put("users", id="u", email="u@acme.example")
    company.wiring.pacer.begin(4)
    company.wiring.rounds.read(company.wiring.mapping.entities[0])
    company.wiring.rounds.deliver()
    assert company.wiring.queries.unsettled()[BatchState.ACCEPTED] == 1
    company.world.now = lambda: company.clock.now() + 2 * HOUR  # Gong's clock is right
    company.restart(after=-HOUR)
    company.wiring.observer = Waiting("batch.done")
    daemon, began = company.daemon, company.clock.now()
    running = threading.Thread(target=daemon.run, daemon=True)
    running.start()
    while not company.wiring.observer.came.wait(0.02):
        company.clock.advance(1)
        assert company.clock.now() < began + HOUR, "the file is asked about when it would have been, an hour late"
    daemon.stop()
    running.join(PATIENCE_SECONDS)
    assert company.clock.now() < began + HOUR / 2


class Waiting:
    """Tells when the engine has said something."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.came = threading.Event()

    def event(self, name: str, **_facts: Fact) -> None:
        if name == self._name:
            self.came.set()


def test_all_times_to_come_are_brought_forward_but_those_that_are_never(company: Company) -> None:
    company.put("accounts", id=1, name="A")
    company.sync()
    wiring, now = company.wiring, company.clock.now()
    with wiring.database.writing("test") as connection:
        connection.exec_driver_sql(
            f"INSERT INTO objects (object_id, type, source, tries, pending, pending_since, pending_due) VALUES"
            f" ('2', 'ACCOUNT', 0, 0, 'retry', 0, {now + HOUR}), ('3', 'ACCOUNT', 0, 0, 'history', 0, {NEVER_DUE})"
        )
    wiring.budget.throttled(now + HOUR)
    Dues(wiring.database, company.clock).set_back(HOUR)
    assert wiring.store.next_due() == now
    assert wiring.budget.standing().free_at is None
    with wiring.database.reading() as connection:
        never = "SELECT pending_due FROM objects WHERE pending = 'history'"
        assert connection.exec_driver_sql(never).scalar_one() == NEVER_DUE


def read(company: Company, seconds: float) -> list[str]:
    """Let so many seconds pass, and return what the daemon's next pass has read."""
    company.clock.advance(seconds)
    before = len(company.notes.events)
    company.daemon.passes()
    return [str(facts["entity"]) for name, facts in company.notes.events[before:] if name == "pass.started"]


def test_a_source_with_an_interval_of_its_own_is_read_when_that_has_gone_by(company: Company) -> None:
    assert "BUSINESS_USER" in read(company, 0)
    rarely = [number for number in range(1, 21) if "BUSINESS_USER" in read(company, 60)]
    assert rarely == [5, 10, 15, 20]
    company.restart()
    assert "BUSINESS_USER" in read(company, 0), "a daemon begins with all of them"


def test_a_source_that_could_not_be_read_is_tried_in_each_pass(company: Company) -> None:
    read(company, 0)
    company.crm.execute("ALTER TABLE users RENAME TO away")
    read(company, 300)
    company.crm.execute("ALTER TABLE away RENAME TO users")
    assert "BUSINESS_USER" in read(company, 60)
    assert "BUSINESS_USER" not in read(company, 60)
