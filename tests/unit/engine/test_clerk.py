"""A daemon carries requests out in steps beside its own work, again after a crash, and books how they ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

from connector.engine.operations import PAUSE, SYNC, PauseArguments, SyncArguments
from connector.ledger.requests import Outcome, Request


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path)
    company.put("accounts", id=1, name="One")
    yield company
    company.close()


def ask(company: Company, operation: str, arguments: str, mapping: str | None = None) -> int:
    return company.wiring.requests.book(operation, arguments, "somebody", for_daemon=True, mapping=mapping)


def ticks(company: Company, request_id: int) -> Request:
    """Let the daemon's clerk and its rounds have their turns until the request is finished."""
    clerk, rounds = company.daemon.clerk, company.wiring.rounds
    for _ in range(100):
        clerk.tick()
        if company.wiring.requests.get(request_id).finished_at is not None:
            break
        rounds.tend()
        rounds.deliver()
        company.clock.advance(1)
    return company.wiring.requests.get(request_id)


def test_a_request_that_waits_for_gong_keeps_no_other_one_waiting(company: Company) -> None:
    first = ask(company, "sync", SYNC.dump_arguments(SyncArguments((), wait=True, timeout=None)))
    second = ask(company, "sync", SYNC.dump_arguments(SyncArguments((ObjectType.ACCOUNT,), wait=False, timeout=None)))
    company.daemon.clerk.tick()
    assert [one.started_at is not None for one in company.wiring.requests.open()] == [True, True]
    for request_id in (first, second):
        done = ticks(company, request_id)
        assert done.outcome is Outcome.DONE
        assert SYNC.load_result(done.result or "").readings["ACCOUNT"].counts.rows >= 0
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 1


def test_what_a_dead_daemon_had_begun_the_next_one_begins_anew(company: Company) -> None:
    request_id = ask(company, "sync", SYNC.dump_arguments(SyncArguments((), wait=True, timeout=None)))
    company.daemon.clerk.tick()
    company.restart()
    assert ticks(company, request_id).outcome is Outcome.DONE


def test_pauses_are_the_quick_clerks_and_what_cannot_be_done_ends_with_its_reason(company: Company) -> None:
    paused = ask(company, "pause", PAUSE.dump_arguments(PauseArguments(ObjectType.ACCOUNT)))
    unknown = ask(company, "dance", "{}")
    elsewhere = ask(company, "sync", SYNC.dump_arguments(SyncArguments((), wait=True, timeout=None)), "another mapping")
    company.daemon.clerk.tick()
    get = company.wiring.requests.get
    assert get(paused).started_at is None
    company.daemon.quick_clerk.tick()
    assert get(paused).outcome is Outcome.DONE
    assert company.wiring.store.pauses() == {ObjectType.ACCOUNT: company.clock.now()}
    assert (get(unknown).outcome, get(elsewhere).outcome) == (Outcome.WRONG, Outcome.WRONG)
    assert "another version of the mapping file" in str(get(elsewhere).error)


def test_what_a_killed_command_left_is_interrupted_and_old_requests_are_forgotten(company: Company) -> None:
    requests = company.wiring.requests
    left = requests.book("sync", "{}", "somebody", for_daemon=False, mapping=None)
    requests.start(left, for_daemon=False)
    assert requests.give_up() == 1
    assert requests.get(left).outcome is Outcome.INTERRUPTED
    assert requests.open() == []
    requests.prune(company.clock.now() + 1)
    assert requests.give_up() == 0
