"""One CRM database for each backend, emptied after each test; the same tests run on all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from databases import mysql_database, postgres_database
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.model import Position, Relation, Row
from connector.source import Source, open_source

NOW = 1_780_000_000.0
"""2026-05-28 20:26:40 UTC, for the host's clock; servers have their own."""

TYPES = {
    "sqlite": {
        "stamp": "DATETIME", "zoned": "DATETIME", "text": "TEXT", "uuid": "CHAR(36)", "bytes": "BLOB", "float": "REAL",
        "json": "TEXT", "bigint": "BIGINT",
    },
    "postgresql": {
        "stamp": "TIMESTAMP", "zoned": "TIMESTAMPTZ", "text": "TEXT", "uuid": "UUID", "bytes": "BYTEA",
        "float": "DOUBLE PRECISION", "json": "JSONB", "bigint": "BIGINT",
    },
    "mysql": {
        "stamp": "DATETIME(6)", "zoned": "TIMESTAMP(6) NULL", "text": "LONGTEXT", "uuid": "UUID", "bytes": "LONGBLOB",
        "float": "DOUBLE", "json": "JSON", "bigint": "BIGINT",
    },
}  # fmt: skip


@dataclass
class Crm:
    """A database that a test fills as its owner, and the source that the connector reads it by."""

    backend: str
    url: URL
    owner: sqlalchemy.Engine
    source: Source
    clock: FakeClock
    tables: list[str] = field(default_factory=list)

    def quote(self, name: str) -> str:
        mark = "`" if self.backend == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def create(self, table: str, columns: str) -> None:
        """Make a table; `{stamp}` and the like in `columns` stand for the backend's types."""
        self.tables.append(table)
        self.execute(f"CREATE TABLE {self.quote(table)} ({columns.format(**TYPES[self.backend])})")

    def execute(self, *statements: str) -> None:
        with self.owner.begin() as connection:
            for statement in statements:
                connection.connection.cursor().execute(statement)

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" if self.backend == "sqlite" else "%s" for _ in rows[0])
        with self.owner.begin() as connection:
            cursor = connection.connection.cursor()
            cursor.executemany(f"INSERT INTO {self.quote(table)} VALUES ({marks})", rows)

    def reopened(self, **options: Any) -> Source:
        return open_source(self.url.render_as_string(hide_password=False), self.clock, **options)


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


def relation(**changes: Any) -> Relation:
    """Return a relation of the table `deals` (id, updated_at, name) with `changes`."""
    usual: dict[str, Any] = {
        "name": "DEAL", "table": "deals", "query": None, "where": None, "key": "id", "modified": "updated_at",
        "deleted": None, "columns": ("name",), "timezone": "UTC",
    }  # fmt: skip
    if "query" in changes:
        usual["table"] = None
    return Relation(**{**usual, **changes})


def flat(chunks: Iterator[list[Row]]) -> list[Row]:
    return [row for chunk in chunks for row in chunk]


def resumed(source: Source, what: Relation, every: int) -> list[Row]:
    """Read changes as the engine does over many passes: `every` rows, then a new read from the last position."""
    rows: list[Row] = []
    after: Position | None = None
    while True:
        stream = source.changes(what, after)
        page = next(stream, [])[:every]
        stream.close()  # type: ignore[attr-defined]  # changes returns a generator
        if not page:
            return rows
        rows += page
        after = source.position(what, page[-1])
