"""Numbers, sizes, durations and moments as people read them, the same on the terminal and on the page; and how words of
others are marked, so that they can be left out where values must not go.
"""

import re
from datetime import UTC, datetime
from typing import Final

_QUOTED: Final = re.compile(r"“[^”]*(?:”|$)")
_ADDRESS: Final = re.compile(r"[^\s@<>\"'\[\](),;:]+@[^\s@<>\"'\[\](),;:]+")


def count(number: int, thing: str, things: str | None = None) -> str:
    """Return `1 object` or `1,200 objects`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def size(number: int) -> str:
    """Return a number of bytes in the unit that people would take."""
    for unit, length in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if number >= length:
            return f"{number / length:.1f} {unit}"
    return count(number, "byte")


def seconds(number: float) -> str:
    """Return a duration in words: `4.2 s`, `3 min 10 s`, `2 h 5 min`."""
    if number < 60:
        return f"{number:.1f} s"
    minutes, rest = divmod(round(number), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(at: float | None) -> str | None:
    """Return a time in ISO 8601 UTC without fractions; None for none."""
    return None if at is None else datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(words: str) -> str:
    """Mark words that others said (Gong, something in front of it): they may repeat a record's values."""
    return "“" + words.replace("“", '"').replace("”", '"') + "”"


def discreet(text: str) -> str:
    """Return a text as logs and alerts may hold it: without quoted words and without e-mail addresses, which some CRMs
    use as ids.
    """
    return _ADDRESS.sub("(address)", _QUOTED.sub("(see status)", text))
