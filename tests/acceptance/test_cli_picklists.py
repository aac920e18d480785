"""Picklists whose values come with the rows, from a query, or not at all: what Gong gets, and what is said."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cli_site import DEMO_MAPPING, Site, company, now

from connector.object_types import ObjectType

_LISTED = ", values: [Webinar, Website, Referral, Partner, Cold call]"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path) as made:
        made.sql("UPDATE leads SET source = 'Partner'")
        made.sql("UPDATE leads SET source = 'Trade show' WHERE id = 4")
        made.connector("register")
        yield made


def mapped(site: Site, said: str, before: str = _LISTED) -> str:
    text = DEMO_MAPPING.read_text()
    assert before in text
    path = site.home / "changed.yaml"
    path.write_text(text.replace(before, said))
    return str(path)


def define(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.database)) as database, database:
        database.execute(statement)


def values(site: Site) -> list[str]:
    """The sources of leads that Gong lists."""
    [integration] = site.world.integrations()
    [listed] = [
        field.values for field in site.world.schema(integration.id, ObjectType.LEAD) if field.unique_name == "source"
    ]
    return list(listed or ())


def source(site: Site, lead: int) -> Any:
    return site.world.objects(ObjectType.LEAD)[str(lead)]["source"]


def test_what_occurs_is_added_to_gongs_list_before_the_row_goes(site: Site) -> None:
    path = mapped(site, "")
    assert (
        "source: PICKLIST, once its first value occurs" in site.connector("schema", "plan", CONNECTOR_MAPPING=path).out
    )
    assert source_refusals(site, path) == []
    site.connector("sync", "--type", "ACCOUNT", "--type", "LEAD", CONNECTOR_MAPPING=path)
    assert values(site) == ["Partner", "Trade show"]
    assert source(site, 4) == "Trade show"

    calls = len(site.world.calls())
    site.connector("sync", "--type", "LEAD", CONNECTOR_MAPPING=path)
    assert len(site.world.calls()) == calls  # what is known costs nothing, in a process of its own either
    site.sql("UPDATE leads SET source = 'Fair', updated_at = ? WHERE id = 4", now())
    site.connector("sync", "--type", "LEAD", CONNECTOR_MAPPING=path)
    assert values(site) == ["Fair", "Partner", "Trade show"]
    assert source(site, 4) == "Fair"


def source_refusals(site: Site, path: str) -> list[Any]:
    found = json.loads(site.connector("validate", "--type", "LEAD", "--json", CONNECTOR_MAPPING=path).out)
    return [one for one in found["issues"] if one["field"] == "source"]


def test_what_is_replaced_is_counted_and_sent_once_it_is_listed(site: Site) -> None:
    path = mapped(site, f"{_LISTED}, unlisted: null")
    said = site.connector("sync", "--type", "ACCOUNT", "--type", "LEAD", CONNECTOR_MAPPING=path).out
    assert "Sent as null, or as its default: 1 LEAD source (has a value that its list (`values`) does not hold)" in said
    assert source(site, 4) is None
    assert "1 row sent with source null" in site.connector("status", status=None, CONNECTOR_MAPPING=path).out
    path = mapped(site, _LISTED.replace("Partner", "Partner, Trade show") + ", unlisted: null")
    site.connector("sync", "--type", "LEAD", CONNECTOR_MAPPING=path)
    assert source(site, 4) == "Trade show"


def test_a_query_that_fails_stops_its_type_and_no_other(site: Site) -> None:
    site.sql("UPDATE leads SET source = 'Partner', updated_at = ?", now())
    define(site, "CREATE TABLE sources (name TEXT)")
    site.sql("INSERT INTO sources VALUES ('Partner'), ('Fair')")
    path = mapped(site, ", values: {query: SELECT name FROM sources}")
    site.connector("sync", status=None, CONNECTOR_MAPPING=path)
    define(site, "ALTER TABLE sources RENAME TO origins")
    site.sql("UPDATE accounts SET name = 'Renamed', updated_at = ? WHERE id = 2", now())
    said = site.connector("sync", status=1, CONNECTOR_MAPPING=path).err
    assert "LEAD could not be read" in said
    assert "values.query" in said
    assert site.name_of(ObjectType.ACCOUNT, "2") == "Renamed"
    define(site, "ALTER TABLE origins RENAME TO sources")
    site.sql("UPDATE leads SET source = 'Fair', updated_at = ? WHERE id = 4", now())
    site.connector("sync", status=None, CONNECTOR_MAPPING=path)
    assert source(site, 4) == "Fair"


def test_the_difference_says_what_is_lost(site: Site) -> None:
    site.connector("sync", status=None)
    path = mapped(site, ", values: [Fair, Partner]")
    said = site.connector("schema", "plan", CONNECTOR_MAPPING=path).out
    assert "~ source: new values: Fair; no longer listed: Webinar, Website, Referral, Cold call" in said
    path = mapped(site, "type: NUMBER", "type: PERCENT")
    said = site.connector("schema", "plan", CONNECTOR_MAPPING=path).out
    assert "! discount: PERCENT becomes NUMBER" in said
    deals = len(site.world.objects(ObjectType.DEAL))
    assert f"with `schema apply --allow-destructive` only: Gong drops its values, of {deals} objects at most" in said
