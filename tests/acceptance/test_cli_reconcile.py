"""reconcile: full comparisons send what no stamp told of, delete what is gone, and hold what is not to be believed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import Site, company

from connector.object_types import ObjectType


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A company without unfit rows, loaded."""
    with company(tmp_path) as made:
        mend(made)
        made.connector("register")
        yield made


def mend(site: Site) -> None:
    site.sql("UPDATE users SET email = 'mended@acme.example' WHERE email IS NULL")
    site.sql("UPDATE deals SET discount_percent = 10 WHERE discount_percent > 100")
    site.sql("UPDATE leads SET source = 'Partner' WHERE source NOT IN ('Webinar', 'Website', 'Referral', 'Cold call')")


def test_before_the_first_load_there_is_nothing_to_compare_with(site: Site) -> None:
    said = site.connector("reconcile", "--type", "STAGE", "--type", "ACCOUNT", status=3).out
    assert "first load is not over: ACCOUNT, STAGE. Run `gong-connector sync` first." in said
    assert site.uploads() == []


def test_unstamped_changes_and_vanished_rows_are_found_and_sent_children_first(site: Site) -> None:
    site.sql("UPDATE deals SET account_id = 5 WHERE id = 1")
    site.connector("sync")
    site.sql("UPDATE accounts SET name = 'Unstamped' WHERE id = 3")
    site.sql("DELETE FROM accounts WHERE id = 5")
    site.sql("DELETE FROM contacts WHERE account_id = 5")
    site.sql("DELETE FROM deals WHERE account_id = 5")
    before = len(site.uploads())
    site.connector("sync")
    assert len(site.uploads()) == before
    said = site.process("reconcile").out
    assert site.name_of(ObjectType.ACCOUNT, "3") == "Unstamped"
    assert "5" not in site.world.objects(ObjectType.ACCOUNT)
    accounts = next(line.split() for line in said.splitlines() if line.startswith("ACCOUNT"))
    assert accounts[1:5] == ["7", "1", "1", "0"], "rows, changes, gone, refused"
    kinds = [kind for kind, _ in site.uploads()[before:]]
    assert list(dict.fromkeys(kinds)) == ["DEAL", "CONTACT", "ACCOUNT"]  # a change may go before the deletion
    assert "Gong equals what was compared." in said
    assert "Uploaded: 0 files" in site.connector("reconcile").out


def test_too_many_deletions_are_held_shown_and_let_through_by_a_person(site: Site) -> None:
    site.connector("sync")
    held = len(site.world.objects(ObjectType.CONTACT))
    assert held > 12
    site.sql("DELETE FROM contacts WHERE id > 2")
    said = site.connector("reconcile", "--type", "contact", status=3).out
    guarded = f"{held - 2} of {held}"
    assert guarded in said
    assert len(site.world.objects(ObjectType.CONTACT)) == held
    (hold,) = json.loads(site.connector("status", "--json", status=3).out)["held"]
    assert (hold["type"], hold["kind"], hold["objects"], hold["of"]) == ("CONTACT", "deletions", held - 2, held)
    assert f"`gong-connector approve {hold['id']}`" in said
    assert guarded in site.connector("status", status=3).out
    assert guarded in site.connector("check").out
    listed = site.connector("approve", status=3).out
    assert all(one in listed for one in hold["sample"])

    assert f"{held - 2} objects let through" in site.connector("approve", str(hold["id"])).out
    site.connector("sync")
    assert len(site.world.objects(ObjectType.CONTACT)) == 2
    assert json.loads(site.connector("status", "--json").out)["held"] == []
    listing = json.loads(site.connector("approve", "--json").out)
    assert listing["held"] == []
    assert [(one["id"], one["objects"]) for one in listing["approved"]] == [(hold["id"], held - 2)]
    assert "@" in listing["approved"][0]["approved_by"]
    assert "Nothing is held under 99" in site.connector("approve", "99", status=1).err


def test_an_empty_source_is_not_believed_unless_gong_has_nothing_of_it(site: Site) -> None:
    site.sql("DELETE FROM leads WHERE id > 3")
    site.connector("sync")
    site.sql("DELETE FROM leads")
    said = site.connector("reconcile", "--type", "LEAD", status=3).out
    assert "LEAD: deletions are held" in said
    assert len(site.world.objects(ObjectType.LEAD)) > 0
    assert json.loads(site.connector("status", "--json", status=3).out)["held"][0]["type"] == "LEAD"


def test_an_empty_table_from_the_start_is_nothing_to_worry_about(site: Site) -> None:
    site.sql("DELETE FROM leads")
    site.connector("sync")
    site.connector("reconcile", "--type", "LEAD")


def test_a_source_that_cannot_be_read_is_a_failure_and_stops_nothing_else(site: Site) -> None:
    site.connector("sync")
    site.sql("UPDATE accounts SET name = 'Unstamped' WHERE id = 3")
    broken = site.home / "broken.yaml"
    fails_on_values = "table: leads\n    where: json_extract(email, '$.a') IS NULL\n"
    broken.write_text(
        Path(site.environment["CONNECTOR_MAPPING"]).read_text().replace("table: leads\n", fails_on_values)
    )
    said = site.connector("reconcile", status=1, CONNECTOR_MAPPING=str(broken))
    assert "LEAD could not be compared" in said.err
    assert site.name_of(ObjectType.ACCOUNT, "3") == "Unstamped"
