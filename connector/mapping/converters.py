"""What `convert` can do to a text: one entry each in a table, by the name that the mapping file uses."""

import re
from collections.abc import Callable, Mapping
from typing import Final

Converter = Callable[[str], str | None]
"""Makes a text of a text; None when nothing fit is in it."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
EMAIL_ADDRESS = re.compile(
    r"(?<![\w.!#$%&*+?^`{|}~@-])"  # not in the middle of a word, yet after quotes, brackets, commas, colons
    r"(?=[^@\s]{1,64}@)"  # the part before the @ is short: long texts are passed quickly
    rf"[A-Za-z0-9_]{_ATOM}*(?:\.{_ATOM}+)*"
    rf"@(?:{_LABEL}\.)+(?:[^\W\d_]{{2,63}}|xn--[a-z0-9-]{{2,59}})(?![\w@-])",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:[^/?#@\s]*@)?(?:www\.)?"
    rf"(?P<host>(?:{_LABEL}\.)+{_LABEL})\.?(?::[0-9]*)?(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)


def _email(text: str) -> str | None:
    """Return the first valid address in free text such as `"Nick" <nick@x.example>, old@x.example`."""
    match = EMAIL_ADDRESS.search(text)
    return match[0] if match else None


def _host(text: str) -> str | None:
    """Return the host of a web address, lower-case, without port and `www.`; None for what has no dot (`n/a`)."""
    match = _HOST.fullmatch(text.strip())
    return match["host"].lower() if match else None


def _trim(text: str) -> str:
    """Return the text without white space at its ends."""
    return text.strip()


CONVERTERS: Final[Mapping[str, Converter]] = {"email": _email, "host": _host, "trim": _trim}
