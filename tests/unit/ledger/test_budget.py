"""A count of calls that everyone on the ledger shares: threads and processes, whatever Gong answers."""

import subprocess
import sys
import time
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import SandboxTransport
from ledger_under_test import LedgerUnderTest
from sqlalchemy import Connection

from connector.errors import BudgetSpent
from connector.gong import AccessKeyAuth, GongClient
from connector.ledger.budget import WINDOW_SECONDS, Budget, Limits, wait_for
from connector.ledger.database import Database
from connector.ledger.pace import DAY
from connector.ledger.records import Priority
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.faults import Fault, FaultKind, FaultPlan
from connector.sandbox.server import running
from connector.sandbox.world import World

LIMITS = Limits(per_second=3, per_day=100)


def other_process(ledger: LedgerUnderTest) -> Database:
    """The ledger as another process opens it."""
    return Database(ledger.database.url.render_as_string(hide_password=False))


def test_never_more_than_three_calls_in_any_second_over_two_processes(ledger: LedgerUnderTest) -> None:
    database = other_process(ledger)
    budgets = [Budget(ledger.database, ledger.clock, LIMITS), Budget(database, ledger.clock, LIMITS)]
    times = []
    for number in range(30):
        budgets[number % 2].acquire(0)
        times.append(ledger.clock.now())
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[3:], strict=False))
    assert times[-1] - times[0] < 12  # and it does not wait longer than it must
    database.close()


def test_a_call_that_took_long_counts_from_its_end(ledger: LedgerUnderTest) -> None:
    """Gong may count a call when it ends: three slow ones must not meet the next in one second."""
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    ends = []
    for _ in range(12):
        booked = budget.acquire(0)
        ledger.clock.advance(0.4)
        ends.append((booked, ledger.clock.now()))
        budget.finished(booked)
    assert all(start - end >= 1.0 for (_, end), (start, _) in zip(ends, ends[3:], strict=False))


def test_the_days_calls_are_never_exceeded_and_come_back_a_day_later(ledger: LedgerUnderTest) -> None:
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    times = []
    for _ in range(250):
        while True:
            try:
                budget.acquire(1)
            except BudgetSpent as spent:
                ledger.clock.advance(spent.until - ledger.clock.now())
            else:
                break
        times.append(ledger.clock.now())
        ledger.clock.advance(7)
    assert all(later - earlier >= DAY for earlier, later in zip(times, times[100:], strict=False))
    assert times[-1] - times[0] < 2 * DAY + 3600
    assert budget.used() <= 100


def test_everyone_obeys_when_gong_says_wait(ledger: LedgerUnderTest) -> None:
    database = other_process(ledger)
    Budget(ledger.database, ledger.clock, LIMITS).throttled(ledger.clock.now() + 5)
    other = Budget(database, ledger.clock, LIMITS)
    other.throttled(ledger.clock.now() + 2)  # a shorter word does not shorten the longer one
    start = ledger.clock.now()
    other.acquire(0)
    assert ledger.clock.now() - start >= 5
    Budget(ledger.database, ledger.clock, LIMITS).throttled(ledger.clock.now() + 3600)
    with pytest.raises(BudgetSpent) as caught:
        other.acquire(0)
    assert caught.value.until == pytest.approx(ledger.clock.now() + 3600)
    database.close()


def test_a_clock_set_back_stops_calls_for_no_longer_than_a_window(ledger: LedgerUnderTest) -> None:
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    for _ in range(3):
        budget.acquire(0)
    ledger.clock.advance(-50_000)
    start = ledger.clock.now()
    budget.acquire(0)
    assert ledger.clock.now() - start < 2


RETRY_AFTER: dict[str, tuple[str | None, float]] = {
    "seconds": ("5", 5),
    "a date": ("in 7 seconds", 7),
    "junk": ("soon", 2),
    "nothing": (None, 2),
    "negative": ("-3", 1),
    "a date gone by": ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
    "over an hour": ("7200", 7200),
}


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_everyone_waits_as_long_as_gong_says_in_whatever_form(
    ledger: LedgerUnderTest, header: str | None, seconds: float
) -> None:
    clock, faults = ledger.clock, FaultPlan()
    if header == "in 7 seconds":
        header = format_datetime(datetime.fromtimestamp(clock.now() + 7, UTC), usegmt=True)
    world = World(now=clock.now)
    transport = SandboxTransport(SandboxApi(world, Credentials("key", "secret"), faults))
    databases = [ledger.database, other_process(ledger)]
    clients = [
        GongClient(
            AccessKeyAuth("http://localhost", "key", "secret"),
            Budget(database, clock, LIMITS),
            clock,
            transport=transport,
        )
        for database in databases
    ]
    faults.add(Fault(kind=FaultKind.THROTTLE, retry_after=header))
    assert clients[0].status(1, "any").until == pytest.approx(clock.now() + seconds, abs=1)
    start = clock.now()
    for client in reversed(clients):
        if seconds > 60:
            with pytest.raises(BudgetSpent) as caught:
                client.integrations()
            assert caught.value.until == pytest.approx(start + seconds)
            assert "Gong asked for a pause" in str(caught.value)
            standing = Budget(databases[1], clock, LIMITS).standing()
            assert standing.paused
            assert standing.free_at == pytest.approx(start + seconds)
        else:
            client.integrations()
            assert clock.now() >= start + seconds - 1e-3
            assert clock.now() < start + seconds + 2 * WINDOW_SECONDS
    databases[1].close()
    world.close()


def test_who_is_less_urgent_leaves_one_call_of_each_second(ledger: LedgerUnderTest) -> None:
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    for _ in range(2):
        budget.acquire(Priority.RECONCILE)
    start = ledger.clock.now()
    budget.acquire(Priority.INCREMENTAL)
    assert ledger.clock.now() == start
    budget.acquire(Priority.BACKFILL)
    assert ledger.clock.now() > start + 1


def work(ledger: LedgerUnderTest, budget: Budget, hours: int) -> None:
    """Make 30 calls an hour for changes; none of them is refused."""
    for _ in range(30 * hours):
        budget.acquire(Priority.INCREMENTAL)
        ledger.clock.advance(119)


def test_of_the_day_less_urgent_calls_leave_what_changes_will_need(ledger: LedgerUnderTest) -> None:
    """At 30 calls an hour for changes, 720 of the day's 1,000 are theirs, and 280 for history."""
    budget = Budget(ledger.database, ledger.clock, Limits(per_second=3, per_day=1000))
    work(ledger, budget, hours=3)
    for _ in range(230):
        budget.acquire(Priority.BACKFILL)
    with pytest.raises(BudgetSpent) as caught:
        deque((budget.acquire(Priority.BACKFILL) for _ in range(60)), maxlen=0)
    assert 0 < caught.value.until - ledger.clock.now() <= 900
    assert "kept for changes" in str(caught.value)
    with pytest.raises(BudgetSpent):
        budget.acquire(Priority.RECONCILE)
    work(ledger, budget, hours=22)


def test_a_busy_day_still_has_calls_for_comparisons(ledger: LedgerUnderTest) -> None:
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    for _ in range(8):
        budget.acquire(Priority.INCREMENTAL)
    budget.acquire(Priority.RECONCILE)
    with pytest.raises(BudgetSpent):
        budget.acquire(Priority.RECONCILE)


WORKER = """
import sys, threading
from connector.clock import SystemClock
from connector.gong import AccessKeyAuth, GongClient
from connector.ledger.budget import Budget, Limits
from connector.ledger.database import Database
clock = SystemClock()
budget = Budget(Database(sys.argv[2]), clock, Limits(3, 100))
client = GongClient(AccessKeyAuth(sys.argv[1], "key", "secret"), budget, clock)
def work():
    for _ in range(3):
        client.integrations(priority=1)
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_and_processes_together_stay_below_what_gong_counts_in_a_second(ledger: LedgerUnderTest) -> None:
    world = World(now=time.time)
    with running(SandboxApi(world, Credentials("key", "secret"), FaultPlan())) as url:
        ledger_url = ledger.database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-c", WORKER, url, ledger_url]
        processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=120)[1] for process in processes]
    assert said == ["", ""]
    assert len(world.calls()) == 12
    assert world.calls_over_limit() == []
    world.close()


def test_a_call_that_waits_for_the_ledger_is_booked_when_it_gets_it(ledger: LedgerUnderTest) -> None:
    """Others make calls while the ledger is locked: a time from before would put this call before theirs."""
    budget = Budget(ledger.database, ledger.clock, LIMITS)
    locked = budget._locked

    def waited(connection: Connection) -> Any:
        ledger.clock.advance(5)
        return locked(connection)

    with mock.patch.object(budget, "_locked", waited):
        booked = budget.acquire(Priority.INCREMENTAL)
    assert booked == ledger.clock.now()


@given(
    st.lists(st.floats(0, 50), max_size=6).map(sorted),
    st.floats(50, 60),
    st.floats(0, 60),
    st.integers(1, 4),
)
def test_after_the_wait_the_window_has_room(recent: list[float], now: float, blocked: float, per_second: int) -> None:
    wait = wait_for(now, recent, blocked, Limits(per_second, 100))
    then = now + wait
    assert wait >= 0
    assert then >= blocked - 1e-6
    assert len([stamp for stamp in recent if stamp > then - WINDOW_SECONDS + 1e-6]) < per_second
