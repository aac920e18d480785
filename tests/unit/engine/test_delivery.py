"""Whatever happens on the way, a file arrives once, under one id, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Behaviour, Company, Fault, FaultKind, ObjectType, Operation

from connector.ledger.records import BatchState

AMBIGUOUS = [
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_IN_BODY,
    FaultKind.DROP_AFTER,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.HTML_BEFORE,
    FaultKind.HTML_AFTER,
    FaultKind.CUT_JSON,
    FaultKind.REDIRECT,
    FaultKind.THROTTLE,
]
FAMILY = (ObjectType.ACCOUNT, ObjectType.DEAL)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    for number in range(1, 31):
        made.put("accounts", id=number, name=f"Account {number}")
    yield made
    made.close()


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_an_upload_of_unknown_end_is_found_out_by_asking(company: Company, kind: FaultKind) -> None:
    company.during(Fault(kind=kind, operation=Operation.UPLOAD, times=2))
    report = company.sync()
    assert report.work.unsettled == 0
    assert company.uploads() == [("ACCOUNT", 30)]
    assert all(conflict.same_bytes for conflict in company.world.conflicts())
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 30


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_a_status_that_cannot_be_read_is_asked_for_again(company: Company, kind: FaultKind) -> None:
    company.during(Fault(kind=kind, operation=Operation.STATUS, times=3))
    assert company.sync().work.unsettled == 0
    assert company.uploads() == [("ACCOUNT", 30)]


def test_an_upload_that_gong_forgets_for_a_while_is_not_given_up(company: Company) -> None:
    company.during(Fault(kind=FaultKind.UNKNOWN, seconds=300))
    assert company.sync().work.unsettled == 0
    assert company.uploads() == [("ACCOUNT", 30)]


def test_a_stuck_file_is_polled_on_and_stops_no_other(company: Company) -> None:
    company.put("users", id="u1", email="u1@acme.example")
    company.during(Fault(kind=FaultKind.STUCK, object_type=ObjectType.BUSINESS_USER))
    report = company.sync(timeout=600)
    assert report.work.unsettled == 1
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 30
    waiting = company.wiring.store.batches((BatchState.ACCEPTED,))
    assert [batch.type for batch in waiting] == [ObjectType.BUSINESS_USER]
    # From one question to the next no more than POLL_MAX_SECONDS go by, and not much less in the end.
    assert 5 <= waiting[0].polls <= 15


# `corrected` is a user's word that Gong keeps the good lines of a failed file.
@pytest.mark.parametrize(("resend", "keep"), [("file", True), ("file", False), ("corrected", True)])
@pytest.mark.parametrize("bad", [0, 1, 20, 21, 30])
def test_refused_lines_are_listed_and_the_others_arrive(tmp_path: Path, resend: str, keep: bool, bad: int) -> None:
    company = Company(tmp_path, Behaviour(keep_good_lines=keep), resend=resend)
    for number in range(1, 31):
        company.put("accounts", id=number, name=f"Account {number}")
    ids = tuple(str(number) for number in range(1, bad + 1))
    if bad:
        company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=ids, times=100))
    report = company.sync()
    assert (report.work.refused, report.work.unsettled, report.work.awaited) == (bad, 0, 0)
    assert {failure.object_id for failure in company.wiring.queries.failures()} == set(ids)
    assert set(company.world.objects(ObjectType.ACCOUNT)) == {str(n) for n in range(bad + 1, 31)}
    files = company.uploads()
    company.faults.clear()
    company.sync()
    assert company.uploads() == files  # what was refused is not tried unchanged again and again
    company.wiring.store.retry(ObjectType.ACCOUNT, None)
    assert company.sync().work.refused == 0
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 30
    company.close()


def test_a_refused_row_that_is_mended_goes_by_itself(company: Company) -> None:
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("7",)))
    assert company.sync().work.refused == 1
    before = len(company.uploads())
    company.put("accounts", id=7, name="Better")
    assert company.sync().work.refused == 0
    assert company.uploads(before) == [("ACCOUNT", 1)]
    assert company.world.objects(ObjectType.ACCOUNT)["7"]["name"] == "Better"


def test_what_must_go_again_goes_in_one_file_however_many_reads_it_takes(tmp_path: Path) -> None:
    company = Company(tmp_path)
    for number in range(1, 2502):
        company.put("accounts", id=number, name=f"Account {number}")
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("1700",)))
    company.sync()
    assert company.uploads() == [("ACCOUNT", 2501), ("ACCOUNT", 2500)]
    company.close()


def test_a_file_that_gong_refuses_whole_is_tried_ever_more_rarely_and_shown(company: Company) -> None:
    company.during(Fault(kind=FaultKind.GENERAL, times=3))
    report = company.sync()
    assert report.work.held == 30
    assert "refused on demand" in " ".join(company.wiring.overview().remarks).lower()
    for _ in range(10):
        company.clock.advance(600)
        company.sync()
    assert company.uploads() == [("ACCOUNT", 30)] * 4
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 30


def test_totals_that_disagree_lose_nothing(company: Company) -> None:
    company.during(Fault(kind=FaultKind.LINE_ERRORS, lines=(3,)), Fault(kind=FaultKind.WRONG_TOTALS, error_offset=5))
    company.sync()
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 29


@pytest.mark.parametrize("damage", ["gone", "shorter", "altered"])
def test_a_spool_file_that_is_not_what_was_sealed_is_never_sent(company: Company, damage: str) -> None:
    company.wiring.rounds.read(company.wiring.mapping.entities[1])
    [file] = (company.directory / "spool").glob("*.jsonl")
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-10] if damage == "shorter" else data.replace(b"Account 1", b"Account X"))
    company.sync()
    assert {str(name["name"]) for name in company.world.objects(ObjectType.ACCOUNT).values()} == {
        f"Account {number}" for number in range(1, 31)
    }
    assert list((company.directory / "spool").glob("*.jsonl*")) == []


def test_a_late_answer_after_a_restart_is_booked(company: Company) -> None:
    company.during(Fault(kind=FaultKind.SLOW, seconds=500))
    assert company.sync(timeout=60).work.unsettled == 1
    company.restart()
    assert company.sync().work.unsettled == 0
    assert company.uploads() == [("ACCOUNT", 30)]


def test_gong_is_never_called_more_often_than_it_allows(company: Company) -> None:
    for number in range(1, 40):
        company.put("users", id=f"u{number}", email=f"u{number}@acme.example")
        company.sync()
    assert company.world.calls_over_limit() == []


def test_only_a_missing_account_holds_a_line_never_its_owner_or_stage(tmp_path: Path) -> None:
    mapping = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated, fields: {name: name}}
  DEAL:
    table: deals
    key: id
    modified: updated
    fields: {name: name, accountId: account, ownerId: {value: nobody}, stage: {value: nowhere}}
"""
    company = Company(tmp_path, mapping_text=mapping)
    company.put("accounts", id=1, name="There")
    company.put("deals", id=1, name="Goes", account=1)
    company.put("deals", id=2, name="Orphan", account=77)
    assert company.sync().work.held == 1
    assert set(company.world.objects(ObjectType.DEAL)) == {"1"}
    company.close()


def test_one_slow_account_holds_its_own_deals_only_and_a_new_one_for_account_wait_seconds(tmp_path: Path) -> None:
    company = Company(tmp_path, account_wait_seconds=60)
    company.put("accounts", id=1, name="Known")
    company.sync()
    company.during(Fault(kind=FaultKind.SLOW, object_type=ObjectType.ACCOUNT, seconds=3000))
    company.put("accounts", id=2, name="Slow")
    company.put("deals", id=1, name="Goes", account=1)
    company.put("deals", id=2, name="Waits", account=2)
    company.sync(timeout=120)
    assert company.world.objects(ObjectType.DEAL).keys() == {"1"}
    company.sync()
    assert company.world.objects(ObjectType.DEAL).keys() == {"1", "2"}
    uploads = company.world.uploads()
    account, deal = [max(one.accepted for one in uploads if one.object_type == kind) for kind in FAMILY]
    assert 3060 <= deal - account < 3300
    before = len(company.uploads())
    company.put("deals", id=3, name="Goes at once", account=2)
    company.sync(timeout=0.01)
    assert company.uploads(before) == [("DEAL", 1)]
    company.close()
