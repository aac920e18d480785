"""A short way to a SQLite ledger: the same statements to the same file, without SQLAlchemy, which takes half a seed's
time. Every twentieth seed goes by SQLAlchemy, as the product does.
"""

import sqlite3
from collections import defaultdict, namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self
from unittest import mock

import sqlalchemy
from sqlalchemy.exc import DBAPIError, NoResultFound

from connector.ledger.database import Database

_STATEMENTS: Final = 300
"""What a connection remembers, so that none is read by SQLite twice."""


@contextmanager
def quickly() -> Iterator[None]:
    """Have SQLite ledgers that are there already opened the short way. Connections of a process that is gone are those
    of the next one: opening one takes as long as ten ticks.
    """
    by_sqlalchemy, idle = Database._sqlite, _Idle(list)

    def opened(database: Database) -> Any:
        file = Path(database.url.database or "")
        if not file.exists():
            return by_sqlalchemy(database)  # to be migrated: Alembic wants SQLAlchemy
        return Engine(file, database, idle)

    with mock.patch.object(Database, "_sqlite", opened):
        try:
            yield
        finally:
            for connection in chain.from_iterable(idle.values()):
                connection.close()


_Idle = defaultdict[int, list[sqlite3.Connection]]
"""Connections that nobody uses, by the inode of their file."""


class Engine:
    """Gives out connections to a file, as SQLAlchemy's engine does."""

    def __init__(self, file: Path, database: Database, idle: _Idle) -> None:
        self._file = file
        self._database = database
        self._all_idle = idle
        self._idle: list[sqlite3.Connection] = []

    def connect(self) -> "Connection":
        """Return a connection that goes back when its block ends."""
        return Connection(self._idle.pop() if self._idle else self._new(), self._idle)

    def _new(self) -> sqlite3.Connection:
        kept = self._all_idle[self._file.stat().st_ino]
        if kept:
            self._database._file.opened(str(self._file))
            return kept.pop()
        seconds = self._database._busy_seconds
        try:
            made = sqlite3.connect(
                self._file, seconds, isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False
            )
            self._database._file.opened(made.execute("PRAGMA database_list").fetchone()[2])
        except sqlite3.Error as error:
            raise _translated("", error) from None
        return made

    def dispose(self) -> None:
        """Leave what is not in use to others."""
        if self._idle:
            self._all_idle[self._file.stat().st_ino] += self._idle
            self._idle = []


class Connection:
    """What the ledger's code asks of SQLAlchemy's connection."""

    dialect = SimpleNamespace(
        name="sqlite",
        has_table=lambda connection, table: bool(
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).first()
        ),
    )

    def __init__(self, connection: sqlite3.Connection, idle: list[sqlite3.Connection]) -> None:
        self.connection = connection
        """The driver's."""
        self._idle = idle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.rollback()
        self._idle.append(self.connection)

    def execute(self, statement: sqlalchemy.TextClause, values: Any = ()) -> "Result":
        """Execute a statement whose parameters are `:names`, which SQLite understands by itself."""
        return self.exec_driver_sql(statement.text, values)

    def exec_driver_sql(self, statement: str, values: Any = ()) -> "Result":
        """Execute a statement as it is; once for each of a list of values."""
        try:
            if isinstance(values, list):
                return Result(self.connection.executemany(statement, values))
            return Result(self.connection.execute(statement, values))
        except sqlite3.Error as error:
            raise _translated(statement, error) from None

    def commit(self) -> None:
        """Commit what was begun."""
        try:
            self.connection.commit()
        except sqlite3.Error as error:
            raise _translated("COMMIT", error) from None

    def rollback(self) -> None:
        """Undo what was begun."""
        self.connection.rollback()


class Result:
    """The rows that a statement gives, or how many it changed."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor
        """The driver's."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self.cursor.rowcount

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(column[0] for column in self.cursor.description)

    def __iter__(self) -> Iterator[Any]:
        return map(_row_class(self._names)._make, self.cursor) if self.cursor.description else iter(())

    def all(self) -> list[Any]:
        """Return all rows."""
        return list(self)

    def first(self) -> Any:
        """Return the first row; None where there is none."""
        row = next(iter(self), None)
        self.cursor.close()
        return row

    def one(self) -> Any:
        """Return the only row."""
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("no row was found where one was required")
        return row

    def one_or_none(self) -> Any:
        """Return the only row; None where there is none."""
        rows = self.all()
        assert len(rows) < 2, "one row was expected"
        return rows[0] if rows else None

    def scalar(self) -> Any:
        """Return the first column of the first row; None where there is none."""
        row = self.cursor.fetchone()
        self.cursor.close()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """Return the first column of the only row."""
        return self.one()[0]

    def scalars(self) -> Iterator[Any]:
        """Return the first column of all rows."""
        return (row[0] for row in self.cursor)

    def mappings(self) -> "Mappings":
        """Return the rows as dictionaries."""
        return Mappings(self.cursor)


class Mappings(Result):
    """Rows as dictionaries."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        names = self._names
        return (dict(zip(names, row, strict=True)) for row in self.cursor)


@lru_cache(maxsize=1000)
def _row_class(names: Sequence[str]) -> Any:
    return namedtuple("Row", names, rename=True)


def _translated(statement: str, error: sqlite3.Error) -> Exception:
    return DBAPIError(statement, None, error)
