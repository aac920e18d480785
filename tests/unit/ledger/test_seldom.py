"""What seldom comes together: a row that changes between a line's sending and its refusal, doubt after a deletion."""

from ledger_under_test import LedgerUnderTest, failed

from connector.ledger.records import Batch, BatchState, NewBatch, PassKind, Pend, Pending, Refuse, Send, Verdict
from connector.object_types import ObjectType

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16
USER = ObjectType.BUSINESS_USER


def sent(ledger: LedgerUnderTest, kind: ObjectType, name: str, send: Send) -> Batch:
    ledger.book(kind, batch=NewBatch(PassKind.INCREMENTAL, name, name, 1, 1, "aa"), sends=[send])
    return ledger.store.batches(tuple(BatchState))[-1]


def deletion(object_id: str, address: bytes | None = None) -> Send:
    return Send(object_id, B, True, 2, 1, None, address)


def test_a_line_that_names_a_deleted_account_is_held_and_not_awaited(ledger: LedgerUnderTest) -> None:
    ledger.settle(ledger.send(("acme", A), type_=ObjectType.ACCOUNT))
    ledger.settle(sent(ledger, ObjectType.ACCOUNT, "gone", deletion("acme")))
    ledger.pend(Pend("7", Pending.ACCOUNT, ledger.clock.now() + 60, 1, "acme"))
    work = ledger.queries.work(ledger.clock.now())
    assert (work.awaited, work.held) == (0, 1)


def test_a_row_that_became_unfit_is_read_anew_when_its_older_line_is_refused(ledger: LedgerUnderTest) -> None:
    batch = ledger.send(("7", A))
    ledger.book(ObjectType.DEAL, refusals=[Refuse("7", B, "row", "amount", "amount is not a number")])
    batch = ledger.settle(batch, failed((1, "no such stage")))
    ledger.store.resolve(batch, Verdict(refused=[Refuse("7", b"", "content", "", "no such stage", line=1)]))
    assert [item.object_id for item in ledger.store.due(ObjectType.DEAL, 10)] == ["7"]


def test_a_user_whose_line_may_have_been_kept_from_a_failed_file_has_its_address(ledger: LedgerUnderTest) -> None:
    ledger.settle(sent(ledger, USER, "gone", deletion("u-1", A)))
    back = sent(ledger, USER, "back", Send("u-1", C, False, 3, 1, None, C))
    ledger.store.resolve(ledger.settle(back, failed((2, "another line"))), Verdict(rest=Pending.RESEND))
    assert ledger.store.holders([C]) == {C: {"u-1"}}
    assert [one.object_id for one in ledger.store.live(USER, "", 10)] == ["u-1"]


def test_a_line_refused_for_something_missing_is_due_when_its_account_comes_and_not_at_every_news_of_it(
    ledger: LedgerUnderTest,
) -> None:
    def refused(name: str) -> None:
        batch = ledger.settle(ledger.send((name, A), account=f"account {name}"), failed((1, "account not found")))
        missing = Refuse(name, b"", "dependency", "", "account not found", line=1)
        ledger.store.resolve(batch, Verdict([missing], dependency_due=ledger.clock.now() + 3600))

    ledger.settle(ledger.send(("account old", A), type_=ObjectType.ACCOUNT))
    refused("old")
    refused("new")
    ledger.settle(ledger.send(("account old", B), ("account new", A), type_=ObjectType.ACCOUNT), account_wait=0)
    assert [item.object_id for item in ledger.store.due(ObjectType.DEAL, 10)] == ["new"]
