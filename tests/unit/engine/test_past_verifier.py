"""What Gong shows for a moment is compared with the history; where nobody can ask, what is known is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from company import Behaviour, Company, ObjectType
from historic import historic, version

from connector.engine.operations import BACKFILL, BackfillArguments, carry_out, histories
from connector.engine.past_verifier import PastVerification, Standing

DEAL = ObjectType.DEAL


def january(day: int) -> int:
    """Noon of a day of January."""
    return int(datetime(2026, 1, day, 12, tzinfo=UTC).timestamp())


def company(directory: Path, behaviour: Behaviour | None = None, deals: int = 3, **settings: Any) -> Company:
    """Deal *n* has *n* versions on the first days of January; the last deal has none."""
    made = historic(directory, behaviour, **settings)
    for number in range(1, deals + 1):
        made.put("deals", id=number, name=f"deal {number}", account=1, amount=100)
        for day in range(1, number + 1):
            version(made, number, day)
    made.put("deals", id=99, name="deal 99", account=1, amount=100)
    return made


def backfill(made: Company, **span: int) -> None:
    made.sync()
    arguments = BackfillArguments(DEAL, str(span), span.get("since"), span.get("until"))
    carry_out(made.wiring, BACKFILL.steps(made.wiring, arguments))


def looked(made: Company, at: float, ids: list[str] | None = None, sample: int = 100) -> PastVerification:
    wiring = made.wiring
    return wiring.past_verifier.verify(DEAL, histories(wiring, DEAL), int(at), ids, sample)


def standings(found: PastVerification) -> dict[str, Standing]:
    return {then.object_id: then.standing for then in found.thens}


@pytest.mark.parametrize("day", [-30, 1, 2, 3, 31])
def test_what_was_sent_is_shown_for_every_moment(tmp_path: Path, day: int) -> None:
    made = company(tmp_path)
    backfill(made)
    found = looked(made, january(1) + (day - 1) * 86_400)
    assert (found.answered, found.compared, found.passed_over, found.differences) == (True, 4, 0, [])


def test_now_is_a_moment_too_and_the_present_is_what_counts(tmp_path: Path) -> None:
    made = company(tmp_path)
    backfill(made)
    assert looked(made, made.clock.now()).differing == {}
    made.world._store._db.execute("UPDATE versions SET line = replace(line, '100', '101')")
    found = looked(made, made.clock.now())
    assert sorted(found.differing) == ["1", "2", "3", "99"]
    assert {(one.field, one.wanted, one.found) for one in found.differences} == {("amount", 100, 101)}


def test_a_version_that_somebody_altered_is_found(tmp_path: Path) -> None:
    made = company(tmp_path)
    backfill(made)
    made.world._store._db.execute("UPDATE versions SET line = replace(line, 'deal 3', 'x') WHERE modified < 1767312000")
    found = looked(made, january(1))
    assert [(one.object_id, one.field, one.wanted, one.found) for one in found.differences] == [
        ("3", "name", "deal 3", "x")
    ]
    assert looked(made, january(2)).differing == {}


def test_what_was_never_sent_is_missing_and_the_rest_too_much(tmp_path: Path) -> None:
    made = company(tmp_path)
    made.sync()
    found = looked(made, january(2))
    assert {then.standing for then in found.differing.values()} == {Standing.UNSENT}
    assert sorted(found.differing) == ["1", "2", "3"]
    assert {one.field for one in found.differences} == {""}


def test_what_gong_shows_and_no_history_knows_is_found(tmp_path: Path) -> None:
    made = company(tmp_path)
    backfill(made)
    made.crm.execute("DELETE FROM past WHERE deal = 1")
    found = looked(made, january(2))
    assert sorted(found.differing) == ["1"]
    assert {one.field: (one.wanted, one.found) for one in found.differences} == {
        "name": (None, "deal 1"),
        "accountId": (None, "1"),
        "amount": (None, 1),
    }


def test_a_refused_version_is_listed_and_the_one_before_is_what_counts(tmp_path: Path) -> None:
    made = company(tmp_path)
    made.crm.execute("UPDATE past SET account = 77 WHERE deal = 2 AND amount = 2")
    made.crm.execute("UPDATE past SET amount = 'many' WHERE deal = 3 AND amount = 2")
    backfill(made)
    found = looked(made, january(2))
    assert found.differing == {}
    midnight = january(2) - 43_200
    assert [(one.object_id, one.stamp) for one in found.refused] == [("2", midnight), ("3", midnight)]
    assert "not in Gong" in found.refused[0].reason
    assert looked(made, january(3)).refused == found.refused[:1]
    assert looked(made, january(1)).refused == []


def test_objects_are_drawn_the_same_ones_for_the_same_moment(tmp_path: Path) -> None:
    made = company(tmp_path, Behaviour(answers_for_a_moment=False), deals=20)
    made.sync()
    drawn = [sorted(standings(looked(made, january(1), sample=5))) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5
    assert sorted(standings(looked(made, january(2), sample=5))) != drawn[0]


def test_changed_and_unknown_objects_are_passed_over(tmp_path: Path) -> None:
    made = company(tmp_path)
    backfill(made)
    made.clock.advance(60)
    made.put("deals", id=1, name="deal 1", account=1, amount=200)
    found = looked(made, january(1), ids=["1", "2", "4711"])
    assert (found.compared, found.passed_over, found.differing) == (1, 2, {})


def test_where_nobody_can_ask_for_a_moment_the_ledger_tells_what_was_sent(tmp_path: Path) -> None:
    made = company(tmp_path, Behaviour(answers_for_a_moment=False))
    backfill(made, since=january(2))
    calls = len(made.world.calls())
    found = looked(made, january(1))
    assert (found.answered, found.compared, found.differences) == (False, 0, [])
    assert len(made.world.calls()) == calls + 1
    assert standings(found) == {"1": "sent", "2": "not sent", "3": "not sent", "99": "nothing"}
    assert [then.fields and then.fields["amount"] for then in found.thens] == [1, 1, 1, None]
    assert standings(looked(made, january(3))) == {"1": "sent", "2": "sent", "3": "sent", "99": "nothing"}
    assert set(standings(looked(made, made.clock.now())).values()) == {"present"}


def test_a_row_that_does_not_say_since_when_it_holds_is_passed_over_until_it_was_sent(tmp_path: Path) -> None:
    made = company(tmp_path)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace("    key: id\n    modified: updated\n", "    key: id\n"))
    made.restart()
    backfill(made)
    assert looked(made, january(2), ids=["2", "3"]).passed_over == 1
    assert looked(made, january(2), ids=["3"]).compared == 1
    now = looked(made, made.clock.now())
    assert (now.passed_over, now.differing) == (0, {})


def test_the_quota_ends_it_early(tmp_path: Path) -> None:
    made = company(tmp_path)
    backfill(made)
    made.settings = made.settings.model_copy(update={"calls_per_day": 1})
    made.restart()
    found = looked(made, january(1))
    assert found.stopped
    assert found.compared == 0
