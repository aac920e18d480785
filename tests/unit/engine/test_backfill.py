"""Histories reach Gong version by version, in waves, and the present is the last word."""

from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from company import Company, Fault, FaultKind, ObjectType, Operation
from historic import historic, version

from connector.engine.backfill import UNFIT, BackfillPlan
from connector.engine.operations import BACKFILL, STOP_BACKFILL, BackfillArguments, carry_out, histories
from connector.errors import ConfigError, LeaseLost
from connector.ledger.backfills import Backfill, BackfillState
from connector.ledger.records import Pending

DEAL = ObjectType.DEAL


def deal(made: Company, number: int, versions: int, **values: Any) -> None:
    """A deal whose amount was 1, 2, 3, ... on the first days of January, and is 100 now."""
    made.put("deals", **({"id": number, "name": f"deal {number}", "account": 1, "amount": 100} | values))
    for day in range(1, versions + 1):
        version(made, number, day)


def backfill(made: Company, asked: str = "once") -> list[Backfill]:
    wiring = made.wiring
    return carry_out(wiring, BACKFILL.steps(wiring, BackfillArguments(DEAL, asked, None, None)))


def amounts(made: Company, number: int) -> list[Any]:
    """What Gong was told of a deal, in the order of its arrival."""
    versions = sorted(made.world.versions(DEAL, str(number)), key=lambda version: version.arrival)
    return [version.line.get("amount") for version in versions]


def at(made: Company, number: int, moment: float) -> Any:
    """What Gong shows of a deal for a moment: the last version by modifiedDate."""
    known = [one for one in made.world.versions(DEAL, str(number)) if one.modified <= moment]
    return max(known, key=lambda one: (one.modified, one.arrival)).line.get("amount") if known else None


def day(number: int) -> float:
    return datetime(2026, 1, number, 12, tzinfo=UTC).timestamp()


def stamp(made: Company, seconds: float) -> str:
    """A row's time, so many seconds from now."""
    return datetime.fromtimestamp(made.clock.now() + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_versions_arrive_in_order_and_the_present_last(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 6):
        deal(made, number, versions=number)
    deal(made, 9, versions=0)
    made.sync()
    (done,) = backfill(made)
    assert (done.state, done.objects, done.versions, done.booked) == (BackfillState.DONE, 5, 15, 15)
    for number in range(1, 6):
        assert amounts(made, number) == [100, *range(1, number + 1), 100]
        assert [at(made, number, day(moment)) for moment in (1, number, 31)] == [1, number, number]
        assert at(made, number, made.clock.now()) == 100
    assert amounts(made, 9) == [100]
    assert made.wiring.queries.work(made.clock.now()).held == 0
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["ledger.mark"]


def test_each_wave_is_a_file_that_settles_before_the_next(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=3)
    made.sync()
    before = len(made.uploads())
    backfill(made)
    assert made.uploads(before) == [("DEAL", 3)] * 4


def test_only_a_new_demand_sends_everything_once_more(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=2)
    made.sync()
    backfill(made)
    backfill(made)
    assert amounts(made, 1) == [100, 1, 2, 100]
    backfill(made, "once more")
    assert amounts(made, 1) == [100, 1, 2, 100, 1, 2, 100]


@pytest.mark.parametrize("step", range(1, 60, 4))
def test_killed_at_any_step_it_goes_on_and_sends_no_version_twice(tmp_path: Path, step: int) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=3)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    for _ in range(step):
        until = next(steps, "over")
        if until == "over":
            break
        made.wiring.syncer.turn(until)  # type: ignore[arg-type]
    made.restart()
    if until != "over":
        assert [one.state for one in backfill(made)] == [BackfillState.DONE]
    assert [amounts(made, number) for number in range(1, 4)] == [[100, 1, 2, 3, 100]] * 3


def test_a_lost_staging_file_is_made_anew_and_no_version_goes_twice(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=number + 1)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while made.wiring.backfills.all() == [] or made.wiring.backfills.all()[0].wave < 2:
        made.wiring.syncer.turn(next(steps))
    steps.close()
    for file in (tmp_path / "spool").glob("*.staging"):
        file.unlink()
    made.restart()
    (done,) = backfill(made)
    assert (done.state, done.versions, done.booked) == (BackfillState.DONE, 9, 9)
    assert [amounts(made, number) for number in range(1, 4)] == [
        [100, *range(1, number + 2), 100] for number in range(1, 4)
    ]


def test_a_change_meanwhile_waits_and_is_the_last_word(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=3)
    deal(made, 2, versions=0)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while made.wiring.backfills.all() == [] or made.wiring.backfills.all()[0].wave < 2:
        made.wiring.syncer.turn(next(steps))
    made.clock.advance(10)
    made.put("deals", id=1, name="deal 1", account=1, amount=200)
    made.put("deals", id=2, name="deal 2", account=1, amount=200)
    made.wiring.rounds.read(made.wiring.mapping.entities[1])
    assert made.wiring.store.lookup(DEAL, ["1"])["1"].pending is Pending.HISTORY
    carry_out(made.wiring, steps)
    assert amounts(made, 1) == [100, 1, 2, 3, 200]
    assert amounts(made, 2) == [100, 200]


def test_a_refused_version_is_listed_and_skipped(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=3)
    made.crm.execute("UPDATE past SET account = 77 WHERE deal = 2 AND amount = 2")
    made.sync()
    (done,) = backfill(made)
    assert (done.state, done.booked, done.refused) == (BackfillState.DONE, 9, 1)
    assert [amounts(made, number) for number in (1, 2, 3)] == [
        [100, 1, 2, 3, 100],
        [100, 1, 3, 100],
        [100, 1, 2, 3, 100],
    ]
    (refused,) = made.wiring.backfills.refusals(done.id)
    assert (refused.object_id, refused.kind, refused.field) == ("2", "dependency", "accountId")


def test_lines_that_gong_refuses_are_found_and_the_others_go(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 201):
        deal(made, number, versions=2)
    made.sync()
    bad = [str(number) for number in range(1, 201, 3)]
    made.during(Fault(kind=FaultKind.LINE_ERRORS, object_type=DEAL, object_ids=tuple(bad), times=1000))
    before = len(made.uploads())
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while not (made.wiring.backfills.all() and made.wiring.backfills.all()[0].finished_at):
        made.wiring.syncer.turn(next(steps))
    (done,) = made.wiring.backfills.all()
    assert (done.state, done.refused) == (BackfillState.DONE, 2 * len(bad))
    for number in range(1, 201):
        assert at(made, number, day(2)) == (None if str(number) in bad else 2)
        told = [amount for amount, _ in groupby(amounts(made, number))]  # good lines of a failed file go again
        assert str(number) in bad or told[:3] == [100, 1, 2]
    assert len([one for one in made.uploads(before) if one[0] == "DEAL"]) < 30


def test_an_object_that_gong_does_not_have_takes_no_part(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=2)
    deal(made, 2, versions=2, account=55)
    made.crm.execute("INSERT INTO past VALUES (8, 'gone', 1, 1, '2026-01-01 00:00:00')")
    made.sync()
    (done,) = backfill(made)
    assert (done.state, done.left_out) == (BackfillState.DONE, 1)
    assert amounts(made, 2) == []
    assert made.world.versions(DEAL, "8") == []


def test_it_is_stopped_by_hand_and_the_present_goes(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=5)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while made.wiring.backfills.all() == [] or made.wiring.backfills.all()[0].wave < 3:
        made.wiring.syncer.turn(next(steps))
    (stopped,) = carry_out(made.wiring, STOP_BACKFILL.steps(made.wiring, DEAL))
    assert stopped.state is BackfillState.STOPPED
    made.sync()
    assert amounts(made, 1)[-1] == 100
    assert 100 not in amounts(made, 1)[1:-1]
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["ledger.mark"]


def test_before_the_first_load_there_is_nothing_to_send(tmp_path: Path) -> None:
    made = historic(tmp_path)
    with pytest.raises(ConfigError, match="its first load is not over"):
        backfill(made)


def test_the_plan_counts_what_would_be_sent(tmp_path: Path) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=number)
    made.sync()
    ((entity, history),) = histories(made.wiring, DEAL)
    plan = made.wiring.backfiller.plan(entity, history, None, None)
    assert plan == BackfillPlan("DEAL", 3, 6, 3, 3, plan.bytes, 0, 3, 0)
    before = len(made.uploads())
    backfill(made)
    assert len(made.uploads(before)) <= plan.calls // 2


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.DROP_IN_BODY])
def test_faults_of_gong_change_nothing(tmp_path: Path, kind: FaultKind) -> None:
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=3)
    made.sync()
    made.during(Fault(kind=kind, operation=Operation.UPLOAD, times=3))
    backfill(made)
    assert [amounts(made, number) for number in range(1, 4)] == [[100, 1, 2, 3, 100]] * 3


def test_a_change_dated_before_the_last_version_is_the_last_word_all_the_same(tmp_path: Path) -> None:
    """The log's clock may be ahead of the row's."""
    made = historic(tmp_path)
    deal(made, 1, versions=0, updated=stamp(made, -60))
    made.sync()
    late = stamp(made, -2), stamp(made, -30)
    made.crm.execute("INSERT INTO past VALUES (1, 'deal 1', 1, 7, ?)", late[:1])
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while not amounts(made, 1)[1:]:
        made.wiring.syncer.turn(next(steps))
    made.put("deals", id=1, name="deal 1", account=1, amount=200, updated=late[1])
    carry_out(made.wiring, steps)
    assert amounts(made, 1) == [100, 7, 200]
    assert at(made, 1, made.clock.now()) == 200


def test_stopped_while_it_is_read_it_leaves_nothing_behind(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=2)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    made.wiring.syncer.turn(next(steps))
    assert made.wiring.backfills.active()[0].state is BackfillState.STAGING
    carry_out(made.wiring, STOP_BACKFILL.steps(made.wiring, DEAL))
    (ended,) = carry_out(made.wiring, steps)
    assert ended.state is BackfillState.STOPPED
    assert amounts(made, 1) == [100]
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["ledger.mark"]


def test_a_stop_outlasts_the_loss_of_the_staging_file(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=3)
    made.sync()
    steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    while made.wiring.backfills.all() == [] or made.wiring.backfills.all()[0].wave < 2:
        made.wiring.syncer.turn(next(steps))
    found = made.wiring.backfills.get(1)
    made.wiring.backfills.stop(found)
    made.wiring.backfills.again(found)
    assert made.wiring.backfills.get(1).state is BackfillState.STOPPING


def test_a_process_that_was_taken_for_dead_touches_no_staging_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.engine.backfill.AT_ONCE", 1)
    made = historic(tmp_path)
    for number in range(1, 4):
        deal(made, number, versions=3)
    made.sync()
    belated = []
    for reading in (2, 0):
        steps = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
        for _ in range(reading):
            next(steps)
        belated.append(steps)
    made.restart()
    now = BACKFILL.steps(made.wiring, BackfillArguments(DEAL, "once", None, None))
    next(now)
    next(now)
    for steps in belated:
        with pytest.raises(LeaseLost):
            list(steps)
    carry_out(made.wiring, now)
    assert [amounts(made, number) for number in range(1, 4)] == [[100, 1, 2, 3, 100]] * 3


def test_the_end_of_one_sources_backfill_releases_no_object_of_anothers(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=2)
    deal(made, 2, versions=2)
    made.sync()
    backfills = made.wiring.backfills
    one, other = (backfills.begin(DEAL, name, name, None, None) for name in ("DEAL 1", "DEAL 2"))
    backfills.hold(one, ["1"], join=True)
    backfills.hold(other, ["2"], join=True)
    backfills.finish(one, BackfillState.STOPPED)
    found = made.wiring.store.lookup(DEAL, ["1", "2"])
    assert (found["1"].pending, found["2"].pending) == (Pending.RESEND, Pending.HISTORY)


def test_versions_that_cannot_be_mapped_are_listed_and_skipped(tmp_path: Path) -> None:
    made = historic(tmp_path)
    deal(made, 1, versions=3)
    made.crm.execute("UPDATE past SET amount = 'many' WHERE amount = 2")
    made.sync()
    (done,) = backfill(made)
    assert (done.versions, done.booked, done.refused) == (2, 2, 1)
    assert [one.kind for one in made.wiring.backfills.refusals(done.id)] == [UNFIT]
    assert amounts(made, 1) == [100, 1, 3, 100]
