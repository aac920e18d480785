"""What each kind of field takes of what drivers deliver, and how it is written as JSON."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.kinds import Kind
from connector.mapping.unfit import Unfit
from connector.mapping.values import object_id_of, reader, to_json
from connector.model import ColumnKind

UUID_TEXT = "0b5a7c1e-2222-4333-8444-555566667777"


def written(kind: Kind, value: Any, column: ColumnKind = ColumnKind.UNKNOWN) -> str:
    return to_json(reader(kind, column, UTC)(value)).decode()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.TEXT, "", '""'),
        (Kind.TEXT, " a ", '" a "'),
        (Kind.TEXT, 'a"\\b', r'"a\"\\b"'),
        (Kind.TEXT, "\0\x1f\x7f", '"\\u0000\\u001f\x7f"'),
        (Kind.TEXT, "\u2028😀", '"\u2028😀"'),
        (Kind.TEXT, 7, '"7"'),
        (Kind.TEXT, 2**70, f'"{2**70}"'),
        (Kind.TEXT, Decimal("10.10"), '"10.10"'),
        (Kind.TEXT, 0.1, '"0.1"'),
        (Kind.TEXT, True, '"true"'),
        (Kind.TEXT, date(2026, 1, 2), '"2026-01-02"'),
        (Kind.TEXT, datetime(2026, 1, 2, 3, 4, 5), '"2026-01-02T03:04:05"'),
        (Kind.TEXT, time(3, 4), '"03:04:00"'),
        (Kind.TEXT, UUID(UUID_TEXT.upper()), f'"{UUID_TEXT}"'),
        (Kind.TEXT, "é".encode(), '"é"'),
        (Kind.TEXT, ["a", None, 1], '"a;1"'),
        (Kind.TEXT, [["a"], 1], '"[[\\"a\\"],1]"'),
        (Kind.TEXT, {"b": None, "a": "é"}, '"{\\"a\\":\\"é\\",\\"b\\":null}"'),
        (Kind.CHOICE, "", "null"),
        (Kind.CHOICE, 3, '"3"'),
        (Kind.REFERENCE, 7, '"7"'),
        (Kind.REFERENCE, Decimal("7.00"), '"7"'),
        (Kind.REFERENCE, "a_b", '"a_b"'),
        (Kind.REFERENCE, "", "null"),
        (Kind.NUMBER, Decimal("10.10"), "10.10"),
        (Kind.NUMBER, Decimal("1E+3"), "1000"),
        (Kind.NUMBER, Decimal("1E-7"), "0.0000001"),
        (Kind.NUMBER, 2**63 + 1, str(2**63 + 1)),
        (Kind.NUMBER, 10**30, "1" + "0" * 30),
        (Kind.NUMBER, 0.1, "0.1"),
        (Kind.NUMBER, 1e22, "1e+22"),
        (Kind.NUMBER, " 12.50 ", "12.50"),
        (Kind.NUMBER, "+.5", "0.5"),
        (Kind.NUMBER, "", "null"),
        (Kind.POSITION, Decimal("3.0"), "3"),
        (Kind.POSITION, "12", "12"),
        (Kind.BOOLEAN, 1, "true"),
        (Kind.BOOLEAN, Decimal("0"), "false"),
        (Kind.BOOLEAN, "Yes", "true"),
        (Kind.BOOLEAN, "F", "false"),
        (Kind.BOOLEAN, b"\x01", "true"),
        (Kind.BOOLEAN, b"\x00", "false"),
        (Kind.BOOLEAN, " ", "null"),
        (Kind.DATETIME, "2026-01-02 03:04:05.9", '"2026-01-02T03:04:05Z"'),
        (Kind.DATE, datetime(2026, 1, 2, 3), '"2026-01-02"'),
        (Kind.DATE, "0000-00-00", "null"),
        (Kind.DOMAINS, " a.example ", '["a.example"]'),
        (Kind.DOMAINS, ["a.example", "", None, " b.example", "a.example"], '["a.example","b.example"]'),
        (Kind.DOMAINS, "", "[]"),
        (Kind.STATUS, "WON", '"WON"'),
        (Kind.STATUS, "", "null"),
        (Kind.WEB_ADDRESS, "https://x.example/a?b=1#c", '"https://x.example/a?b=1#c"'),
        (Kind.WEB_ADDRESS, "HTTP://x.example", '"HTTP://x.example"'),
        (Kind.WEB_ADDRESS, "", "null"),
    ],
)
def test_what_fits(kind: Kind, value: Any, expected: str) -> None:
    assert written(kind, value) == expected


def test_an_integer_column_may_deliver_booleans_for_a_number() -> None:
    assert written(Kind.NUMBER, True, ColumnKind.INTEGER) == "1"


def test_a_json_column_is_told_as_json_and_its_domains_are_read() -> None:
    assert written(Kind.TEXT, ["a", "b"], ColumnKind.JSON) == '"[\\"a\\",\\"b\\"]"'
    assert written(Kind.DOMAINS, '["a.example"]', ColumnKind.JSON) == '["a.example"]'
    assert written(Kind.DOMAINS, "null", ColumnKind.JSON) == "null"
    with pytest.raises(Unfit, match="is not valid JSON"):
        written(Kind.DOMAINS, "[", ColumnKind.JSON)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Kind.TEXT, b"\xff", "is not valid UTF-8 text"),
        (Kind.TEXT, "a\ud800", "holds broken text (half of a character)"),
        (Kind.TEXT, math.nan, "is not a finite number"),
        (Kind.TEXT, {"a": math.inf}, "holds what JSON cannot say"),
        (Kind.TEXT, object(), "is of a type that has no text (object)"),
        (Kind.NUMBER, math.nan, "is not a finite number"),
        (Kind.NUMBER, -math.inf, "is not a finite number"),
        (Kind.NUMBER, Decimal("NaN"), "is not a finite number"),
        (Kind.NUMBER, Decimal("sNaN"), "is not a finite number"),
        (Kind.NUMBER, Decimal("-Infinity"), "is not a finite number"),
        (Kind.NUMBER, Decimal("1E+999999"), "is a number too large or too long to send"),
        (Kind.NUMBER, Decimal("1E-999999"), "is a number too large or too long to send"),
        (Kind.NUMBER, "9e9999", "is a number too large or too long to send"),
        (Kind.NUMBER, 10**400, "is a number too large to send"),
        (Kind.NUMBER, True, "is not a number"),
        (Kind.NUMBER, "1,234", "is not a number"),
        (Kind.NUMBER, "1" * 500, "is not a number"),
        (Kind.NUMBER, "nan", "is not a number"),
        (Kind.NUMBER, "１２", "is not a number"),
        (Kind.NUMBER, b"1", "is not a number"),
        (Kind.POSITION, 0, "is not an integer from 1"),
        (Kind.POSITION, 1.5, "is not an integer from 1"),
        (Kind.POSITION, math.inf, "is not a finite number"),
        (Kind.BOOLEAN, 2, "is neither true nor false"),
        (Kind.BOOLEAN, 1.0, "is neither true nor false"),
        (Kind.BOOLEAN, "on", "is neither true nor false"),
        (Kind.BOOLEAN, Decimal("sNaN"), "is neither true nor false"),
        (Kind.DATE, 20260102, "is not a date"),
        (Kind.REFERENCE, 7.0, "cannot be an object's id: it is neither text, integer nor UUID"),
        (Kind.REFERENCE, "a\nb", "holds control characters or broken text"),
        (Kind.STATUS, "won", "is not OPEN, WON or LOST; a `map` in the mapping file can make it so"),
        (Kind.WEB_ADDRESS, "x.example", "is not a full http or https address"),
        (Kind.WEB_ADDRESS, "ftp://x.example", "is not a full http or https address"),
        (Kind.WEB_ADDRESS, "https://", "is not a full http or https address"),
        (Kind.WEB_ADDRESS, "https://x.example/a b", "is not a full http or https address"),
    ],
)
def test_what_does_not_fit(kind: Kind, value: Any, words: str) -> None:
    with pytest.raises(Unfit) as refused:
        written(kind, value)
    assert refused.value.reason == words


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (7, "7"),
        (-7, "-7"),
        (2**63, str(2**63)),
        (Decimal("7"), "7"),
        (Decimal("7E+2"), "700"),
        (UUID(UUID_TEXT.upper()), UUID_TEXT),
        ("Ab c", "Ab c"),
        (" x ", " x "),
        ("é" * 64, "é" * 64),
    ],
)
def test_keys(key: Any, expected: str) -> None:
    assert object_id_of(key) == expected


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (None, "cannot be an object's id: it is neither text, integer nor UUID"),
        (True, "cannot be an object's id: it is neither text, integer nor UUID"),
        (7.0, "cannot be an object's id: it is neither text, integer nor UUID"),
        (b"x", "cannot be an object's id: it is neither text, integer nor UUID"),
        (Decimal("7.5"), "cannot be an object's id: it is neither text, integer nor UUID"),
        (Decimal("NaN"), "cannot be an object's id: it is neither text, integer nor UUID"),
        (date(2026, 1, 2), "cannot be an object's id: it is neither text, integer nor UUID"),
        ("", "is empty"),
        (" \t", "is empty"),
        ("x" * 65, "is longer than 64 characters"),
        (10**64, "is longer than 64 characters"),
        ("a\0", "holds control characters or broken text"),
        ("a\x85", "holds control characters or broken text"),
        ("a\udfff", "holds control characters or broken text"),
    ],
)
def test_unfit_keys(key: Any, words: str) -> None:
    with pytest.raises(Unfit) as refused:
        object_id_of(key)
    assert refused.value.reason == words


@given(st.text(st.characters(), max_size=50))
def test_every_text_survives_unless_it_is_broken(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(Unfit):
            written(Kind.TEXT, text)
    else:
        line = written(Kind.TEXT, text)
        assert json.loads(line) == text
        assert "\n" not in line


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_keep_their_digits(number: Decimal) -> None:
    try:
        line = written(Kind.NUMBER, number)
    except Unfit:
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)
        assert number.adjusted() > 300 or abs(exponent) > 300
        return
    assert Decimal(str(json.loads(line, parse_float=Decimal))) == number
    assert Decimal(line).is_signed() == number.is_signed()


@given(st.integers(min_value=-(2**1000), max_value=2**1000))
def test_integers_are_exact(number: int) -> None:
    assert json.loads(written(Kind.NUMBER, number)) == number
    assert written(Kind.NUMBER, str(number)) == str(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(number: float) -> None:
    assert math.copysign(1, float(written(Kind.NUMBER, number))) == math.copysign(1, number)
    assert float(json.loads(written(Kind.NUMBER, number))) == number


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters())
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.uuids(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(list(Kind)), st.sampled_from(list(ColumnKind)), _ANYTHING.filter(lambda value: value is not None)
)
def test_any_value_is_valid_json_or_refused(kind: Kind, column: ColumnKind, value: Any) -> None:
    try:
        line = written(kind, value, column)
    except Unfit:
        return
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
