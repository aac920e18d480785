"""The flat encoder says of every row what the plain one says."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.mapping import CompiledMapping, Entity
from connector.model import ColumnKind

Compile = Callable[..., CompiledMapping]

NOW = 1_800_000_000

_DEAL = """  DEAL:
    table: d
    key: id
    modified: m
    fields:
      url: {template: "https://x.example/{a}/{b}"}
      accountId: a
      ownerId: {column: b, null_if: [none, "0"]}
      name: c
      createdDate: d
      closeDate: e
      status: {column: f, map: {"1": WON, x: LOST, y: ~}, default: OPEN}
      stage: {column: g, default: first}
      amount: h
    additional_fields:
      - {name: bool, type: BOOLEAN, column: i}
      - {name: bool_default, type: BOOLEAN, column: i, default: yes}
      - {name: pick, type: PICKLIST, column: j, values: [a, x], null_if: ["", b]}
      - {name: pick_null, type: PICKLIST, column: k, values: [x, "1", n/a], unlisted: null}
      - {name: pick_default, type: PICKLIST, column: g, values: [x, b], unlisted: null, map: {y: b, x: x}, default: b}
      - {name: text, type: STRING, column: k, null_if: ["", n/a], default: "-"}
      - {name: both, type: STRING, template: "{k} {l}"}
      - {name: count, type: NUMBER, column: l, null_if: [-1, 0], default: 7}
      - {name: fixed, type: NUMBER, value: 1.50}
      - {name: day, type: DATE, column: d, default: 2026-01-01}
      - {name: at, type: DATETIME, column: e}
      - {name: mail, type: EMAILADDRESS, column: c, convert: email}
      - {name: deep, type: NUMBER, column: k, convert: {json: a.0}}
      - {name: link, type: URL, template: "{c}"}
      - {name: mapped, type: NUMBER, column: g, map: {"1": 1.0, x: 2}, default: 1e2}
"""
_TIMES = (
    "2026-01-02 03:04:05", "2026-01-02 03:04:05.123", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05.123456+00",
    "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.1234567891+00", "2026-01-02 03:04:05.+00", "2026-01-02 03:04:05,5",
    "2026-01-02 03:04:05+02", "2026-01-02 03:04:05 +00", "2026-01-02 03:04+00", "2026-01-02 24:00:00",
    "2026-01-02 03:04:60", "2026-02-30 03:04:05+00", "2026-W01-1 03:04:05", "20260102 03:04:05+00", "infinity",
    "0044-03-15 00:00:00+00 BC", "10000-01-01 00:00:00+00", "0000-00-00 00:00:00", "0000-00-00", "2026-01-02",
    "2026-13-02", "٢026-01-02 03:04:05", "2026-01-02 03:04:05x+00", "2026-01-02 03:04:05-00",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59+00", "1969-12-31 23:59:59.5+00", "2026-10-25 02:30:00",
)  # fmt: skip
_NUMBERS = (
    "0", "-0", "-0.00", "007", "1.50", "+1", "1.", ".5", "1e3", "1E400", " 1 ", "1 0", "١", "0x1", "9" * 400, ".", "..",
    "0.50", "00.5", "-1.5", "1.5.5", "1234.", "١.5", "1.٥", "9" * 90 + ".5", "9." + "5" * 90, "1 .5", "1_0.5", "NaN",
)  # fmt: skip
_ODD_TEXTS = ("", " ", "\t", "a\0b", "\ud800", "é", "\u3000", "x", "y", "b", "n/a", "none", "1", "true", "a" * 65,
              "\xa0", "\u2028", "x@x.example", '{"a": [1.5]}', '{"a": [{}]}', "\x7f", "a b", "ﬀ", "٣")  # fmt: skip
_CELLS = (
    st.none()
    | st.booleans()
    | st.sampled_from((0, 1, -1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400, 1 << 1024))
    | st.integers()
    | st.sampled_from((0.0, -0.0, 1e16, 1e-7, 1e22, 0.1, float("nan"), float("inf")))
    | st.floats()
    | st.sampled_from(
        [Decimal(t) for t in ("0", "-0.00", "1E+2", "1E-7", "0E-30", "NaN", "Infinity", "1E+400", "2.50")]
    )
    | st.decimals()
    | st.sampled_from(_TIMES + _NUMBERS + _ODD_TEXTS)
    | st.text(st.characters(), max_size=70)
    | st.binary(max_size=4)
    | st.datetimes()
    | st.datetimes(datetime(1969, 12, 31), datetime(2040, 1, 1), timezones=st.just(UTC))
    | st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), timezone(timedelta(0))]))
    | st.dates()
    | st.sampled_from([time(1, 2), UUID(int=5), date(2026, 1, 2), datetime(2026, 1, 2, 3), [1, "a"], {"a": [1]}, []])
)


def _agree(entity: Entity, rows: list[tuple[Any, ...]]) -> None:
    flat, plain = entity.encode(rows, NOW), entity.plain.encode(rows, NOW)
    assert flat == plain
    # Equal is not enough: 1, 1.0 and True are.
    assert [[type(value) for value in line] for line in flat.lines] == [
        [type(value) for value in line] for line in plain.lines
    ]


_KINDS: list[dict[str, ColumnKind]] = [
    {},
    {"m": ColumnKind.DATETIME_TZ, "d": ColumnKind.DATETIME_TZ, "e": ColumnKind.DATE, "l": ColumnKind.INTEGER},
    {"m": ColumnKind.DATETIME, "d": ColumnKind.DATETIME, "k": ColumnKind.JSON, "c": ColumnKind.TEXT},
]


@pytest.mark.parametrize("kinds", _KINDS, ids=["unknown", "zoned", "unzoned"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_deals(compiled: Compile, kinds: dict[str, ColumnKind], zone: str, data: st.DataObject) -> None:
    [deals] = _cached(compiled, _DEAL + f"source: {{timezone: {zone}}}", kinds)
    assert deals.relation is not None
    width = 3 + len(deals.relation.columns)
    # Mostly one odd value among usual ones: a row that is odd in many places shows only the first.
    usual = (7, "2026-01-02 03:04:05+00", 0, *["x"] * (width - 3))
    rows = []
    for _ in range(data.draw(st.integers(1, 5))):
        row = list(usual)
        for place in data.draw(st.sets(st.integers(0, width - 1), max_size=4)):
            row[place] = data.draw(_CELLS)
        rows.append(tuple(row))
    _agree(deals, rows)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_every_odd_number_and_time_where_a_usual_one_is_expected(compiled: Compile, zone: str) -> None:
    [deals] = _cached(compiled, _DEAL + f"source: {{timezone: {zone}}}", _KINDS[1])
    assert deals.relation is not None
    for column, texts in (("h", _NUMBERS), ("l", _NUMBERS), ("d", _TIMES), ("e", _TIMES)):
        place = 3 + deals.relation.columns.index(column)
        for text in texts:
            row: list[Any] = [7, "2026-01-02 03:04:05+00", 0, *["x"] * len(deals.relation.columns)]
            row[place] = text
            _agree(deals, [tuple(row)])


_OTHERS = """  BUSINESS_USER: {table: u, key: id, modified: m, deleted: g, fields: {emailAddress: a}}
  STAGE: {table: s, key: id, modified: m, fields: {name: a, sortOrder: b}}
  ACCOUNT:
    table: a
    key: id
    modified: m
    fields: {name: a, domains: {column: b, split: ",", convert: host}, url: b}
  CONTACT: {table: c, key: id, modified: m, fields: {accountId: a, emailAddress: b, firstName: a, title: {value: Dr}}}
  DEAL: {table: d, key: id, modified: m, fields: {isOpen: a, isWon: b, name: a}}
  LEAD:
    table: l
    key: id
    modified: m
    fields: {emailAddress: {column: a, convert: [trim, email], unreadable: refuse}, convertedToDealId: b}
"""


@given(st.lists(st.tuples(_CELLS, _CELLS, st.sampled_from((0, 0, 0, 1, None)), _CELLS, _CELLS), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_type(compiled: Compile, rows: list[tuple[Any, ...]]) -> None:
    for entity in _cached(compiled, _OTHERS, {}):
        _agree(entity, [row[: 3 + len(entity.plain.columns)] for row in rows])


def test_all_odd_values_of_each_field_at_once(compiled: Compile) -> None:
    [deals] = _cached(compiled, _DEAL, {})
    assert deals.relation is not None
    width = len(deals.relation.columns)
    for value in (*_TIMES, *_NUMBERS, *_ODD_TEXTS, None, True, 0, 1, 1.0, Decimal("1.0"), b"1", b"\xff"):
        for place in range(width + 3):
            row = [7, "2026-01-02 03:04:05+00", 0, *["x"] * width]
            row[place] = value
            _agree(deals, [tuple(row)] * 2)


_compiled: dict[str, tuple[Entity, ...]] = {}


def _cached(compiled: Compile, text: str, kinds: dict[str, ColumnKind]) -> tuple[Entity, ...]:
    """Compile once: what an encoder remembers of earlier rows must not change what it says of later ones."""
    key = f"{text}{kinds}"
    if key not in _compiled:
        _compiled[key] = compiled("entities:\n" + text, kinds).entities
    return _compiled[key]
