"""Versions of a backfill, waiting for their waves: a private file beside the spool, kept until the backfill is over."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Final, NamedTuple, Self

from connector.errors import ConnectorError
from connector.spool.errors import SpoolUnavailable

SUFFIX: Final = ".staging"
_UNFINISHED: Final = ".staging.part"
"""Follows the name, which has no dot, and something that sets it apart."""
_SCHEMA: Final = """
CREATE TABLE versions (
    wave INTEGER NOT NULL, modified INTEGER NOT NULL, object_id TEXT NOT NULL, body BLOB NOT NULL,
    account_id TEXT, last INTEGER NOT NULL, PRIMARY KEY (wave, modified, object_id)) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class StagedVersion(NamedTuple):
    """One line of a wave, still without its `modifiedDate`."""

    object_id: str
    modified: int
    """Seconds since 1970 UTC."""
    body: bytes
    account_id: str | None
    """The account that the line names."""
    last: bool
    """No later version of the object follows."""


class Wave(NamedTuple):
    """What a wave holds."""

    number: int
    """From 1; version *k* of every object stands in wave *k*."""
    versions: int
    bytes: int


class StagingLost(ConnectorError):
    """The staging file is not there, or is not whole: it must be made anew."""


class Staging:
    """The staging file of one backfill. A context manager; one thread at a time.

    Raises SpoolUnavailable when the disk fails, StagingLost when what should be there is not.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def create(cls, directory: Path, name: str) -> Self:
        """Begin the staging file anew; it is found by `open` once it is finished.

        Until then it has a name of its own: a process that was taken for dead may still be at work on another one.
        """
        path = directory / f"{name}.{token_hex(4)}{_UNFINISHED}"
        try:
            for leftover in directory.glob(f"{name}.*{_UNFINISHED}*"):
                leftover.unlink(missing_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            connection = _connect(path)
            connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise SpoolUnavailable(f"the staging file {name} cannot be written: {error}") from None
        return cls(path, connection)

    @classmethod
    def open(cls, directory: Path, name: str) -> Self:
        """Open a finished staging file."""
        path = directory / (name + SUFFIX)
        if not path.exists():
            raise StagingLost(f"the staging file {name} is not there")
        try:
            connection = _connect(path)
            connection.execute("SELECT count(*) FROM facts").fetchone()
        except sqlite3.Error as error:
            raise StagingLost(f"the staging file {name} cannot be read: {error}") from None
        return cls(path, connection)

    @staticmethod
    def remove(directory: Path, name: str) -> None:
        """Remove a backfill's staging file, finished or not."""
        try:
            for file in (*directory.glob(f"{name}{SUFFIX}*"), *directory.glob(f"{name}.*{SUFFIX}*")):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise SpoolUnavailable(f"the staging file {name} cannot be removed: {error.strerror}") from None

    @classmethod
    def remove_all(cls, directory: Path) -> None:
        """Remove every staging file of a spool."""
        for name in {file.name.partition(".")[0] for file in directory.glob(f"*{SUFFIX}*")}:
            cls.remove(directory, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was added and not committed is forgotten."""
        self._connection.close()

    # -- filling ---------------------------------------------------------------------------------

    def add(self, object_id: str, versions: Sequence[tuple[int, bytes, str | None]]) -> None:
        """Add an object with its versions (modified, body, account) by ascending time, each to its wave."""
        count = len(versions)
        try:
            self._connection.executemany(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (wave, modified, object_id, body, account_id, wave == count)
                    for wave, (modified, body, account_id) in enumerate(versions, start=1)
                ],
            )
        except sqlite3.Error as error:
            raise SpoolUnavailable(f"the staging file cannot be written: {error}") from None

    def finish(self, **facts: int) -> None:
        """Bring everything to the disk; the file is whole from now on. `facts` are kept with it."""
        try:
            self._connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
            self._connection.commit()
            whole = self._path.with_name(self._path.name.partition(".")[0] + SUFFIX)
            self._path.replace(whole)
            directory = os.open(whole.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
            self._path = whole
        except (OSError, sqlite3.Error) as error:
            raise SpoolUnavailable(f"the staging file cannot be written: {error}") from None

    # -- reading ---------------------------------------------------------------------------------

    def facts(self) -> dict[str, int]:
        """Return what was said when it was finished."""
        return dict(self._rows("SELECT name, value FROM facts"))

    def waves(self) -> list[Wave]:
        """Return the waves in their order."""
        return [
            Wave(*row)
            for row in self._rows(
                "SELECT wave, count(*), COALESCE(sum(length(body)), 0) FROM versions GROUP BY wave ORDER BY wave"
            )
        ]

    def versions(self, wave: int) -> Iterator[StagedVersion]:
        """Yield a wave's versions by ascending time."""
        for object_id, modified, body, account_id, last in self._rows(
            "SELECT object_id, modified, body, account_id, last FROM versions WHERE wave = ?"
            " ORDER BY modified, object_id",
            wave,
        ):
            yield StagedVersion(object_id, modified, body, account_id, bool(last))

    def objects(self) -> Iterator[str]:
        """Yield every object that has versions, each once."""
        for (object_id,) in self._rows("SELECT object_id FROM versions WHERE wave = 1"):
            yield object_id

    def ending(self, wave: int) -> Iterator[str]:
        """Yield the objects whose last version stands in that wave."""
        for (object_id,) in self._rows("SELECT object_id FROM versions WHERE wave = ? AND last", wave):
            yield object_id

    def _rows(self, statement: str, *values: int) -> Iterable[tuple]:  # type: ignore[type-arg]  # columns differ
        try:
            cursor = self._connection.execute(statement, values)
            try:
                yield from iter(cursor.fetchone, None)
            finally:
                with suppress(sqlite3.Error):  # a reading that was given up may end after its file was closed
                    cursor.close()
        except sqlite3.Error as error:
            raise StagingLost(f"the staging file cannot be read: {error}") from None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-16000")
    return connection
