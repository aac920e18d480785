"""Statements over many rows at once: one executemany on SQLite, one array statement on PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

PG_TYPES = {
    "type": "text",
    "object_id": "text",
    "source": "smallint",
    "sent_digest": "bytea",
    "sent_deleted": "boolean",
    "last_modified": "bigint",
    "batch_id": "bigint",
    "line": "integer",
    "refused_digest": "bytea",
    "pending": "text",
    "pending_since": "double precision",
    "pending_due": "double precision",
    "tries": "integer",
    "account_id": "text",
    "address": "bytea",
    "origin": "text",
    "kind": "text",
    "field": "text",
    "reason": "text",
    "first_at": "double precision",
    "last_at": "double precision",
    "times": "integer",
}


def is_sqlite(connection: Connection) -> bool:
    """Tell the two ledgers apart."""
    return connection.dialect.name == "sqlite"


def upsert(
    connection: Connection,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    on_conflict: str,
) -> None:
    """Insert rows given column by column; `on_conflict` is the statement's `ON CONFLICT ...` clause.

    No two rows may be equal in the key: PostgreSQL refuses to update a row twice in one statement.
    """
    names = ", ".join(columns)
    if not len(next(iter(columns.values()))):
        return
    if is_sqlite(connection):
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) {on_conflict}",
            list(zip(*columns.values(), strict=True)),
        )
        return
    arrays = ", ".join(f"CAST(:{name} AS {PG_TYPES[name]}[])" for name in columns)
    connection.execute(
        text(f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {on_conflict}"),
        {name: list(values) for name, values in columns.items()},
    )


def in_list(connection: Connection, column: str, name: str = "ids") -> str:
    """Return a condition `column is one of :name`, to be bound with `id_list`."""
    if is_sqlite(connection):
        return f"{column} IN (SELECT value FROM json_each(:{name}))"
    return f"{column} = ANY(:{name})"


def id_list(connection: Connection, ids: Sequence[Any]) -> Any:
    """Return what `in_list` binds."""
    if is_sqlite(connection):
        return json.dumps(list(ids))
    return list(ids)
