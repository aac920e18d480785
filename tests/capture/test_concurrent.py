"""Rows that change while a pass reads them are neither lost nor twice in a file; and nothing waits in a transaction."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy
from databases import mysql_database, postgres_database
from server_site import ACCOUNT, connector, narrow_site
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.engine.operations import carry_out
from connector.sandbox.world import World

PEOPLE = 3
KEYS = 300
"""Rows of each person: nobody waits for another's lock."""
PASSES = 6
STAMP = {"postgresql": "TIMESTAMPTZ", "mysql": "DATETIME(6)"}
NOW = {"postgresql": "clock_timestamp()", "mysql": "UTC_TIMESTAMP(6)"}


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[URL]:
    with postgres_database() if request.param == "postgresql" else mysql_database() as url:
        yield url


def make(engine: Engine, kind: str) -> None:
    with engine.begin() as connection:
        for table in ("accounts", "leads"):
            connection.exec_driver_sql(
                f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name VARCHAR(40), updated {STAMP[kind]} NOT NULL)"
            )
        rows = ", ".join(f"({key}, '0', {NOW[kind]})" for key in range(PEOPLE * KEYS))
        connection.exec_driver_sql(f"INSERT INTO accounts VALUES {rows}")


def work(engine: Engine, kind: str, person: int, stop: threading.Event) -> None:
    """Change one's own rows, in transactions of a few, until all are to stop."""
    chance = random.Random(person)
    own = range(person * KEYS, (person + 1) * KEYS)
    version = 0
    while not stop.is_set():
        with engine.begin() as connection:
            for key in chance.sample(own, 5):
                version += 1
                connection.exec_driver_sql(
                    f"UPDATE accounts SET name = 'v{version}', updated = {NOW[kind]} WHERE id = {key}"
                )


@contextmanager
def at_work(engine: Engine, kind: str) -> Iterator[None]:
    stop = threading.Event()
    people = [threading.Thread(target=work, args=(engine, kind, person, stop)) for person in range(PEOPLE)]
    for person in people:
        person.start()
    try:
        yield
    finally:
        stop.set()
        for person in people:
            person.join()


def test_people_who_change_rows_meanwhile_lose_nothing_and_nothing_stands_twice_in_a_file(
    server: URL, tmp_path: Path
) -> None:
    kind = server.get_backend_name()
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED"} if kind == "mysql" else {}
    engine = sqlalchemy.create_engine(server, **options)
    make(engine, kind)
    clock = FakeClock(datetime.now(UTC).timestamp())
    world = World(now=clock.now)
    wiring = connector(tmp_path, server, world, clock, overlap_seconds=0)

    def sync() -> None:
        clock.advance(60)
        carry_out(wiring, wiring.syncer.steps(wiring.mapping.entities, wait=True, timeout=10_000))

    with mock.patch("connector.engine.intake.MOST_LINES", 100):
        with at_work(engine, kind):
            for _ in range(PASSES):
                sync()
        sync()
    with engine.connect() as connection:
        rows = {str(key): name for key, name in connection.exec_driver_sql("SELECT id, name FROM accounts")}
    found = world.objects(ACCOUNT)
    assert {key: line["name"] for key, line in found.items()} == rows
    files = Counter((version.client_request_id, key) for key in found for version in world.versions(ACCOUNT, key))
    assert len(files) > PEOPLE * KEYS, "rows were told again while they changed"
    assert set(files.values()) == {1}
    wiring.__exit__(None, None, None)
    world.close()
    engine.dispose()


class Watched:
    """Looks, whenever the connector waits or calls Gong, for transactions that its account has open."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account
        self.looks = 0
        self.open: list[str] = []

    def look(self) -> None:
        self.looks += 1
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql(
                f"SELECT query FROM pg_stat_activity WHERE usename = '{self._account}' AND xact_start IS NOT NULL"
            )
            self.open += found.scalars()

    def before(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.look()
            return method(*arguments, **named)

        return watched


def test_no_transaction_is_open_on_the_source_while_a_pass_waits(tmp_path: Path) -> None:
    """For Gong, for the budget, and for room in the spool."""
    with narrow_site(tmp_path, spool_max_bytes=2000, calls_per_second=1) as site:
        watched = Watched(site.owner, site.account)
        wiring, clock = site.wiring, site.clock
        engine = sqlalchemy.create_engine(site.owner.url.set(username=site.account))
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            watched.look()
        engine.dispose()
        assert len(watched.open) == 1, "it would be seen"
        watched.open.clear()
        site.sql("UPDATE leads SET name = name || '!', updated = now()")
        site.sql("INSERT INTO accounts SELECT n, repeat('x', 200), now() FROM generate_series(100, 400) n")
        with (
            mock.patch("connector.engine.intake.MOST_LINES", 20),
            mock.patch.object(clock, "sleep", watched.before(clock.sleep)),
            mock.patch.object(wiring.client, "upload", watched.before(wiring.client.upload)),
            mock.patch.object(wiring.client, "status", watched.before(wiring.client.status)),
        ):
            report = site.sync()
        assert not report.errors
        assert site.names(ACCOUNT) == site.in_source("accounts")
        assert watched.looks > 30
        assert watched.open == []
