"""A paused type is neither read nor uploaded; the others go on, and its cursor stays where it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

from connector.engine.observe import Fact
from connector.engine.reading import End


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path)
    company.put("accounts", id=1, name="One")
    company.put("contacts", id=1, last="First", account=1)
    company.sync()
    yield company
    company.close()


def test_a_paused_type_is_not_read_the_others_are_and_it_catches_up_when_resumed(company: Company) -> None:
    before = len(company.uploads())
    company.wiring.store.pause(ObjectType.ACCOUNT)
    company.put("accounts", id=2, name="Two")
    company.put("contacts", id=2, last="Second", account=1)
    company.put("contacts", id=3, last="Of the paused one", account=2)
    report = company.sync()
    assert report.readings["ACCOUNT"].end is End.PAUSED
    assert company.uploads(before) == [("CONTACT", 1)]
    assert report.work.held == 1
    assert report.work.unsettled + report.work.awaited == 0
    assert company.wiring.reconciler.reconcile(ObjectType.ACCOUNT).end is End.PAUSED
    company.restart()
    assert company.sync().readings["ACCOUNT"].end is End.PAUSED, "a pause outlasts the process"

    company.wiring.store.resume(ObjectType.ACCOUNT)
    report = company.sync()
    assert company.uploads(before + 1) == [("ACCOUNT", 1), ("CONTACT", 1)]
    assert report.work.held == 0


def test_a_file_of_a_paused_type_stays_until_it_is_resumed(company: Company) -> None:
    before = len(company.uploads())
    company.put("accounts", id=2, name="Two")
    company.wiring.rounds.read(company.wiring.mapping.entities[1])
    company.wiring.store.pause(ObjectType.ACCOUNT)
    report = company.sync()
    assert company.uploads(before) == []
    assert report.work.held == 1, "the line in the file"
    assert not report.work.unsettled
    company.wiring.store.resume(ObjectType.ACCOUNT)
    company.sync()
    assert company.uploads(before) == [("ACCOUNT", 1)]


def test_the_first_load_that_waits_for_paused_accounts_is_held_and_no_failure(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.wiring.store.pause(ObjectType.ACCOUNT)
    company.put("contacts", id=1, last="First", account=1)
    report = company.sync()
    assert not report.errors
    assert {report.readings[name].end for name in ("ACCOUNT", "CONTACT", "DEAL")} == {End.PAUSED}
    company.close()


def test_a_reading_ends_soon_after_its_type_is_paused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.source.engines.CHUNK_ROWS", 2)
    for number in range(10, 20):
        company.put("accounts", id=number, name="New")
    entity = next(entity for entity in company.wiring.mapping.entities if entity.type is ObjectType.ACCOUNT)
    lease, chunks = company.wiring.lease, list[Fact]()

    def keep() -> None:
        chunks.append(None)
        if len(chunks) == 2:
            company.wiring.store.pause(ObjectType.ACCOUNT)

    monkeypatch.setattr(lease, "keep", keep)
    assert company.wiring.rounds.read(entity).end is End.PAUSED
    assert len(chunks) == 2
    company.wiring.store.resume(ObjectType.ACCOUNT)
    company.sync()
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 11
