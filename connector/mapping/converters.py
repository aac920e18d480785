"""What `convert` can do to a value: one entry each in a table, by the name that the mapping file uses."""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from connector.mapping.nearest import suggestion
from connector.mapping.times import read_iso
from connector.mapping.unfit import Unfit, Unreadable
from connector.mapping.values import text_of

Converter = Callable[[Any], Any]
"""Makes a value of a value that is not None; gives None where it says nothing (blank text, a zero date).

Raises Unreadable where there is something, but not what the converter looks for.
"""

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
_ZERO_DATE = re.compile(r"[\W_]*0[\W_0]*")
"""No day has the number 0: a text of noughts alone (`00/00/0000`) stands for no date, in whatever format."""


def _email(value: Any) -> str | None:
    """Return the first valid address in free text such as `"Nick" <nick@x.example>, old@x.example`."""
    text = text_of(value)
    match = EMAIL_ADDRESS.search(text)
    if match is None and text.strip():
        raise Unreadable("holds no valid e-mail address")
    return match[0] if match else None


def _host(value: Any) -> str | None:
    """Return the host of a web address, lower-case, without port and `www.`; what has no dot (`n/a`) is none."""
    text = text_of(value).strip()
    match = _HOST.fullmatch(text)
    if match is None and text:
        raise Unreadable("is not the address of a host")
    return match["host"].lower() if match else None


def _trim(value: Any) -> str:
    return text_of(value).strip()


def _html_unescape(value: Any) -> str:
    return html.unescape(text_of(value))


def _json_at(path: str) -> Converter:
    """Return what takes the single value at a dotted path out of JSON; what is not there is none."""
    steps = path.split(".")
    if not all(steps):
        raise ValueError("a path is names of keys, or places in a list from 0, with dots between: address.city")

    def convert(value: Any) -> Any:
        content = value if isinstance(value, dict | list) else _parsed(text_of(value))
        for step in steps:
            if content is None:
                return None
            content = _inside(content, step)
        if isinstance(content, dict | list):
            raise Unreadable(f"holds no single value at the JSON path `{path}`")
        return content

    return convert


def _parsed(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError):
        raise Unreadable("is not valid JSON") from None


def _no_number(_name: str) -> None:
    raise ValueError("JSON has neither NaN nor infinities")


def _inside(content: Any, step: str) -> Any:
    if isinstance(content, dict):
        return content.get(step)
    if isinstance(content, list):
        place = int(step) if step.isascii() and step.isdecimal() and len(step) < 10 else len(content)
        return content[place] if place < len(content) else None
    raise Unreadable(f"holds no JSON object or list that the path's `{step}` could be looked up in")


def _date(form: str | None) -> Converter:
    """Return what reads a date, or a date with a time of day where the format has one."""
    read = _iso if form is None else _formatted(form)

    def convert(value: Any) -> date | None:
        if isinstance(value, date):
            return value
        text = text_of(value).strip()
        return None if not text or _ZERO_DATE.fullmatch(text) else read(text)

    return convert


def _iso(text: str) -> date | None:
    try:
        found = read_iso(text)
    except Unfit as unfit:
        raise Unreadable(unfit.reason) from None
    return found.date() if found is not None and len(text) == len("2026-01-02") else found


_DIRECTIVES: Final = "%YymdbBjaAHIpMSfz"


def _formatted(form: str) -> Callable[[str], date]:
    _check_format(form)
    has_time = "%H" in form or "%I" in form

    def read(text: str) -> date:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put to it where it becomes a moment
        except (ValueError, OverflowError):
            raise Unreadable(f"is not a date written as `{form}`") from None
        return found if has_time else found.date()

    return read


def _check_format(form: str) -> None:
    """Raise ValueError, with words for the user, where no whole date can be read by a format."""
    used = re.findall(r"%(.?)", form, re.DOTALL)
    for directive in used:
        if not directive or directive not in _DIRECTIVES:
            known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
            raise ValueError(f"'%{directive}' cannot be used here; what can: {known}")
        if directive != "%" and used.count(directive) > 1:
            raise ValueError(f"'%{directive}' stands twice")
    if not {"Y", "y"} & {*used} or not ("j" in used or ("d" in used and {"m", "b", "B"} & {*used})):
        raise ValueError('the format of a whole date is meant here, year, month and day: "%m/%d/%y"')


def _alone(convert: Converter) -> Callable[[str | None], Converter]:
    return lambda _argument: convert


def _with_path(argument: str | None) -> Converter:
    if argument is None:
        raise ValueError("needs to know where to look: {json: en_US}")
    return _json_at(argument)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A converter as the mapping file knows it."""

    forms: tuple[str, ...]
    """How it is written in the file."""
    about: str
    make: Callable[[str | None], Converter]
    """Makes it, of its argument. Raises ValueError with words for the user."""
    alone: bool = True
    """True where it can stand without an argument."""
    argument: str = ""
    """What its argument says; empty where it takes none."""


CONVERTERS: Final[Mapping[str, Recipe]] = {
    "email": Recipe(
        ("email",),
        'The first valid address in free text such as `"Nick" <nick@x.example>, old@x.example`. Text without one is '
        "unreadable.",
        _alone(_email),
    ),
    "host": Recipe(
        ("host",),
        "The host of a web address, in small letters, without port and `www.`. Text that is none (`n/a`) is "
        "unreadable.",
        _alone(_host),
    ),
    "html_unescape": Recipe(
        ("html_unescape",),
        "Text with HTML entities (`&amp;`, `&#039;`) as it is meant. What was escaped twice needs it twice.",
        _alone(_html_unescape),
    ),
    "trim": Recipe(("trim",), "Text without white space at its ends.", _alone(_trim)),
    "json": Recipe(
        ("{json: PATH}",),
        "The value at a path of keys, or places in a list from 0, with dots between: `address.city`, `0.name`. What "
        "is not there is none. What is not JSON, and an object or a list at the path, is unreadable.",
        _with_path,
        alone=False,
        argument="Path of keys, or places in a list from 0, with dots between.",
    ),
    "date": Recipe(
        ("date", '{date: "FORMAT"}'),
        "A date, or a date and time, out of text: ISO 8601, or a format of these parts: "
        + " ".join(f"`%{letter}`" for letter in _DIRECTIVES)
        + " (strptime; names of days and months in English; `%y` is 1969 to 2068). Zero dates such as `0000-00-00` are "
        "none, other text is unreadable.",
        _date,
        argument='Format of the date, such as "%m/%d/%y".',
    ),
}
"""What there is; `connector.mapping.shape` and the reference are made from it."""


def converter(name: str, argument: str | None) -> Converter:
    """Return the converter of that name and argument. Raises ValueError with words for the user."""
    recipe = CONVERTERS.get(name)
    if recipe is None:
        raise ValueError(f"'{name}' is not a converter. {suggestion(name, CONVERTERS)}")
    if argument is not None and not recipe.argument:
        raise ValueError(f"`{name}` takes nothing more; write `{name}`")
    return recipe.make(argument)
