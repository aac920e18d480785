"""Every ledger test runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import postgres_database
from ledger_under_test import LedgerUnderTest

from connector.clock import FakeClock
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.migrate import migrate
from connector.ledger.queries import Queries
from connector.ledger.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new, empty ledger's URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    with postgres_database() as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[LedgerUnderTest]:
    """A ledger with its tables, whose lease is ours."""
    database, clock = Database(ledger_url), FakeClock(1_800_000_000.0)
    migrate(database)
    lease = Lease(database, clock, "test")
    assert lease.acquire() is None
    yield LedgerUnderTest(database, clock, Store(database, clock), Queries(database), lease)
    database.close()
