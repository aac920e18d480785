"""validate: every row is tried, without Gong; what would be refused or not shown is counted and named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_site import CANARY_VALUE, DEMO_MAPPING, Site, company

NO_GONG = {"CONNECTOR_GONG_ACCESS_KEY": "", "CONNECTOR_GONG_ACCESS_KEY_SECRET": "", "CONNECTOR_GONG_BASE_URL": ""}

READS_EMAIL = "emailAddress: {column: email, convert: email}\n      firstName"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path) as made:
        yield made


def validated(site: Site, *arguments: str, status: int, **environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        site.connector("validate", *arguments, "--json", status=status, **(NO_GONG | environment)).out
    )
    return found


def changed(site: Site, *changes: tuple[str, str]) -> str:
    """Write the demo's mapping with something changed; return its path."""
    text = DEMO_MAPPING.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = site.home / "changed.yaml"
    path.write_text(text)
    return str(path)


def issues(found: dict[str, Any], kind: str) -> list[tuple[str, str, int, list[str]]]:
    return [
        (one["type"], one["field"], one["count"], one["examples"]) for one in found["issues"] if one["kind"] == kind
    ]


def test_refused_rows_are_counted_by_reason_and_named_and_nothing_is_sent_or_kept(site: Site) -> None:
    site.sql("UPDATE users SET email = NULL WHERE id <= 7")
    site.sql("UPDATE users SET is_deleted = 1 WHERE id IN (7, 9)")
    said = site.process("validate", status=3, **NO_GONG)
    assert "Would be refused" in said.out
    assert "8 rows would be refused" in said.out
    found = validated(site, status=3)
    users = next(one for one in found["types"] if one["type"] == "BUSINESS_USER")
    assert users == {
        "type": "BUSINESS_USER", "rows": 12, "lines": 3, "soft_deleted": 2, "refused": 7, "duplicates": 0,
    }  # fmt: skip
    unlisted = ("LEAD", "source", 1, ["4"])
    assert issues(found, "refused") == [("BUSINESS_USER", "emailAddress", 7, ["1", "2", "3", "4", "5"]), unlisted]
    assert site.world.calls() == []
    assert not (site.home / "connector.db").exists()
    site.sql("UPDATE users SET email = 'user' || id || '@acme.example'")
    site.sql("UPDATE leads SET source = 'Partner' WHERE id = 4")
    assert issues(validated(site, status=0), "refused") == []
    assert "Nothing would be refused." in site.connector("validate", **NO_GONG).out


def test_keys_that_gong_may_refuse_are_named(site: Site) -> None:
    site.sql("UPDATE stages SET id = 'new deal' WHERE id = (SELECT min(id) FROM stages)")
    found = validated(site, "--type", "STAGE", status=0)
    assert issues(found, "not_shown") == [("STAGE", "objectId", 1, ["new deal"])]


def test_what_gong_would_not_show_and_what_cannot_be_read_is_named(site: Site) -> None:
    site.sql("UPDATE contacts SET account_id = NULL WHERE id IN (2, 4)")
    site.sql("UPDATE contacts SET email = ? WHERE id = 3", CANARY_VALUE)
    path = changed(site, ("emailAddress: email\n      firstName", READS_EMAIL))
    found = validated(site, "--type", "CONTACT", status=0, CONNECTOR_MAPPING=path)
    assert ("CONTACT", "accountId", 2, ["2", "4"]) in issues(found, "not_shown")
    assert issues(found, "warning") == [("CONTACT", "emailAddress", 1, ["3"])]
    assert CANARY_VALUE not in json.dumps(found)
    assert [one["type"] for one in found["types"]] == ["CONTACT"]


def test_keys_that_stand_twice_are_named_though_they_stand_in_different_sources(site: Site) -> None:
    second = (
        "  STAGE:\n    - {table: stages, key: id, fields: {name: name}}\n    - {rows: [{objectId: won, name: Won}]}\n"
    )
    text = DEMO_MAPPING.read_text()
    before = text[text.index("  STAGE:") : text.index("  ACCOUNT:")]
    path = changed(site, (before, second))
    site.sql("UPDATE stages SET id = 'won' WHERE position = 1")
    found = validated(site, "--type", "STAGE", status=3, CONNECTOR_MAPPING=path)
    assert issues(found, "duplicate") == [("STAGE", "id", 1, ["won"])]
    assert found["types"][0]["duplicates"] == 1


def test_keys_that_differ_by_case_or_trailing_blanks_only_are_named_both(site: Site) -> None:
    site.sql("UPDATE stages SET id = 'abc' WHERE position = 1")
    site.sql("UPDATE stages SET id = 'ABC ' WHERE position = 2")
    found = validated(site, "--type", "STAGE", status=3)
    assert issues(found, "duplicate") == [("STAGE", "id", 1, ["'abc' and 'ABC '"])]
    assert found["types"][0]["duplicates"] == 1
    text = DEMO_MAPPING.read_text()
    start = text.index("key: id", text.index("  STAGE:"))
    path = site.home / "exact.yaml"
    path.write_text(f"{text[:start]}distinct_keys: exact\n    {text[start:]}")
    assert issues(validated(site, "--type", "STAGE", status=0, CONNECTOR_MAPPING=str(path)), "duplicate") == []


def test_a_source_that_cannot_be_read_is_a_failure_and_the_others_are_tried(site: Site) -> None:
    path = changed(site, ("table: leads\n", "table: leads\n    where: json_extract(email, '$.a') IS NULL\n"))
    found = validated(site, status=1, CONNECTOR_MAPPING=path)
    assert list(found["errors"]) == ["LEAD"]
    assert next(one["rows"] for one in found["types"] if one["type"] == "DEAL") > 0
    site.connector("validate", "--type", "nonsense", status=2)
