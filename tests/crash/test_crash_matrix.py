"""A process killed at any failpoint, again and again on the same state, breaks no promise."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.cli_site import eventually, now
from tests.crash import matrix
from tests.crash.matrix import Part
from tests.crash.promises import hold
from tests.crash.trial import Trial, is_quiet, trial
from tests.databases import postgres_database
from tests.failpoint_names import failpoints, steps
from tests.webhooks import webhook


def ledgers(first: str) -> pytest.MarkDecorator:
    """Run a test with that ledger and one side of each step; both sides, and the other ledger, in `make crash`."""
    second = "postgresql" if first == "sqlite" else "sqlite"
    more = [pytest.param(ledger, True, id=f"{ledger}-both", marks=pytest.mark.thorough) for ledger in (first, second)]
    return pytest.mark.parametrize(("ledger", "both"), [pytest.param(first, False, id=first), *more])


@contextmanager
def fresh(home: Path, ledger: str) -> Iterator[Trial]:
    """Give a company that was never connected to Gong."""
    if ledger == "sqlite":
        with trial(home, f"sqlite:///{home / 'connector.db'}") as made:
            yield made
        return
    with postgres_database() as url, trial(home, url.render_as_string(hide_password=False)) as made:
        yield made


def sides(step: str) -> list[str]:
    """The failpoints of a step."""
    return [name for name in failpoints() if name == step or name.rpartition(".")[0] == step]


def strike(made: Trial, parts: Sequence[Part], *, late: bool, both: bool) -> None:
    """Kill the parts' commands at their failpoints; `late`: at the second time where they come there often; `both`:
    before and after each step, not in turns.
    """
    for part in parts:
        for number, step in enumerate(part.steps):
            points = sides(step)[::-1]  # "before" comes before "after"
            for at in points if both else [points[number % len(points)]]:
                part.prepare(made)
                made.killed(*part.arguments, at=at, hit=2 if late and part.often else 1, besides=part.besides)
    made.goes_wrong()


@ledgers("postgresql")
def test_a_first_load_and_changes_survive(tmp_path: Path, ledger: str, both: bool) -> None:
    with fresh(tmp_path, ledger) as made:
        strike(made, matrix.REGISTER, late=False, both=both)
        made.runs("register", status=0)
        strike(made, matrix.SYNC, late=ledger == "postgresql", both=both)
        made.runs("sync")
        hold(made)


@ledgers("sqlite")
def test_crashes_in_the_midst_of_other_trouble_are_survived(tmp_path: Path, ledger: str, both: bool) -> None:
    with fresh(tmp_path, ledger) as made:
        made.runs("register", status=0)
        made.runs("sync")
        strike(made, matrix.TROUBLE, late=False, both=both)
        made.runs("reconcile")
        made.runs("sync")
        hold(made)


@ledgers("sqlite")
def test_sending_again_is_survived(tmp_path: Path, ledger: str, both: bool) -> None:
    with fresh(tmp_path, ledger) as made:
        made.runs("register", status=0)
        made.runs("sync")
        strike(made, matrix.AGAIN, late=False, both=both)
        made.runs("sync")
        hold(made, sent_again=True)


@ledgers("sqlite")
def test_the_daemon_goes_on_where_it_was_killed(tmp_path: Path, ledger: str, both: bool) -> None:
    with fresh(tmp_path, ledger) as made:
        made.runs("register", status=0)
        strike(made, matrix.RUN, late=ledger == "postgresql", both=both)
        made.work()
        process = made.start("run")
        eventually(lambda: is_quiet(made), "rest")
        os.kill(process.pid, signal.SIGTERM)
        assert process.end() == 0
        hold(made)


@ledgers("sqlite")
def test_a_process_killed_as_it_tells_the_webhook_tells_it_once_more_at_most(
    tmp_path: Path, ledger: str, both: bool
) -> None:
    def told(kind: str) -> int:
        return sum(one["kind"] == kind for message in chat.got for one in message["incidents"])

    with webhook() as chat, fresh(tmp_path, ledger) as made:
        made.site.environment["CONNECTOR_ALERT_WEBHOOK_URL"] = chat.url
        made.runs("register", status=0)
        made.runs("sync")
        strike(made, matrix.ALERTS, late=False, both=both)
        made.site.environment["CONNECTOR_DELETE_GUARD_COUNT"] = "0"
        made.site.sql("UPDATE leads SET is_deleted = 1, updated_at = ? WHERE id = 1", now())
        made.runs("sync")
        process = made.start("run")
        eventually(lambda: told("guard") == 1, "word of what happened since")
        os.kill(process.pid, signal.SIGTERM)
        assert process.end() == 0
        assert told("refused") == 2, "the first was told and not booked"


@pytest.mark.parametrize(
    ("command", "status", "parts"),
    [pytest.param("sync", 143, matrix.SYNC, id="sync"), pytest.param("run", 0, matrix.RUN[:2], id="run")],
)
@pytest.mark.thorough
def test_sigterm_ends_a_process_in_good_order_wherever_it_is(
    tmp_path: Path, command: str, status: int, parts: Sequence[Part]
) -> None:
    with fresh(tmp_path, "sqlite") as made:
        made.runs("register", status=0)
        for part in parts:
            for step in part.steps:
                for at in reversed(sides(step)):
                    part.prepare(made)
                    made.terminated(command, at=at, status=status)
        made.goes_wrong()
        made.runs("sync")
        hold(made)


def test_every_failpoint_is_tried() -> None:
    parts = (*matrix.REGISTER, *matrix.SYNC, *matrix.TROUBLE, *matrix.AGAIN, *matrix.RUN, *matrix.ALERTS)
    assert {step for part in parts for step in part.steps} | set(matrix.ELSEWHERE) == set(steps())
