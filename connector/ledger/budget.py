"""The persisted count of calls to Gong, shared by every process on the ledger."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from connector.clock import Clock
from connector.errors import BudgetSpent, LedgerUnavailable
from connector.ledger.database import Database

DAY: Final = 86_400
WINDOW_SECONDS: Final = 1.1
"""Length of the window that may hold `per_second` calls: a second, and a little for clocks that differ."""
PATIENCE_SECONDS: Final = 10.0
"""A caller waits this long at most; beyond, it is told when to come back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls may be made (GONG_API: 3 a second and 10,000 a day for the whole company)."""

    per_second: int
    per_day: int


def wait_for(now: float, recent: Sequence[float], blocked_until: float, limits: Limits) -> float:
    """Return how many seconds to wait before a call, by the per-second rule and Gong's Retry-After.

    Args:
        now: seconds since 1970 UTC, like the other times.
        recent: when the latest calls were made, none later than `now`.
        blocked_until: before which Gong wants no call.
        limits: how many calls may be made.
    """
    wait = blocked_until - now
    if len(recent) >= limits.per_second:
        oldest = sorted(recent)[-limits.per_second]
        wait = max(wait, oldest + WINDOW_SECONDS - now)
    return max(wait, 0.0)


class Budget:
    """Gives out calls to Gong: books each before it is made."""

    def __init__(self, database: Database, clock: Clock, limits: Limits) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits

    def acquire(self, priority: int) -> float:
        """Wait until a call may be made, and book it.

        Returns:
            When it was booked (seconds since 1970 UTC), for `finished`.

        Raises:
            BudgetSpent: the day's calls are used up, or Gong wants a longer pause.
        """
        while True:
            now = self._clock.now()
            wait = self._try(priority, now)
            if wait <= 0:
                return now
            if wait > PATIENCE_SECONDS:
                raise BudgetSpent(
                    self._clock.now() + wait, f"no call to Gong may be made for another {round(wait)} seconds"
                )
            self._clock.sleep(wait)

    def _try(self, priority: int, now: float) -> float:
        with self._database.writing("budget", fenced=False) as connection:
            row = self._locked(connection)
            # Stamps from the future are from before the clock was set back: kept, they would block for as long.
            recent = [min(stamp, now) for stamp in json.loads(row.recent)]
            wait = wait_for(now, recent, row.blocked_until, self._limits)
            if wait > 0:
                self._remember(connection, recent)
                return wait
            minute = int(now // 60)
            used, first = connection.execute(
                text("SELECT COALESCE(sum(count), 0), min(minute) FROM calls WHERE minute >= :minute"),
                {"minute": minute - DAY // 60},
            ).one()
            if used >= self._limits.per_day:
                return float((first + 1) * 60 + DAY - now)
            self._remember(connection, [*recent, now])
            connection.execute(
                text(
                    "INSERT INTO calls (minute, priority, count) VALUES (:minute, :priority, 1)"
                    " ON CONFLICT (minute, priority) DO UPDATE SET count = calls.count + 1"
                ),
                {"minute": minute, "priority": int(priority)},
            )
        return 0.0

    def finished(self, booked: float) -> None:
        """Book that the call booked at `booked` is over. Gong may have counted it only now, so that the second
        in which three calls are allowed starts here.
        """
        # Nothing depends on this write but the distance to the next calls: no call is undone for it.
        with (
            contextlib.suppress(LedgerUnavailable),
            self._database.writing("budget_finished", fenced=False) as connection,
        ):
            stamps = json.loads(self._locked(connection).recent)
            if booked in stamps:
                stamps.remove(booked)
                self._remember(connection, [*stamps, self._clock.now()])

    def _locked(self, connection: Connection) -> Row[Any]:
        lock = "" if self._database.is_sqlite else " FOR UPDATE"
        return connection.execute(text(f"SELECT recent, blocked_until FROM budget WHERE id = 1{lock}")).one()

    def _remember(self, connection: Connection, stamps: Sequence[float]) -> None:
        connection.execute(
            text("UPDATE budget SET recent = :recent WHERE id = 1"),
            {"recent": json.dumps(list(stamps)[-self._limits.per_second :])},
        )

    def throttled(self, until: float) -> None:
        """Book that Gong wants no call before `until`; everyone obeys."""
        with self._database.writing("throttled", fenced=False) as connection:
            connection.execute(
                text(
                    "UPDATE budget SET blocked_until ="
                    " CASE WHEN blocked_until < :until THEN :until ELSE blocked_until END WHERE id = 1"
                ),
                {"until": until},
            )

    def used(self) -> int:
        """Return how many calls were booked in the last 24 hours."""
        with self._database.reading() as connection:
            value: int = connection.execute(
                text("SELECT COALESCE(sum(count), 0) FROM calls WHERE minute >= :minute"),
                {"minute": int(self._clock.now() // 60) - DAY // 60},
            ).scalar_one()
            return value
