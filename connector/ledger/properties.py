"""SQL over the `meta` table: what the ledger is bound to and remembers by name, and what goes with the integration."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from connector.ledger.statement import text

FORGOTTEN: Final = (
    "objects",
    "refusals",
    "isolations",
    "batches",
    "passes",
    "cursors",
    "pauses",
    "backfills",
    "backfilled",
    "past_refusals",
    "recovery",
    "let_go",
    "incidents",
)
"""Tables that hold what is true of one integration only."""


def get(connection: Connection, key: str) -> str | None:
    """Return a property; None when it was never stored."""
    value: str | None = connection.execute(text("SELECT value FROM meta WHERE key = :key"), {"key": key}).scalar()
    return value


def put(connection: Connection, key: str, value: str) -> None:
    """Store a property, in place of what it was."""
    connection.execute(
        text(
            "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        ),
        {"key": key, "value": value},
    )


def forget_gong(connection: Connection, names: Sequence[str]) -> None:
    """Empty the tables of one integration, and forget the properties of these names and, where a name ends with a dot,
    of those that begin with it.
    """
    for table in FORGOTTEN:
        connection.exec_driver_sql(f"DELETE FROM {table}")
    for name in names:
        chosen = "key LIKE :name || '%'" if name.endswith(".") else "key = :name"
        connection.execute(text(f"DELETE FROM meta WHERE {chosen}"), {"name": name})
