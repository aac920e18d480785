"""Records that become another type's: a lead that turns into a deal in its own row, or is removed for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  STAGE:
    {table: steps, key: id, fields: {name: name}}
  DEAL:
    {table: chances, key: id, modified: updated, where: won = 1, fields: {name: name}}
  LEAD:
    table: chances
    key: id
    modified: updated
    where: won = 0
    fields: {lastName: name, emailAddress: {value: lead@acme.example}}
"""
TABLES = """
CREATE TABLE chances (id INTEGER PRIMARY KEY, name TEXT, won INTEGER DEFAULT 0, updated TEXT NOT NULL);
CREATE TABLE steps (id TEXT PRIMARY KEY, name TEXT);
"""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, mapping_text=MAPPING)
    made.crm.executescript(TABLES)
    made.put("chances", id=1, name="One")
    made.put("chances", id=2, name="Two")
    made.put("chances", id=3, name="Three", won=1)
    made.put("steps", id="new", name="New")
    made.put("steps", id="won", name="Won")
    made.sync()
    yield made
    made.close()


def ids(company: Company, object_type: ObjectType) -> set[str]:
    return set(company.world.objects(object_type))


def compare(company: Company) -> None:
    for object_type in (ObjectType.LEAD, ObjectType.DEAL):
        company.reconcile(object_type)


def test_a_lead_that_turns_into_a_deal_in_place_leaves_no_lead_and_may_turn_back(company: Company) -> None:
    company.put("chances", id=1, name="One, won", won=1)
    company.sync()
    assert ids(company, ObjectType.DEAL) == {"1", "3"}  # at once, by its stamp
    compare(company)
    assert ids(company, ObjectType.LEAD) == {"2"}
    company.put("chances", id=1, name="One, lost again", won=0)
    company.sync()
    compare(company)
    assert ids(company, ObjectType.DEAL) == {"3"}
    assert company.world.objects(ObjectType.LEAD)["1"]["lastName"] == "One, lost again"
    files = len(company.uploads())
    company.sync()
    compare(company)
    assert len(company.uploads()) == files


def test_a_lead_that_is_removed_on_conversion_is_deleted_and_the_deal_stays(company: Company) -> None:
    company.crm.execute("DELETE FROM chances WHERE id = 1")
    company.put("chances", id=10, name="One, won", won=1)
    company.sync()
    compare(company)
    assert ids(company, ObjectType.LEAD) == {"2"}
    assert ids(company, ObjectType.DEAL) == {"3", "10"}


def test_a_stage_whose_row_is_removed_becomes_inactive_and_active_when_it_is_back(company: Company) -> None:
    company.crm.execute("DELETE FROM steps WHERE id = 'won'")
    company.reconcile(ObjectType.STAGE)
    stages = company.world.objects(ObjectType.STAGE)
    assert {key: stage["isActive"] for key, stage in stages.items()} == {"new": True, "won": False}
    company.put("steps", id="won", name="Won")
    company.sync()
    assert company.world.objects(ObjectType.STAGE)["won"]["isActive"]
