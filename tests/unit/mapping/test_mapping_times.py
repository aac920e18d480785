"""Moments and dates of every form that databases deliver."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.times import day, epoch, moment, moment_text
from connector.mapping.unfit import Unfit

NEW_YORK = ZoneInfo("America/New_York")


def told(value: object, zone: ZoneInfo = NEW_YORK) -> str | None:
    read = moment(value, zone)
    return None if read is None else moment_text(read)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 999999), "2026-01-02T08:04:05Z"),
        (datetime(2026, 7, 2, 3, 4, 5), "2026-07-02T07:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2026-01-01T21:34:05Z"),
        (date(2026, 1, 2), "2026-01-02T05:00:00Z"),
        ("2026-01-02 03:04:05", "2026-01-02T08:04:05Z"),
        ("2026-01-02T03:04:05.123456789", "2026-01-02T08:04:05Z"),
        ("2026-01-02 03:04:05,9Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.5z", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05+01", "2026-01-02T02:04:05Z"),
        ("2026-01-02 03:04:05-0130", "2026-01-02T04:34:05Z"),
        ("2026-01-02 03:04:05 +01:30", "2026-01-02T01:34:05Z"),
        ("1880-01-02 03:04:05-04:56:02", "1880-01-02T08:00:07Z"),
        ("2026-01-02 03:04", "2026-01-02T08:04:00Z"),
        (" 2026-01-02 ", "2026-01-02T05:00:00Z"),
        (1_767_323_045, "2026-01-02T03:04:05Z"),
        (1_767_323_045_999, "2026-01-02T03:04:05Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (0, "1970-01-01T00:00:00Z"),
        ("1969-12-31 23:59:59.9Z", "1969-12-31T23:59:59Z"),
        ("0001-01-02 00:00:00Z", "0001-01-02T00:00:00Z"),
        ("0000-00-00 00:00:00", None),
        ("0000-00-00", None),
        ("", None),
        (" ", None),
    ],
)
def test_moments(value: object, expected: str | None) -> None:
    assert told(value) == expected


def test_the_hour_that_stands_twice_is_its_first_and_the_one_that_never_was_moves_forward() -> None:
    assert told(datetime(2026, 11, 1, 1, 30)) == "2026-11-01T05:30:00Z"
    assert told(datetime(2026, 11, 1, 1, 30, fold=1)) == "2026-11-01T05:30:00Z"
    assert told(datetime(2026, 3, 8, 2, 30)) == "2026-03-08T07:30:00Z"  # 03:30 in New York


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("infinity", "is not a date and time that can be read"),
        ("-infinity", "is not a date and time that can be read"),
        ("2026-01-02 03:04:05 BC", "is not a date and time that can be read"),
        ("10000-01-02 03:04:05", "is not a date and time that can be read"),
        ("20260102", "is not a date and time that can be read"),
        ("yesterday", "is not a date and time that can be read"),
        ("٢٠٢٦-01-02", "is not a date and time that can be read"),
        ("2026-02-30", "is a date or time that does not exist"),
        ("2026-00-00", "is a date or time that does not exist"),
        ("2026-01-02 24:00:00", "is a date or time that does not exist"),
        ("2026-01-02 03:04:05+24:00", "has an offset from UTC of a day or more"),
        ("9999-12-31 23:59:59-01:00", "is outside the years 1 to 9999"),
        (10**17, "is outside the years 1 to 9999"),
        (True, "is not a date and time"),
        (1.5, "is not a date and time"),
        (b"2026-01-02", "is not a date and time"),
    ],
)
def test_unreadable_moments(value: object, words: str) -> None:
    with pytest.raises(Unfit) as refused:
        moment(value, NEW_YORK)
    assert refused.value.reason == words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 1, 2), date(2026, 1, 2)),
        (datetime(2026, 1, 2, 23, 59), date(2026, 1, 2)),
        (datetime(2026, 1, 2, 3, 0, tzinfo=UTC), date(2026, 1, 1)),
        ("2026-01-02", date(2026, 1, 2)),
        ("2026-01-02 23:59:59.9", date(2026, 1, 2)),
        ("2026-01-02T03:00:00Z", date(2026, 1, 1)),
        ("0000-00-00", None),
        ("", None),
    ],
)
def test_days(value: object, expected: date | None) -> None:
    assert day(value, NEW_YORK) == expected


@pytest.mark.parametrize("value", [20260102, "soon", "2026-13-01", 1.5, b"x", True])
def test_unreadable_days(value: object) -> None:
    with pytest.raises(Unfit):
        day(value, NEW_YORK)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_is_cut_to_the_second_and_never_rounded_up(value: datetime) -> None:
    try:
        read = moment(value, NEW_YORK)
    except Unfit:
        assert value.year in (1, 9999)
        return
    assert read is not None
    assert timedelta(0) <= value - read < timedelta(seconds=1)
    assert datetime.fromisoformat(moment_text(read)) == read


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)))
def test_text_and_datetime_of_one_moment_are_told_alike(value: datetime) -> None:
    assert told(str(value)) == told(value)
    assert told(value.isoformat() + "Z") == told(value.replace(tzinfo=UTC))


@given(st.integers(min_value=-62_135_596_800, max_value=10**11 - 1))
def test_epoch_seconds_survive(seconds: int) -> None:
    read = moment(seconds, NEW_YORK)
    assert read is not None
    assert epoch(read) == seconds
