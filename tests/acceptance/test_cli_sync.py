"""register and sync, and what follows: what Gong gets, what is said, and the exit statuses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import CANARY_VALUE, Site, company, now

from connector.object_types import ObjectType


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path) as made:
        yield made


def test_first_load_then_only_changes(site: Site) -> None:
    """The first load sends everything fit; afterwards no change is no upload, and a changed row is one line."""
    site.connector("sync", status=2)  # not registered yet
    assert "integration" in site.process("register").out
    assert "already" in site.connector("register").out

    loaded = site.process("sync", status=3)
    assert "but for 3 refused objects" in loaded.out
    assert "failures list" in loaded.out
    assert "\x1b" not in loaded.out + loaded.err  # no terminal, no colours
    assert len(site.world.objects(ObjectType.ACCOUNT)) == 8
    assert site.name_of(ObjectType.ACCOUNT, "1") == CANARY_VALUE

    before = site.uploads()
    assert "Uploaded: 0 files" in site.connector("sync", status=3).out
    site.sql("UPDATE accounts SET updated_at = ? WHERE id = 2", now())
    site.connector("sync", status=3)
    assert site.uploads() == before, "neither a quiet pass nor a touched row is an upload"

    site.sql("UPDATE accounts SET name = 'Renamed', updated_at = ? WHERE id = 3", now())
    site.connector("sync", status=3)
    assert site.uploads() == [*before, ("ACCOUNT", 1)]
    assert site.name_of(ObjectType.ACCOUNT, "3") == "Renamed"


def test_refused_objects_are_listed_shown_retried_and_go_once_mended(site: Site) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    listed = json.loads(site.connector("failures", "list", "--json").out)
    by_type = {failure["type"]: failure for failure in listed}
    assert {kind: failure["origin"] for kind, failure in by_type.items()} == {
        "BUSINESS_USER": "connector",
        "DEAL": "gong",
        "LEAD": "connector",
    }
    deal = by_type["DEAL"]
    assert deal["field"] == "discount"
    assert deal["reason"] in site.connector("failures", "list", "--type", "deal").out
    shown = site.connector("failures", "show", "DEAL", deal["object_id"]).out
    assert deal["request_id"] in shown
    assert f"preview DEAL --id {deal['object_id']}" in shown
    assert "is not refused" in site.connector("failures", "show", "ACCOUNT", "1", status=1).err

    state = json.loads(site.connector("status", "--json", status=3).out)
    assert state["work"] == {"unsettled": 0, "awaited": 0, "held": 0, "refused": 3}
    assert state["active_process"] is None
    assert {entry["type"]: entry["refused"] for entry in state["types"]}["DEAL"] == 1
    assert state["calls"]["last_24_hours"] == len(site.world.calls())

    before = site.uploads()
    site.connector("failures", "retry", status=2)  # which?
    assert "1 object" in site.connector("failures", "retry", "--type", "DEAL", "--id", deal["object_id"]).out
    site.connector("sync", status=3)
    assert site.uploads() == [*before, ("DEAL", 1)]

    stamp = now()
    site.sql("UPDATE users SET email = 'mended@acme.example', updated_at = ? WHERE email IS NULL", stamp)
    site.sql("UPDATE deals SET discount_percent = 10, updated_at = ? WHERE discount_percent > 100", stamp)
    site.sql("UPDATE leads SET source = 'Partner', updated_at = ? WHERE source = ?", stamp, CANARY_VALUE)
    assert "Gong now equals what was read." in site.connector("sync").out
    assert json.loads(site.connector("failures", "list", "--json").out) == []
    assert "All is settled" in site.connector("status").out


def test_values_that_were_sent_as_null_because_unreadable_are_counted(site: Site) -> None:
    site.connector("register")
    site.sql("UPDATE contacts SET email = 'n/a' WHERE id IN (2, 3)")
    mapping = site.home / "reads.yaml"
    demo = Path(site.environment["CONNECTOR_MAPPING"]).read_text()
    reads = "emailAddress: {column: email, convert: email}\n      firstName"
    mapping.write_text(demo.replace("emailAddress: email\n      firstName", reads))
    said = site.connector("sync", status=3, CONNECTOR_MAPPING=str(mapping)).out
    assert "Sent as null, or as its default: 2 CONTACT emailAddress" in said
    assert site.world.objects(ObjectType.CONTACT)["2"]["emailAddress"] is None


def test_a_pass_that_cannot_begin_is_a_failure_in_the_status_until_one_does(site: Site) -> None:
    """Gong's schema has a field of another type than the mapping now wants: deals cannot be read for it."""
    site.connector("register")
    site.connector("schema", "apply")
    other = site.home / "other.yaml"
    other.write_text(Path(site.environment["CONNECTOR_MAPPING"]).read_text().replace("type: PERCENT", "type: NUMBER"))
    said = site.connector("sync", status=1, CONNECTOR_MAPPING=str(other))
    assert "DEAL could not be read" in said.err
    state = json.loads(site.connector("status", "--json", status=1).out)
    (deal,) = [one for one in state["passes"] if one["source"] == "DEAL"]
    assert "discount" in deal["error"]
    assert deal["finished_at"] is None
    assert "DEAL: the last pass failed" in site.connector("status", status=1).out
    site.connector("sync", status=3)
    site.connector("status", status=3)


def test_what_was_not_waited_for_is_said(site: Site) -> None:
    """--timeout and --no-wait return early and say so; the next pass finishes the work."""
    site.connector("register")
    said = site.connector("sync", "--timeout", "0", status=3).out
    assert "ACCOUNT" in said
    assert "not read whole" in said
    assert site.uploads() == []
    site.sql("UPDATE users SET email = 'mended@acme.example' WHERE email IS NULL")
    site.connector("sync", "--type", "STAGE", "--type", "business_user")
    assert {kind for kind, _ in site.uploads()} == {"STAGE", "BUSINESS_USER"}
    said = site.connector("sync", "--type", "ACCOUNT", "--no-wait", CONNECTOR_POLL_MIN_SECONDS="30").out
    assert "1 file at Gong" in said
    state = json.loads(site.connector("status", "--json").out)
    assert state["files"]["accepted"] == 1
    assert "is not one of" in site.connector("sync", "--type", "DEALS", status=2).err


def test_a_source_that_cannot_be_read_is_a_failure_and_stops_nothing_else(site: Site) -> None:
    site.connector("register")
    demo = Path(site.environment["CONNECTOR_MAPPING"]).read_text()
    fails_on_values = "table: leads\n    where: json_extract(email, '$.a') IS NULL\n    key: id\n"
    broken = site.home / "broken.yaml"
    broken.write_text(demo.replace("table: leads\n    key: id\n    modified: updated_at\n", fails_on_values))
    said = site.connector("sync", status=1, CONNECTOR_MAPPING=str(broken))
    assert "LEAD could not be read" in said.err
    assert "Gong does not equal the source" in said.out
    assert len(site.world.objects(ObjectType.DEAL)) > 0
    state = json.loads(site.connector("status", "--json", status=1).out)
    assert [one["source"] for one in state["passes"] if one["error"]] == ["LEAD"]
    assert "LEAD: the last pass failed" in site.connector("status", status=1).out
    site.connector("sync", status=3)
    site.connector("status", status=3)


def test_the_status_fits_a_narrow_terminal(site: Site) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    _, screen = site.on_terminal("status")
    assert re.search(r"LEAD +load +\d\d:\d\d:\d\dZ +\d+ +\d+ +\d\d:\d\d:\d\dZ", screen)  # today's, on one line


def test_another_integration_in_gong_is_taken_over_only_on_demand(site: Site) -> None:
    site.world.register("Somebody else's CRM", "admin@acme.example", "req-1")
    said = site.connector("register", status=2).err
    assert "Somebody else's CRM" in said
    assert "--adopt" in said
    said = site.connector("register", "--adopt").out
    assert str(site.world.integrations()[0].id) in said


def test_schema_is_planned_and_applied_and_destroys_only_on_demand(site: Site) -> None:
    site.connector("register")
    planned = json.loads(site.connector("schema", "plan", "--json").out)
    assert {"type": "DEAL", "field": "discount", "change": "add"}.items() <= planned[-4].items()
    assert "DEAL: 2 fields added." in site.connector("schema", "apply").out
    assert json.loads(site.connector("schema", "plan", "--json").out) == []

    other = (site.home / "other.yaml").resolve()
    other.write_text(Path(site.environment["CONNECTOR_MAPPING"]).read_text().replace("type: PERCENT", "type: NUMBER"))
    said = site.connector("schema", "apply", status=1, CONNECTOR_MAPPING=str(other))
    assert "--allow-destructive" in said.err
    assert "discount" in said.err
    said = site.connector("schema", "apply", "--allow-destructive", CONNECTOR_MAPPING=str(other))
    assert "DEAL: 1 field retyped." in said.out
