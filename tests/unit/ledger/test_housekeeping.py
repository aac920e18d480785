"""What a ledger forgets, and what it must not: it stays small, and says the same."""

from ledger_under_test import LedgerUnderTest

from connector.clock import FakeClock
from connector.ledger.census import Census
from connector.ledger.records import BatchState, NewBatch, PassKind, Send
from connector.ledger.watch import Watch
from connector.model import Bound
from connector.object_types import ObjectType

A, B = b"a" * 16, b"b" * 16
DAY = 86_400.0
DEAL = ObjectType.DEAL


def passes(ledger: LedgerUnderTest) -> dict[int, str]:
    with ledger.database.reading() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql("SELECT id, name FROM passes ORDER BY id")}


def read(ledger: LedgerUnderTest, name: str, *, kind: PassKind = PassKind.INCREMENTAL) -> int:
    """Book a pass from start to end."""
    found = ledger.store.begin_pass(name, kind, "print", None)
    ledger.store.finish_again(found)
    return found


def test_passes_are_forgotten_after_a_week_but_for_the_last_of_each_source(ledger: LedgerUnderTest) -> None:
    read(ledger, "DEAL")
    rarely = read(ledger, "LEAD")
    under_way = ledger.store.begin_pass("CONTACT", PassKind.LOAD, "print", Bound("bound", 0.0, 0.0))
    read(ledger, "DEAL", kind=PassKind.AGAIN)
    ledger.clock.advance(8 * DAY)
    last = read(ledger, "DEAL")
    ledger.store.prune(0.0)
    assert passes(ledger) == {rarely: "LEAD", under_way: "CONTACT", last: "DEAL"}
    assert {one.name for one in ledger.queries.last_passes()} == {"LEAD", "CONTACT", "DEAL"}


def test_since_when_a_source_cannot_be_read_is_known_for_longer_than_its_passes_are_kept(
    ledger: LedgerUnderTest,
) -> None:
    read(ledger, "DEAL")
    ledger.clock.advance(100)
    began = ledger.clock.now()
    for _ in range(20):
        ledger.store.fail_start("DEAL", PassKind.INCREMENTAL, "no route")
        ledger.clock.advance(DAY)
        ledger.store.prune(0.0)
    assert Watch(ledger.database).failing() == {"DEAL": began}
    assert len(passes(ledger)) < 10


def test_calls_are_forgotten_when_neither_the_budget_nor_the_charts_ask_for_them(ledger: LedgerUnderTest) -> None:
    minute = int(ledger.clock.now() // 60)
    with ledger.database.writing("test") as connection:
        for age in (0, 2 * 1440, 4 * 1440):
            connection.exec_driver_sql(f"INSERT INTO calls (minute, priority, count) VALUES ({minute - age}, 1, 1)")
    ledger.store.prune(0.0)
    with ledger.database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT minute FROM calls ORDER BY minute DESC").scalars().all()
    assert kept == [minute, minute - 2 * 1440]


def test_the_census_counts_what_gong_has_been_told_and_not_what_is_on_its_way(ledger: LedgerUnderTest) -> None:
    def told() -> int:
        return Census(ledger.database, ledger.clock).told()[DEAL]

    ledger.settle(ledger.send(("1", A), ("2", A), ("3", A)))
    assert told() == 3
    changed = ledger.send(("2", B), ("4", A))
    assert told() == 3, "2 is there in its older version, 4 is not there yet"
    (deals,) = ledger.queries.types({DEAL: 3} | dict.fromkeys(set(ObjectType) - {DEAL}, 0))
    assert (deals.objects, deals.in_flight) == (3, 2)
    ledger.settle(changed)
    assert told() == 4
    ledger.store.prune(ledger.clock.now() + 1)
    assert told() == 4, "a file that is forgotten was settled"
    ledger.book(
        DEAL,
        batch=NewBatch(PassKind.INCREMENTAL, "gone", "gone", 1, 1, "aa"),
        sends=[Send("1", B, True, 9, 1, None, None)],
    )
    ledger.settle(ledger.store.batches((BatchState.SPOOLED,))[0])
    assert told() == 3


class Slow(FakeClock):
    """Each look at it takes half a second."""

    def monotonic(self) -> float:
        self.advance(0.5)
        return super().monotonic()


def test_a_count_that_takes_long_is_good_for_a_hundred_times_as_long(ledger: LedgerUnderTest) -> None:
    clock = Slow(0.0)
    census = Census(ledger.database, clock)
    assert census.told()[DEAL] == 0
    ledger.settle(ledger.send(("1", A)))
    assert census.told()[DEAL] == 0
    clock.advance(50)
    assert census.told()[DEAL] == 1
