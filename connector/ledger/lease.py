"""One active process per ledger: a lease that expires, with a token that grows with each holder."""

from typing import Final

from sqlalchemy import Connection

from connector.clock import Clock
from connector.errors import ConfigError, LeaseLost
from connector.ledger.database import Database
from connector.ledger.statement import text

LEASE_SECONDS: Final = 90.0
"""How long a lease lasts without being renewed: after a crash, the next process waits for so long."""


class Lease:
    """The right to write to the ledger and to upload. Times are seconds.

    It runs out by the ledger's database's clock (of SQLite: the host's), never by that of a process.
    """

    def __init__(self, database: Database, clock: Clock, holder: str, seconds: float | None = None) -> None:
        """Prepare; nothing is taken yet. `holder` names this process for people: host and pid, say."""
        self._database = database
        self._clock = clock
        self.holder = holder
        """This process's name."""
        self.seconds = LEASE_SECONDS if seconds is None else seconds
        """How long it lasts without being renewed."""
        self._renewed = 0.0

    def now(self) -> float:
        """Return the time by which the lease runs out (seconds since 1970 UTC)."""
        with self._database.reading() as connection:
            return self._now(connection)

    def acquire(self, *, serves: bool = False) -> str | None:
        """Take the lease when it is free or has run out.

        Args:
            serves: this process is a daemon: it carries out the requests of others.

        Returns:
            None when it is ours now; else the name of the process that holds it.

        Raises:
            ConfigError: a newer version has upgraded the ledger since this process began.
        """
        began = self._clock.monotonic()
        with self._database.writing("lease", fenced=False) as connection:
            now = self._now(connection)
            taken = connection.execute(
                text(
                    # One that would last longer than any lease does was renewed before the clock was set back.
                    "UPDATE lease SET holder = :holder, token = token + 1, expires_at = :expires,"
                    " serves = :serves"
                    " WHERE id = 1 AND (holder IS NULL OR expires_at <= :now OR expires_at > :latest) RETURNING token"
                ),
                {
                    "holder": self.holder,
                    "expires": now + self.seconds,
                    "now": now,
                    "latest": now + 2 * self.seconds,
                    "serves": serves,
                },
            ).scalar()
            if taken is None:
                other: str | None = connection.execute(text("SELECT holder FROM lease WHERE id = 1")).scalar_one()
                return other or "another process"  # it gave the lease back just now
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if self._database.revision not in (None, revision):
                raise ConfigError(
                    f"the ledger ({self._database.describe()}) was upgraded by a newer version of the connector "
                    "meanwhile: start that version"
                )
        self._database.token = taken
        self._renewed = began
        return None

    def renew(self) -> None:
        """Hold the lease for another while; call ahead of each upload, and several times within its length.

        Raises:
            LeaseLost: it ran out, and another process took it.
        """
        began = self._clock.monotonic()
        with self._database.writing("renew", fenced=False) as connection:
            renewed = connection.execute(
                text("UPDATE lease SET expires_at = :expires WHERE id = 1 AND token = :token"),
                {"expires": self._now(connection) + self.seconds, "token": self._database.token},
            ).rowcount
        if renewed != 1:
            raise LeaseLost("another process took the ledger's lease")
        self._renewed = began

    def keep(self) -> None:
        """Hold the lease through long work: call often, it renews when a third of the time has gone. So two thirds
        are left whenever it returns.

        Raises:
            LeaseLost: it ran out, and another process took it.
        """
        if self._clock.monotonic() - self._renewed >= self.seconds / 3:
            self.renew()

    def release(self) -> None:
        """Give the lease back, so that the next process need not wait for it to run out."""
        if self._database.token is None:
            return
        with self._database.writing("release", fenced=False) as connection:
            connection.execute(
                text("UPDATE lease SET holder = NULL, expires_at = 0 WHERE id = 1 AND token = :token"),
                {"token": self._database.token},
            )
        self._database.token = None

    def _now(self, connection: Connection) -> float:
        return self._clock.shared(lambda: self._database.time(connection))


def end_what_ran_out(connection: Connection, now: float) -> str | None:
    """End a lease that has run out by `now`, so that its holder, if it only slept, is told so; return the holder of one
    that has not.
    """
    connection.execute(
        text(
            "UPDATE lease SET holder = NULL, expires_at = 0, token = token + 1"
            " WHERE id = 1 AND (expires_at <= :now OR expires_at > :latest)"
        ),
        {"now": now, "latest": now + 2 * LEASE_SECONDS},
    )
    holder: str | None = connection.execute(text("SELECT holder FROM lease WHERE id = 1")).scalar()
    return holder
