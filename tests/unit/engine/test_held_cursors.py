"""What a transaction that stays open in the source does to the cursor, and who hears of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from company import Company

from connector.model import Bound, Holder, Relation

DUMP = Holder("process 4711", "backup", "pg_dump", "idle in transaction", 0.0)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.put("accounts", id=1, name="One")
    yield made
    made.close()


def _see(company: Company, change: Callable[[Bound], Bound]) -> None:
    """Let the source say of its bounds what `change` makes of them, as a server with open transactions would."""
    source = company.wiring.source
    read = source.cursor_bound

    def cursor_bound(relation: Relation, overlap: float) -> Bound:
        return change(read(relation, overlap))

    source.cursor_bound = cursor_bound  # type: ignore[method-assign]


def _cursors(company: Company) -> dict[str, tuple[float | None, str | None]]:
    return {one.name: (one.at, one.held_by) for one in company.wiring.queries.cursors()}


def test_a_transaction_without_a_known_start_leaves_the_cursor_where_it_was(company: Company) -> None:
    company.sync()
    before = _cursors(company)["ACCOUNT"][0]
    late = company.now()
    company.clock.advance(7200)
    _see(company, lambda bound: replace(bound, stay=True, holder=replace(DUMP, since=bound.now)))
    company.put("accounts", id=2, name="Two")
    company.sync()
    assert _cursors(company)["ACCOUNT"][0] == before
    company.put("accounts", id=3, name="Was prepared all the time", updated=late)
    company.sync()
    assert set(company.world.objects("ACCOUNT")) == {"1", "2", "3"}
    assert company.uploads()[-1] == ("ACCOUNT", 1)  # what was read again is not sent again


def test_a_first_load_takes_what_it_is_given(company: Company) -> None:
    _see(company, lambda bound: replace(bound, stay=True))
    company.sync()
    assert _cursors(company)["ACCOUNT"][0] is not None


def test_an_old_transaction_is_named_once_until_it_ends(company: Company) -> None:
    began = company.clock.now()
    open_now = True
    _see(company, lambda bound: replace(bound, holder=replace(DUMP, since=began)) if open_now else bound)
    company.sync()
    assert company.notes.named("cursor.held") == []
    company.clock.advance(900)
    company.sync()
    company.sync()
    (alarm,) = company.notes.named("cursor.held")
    assert alarm == {
        "session": "process 4711", "user": "backup", "application": "pg_dump", "state": "idle in transaction",
        "minutes": 17, "alarm": True,
    }  # fmt: skip
    assert _cursors(company)["ACCOUNT"][1] == "process 4711 of backup (pg_dump), idle in transaction"
    open_now = False
    company.sync()
    assert _cursors(company)["ACCOUNT"][1] is None
    open_now = True
    company.sync()
    assert len(company.notes.named("cursor.held")) == 2
