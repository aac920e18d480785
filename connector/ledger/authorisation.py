"""The pair of OAuth tokens: one row that every process on the ledger shares, renewed by one of them at a time."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from connector.clock import Clock
from connector.ledger.database import Database
from connector.ledger.statement import text

CLAIM_SECONDS: Final = 60.0
"""How long a renewal that was begun keeps others from one: longer than its call may take."""
LONGEST_CLAIM_SECONDS: Final = 900.0
"""How long one that was in vain does, at most."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The pair as it lies in the ledger."""

    generation: int
    """Grows with each pair."""
    sealed: str = field(repr=False)
    """Encrypted by whoever stored it."""
    note: str | None
    """Why it could not be renewed, in words."""
    refused_at: float | None
    """When Gong refused to renew it (seconds since 1970 UTC)."""


class AuthorisationStore:
    """Reads and writes the pair. Writes are not fenced by the lease: commands that only look call Gong as well, beside
    the active process, and the pair is theirs, too. A claim of its own sees to it that one process renews at a time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def read(self) -> Stored | None:
        """Return the pair; None when `login` was never run."""
        with self._database.reading() as connection:
            row = connection.exec_driver_sql(
                "SELECT generation, sealed, note, refused_at FROM authorisation WHERE id = 1"
            ).one_or_none()
        return None if row is None else Stored(*row)

    def login(self, sealed: str, gong_host: str) -> None:
        """Store the pair of a new authorisation. `gong_host`: what the ledger belongs to from now on, if anything."""
        with self._database.writing("login", fenced=False) as connection:
            connection.execute(
                text(
                    "INSERT INTO authorisation (id, generation, sealed, claimed_until) VALUES (1, 1, :sealed, 0)"
                    " ON CONFLICT (id) DO UPDATE SET generation = authorisation.generation + 1,"
                    " sealed = excluded.sealed, claimed_until = 0, note = NULL, refused_at = NULL"
                ),
                {"sealed": sealed},
            )
            self._move(connection, gong_host)

    def claim(self, generation: int) -> bool:
        """Begin a renewal; return False when another process is at it, was in vain just now, or has renewed it."""
        with self._database.writing("claim", fenced=False) as connection:
            now = self._clock.shared(lambda: self._database.time(connection))
            claimed = connection.execute(
                text(
                    # A claim that would last longer than any does was made before the clock was set back.
                    "UPDATE authorisation SET claimed_until = :until, note = NULL WHERE id = 1"
                    " AND generation = :generation AND (claimed_until <= :now OR claimed_until > :latest)"
                ),
                {
                    "until": now + CLAIM_SECONDS,
                    "generation": generation,
                    "now": now,
                    "latest": now + LONGEST_CLAIM_SECONDS,
                },
            ).rowcount
        return claimed == 1

    def renewed(self, generation: int, sealed: str, gong_host: str) -> bool:
        """Store the pair that `generation` was renewed by; return False when there is a later one already."""
        with self._database.writing("renewed", fenced=False) as connection:
            stored = connection.execute(
                text(
                    "UPDATE authorisation SET generation = generation + 1, sealed = :sealed, claimed_until = 0,"
                    " note = NULL, refused_at = NULL WHERE id = 1 AND generation = :generation"
                ),
                {"sealed": sealed, "generation": generation},
            ).rowcount
            if stored == 1:
                self._move(connection, gong_host)
        return stored == 1

    def reseal(self, sealed: str, anew: str) -> None:
        """Store the same pair under another key."""
        with self._database.writing("reseal", fenced=False) as connection:
            connection.execute(
                text("UPDATE authorisation SET sealed = :anew WHERE id = 1 AND sealed = :sealed"),
                {"sealed": sealed, "anew": anew},
            )

    def in_vain(self, generation: int, note: str, again: float, *, refused: bool) -> None:
        """Note why a renewal failed: one that Gong `refused` will never succeed; another may, `again` seconds later."""
        with self._database.writing("in_vain", fenced=False) as connection:
            connection.execute(
                text(
                    "UPDATE authorisation SET note = :note, refused_at = :refused, claimed_until = :until"
                    " WHERE id = 1 AND generation = :generation"
                ),
                {
                    "note": note,
                    "refused": self._clock.now() if refused else None,
                    "until": self._clock.shared(lambda: self._database.time(connection)) + again,
                    "generation": generation,
                },
            )

    @staticmethod
    def _move(connection: Connection, gong_host: str) -> None:
        """Have a ledger that belongs to a Gong belong to this host of it: the company is the same."""
        connection.execute(text("UPDATE meta SET value = :host WHERE key = 'gong_host'"), {"host": gong_host})
