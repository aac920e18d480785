"""What the ledger says of an object after each step of its life."""

import pytest
from ledger_under_test import LedgerUnderTest, failed

from connector.errors import LedgerUnavailable
from connector.ledger.records import (
    BatchState,
    Clear,
    Move,
    NewBatch,
    PassKind,
    Pend,
    Pending,
    Refuse,
    Send,
    Verdict,
)
from connector.model import Position
from connector.object_types import ObjectType

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16


def test_a_line_is_in_flight_until_its_file_is_done(ledger: LedgerUnderTest) -> None:
    batch = ledger.send(("1", A))
    assert (ledger.state("1").in_flight, ledger.state("1").told) == (A, None)
    ledger.settle(batch)
    assert (ledger.state("1").in_flight, ledger.state("1").told) == (None, A)


def test_what_was_told_stays_told_while_the_next_line_travels(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A)))
    ledger.send(("1", B))
    assert (ledger.state("1").in_flight, ledger.state("1").told) == (B, A)


def test_after_a_refusal_gong_still_holds_what_it_was_told_before(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A)))
    batch = ledger.settle(ledger.send(("1", B)), failed((1, "bad")))
    ledger.store.resolve(batch, Verdict(refused=[Refuse("1", b"", "content", "name", "bad", line=1)]))
    state = ledger.state("1")
    assert (state.told, state.refused, state.in_flight, state.pending) == (A, B, None, None)
    [failure] = ledger.queries.failures()
    assert (failure.object_id, failure.origin, failure.field, failure.reason, failure.line) == (
        "1", "gong", "name", "bad", 1,
    )  # fmt: skip
    assert failure.request_id == batch.request_id


def test_lines_of_unknown_fate_go_again_and_nothing_is_taken_for_told(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A), ("2", A)))
    batch = ledger.settle(ledger.send(("1", B), ("2", B)), failed((2, "bad")))
    now = ledger.clock.now()
    ledger.store.resolve(batch, Verdict([Refuse("2", b"", "content", "", "bad", line=2)], rest=Pending.RESEND, due=now))
    state = ledger.state("1")
    assert (state.told, state.pending, state.in_flight) == (None, Pending.RESEND, None)
    assert [due.object_id for due in ledger.store.due(ObjectType.DEAL, 10)] == ["1"]
    assert ledger.state("2").told == A


def test_the_doubt_ends_when_a_later_line_is_taken(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A)))
    batch = ledger.settle(ledger.send(("1", B)), failed((0, "busy")))
    ledger.store.resolve(batch, Verdict(rest=Pending.GENERAL, due=ledger.clock.now()))
    ledger.settle(ledger.send(("1", C)))
    assert ledger.state("1").told == C
    ledger.send(("1", A))
    assert ledger.state("1").told == C


def test_the_doubt_survives_a_refusal_of_a_later_line(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A)))
    batch = ledger.settle(ledger.send(("1", B)), failed((0, "busy")))
    ledger.store.resolve(batch, Verdict(rest=Pending.GENERAL, due=ledger.clock.now()))
    batch = ledger.settle(ledger.send(("1", C)), failed((1, "bad")))
    ledger.store.resolve(batch, Verdict([Refuse("1", b"", "content", "", "bad", line=1)]))
    assert ledger.state("1").told is None  # Gong may hold A or B


def test_tries_grow_with_each_general_failure_and_end_with_a_success(ledger: LedgerUnderTest) -> None:
    for tries in (1, 2):
        batch = ledger.settle(ledger.send(("1", A)), failed((0, "busy")))
        ledger.store.resolve(batch, Verdict(rest=Pending.GENERAL, due=ledger.clock.now()))
        assert ledger.state("1").tries == tries
    ledger.settle(ledger.send(("1", A)))
    assert ledger.state("1").tries == 0


def test_a_change_that_waited_for_its_own_line_is_due_when_that_is_done(ledger: LedgerUnderTest) -> None:
    batch = ledger.send(("1", A), ("2", A))
    ledger.pend(Pend("1", Pending.IN_FLIGHT, ledger.clock.now() + 60, 0, None))
    assert ledger.store.due(ObjectType.DEAL, 10) == []
    ledger.settle(batch)
    assert [due.object_id for due in ledger.store.due(ObjectType.DEAL, 10)] == ["1"]


def test_lines_are_due_when_their_account_is_done_or_a_while_later_when_it_is_new(ledger: LedgerUnderTest) -> None:
    now = ledger.clock.now()
    ledger.settle(ledger.send(("old", A), type_=ObjectType.ACCOUNT))
    ledger.pend(
        Pend("1", Pending.ACCOUNT, now + 900, 1, "old"),
        Pend("2", Pending.ACCOUNT, now + 900, 1, "new"),
        Pend("3", Pending.ACCOUNT, now + 900, 1, "other"),
    )
    ledger.settle(ledger.send(("old", B), ("new", A), type_=ObjectType.ACCOUNT), account_wait=60)
    assert [due.object_id for due in ledger.store.due(ObjectType.DEAL, 10)] == ["1"]
    ledger.clock.advance(60)
    assert [due.object_id for due in ledger.store.due(ObjectType.DEAL, 10)] == ["1", "2"]


def test_accounts_are_there_once_settled_and_gone_once_deleted(ledger: LedgerUnderTest) -> None:
    assert ledger.store.accounts(["a"]) == {}
    batch = ledger.send(("a", A), type_=ObjectType.ACCOUNT)
    assert not ledger.store.accounts(["a"])["a"].there
    ledger.clock.advance(5)
    ledger.settle(batch)
    assert ledger.store.accounts(["a"])["a"] == (True, ledger.clock.now())
    ledger.settle(ledger.send(("a", B), type_=ObjectType.ACCOUNT))
    assert ledger.store.accounts(["a"])["a"] == (True, None)


def test_a_newer_failure_is_not_forgotten_for_an_older_decision(ledger: LedgerUnderTest) -> None:
    """The reader saw the object in flight; meanwhile its file failed. Neither waiting nor clearing may win."""
    batch = ledger.settle(ledger.send(("1", A)), failed((0, "busy")))
    ledger.store.resolve(batch, Verdict(rest=Pending.RESEND, due=ledger.clock.now()))
    ledger.book(ObjectType.DEAL, clears=[Clear("1", Pending.IN_FLIGHT, refusal=False)])
    assert ledger.state("1").pending is Pending.RESEND
    ledger.pend(Pend("1", Pending.IN_FLIGHT, ledger.clock.now() + 60, 0, None))
    assert ledger.state("1").pending is Pending.RESEND
    assert len(ledger.store.due(ObjectType.DEAL, 10)) == 1


def test_refused_rows_are_listed_until_a_line_of_theirs_is_sent(ledger: LedgerUnderTest) -> None:
    row = Refuse("1", A, "row", "emailAddress", "is empty")
    keyless = Refuse("(null)", A, "row", "objectId", "the key is NULL", identified=False)
    ledger.book(ObjectType.DEAL, refusals=[row, keyless])
    assert ledger.state("1").refused == A
    assert "(null)" not in ledger.store.lookup(ObjectType.DEAL, ["(null)"])
    assert [failure.object_id for failure in ledger.queries.failures()] == ["(null)", "1"]
    ledger.send(("1", B))
    assert [failure.object_id for failure in ledger.queries.failures()] == ["(null)"]


def test_a_cleared_refusal_is_gone_from_the_list(ledger: LedgerUnderTest) -> None:
    ledger.book(ObjectType.DEAL, refusals=[Refuse("1", A, "row", "name", "is odd")])
    ledger.book(ObjectType.DEAL, clears=[Clear("1", None, refusal=True)])
    assert ledger.queries.failures() == []
    assert ledger.state("1").refused is None


def test_texts_that_a_database_cannot_hold_are_stored_all_the_same(ledger: LedgerUnderTest) -> None:
    odd = Refuse("a\x00b\ud800", A, "row", "objectId", "odd \x00 key", identified=False)
    ledger.book(ObjectType.DEAL, refusals=[odd])
    [failure] = ledger.queries.failures()
    assert failure.object_id.startswith("a\N{REPLACEMENT CHARACTER}b")


def test_retry_makes_refused_objects_due_at_once(ledger: LedgerUnderTest) -> None:
    ledger.book(ObjectType.DEAL, refusals=[Refuse("1", A, "row", "", "odd"), Refuse("2", A, "row", "", "odd")])
    assert ledger.store.retry(ObjectType.DEAL, "1") == 1
    assert ledger.store.retry(ObjectType.CONTACT, None) == 0
    assert [due.object_id for due in ledger.store.due(ObjectType.DEAL, 10)] == ["1"]
    assert ledger.store.retry(None, None) == 1
    assert ledger.state("2").pending is Pending.RETRY


def test_lines_of_a_file_are_found_by_number(ledger: LedgerUnderTest) -> None:
    ledger.send(("9", A))
    batch = ledger.send(("1", A), ("2", A), ("3", A))
    assert ledger.store.ids_of_lines(batch, [1, 3, 99]) == {1: "1", 3: "3"}


def test_an_address_is_held_until_its_holders_deletion_is_done(ledger: LedgerUnderTest) -> None:
    user = ObjectType.BUSINESS_USER

    def file(name: str, send: Send) -> None:
        batch = NewBatch(PassKind.INCREMENTAL, name, name, 1, 1, "aa")
        ledger.book(user, batch=batch, sends=[send])

    file("one", Send("u1", A, False, 1, 1, None, C))
    batches = {batch.request_id: batch for batch in ledger.store.batches(tuple(BatchState))}
    assert ledger.store.holders([C, B]) == {C: {"u1"}}
    ledger.settle(batches["one"])
    assert ledger.store.holders([C]) == {C: {"u1"}}
    file("two", Send("u1", B, True, 2, 1, None, C))
    assert ledger.store.holders([C]) == {C: {"u1"}}
    ledger.settle({batch.request_id: batch for batch in ledger.store.batches(tuple(BatchState))}["two"])
    assert ledger.store.holders([C]) == {}


def test_the_cursor_moves_with_the_rows_it_passes_and_not_before(ledger: LedgerUnderTest) -> None:
    ledger.book(ObjectType.DEAL, move=Move("DEAL", Position("2026-01-01", "5")))
    cursor = ledger.store.cursor("DEAL")
    assert cursor is not None
    assert (cursor.position, cursor.cursor, cursor.loaded_at) == (Position("2026-01-01", "5"), None, None)
    ledger.book(ObjectType.DEAL, move=Move("DEAL", finished=True))
    cursor = ledger.store.cursor("DEAL")
    assert cursor is not None
    assert (cursor.position, cursor.cursor, cursor.pass_id) == (None, "bound", None)
    assert cursor.loaded_at == ledger.clock.now()


def test_a_booking_that_fails_leaves_nothing_behind(ledger: LedgerUnderTest) -> None:
    """File, objects and cursor are one transaction: a request id used twice breaks it at its start or end."""
    ledger.send(("1", A))
    again = NewBatch(PassKind.INCREMENTAL, "request-1", "other", 1, 1, "aa")
    with pytest.raises(LedgerUnavailable):
        ledger.book(
            ObjectType.DEAL,
            batch=again,
            sends=[Send("2", A, False, 1, 1, None, None)],
            move=Move("DEAL", finished=True),
        )
    assert ledger.store.lookup(ObjectType.DEAL, ["2"]) == {}
    cursor = ledger.store.cursor("DEAL")
    assert cursor is not None
    assert cursor.cursor is None


def test_pruning_forgets_settled_files_and_keeps_what_was_told(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("1", A)))
    open_batch = ledger.send(("2", A))
    ledger.clock.advance(100)
    assert ledger.store.prune(ledger.clock.now()) == 1
    assert [batch.id for batch in ledger.store.batches(tuple(BatchState))] == [open_batch.id]
    assert ledger.state("1").told == A
    later = ledger.send(("3", A))
    assert later.id > open_batch.id
