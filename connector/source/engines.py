"""Opens the source: driver, bounded pool, read-only sessions with one snapshot each."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from connector.errors import ConfigError
from connector.model import Column, Row
from connector.source.backends import Backend, SQLite, backend_for
from connector.source.statements import Statement

CHUNK_ROWS = 1000
_CONNECTIONS = 3
_WAIT_SECONDS = 30
_RECYCLE_SECONDS = 1800
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_OWN = {"postgresql+psycopg", "mysql+pymysql", "mariadb+pymysql", "sqlite", "sqlite+pysqlite", "duckdb", "mssql+pyodbc"}


class Session:
    """One connection within one snapshot."""

    def __init__(self, backend: Backend, connection: Any) -> None:
        self.backend = backend
        self.spoiled = False
        """True when the connection must not be used again."""
        self._connection = connection

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Return the whole of a small result."""
        with self._executed(self.backend.cursor(self._connection), statement) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def ask(self, sql: str) -> Any:
        """Return the first value of the first row; None where there is no row."""
        found = self.query(sql)
        return found[0][0] if found else None

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the whole of a small result of a SELECT of ours."""
        return self.rows(Statement((sql,)))

    def stream(self, statement: Statement) -> Iterator[list[Row]]:
        """Yield a result of any size by chunks, without holding more than one."""
        streaming = self.backend.streaming_cursor(self._connection, statement.texts)
        streaming.arraysize = CHUNK_ROWS
        with self._executed(streaming, statement) as cursor:
            while chunk := cursor.fetchmany(CHUNK_ROWS):
                yield list(chunk)

    def probe(self, statement: Statement) -> list[Column]:
        """Return names and kinds of a result's columns."""
        with self._executed(self.backend.cursor(self._connection), statement) as cursor:
            kinds = self.backend.probed_kinds(cursor)
            names = [str(column[0]) for column in cursor.description or ()]
        return [Column(name, kind) for name, kind in zip(names, kinds, strict=True)]

    @contextmanager
    def _executed(self, cursor: Any, statement: Statement) -> Iterator[Any]:
        sql, parameters = statement.render(self.backend.dialect.paramstyle)
        try:
            cursor.execute(sql, parameters)
            yield cursor
        except GeneratorExit:
            self.spoiled = self.backend.abandon(cursor)
            raise
        except Exception:
            self.spoiled = True
            with suppress(Exception):  # the connection is thrown away, whatever the cursor still says
                self.backend.abandon(cursor)
            raise
        cursor.close()


class Sessions:
    """The pool of connections to one source."""

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self.backend = backend
        self._engine = engine

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a session whose reads see one moment. No transaction is open afterwards."""
        pooled = self._engine.raw_connection()
        session = Session(self.backend, pooled.dbapi_connection)
        try:
            self.backend.begin(pooled.dbapi_connection)
            yield session
        except Exception:
            session.spoiled = True
            raise
        finally:
            if session.spoiled or not self.backend.keeps_connections:
                pooled.invalidate()
            pooled.close()

    @contextmanager
    def catalog(self) -> Iterator[Connection]:
        """Give a SQLAlchemy connection for reading the catalog."""
        with self._engine.connect() as connection:
            try:
                yield connection
            finally:
                if not self.backend.keeps_connections:
                    connection.invalidate()

    def busy(self) -> int:
        """Return how many connections are in use."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool), "engines are made with this pool"
        return pool.checkedout()

    def close(self) -> None:
        self._engine.dispose()


def open_sessions(
    url: str, statement_timeout: float | None, current: Callable[[], str] | None = None
) -> tuple[Sessions, str]:
    """Return the pool for a SQLAlchemy URL and the source's identity. Connects to nothing yet. Each new connection is
    made with the account that `current`, the same URL, has by then.

    Raises:
        ConfigError: the URL cannot be read, or its driver is not installed. Its text never holds the URL.
    """
    parsed = _parse(url)
    backend_class = backend_for(parsed.get_backend_name()) if parsed.drivername in _OWN else Backend
    options: dict[str, Any] = {"use_native_hstore": False} if parsed.drivername == "postgresql+psycopg" else {}
    try:
        dialect = parsed.get_dialect()()
        backend = backend_class(dialect, parsed, statement_timeout)
        if isinstance(backend, SQLite):
            backend.path()
            options["creator"] = backend.connect
        else:
            options["connect_args"] = backend.connect_args()
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_WAIT_SECONDS,
            pool_recycle=_RECYCLE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            **options,
        )
    except (ImportError, exc.NoSuchModuleError):
        raise ConfigError(
            f"CONNECTOR_SOURCE_URL: no driver for {parsed.drivername!r} is installed. PostgreSQL (postgresql://),"
            " MySQL and MariaDB (mysql://) and SQLite (sqlite:///) come with the connector; DuckDB and SQL Server with"
            " its extras (gong-connector[duckdb], gong-connector[mssql]); install others beside it."
        ) from None
    except (exc.ArgumentError, TypeError, ValueError):
        raise ConfigError(f"CONNECTOR_SOURCE_URL: its options do not suit {parsed.drivername!r}.") from None
    backend.dialect = engine.dialect
    if current is not None and not isinstance(backend, SQLite):

        def renew(dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
            fresh, named = dialect.create_connect_args(_parse(current()))
            arguments[:] = fresh
            parameters.update(named | options.get("connect_args", {}))

        event.listen(engine, "do_connect", renew)
    event.listen(engine, "connect", lambda connection, _record: backend.prepare(connection))
    return Sessions(engine, backend), _identity(parsed, backend)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigError(
            "CONNECTOR_SOURCE_URL is not a database URL. Write it as postgresql://user:password@host:5432/database,"
            " mysql://user:password@host:3306/database or sqlite:////path/to/file.db; in the password,"
            " write @ as %40, : as %3A and / as %2F."
        ) from None
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def _identity(url: URL, backend: Backend) -> str:
    """Hash what tells one source from another: not credentials, not options."""
    name = url.get_backend_name()
    name = "mysql" if name == "mariadb" else name
    if isinstance(backend, SQLite):
        place = str(backend.path().resolve())
    else:
        host = url.host or str(url.query.get("host") or url.query.get("unix_socket") or "localhost")
        place = f"{host.lower()}|{url.port or _PORTS.get(name, '')}|{url.database or ''}"
    return hashlib.sha256(f"{name}|{place}".encode()).hexdigest()[:32]
