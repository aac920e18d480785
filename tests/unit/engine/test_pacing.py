"""When passes come: as set, or later, so that the day's calls last."""

from pathlib import Path

import pytest
from company import Company
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.pacing import Pacer, stretch
from connector.ledger.budget import DAY, Budget, Limits, Standing
from connector.ledger.records import Priority


def standing(used: int, per_second: float) -> Standing:
    return Standing(used, 9000, 0, per_second, None, paused=False)


@given(st.integers(0, 9000), st.integers(0, 100), st.floats(0, 0.2), st.floats(10, 3600))
def test_passes_come_as_set_or_as_rarely_as_their_calls_are_worth(
    used: int, calls: int, per_second: float, interval: float
) -> None:
    found = stretch(interval, calls, standing(used, per_second))
    assert interval <= found <= max(DAY, interval)
    if not calls or used < 2250:
        assert found == interval, "what costs nothing waits for nothing, and a burst after quiet hours is free"
    elif interval < found < DAY:
        assert calls == pytest.approx(found * per_second)


class Paced:
    """A company whose passes are paced, and the calls that they cost."""

    def __init__(self, directory: Path, per_day: int) -> None:
        self.company = Company(directory, calls_per_day=per_day, sync_interval_seconds=60)
        self.clock = self.company.clock
        self.pacer = self.new()

    def new(self) -> Pacer:
        """Another process's."""
        wiring = self.company.wiring
        return Pacer(
            Budget(wiring.database, self.clock, Limits(3, wiring.settings.calls_per_day)), wiring.store, self.clock, 60
        )

    def make(self, calls: int) -> None:
        for _ in range(calls):
            self.company.wiring.budget.acquire(Priority.INCREMENTAL)


@pytest.fixture
def paced(tmp_path: Path) -> Paced:
    return Paced(tmp_path, per_day=1000)


def test_a_pass_comes_at_the_set_interval_while_the_day_is_young(paced: Paced) -> None:
    assert paced.pacer.due()
    for _ in range(5):
        paced.pacer.begin(6)
        paced.make(12)
        assert not paced.pacer.due()
        paced.clock.advance(60)
        assert paced.pacer.due()


def test_a_pass_comes_a_little_early_by_chance_and_everybody_knows_when(paced: Paced) -> None:
    breaks = []
    for _ in range(20):
        paced.pacer.begin(6)
        plan = paced.pacer.plan()
        assert paced.new().plan().next_at == plan.next_at
        breaks.append(plan.next_at - paced.clock.now())
        paced.clock.advance(breaks[-1] - 0.1)
        assert not paced.pacer.due()
        paced.clock.advance(0.2)
        assert paced.pacer.due()
    assert all(57 <= one <= 60 for one in breaks)
    assert len(set(breaks)) == len(breaks)


def test_later_it_comes_when_its_calls_are_earned_and_a_restart_does_not_change_that(paced: Paced) -> None:
    paced.make(500)
    paced.clock.advance(3600)
    paced.pacer.begin(6)
    paced.make(12)
    plan = paced.pacer.plan()
    assert plan.stretched
    # 488 calls are left for the 23 hours until those of the first hour come back.
    assert plan.interval == pytest.approx(12 * 23 * 3600 / 488, rel=0.05)
    paced.clock.advance(plan.interval * 0.9)
    assert not paced.pacer.due()
    assert not paced.new().due()
    paced.clock.advance(plan.interval * 0.1)
    assert paced.pacer.due()
    paced.pacer.begin(6)
    paced.clock.advance(60)
    assert paced.pacer.due(), "a pass that sent nothing is followed by the next as soon as it is set to"


def test_what_a_first_load_costs_is_no_measure_for_the_next_pass(paced: Paced) -> None:
    paced.pacer.begin(6)
    paced.make(500)
    assert paced.pacer.plan().calls == 500
    assert paced.pacer.plan().interval < 24 / 500 * DAY * 1.1


def test_no_pass_comes_while_no_call_may_be_made(paced: Paced) -> None:
    paced.company.wiring.budget.throttled(paced.clock.now() + 7200)
    assert not paced.pacer.due()
    plan = paced.pacer.plan()
    assert plan.standing.paused
    assert plan.next_at == plan.standing.free_at == pytest.approx(paced.clock.now() + 7200)
    paced.clock.advance(7201)
    paced.make(1000 - plan.standing.used)
    plan = paced.pacer.plan()
    assert not plan.standing.paused
    assert plan.standing.free_at is not None
    assert not paced.pacer.due()
    paced.clock.advance(plan.standing.free_at - paced.clock.now())
    assert paced.pacer.due()
