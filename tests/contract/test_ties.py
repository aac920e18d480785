"""Bulk updates: one stamp on very many rows, read by pages, with a process killed at each page's end."""

from datetime import timedelta

import pytest
from crm import Crm, flat, relation, resumed

from connector.model import KEY, MODIFIED, Position

ROWS = 200_000
_NUMBERS = {
    "sqlite": f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n",
    "duckdb": f"SELECT range AS i FROM range(1, {ROWS + 1})",
    "postgresql": f"SELECT i FROM generate_series(1, {ROWS}) AS g(i)",
    "mysql": f"SELECT seq AS i FROM seq_1_to_{ROWS}",
}
STAMP = "2026-05-28 20:00:00.123456"


def test_hundreds_of_thousands_of_rows_with_one_stamp_come_once_each_whatever_was_killed(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    crm.execute(
        f"INSERT INTO deals SELECT i, '{STAMP}', 'x' FROM ({_NUMBERS[crm.backend]}) AS numbers",
        f"CREATE INDEX deals_changes{crm.backend} ON deals (updated_at, id)",
    )
    source, after, keys = crm.source, None, []
    for page in range(5):
        stream = source.changes(relation(), after)
        taken = 0
        for chunk in stream:
            keys += [row[KEY] for row in chunk]
            taken += len(chunk)
            after = Position(*source.position(relation(), chunk[-1]))  # what a ledger keeps of it
            if page < 4 and taken >= ROWS // 5 - 500:
                break
        stream.close()  # type: ignore[attr-defined]  # changes returns a generator
        if page == 1:
            source = crm.reopened()
    source.close()
    assert keys == list(range(1, ROWS + 1))


TEXTS = [f"2026-05-28T20:00:00.000000{tenth}" for tenth in range(10)]


def test_stamps_of_100_nanoseconds_are_neither_rounded_nor_cut(crm: Crm) -> None:
    """As text; no datetime of Python's holds them."""
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at VARCHAR(40), name VARCHAR(50)")
    crm.insert("deals", [(20 - number, text, "x") for number, text in enumerate(TEXTS)])
    rows = resumed(crm.source, relation(), 1)
    assert [row[MODIFIED] for row in rows] == TEXTS


@pytest.mark.parametrize("digits", [0, 3, 6])
def test_a_column_that_cuts_its_stamps_loses_no_row_to_the_bound(crm: Crm, digits: int) -> None:
    """A bound is in whole seconds, below every stamp of its second, however the column cut it."""
    kind = {"postgresql": f"TIMESTAMP({digits})", "mysql": f"DATETIME({digits})"}.get(crm.backend, "{stamp}")
    crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
    bound = crm.source.cursor_bound(relation(), 0)
    stamp = crm.now().replace(tzinfo=None)
    unit = timedelta(microseconds=10 ** (6 - digits))
    cut = stamp - (stamp - stamp.min) % unit
    crm.insert("deals", [(1, cut.isoformat(" ", "microseconds"), "x")])
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound.modified, "")))] == [1]


def test_a_row_deleted_and_made_again_between_two_readings_is_read_again(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    crm.insert("deals", [(key, STAMP, "first") for key in (1, 2, 3)])
    bound = crm.source.cursor_bound(relation(), 0)
    assert len(flat(crm.source.changes(relation(), None))) == 3
    crm.execute("DELETE FROM deals WHERE id = 2")
    crm.insert("deals", [(2, crm.now().replace(tzinfo=None).isoformat(" "), "second")])
    found = flat(crm.source.changes(relation(), Position(bound.modified, "")))
    assert [(row[KEY], row[3]) for row in found] == [(2, "second")]


@pytest.mark.parametrize("kind", ["{stamp}", "{zoned}"])
def test_stamps_that_come_as_text_have_the_places_of_those_that_do_not(crm: Crm, kind: str) -> None:
    crm.create("deals", f"id INTEGER PRIMARY KEY, updated_at {kind}, name VARCHAR(50)")
    stamps = ("2026-03-29 02:30:00.123456", "2026-03-29 02:30:00", "1971-12-31 23:59:59.5")
    crm.insert("deals", [(key, stamps[key % 3], "x") for key in range(1, 10)])
    written = relation(as_text=("updated_at",))
    rows = flat(crm.source.changes(written, None))
    assert [row[KEY] for row in rows] == [2, 5, 8, 1, 4, 7, 3, 6, 9]
    usual = [crm.source.position(relation(), row) for row in flat(crm.source.changes(relation(), None))]
    assert [crm.source.position(written, row) for row in rows] == usual
    for place, after in enumerate(usual):  # a pass may go on from what an earlier version kept
        assert [row[KEY] for row in flat(crm.source.changes(written, after))] == [row[KEY] for row in rows[place + 1 :]]
