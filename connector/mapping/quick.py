"""Short ways for values as drivers usually deliver them; whatever is unusual goes the way of `values` and `times`.

Each gives what the plain way gives (a property test holds them equal), for values that are not None, and raises what
that raises.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

import orjson

from connector.mapping.picking import Finisher, Unread
from connector.mapping.plain import Plain
from connector.mapping.times import EPOCH
from connector.mapping.values import number_text, object_id_of
from connector.object_types import MAX_OBJECT_ID_CHARS

Quick = Callable[[Any, Unread], Any]
"""Makes a value what the line holds: a text, a truth, an integer, a list, None, or JSON written already."""

WHOLE: Final = 2**63
"""Integers between its negative and it are written by their digits, whatever is done with them."""

is_plain_number = re.compile(r"-?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]{1,80})?").fullmatch
"""A number that stands in JSON as it is; leading noughts, signs of plus, exponents and blanks do not."""
_ISO = "2026-01-02 03:04:05"
_LONGEST_TIME = len("2026-01-02 03:04:05.123456789+00")
_MOST_KNOWN = 5_000
_LONGEST_KNOWN = 64


def object_id(value: Any) -> str:
    """Return a key, or a reference to one, as an objectId."""
    if type(value) is int and -WHOLE < value < WHOLE:
        return str(value)
    if (
        type(value) is str
        and 0 < len(value) <= MAX_OBJECT_ID_CHARS
        and value.isprintable()  # neither control characters nor halves of a character
        and not value.isspace()
    ):
        return value
    return object_id_of(value)


def plain_in_text(value: Any) -> bool:
    """Tell whether a value stands in a template's text as `str` writes it."""
    return type(value) is str or (type(value) is int and -WHOLE < value < WHOLE)


def plain_in_address(value: Any) -> bool:
    """Tell whether a value stands in a web address as `str` writes it: nothing in it has to be encoded."""
    return (type(value) is int and -WHOLE < value < WHOLE) or (
        type(value) is str and value.isalnum() and value.isascii()
    )


def reference(finish: Quick) -> Quick:
    """Return the short way of a field that names another object."""

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is str and not value.strip():
            return finish(value, unread)
        return object_id(value)

    return read


def remembering(finish: Quick, known: dict[str, Any]) -> Quick:
    """Return the short way of a field with few different texts: what became of one is `known` from then on."""

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is not str:  # 1, 1.0 and True are equal as keys, and not as values
            return finish(value, unread)
        if value in known:
            return known[value]
        told = finish(value, unread)
        if not unread and len(value) <= _LONGEST_KNOWN and len(known) < _MOST_KNOWN:  # warnings are told each time
            known[value] = told
        return told

    return read


def written(finish: Finisher) -> Quick:
    """Return the plain way of a number, with what it gives written as JSON: exactly, as no driver's type would be."""

    def read(value: Any, unread: Unread) -> Any:
        told = finish(value, unread)
        return None if told is None else orjson.Fragment(number_text(told))  # type: ignore[arg-type]  # a number's kind

    return read


def number(unusual: Quick) -> Quick:
    """Return the short way of a number: its digits go into the line as they are."""

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is Decimal or type(value) is float:
            text = str(value)
            if is_plain_number(text):
                return orjson.Fragment(text)
        return unusual(value, unread)

    return read


def truth(finish: Quick) -> Quick:
    """Return the short way of true and false where a database has 1 and 0 for them."""

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is int and 0 <= value <= 1:
            return value == 1
        return finish(value, unread)

    return read


def day(finish: Quick, zone: tzinfo) -> Quick:
    """Return the short way of a date, or of the date of a moment in UTC."""
    in_utc, utc = _is_utc(zone), utc_text(zone)

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is date:
            return value.isoformat()
        if in_utc and type(value) is str and utc(value) is not None:
            return value[:10]
        return finish(value, unread)

    return read


def _is_utc(zone: tzinfo) -> bool:
    return zone is UTC or str(zone) == "UTC"


def utc_text(zone: tzinfo) -> Callable[[str], datetime | None]:
    """Return what reads `2026-01-02 03:04:05.123+00`, or the same without offset in a zone that is UTC; None for every
    other form, and for a day or an hour that there is not.

    Python's own reader is fast and knows the calendar, but takes more forms than we do: the places of the separators
    leave only ours.
    """
    in_utc = _is_utc(zone)
    read = datetime.fromisoformat

    def utc(value: str) -> datetime | None:
        if value[4:17:3] != "-- ::" or len(value) > _LONGEST_TIME:
            return None
        if value[-3:] == "+00":
            ours = value[19] in ".+" and value[20].isdigit()
        else:
            ours = in_utc and (len(value) == len(_ISO) or (value[19:20] == "." and value[20:].isdigit()))
        try:
            return read(value) if ours else None
        except ValueError:
            return None

    return utc


def moment(finish: Quick, zone: tzinfo) -> Quick:
    """Return the short way of a moment that comes as a time in UTC."""
    in_utc = _is_utc(zone)

    def read(value: Any, unread: Unread) -> Any:
        if type(value) is datetime and (value.tzinfo is UTC or (in_utc and value.tzinfo is None)):
            return f"{value.isoformat()[:19]}Z"
        return finish(value, unread)

    return read


def stamp(plain: Plain) -> Callable[[Any, int], int | None]:
    """Return the short way of a row's modified time in seconds since 1970."""
    in_utc, utc = _is_utc(plain.stamp_zone), utc_text(plain.stamp_zone)

    def read(value: Any, now: int) -> int | None:
        at = utc(value) if type(value) is str else value
        if type(at) is datetime:
            if in_utc and at.tzinfo is None:
                at = at.replace(tzinfo=UTC)
            if at.tzinfo is UTC and at >= EPOCH:
                seconds = int(at.timestamp())
                return seconds if seconds < now else now
        return plain.stamp(value, now)

    return read
