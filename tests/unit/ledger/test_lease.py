"""One active process at a time."""

import threading
import time

import pytest
from ledger_under_test import LedgerUnderTest
from sqlalchemy import Connection, text

from connector.clock import SystemClock
from connector.errors import LeaseLost, LedgerUnavailable
from connector.ledger.budget import Limits
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.queries import Active
from connector.ledger.store import Store

LIMITS = Limits(per_second=3, per_day=100)


def other_process(ledger: LedgerUnderTest) -> tuple[Database, Lease, Store]:
    """Another process on the same ledger."""
    database = Database(ledger.database.url.render_as_string(hide_password=False))
    return database, Lease(database, ledger.clock, "other"), Store(database, ledger.clock)


def test_a_second_process_stands_by_until_the_lease_runs_out(ledger: LedgerUnderTest) -> None:
    database, lease, _ = other_process(ledger)
    assert lease.acquire() == "test"
    ledger.clock.advance(60)
    ledger.lease.renew()
    ledger.clock.advance(60)
    assert lease.acquire() == "test"
    ledger.clock.advance(31)
    assert lease.acquire() is None
    database.close()


def test_who_lost_the_lease_can_neither_write_nor_renew_nor_upload(ledger: LedgerUnderTest) -> None:
    database, lease, store = other_process(ledger)
    ledger.clock.advance(1000)
    assert lease.acquire() is None
    for forbidden in (
        lambda: ledger.store.set_meta("key", "stale"),
        ledger.lease.renew,
        ledger.lease.keep,
    ):
        with pytest.raises(LeaseLost):
            forbidden()
    store.set_meta("key", "new")
    ledger.lease.release()  # of a lease that is another's by now: nothing happens
    lease.renew()
    assert store.meta("key") == "new"
    database.close()


class _Fast(SystemClock):
    """A host's clock that is an hour ahead."""

    def now(self) -> float:
        return super().now() + 3600


def test_hosts_whose_clocks_differ_agree_on_when_the_lease_runs_out(ledger: LedgerUnderTest) -> None:
    ledger.lease.release()
    leases = [Lease(ledger.database, clock(), clock.__name__) for clock in (_Fast, SystemClock)]
    for mine, other in (leases, leases[::-1]):
        assert mine.acquire() is None
        assert other.acquire() is not None
        assert abs(mine.now() - time.time()) < 60
        mine.release()


def test_a_clock_set_back_does_not_keep_the_lease_of_a_process_that_died(ledger: LedgerUnderTest) -> None:
    database, lease, _ = other_process(ledger)
    ledger.clock.advance(-50_000)
    assert lease.acquire() is None
    with pytest.raises(LeaseLost):
        ledger.lease.renew()
    database.close()


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time by itself
def test_two_threads_that_write_in_different_orders_do_not_lock_each_other_out(ledger: LedgerUnderTest) -> None:
    """The reading and the delivering thread meet at the same rows: PostgreSQL would end one of them as a deadlock."""
    ledger.store.set_meta("a", "0")
    ledger.store.set_meta("b", "0")
    database = ledger.database
    began, errors = threading.Event(), list[Exception]()

    def touch(connection: Connection, key: str) -> None:
        connection.execute(text("UPDATE meta SET value = value || '+' WHERE key = :key"), {"key": key})

    def backwards() -> None:
        try:
            with database.writing("test") as connection:
                touch(connection, "b")
                began.set()
                touch(connection, "a")
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=backwards)
    with database.writing("test") as connection:
        touch(connection, "a")
        thread.start()
        until = time.monotonic() + 30
        while not began.wait(0.02) and not _waits_for_a_lock(database):
            assert time.monotonic() < until
        touch(connection, "b")
    thread.join(30)
    assert errors == []
    assert (ledger.store.meta("a"), ledger.store.meta("b")) == ("0++", "0++")


def _waits_for_a_lock(database: Database) -> bool:
    with database.reading() as connection:
        statement = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.exec_driver_sql(statement).scalar_one())


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_process_that_stops_in_mid_transaction_does_not_keep_the_next_from_taking_over(
    ledger: LedgerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its host is cut off: the server does not notice for hours, and the lease's row stays locked."""
    monkeypatch.setattr("connector.ledger.database.IDLE_SECONDS", 1)
    ledger.database.close()  # connections of before
    database, lease, _ = other_process(ledger)

    def write() -> None:
        with ledger.database.writing("test") as connection:
            connection.execute(text("INSERT INTO meta (key, value) VALUES ('stale', 'yes')"))
            ledger.clock.advance(91)
            assert lease.acquire() is None

    with pytest.raises(LedgerUnavailable):
        write()
    assert ledger.store.meta("stale") is None
    database.close()


def test_long_work_keeps_the_lease_without_writing_at_each_step(ledger: LedgerUnderTest) -> None:
    database, lease, _ = other_process(ledger)
    for _ in range(100):
        ledger.clock.advance(10)
        ledger.lease.keep()
    assert lease.acquire() == "test"
    database.close()


def test_a_released_lease_is_free_at_once(ledger: LedgerUnderTest) -> None:
    assert ledger.queries.active(ledger.clock.now()) == Active("test", serves=False)
    ledger.lease.release()
    assert ledger.queries.active(ledger.clock.now()) is None
    with pytest.raises(LeaseLost):
        ledger.store.set_meta("key", "value")
    database, lease, _ = other_process(ledger)
    assert lease.acquire() is None
    database.close()
