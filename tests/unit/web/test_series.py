"""The numbers behind the charts."""

from connector.ledger.charts import Minute, Settled
from connector.ledger.records import BatchState
from connector.object_types import ObjectType
from connector.web.series import DAY, STEP, Lag, bars, budget, lags

NOW = 1_800_000_000.0


def settled(ago: float, lines: int = 1, lag: float | None = None, state: BatchState = BatchState.DONE) -> Settled:
    at = NOW - ago
    return Settled(ObjectType.DEAL, state, lines, at, None if lag is None else at - lag)


def test_a_day_has_its_quarters_of_an_hour_the_present_one_last() -> None:
    found = bars([settled(DAY + 5000, 7), settled(3700, 5, 60), settled(3650, 2, 90), settled(0, 1)], NOW)
    assert len(found) == DAY // STEP
    assert found[-1].start <= NOW < found[-1].start + STEP
    assert [(one.lines, one.files, one.lag) for one in found if one.files] == [(7, 2, 90.0), (1, 1, None)]


def test_the_lag_of_a_type_is_its_last_usual_and_worst() -> None:
    files = [settled(900, lag=100), settled(600, lag=30), settled(300, lag=40), settled(0)]
    assert lags(files) == {ObjectType.DEAL: Lag(40.0, 40.0, 100.0)}
    assert lags([settled(10, lag=5, state=BatchState.RESOLVED)]) == {}, "Gong never said DONE"
    assert lags([settled(10, lag=-20)]) == {ObjectType.DEAL: Lag(0.0, 0.0, 0.0)}, "the CRM's clock is ahead"


def test_calls_of_24_hours_roll_out_again_and_the_last_hours_pace_goes_on() -> None:
    minute = int(NOW // 60)
    used = budget([Minute(minute - 600, 50), Minute(minute - 10, 20)], NOW, last_hour=20)
    at = {one.at: one for one in used}
    assert at[int(NOW)].calls == 70
    assert not at[int(NOW)].foreseen
    later = at[int(NOW) + 15 * 3600]
    assert later.foreseen
    assert later.calls == 20 + 15 * 20, "what was called ten hours ago is free again after fourteen"
    assert used[-1].calls == 24 * 20
    assert [one.at for one in used] == sorted(one.at for one in used)
