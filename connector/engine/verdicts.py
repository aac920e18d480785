"""What a FAILED answer means for each line of its file. Pure."""

import re
from typing import Final

from connector.engine.rules import growing
from connector.ledger.records import Pending, Refuse, Verdict
from connector.model import RequestStatus, Resend

_MISSING_PARENT: Final = re.compile(
    r"(account|owner|stage|user|contact|deal|reference|parent)\w*\b.*"
    r"(not found|not exist|unknown|no such|not (yet )?(known|present|available))"
    r"|(not found|not exist|unknown|no such).*\b(account|owner|stage|user|contact|deal|reference|parent)",
    re.IGNORECASE | re.DOTALL,
)
_FIELD: Final = re.compile(r"\[([A-Za-z_]\w{0,63})\]")


def judge(answer: RequestStatus, lines: int, ids: dict[int, str], resend: Resend, tries: int, now: float) -> Verdict:
    """Return what becomes of the lines of a batch that Gong answered FAILED.

    Args:
        answer: Gong's answer; it lists 20 errors at most.
        lines: how many lines the file has.
        ids: the object on each listed line.
        resend: the user's choice.
        tries: how often lines of this file were in vain before.
        now: seconds since 1970 UTC.
    """
    listed = {error.line: error.description for error in answer.errors if error.line in ids}
    if not listed:
        # Line 0, or no line that can be found: nothing is known of any line.
        return Verdict(rest=Pending.GENERAL, due=now + growing(tries))
    refused = [
        Refuse(
            object_id=ids[line],
            digest=b"",
            kind=_kind(description),
            field=_field(description),
            reason=description,
            line=line,
        )
        for line, description in sorted(listed.items())
    ]
    all_listed = answer.error_count == len(listed) == len({error.line for error in answer.errors})
    adds_up = answer.success_count + answer.error_count == lines
    kept = resend is Resend.CORRECTED and all_listed and adds_up
    return Verdict(
        refused=refused,
        rest=None if kept else Pending.RESEND,
        due=now,
        dependency_due=now + growing(tries),
    )


def general_words(answer: RequestStatus) -> str:
    """Return Gong's words for a failure of the whole file, for the ledger and the status."""
    words = [error.description for error in answer.errors if error.description]
    return "; ".join(words)[:500] or "Gong answered FAILED and named no line"


def _kind(description: str) -> str:
    """Classify by shape; an unknown text is permanent until the row changes (GONG_API: "Request status")."""
    return "dependency" if _MISSING_PARENT.search(description) else "content"


def _field(description: str) -> str:
    found = _FIELD.search(description)
    return found.group(1) if found else ""
