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


@contextmanager
def _location(backend: str, directory: Path) -> Iterator[URL]:
    match backend:
        case "sqlite":
            yield URL.create("sqlite", database=str(directory / "crm.db"))
        case "postgresql":
            with postgres_database() as url:
                yield url
        case _:
            with mysql_database() as url:
                yield url


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "mysql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, URL]]:
    with _location(request.param, tmp_path_factory.mktemp("crm")) as url:
        yield request.param, url


@pytest.fixture
def crm(server: tuple[str, URL]) -> Iterator[Crm]:
    backend, url = server
    owner = sqlalchemy.create_engine(url)
    if backend == "sqlite":
        Path(str(url.database)).touch()
    clock = FakeClock(NOW)
    found = Crm(backend, url, owner, open_source(url.render_as_string(hide_password=False), clock), clock)
    yield found
    found.source.close()
    for table in reversed(found.tables):
        found.execute(f"DROP TABLE IF EXISTS {found.quote(table)}")
    owner.dispose()
