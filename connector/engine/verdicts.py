"""What a FAILED answer means for each line of its file. Pure."""

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from connector.engine.isolation import PATIENCE_SECONDS, believed_until, systematic
from connector.engine.rules import growing
from connector.ledger.records import Pending, Refuse, Tries, Verdict
from connector.model import RequestStatus, Resend
from connector.words import quoted

TRIES_AT_ONCE: Final = 3
"""How often a line that goes down with others' errors goes again without a delay."""
MOST_TRIES: Final = 12
"""How often a line may go down with its whole file, over a day or so, before it is taken for refused."""

_MISSING_PARENT: Final = re.compile(
    r"(account|owner|stage|user|contact|deal|reference|parent)\w*\b.*"
    r"(not found|not exist|unknown|no such|not (yet )?(known|present|available))"
    r"|(not found|not exist|unknown|no such).*\b(account|owner|stage|user|contact|deal|reference|parent)",
    re.IGNORECASE | re.DOTALL,
)
_FIELD: Final = re.compile(r"\[([A-Za-z_]\w{0,63})\]")


def judge(
    answer: RequestStatus,
    lines: int,
    ids: dict[int, str],
    resend: Resend,
    tries: Tries,
    now: float,
    *,
    isolated: bool = False,
) -> Verdict:
    """Return what becomes of the lines of a batch that Gong answered FAILED.

    Args:
        answer: Gong's answer; it lists 20 errors at most.
        lines: how many lines the file has.
        ids: the object on each listed line.
        resend: the user's choice.
        tries: how often lines of this file were in vain before.
        now: seconds since 1970 UTC.
        isolated: the file is a piece of another one, whose good lines wait until all the bad ones are found.
    """
    listed = {error.line: error.description for error in answer.errors if error.line in ids}
    if not listed:
        # Line 0, or no line that can be found: nothing is known of any line.
        return Verdict(rest=Pending.GENERAL, due=now + growing(tries.most), most_tries=MOST_TRIES)
    verdict = Verdict(
        refused=[_refuse(line, description, ids[line]) for line, description in sorted(listed.items())],
        dependency_due=now + growing(tries.most),
        most_tries=MOST_TRIES,
    )
    hidden = answer.error_count - len(listed)
    each_once = len(answer.errors) == len(listed)
    adds_up = answer.success_count + answer.error_count == lines
    if hidden == 0 and each_once and adds_up and resend is Resend.CORRECTED:
        return verdict
    if systematic(lines, answer.error_count):
        return replace(verdict, rest=Pending.GENERAL, due=now + growing(tries.least))
    if tries.least >= TRIES_AT_ONCE:
        return replace(verdict, rest=Pending.GENERAL, due=now + growing(tries.least - TRIES_AT_ONCE))
    if 0 < hidden <= lines - len(listed):
        believed = believed_until(max(listed), len(listed), hidden, lines)
        due = now + PATIENCE_SECONDS
        return replace(verdict, rest=Pending.SUSPECT, due=due, hidden=hidden, believed_until=believed)
    if hidden == 0 and each_once and adds_up and isolated:
        return replace(verdict, rest=Pending.SUSPECT, due=now + PATIENCE_SECONDS, believed_until=lines)
    return replace(verdict, rest=Pending.RESEND, due=now)


def general_words(answer: RequestStatus, lines: int) -> str:
    """Return why the rest of a file that is not to blame line by line waits, for the ledger and the status."""
    if any(error.line > 0 for error in answer.errors):
        [(words, _)] = Counter(error.description for error in answer.errors).most_common(1)
        return f"{answer.error_count} of {lines} lines refused: {quoted(words[:500])}"
    words = "; ".join(error.description for error in answer.errors if error.description)
    return quoted(words[:500]) if words else "Gong answered FAILED and named no line"


def _refuse(line: int, description: str, object_id: str) -> Refuse:
    return Refuse(object_id, b"", _kind(description), _field(description), description, line=line)


def _kind(description: str) -> str:
    """Classify by shape; an unknown text is permanent until the row changes (GONG_API: "Request status")."""
    return "dependency" if _MISSING_PARENT.search(description) else "content"


def _field(description: str) -> str:
    found = _FIELD.search(description)
    return found.group(1) if found else ""
