"""What `status` says of the day's calls, and of histories on their way."""

from connector.engine.pacing import Plan
from connector.engine.wording import backfill_words, budget_words
from connector.ledger.backfills import Backfill, BackfillState
from connector.ledger.budget import Standing
from connector.object_types import ObjectType

NOW = 1_800_000_000.0


def said(standing: Standing, interval: float = 60.0, *, running: bool = True) -> list[tuple[str, bool]]:
    return list(budget_words(Plan(60.0, interval, 12, NOW + interval, standing), NOW, running=running))


def test_a_quiet_day_takes_one_sentence() -> None:
    day = Standing(3120, 9000, 0, 0.1, None, paused=False)
    assert said(day) == [("Calls to Gong in the last 24 hours: 3,120 of 9,000.", False)]


def test_a_day_that_would_not_last_is_told_with_what_is_done_about_it() -> None:
    day = Standing(4000, 9000, 500, 0.07, None, paused=False)
    (used, look), (stretched, _) = said(day, interval=171.0)
    assert used.endswith("; at the pace of the last hour a day takes 12,000.")
    assert look
    assert stretched.startswith("Passes come every 2 min 51 s instead of every 1 min 0 s: the last one cost 12 calls")
    assert len(said(day, interval=171.0, running=False)) == 1, "without a daemon no passes come"


def test_a_spent_day_and_a_pause_say_until_when() -> None:
    spent = Standing(9000, 9000, 0, 0.0, NOW + 3000, paused=False)
    assert said(spent)[1] == (
        "The day's calls are spent: none can be made before 2027-01-15T08:50:00Z (in 50 min 0 s).",
        True,
    )
    paused = Standing(90, 9000, 0, 0.1, NOW + 7200, paused=True)
    assert said(paused)[1][0].startswith("Gong wants no call before 2027-01-15T10:00:00Z (in 2 h 0 min)")


def test_a_history_on_its_way_says_how_far_it_is_and_how_it_goes_on() -> None:
    one = Backfill(
        id=1, type=ObjectType.DEAL, name="DEAL", asked="x", since=None, until=None, state=BackfillState.SENDING, wave=2,
        waves=5, objects=10, versions=4200, booked=1500, left_out=0, gaps=0, refused=0, most_lines=None, tries=0,
        due_at=0.0, started_at=NOW, finished_at=None,
    )  # fmt: skip
    said = backfill_words(one)
    assert "wave 2 of 5, 1,500 of 4,200 versions in files" in said
    assert "`gong-connector backfill DEAL`" in said
