"""Which batch is next, and what is remembered of how long Gong took."""

from ledger_under_test import DONE, LedgerUnderTest

from connector.ledger.records import Batch, BatchState, NewBatch, PassKind, Pending, Priority, priority_of
from connector.object_types import ObjectType


def spool(ledger: LedgerUnderTest, name: str, type_: ObjectType, priority: Priority) -> Batch:
    ledger.book(type_, batch=NewBatch(PassKind.INCREMENTAL, name, name, 1, 1, "aa", priority))
    return ledger.store.batches(tuple(BatchState))[-1]


def accepted(ledger: LedgerUnderTest, batch: Batch, due: float) -> None:
    ledger.store.mark_sending(batch)
    ledger.store.mark_accepted(batch, due)


def test_the_most_urgent_batch_is_next_then_its_question_then_gongs_order_then_the_oldest(
    ledger: LedgerUnderTest,
) -> None:
    now = ledger.clock.now()
    assert ledger.store.next_batch() is None
    assert ledger.store.next_batch_due() is None
    history = spool(ledger, "history", ObjectType.BUSINESS_USER, Priority.BACKFILL)
    compared = spool(ledger, "compared", ObjectType.BUSINESS_USER, Priority.RECONCILE)
    accepted(ledger, spool(ledger, "compared and sent", ObjectType.DEAL, Priority.RECONCILE), now)
    late = spool(ledger, "a deal", ObjectType.DEAL, Priority.INCREMENTAL)
    first = spool(ledger, "an account", ObjectType.ACCOUNT, Priority.INCREMENTAL)
    second = spool(ledger, "another account", ObjectType.ACCOUNT, Priority.INCREMENTAL)
    accepted(ledger, spool(ledger, "a lead, sent", ObjectType.LEAD, Priority.INCREMENTAL), now)
    accepted(ledger, spool(ledger, "a lead, not yet due", ObjectType.LEAD, Priority.INCREMENTAL), now + 100)
    order = []
    while (batch := ledger.store.next_batch()) is not None:
        order.append(batch.request_id)
        ledger.store.postpone(batch, batch.state, now + 50, None, polled=False)
    assert order == [
        "a lead, sent",
        first.request_id,
        second.request_id,
        late.request_id,
        "compared and sent",
        compared.request_id,
        history.request_id,
    ]
    assert ledger.store.next_batch_due() == now + 50
    ledger.clock.advance(60)
    ledger.store.pause(ObjectType.ACCOUNT)
    assert ledger.store.next_batch_due() == now + 50
    batch = ledger.store.next_batch([BatchState.SPOOLED])
    assert batch is not None
    assert batch.type is ObjectType.DEAL, "files of a paused type stay"


def test_what_a_comparison_found_is_less_urgent_than_a_change() -> None:
    assert priority_of(PassKind.COMPARISON) is Priority.RECONCILE
    assert priority_of(PassKind.AGAIN, [Pending.GONE, Pending.GONE]) is Priority.RECONCILE
    assert priority_of(PassKind.AGAIN, [Pending.SILENT, Pending.ASKED]) is Priority.RECONCILE
    assert priority_of(PassKind.AGAIN, [Pending.GONE, Pending.IN_FLIGHT]) is Priority.INCREMENTAL
    assert priority_of(PassKind.BACKFILL) is Priority.BACKFILL
    assert priority_of(PassKind.LOAD) is priority_of(PassKind.INCREMENTAL) is Priority.INCREMENTAL


def test_how_long_gong_took_is_remembered_by_type(ledger: LedgerUnderTest) -> None:
    for number, seconds in enumerate((5.0, 7.0)):
        batch = spool(ledger, f"account {number}", ObjectType.ACCOUNT, Priority.INCREMENTAL)
        accepted(ledger, batch, ledger.clock.now())
        ledger.clock.advance(seconds)
        ledger.store.mark_done(batch, DONE, 0)
    lost = spool(ledger, "found done when it was asked about", ObjectType.ACCOUNT, Priority.INCREMENTAL)
    ledger.store.mark_sending(lost)
    ledger.clock.advance(1000)
    ledger.store.mark_done(lost, DONE, 0)
    assert [(one.lines, one.seconds, one.polls) for one in ledger.store.processed(ObjectType.ACCOUNT)] == [
        (1, 7.0, 1),
        (1, 5.0, 1),
    ]
    assert ledger.store.processed(ObjectType.DEAL) == []
