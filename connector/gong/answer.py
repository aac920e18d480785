"""What came back from Gong, or from something in front of it: the status, the document, the words."""

import json
import re
from dataclasses import dataclass
from typing import Any

from connector.words import quoted

LONGEST_WORDS = 500
"""Characters kept of what Gong says; the rest is cut."""

_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_SCOPE = re.compile(r"api:[a-z][a-z:-]*[a-z]")


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The call ended without an answer."""

    sent: bool
    """False only where nothing can have reached Gong; True where it may have."""
    words: str
    denied: bool = False
    """The call was not even made, since there is nothing to authenticate with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read as far as it goes."""

    status: int
    document: Any
    """The parsed body; None where it is empty or not JSON."""
    html: bool
    """True for a web page: the word of a proxy or a portal, not of Gong's API."""
    retry_after: str | None = None

    def words(self) -> str:
        """Return status and Gong's error texts, fit for a table and a page: one line, at most about 500 characters.
        What Gong said is quoted.
        """
        if self.html:
            said = "a web page instead of an answer of Gong's API; is there a proxy in between?"
        elif 300 <= self.status < 400:
            said = "a redirect, which is never followed; is CONNECTOR_GONG_BASE_URL right?"
        else:
            words = plain("; ".join(_error_texts(self.document)))
            said = quoted(words) if words else ""
        return f"HTTP {self.status}: {said}" if said else f"HTTP {self.status}"

    def missing_scope(self) -> str | None:
        """Return the scope that a 401 says is missing; None when it says nothing of one."""
        scope = _SCOPE.search(self.words())
        return scope[0] if scope is not None else None

    def denied_words(self, remedy: str) -> str:
        """Return what a user should know and do about a 401 or 403; `remedy` is for a wrong credential."""
        if scope := self.missing_scope():
            advice = f"the credentials miss the scope {scope}: allow it in Gong's API settings"
            advice += ", and with OAuth `gong-connector login` once more"
        elif self.status == 403:
            advice = "Gong does not trust this machine's address: ask your Gong administrator to allow it"
        else:
            advice = remedy
        return f"{self.words()} ({advice})"


def read_answer(status: int, content_type: str, retry_after: str | None, body: bytes) -> Answer:
    """Return the answer made of these parts; a body that is not JSON is no fault here."""
    start = body[:200].lstrip().lower()
    html = start.startswith((b"<!doctype", b"<html")) or "html" in content_type.lower()
    return Answer(status, None if html else _parsed(body), html, retry_after)


def plain(text: str) -> str:
    """Return `text` on one line, without what a database or a terminal would choke on, cut to 500 characters."""
    clean = _UNFIT.sub(" ", text).strip()
    return clean if len(clean) <= LONGEST_WORDS else clean[: LONGEST_WORDS - 1] + "…"


def _parsed(body: bytes) -> Any:
    # The standard parser, since it keeps integers exact at any size and reads even half a surrogate pair.
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_texts(document: Any) -> list[str]:
    if not isinstance(document, dict):
        return []
    # OAuth has names of its own (RFC 6749, 5.2).
    names = ("errors", "message", "error_description", "error")
    errors: Any = next((found for name in names if (found := document.get(name))), [])
    return [_error_text(error) for error in (errors if isinstance(errors, list) else [errors])]


def _error_text(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("description") or error.get("message")
    return error if isinstance(error, str) else "(an error without words)"
