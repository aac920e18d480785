"""When full comparisons are: so many seconds apart, or at the times of a cron expression."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connector.engine.comparisons import Every, comparisons
from connector.errors import ConfigError, ConfigProblems
from connector.settings import load_settings

NEW_YORK = ZoneInfo("America/New_York")
NAME = "CONNECTOR_RECONCILE_INTERVAL_SECONDS"
HOUR, DAY = 3600, 86_400


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()


def due(cron: str, compared: str, now: str) -> str:
    moment = comparisons(cron, NEW_YORK, NAME).due_at(at(compared), at(now))
    return datetime.fromtimestamp(moment, NEW_YORK).strftime("%a %Y-%m-%d %H:%M")


def test_seconds_count_from_the_last_comparison_and_what_comes_soon_joins() -> None:
    hourly = comparisons(3600.0, NEW_YORK, NAME)
    assert hourly == Every(3600.0)
    assert hourly.due_at(1000.0, 9000.0) == 4600.0
    assert hourly.joins(2799.0, 1000.0)
    assert not hourly.joins(4600.0, 1000.0)


def test_a_cron_expression_is_in_the_mapping_s_zone_and_follows_its_clocks() -> None:
    assert due("0 2 * * *", "2026-06-01 02:00:30", "2026-06-01 12:00") == "Tue 2026-06-02 02:00"
    assert due("30 1 * * *", "2026-10-31 01:45", "2026-10-31 12:00") == "Sun 2026-11-01 01:30"
    assert due("0 3 * * *", "2026-03-07 03:10", "2026-03-07 12:00") == "Sun 2026-03-08 03:00"


def test_a_time_that_clocks_skip_comes_all_the_same_and_one_that_they_repeat_comes_once() -> None:
    assert due("30 2 * * *", "2026-03-07 02:45", "2026-03-07 12:00") == "Sun 2026-03-08 03:30", "there is no 02:30"
    nightly, hourly = (comparisons(cron, NEW_YORK, NAME) for cron in ("30 1 * * *", "30 * * * *"))
    first = at("2026-11-01 01:30")
    assert nightly.due_at(at("2026-10-31 01:31"), at("2026-11-01 01:00")) == first
    assert nightly.due_at(first + 5, first + HOUR) == at("2026-11-02 01:30")
    assert hourly.due_at(first + 5, first + HOUR) == first + HOUR, "each hour is one of them"


def test_a_comparison_from_the_future_keeps_none_back_once_the_clock_was_set_right() -> None:
    now = at("2026-06-01 12:00")
    assert comparisons(3600.0, NEW_YORK, NAME).due_at(now + 400 * DAY, now) <= now
    assert due("0 2 * * *", "2027-06-01 02:00:30", "2026-06-01 12:00") == "Tue 2026-06-02 02:00"


def test_nothing_is_compared_outside_of_its_times_though_one_was_missed() -> None:
    assert due("0 2 * * *", "2026-06-01 02:30", "2026-06-02 02:59") == "Tue 2026-06-02 02:00"
    assert due("0 2 * * *", "2026-06-01 02:30", "2026-06-02 09:00") == "Wed 2026-06-03 02:00"
    nightly = comparisons("0 2 * * *", NEW_YORK, NAME)
    assert not nightly.joins(at("2026-06-03 02:00"), at("2026-06-03 01:59"))
    assert nightly.joins(at("2026-06-03 02:00"), at("2026-06-03 02:00"))


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("0", "Sun 2026-06-07 02:00"),
        ("7", "Sun 2026-06-07 02:00"),
        ("1", "Mon 2026-06-08 02:00"),
        ("6-7", "Sat 2026-06-06 02:00"),
        ("1-5", "Tue 2026-06-02 02:00"),
        ("0-6", "Tue 2026-06-02 02:00"),
        ("sat,sun", "Sat 2026-06-06 02:00"),
        ("*/3", "Wed 2026-06-03 02:00"),
        ("5/1", "Fri 2026-06-05 02:00"),
    ],
)
def test_days_of_the_week_are_cron_s_where_0_is_sunday(days: str, found: str) -> None:
    assert due(f"0 2 * * {days}", "2026-06-01 02:30", "2026-06-01 03:00") == found, "the first of June is a Monday"


def test_a_time_that_never_comes_is_never_due() -> None:
    assert comparisons("0 2 30 2 *", NEW_YORK, NAME).due_at(0.0, at("2026-06-01 00:00")) == float("inf")


@pytest.mark.parametrize(
    "wrong", ["61 2 * * *", "0 2 * * 8", "0 2 * * fri-mon", "0 2 * * */0", "a b c d e", "0 2 32 * *"]
)
def test_a_wrong_expression_is_named_with_its_setting(wrong: str) -> None:
    with pytest.raises(ConfigError, match=rf"{NAME}: '.*' is no cron expression: .*0 2 \* \* \* is every night at two"):
        comparisons(wrong, NEW_YORK, NAME)


@pytest.mark.parametrize(("written", "read"), [("7200", 7200.0), ("0 2 * * *", "0 2 * * *")])
def test_the_setting_holds_either(monkeypatch: pytest.MonkeyPatch, written: str, read: float | str) -> None:
    monkeypatch.setenv(NAME, written)
    assert load_settings().reconcile_interval_seconds == read


@pytest.mark.parametrize("wrong", ["59", "nightly", "0 2 * *", "nan", "inf"])
def test_what_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv(NAME, wrong)
    with pytest.raises(
        ConfigProblems, match=rf"{NAME}: give seconds, 60 at least, or a cron expression of five fields"
    ):
        load_settings()
