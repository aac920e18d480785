"""One CRM database for each backend, emptied after each test; the same tests run on all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from crm import NOW, Crm
from databases import mysql_database, postgres_database
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.source import open_source

GENERIC = ("test_bound", "test_order", "test_ties", "test_late_commits")
"""What any database has to hold, of whose kind nothing is known; DuckDB stands for them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if _concerns(item)]


def _concerns(item: pytest.Item) -> bool:
    """Whether a test says something of the database it would run on: `only_on` and `not_on` name kinds, and why."""
    backend = item.callspec.params.get("server") if hasattr(item, "callspec") else None
    if backend == "duckdb" and item.path.stem not in GENERIC:
        return False
    only, never = item.get_closest_marker("only_on"), item.get_closest_marker("not_on")
    return backend is None or not ((only and backend not in only.args) or (never and backend in never.args))


@contextmanager
def _location(backend: str, directory: Path) -> Iterator[URL]:
    match backend:
        case "sqlite":
            yield URL.create("sqlite", database=str(directory / "crm.db"))
        case "duckdb":
            yield URL.create("duckdb", database=str(directory / "crm.duckdb"))
        case "postgresql":
            with postgres_database() as url:
                yield url
        case _:
            with mysql_database() as url:
                yield url


@pytest.fixture(scope="session", params=["sqlite", "duckdb", "postgresql", "mysql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, URL]]:
    with _location(request.param, tmp_path_factory.mktemp("crm")) as url:
        yield request.param, url


@pytest.fixture
def crm(server: tuple[str, URL]) -> Iterator[Crm]:
    backend, url = server
    owner = sqlalchemy.create_engine(url, **({"poolclass": sqlalchemy.NullPool} if backend == "duckdb" else {}))
    if backend == "sqlite":
        Path(str(url.database)).touch()
    if backend == "duckdb":
        owner.connect().close()  # makes the file; it is closed whenever nobody writes, for the source opens it, too
    clock = FakeClock(NOW)
    found = Crm(backend, url, owner, open_source(url.render_as_string(hide_password=False), clock), clock)
    yield found
    found.source.close()
    for table in reversed(found.tables):
        found.execute(f"DROP TABLE IF EXISTS {found.quote(table)}")
    owner.dispose()
