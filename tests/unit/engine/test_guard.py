"""The guard holds mass deletions and mass changes that no stamp told of, and a person lets them through."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from company import FEED, Company, Fault, FaultKind, ObjectType

from connector import failpoints
from connector.engine.guard import Guard, weighed_as
from connector.ledger.records import HoldKind, ObjectState, Pending, Weight
from connector.model import Line

CONTACT = ObjectType.CONTACT
DAY = 24 * 3600.0


@pytest.mark.parametrize(
    ("let_go", "held", "fresh", "live", "too_much"),
    [
        (0, 0, 10, 10, False),  # few, whatever share they are
        (0, 0, 11, 100, True),
        (0, 0, 11, 110, False),
        (10, 0, 1, 90, True),  # a tenth and one of what there was a day ago
        (0, 10, 1, 50, True),
        (0, 0, 100, 1_000_000, False),
        (0, 0, 101, 1_000_000, True),
        (60, 20, 21, 1_000_000, True),
    ],
)
def test_too_much_is_more_than_the_count_or_than_the_share_and_ten(
    let_go: int, held: int, fresh: int, live: int, too_much: bool
) -> None:
    assert Guard(100, 10).holds(Weight(let_go, held), fresh, lambda: live) is too_much


_KNOWN = ObjectState(b"told", False, None, None, None, None, 0, 1000, None)


@pytest.mark.parametrize(
    ("state", "deleted", "stamp", "silent", "kind"),
    [
        (None, True, None, False, None),
        (_KNOWN._replace(last_modified=None), True, None, False, None),
        (_KNOWN, True, 2000, False, HoldKind.DELETIONS),
        (_KNOWN._replace(pending=Pending.GONE), True, None, False, None),
        (_KNOWN, False, 1000, False, None),  # an incremental pass, or a changed mapping
        (_KNOWN, False, 1001, True, None),
        (_KNOWN, False, 1000, True, HoldKind.CHANGES),
        (_KNOWN, False, None, True, HoldKind.CHANGES),
        (_KNOWN._replace(told=None), False, None, True, None),
        (_KNOWN._replace(told_deleted=True), False, None, True, None),  # it is back
        (_KNOWN._replace(pending=Pending.RELATED), False, 1000, True, None),
        (_KNOWN._replace(pending=Pending.SILENT), False, 1000, True, None),
        (_KNOWN._replace(pending=Pending.HELD_CHANGE), False, 1000, False, HoldKind.CHANGES),
        (_KNOWN._replace(pending=Pending.HELD_CHANGE), False, 1001, False, None),
    ],
)
def test_what_is_weighed(
    state: ObjectState | None, deleted: bool, stamp: int | None, silent: bool, kind: HoldKind | None
) -> None:
    assert weighed_as(Line("1", stamp, b"{", b"new", deleted=deleted), state, silent=silent) is kind


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, feed=FEED)
    for number in range(1, 31):
        made.put("accounts", id=number, name=f"Account {number}")
        made.put("contacts", id=number, last=f"Contact {number}", account=number)
    made.sync()
    yield made
    made.close()


def held(company: Company) -> list[tuple[str, str, int, int]]:
    return [(hold.type, hold.kind, hold.objects, hold.live) for hold in company.wiring.queries.holds()]


def test_a_condition_that_suddenly_holds_for_many_rows_deletes_nothing(company: Company) -> None:
    company.crm.execute("UPDATE accounts SET gone = 1, updated = ? WHERE id > 15", (company.now(),))
    company.put("accounts", id=1, name="Goes on")
    company.put("accounts", id=99, name="New")
    report = company.sync()
    accounts = company.world.objects(ObjectType.ACCOUNT)
    assert (len(accounts), accounts["1"]["name"]) == (31, "Goes on")
    assert held(company) == [("ACCOUNT", "deletions", 15, 31)]
    assert (report.work.held, report.work.awaited) == (15, 0)
    assert company.notes.named("guard.held")[0]["alarm"]

    company.crm.execute("UPDATE accounts SET gone = 0, updated = ? WHERE id > 20", (company.now(),))
    before = len(company.uploads())
    company.sync()
    assert held(company) == [("ACCOUNT", "deletions", 5, 31)], "rows that are back fall out by themselves"
    assert len(company.uploads()) == before


def test_what_is_let_through_is_looked_at_again_and_kept_as_an_audit(company: Company) -> None:
    company.crm.execute("UPDATE accounts SET gone = 1, updated = ? WHERE id > 15", (company.now(),))
    company.sync()
    (hold,) = company.wiring.queries.holds()
    assert hold.sample == ["16", "17", "18", "19", "20"]
    company.crm.execute("UPDATE accounts SET gone = 0 WHERE id = 30")  # its stamp does not move
    released_at = company.clock.now()
    assert company.wiring.holds.approve(hold.id, "ann@desk") == 15
    assert company.wiring.holds.approve(hold.id, "bob@desk") is None, "once only"
    company.sync()
    assert sorted(company.world.objects(ObjectType.ACCOUNT), key=int)[15:] == ["30"]
    assert held(company) == []
    (approval,) = company.wiring.queries.approvals()
    assert (approval.objects, approval.approved_by, approval.approved_at) == (15, "ann@desk", released_at)

    company.put("accounts", id=1, name="", gone=1)
    company.sync()
    assert "1" not in company.world.objects(ObjectType.ACCOUNT), "what was approved does not count against others"


def test_a_day_s_total_is_kept_over_restarts(company: Company) -> None:
    company.crm.execute("UPDATE accounts SET gone = 1, updated = ? WHERE id <= 8", (company.now(),))
    company.sync()
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 22
    company.restart()
    company.crm.execute("UPDATE accounts SET gone = 1, updated = ? WHERE id BETWEEN 9 AND 11", (company.now(),))
    company.sync()
    assert held(company) == [("ACCOUNT", "deletions", 3, 22)]
    company.clock.advance(DAY)
    company.reconcile(ObjectType.ACCOUNT)
    assert held(company) == []
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 19


def test_a_hold_that_grew_has_to_be_seen_before_it_is_let_through(company: Company) -> None:
    company.crm.execute("DELETE FROM contacts WHERE id > 12")
    company.reconcile(CONTACT)
    (seen,) = company.wiring.queries.holds()
    company.crm.execute("DELETE FROM contacts WHERE id > 11")
    company.reconcile(CONTACT)
    assert company.wiring.holds.approve(seen.id, "ann@desk") is None
    (grown,) = company.wiring.queries.holds()
    assert (grown.objects, grown.since) == (19, seen.since)
    assert company.approve() == 19
    assert len(company.world.objects(CONTACT)) == 11


def test_held_objects_that_come_back_are_not_deleted(company: Company) -> None:
    rows = company.crm.execute("SELECT * FROM contacts").fetchall()
    company.crm.execute("DELETE FROM contacts")
    assert company.reconcile(CONTACT).held == 30
    company.crm.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?)", rows)
    before = len(company.uploads())
    assert company.reconcile(CONTACT).held == 0
    assert held(company) == []
    assert len(company.uploads()) == before


def test_a_column_emptied_for_every_row_goes_nowhere_until_a_person_says_so(company: Company) -> None:
    company.clock.advance(3600)
    company.sync()
    company.crm.execute("UPDATE contacts SET last = NULL")
    company.put("contacts", id=1, last="Moved", account=1)
    found = company.reconcile(CONTACT)
    assert found.held == 29
    assert held(company) == [("CONTACT", "changes", 29, 30)]
    contacts = company.world.objects(CONTACT)
    assert (contacts["1"]["lastName"], contacts["2"]["lastName"]) == ("Moved", "Contact 2")

    company.put("contacts", id=2, last="Edited", account=2)
    company.sync()
    assert company.world.objects(CONTACT)["2"]["lastName"] == "Edited", "its own change is believed"
    company.crm.execute("UPDATE contacts SET last = 'Contact ' || id WHERE id = 3")
    company.reconcile(CONTACT)
    assert held(company) == [("CONTACT", "changes", 27, 30)]
    assert company.approve() == 27
    contacts = company.world.objects(CONTACT)
    assert [contacts[key]["lastName"] for key in ("1", "2", "3", "4")] == ["Moved", "Edited", "Contact 3", None]


def test_few_changes_that_no_stamp_told_of_go_by_themselves(company: Company) -> None:
    company.clock.advance(3600)
    company.sync()
    company.crm.execute("UPDATE contacts SET last = 'Renamed' WHERE id <= 10")
    assert company.reconcile(CONTACT).held == 0
    assert company.world.objects(CONTACT)["10"]["lastName"] == "Renamed"
    company.crm.execute("UPDATE contacts SET last = 'Again' WHERE id <= 3")
    assert company.reconcile(CONTACT).held == 3, "they count against the day's total"


def test_a_changed_mapping_is_no_mass_change_even_when_its_comparison_is_interrupted(company: Company) -> None:
    text = company.settings.mapping.read_text()
    company.settings.mapping.write_text(
        text.replace("fields: {lastName: last,", "fields: {lastName: last, title: last,")
    )
    company.restart()

    def crash(step: str) -> None:
        if step == "ledger.book.before":
            raise RuntimeError("gone")

    failpoints.arm(crash)
    with pytest.raises(RuntimeError, match="gone"):
        company.reconcile(CONTACT)
    failpoints.arm(None)
    company.restart()
    company.reconcile(CONTACT)
    assert held(company) == []
    assert company.world.objects(CONTACT)["7"]["title"] == "Contact 7"


def test_news_from_another_table_is_no_silent_change(company: Company) -> None:
    company.clock.advance(3600)
    company.sync()
    for number in range(1, 31):
        company.put("emails", contact=number, address=f"c{number}@acme.example")
    assert company.reconcile(CONTACT).held == 0
    assert company.world.objects(CONTACT)["30"]["emailAddress"] == "c30@acme.example"


def test_a_refused_deletion_that_is_tried_again_stays_listed_until_gong_takes_it(company: Company) -> None:
    company.crm.execute("DELETE FROM contacts WHERE id = 1")
    company.during(Fault(kind=FaultKind.LINE_ERRORS, object_ids=("1",), times=2, description="Not now"))
    company.reconcile(CONTACT)
    for _ in range(2):
        assert [failure.object_id for failure in company.wiring.queries.failures()] == ["1"]
        company.wiring.store.retry(CONTACT, "1")
        company.sync()
    assert company.wiring.queries.failures() == []
    assert "1" not in company.world.objects(CONTACT)


def test_a_renamed_table_deletes_nothing(company: Company) -> None:
    company.crm.execute("ALTER TABLE contacts RENAME TO people")
    with pytest.raises(Exception, match="contacts"):
        company.reconcile(CONTACT)
    assert len(company.world.objects(CONTACT)) == 30
    assert held(company) == []


def test_a_column_that_is_dropped_in_mid_life_stops_its_type_loudly_and_sends_no_nulls(company: Company) -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)
    company.crm.execute("ALTER TABLE accounts DROP COLUMN name")
    company.crm.execute("UPDATE accounts SET updated = ?", (company.now(),))
    company.put("contacts", id=1, last="Goes on", account=1)
    report = company.sync()
    assert list(report.errors) == ["ACCOUNT"]
    assert "name" in report.errors["ACCOUNT"]
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Account 1"
    assert company.world.objects(CONTACT)["1"]["lastName"] == "Goes on"


def test_when_a_type_was_compared_outlasts_the_process(company: Company) -> None:
    loaded_at = company.wiring.store.cursor("CONTACT")
    assert loaded_at is not None
    assert company.wiring.reconciler.compared_at(CONTACT) == loaded_at.loaded_at
    company.clock.advance(5000)
    began = company.clock.now() + 1
    company.reconcile(CONTACT)
    company.restart()
    assert company.wiring.reconciler.compared_at(CONTACT) == began
    assert company.wiring.reconciler.compared_at(ObjectType.LEAD) is None


def test_a_deletion_survives_a_file_that_becomes_full_behind_it(tmp_path: Path) -> None:
    company = Company(tmp_path, max_file_bytes=1000)
    for number in range(1, 21):
        company.put("accounts", id=number, name=f"Account {number}")
    company.sync()
    company.clock.advance(60)
    company.put("accounts", id=1, name="Account 1", gone=1)
    for number in range(2, 21):
        company.put("accounts", id=number, name=f"Renamed {number}")
    company.sync()
    assert sorted(map(int, company.world.objects(ObjectType.ACCOUNT))) == list(range(2, 21))
    company.close()
