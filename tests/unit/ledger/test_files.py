"""A SQLite ledger's file: without rights, locked, or not at its place any more."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connector.errors import ConfigError, LedgerLost, LedgerUnavailable
from connector.ledger.database import Database
from connector.ledger.migrate import migrate

NOBODY = 65534


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user who owns nothing: root may do everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can look into."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.mark.parametrize(("rights", "of_file"), [(0o555, 0o444), (0o555, 0o000), (0o555, None), (0o755, 0o444)])
def test_a_file_or_directory_without_the_right_to_write_is_named(place: Path, rights: int, of_file: int | None) -> None:
    file = place / "ledger.db"
    if of_file is not None:
        database = Database(f"sqlite:///{file}")
        migrate(database)
        database.close()
        file.chmod(of_file)
    place.chmod(rights)
    with without_rights(), pytest.raises(ConfigError, match="CONNECTOR_STATE_URL") as caught:
        migrate(Database(f"sqlite:///{file}"))
    place.chmod(0o755)
    assert str(file) in str(caught.value)
    assert "needs the right to write" in str(caught.value)


def test_a_transaction_waits_for_a_lock_as_long_as_it_is_told_to(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/ledger.db", busy_seconds=0.1)
    migrate(database)
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        waits = pytest.raises(LedgerUnavailable, match=r"locked, for more than 0\.1 seconds")
        with waits, database.writing("test", fenced=False):
            pass
    with database.writing("test", fenced=False):
        pass
    database.close()


def test_nothing_is_read_or_written_once_the_file_is_another_and_no_new_one_is_made(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    file.rename(tmp_path / "moved.db")
    for way in (database.reading, lambda: database.writing("test", fenced=False)):
        with pytest.raises(LedgerLost, match=r"ledger\.db"), way():
            pass
    assert not file.exists()
    (tmp_path / "moved.db").rename(file)
    with database.reading():  # it was the same one after all
        pass
    database.close()
