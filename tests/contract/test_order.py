"""Changes come once each, in the order (modified, key), whatever the ties and wherever a read is resumed."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from crm import Crm, flat, relation, resumed

from connector.model import KEY, MODIFIED, Position
from connector.source.statements import Bind, Keyset, Selects, Statement

START = datetime(2026, 3, 29, 0, 59, 58)  # noqa: DTZ001 - a column without a zone


def _deals(crm: Crm, stamps: list[datetime | None], key: str = "INTEGER PRIMARY KEY") -> None:
    crm.create("deals", f"id {key}, updated_at {{stamp}}, name VARCHAR(50)")
    rows: list[tuple[Any, ...]] = [
        (number, stamp if stamp is None or crm.backend != "sqlite" else stamp.isoformat(" "), f"deal {number}")
        for number, stamp in enumerate(stamps)
    ]
    random.Random(1).shuffle(rows)
    crm.insert("deals", rows)


def test_rows_come_by_stamp_and_key_over_chunk_edges(crm: Crm) -> None:
    stamps = [START + timedelta(seconds=number % 3) for number in range(2503)]
    _deals(crm, stamps)
    chunks = list(crm.source.changes(relation(), None))
    assert max(map(len, chunks)) <= 1000
    expected = sorted(range(2503), key=lambda number: (stamps[number], number))
    assert [row[KEY] for chunk in chunks for row in chunk] == expected


@pytest.mark.parametrize("every", [1, 2, 7])
def test_resuming_from_every_position_gives_exactly_the_rest(crm: Crm, every: int) -> None:
    _deals(crm, [START + timedelta(microseconds=number // 4) for number in range(29)])
    assert [row[KEY] for row in resumed(crm.source, relation(), every)] == list(range(29))


def test_a_tie_larger_than_a_chunk_is_resumed_in_its_middle(crm: Crm) -> None:
    _deals(crm, [START] * 2100)
    assert [row[KEY] for row in resumed(crm.source, relation(), 999)] == list(range(2100))


def test_an_empty_key_stands_before_every_row_of_its_stamp(crm: Crm) -> None:
    _deals(crm, [START, START + timedelta(seconds=1), START + timedelta(seconds=1)])
    last = flat(crm.source.changes(relation(), None))[-1]
    after = Position(crm.source.position(relation(), last).modified, "")
    assert [row[KEY] for row in next(crm.source.changes(relation(), after))] == [1, 2]


def test_rows_without_a_stamp_come_apart(crm: Crm) -> None:
    _deals(crm, [START, None, START, None])
    assert [row[KEY] for row in flat(crm.source.changes(relation(), None))] == [0, 2]
    apart = flat(crm.source.unstamped(relation()))
    assert sorted(row[KEY] for row in apart) == [1, 3]
    assert {row[MODIFIED] for row in apart} == {None}
    assert sorted(row[KEY] for row in flat(crm.source.everything(relation()))) == [0, 1, 2, 3]


def test_rows_without_a_key_come_apart_and_hinder_no_resumption(crm: Crm) -> None:
    _deals(crm, [START] * 5, key="INTEGER")
    crm.execute("INSERT INTO deals VALUES (NULL, '2026-03-29 00:59:58', 'nobody')")
    assert [row[KEY] for row in resumed(crm.source, relation(), 2)] == list(range(5))
    assert [row[KEY] for row in flat(crm.source.unstamped(relation()))] == [None]


def test_nothing_stands_apart_where_stamp_and_key_are_always_filled(crm: Crm) -> None:
    crm.create("deals", "id INTEGER NOT NULL PRIMARY KEY, updated_at {stamp} NOT NULL, name VARCHAR(50)")
    crm.execute("INSERT INTO deals VALUES (1, '2026-03-29 00:59:58', 'a')")
    assert flat(crm.source.unstamped(relation())) == []
    assert len(flat(crm.source.changes(relation(), None))) == 1


@pytest.mark.parametrize("step", [timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)])
@pytest.mark.parametrize("kind", ["{stamp}", "{zoned}"])
def test_neighbouring_stamps_are_told_apart(crm: Crm, step: timedelta, kind: str) -> None:
    crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
    rows = []
    for number in range(5):
        stamp = START.replace(tzinfo=UTC) + step * number
        text = stamp.isoformat(" ") if crm.backend == "postgresql" else stamp.replace(tzinfo=None).isoformat(" ")
        rows.append((9 - number, text, "x"))
    crm.insert("deals", rows)
    assert [row[KEY] for row in resumed(crm.source, relation(), 1)] == [9, 8, 7, 6, 5]


def test_text_keys_are_resumed_in_the_databases_own_order(crm: Crm) -> None:
    crm.create("deals", "id VARCHAR(64) PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    keys = ["a", "B", "c ", "Öz", "z", "_x", "-1", "10", "9", "o'brien", 'q"uote', "50%", "😀", "back\\slash", "a b"]
    stamp = START.isoformat(" ")
    crm.insert("deals", [(key, stamp, key) for key in keys])
    in_order = [row[KEY] for row in flat(crm.source.changes(relation(), None))]
    assert sorted(in_order) == sorted(keys)
    assert [row[KEY] for row in resumed(crm.source, relation(), 1)] == in_order


def test_keys_that_a_collation_holds_equal_are_not_lost(crm: Crm) -> None:
    crm.create("deals", "id VARCHAR(64), updated_at {stamp}, name VARCHAR(50)")
    stamp = START.isoformat(" ")
    crm.insert("deals", [(key, stamp, key) for key in ("abc", "ABC", "Abc")])
    for first in flat(crm.source.changes(relation(), None)):
        after = crm.source.position(relation(), first)
        rest = [row[KEY] for row in flat(crm.source.changes(relation(), after))]
        assert first[KEY] not in rest
        if crm.backend == "mysql":
            assert len(rest) == 2


def test_uuid_keys_are_resumed(crm: Crm) -> None:
    crm.create("deals", "id {uuid} PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    keys = [f"{number:08x}-0000-4000-8000-0000000000{number:02x}" for number in (1, 0xFF, 0x10, 0xA0)]
    crm.insert("deals", [(key, START.isoformat(" "), "x") for key in keys])
    assert sorted(str(row[KEY]) for row in resumed(crm.source, relation(), 1)) == sorted(keys)


def test_positions_pass_through_text(crm: Crm) -> None:
    _deals(crm, [START + timedelta(microseconds=1)])
    (row,) = flat(crm.source.changes(relation(), None))
    position = crm.source.position(relation(), row)
    assert all(isinstance(part, str) for part in position)
    assert flat(crm.source.changes(relation(), Position(*position))) == []


def test_an_empty_table_has_no_changes(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    assert list(crm.source.changes(relation(), None)) == []
    assert list(crm.source.everything(relation())) == []


@pytest.mark.only_on("postgresql", why="only PostgreSQL has stamps beyond year 9999")
def test_infinite_and_distant_stamps_are_resumed(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    texts = ["-infinity", "0044-03-15 00:00:00 BC", "2026-01-01", "12026-01-01 00:00:00", "infinity"]
    crm.insert("deals", [(number, text, "x") for number, text in enumerate(texts)])
    assert [row[KEY] for row in resumed(crm.source, relation(), 1)] == [0, 1, 2, 3, 4]


@pytest.mark.only_on("mysql", why="only MySQL and MariaDB have zero dates")
def test_zero_dates_count_as_absent(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp} NOT NULL, name VARCHAR(50)")
    with crm.owner.begin() as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql("INSERT INTO deals VALUES (1, '0000-00-00', 'zero'), (2, '2026-01-01', 'b')")
        connection.exec_driver_sql("SET sql_mode = DEFAULT")
    assert [row[KEY] for row in flat(crm.source.changes(relation(), None))] == [2]
    assert [tuple(row) for row in flat(crm.source.unstamped(relation()))] == [(1, None, 0, "zero")]


@pytest.mark.parametrize("pace", ["a pass", "a page"])
@pytest.mark.not_on("duckdb", why="its session is not set up by the connector itself")
def test_the_stamps_index_is_used(crm: Crm, pace: str) -> None:
    """What a pass costs depends on what changed, not on the table."""
    crm.create("deals", "id INTEGER NOT NULL PRIMARY KEY, updated_at {stamp} NOT NULL, name {text}")
    stamps = [(START + timedelta(minutes=number)).isoformat(" ") for number in range(3000)]
    crm.insert("deals", [(number, stamp, "x" * 100) for number, stamp in enumerate(stamps)])
    crm.execute("CREATE INDEX deals_changed ON deals (updated_at, id)")
    crm.execute({"mysql": "ANALYZE TABLE deals"}.get(crm.backend, "ANALYZE deals"))
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN ", "mysql": "EXPLAIN "}[crm.backend]
    late = Bind(stamps[-10] if crm.backend == "sqlite" else datetime.fromisoformat(stamps[-10]))
    keyset = Keyset(late, None if pace == "a pass" else Bind(2990))
    query = Selects(relation(), crm.quote, nullable_modified=False, nullable_key=False).changes(keyset)
    with crm.source._sessions.snapshot() as session:
        plan = str(session.rows(Statement((explain, *query.parts))))
    assert "deals_changed" in plan
    # By the range of stamps, in the index's order: neither the whole index nor a sort.
    assert re.search({"sqlite": "SEARCH", "postgresql": "Index Cond", "mysql": "range"}[crm.backend], plan), plan
    assert not re.search("TEMP B-TREE|Sort|filesort", plan), plan
