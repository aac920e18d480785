"""Whether an object is in Gong, and if not, why: in words. Pure."""

from typing import Final, NamedTuple

from connector.ledger.finder import Found
from connector.ledger.records import BatchState, Pending

WHY: Final = {
    Pending.IN_FLIGHT: "it changed again while an earlier line of it was on its way; it goes when that is settled",
    Pending.ACCOUNT: "the account that it names is not in Gong; it goes by itself once the account is",
    Pending.ACCOUNT_FRESH: "its account reached Gong moments ago; it follows soon",
    Pending.ADDRESS: "its e-mail address has to be given up by another line first",
    Pending.DEPENDENCY: "Gong misses something that it refers to; it is tried again with growing delay",
    Pending.GENERAL: "Gong refused the whole file that it was in; it is tried again with growing delay",
    Pending.RESEND: "its file failed or was lost, and Gong may not have kept its line; it goes again",
    Pending.SUSPECT: "lines of its file are bad, and Gong did not say which; it goes again in a smaller file",
    Pending.RETRY: "somebody asked for it to be tried again; it goes soon",
    Pending.ASKED: "somebody had it sent again (`resend`, `verify --repair`); changes go first",
    Pending.RELATED: "another table says that it changed; its row is read soon",
    Pending.HISTORY: "its history is being sent; its present state follows the last version",
    Pending.GONE: "a full comparison did not find its row; it is looked for once more before Gong is told to delete it",
    Pending.SILENT: "a full comparison found it changed, though its stamp did not move; it is read once more",
    Pending.HELD_DELETION: "its row is gone, as too many others are: `gong-connector approve` shows what is held",
    Pending.HELD_CHANGE: "it changed and its stamp did not move, as too many others did: `gong-connector approve` "
    "shows what is held",
}
"""Why one object waits."""

_ON_ITS_WAY: Final = {
    BatchState.SPOOLED: "its line is in a file that waits to be uploaded",
    BatchState.SENT: "its line is in a file that was uploaded, and Gong has not said yet whether it has it",
    BatchState.ACCEPTED: "Gong has its line and is working on it",
    BatchState.FAILED: "Gong refused lines of its file; what that means for it is being seen to",
}


class Answer(NamedTuple):
    """What to say of an object."""

    yes: bool | None
    """It is in Gong as it was last read; None when an earlier version is."""
    words: str
    reasons: list[str]
    """Why it is not there as it was last read."""


def answer(found: Found) -> Answer:
    """Say whether it is in Gong, and if not, why."""
    there = found.told and not found.told_deleted
    reasons = list(_reasons(found))
    if not reasons:
        if there:
            return Answer(True, "Yes: Gong has it as it was last read.", [])
        if found.told_deleted:
            return Answer(False, "No: its row is gone from the CRM, and Gong was told to delete it.", [])
        return Answer(False, "No. It was read, and there was no need to send anything.", [])
    if there:
        return Answer(None, "An earlier version of it is in Gong, the latest is not yet.", reasons)
    return Answer(False, "Not yet.", reasons)


def _reasons(found: Found) -> "list[str]":
    reasons = []
    if found.refused is not None:
        who = "Gong" if found.refused.origin == "gong" else "the connector, before sending"
        reasons.append(f"It was refused by {who}: {found.refused.reason}")
    if found.in_flight and found.file is not None:
        what = "Its deletion is on its way" if found.deleting else "It is on its way"
        note = f" ({found.file.note})" if found.file.note else ""
        reasons.append(f"{what}: {_ON_ITS_WAY.get(found.file.state, found.file.state)}{note}.")
    if found.pending is not None:
        account = f" (account {found.account_id})" if found.pending is Pending.ACCOUNT and found.account_id else ""
        reasons.append(f"It waits{account}: {WHY[found.pending]}.")
    return reasons
