"""Every ledger test runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import postgres_database
from ledger_under_test import LedgerUnderTest
from migrated import migrate_at, new_ledger

from connector.clock import FakeClock
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.migrate import migrate
from connector.ledger.queries import Queries
from connector.ledger.store import Store


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """The name of a PostgreSQL database that is a new ledger."""
    with postgres_database() as url:
        migrate_at(url.render_as_string(hide_password=False))
        yield str(url.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new ledger's URL; it has its tables."""
    if request.param == "sqlite":
        yield new_ledger(tmp_path / "ledger.db")
        return
    with postgres_database(f'TEMPLATE "{request.getfixturevalue("template")}"') as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[LedgerUnderTest]:
    """A ledger whose lease is ours."""
    database, clock = Database(ledger_url), FakeClock(1_800_000_000.0)
    migrate(database)
    lease = Lease(database, clock, "test")
    assert lease.acquire() is None
    yield LedgerUnderTest(database, clock, Store(database, clock), Queries(database), lease)
    database.close()
