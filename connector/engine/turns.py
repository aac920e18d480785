"""Whose turn it is to be read. Pure: only a first load waits, and only to save work."""

import math
from collections.abc import Sequence
from typing import Final

from connector.ledger.records import UNSETTLED, Batch, Cursor
from connector.object_types import ObjectType

NAMES_ACCOUNTS: Final = (ObjectType.CONTACT, ObjectType.DEAL)
LONGEST_WAIT_SECONDS: Final = 900.0
NEVER: Final = math.inf
"""As a time: not before the accounts' first load has been read."""


def may_load_at(
    object_type: ObjectType,
    cursor: Cursor | None,
    accounts: Sequence[Cursor | None],
    account_batches: Sequence[Batch],
    now: float,
    account_wait: float,
) -> float:
    """Return from when on an entity source may be read; `now` or earlier means at once, NEVER not by waiting.

    Rows that name an account wait, one by one, until Gong has it. In a first load that would be nearly all of
    them, and each would be read twice: so the first load of contacts and deals begins when the accounts'
    is settled. After a quarter of an hour it begins all the same, and rows wait one by one.

    Args:
        object_type: of the entity source.
        cursor: of the entity source; None when it was never read.
        accounts: the cursors of all sources of accounts.
        account_batches: batches of accounts, settled or not.
        now: seconds since 1970 UTC.
        account_wait: seconds (ACCOUNT_WAIT_SECONDS).
    """
    if object_type not in NAMES_ACCOUNTS or (cursor is not None and cursor.loaded_at is not None):
        return now
    if any(account is None or account.loaded_at is None for account in accounts):
        return NEVER
    unsettled = [batch.created_at for batch in account_batches if batch.state in UNSETTLED]
    if unsettled:
        return now + 1.0 if now - min(unsettled) < LONGEST_WAIT_SECONDS else now
    settled = [batch.settled_at for batch in account_batches if batch.settled_at is not None]
    return max(settled) + account_wait if settled else now
