"""A CRM database of any backend, as the contract tests use it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy
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
    "duckdb": {
        "stamp": "TIMESTAMP", "zoned": "TIMESTAMPTZ", "text": "VARCHAR", "uuid": "UUID", "bytes": "BLOB",
        "float": "DOUBLE", "json": "JSON", "bigint": "BIGINT",
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
        marks = ", ".join("?" if self.backend in ("sqlite", "duckdb") else "%s" for _ in rows[0])
        with self.owner.begin() as connection:
            cursor = connection.connection.cursor()
            cursor.executemany(f"INSERT INTO {self.quote(table)} VALUES ({marks})", rows)

    def now(self) -> datetime:
        """Return the time as the source tells it: databases without a server have the host's clock."""
        fake = self.backend in ("sqlite", "duckdb")
        return datetime.fromtimestamp(self.clock.now(), UTC) if fake else datetime.now(UTC)

    def reopened(self, **options: Any) -> Source:
        return open_source(self.url.render_as_string(hide_password=False), self.clock, **options)


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
