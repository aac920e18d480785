"""The cursor's bound: (source's now) − overlap in the column's own terms, and never a row written later below it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm import Crm, flat, relation
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.model import KEY, ColumnKind, Position
from connector.source import stamps

HOUR = timedelta(hours=1)


def _is_between(crm: Crm, bound: str, zone: str, make: Callable[[datetime], str]) -> None:
    """Rows two minutes before the bound's moment are not after it, rows just after now are."""
    at = crm.now()
    rows = [(1, make(at - timedelta(seconds=720)), "old"), (2, make(at), "now"), (3, make(at + HOUR), "later")]
    crm.insert("deals", rows)
    after = Position(bound, "")
    assert [row[KEY] for row in flat(crm.source.changes(relation(timezone=zone), after))] == [2, 3]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_times_without_a_zone(crm: Crm, zone: str) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    crm.insert("deals", [(0, "2020-01-01 00:00:00.5", "very old")])
    bound = crm.source.cursor_bound(relation(timezone=zone), 600).modified

    def wall(at: datetime) -> str:
        return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ")

    _is_between(crm, bound, zone, wall)


@pytest.mark.not_on("sqlite", "duckdb", why="SQLite has no times with a zone, and DuckDB no clock that runs")
def test_times_with_a_zone_do_not_follow_the_mappings_zone(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {zoned}, name VARCHAR(50)")
    bound = crm.source.cursor_bound(relation(timezone="Asia/Tokyo"), 600).modified
    with crm.owner.begin() as connection:
        setting = "SET time_zone = '+00:00'" if crm.backend == "mysql" else "SET timezone = 'UTC'"
        connection.exec_driver_sql(setting)
        for number, seconds in enumerate((-720, 0, 3600)):
            at = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(tzinfo=None)
            connection.exec_driver_sql(f"INSERT INTO deals VALUES ({number}, '{at}', 'x')")
    after = Position(bound, "")
    assert [row[KEY] for row in flat(crm.source.changes(relation(), after))] == [1, 2]


def test_dates(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at DATE, name VARCHAR(50)")
    crm.insert("deals", [(0, "2020-01-01", "old")])
    bound = crm.source.cursor_bound(relation(), 600).modified
    assert flat(crm.source.changes(relation(), Position(bound, ""))) == []
    today = crm.now()
    crm.insert("deals", [(1, today.date().isoformat(), "today")])
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound, "")))] == [1]


@pytest.mark.parametrize("unit", [1, 1000])
def test_epoch_numbers(crm: Crm, unit: int) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {bigint}, name VARCHAR(50)")
    crm.insert("deals", [(0, 1_600_000_000 * unit, "old")])
    bound = crm.source.cursor_bound(relation(), 600).modified
    _is_between(crm, bound, "UTC", lambda at: str(int(at.timestamp() * unit)))


@pytest.mark.parametrize(("kind", "make"), [
    ("{bigint}", lambda at: str(int(at.timestamp()))),
    ("{bigint}", lambda at: str(int(at.timestamp() * 1000))),
    ("{stamp}", lambda at: at.replace(tzinfo=None).isoformat(" ")),
    ("DATE", lambda at: at.date().isoformat()),
    ("VARCHAR(40)", lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
])  # fmt: skip
def test_stamps_in_the_future_push_no_bound(crm: Crm, kind: str, make: Callable[[datetime], str]) -> None:
    """Year 9999 in seconds looks like milliseconds of today."""
    crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
    far = [datetime(9999, 12, 31, tzinfo=UTC), crm.now() + timedelta(days=30)]
    old = datetime(2020, 1, 1, tzinfo=UTC)
    crm.insert("deals", [(number, make(at), "x") for number, at in enumerate([*far, old])])
    bound = crm.source.cursor_bound(relation(), 600)
    crm.insert("deals", [(7, make(crm.now()), "new")])
    assert 7 in [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound.modified, "")))]


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.%fZ",
        "%Y-%m-%d %H:%M:%S+00:00",
    ],
)
def test_texts(crm: Crm, form: str) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at VARCHAR(40), name VARCHAR(50)")
    zone = "UTC" if form.endswith(("Z", "+00:00")) else "America/New_York"
    crm.insert("deals", [(0, datetime(2020, 1, 1, tzinfo=UTC).strftime(form), "old")])
    bound = crm.source.cursor_bound(relation(timezone=zone), 600).modified
    _is_between(crm, bound, zone, lambda at: at.astimezone(ZoneInfo(zone)).strftime(form))


def test_texts_with_a_foreign_offset_are_read_again_rather_than_missed(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at VARCHAR(40), name VARCHAR(50)")
    at = crm.now()
    west, east = (at.astimezone(ZoneInfo(name)) for name in ("America/Los_Angeles", "Asia/Tokyo"))
    crm.insert("deals", [(0, (east - timedelta(days=3)).isoformat(), "old")])
    bound = crm.source.cursor_bound(relation(), 600).modified
    crm.insert("deals", [(1, west.isoformat(), "now"), (2, east.isoformat(), "now")])
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound, "")))] == [1, 2]


def test_blanks_among_texts_with_a_t_are_not_missed(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at VARCHAR(40), name VARCHAR(50)")
    at = crm.now()
    rows = [(0, "2020-01-01T00:00:00"), (1, (at - HOUR).strftime("%Y-%m-%d %H:%M:%S")), (2, f"{at:%Y-%m-%dT%H:%M:%S}")]
    crm.insert("deals", [(*row, "x") for row in rows])
    bound = crm.source.cursor_bound(relation(), 600).modified
    crm.insert("deals", [(3, (at + timedelta(seconds=60)).strftime("%Y-%m-%d %H:%M:%S"), "now")])
    assert 3 in [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound, "")))]


def test_an_empty_table_loses_nothing_that_is_written_later(crm: Crm) -> None:
    for kind, value in (("{stamp}", "2099-01-01 00:00:00"), ("{bigint}", 1), ("VARCHAR(40)", "2099-01-01")):
        crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
        crm.source.describe(relation())
        bound = crm.source.cursor_bound(relation(), 0).modified
        crm.insert("deals", [(1, value, "x")])
        assert len(flat(crm.source.changes(relation(), Position(bound, "")))) == 1
        crm.execute("DROP TABLE deals")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("{bigint}", 17, "neither seconds nor milliseconds"),
        ("VARCHAR(40)", "3 days ago", "do not start with YYYY-MM-DD"),
        ("{float}", 2460000.5, "fractional numbers|kind float"),
        ("{bytes}", b"\x00\x01", "no times|kind binary"),
    ],
)
def test_columns_that_tell_no_time_are_refused_in_words(crm: Crm, kind: str, value: Any, words: str) -> None:
    crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
    crm.insert("deals", [(1, value, "x")])
    with pytest.raises(ConfigError, match=words) as caught:
        crm.source.cursor_bound(relation(), 0)
    assert str(caught.value).startswith("DEAL: column 'updated_at': ")
    assert str(value) not in str(caught.value)


@pytest.mark.only_on("sqlite", why="only SQLite mixes types within a column")
def test_numbers_and_texts_in_one_column_are_refused(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at DATETIME, name VARCHAR(50)")
    crm.insert("deals", [(1, 1_700_000_000, "x"), (2, "2026-01-01 00:00:00", "x")])
    with pytest.raises(ConfigError, match="numbers in some rows"):
        crm.source.cursor_bound(relation(), 0)


def test_an_unknown_zone_is_refused(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    with pytest.raises(ConfigError, match=r"source\.timezone: 'Mars/Olympus'"):
        crm.source.cursor_bound(relation(timezone="Mars/Olympus"), 0)


ZONES = [
    "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC",
    "Africa/Casablanca", "Antarctica/Troll", "Pacific/Chatham",
]  # fmt: skip


@given(
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - made aware below
    later=st.timedeltas(timedelta(0), timedelta(hours=5)),
)
def test_no_later_moment_shows_a_wall_clock_below_the_bound(zone: str, start: datetime, later: timedelta) -> None:
    at = start.replace(tzinfo=UTC)
    bound = stamps.local(at, ZoneInfo(zone))
    wall = (at + later).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert bound <= wall
    assert at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - bound < timedelta(hours=2, seconds=1)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-10-25 00:29:59.9", "2026-10-25 01:29:59"),  # 02:29:59 summer time: 02:00 will come once more
        ("2026-10-25 01:30:00", "2026-10-25 02:30:00"),
        ("2026-10-24 23:59:59", "2026-10-25 01:59:59"),
        ("2026-03-29 00:59:59", "2026-03-29 01:59:59"),
        ("2026-03-29 01:00:00", "2026-03-29 03:00:00"),
    ],
)
def test_clock_changes_in_paris(utc: str, expected: str) -> None:
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    bound = stamps.bound(ColumnKind.DATETIME, at, ZoneInfo("Europe/Paris"), _unasked, _unasked, dynamic=False)
    assert str(bound) == expected


def _unasked(*_: object) -> Any:
    raise AssertionError("the kind says enough")
