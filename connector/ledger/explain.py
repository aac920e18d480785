"""Turns what the ledger's database raises into errors that say what is wrong and what to do. Pure, but for a look at
the file.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connector.errors import ConfigError, ConnectorError, LedgerLost, LedgerUnavailable

SETTING: Final = "CONNECTOR_STATE_URL"
_PRIMARY: Final = 0xFF
"""SQLite's extended result codes hold the primary one in their lowest byte (sqlite.org/rescode.html)."""


def explain(error: SQLAlchemyError, ledger: str, file: Path | None, busy_seconds: float) -> ConnectorError:
    """Return our error for one of the database's, without its parameters (they hold record keys).

    Args:
        error: what was raised.
        ledger: names the ledger, without its password.
        file: the SQLite file; None for another kind of ledger.
        busy_seconds: how long a transaction waits for a lock.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    words = str(cause or error).strip().split("\n")[0][:300]
    known: ConnectorError | None = None
    if isinstance(cause, sqlite3.Error):
        known = _of_sqlite(getattr(cause, "sqlite_errorcode", 0), words, file, busy_seconds)
    else:
        known = _of_postgresql(getattr(cause, "sqlstate", None), words, ledger, busy_seconds)
    return known or LedgerUnavailable(f"the ledger ({SETTING}, {ledger}): {words}")


def _of_sqlite(code: int, words: str, file: Path | None, busy_seconds: float) -> ConnectorError | None:
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return lost(file)
    match code & _PRIMARY:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LedgerUnavailable(
                f"another program keeps the ledger {file} locked, for more than {busy_seconds:g} seconds by now: end "
                f"what has it open (`fuser {file}` names it: a database browser, a backup, a stopped process)"
            )
        case sqlite3.SQLITE_NOTADB:
            return ConfigError(f"{SETTING}: {file} is not a SQLite database; name another file, or remove this one")
        case sqlite3.SQLITE_CORRUPT:
            return LedgerLost(
                f"the ledger {file} is damaged ({words}): put a backup in its place, and the connector catches up by "
                "itself; or begin with a new ledger (docs/operating.md, Backup)"
            )
        case sqlite3.SQLITE_READONLY:
            return ConfigError(f"{SETTING}: {file} cannot be written: {_right_to_write(file)}")
        case sqlite3.SQLITE_CANTOPEN if file is not None and file.is_dir():
            return ConfigError(f"{SETTING}: {file} is a directory; name a file in it")
        case sqlite3.SQLITE_CANTOPEN if file is not None and not _may_open(file):
            return ConfigError(f"{SETTING}: {file} cannot be opened: {_right_to_write(file)}")
    return None


def _of_postgresql(state: str | None, words: str, ledger: str, busy_seconds: float) -> ConnectorError | None:
    match state:
        case "55P03":
            return LedgerUnavailable(
                f"another session keeps the ledger ({SETTING}, {ledger}) locked, for more than {busy_seconds:g} "
                "seconds by now: see pg_stat_activity and pg_blocking_pids(), and end that session"
            )
        case "42501":
            return ConfigError(
                f"{SETTING}: the account of {ledger} lacks a right ({words}): let it own the ledger's schema"
            )
    return None


def lost(file: Path | None) -> LedgerLost:
    """Return the error for a SQLite file that is not at its place any more."""
    return LedgerLost(
        f"the ledger's file {file} ({SETTING}) was deleted, moved or replaced while this process was at work, which "
        "therefore ends: put the file back, or a backup of it, and start again (docs/operating.md, Backup)"
    )


def _may_open(file: Path) -> bool:
    def may(path: Path, rights: int) -> bool:
        return os.access(path, rights, effective_ids=os.access in os.supports_effective_ids)

    rights = os.R_OK | os.W_OK
    return may(file.parent, rights | os.X_OK) and (not file.exists() or may(file, rights))


def _right_to_write(file: Path | None) -> str:
    where = "its directory" if file is None else f"the directory {file.parent}"
    return (
        f"user {os.geteuid()} needs the right to write to it and to {where}, on a file system that is not mounted "
        "read-only"
    )
