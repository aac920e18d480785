"""The past of many objects, streamed from a small CRM: each object once, whatever the portions."""

import sqlite3
from pathlib import Path

import pytest

from connector.clock import FakeClock
from connector.engine import history
from connector.engine.history import pasts
from connector.mapping import CompiledMapping, compile_mapping, load
from connector.model import Past
from connector.source import Source, open_source

NOW = 1_780_000_000.0
DAY = "2026-01-%02d 12:00:00"

MAPPING = """
version: 1
integration: {name: A, owner_email: a@b.example}
entities:
  DEAL:
    table: deals
    key: id
    modified: updated
    deleted: gone = 1
    fields: {name: name, stage: stage}
    history: {kind: field_log, table: log, key: deal, field: what, before: old, after: new, changed_at: at,
              names: [stage]%s}
"""


class Crm:
    def __init__(self, directory: Path, created: str) -> None:
        self.file = sqlite3.connect(directory / "crm.db", isolation_level=None)
        self.file.executescript(
            "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, stage TEXT, gone INT, born TEXT, updated TEXT);"
            "CREATE TABLE log (deal INTEGER, what TEXT, old TEXT, new TEXT, at TEXT);"
        )
        (directory / "mapping.yaml").write_text(MAPPING % created)
        self.clock = FakeClock(NOW)
        self.source: Source = open_source(f"sqlite:///{directory}/crm.db", self.clock)

    def mapping(self, directory: Path) -> CompiledMapping:
        file = load(directory / "mapping.yaml")
        return compile_mapping(
            file, {relation.name: self.source.describe(relation) for relation in file.relations}, file.picklists()
        )

    def deal(self, number: int, steps: int, *, gone: int = 0) -> None:
        """A deal that went through stages s0, s1, ... from the first of January on, one a day."""
        self.file.execute(
            "INSERT INTO deals VALUES (?, ?, ?, ?, ?, ?)",
            (number, f"deal {number}", f"s{steps}", gone, DAY % 1, DAY % 28),
        )
        for step in range(steps):
            self.step(number, step)

    def step(self, number: int, step: int) -> None:
        self.file.execute(
            "INSERT INTO log VALUES (?, 'stage', ?, ?, ?)", (number, f"s{step}", f"s{step + 1}", DAY % (step + 2))
        )


def read(directory: Path, crm: Crm, **span: int) -> dict[str, Past]:
    mapping = crm.mapping(directory)
    found = list(pasts(crm.source, mapping.entities[0], mapping.histories["DEAL"], crm.clock, **span))
    assert len({past.object_id for past in found}) == len(found)
    return {past.object_id: past for past in found}


def days(past: Past) -> list[int]:
    return [1 + (version.stamp - 1767268800) // 86400 for version in past.versions]


@pytest.mark.parametrize("at_once", [1, 3, 500])
def test_each_object_has_all_its_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(history, "OBJECTS_AT_ONCE", at_once)
    crm = Crm(tmp_path, ", created: born")
    for number in range(20):
        crm.deal(number, number % 4)
    found = read(tmp_path, crm)
    assert {int(key): days(past) for key, past in found.items()} == {
        number: list(range(1, 2 + number % 4)) for number in range(20)
    }


def test_rows_that_are_gone_or_deleted_are_counted_and_not_sent(tmp_path: Path) -> None:
    crm = Crm(tmp_path, ", created: born")
    crm.deal(1, 2, gone=1)
    crm.step(2, 0)
    crm.deal(3, 0, gone=1)
    found = read(tmp_path, crm)
    assert {key: past.absent for key, past in found.items()} == {"1": True, "2": True}


def test_without_a_time_of_creation_only_changed_objects_have_a_past(tmp_path: Path) -> None:
    crm = Crm(tmp_path, "")
    crm.deal(1, 2)
    crm.deal(2, 0)
    assert {key: days(past) for key, past in read(tmp_path, crm).items()} == {"1": [2, 3]}


def test_a_span_keeps_the_version_that_was_true_at_its_beginning(tmp_path: Path) -> None:
    crm = Crm(tmp_path, ", created: born")
    crm.deal(1, 6)
    noon = 1767268800
    found = read(tmp_path, crm, since=noon + 2 * 86400 + 60, until=noon + 4 * 86400)
    assert days(found["1"]) == [3, 4, 5]


def test_keys_equal_but_for_case_do_not_share_a_past(tmp_path: Path) -> None:
    crm = Crm(tmp_path, "")
    crm.file.executescript(
        "DROP TABLE deals; DROP TABLE log;"
        "CREATE TABLE deals (id TEXT PRIMARY KEY, name TEXT, stage TEXT, gone INT, born TEXT, updated TEXT);"
        "CREATE TABLE log (deal TEXT COLLATE NOCASE, what TEXT, old TEXT, new TEXT, at TEXT);"
    )
    for key, stage in (("a", "x1"), ("A", "y1")):
        crm.file.execute("INSERT INTO deals VALUES (?, 'n', ?, 0, ?, ?)", (key, stage, DAY % 1, DAY % 28))
    for day, key in enumerate("aAaA", start=2):
        old, new = ("x", "x1") if key == "a" else ("y", "y1")
        old, new = (old, new) if day > 3 else (old + "0", old)
        crm.file.execute("INSERT INTO log VALUES (?, 'stage', ?, ?, ?)", (key, old, new, DAY % day))
    found = read(tmp_path, crm)
    assert {key: (days(past), list(past.gaps)) for key, past in found.items()} == {"a": ([2, 4], []), "A": ([3, 5], [])}


def test_a_change_while_the_log_is_read_is_not_told_of_the_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field was never logged before, so that only the row knew its value."""
    monkeypatch.setattr(history, "OBJECTS_AT_ONCE", 1)
    crm = Crm(tmp_path, "")
    crm.file.execute("PRAGMA journal_mode = WAL")
    for number in range(3):
        crm.deal(number, 2)
    file = tmp_path / "mapping.yaml"
    file.write_text(file.read_text().replace("names: [stage]", "names: [stage, name]"))
    mapping = crm.mapping(tmp_path)
    reading = pasts(crm.source, mapping.entities[0], mapping.histories["DEAL"], crm.clock)
    found = [next(reading)]
    lately = "2026-05-28 20:26:40"
    crm.file.execute("INSERT INTO log VALUES (2, 'name', 'deal 2', 'renamed', ?)", (lately,))
    crm.file.execute("UPDATE deals SET name = 'renamed', updated = ? WHERE id = 2", (lately,))
    found += reading
    assert [past.object_id for past in found] == ["0", "1", "2"]
    assert all(b'"renamed"' not in version.line.body for past in found for version in past.versions)
    assert [len(past.versions) for past in found] == [len(found[0].versions)] * 3
