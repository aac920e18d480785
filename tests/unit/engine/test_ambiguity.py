"""What became of a file is found out by asking, never guessed: whatever the answer and whatever Gong did."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from company import Company, Fault, FaultKind, ObjectType, Operation

from connector import failpoints
from connector.engine.courier import GRACE_SECONDS
from connector.ledger.records import BatchState

ROWS = 30


class Crash(BaseException):
    """The end of the process."""


@dataclass(frozen=True)
class Answer:
    """What goes wrong with an upload, and what Gong did with the file."""

    kind: FaultKind
    arrived: bool


ANSWERS = [
    Answer(FaultKind.DROP_BEFORE, arrived=False),
    Answer(FaultKind.DROP_IN_BODY, arrived=False),
    Answer(FaultKind.DROP_AFTER, arrived=True),
    Answer(FaultKind.ERROR_BEFORE, arrived=False),
    Answer(FaultKind.ERROR_AFTER, arrived=True),
    Answer(FaultKind.HTML_BEFORE, arrived=False),
    Answer(FaultKind.HTML_AFTER, arrived=True),
    Answer(FaultKind.CUT_JSON, arrived=True),
    Answer(FaultKind.REDIRECT, arrived=False),
]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    for number in range(1, ROWS + 1):
        made.put("accounts", id=number, name=f"Account {number}")
    yield made
    failpoints.arm(None)
    made.close()


def dies_at(company: Company, point: str, after: float = 1000) -> None:
    """Let the process die at a failpoint, as by kill -9, and another start in its place once the lease is free."""

    def crash(name: str) -> None:
        if name == point:
            raise Crash

    failpoints.arm(crash)
    with pytest.raises(Crash):
        company.sync()
    failpoints.arm(None)
    company.restart(after)


def assert_arrived_once(company: Company) -> None:
    """Gong has every row, from one file, and was never given other bytes under its id; nothing is left to do."""
    assert company.uploads() == [("ACCOUNT", ROWS)]
    assert all(conflict.same_bytes for conflict in company.world.conflicts())
    assert len(company.world.objects(ObjectType.ACCOUNT)) == ROWS
    work = company.wiring.queries.work(company.clock.now())
    assert (work.unsettled, work.awaited, work.refused) == (0, 0, 0)
    assert company.wiring.spool.leftovers() == ([], [])


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.kind.value)
@pytest.mark.parametrize("later", ["alive", "dead", "dead before it booked"])
def test_an_upload_whose_answer_does_not_tell(company: Company, answer: Answer, later: str) -> None:
    company.during(Fault(kind=answer.kind, operation=Operation.UPLOAD))
    if later == "alive":
        company.sync(timeout=0.01)
    else:
        dies_at(company, "ledger.postpone.after" if later == "dead" else "gong.upload.after")
    assert len(company.uploads()) == answer.arrived
    waiting = company.wiring.store.batches((BatchState.SPOOLED, BatchState.SENT))
    assert [batch.type for batch in waiting] == [ObjectType.ACCOUNT]
    company.sync()
    assert_arrived_once(company)
    assert len(company.world.conflicts()) == 0  # the status tells that it arrived: it is not sent to be refused


@pytest.mark.parametrize("restart", [False, True])
def test_a_file_that_gong_takes_again_is_answered_409(company: Company, restart: bool) -> None:
    # It arrived, its answer was lost, and its status is not known yet: the same file goes again.
    company.during(
        Fault(kind=FaultKind.UNKNOWN, seconds=60), Fault(kind=FaultKind.DROP_AFTER, operation=Operation.UPLOAD)
    )
    if restart:
        dies_at(company, "gong.upload.after")
    company.sync()
    assert_arrived_once(company)
    assert [conflict.same_bytes for conflict in company.world.conflicts()] == ([True] if not restart else [])


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "status", [FaultKind.HTML_BEFORE, FaultKind.CUT_JSON, FaultKind.REDIRECT, FaultKind.DROP_AFTER]
)
def test_a_status_that_does_not_tell_is_asked_again(company: Company, status: FaultKind, restart: bool) -> None:
    company.during(
        Fault(kind=FaultKind.DROP_AFTER, operation=Operation.UPLOAD),
        Fault(kind=status, operation=Operation.STATUS, times=3),
    )
    if restart:
        dies_at(company, "gong.status.after")
    company.sync()
    assert_arrived_once(company)
    assert company.world.conflicts() == []


@pytest.mark.parametrize("restart", [False, True])
def test_a_status_that_stays_unknown_has_a_time_of_grace(company: Company, restart: bool) -> None:
    company.during(Fault(kind=FaultKind.UNKNOWN, seconds=GRACE_SECONDS - 60))
    if restart:
        dies_at(company, "ledger.mark_accepted.after", after=100)
    company.sync(timeout=10)
    assert company.wiring.queries.work(company.clock.now()).unsettled == 1
    company.clock.advance(GRACE_SECONDS)
    company.sync()
    assert_arrived_once(company)
    assert company.world.conflicts() == []


@pytest.mark.parametrize("died", [None, "ledger.doubt.before", "ledger.doubt.after"])
def test_a_file_that_gong_has_forgotten_goes_again_under_its_id(company: Company, died: str | None) -> None:
    company.during(Fault(kind=FaultKind.UNKNOWN, seconds=40 * GRACE_SECONDS))
    company.sync(timeout=10)
    company.clock.advance(2 * GRACE_SECONDS)
    if died is None:
        company.sync(timeout=10)
    else:
        dies_at(company, died)
    for _ in range(2):
        company.clock.advance(7 * GRACE_SECONDS)
        company.sync(timeout=10)
    assert {conflict.same_bytes for conflict in company.world.conflicts()} == {True}
    company.clock.advance(40 * GRACE_SECONDS)
    company.sync()
    assert_arrived_once(company)


def test_a_stuck_file_stops_no_other_type_and_is_booked_after_a_restart(company: Company) -> None:
    company.put("users", id="u1", email="u1@acme.example")
    company.during(Fault(kind=FaultKind.STUCK, object_type=ObjectType.BUSINESS_USER, seconds=5000))
    report = company.sync(timeout=600)
    assert report.work.unsettled == 1
    assert len(company.world.objects(ObjectType.ACCOUNT)) == ROWS
    company.restart()
    company.put("accounts", id=1, name="Changed meanwhile")
    assert company.sync(timeout=600).work.unsettled == 1
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Changed meanwhile"
    company.clock.advance(5000)
    assert company.sync().work.unsettled == 0
    assert company.uploads() == [("BUSINESS_USER", 1), ("ACCOUNT", ROWS), ("ACCOUNT", 1)]


@pytest.mark.parametrize("restart", [False, True])
def test_bytes_are_looked_at_before_each_sending(company: Company, restart: bool) -> None:
    # The upload breaks off, and before it is tried again somebody changes a byte of the file, not its length.
    company.during(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.UPLOAD))
    if restart:
        dies_at(company, "gong.upload.after")
    else:
        company.sync(timeout=0.01)
    (file,) = company.wiring.spool.leftovers().sealed
    path = company.wiring.spool.path(file)
    path.write_bytes(path.read_bytes().replace(b"Account 1", b"Account 7", 1))
    company.sync()
    assert company.world.objects(ObjectType.ACCOUNT)["1"]["name"] == "Account 1"
    assert_arrived_once(company)
