"""Questions for what became of uploads: about one a batch, however long Gong takes; and a stuck one is told once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from company import Behaviour, Company, Fault, FaultKind, ObjectType
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.polling import Polling, is_stuck, usual
from connector.ledger.records import Processed

SHAPES: dict[str, Callable[[random.Random], float]] = {
    "moments": lambda _: 0.0,
    "minutes": lambda _: 200.0,
    "it varies": lambda chance: min(chance.lognormvariate(3.0, 0.5), 250.0),
    "it becomes slower": lambda chance: 10.0 if chance.random() < 0.05 else 90.0,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_about_one_question_a_batch_is_enough_once_the_time_is_known(tmp_path: Path, shape: str) -> None:
    company = Company(tmp_path, Behaviour(calls_per_day=None))
    chance, slow, late = random.Random(7), 0.0, []
    asked = 0
    for number in range(36):
        slow = SHAPES[shape](chance)
        company.during(Fault(kind=FaultKind.SLOW, seconds=slow))
        company.put("accounts", id=1, name=f"Version {number}")
        before = len([call for call in company.world.calls() if call.path.endswith("request-status")])
        company.sync()
        if number >= 12:
            asked += len([call for call in company.world.calls() if call.path.endswith("request-status")]) - before
            took = company.wiring.store.processed(ObjectType.ACCOUNT)[0].seconds
            late.append(took - slow - 1.2)
    company.close()
    assert asked / len(late) < 1.4, f"{asked} questions for {len(late)} batches"
    assert sorted(late)[len(late) // 2] < max(3.0, 0.8 * slow + 12), f"answers were there for {sorted(late)} seconds"


@given(st.lists(st.builds(Processed, st.integers(1, 10**6), st.floats(0.01, 10**5), st.integers(1, 30)), max_size=60))
def test_the_usual_time_is_one_of_those_seen_and_the_question_within_its_limits(seen: list[Processed]) -> None:
    found = usual(seen, 1000)
    assert (found is None) == (not seen)
    assert found is None or min(one.seconds for one in seen) * 0.9 <= found <= max(one.seconds for one in seen)
    polling = Polling(2.0, 300.0)
    delays = [polling.delay(polls, found) for polls in range(30)]
    assert all(2.0 <= delay <= 300.0 for delay in delays)
    assert delays[1:] == sorted(delays[1:])
    assert delays[-1] == 300.0


def test_files_of_another_size_tell_less() -> None:
    seen = [Processed(10, 2.0, 1)] * 10 + [Processed(100_000, 60.0, 2)] * 5
    assert usual(seen, 90_000) == 60.0
    assert usual(seen, 20) == pytest.approx(1.8)
    assert usual(seen[8:], 100) == 60.0  # too few of its size


def test_one_outage_does_not_make_the_next_questions_late() -> None:
    assert usual([Processed(10, 40_000.0, 1)] + [Processed(10, 5.0, 2)] * 9, 10) == 5.0


def test_what_usually_takes_long_is_not_stuck() -> None:
    assert not is_stuck(1700, None)
    assert is_stuck(1900, 10.0)
    assert not is_stuck(1900, 600.0)


def test_a_stuck_file_raises_one_alarm_shows_and_stops_no_other(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.put("users", id="u1", email="u1@acme.example")
    company.put("accounts", id=1, name="First")
    company.during(Fault(kind=FaultKind.STUCK, object_type=ObjectType.BUSINESS_USER, seconds=4 * 3600.0))
    company.sync(timeout=1200)
    assert company.notes.named("batch.stuck") == []
    assert company.wiring.overview().remarks == [], "half an hour of work is no trouble yet"
    company.sync(timeout=3600)
    company.restart()
    company.put("accounts", id=1, name="Second")
    company.sync(timeout=3600)
    assert [alarm["alarm"] for alarm in company.notes.named("batch.stuck")] == [True]
    assert "BUSINESS_USER file, accepted: Gong has not finished it for" in company.wiring.overview().remarks[0]
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Second"
    company.sync()
    assert company.wiring.overview().remarks == []
    assert len(company.world.objects(ObjectType.BUSINESS_USER)) == 1
    company.close()
