"""Opens the ledger's database, migrates it, and gives out transactions that the lease fences."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from connector import failpoints
from connector.errors import ConfigError, ConnectorError, LeaseLost, LedgerUnavailable

BUSY_SECONDS: Final = 30
"""How long a transaction waits for another one's locks before it fails."""
IDLE_SECONDS: Final = 60
"""After which PostgreSQL ends a transaction in which nothing happens: one of a process that is stopped or cut off
would keep its locks, that on the lease included, for as long as it likes.
"""
IN_MEMORY: Final = "sqlite://"
"""URL of a ledger that nobody keeps, for commands that only look and find none."""
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Database:
    """The ledger's database: SQLite (one host) or PostgreSQL (several), with one way in for writers."""

    def __init__(self, url: str) -> None:
        """Prepare for `url`, without connecting.

        Raises:
            ConfigError: the URL cannot be read, or is of another kind of database.
        """
        self.url = _parse(url)
        self.engine = _engine(self.url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.token: int | None = None
        """This process's fencing token while it holds the lease."""

    @contextlib.contextmanager
    def writing(self, step: str, *, fenced: bool = True) -> Iterator[Connection]:
        """One transaction that writes: committed at the end, rolled back when an exception leaves.

        Args:
            step: what is booked, for the failpoints around the commit: `ledger.<step>.before` and `.after`.
            fenced: refuse when this process does not hold the lease any more. Only the budget, which every
                process shares, writes without.

        Raises:
            LeaseLost: another process took the lease.
            LedgerUnavailable: the database could not be reached or stayed locked.
        """
        with self._translated(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else "SELECT 1")
            try:
                if fenced:
                    self._check_token(connection)
                yield connection
                failpoints.hit(f"ledger.{step}.before")
                connection.commit()
                failpoints.hit(f"ledger.{step}.after")
            except BaseException:
                connection.rollback()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that reads a consistent state.

        Raises:
            LedgerUnavailable: the database could not be reached or stayed locked.
        """
        with self._translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield connection
            finally:
                connection.rollback()

    def time(self, connection: Connection) -> float:
        """Return the time of the database's server; of SQLite, the host's (seconds since 1970 UTC)."""
        now = "(julianday('now') - 2440587.5) * 86400.0" if self.is_sqlite else "EXTRACT(EPOCH FROM clock_timestamp())"
        return float(connection.exec_driver_sql(f"SELECT {now}").scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _check_token(self, connection: Connection) -> None:
        lock = "" if self.is_sqlite else " FOR UPDATE"
        found = connection.execute(text(f"SELECT token FROM lease WHERE id = 1{lock}")).scalar()
        if self.token is None or found != self.token:
            raise LeaseLost("another process holds the ledger's lease; this one stops writing")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the database's exceptions into ours, without their parameters (they hold record keys)."""
        try:
            yield
        except ConnectorError:
            raise
        except (DBAPIError, SQLAlchemyError) as error:
            raise LedgerUnavailable(f"the ledger ({self.describe()}): {_first_line(error)}") from None

    def describe(self) -> str:
        """Name the ledger for messages, without its password."""
        return self.url.render_as_string(hide_password=True)


def is_absent(url: str) -> bool:
    """Tell whether the ledger is a SQLite file that is not there yet; raise ConfigError as Database does."""
    parsed = _parse(url)
    return parsed.get_backend_name() == "sqlite" and bool(parsed.database) and not Path(parsed.database or "").exists()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "CONNECTOR_STATE_URL: not a database URL; write sqlite:///path/to/file or postgresql://user@host/db"
        ) from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        return parsed
    if name in _DRIVERS:
        return parsed.set(drivername=_DRIVERS[name])
    raise ConfigError(f"CONNECTOR_STATE_URL: the ledger lives in SQLite or PostgreSQL, not in {name!r}")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            _private_directory(Path(url.database).parent)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    try:
        engine = create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=4)
    except NoSuchModuleError:
        raise ConfigError(f"CONNECTOR_STATE_URL: no driver for {url.drivername!r} is installed") from None
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"CONNECTOR_STATE_URL: cannot create the ledger's directory {directory}: {error.strerror}"
        ) from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us: BEGIN IMMEDIATE for writers
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a booked change must survive a power cut
    cursor.execute("PRAGMA cache_size=-32000")
    cursor.close()


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.commit()


def _first_line(error: BaseException) -> str:
    if isinstance(error, OperationalError | DBAPIError) and error.orig is not None:
        return str(error.orig).strip().split("\n")[0][:300]
    return str(error).split("\n")[0][:300]
