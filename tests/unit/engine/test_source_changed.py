"""What a source lost while the connector was away stops its own type, and no other, until it is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

from connector.errors import ConfigError, ConnectorError


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.put("accounts", id=1, name="One")
    made.put("deals", id=1, name="Deal", account=1, amount=100)
    made.sync()
    yield made
    made.close()


def deal(company: Company) -> dict[str, object]:
    return company.world.objects(ObjectType.DEAL)["1"]


def test_a_column_that_is_gone_at_the_start_stops_its_type_only_and_sends_no_null(company: Company) -> None:
    company.crm.execute("ALTER TABLE deals DROP COLUMN amount")
    company.restart()
    company.put("deals", id=1, name="Renamed", account=1)
    company.put("accounts", id=1, name="Still followed")
    report = company.sync()
    assert list(report.errors) == ["DEAL"]
    assert "amount" in report.errors["DEAL"]
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Still followed"
    assert (deal(company)["name"], deal(company)["amount"]) == ("Deal", 100)

    company.crm.execute("ALTER TABLE deals ADD COLUMN amount INTEGER")
    company.crm.execute("UPDATE deals SET amount = 200")
    assert not company.sync().errors
    assert (deal(company)["name"], deal(company)["amount"]) == ("Renamed", 200)


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        ("ALTER TABLE deals RENAME TO deals_of_old", "ALTER TABLE deals_of_old RENAME TO deals"),
        ("ALTER TABLE deals RENAME COLUMN updated TO changed", "ALTER TABLE deals RENAME COLUMN changed TO updated"),
        ("ALTER TABLE deals RENAME COLUMN id TO number", "ALTER TABLE deals RENAME COLUMN number TO id"),
    ],
    ids=["table", "modified", "key"],
)
def test_a_table_or_what_orders_it_may_be_gone_as_well(company: Company, break_it: str, mend_it: str) -> None:
    company.crm.execute(break_it)
    company.restart()
    company.put("accounts", id=2, name="Two")
    report = company.sync()
    assert list(report.errors) == ["DEAL"]
    with pytest.raises(ConnectorError, match="DEAL"):
        company.wiring.reconciler.reconcile(ObjectType.DEAL)
    assert set(company.world.objects(ObjectType.ACCOUNT)) == {"1", "2"}
    assert deal(company)["name"] == "Deal"

    company.crm.execute(mend_it)
    company.put("deals", id=1, name="Back", account=1, amount=100)
    assert not company.sync().errors
    assert deal(company)["name"] == "Back"


def test_a_column_of_another_type_is_no_column_of_the_mapping(company: Company) -> None:
    company.crm.executescript(
        "DROP TABLE deals; CREATE TABLE deals (id BLOB, name TEXT, account INTEGER, amount INTEGER, updated TEXT)"
    )
    company.crm.execute("INSERT INTO deals VALUES (x'01', 'Deal', 1, 1, ?)", [company.now()])
    company.restart()
    report = company.sync()
    assert "cannot be an objectId" in report.errors["DEAL"]


def test_a_mapping_that_never_fitted_is_wrong(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.crm.execute("ALTER TABLE deals DROP COLUMN amount")
    with pytest.raises(ConfigError, match="amount"):
        company.sync()
    company.close()


def test_a_source_none_of_which_is_there_is_another(company: Company) -> None:
    for table in ("users", "accounts", "contacts", "deals", "emails"):
        company.crm.execute(f"DROP TABLE {table}")
    company.restart()
    with pytest.raises(ConfigError, match="no table 'users'"):
        company.sync()
