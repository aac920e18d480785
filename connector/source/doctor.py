"""Looks at the source as its administrator would: what the account may do, which indexes lack, whose clock differs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Inspector, exc, func, inspect, literal, select
from sqlalchemy import table as named_table

from connector.clock import Clock
from connector.model import Relation
from connector.source import explained
from connector.source.edge import Doing, translated
from connector.source.engines import Sessions
from connector.source.explained import EXPLAIN
from connector.source.horizon import source_now
from connector.source.statements import Statement

FEW_ROWS: Final = 1_000
"""A table of so many rows needs no index: it is read whole in a moment."""
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class MissingIndex:
    """An index that reading would be served by."""

    serves: str
    """What is read by it, in words."""
    statement: str
    """The CREATE INDEX to run."""


def excess(sessions: Sessions) -> str | None:
    """Return, in words, what the account may do beyond reading; None where it may only read."""
    with translated(sessions.backend, Doing.DESCRIBE), sessions.catalog() as connection:
        return sessions.backend.excess(connection)


def clock_difference(sessions: Sessions, clock: Clock) -> float | None:
    """Return by how many seconds the source's clock is ahead of this host's; None where it has none of its own."""
    if sessions.backend.now_sql is None:
        return None
    with translated(sessions.backend, Doing.DESCRIBE), sessions.snapshot() as session:
        before = clock.now()
        at = source_now(session, clock).timestamp()
        return at - (before + clock.now()) / 2


def missing_indexes(sessions: Sessions, relation: Relation, *, by_key: bool) -> list[MissingIndex] | None:
    """Return the indexes that a table lacks for being read by its stamps, and by its keys if `by_key`.

    None where nobody can tell from the catalog: of a query, and of a view.
    """
    if not sessions.backend.indexes_serve:
        return []
    if relation.table is None:
        return None
    schema, _, table = relation.table.rpartition(".")
    with translated(sessions.backend, Doing.DESCRIBE, relation), sessions.catalog() as connection:
        try:
            present = _indexes(connection, table, schema or None)
        except exc.NoSuchTableError:  # found by the database's own rules for names, not by the catalog's
            return None
        if present is None:
            return None
        lacking = list(_lacking(sessions, relation, present, by_key=by_key))
        return lacking if lacking and _has_many_rows(connection, table, schema or None) else []


def read_whole(sessions: Sessions, statement: Statement) -> list[str] | None:
    """Return the tables with many rows that a statement reads from end to end, by the database's own plan; None where
    it is not asked for one.
    """
    kind = sessions.backend.dialect.name
    if kind not in EXPLAIN:
        return None
    with sessions.snapshot() as session:
        answer = session.rows(Statement((EXPLAIN[kind], *statement.parts)))
    found = explained.read_whole(kind, answer)
    with sessions.catalog() as connection:
        inspector = inspect(connection)
        return [name for name in found if not _is_table(inspector, name) or _has_many_rows(connection, name, None)]


def _is_table(inspector: Inspector, name: str) -> bool:
    """Whether what a plan names is a table; else it is what the statement calls one."""
    try:
        return inspector.has_table(name)
    except exc.OperationalError:  # MySQL denies the look at any name that the account has no right to
        return False


def _lacking(
    sessions: Sessions, relation: Relation, present: Sequence[Sequence[str]], *, by_key: bool
) -> Iterator[MissingIndex]:
    first = {columns[0] for columns in present if columns}
    if relation.modified is not None and relation.modified.lower() not in first:
        yield MissingIndex("changes", _create(sessions, relation, (relation.modified, relation.key)))
    if by_key and relation.key.lower() not in first:
        yield MissingIndex("single objects", _create(sessions, relation, (relation.key,)))


def _create(sessions: Sessions, relation: Relation, columns: Sequence[str]) -> str:
    assert relation.table is not None, "queries have no indexes"
    quote = sessions.backend.dialect.identifier_preparer.quote
    table = relation.table.split(".")
    name = "_".join((table[-1], *columns))[:_LONGEST_NAME]
    where, what = ".".join(map(quote, table)), ", ".join(map(quote, columns))
    return f"{sessions.backend.create_index} {quote(name)} ON {where} ({what})"


def _indexes(connection: Connection, table: str, schema: str | None) -> list[list[str]] | None:
    """Return the columns of each index that can be searched by its first column, in small letters; None for a view."""
    inspector = inspect(connection)
    if table in inspector.get_view_names(schema):
        return None
    found: list[Sequence[str | None]] = [inspector.get_pk_constraint(table, schema)["constrained_columns"]]
    found += [index["column_names"] for index in inspector.get_indexes(table, schema) if _serves(index)]
    found += [unique["column_names"] for unique in inspector.get_unique_constraints(table, schema)]
    return [_plain(columns) for columns in found]


def _serves(index: Any) -> bool:
    """Whether an index holds all rows in order: not a partial one, nor one of words, places or hashes."""
    options = index.get("dialect_options") or {}
    if any(name.endswith("_where") for name in options):
        return False
    return options.get("postgresql_using", "btree") == "btree" and index.get("type") not in ("FULLTEXT", "SPATIAL")


def _plain(columns: Sequence[str | None]) -> list[str]:
    """Return the columns up to the first expression."""
    names: list[str] = []
    for name in columns:
        if name is None:
            break
        names.append(name.lower())
    return names


def _has_many_rows(connection: Connection, table: str, schema: str | None) -> bool:
    some = select(literal(1)).select_from(named_table(table, schema=schema)).limit(FEW_ROWS + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) > FEW_ROWS
