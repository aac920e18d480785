"""The rules by which the day's calls last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.pace import DAY, Calls, first_minute, free_at, pace, reserved, sustainable, wait_for_room
from connector.ledger.records import Priority

NOW = 1_800_000_000.0
PER_DAY = 1000
MADE = st.lists(
    st.builds(
        Calls,
        st.integers(first_minute(NOW), int(NOW // 60)),
        st.sampled_from([int(priority) for priority in Priority]),
        st.integers(1, 60),
    ),
    max_size=15,
    unique_by=lambda calls: (calls.minute, calls.priority),
)


def most_in_a_day(calls: list[Calls], at: float, rate: float) -> float:
    """How many calls count at the worst moment of the day after `at` if `rate` a second are made from then on."""
    ends = [free_at(one.minute) for one in calls if at < free_at(one.minute) <= at + DAY]
    return max(
        sum(one.number for one in calls if free_at(one.minute) >= end) + rate * (end - at) for end in [*ends, at + DAY]
    )


@given(MADE)
def test_the_pace_that_can_be_kept_up_never_comes_to_too_many_calls_and_nearly_to_all(calls: list[Calls]) -> None:
    rate = sustainable(calls, NOW, PER_DAY)
    used = sum(one.number for one in calls)
    assert 0 <= rate <= PER_DAY / DAY
    if used <= PER_DAY:
        assert most_in_a_day(calls, NOW, rate) <= PER_DAY + 1e-6
        assert most_in_a_day(calls, NOW, rate * 1.01 + 1e-9) > PER_DAY
    else:
        assert rate == 0


@given(MADE, st.floats(0, PER_DAY / DAY * 0.9))
def test_a_less_urgent_call_leaves_what_is_kept_for_more_urgent_ones(calls: list[Calls], kept: float) -> None:
    wait = wait_for_room(calls, NOW, PER_DAY, kept)
    later = [one for one in calls if free_at(one.minute) > NOW + wait]
    if not wait:
        extra = [*calls, Calls(int(NOW // 60), 9, 1)]
        assert most_in_a_day(extra, NOW, kept) <= PER_DAY + 1 + 1e-6
    else:  # it is worth waiting no longer
        made = kept * wait
        for one in later:
            still = sum(other.number for other in later if other.minute >= one.minute)
            assert still + 1 + made + kept * (free_at(one.minute) - NOW - wait) <= PER_DAY + 1e-6


def test_what_is_kept_is_the_pace_of_what_is_more_urgent_with_its_polls() -> None:
    minute = int(NOW // 60)
    calls = [Calls(minute - 5, Priority.INCREMENTAL, 30), Calls(minute - 5, Priority.POLL, 40)]
    calls.append(Calls(minute - 5, Priority.BACKFILL, 10))
    assert pace(calls, NOW, Priority.RECONCILE) * 3600 == 60
    assert reserved(calls, NOW, 9000, Priority.RECONCILE) == pytest.approx(1.1 * 60 / 3600)
    assert reserved(calls, NOW, 9000, Priority.INCREMENTAL) == 0
    # However busy the day is, a tenth is left for comparisons, and of that nothing to history.
    assert reserved(calls, NOW, 100, Priority.RECONCILE) * DAY == 90
    assert reserved(calls, NOW, 100, Priority.BACKFILL) * DAY == 80
    calls = [Calls(minute - 600, Priority.INCREMENTAL, 86)]
    assert reserved(calls, NOW, 9000, Priority.RECONCILE) * DAY == pytest.approx(94.6)  # a quiet hour after a busy one
