"""What the source says of itself: tables, columns, kinds, and what is wrong in words a user understands."""

import pytest
from crm import Crm, flat, relation

from connector.errors import ConfigError, ConnectorError, SourceChanged, SourceUnavailable
from connector.model import Column, ColumnKind
from connector.source import SourceDenied


@pytest.fixture
def deals(crm: Crm) -> Crm:
    crm.create("deals", "id INTEGER NOT NULL PRIMARY KEY, updated_at {stamp}, name VARCHAR(50), amount NUMERIC(12,2)")
    return crm


EVERYTHING = (
    "i INTEGER NOT NULL, b {bigint}, n NUMERIC(12,2), f {float}, t VARCHAR(50), l {text}, bo BOOLEAN, d DATE,"
    " s {stamp}, z {zoned}, ti TIME, j {json}, u {uuid}, x {bytes}"
)
KINDS = {
    "i": ColumnKind.INTEGER, "b": ColumnKind.INTEGER, "n": ColumnKind.DECIMAL, "f": ColumnKind.FLOAT,
    "t": ColumnKind.TEXT, "l": ColumnKind.TEXT, "bo": ColumnKind.BOOLEAN, "d": ColumnKind.DATE,
    "s": ColumnKind.DATETIME, "z": ColumnKind.DATETIME_TZ, "ti": ColumnKind.TIME, "j": ColumnKind.JSON,
    "u": ColumnKind.UUID, "x": ColumnKind.BINARY,
}  # fmt: skip
OF_ITS_OWN = {
    "sqlite": {"z": ColumnKind.DATETIME, "j": ColumnKind.TEXT, "u": ColumnKind.TEXT},
    "postgresql": {},
    # MariaDB's BOOLEAN is TINYINT(1), which holds any small number, and its JSON is LONGTEXT.
    "mysql": {"bo": ColumnKind.INTEGER, "j": ColumnKind.TEXT},
}


def test_kinds_of_a_tables_columns(crm: Crm) -> None:
    crm.create("kinds", EVERYTHING)
    found = crm.source.describe(relation(table="kinds"))
    assert {name: column.kind for name, column in found.items()} == {**KINDS, **OF_ITS_OWN[crm.backend]}
    assert found["i"] == Column("i", ColumnKind.INTEGER, nullable=False)
    assert found["t"].nullable


def test_kinds_of_a_querys_columns(crm: Crm) -> None:
    crm.create("kinds", EVERYTHING)
    found = crm.source.describe(relation(query="SELECT k.*, i + 1 AS more FROM kinds k"))
    expected = {**KINDS, "more": ColumnKind.INTEGER, **OF_ITS_OWN[crm.backend]}
    if crm.backend == "sqlite":
        expected = dict.fromkeys(expected, ColumnKind.UNKNOWN)
    if crm.backend == "mysql":
        expected["u"] = ColumnKind.TEXT
    assert {name: column.kind for name, column in found.items()} == expected


def test_views_are_described_and_listed(deals: Crm) -> None:
    deals.execute("CREATE VIEW big_deals AS SELECT id, name FROM deals WHERE amount > 1000")
    try:
        assert list(deals.source.describe(relation(table="big_deals"))) == ["id", "name"]
        assert {"deals", "big_deals"} <= set(deals.source.tables())
    finally:
        deals.execute("DROP VIEW big_deals")


def test_a_missing_table_is_named_with_the_nearest(deals: Crm) -> None:
    with pytest.raises(ConfigError) as caught:
        deals.source.describe(relation(table="deal"))
    assert str(caught.value) == "DEAL: the source has no table 'deal'. Did you mean 'deals'?"


def test_a_missing_table_unlike_any_other(deals: Crm) -> None:
    with pytest.raises(ConfigError, match="Name a table or view that the account may read"):
        deals.source.describe(relation(table="zzz"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"where": "regionn = 1"},
        {"where": "((id = 1)"},
        {"deleted": "is_deletd = 1"},
        {"deleted": "id = "},
        {"query": "SELECT id FROM dealz"},
        {"query": "SELEC id FROM deals"},
        {"query": "SELECT id, nonsense FROM deals"},
    ],
)
def test_sql_that_the_database_refuses_is_said_in_its_words(deals: Crm, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        deals.source.describe(relation(**wrong))
    text = str(caught.value)
    assert text.startswith("DEAL (query)" if "query" in wrong else "DEAL (table deals)")
    assert "does not take this SQL" in text
    assert len(text.splitlines()) == 1


@pytest.mark.not_on("sqlite", why="SQLite gives the second a name of its own")
def test_a_query_with_a_name_twice_is_refused(deals: Crm) -> None:
    with pytest.raises(ConfigError, match=r"twice|Duplicate"):
        deals.source.describe(relation(query="SELECT a.id, b.id FROM deals a JOIN deals b ON a.id = b.id"))


def test_a_column_or_table_that_vanishes_is_a_change_of_the_source(deals: Crm) -> None:
    deals.execute("INSERT INTO deals VALUES (1, '2026-01-01 00:00:00', 'n', 1)")
    what = relation(columns=("name", "amount"))
    deals.source.describe(what)
    deals.execute("ALTER TABLE deals DROP COLUMN amount")
    with pytest.raises(SourceChanged, match="amount"):
        flat(deals.source.everything(what))
    with pytest.raises(SourceChanged):
        deals.source.by_key(what, ["1"])
    deals.execute("DROP TABLE deals")
    for read in (deals.source.everything, deals.source.unstamped):
        with pytest.raises(SourceChanged, match="DEAL"):
            flat(read(what))
    with pytest.raises(SourceChanged, match="DEAL"):
        flat(deals.source.changes(what, None))
    with pytest.raises(SourceChanged):
        deals.source.cursor_bound(what, 0)


def test_a_column_that_was_never_there_is_not_read_as_a_text(deals: Crm) -> None:
    deals.execute("INSERT INTO deals VALUES (1, '2026-01-01 00:00:00', 'n', 1)")
    with pytest.raises(SourceChanged):
        flat(deals.source.everything(relation(columns=("no_such",))))


@pytest.mark.only_on("postgresql", why="SQLite and MySQL turn such a value into 0")
def test_sql_that_fails_on_a_value_does_not_tell_the_value(deals: Crm) -> None:
    deals.execute("INSERT INTO deals VALUES (1, '2026-01-01 00:00:00', 'secret name', 1)")
    what = relation(where="CAST(name AS INTEGER) = 1")
    deals.source.describe(what)
    with pytest.raises(ConfigError) as caught:
        flat(deals.source.everything(what))
    assert "secret" not in str(caught.value)
    assert "22P02" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        deals.source.values("SELECT CAST(name AS INTEGER) FROM deals")
    assert "secret" not in str(caught.value)


@pytest.mark.not_on("sqlite", why="SQLite has no privileges")
def test_a_missing_privilege_is_answered_with_the_grant(deals: Crm) -> None:
    name = f"reader_{str(deals.url.database)[-12:]}"
    if deals.backend == "postgresql":
        deals.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pass-word'")
        drop = [f"DROP ROLE {name}"]
    else:
        deals.create("open_table", "id INTEGER")
        deals.execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'pass-word'", f"GRANT SELECT ON open_table TO {name}@'%'")
        drop = [f"DROP USER {name}@'%'"]
    deals.url = deals.url.set(username=name, password="pass-word")
    reader = deals.reopened()
    try:
        with pytest.raises(SourceDenied) as caught:
            reader.describe(relation())
        assert f"GRANT SELECT ON deals TO {name}" in str(caught.value)
        with pytest.raises(SourceDenied, match=rf"GRANT SELECT ON \S*deals\S* TO {name}"):
            reader.describe(relation(query="SELECT id FROM deals"))
        with pytest.raises(SourceDenied):
            flat(reader.everything(relation()))
    finally:
        reader.close()
        deals.execute(*drop)


@pytest.mark.only_on("postgresql", why="schemas with privileges of their own are PostgreSQL's")
def test_a_missing_privilege_on_a_schema_is_answered_with_its_grant(deals: Crm) -> None:
    name = f"reader_{str(deals.url.database)[-12:]}"
    deals.execute(f"CREATE ROLE {name} LOGIN", "CREATE SCHEMA sales", "CREATE TABLE sales.deals (id INTEGER)")
    deals.url = deals.url.set(username=name)
    reader = deals.reopened()
    try:
        with pytest.raises(SourceDenied, match=f"GRANT USAGE ON SCHEMA sales TO {name}"):
            reader.describe(relation(table="sales.deals"))
        assert "sales.deals" in deals.source.tables()
    finally:
        reader.close()
        deals.execute("DROP SCHEMA sales CASCADE", f"DROP ROLE {name}")


@pytest.mark.not_on("sqlite", why="SQLite has no password")
def test_a_password_is_never_shown(crm: Crm) -> None:
    right = crm.url
    for wrong in (
        right.set(username="nobody_here", password="s3cret-pw"),
        right.set(port=1, password="s3cret-pw"),
        right.set(database="no_such_database", password="s3cret-pw"),
    ):
        crm.url = wrong
        broken = crm.reopened()
        with pytest.raises(ConnectorError) as caught:
            broken.ping()
        assert "s3cret" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert isinstance(caught.value, SourceUnavailable if wrong.port == 1 else ConnectorError)
        broken.close()
