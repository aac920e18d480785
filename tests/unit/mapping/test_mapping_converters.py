"""What `convert` makes of the values that CRMs hold."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

import contextlib
import html
import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.converters import CONVERTERS, converter
from connector.mapping.unfit import Unfit, Unreadable

UNREADABLE = object()


def converted(name: str, argument: str | None, value: Any) -> Any:
    """What a converter makes of a value; UNREADABLE where it finds nothing in it."""
    try:
        return converter(name, argument)(value)
    except Unreadable:
        return UNREADABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nick@x.example", "nick@x.example"),
        ('"Nick" <nick@x.example>', "nick@x.example"),
        ("&quot;Nick&quot; &lt;nick@x.example&gt;", "nick@x.example"),
        ("a@x.example, b@y.example", "a@x.example"),
        ("none; b@y.example", "b@y.example"),
        ("bad@, (b@y.example)", "b@y.example"),
        ("mailto:nick@x.example", "nick@x.example"),
        ("'nick@x.example'", "nick@x.example"),
        ("Write to nick@x.example.", "nick@x.example"),
        ("O'Neil.x+tag@sub.x-y.example", "O'Neil.x+tag@sub.x-y.example"),
        ("Nick@X.Example", "Nick@X.Example"),
        ("nick@bücher.example", "nick@bücher.example"),
        ("nick@x.xn--p1ai", "nick@x.xn--p1ai"),
        ("a..b@x.example", UNREADABLE),
        ("a.@x.example", UNREADABLE),
        (".a@x.example", UNREADABLE),
        ("nick@localhost", UNREADABLE),
        ("nick@x.1", UNREADABLE),
        ("nick@-x.example", UNREADABLE),
        ("a@b@x.example", UNREADABLE),
        ("é.nick@x.example", UNREADABLE),
        ("a" * 65 + "@x.example", UNREADABLE),
        ("no address", UNREADABLE),
        (7, UNREADABLE),
        (" \t\n", None),
        ("", None),
    ],
)
def test_email(text: Any, expected: Any) -> None:
    assert converted("email", None, text) == expected


@pytest.mark.parametrize("text", ["a" * 300_000, "a'" * 150_000, "a.b." * 75_000 + "@", "@a." * 100_000])
def test_email_passes_long_texts_quickly(text: str) -> None:
    started = time.process_time()
    converted("email", None, text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Acme.example/en/?q=1#x", "acme.example"),
        ("http://acme.example:8080", "acme.example"),
        ("www.acme.example", "acme.example"),
        (" acme.example ", "acme.example"),
        ("acme.example:443/x", "acme.example"),
        ("//acme.example", "acme.example"),
        ("https://user:pw@shop.acme.example./x", "shop.acme.example"),
        ("www.example", "www.example"),
        ("https://bücher.example", "bücher.example"),
        ("http://", UNREADABLE),
        ("http:", UNREADABLE),
        ("n/a", UNREADABLE),
        ("acme", UNREADABLE),
        ("see acme.example", UNREADABLE),
        ("  ", None),
        ("", None),
    ],
)
def test_host(text: str, expected: Any) -> None:
    assert converted("host", None, text) == expected


def test_trim() -> None:
    assert converted("trim", None, " \u00a0 a b\t\n") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ben &amp; Jerry&#039;s", "Ben & Jerry's"),
        ("&lt;b&gt; &quot;&euro;&#x1F600;&quot;", '<b> "€\U0001f600"'),
        ("AT&T R&D &unknown; &", "AT&T R&D &unknown; &"),
        ("&amp;lt;", "&lt;"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
        ("", ""),
    ],
)
def test_html_unescape(text: str, expected: str) -> None:
    assert converted("html_unescape", None, text) == expected


@given(st.text())
def test_html_unescape_gives_back_any_text_that_was_escaped(text: str) -> None:
    assert converted("html_unescape", None, html.escape(text)) == text


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("en_US", '{"en_US": "New", "fr_FR": "Nouveau"}', "New"),
        ("en_US", {"en_US": "New"}, "New"),
        ("fr_FR", '{"en_US": "New"}', None),
        ("address.city", '{"address": {"city": "Ålesund"}}', "Ålesund"),
        ("address.city", '{"address": null}', None),
        ("tags.1", '{"tags": ["a", "b"]}', "b"),
        ("0.name", [{"name": "first"}], "first"),
        ("tags.2", '{"tags": ["a", "b"]}', None),
        ("tags.-1", '{"tags": ["a", "b"]}', None),
        ("tags.٣", '{"tags": ["a", "b"]}', None),
        ("tags." + "9" * 5000, '{"tags": ["a", "b"]}', None),
        ("n", '{"n": 12345678901234567890.10}', Decimal("12345678901234567890.10")),
        ("n", '{"n": 9007199254740993}', 9007199254740993),
        ("b", '{"b": false}', False),
        ("a", '{"a": null}', None),
        ("a", "null", None),
        ("a", " ", None),
        ("a", '{"a": {"b": 1}}', UNREADABLE),
        ("a", '{"a": [1]}', UNREADABLE),
        ("a.b", '{"a": "text"}', UNREADABLE),
        ("a", '"text"', UNREADABLE),
        ("a", "text", UNREADABLE),
        ("a", '{"a": NaN}', UNREADABLE),
        ("a", '{"a": 1e9999999999999999999}', UNREADABLE),
        ("a", "[" * 100_000, UNREADABLE),
        ("a", 5, UNREADABLE),
    ],
)
def test_json(path: str, value: Any, expected: Any) -> None:
    found = converted("json", path, value)
    assert (type(found), found) == (type(expected), expected)


_LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.text())
def test_json_finds_what_plain_steps_through_the_value_find(value: Any, more: str) -> None:
    place: Any = value
    path: list[str] = []
    while isinstance(place, dict | list) and place:
        key = next(iter(place)) if isinstance(place, dict) else len(place) - 1
        if isinstance(key, str) and (not key or "." in key):
            break
        path.append(str(key))
        place = place[key]
    if not path:
        return
    expected = UNREADABLE if isinstance(place, dict | list) else place
    assert converted("json", ".".join(path), json.dumps(value)) == expected
    assert converted("json", ".".join(path), value) == expected


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (None, "2026-02-01", date(2026, 2, 1)),
        (None, " 2026-02-01 10:20:30.5 ", datetime(2026, 2, 1, 10, 20, 30)),
        (None, "2026-02-01T10:20:30Z", datetime(2026, 2, 1, 10, 20, 30, tzinfo=UTC)),
        (None, date(2026, 2, 1), date(2026, 2, 1)),
        (None, datetime(2026, 2, 1, 5), datetime(2026, 2, 1, 5)),
        (None, "01.02.2026", UNREADABLE),
        (None, "2026-02-30", UNREADABLE),
        (None, "0001-01-01", date(1, 1, 1)),
        ("%m/%d/%y", "02/01/26", date(2026, 2, 1)),
        ("%m/%d/%y", "2/1/69", date(1969, 2, 1)),
        ("%d %B %Y", "1 february 2026", date(2026, 2, 1)),
        ("%Y%m%d", 20260201, date(2026, 2, 1)),
        ("%Y-%j", "2026-032", date(2026, 2, 1)),
        ("%d.%m.%Y %H:%M", "01.02.2026 07:08", datetime(2026, 2, 1, 7, 8)),
        ("%m/%d/%Y %I:%M %p %z", "02/01/2026 07:08 PM +0000", datetime(2026, 2, 1, 19, 8, tzinfo=UTC)),
        ("%m/%d/%y", "01.02.26", UNREADABLE),
        ("%m/%d/%y", "13/01/26", UNREADABLE),
        ("%m/%d/%y", "02/01/26 10:00", UNREADABLE),
        ("%m/%d/%y", "soon", UNREADABLE),
        *((form, zero, None) for form in (None, "%m/%d/%y") for zero in ("0000-00-00", "00/00/00", "0", " ", "")),
        (None, "0000-00-00 00:00:00", None),
        (None, "0000-00-00 00:00:00.000000", None),
        (None, "0000-00-00 10:00:00", None),
    ],
)
def test_date(form: str | None, value: Any, expected: Any) -> None:
    found = converted("date", form, value)
    assert (type(found), found) == (type(expected), expected)


@given(st.dates(min_value=date(1969, 1, 1), max_value=date(2068, 12, 31)))
def test_date_reads_every_day_that_was_written_in_its_format(day: date) -> None:
    for form in ("%m/%d/%y", "%d.%m.%Y", "%Y %j", "%B %d, %Y", "%a %d-%b-%y"):
        assert converted("date", form, day.strftime(form)) == day
    assert converted("date", None, day.isoformat()) == day


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters())
    | st.binary()
    | st.datetimes()
    | st.lists(st.text())
    | st.dictionaries(st.text(), st.text())
)


@given(_VALUES.filter(lambda value: value is not None), st.sampled_from([*CONVERTERS, "formatted"]))
def test_no_value_breaks_a_converter(value: Any, name: str) -> None:
    form = {"json": "a.0", "formatted": "%d.%m.%y"}.get(name)
    convert = converter("date" if name == "formatted" else name, form)
    with contextlib.suppress(Unfit):
        assert not isinstance(convert(value), list | dict)
