"""Random histories of a real database with sessions that overlap, read by the connector and, beside it, naively.

The sessions are stepped by the seed on one thread, so nothing waits. Stamps are the database's own: PostgreSQL's time
of the transaction, MariaDB's of the statement. A whole history lasts a second or two; so that a bound, which is cut to
seconds, cuts finely enough to lose what is not held, the source's time runs a thousand times faster here: its stamps
and its horizon are stretched alike, and there is no overlap. SQLite shows no transactions: there the clock is a fake
one, and what is committed within the overlap has to arrive.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from server_site import connector
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.engine.operations import carry_out
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType
from connector.sandbox.world import World
from connector.source.horizon import Horizon

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
FASTER = 1000
OVERLAP = 300.0
EARLIER = 200.0
"""By so much, at most, SQLite's application takes its stamps before it writes."""
STEPS = 60
KEYS = 12
"""Rows of each session: no session waits for another's lock."""

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated, fields: {name: name}}
"""


@dataclass(frozen=True)
class Result:
    """What became of a history."""

    rows: int
    missing: int
    """Rows that had not arrived after the last pass, though they should have."""
    differing: int
    """Rows that differed after one full comparison."""
    naive: int
    """Rows that reading `updated > last` did not get."""


class History:
    """One seed on one database, which is made and emptied here."""

    def __init__(self, seed: int, url: URL, directory: Path) -> None:
        self._chance = random.Random(seed)
        self._kind = url.get_backend_name()
        self._clock = FakeClock(START.timestamp())
        # Without locks on gaps, which would have sessions wait for each other.
        options = {"isolation_level": "READ COMMITTED"} if self._kind == "mysql" else {}
        self._engine: Engine = sqlalchemy.create_engine(url, **options)
        self._began = datetime.now(UTC)
        self._open: dict[int, tuple[Connection, float]] = {}
        self._written: dict[int, set[int]] = {}
        self._excused: set[int] = set()
        self._version = 0
        self._naive: dict[int, str] = {}
        self._last = "1970-01-01"
        stamp = {"sqlite": "TEXT", "postgresql": "TIMESTAMP", "mysql": "DATETIME(6)"}[self._kind]
        with self._engine.begin() as connection:
            if self._kind == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("DROP TABLE IF EXISTS accounts")
            connection.exec_driver_sql(
                f"CREATE TABLE accounts (id INTEGER PRIMARY KEY, name VARCHAR(40), updated {stamp} NOT NULL)"
            )
        self._world = World(now=self._clock.now)
        self._wiring = self._connector(url, directory)

    def _connector(self, url: URL, directory: Path) -> Wiring:
        overlap = OVERLAP if self._kind == "sqlite" else 0
        wiring = connector(
            directory, url, self._world, self._clock, MAPPING, overlap_seconds=overlap, delete_guard_percent=100
        )
        if self._kind != "sqlite":
            source, read = wiring.source, wiring.source.horizon
            source.horizon = lambda: self._stretched(read())  # type: ignore[method-assign]
        return wiring

    def run(self) -> Result:
        """Live through the history, then come to rest, and compare."""
        steps: list[Callable[[], None]] = [self._write, self._write, self._write, self._end, self._pass]
        for _ in range(STEPS):
            if self._kind == "sqlite":
                self._clock.advance(self._chance.uniform(0, 40))
            self._chance.choice(steps)()
        for session in list(self._open):
            self._commit(session)
        self._pass()
        rows = self._rows()
        arrived = self._names()
        missing = [key for key, name in rows.items() if arrived.get(key) != name and key not in self._excused]
        naive = [key for key, name in rows.items() if self._naive.get(key) != name]
        self._wiring.reconciler.reconcile(ObjectType.ACCOUNT)
        self._pass()
        return Result(len(rows), len(missing), int(self._names() != rows), len(naive))

    def close(self) -> None:
        for connection, _ in self._open.values():
            connection.close()
        self._wiring.__exit__(None, None, None)
        self._world.close()
        self._engine.dispose()

    # -- steps -----------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write or delete a row in one of the sessions, in a transaction that stays open; SQLite has one writer."""
        session = 0 if self._kind == "sqlite" else self._chance.randrange(3)
        if session not in self._open:
            self._open[session] = (self._engine.connect(), self._clock.now() - EARLIER)
            self._written[session] = set()
        connection, _ = self._open[session]
        key = 1 + session * KEYS + self._chance.randrange(KEYS)
        connection.exec_driver_sql(f"DELETE FROM accounts WHERE id = {key}")
        if self._chance.random() < 0.9:
            self._version += 1
            connection.exec_driver_sql(f"INSERT INTO accounts VALUES ({key}, 'v{self._version}', {self._stamp()})")
        self._written[session].add(key)
        if self._chance.random() < 0.3:
            self._commit(session)

    def _end(self) -> None:
        if not self._open:
            return
        session = self._chance.choice(sorted(self._open))
        if self._chance.random() < 0.8:
            self._commit(session)
        else:
            connection, _ = self._open.pop(session)
            connection.rollback()
            connection.close()

    def _commit(self, session: int) -> None:
        connection, since = self._open.pop(session)
        connection.commit()
        connection.close()
        late = self._kind == "sqlite" and self._clock.now() - since > OVERLAP
        (self._excused.update if late else self._excused.difference_update)(self._written[session])

    def _pass(self) -> None:
        """Let both readers read."""
        self._clock.advance(60)
        wiring = self._wiring
        carry_out(wiring, wiring.syncer.steps(wiring.mapping.entities, wait=True, timeout=100_000))
        with self._engine.connect() as connection:
            query = f"SELECT id, name, updated FROM accounts WHERE updated > '{self._last}'"
            for key, name, updated in connection.exec_driver_sql(query):
                self._naive[key] = name
                self._last = max(self._last, str(updated))

    # -- time and what is there ------------------------------------------------------------------

    def _stamp(self) -> str:
        began, start = (f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (self._began, START))
        match self._kind:
            case "sqlite":
                at = self._clock.now() - self._chance.uniform(0, EARLIER)
                return f"'{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S.%f}'"
            case "postgresql":
                passed = f"((now() AT TIME ZONE 'UTC') - TIMESTAMP '{began}')"
                return f"TIMESTAMP '{start}' + {passed} * {FASTER}"
            case _:
                passed = f"TIMESTAMPDIFF(MICROSECOND, '{began}', UTC_TIMESTAMP(6))"
                return f"TIMESTAMPADD(MICROSECOND, {passed} * {FASTER}, '{start}')"

    def _stretched(self, horizon: Horizon) -> Horizon:
        def stretch(moment: datetime) -> datetime:
            return START + (moment - self._began) * FASTER

        holder = horizon.holder
        if holder is not None:
            holder = replace(holder, since=stretch(datetime.fromtimestamp(holder.since, UTC)).timestamp())
        return replace(horizon, now=stretch(horizon.now), at=stretch(horizon.at), holder=holder)

    def _rows(self) -> dict[int, str]:
        with self._engine.connect() as connection:
            return dict(connection.exec_driver_sql("SELECT id, name FROM accounts").all())

    def _names(self) -> dict[int, Any]:
        return {int(key): one["name"] for key, one in self._world.objects(ObjectType.ACCOUNT).items()}


@contextmanager
def lived(seed: int, url: URL, directory: Path) -> Iterator[Result]:
    """Give what became of a history."""
    history = History(seed, url, directory)
    try:
        yield history.run()
    finally:
        history.close()
