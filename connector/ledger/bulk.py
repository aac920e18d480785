"""Statements over many rows at once: many rows of values on SQLite, arrays or COPY on PostgreSQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection

from connector.ledger.statement import text

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


_VALUES = 500
"""That SQLite is given at once: a statement for each row costs a third more. It takes 999 in its older versions."""
_COPIED = 1000
"""From so many rows on, PostgreSQL takes them faster by COPY into a table of the transaction's own than in arrays."""


def upsert(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    on_conflict: str,
    fixed: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Insert rows of these columns, made while they are taken; `on_conflict` is the `ON CONFLICT ...` clause, and
    `fixed` holds the columns that are the same in all rows: a value that is bound a million times takes time.

    No two rows may be equal in the key: PostgreSQL refuses to update a row twice in one statement.
    """
    constants = fixed or {}
    coming = iter(rows)
    first = list(islice(coming, _COPIED))
    if not first:
        return
    names = ", ".join((*constants, *columns))
    literals = [_literal(value) for value in constants.values()]
    cursor: Any
    if is_sqlite(connection):
        marks = f"({', '.join((*literals, *'?' * len(columns)))})"
        statement = f"INSERT INTO {table} ({names}) VALUES {{}} {on_conflict}"
        # The driver itself: SQLAlchemy would look at each of many thousand rows before.
        cursor = connection.connection.cursor()
        coming = chain(first, coming)
        together = _VALUES // len(columns)
        many = statement.format(", ".join([marks] * together))
        while len(group := list(islice(coming, together))) == together:
            cursor.execute(many, list(chain.from_iterable(group)))
        cursor.executemany(statement.format(marks), group)
        cursor.close()
    elif len(first) < _COPIED:
        arrays = ", ".join(f"CAST(:{name} AS {PG_TYPES[name]}[])" for name in columns)
        selected = ", ".join((*literals, "given.*"))
        connection.execute(
            text(f"INSERT INTO {table} ({names}) SELECT {selected} FROM unnest({arrays}) AS given {on_conflict}"),
            {name: list(values) for name, values in zip(columns, zip(*first, strict=True), strict=True)},
        )
    else:
        _copy(connection, columns, chain(first, coming))
        selected = ", ".join((*literals, *columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {selected} FROM given {on_conflict}")
        connection.exec_driver_sql("DROP TABLE given")


def _literal(value: str | int | bool | None) -> str:
    """Write a value of ours (a type's name, an id) into a statement."""
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "true", False: "false"}[value]
    if isinstance(value, str):
        assert value.isidentifier(), "only names of ours are written into statements"
        return f"'{value}'"
    return str(int(value))


def _copy(connection: Connection, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Make a temporary table `given` of the rows."""
    names = ", ".join(columns)
    typed = ", ".join(f"{name} {PG_TYPES[name]}" for name in columns)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE given ({typed}) ON COMMIT DROP")
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY given ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([_COPY_TYPES.get(PG_TYPES[name], PG_TYPES[name]) for name in columns])
        for row in rows:
            copy.write_row(row)


_COPY_TYPES = {"smallint": "int2", "integer": "int4", "bigint": "int8", "boolean": "bool", "double precision": "float8"}
"""The driver's names of types."""


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
