"""Which ledger this is and how far it has come; and what is to be done once it knows less than Gong was told."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from connector.clock import Clock
from connector.ledger.database import Database
from connector.ledger.objects import UNSETTLED_SQL
from connector.ledger.records import ALIKE, SAME_KEY
from connector.ledger.statement import text


class Step(StrEnum):
    """What brings a doubted ledger back to what is true."""

    READ = "read"
    """An entity source was read from the stored cursor to the end; nothing was skipped by its digest."""
    COMPARED = "compared"
    """A type was compared whole after that."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Since when, and about what, the ledger is not to be believed."""

    at: float
    """Seconds since 1970 UTC."""
    batch: int
    """What was booked with this batch or an earlier one may be out of date."""


@dataclass(frozen=True, slots=True)
class State:
    """How far the ledger has come."""

    ledger: str
    """Its id, made when its tables were."""
    counter: int
    """Grows with every booked batch."""
    doubt: Doubt | None
    done: frozenset[tuple[Step, str]]
    """Steps through since the doubt arose: of entity sources (READ) and types (COMPARED)."""


class Epoch:
    """Reads and writes the epoch. Raises LedgerUnavailable and LeaseLost."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def state(self) -> State:
        """Return how far the ledger has come."""
        with self._database.reading() as connection:
            ledger, counter, at, batch = connection.exec_driver_sql(
                "SELECT ledger, counter, doubted_at, doubted_batch FROM epoch"
            ).one()
            done = frozenset(
                (Step(step), name) for step, name in connection.exec_driver_sql("SELECT step, name FROM recovery")
            )
        return State(ledger, counter, None if at is None else Doubt(at, batch), done)

    def doubt(self, counter: int) -> None:
        """Book that Gong was told more than the ledger knows: as much as one with this `counter` knew. Interrupted
        passes are forgotten, so that the next ones begin at their cursors; Gong's schemas are looked at anew.
        """
        with self._database.writing("disbelieve") as connection:
            connection.execute(
                text(
                    "UPDATE epoch SET counter = :counter, doubted_at = :now, doubted_batch = ("
                    " SELECT max(id) FROM (SELECT COALESCE(max(id), 0) AS id FROM batches"
                    " UNION ALL SELECT COALESCE(max(batch_id), 0) FROM objects) AS known)"
                ),
                {"counter": counter, "now": self._clock.now()},
            )
            connection.exec_driver_sql("DELETE FROM recovery")
            connection.execute(text("DELETE FROM meta WHERE key LIKE 'schema.%'"))
            connection.exec_driver_sql(
                "UPDATE cursors SET pass_id = NULL, pass_bound = NULL, position_modified = NULL, position_key = NULL"
            )

    def step(self, step: Step, name: str) -> None:
        """Book a step as done."""
        with self._database.writing("recovery") as connection:
            connection.execute(
                text("INSERT INTO recovery (step, name) VALUES (:step, :name) ON CONFLICT (step, name) DO NOTHING"),
                {"step": step.value, "name": name},
            )

    def believe(self, doubt: Doubt) -> bool:
        """Book that the ledger can be believed again; return False when a batch from before the doubt is unsettled.

        Objects from before that still wait for something, or are refused, keep the doubt: whenever they go, they are
        not skipped, and are dated later than all that Gong may have been told of them.
        """
        with self._database.writing("believe") as connection:
            old = connection.execute(
                text(f"SELECT 1 FROM batches WHERE id <= :batch AND state IN {UNSETTLED_SQL} LIMIT 1"),
                {"batch": doubt.batch},
            ).first()
            if old is not None:
                return False
            connection.execute(
                text(
                    "UPDATE objects SET told_digest = COALESCE(sent_digest, told_digest),"
                    " told_modified = CASE WHEN sent_digest IS NULL THEN told_modified ELSE last_modified END,"
                    " told_deleted = CASE WHEN sent_digest IS NULL THEN told_deleted ELSE sent_deleted END,"
                    " sent_digest = NULL, told_unsure = true,"
                    " last_modified = CASE WHEN last_modified > :at THEN last_modified ELSE :at END"
                    " WHERE (batch_id IS NULL OR batch_id <= :batch)"
                    " AND (pending IS NOT NULL OR refused_digest NOT IN (:alike, :same_key))"
                ),
                {"batch": doubt.batch, "at": int(doubt.at), "alike": ALIKE, "same_key": SAME_KEY},
            )
            connection.exec_driver_sql("UPDATE epoch SET doubted_at = NULL, doubted_batch = NULL")
            connection.exec_driver_sql("DELETE FROM recovery")
        return True


def count(connection: Connection) -> int:
    """Count one more booked batch; return how many there were."""
    counter: int = connection.exec_driver_sql("UPDATE epoch SET counter = counter + 1 RETURNING counter").scalar_one()
    return counter
