"""What becomes of a row, by what the ledger knows of its object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.rules import (
    LONGEST_WAIT_SECONDS,
    GiveUpAddress,
    SendLine,
    Skip,
    Wait,
    decide,
    growing,
    modified_date,
)
from connector.ledger.records import AccountState, ObjectState, Pending
from connector.model import Line

NOW = 1_800_000_000.5
A, B, C = b"a" * 16, b"b" * 16, b"c" * 16
NEW = ObjectState(None, False, None, None, None, None, 0, None, None)
THERE = AccountState(True, None)


def line(digest: bytes = B, *, stamp: int | None = None, deleted: bool = False, **more: object) -> Line:
    return Line("1", stamp, b'{"objectId":"1"', digest, deleted, **more)  # type: ignore[arg-type]


def decided(
    a_line: Line, state: ObjectState | None = None, account: AccountState | None = None, **more: object
) -> object:
    values = {"address_taken": False, "now": NOW, "account_wait": 60.0} | more
    return decide(a_line, state, account, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, SendLine(int(NOW))),
        (NEW, SendLine(int(NOW))),
        (NEW._replace(told=B), Skip(settles=True)),
        (NEW._replace(told=A), SendLine(int(NOW))),
        (NEW._replace(refused=B, told=A), Skip(settles=False)),
        (NEW._replace(refused=A, told=B), Skip(settles=True)),
        (NEW._replace(in_flight=B, told=A), Skip(settles=True)),
    ],
)
def test_only_news_is_sent(state: ObjectState | None, expected: object) -> None:
    assert decided(line(), state) == expected


@pytest.mark.parametrize("told", [None, A, B])
@pytest.mark.parametrize("refused", [None, A, B])
@pytest.mark.parametrize("deleted", [False, True])
def test_nothing_overtakes_a_line_in_flight(told: bytes | None, refused: bytes | None, deleted: bool) -> None:
    state = NEW._replace(told=told, refused=refused, in_flight=C, last_modified=5)
    decision = decided(line(deleted=deleted), state)
    assert isinstance(decision, Wait)
    assert decision.reason is Pending.IN_FLIGHT


def test_deletions_go_only_for_what_gong_may_have_and_wait_for_no_account() -> None:
    gone = line(deleted=True, account_id="missing")
    assert decided(gone) == Skip(settles=True)
    assert decided(gone, NEW) == Skip(settles=True)
    assert decided(gone, NEW._replace(last_modified=5, told=A)) == SendLine(int(NOW))
    # A file of unknown fate may have brought it to Gong.
    assert decided(gone, NEW._replace(last_modified=5)) == SendLine(int(NOW))


def test_lines_wait_for_their_account_only() -> None:
    child = line(account_id="a")
    assert decided(child, None, THERE) == SendLine(int(NOW))
    for missing in (None, AccountState(False, None)):
        wait = decided(child, None, missing)
        assert isinstance(wait, Wait)
        assert (wait.reason, wait.tries) == (Pending.ACCOUNT, 1)
    fresh = decided(child, None, AccountState(True, NOW - 10))
    assert fresh == Wait(Pending.ACCOUNT_FRESH, NOW + 50, 0)
    assert decided(child, None, AccountState(True, NOW - 60)) == SendLine(int(NOW))


def test_orphans_are_looked_at_ever_more_rarely_but_never_given_up() -> None:
    delays = [growing(tries) for tries in range(40)]
    assert delays == sorted(delays)
    assert delays[0] >= 60
    assert delays[-1] == LONGEST_WAIT_SECONDS


def test_a_changed_address_is_given_up_before_the_new_one_is_told() -> None:
    state = NEW._replace(told=A, last_modified=5, address=A)
    decision = decided(line(address=C), state)
    assert isinstance(decision, GiveUpAddress)
    assert decision.wait.reason is Pending.ADDRESS
    after = state._replace(told=C, told_deleted=True)
    assert decided(line(address=C), after) == SendLine(int(NOW))
    assert decided(line(address=A), state) == SendLine(int(NOW))


def test_an_address_that_another_user_holds_is_waited_for() -> None:
    wait = decided(line(address=C), None, None, address_taken=True)
    assert isinstance(wait, Wait)
    assert wait.reason is Pending.ADDRESS


@given(
    stamp=st.none() | st.integers(0, 2_000_000_000),
    last=st.none() | st.integers(0, int(NOW)),
)
def test_modified_dates_follow_the_row_never_go_back_and_never_lie_ahead(stamp: int | None, last: int | None) -> None:
    modified = modified_date(stamp, last, NOW)
    assert modified <= max(NOW, last or 0)
    assert last is None or modified >= last
    if stamp is not None and stamp <= NOW and (last is None or stamp > last):
        assert modified == stamp
