"""The one judgement: what is wrong, since when, and what weighs most."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from company import START, Company, Fault, FaultKind, ObjectType, Operation

from connector.engine.judgement import Kind, State, Verdict, judge
from connector.engine.overview import Overview, Postponed
from connector.errors import ConnectorError
from connector.ledger.records import PassKind


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.put("users", id="u1", email="ann@acme.example")
    made.put("accounts", id=1, name="Initech")
    made.put("deals", id=1, name="Paper", account=1, amount=5)
    yield made
    made.close()


def seen(company: Company) -> Overview:
    return company.wiring.overview()


def verdict(company: Company) -> Verdict:
    return judge(seen(company))


def kinds(found: Verdict) -> list[str]:
    return [finding.kind.value for finding in found.findings]


def test_all_is_well_once_gong_has_everything(company: Company) -> None:
    company.sync()
    assert verdict(company) == Verdict(State.WELL, None, [])


def test_without_a_process_at_work_it_is_stopped_after_a_while_only(company: Company) -> None:
    company.sync()
    company.wiring.lease.release()
    assert verdict(company).state is State.WELL, "`sync` from a timer ends, and comes again"
    ended = company.clock.now()
    company.clock.advance(3600)
    found = verdict(company)
    assert (found.state, kinds(found)) == (State.STOPPED, ["idle"])
    assert found.since is not None
    assert 0 <= ended - found.since < 120


def test_a_ledger_that_was_never_registered_says_what_to_do(company: Company) -> None:
    company.wiring.store.forget_gong(["integration"], "noted")
    found = judge(replace(seen(company), integration=None))
    assert (found.state, kinds(found)) == (State.STOPPED, ["unregistered"])


def test_a_source_that_fails_does_so_since_the_first_failure(company: Company) -> None:
    company.sync()
    company.crm.execute("ALTER TABLE deals RENAME COLUMN name TO title")
    company.clock.advance(600)
    began = company.clock.now()
    for _ in range(3):
        entity = next(one for one in company.wiring.mapping.entities if one.type is ObjectType.DEAL)
        with pytest.raises(ConnectorError):
            company.wiring.rounds.read(entity)
        company.clock.advance(120)
    found = verdict(company)
    assert (found.state, found.since, kinds(found)) == (State.STOPPED, began, ["source"])
    assert found.findings[0].words.startswith("DEAL: the last pass failed: ")
    company.crm.execute("ALTER TABLE deals RENAME COLUMN title TO name")
    company.sync()
    assert verdict(company).state is State.WELL


def test_gong_out_of_reach_is_said_after_a_minute_and_since_when(company: Company) -> None:
    company.sync()
    company.put("accounts", id=2, name="Globex")
    company.during(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.UPLOAD, times=100))
    company.sync(timeout=1)
    began = company.clock.now()
    assert verdict(company).state is not State.STOPPED, "one error is nothing to speak of"
    company.clock.advance(300)
    found = verdict(company)
    assert (found.state, found.findings[0].kind) == (State.STOPPED, Kind.GONG)
    assert found.since is not None
    assert abs(found.since - began) < 60
    company.faults.clear()
    company.sync()
    assert verdict(company).state is State.WELL


def test_a_file_that_gong_works_on_for_long_is_late_and_does_not_stop_anything(company: Company) -> None:
    company.sync()
    company.during(Fault(kind=FaultKind.STUCK, object_type=ObjectType.ACCOUNT, seconds=4 * 3600.0))
    company.put("accounts", id=2, name="Globex")
    changed = company.clock.now()
    company.sync(timeout=3000)
    found = verdict(company)
    assert found.state is State.LATE
    assert "stuck" in kinds(found)
    assert found.since is not None
    assert found.since - changed < 200


def test_changes_on_their_way_for_long_are_late_since_the_oldest(company: Company) -> None:
    company.sync()
    stamp = company.clock.now() + 60
    late = replace(seen(company), waiting={ObjectType.DEAL: stamp}, now=stamp + 1000)
    found = judge(late)
    assert (found.state, found.since) == (State.LATE, stamp)
    assert "DEAL: changes are on their way since" in found.findings[0].words
    assert judge(replace(late, now=stamp + 800)).state is State.WELL


def test_refused_lines_are_refused_since_the_first_of_them(company: Company) -> None:
    company.put("users", id="u2", email=None)
    company.sync()
    first = seen(company).refused_since
    company.put("users", id="u3", email=None)
    company.sync()
    found = verdict(company)
    assert (found.state, found.since, kinds(found)) == (State.REFUSED, first, ["refused"])
    assert first is not None
    assert first >= START


def test_what_waits_for_an_account_that_is_not_there_is_held_by_its_reason(company: Company) -> None:
    company.put("deals", id=2, name="Orphan", account=77, amount=1)
    company.sync(timeout=10)
    found = verdict(company)
    assert (found.state, kinds(found)) == (State.HELD, ["waiting"])
    assert found.findings[0].words == "1 DEAL held: their account is not in Gong (deleted, refused, or without a row)."


def test_the_weightiest_finding_is_the_answer_and_the_others_follow(company: Company) -> None:
    company.put("users", id="u2", email=None)
    company.sync()
    company.wiring.store.pause(ObjectType.DEAL)
    paused = company.clock.now()
    found = verdict(company)
    assert (found.state, found.since, kinds(found)) == (State.HELD, paused, ["pause", "refused"])
    start = Postponed("the source cannot be reached", paused - 5)
    worse = judge(replace(seen(company), postponed=start))
    assert (worse.state, worse.since) == (State.STOPPED, paused - 5)
    assert worse.findings[0].words == "This daemon cannot begin yet: the source cannot be reached"


def test_a_first_load_under_way_is_neither_well_nor_late(company: Company) -> None:
    began = company.clock.now()
    company.wiring.store.begin_pass("ACCOUNT", PassKind.LOAD, "x", None)
    company.clock.advance(2000)
    company.wiring.lease.renew()
    loading = replace(seen(company), waiting={ObjectType.ACCOUNT: began})
    found = judge(loading)
    assert (found.state, found.since, kinds(found)) == (State.LOADING, began, ["loading"])
