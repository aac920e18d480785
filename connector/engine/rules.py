"""What becomes of an object's row: skip, send, or wait. Pure: the ledger's knowledge in, a decision out.

DESIGN of the rules: an object has at most one unsettled line, so that nothing newer is overtaken by
something older; and a row costs a call only when Gong would be told something new.
"""

from dataclasses import dataclass
from typing import Final

from connector.ledger.records import ALIKE, NEVER_DUE, SAME_KEY, AccountState, ObjectState, Pending
from connector.model import Line

FIRST_WAIT_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 6 * 3600.0
UNCERTAIN: Final = b""
"""Stands for a digest or an address that may be any."""
DELAYED: Final = (Pending.GENERAL, Pending.DEPENDENCY, Pending.SUSPECT)
"""What went down goes again unchanged when its time comes, whoever reads it meanwhile; a changed row goes at once."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to tell. `settles`: an earlier refusal of the object is over, too."""

    settles: bool


@dataclass(frozen=True, slots=True)
class SendLine:
    """Write the line, with this modifiedDate (seconds since 1970 UTC)."""

    modified: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Read the row again at `due`, or when what it waits for has happened."""

    reason: Pending
    due: float
    tries: int


@dataclass(frozen=True, slots=True)
class GiveUpAddress:
    """Write a deletion of the business user, with this modifiedDate; read the row again once it is settled."""

    modified: int
    wait: Wait


Decision = Skip | SendLine | Wait | GiveUpAddress


def decide(
    line: Line,
    state: ObjectState | None,
    account: AccountState | None,
    address_taken: bool,
    now: float,
    account_wait: float,
) -> Decision:
    """Decide about a mapped row.

    Args:
        line: what the row amounts to now.
        state: what the ledger knows of the object; None when it never heard of it.
        account: how the account that the line names stands with Gong; None when it names none that is known.
        address_taken: another business user still holds the line's address.
        now: seconds since 1970 UTC.
        account_wait: seconds between an account's first DONE and the first line that names it (ACCOUNT_WAIT_SECONDS).
    """
    tries = 0 if state is None else state.tries
    if state is not None and state.pending is Pending.HISTORY:
        return Wait(Pending.HISTORY, NEVER_DUE, tries)  # the present is the last word, after the last version
    if state is not None:
        known = _known(line, state, now)
        if known is not None:
            return known
    if line.deleted:
        if state is None or state.last_modified is None:
            return Skip(settles=True)  # Gong never heard of it (GONG_API: an initial upload holds no deletions)
        return SendLine(modified_date(line.stamp, state.last_modified, now))
    if line.account_id is not None:
        wait = _account_wait(account, tries, now, account_wait)
        if wait is not None:
            return wait
    modified = modified_date(line.stamp, None if state is None else state.last_modified, now)
    if state is not None and _address_changed(line, state):
        return GiveUpAddress(
            modified_date(None, state.last_modified, now), Wait(Pending.ADDRESS, now + FIRST_WAIT_SECONDS, tries)
        )
    if address_taken:
        return Wait(Pending.ADDRESS, now + growing(tries), tries + 1)
    return SendLine(modified)


def is_frozen(state: ObjectState | None) -> bool:
    """Tell whether a row is not looked at since its key collides with another row's (`engine/collisions.py`). Where
    several rows have one key, Gong is told of one of them.
    """
    if state is None or state.pending is Pending.HISTORY:
        return False
    told = state.told is not None or state.in_flight is not None
    return state.refused == ALIKE or (state.refused == SAME_KEY and told)


def distrust(state: ObjectState | None, line: Line) -> ObjectState:
    """Return what is left of the ledger's knowledge of a line's object once Gong may have been told more: it may hold
    the object, with any content, and a user under any address.
    """
    if state is None:
        state = ObjectState(None, False, None, None, None, None, 0, None, None)
    return state._replace(
        told=None,
        told_deleted=False,
        in_flight=None if state.in_flight is None else UNCERTAIN,
        last_modified=state.last_modified or 0,
        address=None if line.address is None else UNCERTAIN,
    )


def modified_date(stamp: int | None, last: int | None, now: float) -> int:
    """Return a line's modifiedDate: the row's own stamp when it is later than the last one sent for the object,
    else the time of the call; never in the future (GONG_API: "when the CRM has none, it is the time of the call").
    After the host's clock was set back, the last one stands for the time of the call: dates of an object never go
    back.
    """
    call = int(now)
    if last is not None and (stamp is None or stamp > call or stamp <= last):
        return max(call, last)
    return call if stamp is None or stamp > call else stamp


def growing(tries: int) -> float:
    """Return the seconds until the next try, after `tries` in vain: a minute, doubled up to six hours."""
    return float(min(FIRST_WAIT_SECONDS * 2 ** min(tries, 20), LONGEST_WAIT_SECONDS))


def wait_again(digest: bytes, state: ObjectState, now: float) -> Wait | None:
    """Return how long the deletion that gives up a user's address must wait because Gong turned it down: as long as
    its file does, or, refused for itself, until a person asks for it. None: it may go.
    """
    if digest != state.refused:
        return None
    if state.pending in DELAYED and state.pending_due is not None:
        return Wait(state.pending, state.pending_due, state.tries) if state.pending_due > now else None
    return Wait(Pending.ADDRESS, now + growing(state.tries), state.tries + 1)


def _known(line: Line, state: ObjectState, now: float) -> Decision | None:
    """Return the decision where the line is no news, or something newer must wait behind something older."""
    if state.in_flight is not None:
        if line.digest == state.in_flight:
            return Skip(settles=True)  # what is refused while a line travels is a row that became unfit after it
        return Wait(Pending.IN_FLIGHT, now + FIRST_WAIT_SECONDS, state.tries)
    if state.pending in DELAYED:
        if line.digest == state.refused and state.pending_due is not None and state.pending_due > now:
            return Wait(state.pending, state.pending_due, state.tries)  # whoever reads it meanwhile
    elif line.digest == state.refused:
        return Skip(settles=False)
    if line.digest == state.told:
        return Skip(settles=True)
    return None


def is_ready(account: AccountState, now: float, account_wait: float) -> bool:
    """Tell whether lines that name an account may go now."""
    return _account_wait(account, 0, now, account_wait) is None


def _account_wait(account: AccountState | None, tries: int, now: float, account_wait: float) -> Wait | None:
    if account is None or not account.there:
        return Wait(Pending.ACCOUNT, now + growing(tries), tries + 1)
    if account.first_told_at is not None and account.first_told_at + account_wait > now:
        return Wait(Pending.ACCOUNT_FRESH, account.first_told_at + account_wait, tries)
    return None


def _address_changed(line: Line, state: ObjectState) -> bool:
    """Tell whether the user is in Gong, or may be, under another address (GONG_API: delete, then create anew)."""
    return (
        line.address is not None
        and state.address is not None
        and line.address != state.address
        and state.last_modified is not None
        and not (state.told_deleted and state.told is not None)  # unsure: a line of a failed file may be there
    )
