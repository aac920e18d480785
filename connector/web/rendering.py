"""Jinja's environment: everything is escaped, times and numbers look the same everywhere."""

import unicodedata
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connector.words import moment

HERE: Final = Path(__file__).parent
_UNSEEN: Final = ("Cc", "Cf", "Co", "Cn", "Cs")
"""Unicode's categories of what has no shape."""
_LONG: Final = 2
"""Of a larger unit there must be as many before it is spoken of."""


def environment() -> Environment:
    """Return the templates, with what they need."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (when, since, plain, long, number, percent, code)
    made.filters |= {one.__name__: one for one in filters}
    return made


def when(at: float | None, now: float) -> Markup:
    """Return a time for people and for machines, with how long ago it was."""
    stamp = moment(at)
    if at is None or stamp is None:
        return Markup('<span class="none">–</span>')
    said = stamp[:-1].replace("T", " ")
    ago = f"{long(now - at)} ago" if at <= now else f"in {long(at - now)}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(stamp, said, ago)


def since(at: float, now: float) -> Markup:
    """Return a time with its clock time, where that matters most."""
    stamp = moment(at) or ""
    return Markup('<time datetime="{}">{} UTC</time> ({})').format(
        stamp, stamp[:16].replace("T", " "), f"{long(now - at)} ago" if at <= now else f"in {long(at - now)}"
    )


def long(seconds: float | None) -> str:
    """Return a duration in the unit that people would take: `40 s`, `12 min`, `5 h`, `3 days`."""
    if seconds is None:
        return "–"
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= _LONG * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(seconds, 0))} s"


def number(value: int) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Return a share without decimals."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def plain(words: str) -> str:
    """Return a text from the CRM or from Gong with what nobody can see written out: a mark that turns the reading
    direction would make an id look like another one.
    """
    return "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in _UNSEEN and letter != "\n" else letter
        for letter in words
    )


def code(words: str) -> Markup:
    """Return words with what stands between backticks as code, all of it escaped."""
    pieces = plain(words).split("`")
    if len(pieces) % 2 == 0:
        return Markup("{}").format(plain(words))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else Markup("{}").format(piece)
        for place, piece in enumerate(pieces)
    )
