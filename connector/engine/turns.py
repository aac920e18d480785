"""Whose turn it is to be read. Pure: only a first load waits, and only to save work."""

import math
from collections.abc import Sequence
from typing import Final

from connector.ledger.records import Cursor
from connector.object_types import ObjectType

NAMES_ACCOUNTS: Final = (ObjectType.CONTACT, ObjectType.DEAL)
LONGEST_WAIT_SECONDS: Final = 900.0
NEVER: Final = math.inf
"""As a time: not before the accounts' first load has been read."""


def may_load_at(
    accounts: Sequence[Cursor | None],
    unsettled_since: float | None,
    settled_at: float | None,
    now: float,
    account_wait: float,
) -> float:
    """Return from when on the first load of a type in NAMES_ACCOUNTS may begin.

    `now` or earlier means at once, NEVER that waiting alone does not help.

    Rows that name an account wait, one by one, until Gong has it. In a first load that would be nearly all of
    them, and each would be read twice: so the first load of contacts and deals begins when the accounts'
    is settled. After a quarter of an hour it begins all the same, and rows wait one by one.

    Args:
        accounts: the cursors of all sources of accounts.
        unsettled_since: when the oldest unsettled batch of accounts was booked; None when there is none.
        settled_at: when the latest settled batch of accounts was settled; None when there is none.
        now: seconds since 1970 UTC.
        account_wait: seconds (ACCOUNT_WAIT_SECONDS).
    """
    if any(account is None or account.loaded_at is None for account in accounts):
        return NEVER
    if unsettled_since is not None:
        return now + 1.0 if now - unsettled_since < LONGEST_WAIT_SECONDS else now
    return now if settled_at is None else settled_at + account_wait
