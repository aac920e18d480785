"""Requests: what commands ask of the active process, who asked, and what came of it; kept as an audit."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping

from connector.clock import Clock
from connector.ledger.database import Database
from connector.ledger.statement import text


class Outcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    """`result` holds what it found and did."""
    FAILED = "failed"
    """`error` says why, in words."""
    WRONG = "wrong"
    """`error` says what is wrong with settings, mapping or arguments."""
    INTERRUPTED = "interrupted"
    """Its command ended before it did (Ctrl-C, a crash), and nobody else was to carry it out."""


@dataclass(frozen=True, slots=True)
class Request:
    """An operation that somebody asked for. Times are seconds since 1970 UTC."""

    id: int
    operation: str
    arguments: str
    """JSON, as the operation's type of arguments says."""
    mapping: str | None
    """Fingerprint of the mapping file as the asker sees it; None where the operation does not depend on it."""
    asked_at: float
    asked_by: str
    """User, host and process, for people."""
    for_daemon: bool
    """A daemon carries it out; else the command that asked does, holding the lease itself."""
    started_at: float | None
    finished_at: float | None
    outcome: Outcome | None
    result: str | None
    """JSON, as the operation's type of result says."""
    error: str | None


class Requests:
    """The ledger's requests. Raises LedgerUnavailable, and LeaseLost where only the active process may write."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # -- whoever asks: these write without the lease ---------------------------------------------

    def book(self, operation: str, arguments: str, asked_by: str, *, for_daemon: bool, mapping: str | None) -> int:
        """Ask for an operation, and return the request's id."""
        with self._database.writing("request", fenced=False) as connection:
            inserted: int = connection.execute(
                text(
                    "INSERT INTO requests (operation, arguments, mapping, asked_at, asked_by, for_daemon)"
                    " VALUES (:operation, :arguments, :mapping, :now, :by, :daemon) RETURNING id"
                ),
                {
                    "operation": operation,
                    "arguments": arguments,
                    "mapping": mapping,
                    "now": self._clock.now(),
                    "by": asked_by,
                    "daemon": for_daemon,
                },
            ).scalar_one()
            return inserted

    def get(self, request_id: int) -> Request:
        """Return a request; its id is one that `book` gave."""
        with self._database.reading() as connection:
            row = connection.execute(text("SELECT * FROM requests WHERE id = :id"), {"id": request_id}).mappings()
            return _request(row.one())

    def open(self) -> list[Request]:
        """Return the requests that are not finished, oldest first."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM requests WHERE finished_at IS NULL ORDER BY id")
            return [_request(row) for row in rows.mappings()]

    # -- the active process ----------------------------------------------------------------------

    def start(self, request_id: int, *, for_daemon: bool) -> None:
        """Book that this process begins to carry a request out, or begins again after another one died."""
        with self._database.writing("request_start") as connection:
            self._change(
                connection,
                request_id,
                "started_at = :now, for_daemon = :daemon",
                daemon=for_daemon,
            )

    def finish(self, request_id: int, outcome: Outcome, *, result: str | None = None, error: str | None = None) -> None:
        """Book how a request ended."""
        with self._database.writing("request_finish") as connection:
            self._change(
                connection,
                request_id,
                "finished_at = :now, outcome = :outcome, result = :result, error = :error",
                outcome=outcome,
                result=result,
                error=error,
            )

    def give_up(self) -> int:
        """Book as interrupted what commands began to carry out themselves and left unfinished: whoever holds the lease
        now knows that none of them is at work. Returns how many.
        """
        with self._database.writing("request_give_up") as connection:
            return connection.execute(
                text(
                    "UPDATE requests SET finished_at = :now, outcome = :outcome"
                    " WHERE finished_at IS NULL AND NOT for_daemon AND started_at IS NOT NULL"
                ),
                {"now": self._clock.now(), "outcome": Outcome.INTERRUPTED},
            ).rowcount

    def prune(self, before: float) -> int:
        """Forget requests that were finished before that time; return how many."""
        with self._database.writing("request_prune") as connection:
            gone = connection.execute(text("DELETE FROM requests WHERE finished_at < :before"), {"before": before})
        return int(gone.rowcount)

    def _change(self, connection: Connection, request_id: int, assignments: str, **values: object) -> None:
        connection.execute(
            text(f"UPDATE requests SET {assignments} WHERE id = :id AND finished_at IS NULL"),
            {"id": request_id, "now": self._clock.now(), **values},
        )


def _request(row: RowMapping) -> Request:
    values = {str(key): value for key, value in row.items()}
    values["for_daemon"] = bool(values["for_daemon"])
    values["outcome"] = None if values["outcome"] is None else Outcome(values["outcome"])
    return Request(**values)
