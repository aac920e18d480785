"""Keys that collide: rows that share one, and keys that differ only by case or trailing blanks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from company import Company, ObjectType

from connector.engine import intake

MANY = 1500
"""Rows of more than one chunk."""
MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT:
    {table: firms, key: id, modified: updated, deleted: gone = 1%s, fields: {name: name}}
  STAGE:
    {table: steps, key: id, fields: {name: name}}
"""
TABLES = """
CREATE TABLE firms (id PRIMARY KEY, name TEXT, gone INTEGER DEFAULT 0, updated TEXT NOT NULL);
CREATE TABLE steps (id, name TEXT);
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Company]]:
    made: list[Company] = []

    def one(keys: str = "", **settings: Any) -> Company:
        company = Company(tmp_path, mapping_text=MAPPING % keys, **settings)
        made.append(company)
        company.crm.executescript(TABLES)
        return company

    yield one
    for company in made:
        company.close()


@pytest.fixture
def company(make: Callable[..., Company]) -> Company:
    return make()


def firm(company: Company, key: object, name: str) -> None:
    company.put("firms", id=key, name=name)


def names(company: Company, object_type: ObjectType = ObjectType.ACCOUNT) -> dict[str, object]:
    return {key: found["name"] for key, found in company.world.objects(object_type).items()}


def refused(company: Company) -> list[str]:
    return [failure.object_id for failure in company.wiring.queries.failures()]


def calm(company: Company) -> None:
    """Nothing is sent, however often the source is read."""
    files = len(company.uploads())
    for _ in range(3):
        company.sync()
        company.reconcile(ObjectType.ACCOUNT)
        company.reconcile(ObjectType.STAGE)
    assert len(company.uploads()) == files


def far_apart(company: Company) -> None:
    """Two rows with one key in a table without times, in different chunks of it."""
    company.put("steps", id="1", name="First")
    company.crm.executemany("INSERT INTO steps VALUES (?, ?)", [(f"s{n}", "Step") for n in range(MANY)])
    company.put("steps", id=1, name="Second")


def test_a_first_load_tells_gong_of_one_of_two_rows_that_share_a_key_files_apart(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_LINES", 1000)
    far_apart(company)
    company.sync()
    assert names(company, ObjectType.STAGE)["1"] == "First"
    assert sum(lines for _, lines in company.uploads()) == MANY + 1


def test_rows_with_one_key_in_different_chunks_do_not_take_turns(company: Company) -> None:
    far_apart(company)
    report = company.sync()
    assert report.work.refused == 1
    told = names(company, ObjectType.STAGE)["1"]
    calm(company)
    assert names(company, ObjectType.STAGE)["1"] == told
    [failure] = company.wiring.queries.failures()
    assert failure.object_id == "1"
    assert "two different rows have this key" in failure.reason
    assert "'1' (str)" in failure.reason
    assert "1 (int)" in failure.reason
    company.crm.execute("UPDATE steps SET name = 'Changed' WHERE id IN (1, '1')")
    company.sync()
    assert names(company, ObjectType.STAGE)["1"] == told


def test_a_second_row_that_comes_later_is_sent_once_at_most(company: Company) -> None:
    company.put("steps", id="1", name="First")
    company.crm.executemany("INSERT INTO steps VALUES (?, ?)", [(f"s{n}", "Step") for n in range(MANY)])
    company.sync()
    company.put("steps", id=1, name="Second")
    company.sync()
    calm(company)
    assert refused(company) == ["1"]


@pytest.mark.parametrize("left", ["1", 1])
def test_the_rest_is_sent_once_one_of_the_rows_is_gone(company: Company, left: object) -> None:
    far_apart(company)
    company.sync()
    company.crm.execute("DELETE FROM steps WHERE id = ?", ["1" if left == 1 else 1])
    company.sync()
    company.reconcile(ObjectType.STAGE)
    assert names(company, ObjectType.STAGE)["1"] == ("Second" if left == 1 else "First")
    assert len(names(company, ObjectType.STAGE)) == MANY + 1
    assert refused(company) == []
    calm(company)


def test_rows_of_one_key_that_are_all_gone_are_deleted(company: Company) -> None:
    far_apart(company)
    company.sync()
    company.crm.execute("DELETE FROM steps WHERE id IN (1, '1')")
    company.reconcile(ObjectType.STAGE)
    assert not company.world.objects(ObjectType.STAGE)["1"]["isActive"]
    company.reconcile(ObjectType.STAGE)
    assert refused(company) == []


def test_equal_rows_are_no_collision(company: Company) -> None:
    for _ in range(2):
        company.crm.execute("INSERT INTO steps VALUES ('1', 'Same')")
        company.crm.executemany("INSERT INTO steps VALUES (?, ?)", [(f"s{n}", "Step") for n in range(MANY)])
    company.sync()
    company.reconcile(ObjectType.STAGE)
    assert refused(company) == []


@pytest.mark.parametrize(("one", "other"), [("AB", "ab"), ("ab", "ab ")])
def test_keys_that_differ_by_case_or_blanks_only_are_refused_but_for_one(
    company: Company, one: str, other: str
) -> None:
    firm(company, one, "One")
    firm(company, other, "Other")
    firm(company, "c", "Else")
    assert company.sync().work.refused == 1
    assert names(company) == {one: "One", "c": "Else"}
    [failure] = company.wiring.queries.failures()
    assert failure.object_id == other
    assert repr(one) in failure.reason
    assert repr(other) in failure.reason
    assert "distinct_keys: exact" in failure.reason
    firm(company, other, "Other, changed")
    company.crm.execute("UPDATE firms SET name = 'One, changed', updated = ? WHERE id = ?", [company.now(), one])
    company.sync()
    assert names(company) == {one: "One, changed", "c": "Else"}
    company.wiring.store.retry(None, None)
    calm(company)
    assert refused(company) == [other]


def test_a_file_apart_they_are_found_at_the_end_of_the_first_load(
    make: Callable[..., Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_LINES", 500)
    company = make()
    firm(company, "AB", "One")
    for number in range(MANY):
        firm(company, f"f{number}", "Firm")
    firm(company, "ab", "Other")
    company.sync()
    assert refused(company) == ["ab"]
    firm(company, "ab", "Other, changed")
    calm(company)


def test_what_gong_was_told_of_stays_when_another_like_it_comes(company: Company) -> None:
    firm(company, "ab", "Old")
    company.sync()
    firm(company, "AB", "New")
    company.sync()
    company.reconcile(ObjectType.ACCOUNT)
    assert len(refused(company)) == 1
    assert names(company).keys() == {"ab", "AB"}  # seen too late; nothing is deleted
    calm(company)


def test_exact_keys_are_objects_of_their_own(make: Callable[..., Company]) -> None:
    company = make(", distinct_keys: exact")
    firm(company, "AB", "One")
    firm(company, "ab", "Other")
    company.sync()
    company.reconcile(ObjectType.ACCOUNT)
    assert names(company) == {"AB": "One", "ab": "Other"}
    assert refused(company) == []


def test_the_other_is_sent_after_the_deletion_of_the_one_that_stayed(company: Company) -> None:
    firm(company, "AB", "One")
    firm(company, "ab", "Other")
    firm(company, "c", "Else")
    company.sync()
    company.crm.execute("DELETE FROM firms WHERE id = 'AB'")
    company.reconcile(ObjectType.ACCOUNT)
    assert names(company) == {"c": "Else"}  # "ab" waits for the deletion of "AB"
    assert refused(company) == ["ab"]
    company.reconcile(ObjectType.ACCOUNT)
    assert names(company) == {"ab": "Other", "c": "Else"}
    assert refused(company) == []


def test_a_refused_one_that_is_gone_is_listed_no_more(company: Company) -> None:
    firm(company, "AB", "One")
    firm(company, "ab", "Other")
    company.sync()
    company.crm.execute("UPDATE firms SET gone = 1, updated = ? WHERE id = 'ab'", [company.now()])
    company.reconcile(ObjectType.ACCOUNT)
    company.crm.execute("DELETE FROM firms WHERE id = 'ab'")
    company.reconcile(ObjectType.ACCOUNT)
    assert refused(company) == []
    assert names(company) == {"AB": "One"}
