"""The persisted count of calls to Gong, shared by every process on the ledger."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from connector.clock import Clock
from connector.errors import BudgetSpent, LedgerUnavailable
from connector.ledger.database import Database
from connector.ledger.pace import (
    DAY,
    HOUR,
    Calls,
    first_minute,
    free_at,
    reserved,
    sustainable,
    wait_for_room,
)
from connector.ledger.records import Priority
from connector.ledger.statement import text

WINDOW_SECONDS: Final = 1.1
"""Length of the window that may hold `per_second` calls: a second, and a little for clocks that differ."""
PATIENCE_SECONDS: Final = 10.0
"""A caller waits this long at most; beyond, it is told when to come back."""
LOOK_AGAIN_SECONDS: Final = 900.0
"""After this long at most, a less urgent caller asks again: it may turn out that less is needed than was kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls may be made (GONG_API: 3 a second and 10,000 a day for the whole company)."""

    per_second: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the day's calls stand."""

    used: int
    """Calls of the last 24 hours."""
    per_day: int
    last_hour: int
    per_second: float
    """How many calls a second can be made evenly from now on without ever too many in 24 hours."""
    free_at: float | None
    """When the next call may be made (seconds since 1970 UTC); None when it may be made now."""
    paused: bool
    """It is Gong that wants no call before `free_at`; else the day's number is spent."""

    @property
    def forecast(self) -> int:
        """Calls that a day takes at the pace of the last hour."""
        return self.last_hour * (DAY // HOUR)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment from which urgent calls are counted."""

    at: float
    """Seconds since 1970 UTC."""
    before: int
    """Urgent calls made earlier in the same minute."""


def wait_for(
    now: float,
    recent: Sequence[float],
    blocked_until: float,
    limits: Limits,
    priority: Priority = Priority.INCREMENTAL,
) -> float:
    """Return how many seconds to wait before a call, by the per-second rule and Gong's Retry-After.

    Args:
        now: seconds since 1970 UTC, like the other times.
        recent: when the latest calls were made, none later than `now`.
        blocked_until: before which Gong wants no call.
        limits: how many calls may be made.
        priority: of the call; the less urgent leave one of each second's calls to those that are in a hurry.
    """
    wait = blocked_until - now
    most = limits.per_second if priority <= Priority.INCREMENTAL else max(limits.per_second - 1, 1)
    if len(recent) >= most:
        oldest = sorted(recent)[-most]
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
            wait, booked = self._try(Priority(priority))
            if wait <= 0:
                return booked
            if wait > PATIENCE_SECONDS:
                raise BudgetSpent(self._clock.now() + wait, self._words(wait))
            self._clock.sleep(wait)

    def _words(self, wait: float) -> str:
        """Say why no call may be made, for `status` and whoever asked."""
        standing = self.standing()
        if standing.free_at is None:
            return f"the calls that the day has left are kept for changes; tried again in {round(wait)} seconds"
        why = "Gong asked for a pause" if standing.paused else f"the {standing.per_day:,} calls of a day are spent"
        return f"{why}: none can be made for another {round(wait)} seconds"

    def _try(self, priority: Priority) -> tuple[float, float]:
        """Book a call if it may be made now; return the seconds to wait for it else, and the time."""
        with self._database.writing("budget", fenced=False) as connection:
            row = self._locked(connection)
            now = self._clock.now()  # not before: others may have made calls while this one waited for the lock
            # Stamps from the future are from before the clock was set back: kept, they would block for as long.
            recent = [min(stamp, now) for stamp in json.loads(row.recent)]
            wait = wait_for(now, recent, row.blocked_until, self._limits, priority)
            if wait > 0:
                self._remember(connection, recent)
                return wait, now
            wait = self._wait_for_day(connection, priority, now)
            if wait > 0:
                return wait, now
            self._remember(connection, [*recent, now])
            connection.execute(
                text(
                    "INSERT INTO calls (minute, priority, count) VALUES (:minute, :priority, 1)"
                    " ON CONFLICT (minute, priority) DO UPDATE SET count = calls.count + 1"
                ),
                {"minute": int(now // 60), "priority": int(priority)},
            )
        return 0.0, now

    def _wait_for_day(self, connection: Connection, priority: Priority, now: float) -> float:
        """Return the seconds until the day's number allows a call of this priority."""
        used, first = connection.execute(
            text("SELECT COALESCE(sum(count), 0), min(minute) FROM calls WHERE minute >= :minute"),
            {"minute": first_minute(now)},
        ).one()
        per_day = self._limits.per_day
        if used >= per_day:
            return free_at(first) - now
        if priority <= Priority.INCREMENTAL:
            return 0.0
        calls = self._calls(connection, now)
        kept = reserved(calls, now, per_day, priority)
        return min(wait_for_room(calls, now, per_day, kept), LOOK_AGAIN_SECONDS)

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

    def standing(self) -> Standing:
        """Return how the day's calls stand."""
        now = self._clock.now()
        with self._database.reading() as connection:
            calls = self._calls(connection, now)
            blocked: float = connection.exec_driver_sql("SELECT blocked_until FROM budget WHERE id = 1").scalar_one()
        used, per_day = sum(one.number for one in calls), self._limits.per_day
        spent_until = free_at(min(calls).minute) if calls and used >= per_day else 0.0
        until = max(blocked, spent_until)
        return Standing(
            used=used,
            per_day=per_day,
            last_hour=sum(one.number for one in calls if one.minute >= (now - HOUR) // 60),
            per_second=sustainable(calls, now, per_day),
            free_at=until if until > now else None,
            paused=now < blocked >= spent_until,
        )

    def mark(self) -> Mark:
        """Return the present moment, to count the urgent calls after it by `since`."""
        now = self._clock.now()
        return Mark(now, self.since(Mark(now, 0)))

    def since(self, mark: Mark) -> int:
        """Return how many urgent calls (for changes, and polls) were booked after the mark."""
        with self._database.reading() as connection:
            value: int = connection.execute(
                text("SELECT COALESCE(sum(count), 0) FROM calls WHERE minute >= :minute AND priority <= :urgent"),
                {"minute": int(mark.at // 60), "urgent": int(Priority.INCREMENTAL)},
            ).scalar_one()
        return max(value - mark.before, 0)

    def _calls(self, connection: Connection, now: float) -> list[Calls]:
        rows = connection.execute(
            text("SELECT minute, priority, count FROM calls WHERE minute >= :minute"), {"minute": first_minute(now)}
        )
        return [Calls(*row) for row in rows]

    def used(self) -> int:
        """Return how many calls were booked in the last 24 hours."""
        with self._database.reading() as connection:
            value: int = connection.execute(
                text("SELECT COALESCE(sum(count), 0) FROM calls WHERE minute >= :minute"),
                {"minute": int(self._clock.now() // 60) - DAY // 60},
            ).scalar_one()
            return value
