"""Rows are found again by the text form of their keys, and only they."""

import re
from decimal import Decimal
from uuid import UUID

import pytest
from crm import Crm, relation

from connector.model import KEY
from connector.source.statements import Selects, Statement

PLAIN = relation(modified=None)


def _fill(crm: Crm, key: str, keys: list[object]) -> None:
    crm.create("deals", f"id {key}, name VARCHAR(50)")
    crm.insert("deals", [(value, f"row {number}") for number, value in enumerate(keys)])


@pytest.mark.parametrize("kind", ["INTEGER", "{bigint}", "NUMERIC(20,0)"])
def test_numbers(crm: Crm, kind: str) -> None:
    _fill(crm, f"{kind} PRIMARY KEY", [7, 8, -9, 0])
    found = crm.source.by_key(PLAIN, ["7", "-9", "0", "11"])
    assert sorted(int(row[KEY]) for row in found) == [-9, 0, 7]


def test_large_numbers_are_exact(crm: Crm) -> None:
    _fill(crm, "{bigint} PRIMARY KEY", [2**53 + 1, 2**53, 2**63 - 1, -(2**63)])
    found = crm.source.by_key(PLAIN, [str(2**53 + 1), str(2**63 - 1), str(-(2**63)), str(2**63), str(2**70)])
    assert sorted(row[KEY] for row in found) == [-(2**63), 2**53 + 1, 2**63 - 1]


@pytest.mark.parametrize("text", ["", "x", "7x", " 7", "07", "+7", "7.0", "7e0", "٧", "NULL", "7 OR 1=1", "9" * 80])
def test_a_text_that_is_no_number_matches_nothing(crm: Crm, text: str) -> None:
    _fill(crm, "INTEGER PRIMARY KEY", [7])
    assert crm.source.by_key(PLAIN, [text]) == []


def test_uuids(crm: Crm) -> None:
    keys = [f"0f8fad5b-d9cb-469f-a165-7086728950{number:02x}" for number in range(5)]
    _fill(crm, "{uuid} PRIMARY KEY", keys)
    asked = [keys[1], keys[4], "ffffffff-d9cb-469f-a165-708672895000", "no-uuid", keys[2].upper()]
    found = crm.source.by_key(PLAIN, asked)
    assert sorted(str(row[KEY]) for row in found) == [keys[1], keys[4]]
    if crm.backend == "postgresql":
        assert all(isinstance(row[KEY], UUID) for row in found)


def test_char_36(crm: Crm) -> None:
    keys = ["1", "seed_max_id", "d3b07384-d113-4c4e-8a6a-0d9a2f1e0c11"]
    _fill(crm, "CHAR(36) PRIMARY KEY", keys)
    stored = {row[KEY] for row in next(crm.source.everything(PLAIN))}
    assert {row[KEY] for row in crm.source.by_key(PLAIN, sorted(stored))} == stored
    assert {str(key).rstrip() for key in stored} == set(keys)


ODD = [
    "o'brien",
    'quo"te',
    "back\\slash",
    "50%",
    "%s",
    ":name",
    "a;b--c",
    "ümlaut",
    "😀",
    "tab\there",
    "`tick`",
    "?",
    " ",
]


def test_odd_texts(crm: Crm) -> None:
    _fill(crm, "VARCHAR(64) PRIMARY KEY", list(ODD))
    assert sorted(row[KEY] for row in crm.source.by_key(PLAIN, ODD)) == sorted(ODD)
    for key in ODD:
        assert [row[KEY] for row in crm.source.by_key(PLAIN, [key])] == [key]


@pytest.mark.parametrize("text", ["nul\0", "\ud800", "O'BRIEN", "ÜMLAUT", "a;b--c "])
def test_texts_that_only_resemble_a_key_match_nothing(crm: Crm, text: str) -> None:
    _fill(crm, "VARCHAR(64) PRIMARY KEY", list(ODD))
    assert crm.source.by_key(PLAIN, [text]) == []


@pytest.mark.only_on("mysql", why="columns with a character set of their own are MySQL's")
def test_texts_beyond_the_columns_character_set(crm: Crm) -> None:
    for charset in ("latin1", "utf8mb3"):
        _fill(crm, f"VARCHAR(64) CHARACTER SET {charset} PRIMARY KEY", ["plain", "müller"])
        found = crm.source.by_key(PLAIN, ["😀", "müller", "日本", "plain"])
        assert sorted(row[KEY] for row in found) == ["müller", "plain"]
        crm.execute("DROP TABLE deals")


def test_many_keys_and_repeated_ones(crm: Crm) -> None:
    _fill(crm, "INTEGER PRIMARY KEY", list(range(3000)))
    asked = [str(number) for number in range(0, 6000, 2)]
    found = [row[KEY] for row in crm.source.by_key(PLAIN, asked + asked[:10])]
    assert sorted(found) == list(range(0, 3000, 2))


def test_no_keys_at_all(crm: Crm) -> None:
    _fill(crm, "INTEGER PRIMARY KEY", [1])
    assert crm.source.by_key(PLAIN, []) == []


def test_the_condition_and_soft_deletes_hold(crm: Crm) -> None:
    _fill(crm, "INTEGER PRIMARY KEY", [1, 2, 3])
    part = relation(modified=None, where="id < 3", deleted="id = 2")
    assert sorted((row[0], row[2]) for row in crm.source.by_key(part, ["1", "2", "3"])) == [(1, 0), (2, 1)]


def test_keys_of_a_query(crm: Crm) -> None:
    _fill(crm, "INTEGER PRIMARY KEY", [1, 2, 3])
    union = relation(query="SELECT CONCAT('d', id) AS id, name FROM deals", modified=None)
    if crm.backend == "sqlite":
        union = relation(query="SELECT 'd' || id AS id, name FROM deals", modified=None)
    assert sorted(row[KEY] for row in crm.source.by_key(union, ["d1", "d3", "1"])) == ["d1", "d3"]


@pytest.mark.only_on("sqlite", why="only SQLite mixes types within a column")
def test_numbers_and_texts_in_one_sqlite_column(crm: Crm) -> None:
    _fill(crm, "BLOB", [7, "7", "x"])
    assert [row[KEY] for row in crm.source.by_key(PLAIN, ["7", "x"])] == [7, "7", "x"]


@pytest.mark.parametrize("kind", ["INTEGER", "{bigint}", "VARCHAR(64)", "CHAR(36)", "{uuid}"])
def test_the_keys_index_is_used(crm: Crm, kind: str) -> None:
    whole = kind in ("INTEGER", "{bigint}")
    keys: list[object] = [number if whole else f"0f8fad5b-d9cb-469f-a165-7086{number:08x}" for number in range(3000)]
    _fill(crm, f"{kind} NOT NULL PRIMARY KEY", keys)
    crm.execute({"mysql": "ANALYZE TABLE deals"}.get(crm.backend, "ANALYZE deals"))
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN ", "mysql": "EXPLAIN "}[crm.backend]
    statement = Selects(PLAIN, crm.quote)
    column = crm.source.describe(PLAIN)["id"]
    backend = crm.source._sessions.backend
    values = [value for key in keys[:3] for value in backend.key_values(str(key), column.kind)]
    with crm.source._sessions.snapshot() as session:
        query = statement.by_key(backend.comparable_key(statement.key, column.kind), values)
        plan = session.rows(Statement((explain, *query.parts)))
    expected = {"sqlite": "USING INDEX|USING INTEGER PRIMARY KEY", "postgresql": "Index", "mysql": "PRIMARY"}
    assert re.search(expected[crm.backend], str(plan)), plan


@pytest.mark.not_on("sqlite", why="SQLite has no enumerations")
def test_an_enumeration_as_key(crm: Crm) -> None:
    if crm.backend == "postgresql":
        crm.execute("CREATE TYPE stage_name AS ENUM ('new', 'won')")
    _fill(crm, "stage_name" if crm.backend == "postgresql" else "ENUM('new', 'won')", ["won", "new"])
    assert [row[KEY] for row in crm.source.by_key(PLAIN, ["won", "no such"])] == ["won"]
    crm.execute("DROP TABLE deals")
    if crm.backend == "postgresql":
        crm.execute("DROP TYPE stage_name")


def test_whole_decimals_read_as_their_digits(crm: Crm) -> None:
    _fill(crm, "NUMERIC(12,2)", [Decimal("7.00"), Decimal("7.50")] if crm.backend != "sqlite" else [7, 7.5])
    assert [str(row[1 + 2]) for row in crm.source.by_key(PLAIN, ["7", "7.5", "7.50"])] == ["row 0"]
