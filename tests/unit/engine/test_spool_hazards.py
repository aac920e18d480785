"""A spool that is lost, full, or left untidy by a failure loses nothing and sends nothing twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, Fault, FaultKind, ObjectType, Operation

from connector import failpoints
from connector.engine.courier import GRACE_SECONDS
from connector.engine.reading import End
from connector.errors import LedgerUnavailable

ROWS = 30


class Crash(BaseException):
    """The end of the process."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    fill(made)
    yield made
    failpoints.arm(None)
    made.close()


def fill(company: Company) -> None:
    for number in range(1, ROWS + 1):
        company.put("accounts", id=number, name=f"Account {number}")


def moves_at(company: Company, point: str) -> None:
    """Let the process die at a failpoint, and another go on without its spool: on another host, say."""

    def crash(name: str) -> None:
        if name == point:
            raise Crash

    failpoints.arm(crash)
    with pytest.raises(Crash):
        company.sync()
    failpoints.arm(None)
    shutil.rmtree(company.directory / "spool")
    company.restart(after=100)


def assert_all_there(company: Company) -> None:
    assert len(company.world.objects(ObjectType.ACCOUNT)) == ROWS
    work = company.wiring.queries.work(company.clock.now())
    assert (work.unsettled, work.awaited, work.refused) == (0, 0, 0)
    assert [file.name for file in (company.directory / "spool").iterdir()] == ["ledger.mark"]


def test_files_that_gong_has_are_settled_without_their_spool(company: Company) -> None:
    moves_at(company, "ledger.mark_accepted.after")
    company.sync()
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)


def test_files_that_were_never_sent_are_made_again_at_once(company: Company) -> None:
    moves_at(company, "ledger.book.after")
    company.sync(timeout=60)
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)


def test_a_file_that_arrived_for_all_we_know_is_settled_once_gong_knows_it(company: Company) -> None:
    company.during(Fault(kind=FaultKind.UNKNOWN, seconds=GRACE_SECONDS - 60))
    moves_at(company, "gong.upload.after")
    company.sync(timeout=10)
    company.clock.advance(GRACE_SECONDS)
    company.sync()
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)


def test_a_file_that_was_perhaps_sent_is_made_again_after_the_time_of_grace(company: Company) -> None:
    company.during(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.UPLOAD))
    moves_at(company, "gong.upload.after")
    company.sync(timeout=10)
    assert company.uploads() == []
    company.clock.advance(GRACE_SECONDS)
    company.sync()
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)


def test_an_altered_file_is_never_uploaded(company: Company) -> None:
    for entity in company.wiring.mapping.entities:
        company.wiring.rounds.read(entity)
    (file,) = (company.directory / "spool").glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b"Account 1", b"Someone 1"))  # of the same length
    company.sync()
    assert {line["name"] for line in company.world.objects(ObjectType.ACCOUNT).values()} == {
        f"Account {number}" for number in range(1, ROWS + 1)
    }
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)


def test_reading_pauses_while_the_spool_is_full_and_drops_nothing(tmp_path: Path) -> None:
    limit, file = 1500, 1000
    company = Company(tmp_path, spool_max_bytes=limit, max_file_bytes=file)
    fill(company)
    company.during(Fault(kind=FaultKind.ERROR_BEFORE, operation=Operation.UPLOAD, times=1000))
    report = company.sync(timeout=30)
    assert report.readings["ACCOUNT"].end is End.SPOOL_FULL
    # A chunk of rows is decided as a whole: what is read of it at once may go over the limit.
    assert limit <= company.wiring.spool.used()
    before = company.wiring.spool.used()
    company.sync(timeout=30)
    assert company.wiring.spool.used() == before
    company.faults.clear()
    company.sync()
    assert_all_there(company)
    company.close()


def test_a_ledger_that_cannot_be_written_does_not_fill_the_spool(company: Company) -> None:
    def full(name: str) -> None:
        if name == "ledger.book.before":
            raise LedgerUnavailable("database or disk is full")

    (entity,) = [entity for entity in company.wiring.mapping.entities if entity.type is ObjectType.ACCOUNT]
    failpoints.arm(full)
    for _ in range(5):
        with pytest.raises(LedgerUnavailable):
            company.wiring.rounds.read(entity)
    failpoints.arm(None)
    assert company.wiring.spool.leftovers() == ([], [])
    company.sync()
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert_all_there(company)
