"""How long the first load of a type that names accounts waits for them: never for ever."""

from connector.engine.turns import LONGEST_WAIT_SECONDS, NEVER, may_load_at
from connector.ledger.records import Cursor, PassKind

NOW, WAIT = 10_000.0, 60.0
LOADED = Cursor("X", "print", "bound", NOW - 1, None, None, None, None, None)
UNREAD = Cursor("X", "print", None, None, 1, PassKind.LOAD, "print", "bound", None)


def at(accounts: list[Cursor | None], unsettled_since: float | None = None, settled_at: float | None = None) -> float:
    return may_load_at(accounts, unsettled_since, settled_at, NOW, WAIT)


def test_a_first_load_waits_until_the_accounts_are_read_and_settled() -> None:
    assert at([None]) == NEVER
    assert at([LOADED, UNREAD]) == NEVER
    assert at([LOADED], unsettled_since=NOW - 5, settled_at=NOW - 500) > NOW
    assert at([LOADED], settled_at=NOW - 20) == NOW - 20 + WAIT
    assert at([LOADED], settled_at=NOW - 200) <= NOW


def test_without_accounts_there_is_nothing_to_wait_for() -> None:
    assert at([]) <= NOW
    assert at([LOADED]) <= NOW


def test_accounts_that_do_not_settle_hold_nobody_for_long() -> None:
    assert at([LOADED], unsettled_since=NOW - LONGEST_WAIT_SECONDS - 1) <= NOW
