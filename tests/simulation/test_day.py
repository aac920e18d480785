"""A day and more of changes in all types every minute, with few calls; `make simulate` lives two days with 9,000."""

from statistics import median

from tests.simulation.day import Days


def test_the_days_calls_last_however_much_changes_and_all_of_it_arrives() -> None:
    with Days(per_day=240, interval=60.0) as days:
        report = days.run(hours=32)
    assert report.refused == 0
    assert report.most_in(86_400) <= 240
    assert report.most_in(0.9999) <= 3
    assert len(report.calls) > 240, "what came back after a day was used"
    assert report.restarts >= 5
    # The last pass's changes may be on their way; 14 calls a pass come to one every 84 minutes, and a burst before.
    assert len(report.lags) > report.changes - 6 * 300
    assert median(report.lags) < 5400
    assert max(report.lags) < 5 * 3600
