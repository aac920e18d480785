"""Carries an operation out: by this process under its own lease, or by the daemon that has it."""

import getpass
import os
import socket
from collections.abc import Callable
from typing import Final, TypeVar

import click

from connector.cli.exits import Status
from connector.cli.output import count, remarks, say
from connector.cli.progress import showing, waiting
from connector.engine.ledger_parts import LeaseTaken
from connector.engine.operations import Operation, carry_out
from connector.engine.wiring import Wiring
from connector.errors import ConfigError, ConnectorError, FatalError
from connector.ledger.requests import Outcome, Request

A = TypeVar("A")
R = TypeVar("R")

LOOK_SECONDS: Final = 0.5
"""Between two looks at what became of a request."""
GRACE_SECONDS: Final = 15.0
"""How much longer than --timeout the daemon's word is waited for: it counts from when it took the request up."""


def perform(wiring: Wiring, operation: Operation[A, R], arguments: A, *, timeout: float | None = None) -> R:
    """Carry an operation out and return its result, whoever does it.

    Args:
        wiring: the parts of this process.
        operation: what to do.
        arguments: of the operation.
        timeout: seconds after which not to wait for a daemon any longer; None for no limit.

    Raises:
        LeaseTaken: another command is at work on this ledger.
        ConnectorError: what the operation raised, wherever.
        click.exceptions.Exit: the time is over, and the daemon goes on.
    """
    mapping = wiring.mapping_file.fingerprint if operation.mapped else None
    stored = operation.dump_arguments(arguments)
    other = wiring.try_lease()
    if other is None:
        request_id = wiring.requests.book(operation.name, stored, asker(), for_daemon=False, mapping=mapping)
        return _alone(wiring, operation, arguments, request_id)
    refuse_early(wiring)
    request_id = wiring.requests.book(operation.name, stored, asker(), for_daemon=True, mapping=mapping)
    say(f"{other} is the daemon of this ledger and carries it out, as request {request_id}.", to=remarks)
    try:
        finished = _follow(wiring, request_id, timeout)
    except (KeyboardInterrupt, SystemExit):
        say(f"Request {request_id} stays with the daemon: see `gong-connector status`.", "yellow", to=remarks)
        raise
    if finished is None:
        say(f"The daemon is gone; this command carries request {request_id} out itself.", "yellow", to=remarks)
        return _alone(wiring, operation, arguments, request_id)
    return _result(operation, finished)


def refuse_early(wiring: Wiring) -> None:
    """Say before long work that nobody would carry an operation out: another command is at work.

    Raises:
        LeaseTaken: it is.
    """
    active = wiring.queries.active(wiring.lease.now())
    if active is not None and not active.serves:
        raise LeaseTaken(active.holder)


def _alone(wiring: Wiring, operation: Operation[A, R], arguments: A, request_id: int) -> R:
    """Carry a request out in this process, which holds the lease."""
    requests = wiring.requests
    requests.give_up()
    requests.start(request_id, for_daemon=False)
    try:
        with showing(wiring.observer):
            result = carry_out(wiring, operation.steps(wiring, arguments))
    except ConfigError as error:
        requests.finish(request_id, Outcome.WRONG, error=str(error))
        raise
    except ConnectorError as error:
        requests.finish(request_id, Outcome.FAILED, error=str(error))
        raise
    except BaseException:
        requests.finish(request_id, Outcome.INTERRUPTED)
        raise
    requests.finish(request_id, Outcome.DONE, result=operation.dump_result(result))
    return result


def _follow(wiring: Wiring, request_id: int, timeout: float | None) -> Request | None:
    """Wait until a daemon has carried a request out; return None when this process holds the lease instead."""
    clock = wiring.clock
    end = None if timeout is None else clock.monotonic() + timeout + GRACE_SECONDS
    with waiting("waits for the daemon") as tell:
        while True:
            request = wiring.requests.get(request_id)
            if request.finished_at is not None:
                return request
            if wiring.queries.active(wiring.lease.now()) is None and wiring.try_lease() is None:
                # It may have finished between the two looks.
                request = wiring.requests.get(request_id)
                return None if request.finished_at is None else request
            if end is not None and clock.monotonic() >= end:
                say(f"Not finished at --timeout: request {request_id} goes on in the daemon.", "yellow", to=remarks)
                raise click.exceptions.Exit(Status.UNSETTLED)
            _progress(wiring, request, tell)
            clock.sleep(LOOK_SECONDS)


def _progress(wiring: Wiring, request: Request, tell: Callable[[str], None]) -> None:
    """Say what the ledger can tell of the daemon's work."""
    if request.started_at is None:
        return
    work = wiring.queries.work(wiring.clock.now())
    reading = [one for one in wiring.queries.last_passes() if one.finished_at is None and one.error is None]
    words = [f"{one.name}: {one.counts.rows:,} rows read" for one in reading]
    words += [f"{count(work.unsettled, 'file')} on the way"] if work.unsettled else []
    words += [f"{count(work.awaited, 'object')} to be sent again"] if work.awaited else []
    tell(", ".join(words) or "at work")


def _result(operation: Operation[A, R], request: Request) -> R:
    """Return what a finished request found, or raise what ended it."""
    match request.outcome:
        case Outcome.DONE if request.result is not None:
            return operation.load_result(request.result)
        case Outcome.WRONG:
            raise ConfigError(request.error or "")
        case _:
            raise FatalError(request.error or f"request {request.id} was interrupted: run the command again")


def asker() -> str:
    """Name who asks, for the audit."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"
