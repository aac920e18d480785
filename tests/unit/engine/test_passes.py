"""What the passes read, send and leave alone, over a whole company."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import FEED, Company, Fault, FaultKind, ObjectType

from connector.engine import intake
from connector.engine.reading import End
from connector.source import engines


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, feed=FEED)
    for number in range(1, 31):
        made.put("accounts", id=number, name=f"Account {number}")
        made.put("contacts", id=number, last=f"Contact {number}", account=number)
    yield made
    made.close()


def test_a_second_pass_sends_only_what_changed(company: Company) -> None:
    company.sync()
    assert company.uploads() == [("ACCOUNT", 30), ("CONTACT", 30)]
    company.sync()
    company.put("accounts", id=1, name="Account 1")  # touched, not changed
    company.sync()
    assert len(company.uploads()) == 2
    company.put("accounts", id=2, name="Renamed")
    company.sync()
    assert company.uploads(2) == [("ACCOUNT", 1)]


def test_a_file_holds_no_more_lines_than_may_be_decided_in_memory(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_LINES", 7)
    monkeypatch.setattr(engines, "CHUNK_ROWS", 2)
    company.sync()
    assert len(company.world.objects(ObjectType.CONTACT)) == 30
    assert {lines for _, lines in company.uploads()} == {8, 6}  # a chunk of rows is decided as a whole


def test_a_changed_mapping_is_compared_once_and_sends_what_it_changes(company: Company) -> None:
    company.sync()
    text = company.settings.mapping.read_text()
    company.settings.mapping.write_text(text.replace("fields: {name: name}", "fields: {name: name, domains: name}"))
    company.restart()
    company.sync()
    assert company.uploads(2) == [("ACCOUNT", 30)]
    company.sync()
    assert len(company.uploads()) == 3


def test_a_contact_waits_for_its_new_account_and_nothing_else_waits(company: Company) -> None:
    company.sync()
    before = len(company.uploads())
    company.during(Fault(kind=FaultKind.SLOW, seconds=120, object_type=ObjectType.ACCOUNT))
    company.put("accounts", id=99, name="New")
    company.put("contacts", id=99, last="Waits", account=99)
    company.put("contacts", id=1, last="Goes", account=1)
    company.sync()
    assert company.uploads(before) == [("ACCOUNT", 1), ("CONTACT", 1), ("CONTACT", 1)]
    arrived = [upload.accepted for upload in company.world.uploads()[before:]]
    assert arrived[1] - arrived[0] < 10
    assert arrived[2] - arrived[0] >= 120


def test_what_a_person_has_sent_again_does_not_delay_changes(company: Company) -> None:
    company.sync()
    before = len(company.uploads())
    rounds = company.wiring.rounds
    assert rounds.resend(ObjectType.ACCOUNT, None) == 30
    rounds.tend()
    company.put("contacts", id=1, last="Changed", account=1)
    rounds.read(next(entity for entity in rounds.mapping.entities if entity.type is ObjectType.CONTACT))
    company.sync()
    assert company.uploads(before) == [("CONTACT", 1), ("ACCOUNT", 30)]


def test_an_orphan_is_held_and_shown_and_goes_when_its_account_comes(company: Company) -> None:
    company.put("contacts", id=99, last="Orphan", account=77)
    report = company.sync()
    assert (report.work.held, report.work.awaited) == (1, 0)
    assert "99" not in company.world.objects(ObjectType.CONTACT)
    company.clock.advance(5 * 24 * 3600)
    company.put("accounts", id=77, name="At last")
    company.sync()
    assert company.world.visible(ObjectType.CONTACT)["99"]["accountId"] == "77"


def test_news_in_another_table_sends_the_object(company: Company) -> None:
    company.put("emails", contact=3, address="c3@acme.example")
    company.sync()
    assert company.world.objects(ObjectType.CONTACT)["3"]["emailAddress"] == "c3@acme.example"
    before = len(company.uploads())
    company.clock.advance(3600)
    company.put("emails", contact=5, address="c5@acme.example")
    company.put("emails", contact=5, address="a5@acme.example")
    company.put("emails", contact=4711, address="nobody@acme.example")  # of a contact that is not there
    company.sync()
    assert company.uploads(before) == [("CONTACT", 1)]
    assert company.world.objects(ObjectType.CONTACT)["5"]["emailAddress"] == "a5@acme.example"
    company.sync()
    assert len(company.uploads()) == before + 1


def test_without_a_feed_such_news_waits_for_the_comparison(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.put("accounts", id=1, name="One")
    company.put("contacts", id=1, last="One", account=1)
    company.sync()
    company.clock.advance(3600)
    company.sync()  # from here on the contact's own stamp lies before the overlap
    company.clock.advance(3600)
    company.put("emails", contact=1, address="c1@acme.example")
    company.sync()
    assert company.world.objects(ObjectType.CONTACT)["1"]["emailAddress"] is None
    company.reconcile(ObjectType.CONTACT)
    assert company.world.objects(ObjectType.CONTACT)["1"]["emailAddress"] == "c1@acme.example"
    company.close()


def test_soft_deletions_are_told_only_to_who_knows_the_object(company: Company) -> None:
    company.put("accounts", id=98, name="Never there", gone=1)
    company.sync()
    assert "98" not in company.world.objects(ObjectType.ACCOUNT, deleted=True)
    company.put("accounts", id=1, name="Account 1", gone=1)
    company.sync()
    assert "1" not in company.world.objects(ObjectType.ACCOUNT)
    company.put("accounts", id=1, name="Back again")
    company.sync()
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Back again"


def test_a_row_that_is_gone_is_found_by_comparison_and_deleted(company: Company) -> None:
    company.sync()
    company.crm.execute("DELETE FROM contacts WHERE id IN (1, 2)")
    company.sync()
    assert "1" in company.world.objects(ObjectType.CONTACT)
    found = company.reconcile(ObjectType.CONTACT)
    assert (found.gone, found.live, found.held) == (2, 30, 0)
    assert len(company.world.objects(ObjectType.CONTACT)) == 28
    before = len(company.uploads())
    assert company.reconcile(ObjectType.CONTACT).gone == 0
    assert len(company.uploads()) == before


def test_a_refused_row_that_is_gone_is_not_listed_for_ever(company: Company) -> None:
    company.put("users", id="u" * 80, email="long@crm.example")
    company.put("users", id="u\x00" * 40, email="odd@crm.example")
    company.put("users", id="empty", email=" ")
    company.put("users", id="stays", email=" ")
    company.sync()
    assert len(company.wiring.queries.failures(ObjectType.BUSINESS_USER)) == 4
    company.reconcile(ObjectType.BUSINESS_USER)
    assert len(company.wiring.queries.failures(ObjectType.BUSINESS_USER)) == 4
    company.crm.execute("DELETE FROM users WHERE email LIKE '%crm.example' OR id = 'empty'")
    company.reconcile(ObjectType.BUSINESS_USER)
    assert [failure.object_id for failure in company.wiring.queries.failures(ObjectType.BUSINESS_USER)] == ["stays"]


def test_a_refused_deletion_stays_listed_at_the_next_comparison(company: Company) -> None:
    company.sync()
    company.crm.execute("DELETE FROM contacts WHERE id = 1")
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("1",), times=30, description="Never"))
    company.reconcile(ObjectType.CONTACT)
    before = len(company.uploads())
    for _ in range(2):
        company.reconcile(ObjectType.CONTACT)
        assert [failure.object_id for failure in company.wiring.queries.failures()] == ["1"]
    assert len(company.uploads()) == before


def test_a_row_that_comes_back_before_it_is_deleted_stays(company: Company) -> None:
    company.sync()
    company.crm.execute("DELETE FROM contacts WHERE id = 1")
    company.wiring.reconciler.reconcile(ObjectType.CONTACT)
    company.put("contacts", id=1, last="Contact 1", account=1, updated="2020-01-01 00:00:00")
    before = len(company.uploads())
    company.sync()
    assert len(company.uploads()) == before
    assert "1" in company.world.objects(ObjectType.CONTACT)


@pytest.mark.parametrize("left", [0, 10])
def test_a_source_that_lost_most_of_its_rows_deletes_nothing(company: Company, left: int) -> None:
    company.sync()
    company.crm.execute("DELETE FROM contacts WHERE id > ?", (left,))
    found = company.reconcile(ObjectType.CONTACT)
    assert found.held == 30 - left
    assert len(company.world.objects(ObjectType.CONTACT)) == 30
    assert company.approve() == 30 - left
    assert len(company.world.objects(ObjectType.CONTACT)) == left


def test_changed_and_swapped_addresses_never_meet(company: Company) -> None:
    company.put("users", id="a", email="a@acme.example")
    company.put("users", id="b", email="b@acme.example")
    company.sync()
    company.put("users", id="a", email="b@acme.example")
    company.put("users", id="b", email="a@acme.example")
    company.sync()
    users = company.world.objects(ObjectType.BUSINESS_USER)
    assert {key: user["emailAddress"] for key, user in users.items()} == {
        "a": "b@acme.example",
        "b": "a@acme.example",
    }
    for key in ("a", "b"):
        told = [version.deleted for version in company.world.versions(ObjectType.BUSINESS_USER, key)]
        assert told == [False, True, False]


def test_a_deletion_that_gong_always_refuses_does_not_burn_calls(company: Company) -> None:
    company.put("users", id="a", email="a@acme.example")
    company.sync()
    before = len(company.uploads())
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("a",), times=1000))
    company.put("users", id="a", email="other@acme.example")
    for _ in range(50):
        company.sync()
    assert len(company.uploads()) - before <= 2
    assert [failure.object_id for failure in company.wiring.queries.failures()] == ["a"]
    company.faults.clear()
    company.wiring.store.retry(ObjectType.BUSINESS_USER, "a")
    company.sync()
    assert company.world.objects(ObjectType.BUSINESS_USER)["a"]["emailAddress"] == "other@acme.example"


def test_what_waits_for_an_account_is_read_ever_more_rarely(company: Company) -> None:
    company.sync()
    company.put("contacts", id=1, last="Contact 1", account=4711)
    company.sync()
    due = []
    for _ in range(6):
        next_due = company.wiring.store.next_due()
        assert next_due is not None
        due.append(next_due - company.clock.now())
        company.clock.advance(due[-1])
        company.wiring.rounds.tend()
    assert due[-1] > 16 * due[0]


def test_a_sync_that_ends_an_interrupted_pass_also_reads_what_came_since(tmp_path: Path) -> None:
    company = Company(tmp_path, spool_max_bytes=100_000, max_file_bytes=50_000)
    company.sync()
    for number in range(1, 3001):
        company.put("accounts", id=number, name=f"Account {number} " + "x" * 50)
    assert company.wiring.rounds.read(company.wiring.mapping.entities[1]).end is End.SPOOL_FULL
    company.put("accounts", id=1, name="Changed behind the reader")  # in the same second, by an earlier key
    company.sync()
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Changed behind the reader"
    company.close()


def test_a_missing_table_stops_its_type_only_and_is_said(company: Company) -> None:
    company.sync()
    company.crm.execute("ALTER TABLE contacts RENAME TO people")
    company.put("accounts", id=1, name="Goes on")
    report = company.sync()
    assert list(report.errors) == ["CONTACT"]
    assert "contacts" in report.errors["CONTACT"]
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Goes on"
    assert len(company.world.objects(ObjectType.CONTACT)) == 30


def test_a_full_spool_pauses_reading_and_loses_nothing(tmp_path: Path) -> None:
    company = Company(tmp_path, spool_max_bytes=100_000, max_file_bytes=50_000)
    for number in range(1, 3001):
        company.put("accounts", id=number, name=f"Account {number} " + "x" * 50)
    company.during(Fault(kind=FaultKind.STUCK, seconds=3000))
    entity = company.wiring.mapping.entities[1]
    assert company.wiring.rounds.read(entity).end is End.SPOOL_FULL
    assert company.wiring.rounds.read(entity).counts.rows == 0
    company.sync()
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 3000
    company.close()


def test_reading_back_finds_what_differs_and_sending_again_mends_it(company: Company) -> None:
    company.sync()
    found = company.wiring.verifier.verify(ObjectType.CONTACT, None, None)
    assert (found.compared, found.differing, found.unsettled) == (30, set(), 0)
    # Somebody else writes to the same integration.
    integration = company.wiring.integration_id()
    other = company.directory / "other.jsonl"
    other.write_text(
        '{"objectId":"4","lastName":"Mallory","accountId":"4","emailAddress":null,'
        '"modifiedDate":"2026-06-01T13:00:00Z"}\n'
    )
    company.clock.advance(3600)
    company.wiring.client.upload(integration, ObjectType.CONTACT, "other", other, other.stat().st_size)
    company.clock.advance(60)
    found = company.wiring.verifier.verify(ObjectType.CONTACT, None, None)
    assert [(difference.object_id, difference.field) for difference in found.differences] == [("4", "lastName")]
    assert company.wiring.store.resend(ObjectType.CONTACT, sorted(found.differing)) == 1
    company.sync()
    assert company.wiring.verifier.verify(ObjectType.CONTACT, ["4"], None).differing == set()
