"""How bad lines are found among many when an answer lists twenty of them at most."""

import random
from pathlib import Path

import pytest
from company import Behaviour, Company, Fault, FaultKind, ObjectType
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.isolation import MOST_PIECES, PATIENCE_SECONDS, believed_until, pieces, plan, systematic
from connector.ledger.records import Isolation

ALWAYS = 10**6


def isolation(**values: object) -> Isolation:
    defaults = {"bad": 500, "waiting": 90_000, "rounds": 0, "due": 1000.0, "busy": False}
    return Isolation(1, ObjectType.DEAL, **(defaults | values))  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_pieces_are_never_empty_nor_too_many(bad: int, lines: int) -> None:
    assert 1 <= pieces(bad, lines) <= min(MOST_PIECES, lines)


def test_what_waits_is_cut_once_all_pieces_are_back_or_too_late() -> None:
    assert plan(isolation(busy=True), 999.0) is None
    ready = plan(isolation(), 500.0)
    assert ready is not None
    assert (ready.pieces, ready.pieces_due, ready.due, ready.release) == (20, 500.0, 500.0 + PATIENCE_SECONDS, False)
    late = plan(isolation(busy=True), 1000.0)
    assert late is not None
    assert (late.pieces, late.release, late.ended) == (20, True, False)


def test_it_ends_when_nothing_waits_and_nothing_is_under_way() -> None:
    end = plan(isolation(waiting=0, bad=0), 1.0)
    assert end is not None
    assert (end.pieces, end.release, end.ended) == (0, True, True)
    late = plan(isolation(waiting=0, bad=0, busy=True), 1000.0)
    assert late is not None
    assert (late.release, late.ended) == (True, False)


def test_many_rounds_come_ever_more_rarely() -> None:
    starts = [step.pieces_due for rounds in range(10) if (step := plan(isolation(rounds=rounds), 0.0)) is not None]
    assert starts[:4] == [0.0] * 4
    assert starts[4:] == sorted(set(starts[4:]))


@pytest.mark.parametrize(
    ("listed", "hidden", "believed"),
    [
        (range(100, 2001, 100), 980, 2000),  # the first twenty of evenly spread ones
        (range(4900, 100_000, 5000), 980, 0),  # any twenty
        (range(98_000, 99_999, 105), 980, 0),  # the last twenty
    ],
)
def test_the_first_errors_are_told_from_any_others(listed: range, hidden: int, believed: int) -> None:
    assert believed_until(max(listed), len(listed), hidden, 100_000) == believed


def test_only_large_files_are_taken_for_spoilt_as_a_whole() -> None:
    assert not systematic(200, 200)
    assert systematic(1000, 501)
    assert not systematic(1000, 499)


def company_with(directory: Path, lines: int, bad: list[str], **options: object) -> Company:
    company = Company(directory, Behaviour(calls_per_day=None), **options)  # type: ignore[arg-type]
    company.crm.execute("BEGIN")
    for number in range(1, lines + 1):
        company.put("accounts", id=number, name=f"Account {number}")
    company.crm.execute("COMMIT")
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=tuple(bad), times=ALWAYS))
    return company


@pytest.mark.parametrize("scattered", [True, False])
def test_scattered_or_not_bad_lines_are_found_in_few_calls_rounds_and_bytes(tmp_path: Path, scattered: bool) -> None:
    lines, count = 5000, 200
    numbers = random.Random(1).sample(range(1, lines + 1), count) if scattered else range(2000, 2000 + count)
    company = company_with(tmp_path, lines, [str(number) for number in numbers])
    report = company.sync()
    uploads = company.world.uploads()
    assert report.work.refused == count
    assert len(company.world.objects(ObjectType.ACCOUNT)) == lines - count
    plain_calls = count // 20 + 1
    plain_lines = sum(lines - 20 * sent for sent in range(plain_calls))
    assert len(uploads) <= plain_calls + 2
    assert sum(upload.lines for upload in uploads) < plain_lines * 2 / 5
    company.close()


def test_a_piece_that_gong_never_answers_holds_the_others_for_a_quarter_of_an_hour_only(tmp_path: Path) -> None:
    company = company_with(tmp_path, 600, [str(number) for number in range(1, 601, 5)])
    company.clock.advance(60)
    company.wiring.rounds.read(company.wiring.mapping.entities[1])
    company.wiring.rounds.deliver()
    company.clock.advance(30)
    company.wiring.rounds.deliver()
    company.during(Fault(kind=FaultKind.STUCK))
    company.sync(timeout=2.5 * PATIENCE_SECONDS)
    stuck = next(upload for upload in company.world.uploads() if upload.status == "PENDING")
    assert len(company.world.objects(ObjectType.ACCOUNT)) >= 480 - stuck.lines
    assert len(company.wiring.queries.failures()) >= 120 - stuck.lines
    assert company.wiring.queries.work(company.clock.now()).unsettled == 1
    company.close()


def test_a_suspected_line_that_changes_goes_at_once_and_an_unchanged_one_waits_for_its_turn(tmp_path: Path) -> None:
    company = company_with(tmp_path, 300, [str(number) for number in range(1, 301, 3)])
    company.clock.advance(60)
    accounts = company.wiring.mapping.entities[1]
    company.wiring.rounds.read(accounts)
    company.wiring.rounds.deliver()
    company.clock.advance(30)
    company.wiring.rounds.deliver()
    company.wiring.rounds.tend()  # cut, and the pieces spooled
    before = len(company.world.uploads())
    company.put("accounts", id=2, name="Changed")  # believed to be good: it would wait for the pieces
    company.wiring.rounds.read(accounts)
    company.wiring.rounds.deliver()
    assert 1 in {upload.lines for upload in company.world.uploads()[before:]}
    assert sum(upload.lines for upload in company.world.uploads()[before:]) < 280
    company.sync()
    assert company.world.objects(ObjectType.ACCOUNT)["2"]["name"] == "Changed"
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 200
    company.close()


def test_a_fault_of_most_lines_costs_few_calls_and_says_how_many(tmp_path: Path) -> None:
    company = company_with(tmp_path, 1000, [str(number) for number in range(1, 900)])
    company.sync(timeout=600)
    assert "899 of 1000 lines refused: “Line was refused on demand" in " ".join(company.wiring.overview().remarks)
    for _ in range(24):
        company.clock.advance(3600)
        company.sync(timeout=60)
    assert len(company.world.uploads()) < 20
    assert any(facts["alarm"] for facts in company.notes.named("batch.resolved"))
    company.close()


def test_a_file_refused_whole_again_and_again_is_listed_and_left_alone_until_something_changes(tmp_path: Path) -> None:
    company = Company(tmp_path)
    for number in range(1, 31):
        company.put("accounts", id=number, name=f"Account {number}")
    company.during(Fault(kind=FaultKind.GENERAL, times=ALWAYS))
    for _ in range(4 * 24):
        company.clock.advance(1800)
        company.sync(timeout=60)
    report = company.sync()
    assert (report.work.refused, report.work.held) == (30, 0)
    assert {failure.kind for failure in company.wiring.queries.failures()} == {"general"}
    files = len(company.world.uploads())
    assert files <= 12
    company.clock.advance(7 * 24 * 3600)
    company.sync()
    assert len(company.world.uploads()) == files
    company.faults.clear()
    company.put("accounts", id=1, name="Changed")
    company.sync()
    assert set(company.world.objects(ObjectType.ACCOUNT)) == {"1"}
    company.wiring.store.retry(None, None)
    assert company.sync().work.refused == 0
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 30
    company.close()


@pytest.mark.parametrize("bad", [1, 25])
def test_deletions_that_go_down_with_their_file_are_not_forgotten(tmp_path: Path, bad: int) -> None:
    company = Company(tmp_path, Behaviour(keep_good_lines=False))
    for number in range(1, 101):
        company.put("accounts", id=number, name=f"Account {number}")
    company.sync()
    company.crm.execute("DELETE FROM accounts WHERE id > 70")
    ids = tuple(str(number) for number in range(71, 71 + bad))
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=ids, times=ALWAYS))
    entity_type = ObjectType.ACCOUNT
    company.reconcile(entity_type)
    for hold in company.wiring.queries.holds():
        company.wiring.holds.approve(hold.id, "somebody")
    company.sync()
    left = set(company.world.objects(entity_type))
    assert left == {str(number) for number in range(1, 71)} | set(ids)
    company.close()
