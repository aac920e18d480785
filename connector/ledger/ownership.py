"""Tells a ledger from a database that belongs to something else, before a table is made in it."""

from typing import Final

from sqlalchemy import Connection

from connector.errors import ConfigError
from connector.ledger.database import Database
from connector.ledger.explain import SETTING

_OURS: Final = frozenset({"alembic_version", "meta", "lease", "batches", "objects"})
"""Tables that a ledger of any version has."""
_MOST_NAMED: Final = 3
_SQLITE_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
_POSTGRESQL_TABLES: Final = (
    # An extension's tables (those of PostGIS, say) belong to nobody.
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d"
    "   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
)


def refuse_foreign(database: Database) -> None:
    """Make sure that the database is empty or a ledger, of whatever version. Changes nothing.

    Raises:
        ConfigError: it holds tables of something else.
        LedgerUnavailable: the database could not be reached.
    """
    with database.reading() as connection:
        tables = _tables(database, connection)
    if tables and not tables >= _OURS:
        foreign = sorted(tables - _OURS) or sorted(tables)
        named = ", ".join(foreign[:_MOST_NAMED]) + (", ..." if len(foreign) > _MOST_NAMED else "")
        place = "a file" if database.is_sqlite else "a database or schema (?options=-csearch_path%3DNAME)"
        raise ConfigError(
            f"{SETTING}: {database.describe()} is not a ledger: it holds tables of another program ({named}). Nothing "
            f"was changed there; give the ledger {place} of its own"
        )


def _tables(database: Database, connection: Connection) -> set[str]:
    found = connection.exec_driver_sql(_SQLITE_TABLES if database.is_sqlite else _POSTGRESQL_TABLES)
    return {str(name) for name in found.scalars()}
