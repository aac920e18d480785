"""Opens the ledger's database, migrates it, and gives out transactions that the lease fences."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from connector import failpoints
from connector.errors import ConfigError, LeaseLost
from connector.ledger.explain import explain, lost
from connector.ledger.statement import text

BUSY_SECONDS: Final = 30.0
"""How long a transaction waits for another one's locks before it fails."""
IDLE_SECONDS: Final = 60
"""After which PostgreSQL ends a transaction in which nothing happens: one of a process that is stopped or cut off
would keep its locks, that on the lease included, for as long as it likes.
"""
IN_MEMORY: Final = "sqlite://"
"""URL of a ledger that nobody keeps, for commands that only look and find none."""
_LOG_BYTES: Final = 64_000_000
"""What the write-ahead log of a SQLite file is cut to after a transaction that made it longer: one of a first load."""
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Database:
    """The ledger's database: SQLite (one host) or PostgreSQL (several), with one way in for writers."""

    def __init__(
        self, url: str, *, busy_seconds: float | None = None, current: Callable[[], str] | None = None
    ) -> None:
        """Prepare for `url`, without connecting. A transaction waits `busy_seconds` for a lock (BUSY_SECONDS). Each new
        connection is made with the account that `current`, the same URL, has by then.

        Raises:
            ConfigError: the URL cannot be read, or is of another kind of database.
        """
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._busy_seconds = BUSY_SECONDS if busy_seconds is None else busy_seconds
        self._current = current
        self._file = _File()
        self.engine = self._sqlite() if self.is_sqlite else self._postgresql()
        self.token: int | None = None
        """This process's fencing token while it holds the lease."""
        self.revision: str | None = None
        """Of the tables, as this process knows them; None before `migrate`."""

    def _sqlite(self) -> Engine:
        if self.url.database and self.url.database != ":memory:":
            _private_directory(Path(self.url.database).parent)
        engine = create_engine(self.url, connect_args={"timeout": self._busy_seconds})

        def make(*_: Any) -> None:
            if self.url.database and not self.url.database.startswith((":memory:", "file:")):
                _private_file(Path(self.url.database))

        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # transactions are begun by us: BEGIN IMMEDIATE for writers
            cursor = connection.cursor()
            self._file.opened(cursor.execute("PRAGMA database_list").fetchone()[2])
            cursor.execute("PRAGMA synchronous=FULL")  # a booked change must survive a power cut
            cursor.execute("PRAGMA cache_size=-4000")
            cursor.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
            cursor.close()

        event.listen(engine, "do_connect", make)
        event.listen(engine, "connect", prepare)
        return engine

    def _postgresql(self) -> Engine:
        try:
            engine = create_engine(
                self.url, pool_pre_ping=True, pool_size=4, max_overflow=4, connect_args={"prepare_threshold": None}
            )
        except NoSuchModuleError:
            raise ConfigError(f"CONNECTOR_STATE_URL: no driver for {self.url.drivername!r} is installed") from None
        current = self._current
        if current is not None:

            def renew(dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
                parameters.update(dialect.create_connect_args(_parse(current()))[1])

            event.listen(engine, "do_connect", renew)
        return engine

    @property
    def _limits(self) -> str:
        """What begins a transaction on PostgreSQL. It ends with it: behind a pooler a session is shared with others."""
        return (
            f"SET LOCAL lock_timeout = '{round(self._busy_seconds * 1000)}ms';"
            f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
        )

    def write_ahead(self) -> None:
        """Have a SQLite file written ahead (WAL), so that readers and the writer do not wait for each other. It stays
        so: not before the file is known to be ours.

        Raises:
            LedgerUnavailable: another program has it locked.
        """
        if self.is_sqlite:
            with self._translated(), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    @contextlib.contextmanager
    def writing(self, step: str, *, fenced: bool = True) -> Iterator[Connection]:
        """One transaction that writes: committed at the end, rolled back when an exception leaves.

        Args:
            step: what is booked, for the failpoints around the commit: `ledger.<step>.before` and `.after`.
            fenced: refuse when this process does not hold the lease any more. Only the budget, which every
                process shares, writes without.

        Raises:
            LeaseLost: another process took the lease, or the ledger's file is not there any more (LedgerLost).
            LedgerUnavailable: the database could not be reached or stayed locked.
        """
        with self._connected() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else self._limits)
            try:
                self._file.check()
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
            LedgerLost: the ledger's file is not there any more.
            LedgerUnavailable: the database could not be reached or stayed locked.
        """
        with self._connected() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
                connection.exec_driver_sql(self._limits)
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
    def _connected(self) -> Iterator[Connection]:
        # A look before connecting, too: SQLite would make a new file where there is none any more.
        self._file.check()
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the database's exceptions into ours."""
        try:
            yield
        except SQLAlchemyError as error:
            file = Path(self.url.database or "") if self.is_sqlite else None
            raise explain(error, self.describe(), file, self._busy_seconds) from None

    def describe(self) -> str:
        """Name the ledger for messages, without its password."""
        return describe(self.url)


class _File:
    """The file of a SQLite ledger, as it was first opened. Whatever is done to another one, or to one that has lost its
    name, nobody finds again.
    """

    def __init__(self) -> None:
        self._path = ""
        self._identity: tuple[int, int] | None = None

    def opened(self, path: str) -> None:
        """Take note of a connection to the file at that path; empty for a ledger in memory. Raises LedgerLost."""
        if path and self._identity is None:
            self._path, self._identity = path, _identity(path)
        self.check()

    def check(self) -> None:
        """Make sure that the path still names the same file. Raises LedgerLost."""
        if self._identity is not None and _identity(self._path) != self._identity:
            raise lost(Path(self._path))


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def describe(url: str | URL) -> str:
    """Name the ledger of a URL for messages, without its password; raise ConfigError as Database does."""
    return (_parse(url) if isinstance(url, str) else url).render_as_string(hide_password=True)


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


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"CONNECTOR_STATE_URL: cannot create the ledger's directory {directory}: {error.strerror}"
        ) from None


def _private_file(file: Path) -> None:
    """Make a new ledger's file for its owner alone: reasons why lines were refused may hold values. SQLite gives the
    files beside it the same mode. What keeps it from being made, opening it says.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
