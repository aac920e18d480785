"""What drivers deliver, made into the values that Gong's fields hold, and those written as JSON.

A reader takes a value that is not None and returns what the line is to say: None where the value says nothing
(blank text where no text is meant, a zero date). It raises Unfit for what cannot be told to Gong.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from connector.mapping.kinds import Kind
from connector.mapping.times import day, moment, moment_text
from connector.mapping.unfit import Unfit
from connector.model import ColumnKind
from connector.object_types import DEAL_STATUSES, MAX_OBJECT_ID_CHARS

Told = str | bool | int | float | Decimal | list[str] | None
"""A value as a line tells it."""

Reader = Callable[[Any], Told]

_USUAL_ID = re.compile(r"[A-Za-z0-9_-]+|[^\s@]+@[^\s@]+")
_MAX_EXPONENT = 308
_MAX_DIGITS = 400
"""Numbers beyond a double's range, or longer than this written out, are taken for damaged."""

_NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#\x00-\x1f\x7f]+(?:[/?#][^\s\x00-\x1f\x7f]*)?", re.IGNORECASE)
_BOOLEAN_TEXTS: Final = {
    **dict.fromkeys(("1", "t", "true", "yes", "y"), True),
    **dict.fromkeys(("0", "f", "false", "no", "n"), False),
}


def text_of(value: Any) -> str:
    """Return a value as text: numbers with their own digits, times in ISO form, arrays joined by `;`.

    Objects, and arrays that hold more than plain values, are written as JSON. Raises Unfit for bytes that are
    not UTF-8, numbers that are none, and types that have no text.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return number_text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return _decoded(value)
        case list() if not any(isinstance(item, list | dict) for item in value):
            return ";".join(text_of(item) for item in value if item is not None)
        case list() | dict():
            return _json_text(value)
    raise Unfit(f"is of a type that has no text ({type(value).__name__})")


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unfit("is not valid UTF-8 text") from None


def _json_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise Unfit("holds what JSON cannot say") from None


def _json_column_text(value: Any) -> str:
    return _json_text(value) if isinstance(value, list | dict) else text_of(value)


def number_text(value: int | float | Decimal) -> str:
    """Write a number plainly and exactly: a decimal keeps its digits, a float has its shortest form.

    Raises Unfit for NaN, infinities, and what is beyond a double's range.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unfit("is not a finite number")
        return repr(value)
    if isinstance(value, int):
        if value.bit_length() > 1024:
            raise Unfit("is a number too large to send")
        return str(int(value))
    if not value.is_finite():
        raise Unfit("is not a finite number")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "finite decimals have a number for exponent"
    if (value and value.adjusted() > _MAX_EXPONENT) or abs(exponent) > _MAX_DIGITS:
        raise Unfit("is a number too large or too long to send")
    written = format(value, "f")
    if len(written) > _MAX_DIGITS:
        raise Unfit("is a number too large or too long to send")
    return written


def object_id_of(value: Any) -> str:
    """Return a row's key, or a reference to one, as Gong's `objectId`: 7 → "7", a UUID in canonical form.

    Texts stand as they are, for the id must be the same for ever. Raises Unfit for what cannot be an id.
    """
    match value:
        case bool() | float() | bytes() | None:
            raise Unfit("cannot be an object's id: it is neither text, integer nor UUID")
        case str():
            text = value
        case int() | UUID():
            text = str(value) if isinstance(value, UUID) else number_text(value)
        case Decimal() if value.is_finite() and value == value.to_integral_value():
            text = number_text(value.to_integral_value())
        case _:
            raise Unfit("cannot be an object's id: it is neither text, integer nor UUID")
    if not text or text.isspace():
        raise Unfit("is empty")
    if len(text) > MAX_OBJECT_ID_CHARS:
        raise Unfit(f"is longer than {MAX_OBJECT_ID_CHARS} characters")
    if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Unfit("holds control characters or broken text")
    return text


ODD_ID: Final = "of other characters than letters, digits, - and _, and no e-mail address: Gong may refuse it"


def is_usual_id(object_id: str) -> bool:
    """Tell whether Gong's reference allows an id; whether others are refused is not known (GONG_API, "Values")."""
    return _USUAL_ID.fullmatch(object_id) is not None


def _reference(value: Any) -> Told:
    return None if isinstance(value, str) and not value.strip() else object_id_of(value)


def _number(value: Any) -> Told:
    if isinstance(value, bool):
        raise Unfit("is not a number")
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if len(text) <= _MAX_DIGITS and _NUMBER_TEXT.fullmatch(text):
            return Decimal(text)
    raise Unfit("is not a number")


def _integer_column_number(value: Any) -> Told:
    return int(value) if isinstance(value, bool) else _number(value)


def _position(value: Any) -> Told:
    number = _number(value)
    if number is None:
        return None
    assert isinstance(number, int | float | Decimal)
    number_text(number)
    if number != int(number) or number < 1:
        raise Unfit("is not an integer from 1")
    return int(number)


def _boolean(value: Any) -> Told:
    if isinstance(value, bool):
        return value
    if (isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite())) and value in (0, 1):
        return bool(value)
    if value in (b"\x00", b"\x01"):
        return bool(value == b"\x01")
    if isinstance(value, str):
        text = value.strip().lower()
        if not text:
            return None
        if text in _BOOLEAN_TEXTS:
            return _BOOLEAN_TEXTS[text]
    raise Unfit("is neither true nor false")


def _domains(value: Any) -> Told:
    items = value if isinstance(value, list) else [value]
    texts = (text_of(item).strip() for item in items if item is not None)
    return list(dict.fromkeys(text for text in texts if text))


def _json_domains(value: Any) -> Told:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Unfit("is not valid JSON") from None
    return None if value is None else _domains(value)


def _status(value: Any) -> Told:
    text = text_of(value)
    if not text.strip():
        return None
    if text not in DEAL_STATUSES:
        raise Unfit("is not OPEN, WON or LOST; a `map` in the mapping file can make it so")
    return text


def is_web_address(text: str) -> bool:
    """Tell whether a text is a full http or https address."""
    return _WEB_ADDRESS.fullmatch(text) is not None


def _web_address(value: Any) -> Told:
    text = text_of(value)
    if not text.strip():
        return None
    if not is_web_address(text):
        raise Unfit("is not a full http or https address")
    return text


def _choice(value: Any) -> Told:
    text = text_of(value)
    return text if text.strip() else None


def reader(kind: Kind, column: ColumnKind, zone: tzinfo) -> Reader:
    """Return what makes values of a column of that kind into values for a field of `kind`.

    `zone` is that of datetimes without offset.
    """

    def read_moment(value: Any) -> Told:
        read = moment(value, zone)
        return None if read is None else moment_text(read)

    def read_day(value: Any) -> Told:
        read = day(value, zone)
        return None if read is None else read.isoformat()

    readers: dict[Kind, Reader] = {
        Kind.TEXT: _json_column_text if column is ColumnKind.JSON else text_of,
        Kind.REFERENCE: _reference,
        Kind.DATETIME: read_moment,
        Kind.DATE: read_day,
        Kind.NUMBER: _integer_column_number if column is ColumnKind.INTEGER else _number,
        Kind.POSITION: _position,
        Kind.BOOLEAN: _boolean,
        Kind.DOMAINS: _json_domains if column is ColumnKind.JSON else _domains,
        Kind.STATUS: _status,
        Kind.WEB_ADDRESS: _web_address,
        Kind.CHOICE: _choice,
    }
    return readers[kind]


def to_json(value: Told) -> bytes:
    """Write a value as JSON, numbers exactly. Raises Unfit for text with lone surrogates and endless numbers."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return number_text(value).encode()
    try:
        return orjson.dumps(value)
    except TypeError:
        raise Unfit("holds broken text (half of a character)") from None
