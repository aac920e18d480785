"""A fresh ledger for each seed: SQLite, and for some seeds PostgreSQL where there is a server."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests import migrated

POSTGRES_URL: Final = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
_EVERY: Final = 40


def memory() -> str | None:
    """Return a directory in memory where there is one: a seed syncs files thousands of times."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(slots=True)
class NewLedger:
    """Where a seed's ledger is."""

    url: str
    _database: str | None = field(default=None)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None where the ledger is in a server's database."""
        return None if self._database is not None else Path(make_url(self.url).database or "")

    def back_up(self, copy: Path) -> None:
        """Copy a SQLite ledger, whatever is going on in it."""
        with closing(sqlite3.connect(str(self.file))) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)

    def told(self, copy: Path) -> set[tuple[str, str]]:
        """Return the objects that a copy believes to be in Gong."""
        with closing(sqlite3.connect(copy)) as ledger:
            return set(
                ledger.execute(
                    "SELECT type, object_id FROM objects WHERE last_modified IS NOT NULL AND NOT"
                    " (CASE WHEN sent_digest IS NOT NULL THEN sent_deleted ELSE told_deleted AND NOT told_unsure END)"
                )
            )

    def restore(self, copy: Path) -> None:
        """Put a copy in the place of a SQLite ledger that nobody has open."""
        assert self.file is not None
        for file in self.file.parent.glob(self.file.name + "*"):
            file.unlink()
        shutil.copy(copy, self.file)

    def close(self) -> None:
        """Drop the database, if it is one of a server."""
        if self._database is not None:
            with psycopg.connect(_server(), autocommit=True) as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._database))
                )
            self._database = None


def goes_quickly(seed: int) -> bool:
    """Tell whether a seed's ledger is there, migrated, before it begins, and is not gone to by SQLAlchemy."""
    return seed % 20 != 13


def new_ledger(seed: int, directory: Path) -> NewLedger:
    """Return a new ledger: every fortieth seed's is in PostgreSQL."""
    if seed % _EVERY == 13:
        database = f"simulation_{seed}_{os.getpid()}"
        try:
            with psycopg.connect(_server(), autocommit=True, connect_timeout=3) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        except psycopg.OperationalError:
            pass  # no server here: the seed runs all the same
        else:
            url = make_url(POSTGRES_URL).set(drivername="postgresql", database=database)
            return NewLedger(url.render_as_string(hide_password=False), database)
    file = directory / "state" / "ledger.db"
    if goes_quickly(seed):
        file.parent.mkdir(mode=0o700)
        return NewLedger(migrated.new_ledger(file))
    return NewLedger(f"sqlite:///{file}")


def _server() -> str:
    return make_url(POSTGRES_URL).set(drivername="postgresql").render_as_string(hide_password=False)
