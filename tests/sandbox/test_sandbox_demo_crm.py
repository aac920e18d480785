"""The demo CRM: repeatable, believable in size, and with exactly the unfit rows that it promises."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox import demo_crm

NOW = 1_760_000_000.0
TABLES = ("users", "stages", "industries", "accounts", "contacts", "deals", "leads")


def rows(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}


def unfit(path: Path) -> tuple[int, int, int]:
    with closing(sqlite3.connect(path)) as db:
        counts = (
            "SELECT count(*) FROM users WHERE email IS NULL",
            "SELECT count(*) FROM deals WHERE discount_percent NOT BETWEEN 0 AND 100",
            "SELECT count(*) FROM leads WHERE source NOT IN ('Webinar', 'Website', 'Referral', 'Partner', 'Cold call')",
        )
        users, deals, leads = (db.execute(sql).fetchone()[0] for sql in counts)
        return users, deals, leads


def test_the_same_seed_makes_the_same_crm_and_another_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        demo_crm.create(tmp_path / name, seed, NOW)
        demo_crm.change(tmp_path / name, seed, NOW + 60)
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    assert rows(tmp_path / "a") != rows(tmp_path / "c")


def test_it_is_of_the_size_of_a_small_company(tmp_path: Path) -> None:
    demo_crm.create(tmp_path / "crm", 1, NOW)
    sizes = {table: len(found) for table, found in rows(tmp_path / "crm").items()}
    assert (sizes["accounts"], sizes["leads"]) == (300, 150)
    assert 800 < sizes["contacts"] < 1200
    assert 400 < sizes["deals"] < 600


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    demo_crm.create(tmp_path / "crm", 1, NOW, accounts=5)
    with pytest.raises(FileExistsError):
        demo_crm.create(tmp_path / "crm", 1, NOW, accounts=5)


def test_changed_rows_carry_the_time_of_the_change(tmp_path: Path) -> None:
    path = tmp_path / "crm"
    demo_crm.create(path, 1, NOW)
    before = rows(path)
    done = demo_crm.change(path, 7, NOW + 60)
    stamp = datetime.fromtimestamp(NOW + 60, UTC).strftime("%Y-%m-%d %H:%M:%S")
    changed = [row for table in TABLES for row in rows(path)[table] if row not in before[table]]
    assert len(done) == 8
    assert changed
    assert all(stamp in row for row in changed)


def test_changes_go_on_for_ever_even_when_nothing_of_a_kind_is_left(tmp_path: Path) -> None:
    path = tmp_path / "crm"
    demo_crm.create(path, 1, NOW, accounts=4)
    for number in range(30):
        assert demo_crm.change(path, number, NOW + number)


def test_three_rows_are_unfit_until_mended(tmp_path: Path) -> None:
    path = tmp_path / "crm"
    demo_crm.create(path, 1, NOW)
    assert unfit(path) == (1, 1, 1)
    assert len(demo_crm.mend(path, NOW + 60)) == 3
    assert unfit(path) == (0, 0, 0)
    assert demo_crm.mend(path, NOW + 61) == []
