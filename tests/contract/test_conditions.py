"""The user's SQL reaches the database unchanged, and names from the mapping are harmless."""

import pytest
from crm import Crm, flat, relation, resumed

from connector.errors import ConfigError
from connector.model import DELETED, FIRST_COLUMN, KEY

STAMP = "2026-01-05 10:00:00"
COLUMNS = "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(100), region VARCHAR(20), is_deleted INTEGER"


@pytest.fixture
def deals(crm: Crm) -> Crm:
    crm.create("deals", COLUMNS)
    rows = [
        (1, STAMP, "100% sure", "EMEA", 0),
        (2, STAMP, "a:b", "EMEA", 1),
        (3, STAMP, "it's", "APAC", None),
        (4, STAMP, "what?", "EMEA", 0),
    ]
    crm.insert("deals", rows)
    return crm


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("region = 'EMEA'", [1, 2, 4]),
        ("region = 'APAC' OR region = 'EMEA'", [1, 2, 3, 4]),
        ("name LIKE '100%'", [1]),
        ("name LIKE '%s%'", [1, 3]),
        ("name = 'a:b'", [2]),
        ("name = 'it''s'", [3]),
        ("name = 'what?'", [4]),
        ("name <> '%(x)s :x ?'", [1, 2, 3, 4]),
        ("id % 2 = 0", [2, 4]),
        ("deals.id < 3", [1, 2]),
        ("id < 3 -- the pilot", [1, 2]),
        ("id IN (SELECT id FROM deals WHERE region = 'APAC')", [3]),
    ],
)
def test_where(deals: Crm, where: str, expected: list[int]) -> None:
    part = relation(where=where)
    deals.source.describe(part)
    assert [row[KEY] for row in resumed(deals.source, part, 2)] == expected
    assert sorted(row[KEY] for row in flat(deals.source.everything(part))) == expected


@pytest.mark.parametrize("deleted", ["is_deleted = 1", "is_deleted = 1 -- soft", "name LIKE 'a%' AND is_deleted <> 0"])
def test_soft_deletes_are_marked_and_null_is_not_deleted(deals: Crm, deleted: str) -> None:
    rows = flat(deals.source.changes(relation(deleted=deleted), None))
    assert {row[KEY]: bool(row[DELETED]) for row in rows} == {1: False, 2: True, 3: False, 4: False}


def test_a_query_with_joins_and_odd_characters(deals: Crm) -> None:
    deals.create("regions", "code VARCHAR(20) PRIMARY KEY, label VARCHAR(50), changed {stamp}")
    deals.insert("regions", [("EMEA", "50% : 'Europe' ?", "2026-02-01 00:00:00")])
    query = """
        WITH named AS (SELECT code, label, changed FROM regions WHERE label LIKE '%:%')  -- 100% : only?
        SELECT d.id, d.name, n.label AS "Region's label",
               CASE WHEN n.changed > d.updated_at THEN n.changed ELSE d.updated_at END AS changed
        FROM deals d LEFT JOIN named n ON n.code = d.region
        WHERE d.name NOT LIKE '%zz%' ;
    """
    if deals.backend == "mysql":
        query = query.replace('"Region\'s label"', "`Region's label`")
    joined = relation(query=query, modified="changed", columns=("Region's label",), where="id <> 4")
    assert set(deals.source.describe(joined)) == {"id", "name", "Region's label", "changed"}
    rows = resumed(deals.source, joined, 1)
    assert [(row[KEY], row[FIRST_COLUMN]) for row in rows] == [
        (3, None),
        (1, "50% : 'Europe' ?"),
        (2, "50% : 'Europe' ?"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "order",
        "Mixed Case",
        'quo"te',
        "back`tick",
        "50%s",
        ":colon",
        "semi; DROP TABLE victims; --",
        "o'clock",
        "ümlaut",
    ],
)
def test_hostile_names_are_only_names(crm: Crm, name: str) -> None:
    crm.create("victims", "id INTEGER PRIMARY KEY")
    column = crm.quote(name)
    crm.create(name, f"id INTEGER PRIMARY KEY, updated_at {{stamp}}, {column} VARCHAR(20)")
    crm.execute(f"INSERT INTO {crm.quote(name)} VALUES (1, '{STAMP}', 'x')")
    hostile = relation(table=name, columns=(name,))
    assert name in crm.source.describe(hostile)
    assert [(row[KEY], row[FIRST_COLUMN]) for row in flat(crm.source.changes(hostile, None))] == [(1, "x")]
    assert len(crm.source.by_key(relation(table=name, key=name, columns=()), ["x"])) == 1
    assert "victims" in crm.source.tables()


def test_a_name_that_is_sql_finds_no_table(deals: Crm) -> None:
    for name in ('deals" --', "deals; DROP TABLE deals", "deals WHERE 1=1", "(SELECT 1)", "deals\0"):
        with pytest.raises(ConfigError):
            deals.source.describe(relation(table=name))
    assert len(flat(deals.source.everything(relation()))) == 4


def test_tables_of_another_schema(deals: Crm) -> None:
    schema = {"sqlite": "main", "postgresql": "public", "mysql": str(deals.url.database)}[deals.backend]
    there = relation(table=f"{schema}.deals", where="deals.id > 1")
    assert deals.source.describe(there)["id"].name == "id"
    assert [row[KEY] for row in resumed(deals.source, there, 2)] == [2, 3, 4]


def test_lists_of_values_keep_their_order_and_lose_nulls(deals: Crm) -> None:
    assert deals.source.values("SELECT name FROM deals ORDER BY id DESC;") == ["what?", "it's", "a:b", "100% sure"]
    assert deals.source.values("SELECT is_deleted FROM deals ORDER BY id") == ["0", "1", "0"]
    assert deals.source.values("SELECT name FROM deals WHERE name LIKE '100%'") == ["100% sure"]
    assert deals.source.values("SELECT name FROM deals WHERE id < 0") == []
