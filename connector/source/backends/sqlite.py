"""SQLite: opened read-only by URI, one read transaction per call, values as they are stored."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from connector.errors import ConfigError
from connector.model import ColumnKind
from connector.source.backends.base import Backend
from connector.source.faults import Fault
from connector.source.stamps import LEAST_EPOCH
from connector.source.statements import Bind

_BUSY_SECONDS = 10.0
_NO_DATABASE = {sqlite3.SQLITE_NOTADB}
_SQL_ERRORS = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISUSE}
_DATA_ERRORS = {sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT}


class SQLite(Backend):
    """A file on this host. The statement timeout does not apply: reads run in this process.

    In WAL mode writers are not hindered; without it a writer waits while a read is going on.
    """

    ping_sql = "SELECT COUNT(*) FROM sqlite_master"  # reads the file: SELECT 1 would not
    dynamic = True

    def path(self) -> Path:
        """Return the database's file.

        Raises:
            ConfigError: the URL names no file.
        """
        name = self.url.database
        if not name or name == ":memory:" or name.startswith("file:"):
            raise ConfigError(
                "CONNECTOR_SOURCE_URL: write the SQLite file's path: sqlite:///relative or sqlite:////absolute."
            )
        return Path(name).expanduser().absolute()

    def connect(self) -> sqlite3.Connection:
        """Open the file read-only. A file that is missing is an error and is not created."""
        path = self.path()
        if not path.is_file():
            raise sqlite3.OperationalError(f"there is no file {path}")
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # the pool gives a connection to one thread at a time
        )

    def prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only = ON")

    def cursor(self, connection: sqlite3.Connection) -> "_Cursor":
        return _Cursor(connection)

    def begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")

    def quote(self, name: str) -> str:
        return self.always_quote(name)

    def bind(self, value: object) -> Bind:
        # Bytes stand for a text that is not valid UTF-8; as a BLOB they would sort behind every text.
        return Bind(value, "CAST({} AS TEXT)") if isinstance(value, bytes) else Bind(value)

    def key_values(self, text: str, kind: ColumnKind) -> list[Bind]:  # noqa: ARG002 - types bind nothing here
        """A column may hold numbers and texts whatever its type: both forms are looked for."""
        values = [Bind(text)] if self.holds_text(text) else []
        return values + super().key_values(text, ColumnKind.INTEGER)

    def readable_stamps(self, column: str, kind: ColumnKind) -> str | None:  # noqa: ARG002 - nor here
        # ':' follows '9': numbers and texts that begin with a digit stand before it, by the index.
        return f"{column} >= {LEAST_EPOCH} AND {column} < ':'"

    def excess(self, connection: Connection) -> str | None:  # noqa: ARG002 - there is nobody to ask
        """There are no accounts, and the file is opened read-only."""
        return None

    def classify(self, error: BaseException) -> Fault:
        if not isinstance(error, sqlite3.Error):
            return Fault.UNAVAILABLE
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return Fault.UNAVAILABLE if isinstance(error, sqlite3.OperationalError) else Fault.SQL
        primary = code & 0xFF
        if re.search(r"no such (table|column|view)", str(error)):
            return Fault.MISSING
        if primary == sqlite3.SQLITE_READONLY:
            return Fault.WRITE
        if primary in _NO_DATABASE:
            return Fault.NO_DATABASE
        if primary in _DATA_ERRORS:
            return Fault.DATA
        return Fault.SQL if primary in _SQL_ERRORS else Fault.UNAVAILABLE

    def code(self, error: BaseException) -> str:
        return str(getattr(error, "sqlite_errorname", type(error).__name__))


class _Cursor:
    """Gives texts that are not valid UTF-8 as bytes, so that only their rows are refused.

    The driver's own reader of texts is by far faster than one of ours, and fails at the first such text. So ours takes
    over only then: it reads the result anew from its start, which in one snapshot gives the same rows again.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._statement: tuple[str, Any] = ("", ())
        self._given = 0

    @property
    def description(self) -> Any:
        return self._cursor.description

    def execute(self, sql: str, parameters: Any) -> None:
        self._connection.text_factory = str
        self._statement, self._given = (sql, parameters), 0
        self._cursor.execute(sql, parameters)

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        return self._taken(lambda: self._cursor.fetchmany(size))

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._taken(self._cursor.fetchall)

    def close(self) -> None:
        self._cursor.close()

    def _taken(self, fetch: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        try:
            rows = fetch()
        except sqlite3.OperationalError as error:
            if self._connection.text_factory is _text or "UTF-8" not in str(error):
                raise
            self._connection.text_factory = _text
            self._cursor.execute(*self._statement)
            for _ in range(self._given):
                self._cursor.fetchone()
            rows = fetch()
        self._given += len(rows)
        return rows


def _text(raw: bytes) -> Any:
    """Return a stored text; its bytes when it is not valid UTF-8, so that only its row is refused."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
