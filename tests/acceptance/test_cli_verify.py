"""verify and resend: what Gong holds is compared with the rows, and sent again on demand."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli_site import CANARY_VALUE, CREDENTIALS, Site, company, eventually

from connector.object_types import ObjectType


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path) as made:
        made.connector("register")
        made.connector("sync", status=3)
        yield made


def somebody_else_writes(site: Site, object_type: ObjectType, **fields: Any) -> None:
    """Gong gets a line by another client of the same integration."""
    lately = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2))
    line = json.dumps({**fields, "modifiedDate": lately}) + "\n"
    request = {"integrationId": str(site.world.integrations()[0].id), "clientRequestId": str(uuid.uuid4())}
    auth = (CREDENTIALS.access_key, CREDENTIALS.access_key_secret)
    with httpx.Client(base_url=site.environment["CONNECTOR_GONG_BASE_URL"], auth=auth, timeout=60) as gong:
        answer = gong.post(
            "/v2/crm/entities",
            params={**request, "objectType": object_type.value},
            files={"dataFile": ("by-somebody.jsonl", line.encode())},
        )
        assert answer.status_code == 201, answer.text
        eventually(
            lambda: gong.get("/v2/crm/request-status", params=request).json().get("status") == "DONE",
            "Gong to take it",
        )


def verified(site: Site, *arguments: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.connector("verify", *arguments, "--json", status=status).out)
    return found


def test_all_is_equal_and_what_cannot_be_compared_is_said(site: Site) -> None:
    said = site.process("verify").out
    assert "is in Gong as its rows say" in said
    assert "cannot be compared: BUSINESS_USER, STAGE." in said
    found = verified(site, "ACCOUNT", "DEAL", status=0)
    accounts, deals = found["types"]
    assert (accounts["type"], accounts["compared"], accounts["differing"]) == ("ACCOUNT", 8, 0)
    assert deals["compared"] == len(site.world.objects(ObjectType.DEAL))
    assert "does not read back STAGE" in site.connector("verify", "STAGE", status=2).err


def test_differences_are_shown_by_field_and_repaired(site: Site) -> None:
    somebody_else_writes(site, ObjectType.ACCOUNT, objectId="3", name="Mallory's", domains=["mallory.example"])
    somebody_else_writes(site, ObjectType.ACCOUNT, objectId="4", isDeleted=True)
    found = verified(site, status=3)["types"][0]
    assert (found["type"], found["differing"], found["missing"]) == ("ACCOUNT", 2, ["4"])
    assert {one["field"]: one["in_gong"] for one in found["differences"]}["name"] == "Mallory's"
    said = site.connector("verify", "ACCOUNT", "--id", "3", status=3).out
    assert "domains 1" in said
    assert "Mallory's" in said
    before = site.uploads()
    said = site.connector("verify", "--repair").out
    assert "2 objects sent again." in said
    assert site.uploads() == [*before, ("ACCOUNT", 2)]
    assert verified(site, "ACCOUNT", "--repair", status=0)["repair"] is None
    assert site.uploads() == [*before, ("ACCOUNT", 2)]


def test_what_is_on_its_way_or_refused_is_passed_over(site: Site) -> None:
    site.sql("UPDATE accounts SET name = 'Not told yet' WHERE id = 2")
    found = verified(site, "ACCOUNT", "DEAL", status=0)["types"]
    assert [one["passed_over"] for one in found] == [1, 1], "a changed account, a refused deal"
    assert found[0]["compared"] == 7
    assert verified(site, "ACCOUNT", "--limit", "3", status=0)["types"][0]["compared"] == 2


def test_the_quota_ends_a_comparison_early_and_it_says_how_far_it_came(site: Site) -> None:
    spent = len(site.world.calls())
    said = site.connector("verify", status=3, CONNECTOR_CALLS_PER_DAY=str(spent + 1))
    assert "stopped after 0 objects" in said.err
    found = json.loads(site.connector("verify", "--json", status=3, CONNECTOR_CALLS_PER_DAY="1").out)
    assert all(one["stopped"] and one["compared"] == 0 for one in found["types"])


def test_objects_are_sent_again_on_demand_and_only_those(site: Site) -> None:
    before = site.uploads()
    said = site.process("resend", "ACCOUNT", "--id", "1", "--id", "2", status=3).out  # elsewhere, three are refused
    assert "2 objects sent again; Gong equals what was read, but for 3 refused objects." in said
    assert site.uploads() == [*before, ("ACCOUNT", 2)]
    said = site.connector("resend", "ACCOUNT", "--all", status=3).out
    assert site.uploads() == [*before, ("ACCOUNT", 2), ("ACCOUNT", 8)]
    assert CANARY_VALUE not in said
    assert "1 of 2 not sent again" in site.connector("resend", "ACCOUNT", "--id", "1", "--id", "4711", status=3).out
    site.connector("resend", "ACCOUNT", "--id", "4711", status=1)
    assert "says nothing of LEAD" in no_leads(site)


def test_on_a_terminal_a_person_is_asked_before_everything_goes_again(site: Site) -> None:
    before = site.uploads()
    for options, answer, status, sent in (([], b"n\n", 1, []), ([], b"y\n", 3, [8]), (["--yes"], b"", 3, [8, 8])):
        person, terminal = os.openpty()
        os.write(person, answer)
        done = subprocess.run(
            [sys.executable, "-m", "connector", "resend", "ACCOUNT", "--all", *options],
            env=site.environment | {"TERM": "dumb"},
            cwd=site.home,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            timeout=120,
        )
        os.close(terminal)
        asked = b"Send all 8 objects of ACCOUNT to Gong again?" in os.read(person, 100_000)
        os.close(person)
        assert (done.returncode, asked) == (status, not options), done.stdout
        assert site.uploads() == before + [("ACCOUNT", lines) for lines in sent]


def no_leads(site: Site) -> str:
    text = Path(site.environment["CONNECTOR_MAPPING"]).read_text()
    path = site.home / "no_leads.yaml"
    path.write_text(text[: text.index("  LEAD:")])
    return site.connector("resend", "LEAD", "--all", status=2, CONNECTOR_MAPPING=str(path)).err
