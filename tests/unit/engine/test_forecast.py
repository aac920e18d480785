"""What sending costs: calls of a day, the interval that fits, files, time."""

import pytest

from connector.engine.forecast import Flow, Load, advised, calls_a_day, files_of, load_seconds
from connector.object_types import ObjectType

DAY = 86_400


@pytest.mark.parametrize(
    ("changes", "interval", "calls"),
    [
        (0, 120, 0),
        (1, 120, 2),  # one change, one file
        (1_000_000, 120, 2 * DAY / 120),  # every pass finds something
        (1_000_000, 600, 2 * DAY / 600),
    ],
)
def test_a_file_costs_two_calls_and_a_pass_makes_one_at_most(changes: int, interval: float, calls: float) -> None:
    assert calls_a_day([Flow("DEAL", changes)], interval) == pytest.approx(calls, rel=0.01)


def test_a_source_that_is_read_less_often_costs_less() -> None:
    assert calls_a_day([Flow("DEAL", 1e6, 3600)], 120) == pytest.approx(48, rel=0.01)


def test_the_shortest_interval_is_advised_whose_day_leaves_a_fifth_of_the_calls() -> None:
    busy = [Flow(name, 1e6) for name in ("ACCOUNT", "CONTACT", "DEAL", "LEAD")]
    assert calls_a_day(busy, 120) == pytest.approx(5760, rel=0.01)
    assert advised(busy, 9000, 60) == 120
    assert advised(busy, 5760 / 0.8 - 10, 60) == 180
    assert advised(busy, 100, 60) is None
    assert advised([], 9000, 60) == 60


@pytest.mark.parametrize(("lines", "size", "files"), [(0, 0, 0), (1, 10, 1), (10, 1000, 1), (10, 1001, 2)])
def test_files_are_cut_by_bytes(lines: int, size: int, files: int) -> None:
    assert files_of(lines, size, 1000) == files


def test_a_load_waits_for_each_wave_and_for_fresh_accounts() -> None:
    accounts = Load(ObjectType.ACCOUNT, 10, 100, 1.0, 30.0)
    deals = Load(ObjectType.DEAL, 10, 100, 2.0, None)
    assert load_seconds([accounts, deals], 4, 2, 60, 5) == 3.0 + 30 + 5 + 60
    assert load_seconds([deals], 4, 2, 60, 5) == 2.0 + 5
    assert load_seconds([deals], 40, 2, 60, 5) == 20.0 + 5
