"""Trouble that lasts: it stops nothing else, costs few calls, and ends by itself when its cause does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from company import FEED, Behaviour, Company, Fault, FaultKind, ObjectType, Operation

from connector.engine import intake
from connector.errors import SourceUnavailable


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, Behaviour(calls_per_day=None), feed=FEED)
    made.put("accounts", id=1, name="Account 1")
    made.put("contacts", id=1, last="Contact 1", account=1)
    yield made
    made.close()


def calls_in_two_hours(company: Company) -> int:
    """Sync every minute for two hours and return how many calls the second hour took."""
    for hour in range(2):
        before = company.wiring.budget.used()
        end = company.clock.now() + 3600
        while company.clock.now() < end:
            company.sync(timeout=60)
        if hour:
            return company.wiring.budget.used() - before
    raise AssertionError("two hours have a second one")


def test_pending_objects_of_an_unreadable_table_stop_no_other_type(company: Company) -> None:
    company.put("contacts", id=2, last="Orphan", account=77)
    company.sync()
    company.crm.execute("ALTER TABLE contacts RENAME TO people")
    company.clock.advance(3600)  # the orphan is due, and cannot be read
    company.put("accounts", id=2, name="New")
    report = company.sync()
    assert "CONTACT" in report.errors
    assert "2" in company.world.objects(ObjectType.ACCOUNT)
    company.crm.execute("ALTER TABLE people RENAME TO contacts")
    company.put("accounts", id=77, name="At last")
    company.sync()
    assert "2" in company.world.objects(ObjectType.CONTACT)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.UNKNOWN, seconds=10**9, times=10**6),
        Fault(kind=FaultKind.ERROR_BEFORE, operation=Operation.UPLOAD, times=10**6),
        Fault(kind=FaultKind.ERROR_BEFORE, operation=Operation.STATUS, times=10**6),
        Fault(kind=FaultKind.GENERAL, times=10**6),
        Fault(kind=FaultKind.LINE_ERRORS, every=1, description="The account was not found", times=10**6),
    ],
    ids=["status unknown", "upload fails", "status fails", "whole file refused", "dependency missing"],
)
def test_what_never_gets_better_costs_few_calls(company: Company, fault: Fault) -> None:
    company.put("users", id="u1", email="u1@acme.example")  # a type that is read whole in each pass
    company.during(fault)
    assert calls_in_two_hours(company) < 60
    company.faults.clear()
    for _ in range(10):
        company.clock.advance(3600)
        company.sync(timeout=3600)
    assert "u1" in company.world.objects(ObjectType.BUSINESS_USER)
    assert "1" in company.world.objects(ObjectType.ACCOUNT)


def test_an_interrupted_feed_loses_nothing_that_came_behind_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2, 10):
        company.put("contacts", id=number, last=f"Contact {number}", account=1)
    company.sync()
    company.clock.advance(7200)
    company.sync()
    for number in range(1, 5):
        company.put("emails", contact=number, address=f"c{number}@acme.example")
    late = company.now()  # a transaction stamps its row now, and commits after the interruption
    company.clock.advance(30)
    company.put("emails", contact=6, address="c6@acme.example")
    source = company.wiring.source
    changes = source.changes

    def broken(relation: Any, after: Any) -> Iterator[Any]:
        yield from changes(relation, after)
        if relation.name == "CONTACT.changes.1":
            raise SourceUnavailable("connection lost")

    contact = next(entity for entity in company.wiring.mapping.entities if entity.name == "CONTACT")
    with monkeypatch.context() as patched:
        patched.setattr(intake, "MOST_DECISIONS", 2)
        patched.setattr(source, "changes", broken)
        with pytest.raises(SourceUnavailable):
            company.wiring.rounds.read(contact)
    company.put("emails", contact=9, address="late@acme.example", updated=late)
    company.clock.advance(1800)  # longer than the overlap
    company.sync()
    assert company.world.objects(ObjectType.CONTACT)["9"]["emailAddress"] == "late@acme.example"


def test_a_row_that_changes_does_not_wait_for_what_was_refused_before(company: Company) -> None:
    company.during(Fault(kind=FaultKind.GENERAL, object_type=ObjectType.ACCOUNT, times=3))
    for _ in range(3):
        company.clock.advance(600)
        company.sync(timeout=60)
    before = company.clock.now()
    company.put("accounts", id=1, name="Changed")
    company.sync(timeout=60)
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Changed"
    assert company.clock.now() - before < 300


def test_a_newer_state_is_never_dated_before_an_older_one(company: Company) -> None:
    company.sync()
    company.clock.advance(3600)
    company.put("accounts", id=1, name="Ahead of time")
    company.sync()
    company.clock.advance(-3600)  # the host's clock is corrected
    company.put("accounts", id=1, name="Newer")
    company.reconcile(ObjectType.ACCOUNT)
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Newer"
    dates = [version.modified for version in company.world.versions(ObjectType.ACCOUNT, "1")]
    assert dates == sorted(dates)


def test_sending_a_type_again_leaves_deleted_objects_alone(company: Company) -> None:
    for number in range(2, 40):
        company.put("accounts", id=number, name=f"Account {number}")
    company.sync()
    for number in range(2, 22):
        company.put("accounts", id=number, name="", gone=1)
    company.sync()
    company.approve()
    assert company.wiring.store.resend(ObjectType.ACCOUNT, None) == 19
    company.sync()
    company.crm.execute("DELETE FROM accounts WHERE id = 30 OR gone = 1")
    found = company.reconcile(ObjectType.ACCOUNT)
    assert (found.gone, found.live, found.held) == (1, 19, 0)


def test_a_duplicate_key_that_is_mended_is_not_listed_for_ever(tmp_path: Path) -> None:
    mapping = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: doubles, key: code, fields: {name: name}}
"""
    company = Company(tmp_path, mapping_text=mapping)
    company.crm.execute("CREATE TABLE doubles (code TEXT, name TEXT)")
    company.crm.executemany("INSERT INTO doubles VALUES (?, ?)", [("a", "One"), ("a", "Two"), ("b", "Three")])
    assert company.sync().work.refused == 1
    company.crm.execute("DELETE FROM doubles WHERE name = 'Two'")
    company.clock.advance(60)
    company.reconcile(ObjectType.ACCOUNT)
    assert company.wiring.queries.failures() == []
    assert company.world.objects(ObjectType.ACCOUNT)["a"]["name"] == "One"
    company.close()


def test_a_user_whose_deletion_went_down_with_its_file_gets_the_new_address_all_the_same(company: Company) -> None:
    company.put("users", id="u1", email="old@acme.example")
    company.sync()
    company.during(Fault(kind=FaultKind.GENERAL))
    company.put("users", id="u1", email="new@acme.example")
    for _ in range(5):
        company.clock.advance(600)
        company.sync()
    assert company.world.objects(ObjectType.BUSINESS_USER)["u1"]["emailAddress"] == "new@acme.example"


def test_the_address_of_a_user_whom_gong_never_took_is_free_for_another(company: Company) -> None:
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("u1",), description="Invalid value"))
    company.put("users", id="u1", email="one@acme.example")
    company.sync()
    company.put("users", id="u1", email="")  # refused here, so that no line of u1 gives the address up
    company.put("users", id="u2", email="one@acme.example")
    company.sync()
    assert company.world.objects(ObjectType.BUSINESS_USER)["u2"]["emailAddress"] == "one@acme.example"


def test_what_was_refused_of_a_row_that_is_gone_again_is_not_listed_for_ever(company: Company) -> None:
    company.put("contacts", id=2, last="Stays", account=1)
    company.sync()
    company.crm.execute("DELETE FROM contacts WHERE id = 1")
    company.reconcile(ObjectType.CONTACT)
    assert "1" not in company.world.objects(ObjectType.CONTACT)
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("1",), description="Invalid value"))
    company.put("contacts", id=1, last="Back", account=1)
    company.sync()
    assert [failure.object_id for failure in company.wiring.queries.failures()] == ["1"]
    company.reconcile(ObjectType.CONTACT)
    assert [failure.object_id for failure in company.wiring.queries.failures()] == ["1"], "as long as there is a row"
    company.crm.execute("DELETE FROM contacts WHERE id = 1")
    company.reconcile(ObjectType.CONTACT)
    assert company.wiring.queries.failures() == []


def test_keys_that_are_one_as_text_are_refused_with_both_named(tmp_path: Path) -> None:
    mapping = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: mixed, key: code, fields: {name: name}}
"""
    made = Company(tmp_path, mapping_text=mapping)
    made.crm.execute("CREATE TABLE mixed (code, name TEXT)")
    made.crm.execute("INSERT INTO mixed VALUES (1, 'Number'), ('1', 'Text')")
    made.sync()
    (failure,) = made.wiring.queries.failures()
    assert "1 (int) and '1' (str)" in failure.reason
    made.close()
