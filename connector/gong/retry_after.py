"""Reads Retry-After: until when Gong wants to be left alone."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

DEFAULT_WAIT = 2.0
"""Seconds to wait when a 429 carries no Retry-After, or one that means nothing."""
SHORTEST_WAIT = 1.0
"""Seconds to wait at least; for zero, negative seconds and dates gone by. Gong counts calls by the second."""
LONGEST_WAIT = 86_400.0
"""Seconds to wait at most: no quota of Gong's runs longer than a day."""

_SECONDS = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?", re.ASCII)


def retry_at(header: str | None, now: float) -> float:
    """Return the epoch seconds at which the next call may be made.

    `header` is Retry-After's value: seconds or an HTTP date (GONG_API: "Limits"), None when it is missing.
    """
    return now + min(max(_wait(header, now), SHORTEST_WAIT), LONGEST_WAIT)


def _wait(header: str | None, now: float) -> float:
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # A date without a zone is in GMT by HTTP's rule.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return DEFAULT_WAIT
