"""Several sources of one type: objects move between them, and keys may not stand in two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT:
    - {table: accounts, key: id, modified: updated, deleted: gone = 1, fields: {name: name}}
    - {table: partners, key: id, modified: updated, deleted: gone = 1, fields: {name: title}}
"""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, mapping_text=MAPPING)
    made.crm.execute(
        "CREATE TABLE partners (id INTEGER PRIMARY KEY, title TEXT, gone INTEGER DEFAULT 0, updated TEXT NOT NULL)"
    )
    made.put("accounts", id=1, name="One")
    made.put("accounts", id=2, name="Two")
    made.put("partners", id=3, title="Three")
    yield made
    made.close()


def names(company: Company) -> dict[str, object]:
    return {key: account["name"] for key, account in company.world.objects(ObjectType.ACCOUNT).items()}


def test_both_sources_make_one_type(company: Company) -> None:
    company.sync()
    assert names(company) == {"1": "One", "2": "Two", "3": "Three"}


@pytest.mark.parametrize("first", ["accounts", "partners"])
def test_an_object_that_moves_is_taken_over(company: Company, first: str) -> None:
    company.sync()
    company.put("accounts", id=1, name="One", gone=1)
    company.put("partners", id=1, title="One, moved")
    if first == "partners":  # the new row is seen before the old one's end
        company.wiring.rounds.read(company.wiring.mapping.entities[1])
    company.sync()
    assert names(company) == {"1": "One, moved", "2": "Two", "3": "Three"}
    files = len(company.uploads())
    company.sync()
    company.sync()
    assert len(company.uploads()) == files


def test_a_key_in_two_sources_is_refused_in_the_second_and_costs_no_calls(company: Company) -> None:
    company.sync()
    files = len(company.uploads())
    company.put("partners", id=2, title="An impostor")
    report = company.sync()
    assert report.work.refused == 1
    [failure] = company.wiring.queries.failures()
    assert (failure.object_id, failure.origin) == ("2", "connector")
    assert "ACCOUNT.1 (table accounts)" in failure.reason
    assert "ACCOUNT.2 (table partners)" in failure.reason
    company.sync()
    assert names(company)["2"] == "Two"
    assert len(company.uploads()) == files


def test_a_deleted_row_elsewhere_does_not_delete_a_living_object(company: Company) -> None:
    company.sync()
    company.put("partners", id=2, title="Long gone", gone=1)
    company.sync()
    assert names(company)["2"] == "Two"


def test_a_source_that_never_had_a_row_does_not_hold_the_deletions_of_the_other(company: Company) -> None:
    company.crm.execute("DELETE FROM partners")
    company.sync()
    company.crm.execute("DELETE FROM accounts WHERE id = 2")
    assert not company.reconcile(ObjectType.ACCOUNT).held
    assert names(company) == {"1": "One"}


def test_a_source_that_was_emptied_holds_all_deletions_of_its_type(company: Company) -> None:
    company.sync()
    company.crm.execute("DELETE FROM partners")
    assert company.reconcile(ObjectType.ACCOUNT).held
    assert names(company) == {"1": "One", "2": "Two", "3": "Three"}
