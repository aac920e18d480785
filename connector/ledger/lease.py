"""One active process per ledger: a lease that expires, with a token that grows with each holder."""

from sqlalchemy import text

from connector.clock import Clock
from connector.errors import LeaseLost
from connector.ledger.database import Database


class Lease:
    """The right to write to the ledger and to upload. Times are seconds."""

    def __init__(self, database: Database, clock: Clock, holder: str, seconds: float = 90.0) -> None:
        """Prepare; nothing is taken yet. `holder` names this process for people: host and pid, say."""
        self._database = database
        self._clock = clock
        self._holder = holder
        self._seconds = seconds
        self._renewed = 0.0

    def acquire(self) -> str | None:
        """Take the lease when it is free or has run out.

        Returns:
            None when it is ours now; else the name of the process that holds it.
        """
        now = self._clock.now()
        with self._database.writing("lease", fenced=False) as connection:
            taken = connection.execute(
                text(
                    "UPDATE lease SET holder = :holder, token = token + 1, expires_at = :expires"
                    " WHERE id = 1 AND (holder IS NULL OR expires_at <= :now) RETURNING token"
                ),
                {"holder": self._holder, "expires": now + self._seconds, "now": now},
            ).scalar()
            if taken is None:
                other: str | None = connection.execute(text("SELECT holder FROM lease WHERE id = 1")).scalar_one()
                return other or "another process"  # it gave the lease back just now
        self._database.token = taken
        self._renewed = self._clock.monotonic()
        return None

    def renew(self) -> None:
        """Hold the lease for another while; call ahead of each upload, and several times within its length.

        Raises:
            LeaseLost: it ran out, and another process took it.
        """
        with self._database.writing("renew", fenced=False) as connection:
            renewed = connection.execute(
                text("UPDATE lease SET expires_at = :expires WHERE id = 1 AND token = :token"),
                {"expires": self._clock.now() + self._seconds, "token": self._database.token},
            ).rowcount
        if renewed != 1:
            raise LeaseLost("another process took the ledger's lease")
        self._renewed = self._clock.monotonic()

    def keep(self) -> None:
        """Hold the lease through long work: call often, it renews when a third of the time has gone.

        Raises:
            LeaseLost: it ran out, and another process took it.
        """
        if self._clock.monotonic() - self._renewed >= self._seconds / 3:
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
