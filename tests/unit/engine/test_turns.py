"""Only first loads of types that name accounts wait, and never for ever."""

from connector.engine.turns import LONGEST_WAIT_SECONDS, NEVER, may_load_at
from connector.ledger.records import Batch, BatchState, Cursor, PassKind
from connector.object_types import ObjectType

NOW, WAIT = 10_000.0, 60.0
LOADED = Cursor("X", "print", "bound", NOW - 1, None, None, None, None)
UNREAD = Cursor("X", "print", None, None, 1, PassKind.LOAD, "bound", None)


def batch(state: BatchState, created: float, settled: float | None = None) -> Batch:
    return Batch(
        1, ObjectType.ACCOUNT, PassKind.LOAD, "r", state, "f", 1, 1, "aa", created, created, created, settled,
        created, 1, 1, None, None,
    )  # fmt: skip


def at(
    kind: ObjectType, cursor: Cursor | None, accounts: list[Cursor | None], batches: list[Batch] | None = None
) -> float:
    return may_load_at(kind, cursor, accounts, batches or [], NOW, WAIT)


def test_types_without_accounts_go_at_once() -> None:
    for kind in (ObjectType.BUSINESS_USER, ObjectType.STAGE, ObjectType.ACCOUNT, ObjectType.LEAD):
        assert at(kind, None, [None]) <= NOW


def test_a_first_load_waits_until_the_accounts_are_read_and_settled() -> None:
    deal = ObjectType.DEAL
    assert at(deal, None, [None]) == NEVER
    assert at(deal, None, [LOADED, UNREAD]) == NEVER
    assert at(deal, None, [LOADED], [batch(BatchState.ACCEPTED, NOW - 5)]) > NOW
    assert at(deal, None, [LOADED], [batch(BatchState.DONE, NOW - 50, NOW - 20)]) == NOW - 20 + WAIT
    assert at(deal, None, [LOADED], [batch(BatchState.DONE, NOW - 500, NOW - 200)]) <= NOW
    assert at(deal, None, []) <= NOW


def test_later_passes_wait_for_nothing() -> None:
    assert at(ObjectType.CONTACT, LOADED, [None], [batch(BatchState.SENT, NOW)]) <= NOW


def test_accounts_that_do_not_settle_hold_nobody_for_long() -> None:
    stuck = batch(BatchState.ACCEPTED, NOW - LONGEST_WAIT_SECONDS - 1)
    assert at(ObjectType.DEAL, None, [LOADED], [stuck]) <= NOW
