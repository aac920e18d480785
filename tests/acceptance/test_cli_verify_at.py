"""verify --at: what Gong shows for a moment, the history, and the page that explains it."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_site import Site, connected

PAGE = Path(__file__).parents[2] / "docs" / "history.md"
BLOCK = re.compile(r"^```(?P<kind>yaml|sql|console)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD = "version: 1\nintegration: {name: Acme CRM, owner_email: revops@acme.example}\nentities:\n"


def blocks(kind: str) -> list[str]:
    """What stands in the page, of one kind."""
    return [found["text"] for found in BLOCK.finditer(PAGE.read_text()) if found["kind"] == kind]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The CRM of the page's first example after the first load."""
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.executescript(blocks("sql")[0])
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(HEAD + "".join(f"  {line}\n" for line in blocks("yaml")[0].splitlines()))
    with connected(tmp_path, tmp_path / "crm.db") as made:
        made.environment["CONNECTOR_MAPPING"] = str(mapping)
        made.connector("register")
        made.connector("sync")
        yield made


def show_the_present_only(site: Site) -> None:
    site.world.behaviour = replace(site.world.behaviour, answers_for_a_moment=False)


def looked(site: Site, *arguments: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.connector("verify", *arguments, "--json", status=status).out)
    return found


def test_the_page_shows_what_the_command_says(site: Site) -> None:
    site.connector("backfill", "DEAL")
    asked, unasked = blocks("console")
    for block, status in ((asked, 0), (unasked, 1)):
        command, _, said = block.partition("\n")
        arguments = command.removeprefix("$ gong-connector ").split()
        assert site.connector(*arguments, status=status).out.strip() == said.strip()
        show_the_present_only(site)


def test_an_altered_version_is_shown_field_by_field(site: Site) -> None:
    site.connector("backfill", "DEAL")
    site.world._store._db.execute("UPDATE versions SET line = replace(line, 'offer', 'bid')")
    said = site.connector("verify", "--at", "2026-02-15", status=3).out
    assert "DEAL: 1 object not shown as the history says" in said
    assert re.search(r"D-1 +2026-02-01T10:00:00Z +stage +offer +bid", said)
    found = looked(site, "DEAL", "--at", "2026-02-15", "--id", "D-1", status=3)
    assert (found["at"], found["answered"], found["types"][0]["differing"]) == ("2026-02-15T00:00:00Z", True, 1)
    assert found["types"][0]["differences"] == [
        {
            "object_id": "D-1",
            "version_of": "2026-02-01T10:00:00Z",
            "field": "stage",
            "in_history": "offer",
            "in_gong": "bid",
        }
    ]
    assert looked(site, "DEAL", "--at", "2026-02-01T09:59:59Z", status=0)["types"][0]["compared"] == 1


def test_a_history_that_was_not_sent_is_missing_and_the_command_for_it_is_said(site: Site) -> None:
    said = site.connector("verify", "DEAL", "--at", "2026-02-15", status=3).out
    assert re.search(r"D-1 +2026-02-01T10:00:00Z +\(the whole object\) +nothing", said)
    assert "no backfill that came to its end covers some of it: `gong-connector backfill DEAL`" in said
    assert looked(site, "DEAL", "--at", "2026-02-15", status=3)["types"][0]["missing"] == ["D-1"]


def test_where_gong_cannot_be_asked_the_history_is_told_and_what_the_ledger_knows(site: Site) -> None:
    show_the_present_only(site)
    said = site.connector("verify", "--at", "2026-02-15T12:00:00+02:00", status=1)
    assert "Nothing was compared" in said.err
    assert re.search(r"D-1 +2026-02-01T10:00:00Z +not sent +name Acme rollout, stage offer, amount 800", said.out)
    site.connector("backfill", "DEAL")
    found = looked(site, "DEAL", "--at", "2026-02-15", status=1)
    assert (found["answered"], found["types"][0]["compared"]) == (False, 0)
    (one,) = found["types"][0]["history"]
    assert (one["standing"], one["fields"]["stage"], one["version_of"]) == ("sent", "offer", "2026-02-01T10:00:00Z")


def test_wrong_demands_are_told_in_words(site: Site) -> None:
    assert "2999-01-01T00:00:00Z is still to come" in site.connector("verify", "--at", "2999-01-01", status=2).err
    assert "neither a date" in site.connector("verify", "--at", "yesterday", status=2).err
    assert "says nothing of LEAD" in site.connector("verify", "LEAD", "--at", "2026-01-01", status=2).err
    for wrong in (["--repair"], ["--limit", "3"], ["--id", "D-1", "--sample", "2"]):
        assert "--at goes with" in site.connector("verify", "DEAL", "--at", "2026-01-01", *wrong, status=2).err
    assert "--sample goes with --at" in site.connector("verify", "DEAL", "--sample", "2", status=2).err
    mapping = Path(site.environment["CONNECTOR_MAPPING"])
    mapping.write_text(mapping.read_text().partition("    history:")[0])
    assert "names no history" in site.connector("verify", "--at", "2026-01-01", status=2).err
    assert "names no history of it" in site.connector("verify", "DEAL", "--at", "2026-01-01", status=2).err
