"""Looks over the source's catalog, and at a few rows of the tables that are asked for: what `init` proposes from."""

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, column, exc, func, inspect, literal, select
from sqlalchemy import table as named_table
from sqlalchemy.engine import Inspector
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.sql import TableClause

from connector.errors import ConnectorError, SourceUnavailable
from connector.facts import COUNTED, MOST_VALUES, ColumnFacts, Facts, Shape, TableFacts
from connector.model import Column, ColumnKind
from connector.source.backends import Backend
from connector.source.backends.base import reflected_kind
from connector.source.edge import Doing, translated
from connector.source.engines import Sessions
from connector.source.shapes import shape_of

_SAMPLED: Final = 200
"""So many rows are looked at from each end of a table."""
_SHORT: Final = 60
"""A table of no more rows than this may be a list, and its rows are known one by one."""
_UNSAMPLED: Final = (ColumnKind.BINARY, ColumnKind.JSON, ColumnKind.ARRAY)


def survey(sessions: Sessions) -> Facts:
    """Return what the catalog says of every table and view. No rows are read."""
    backend = sessions.backend
    with translated(backend, Doing.DESCRIBE), sessions.catalog() as connection:
        names = backend.table_names(connection)
        inspector = inspect(connection)
        by_schema: dict[str | None, list[str]] = {}
        for name in names:
            schema, _, table = name.rpartition(".")
            by_schema.setdefault(schema or None, []).append(table)
        tables: dict[str, TableFacts] = {}
        with warnings.catch_warnings():
            # A type that SQLAlchemy does not know is an UNKNOWN column here, not a warning for the user.
            warnings.simplefilter("ignore", exc.SAWarning)
            for place, members in by_schema.items():
                catalog = _Catalog.of(inspector, place, members)
                for table in members:
                    one = _table(backend, catalog, place, table)
                    tables[one.name] = one
    return Facts(tables, connection.dialect.name)


def sample(sessions: Sessions, facts: Facts, names: Iterable[str]) -> Facts:
    """Return the facts with row counts and the shapes of sampled values for some tables. A table that cannot be read
    goes to `unread`, and the others are looked at.

    Raises:
        SourceUnavailable: the database cannot be reached any more.
    """
    tables, unread = dict(facts.tables), dict(facts.unread)
    for name in names:
        table = tables[name]
        try:
            with translated(sessions.backend, Doing.DESCRIBE), sessions.catalog() as connection:
                tables[name] = _sampled(connection, table)
        except SourceUnavailable as error:
            _ping(sessions, error)
            unread[name] = str(error)  # its statement took too long
        except ConnectorError as error:
            unread[name] = str(error)
    return replace(facts, tables=tables, unread=unread)


def with_values(sessions: Sessions, facts: Facts, columns: Collection[tuple[str, str]]) -> Facts:
    """Return the facts with all values of some columns that seemed to be lists in the sample: (table, column)."""
    tables = dict(facts.tables)
    for name, wanted in columns:
        found = tables[name].columns[wanted]
        if found.shape is None:
            continue
        try:
            with translated(sessions.backend, Doing.DESCRIBE), sessions.catalog() as connection:
                values = _values(connection, tables[name], wanted)
        except ConnectorError:
            continue  # what the sample held stands
        if values is not None:
            shape = replace(found.shape, values=values)
            changed = {**tables[name].columns, wanted: replace(found, shape=shape)}
            tables[name] = replace(tables[name], columns=changed)
    return replace(facts, tables=tables)


def _ping(sessions: Sessions, error: SourceUnavailable) -> None:
    """Raise the error if the database does not answer any more."""
    try:
        with translated(sessions.backend, Doing.DESCRIBE), sessions.snapshot() as session:
            session.ask(sessions.backend.ping_sql)
    except ConnectorError:
        raise error from None


class _Catalog(NamedTuple):
    """What the catalog holds of a schema's tables, by table."""

    columns: Mapping[Any, Any]
    keys: Mapping[Any, Any]
    uniques: Mapping[Any, Any]
    indexes: Mapping[Any, Any]
    references: Mapping[Any, Any]
    views: Collection[str]
    default: str | None

    @classmethod
    def of(cls, inspector: Inspector, schema: str | None, tables: list[str]) -> "_Catalog":
        asked: dict[str, Any] = {"schema": schema, "filter_names": tables, "kind": ObjectKind.ANY}
        return cls(
            _by_table(inspector.get_multi_columns(**asked)),
            _by_table(inspector.get_multi_pk_constraint(**asked)),
            _by_table(inspector.get_multi_unique_constraints(**asked)),
            _by_table(inspector.get_multi_indexes(**asked)),
            _by_table(inspector.get_multi_foreign_keys(**asked)),
            set(inspector.get_view_names(schema)),
            inspector.default_schema_name,
        )


def _by_table(found: Mapping[Any, Any]) -> dict[str, Any]:
    return {table: facts for (_, table), facts in found.items()}


def _table(backend: Backend, catalog: _Catalog, schema: str | None, table: str) -> TableFacts:
    columns = [
        Column(c["name"], reflected_kind(c["type"]), bool(c.get("nullable", True))) for c in catalog.columns[table]
    ]
    key = tuple((catalog.keys.get(table) or {}).get("constrained_columns") or ())
    groups = [tuple(u["column_names"]) for u in catalog.uniques.get(table) or ()]
    indexes = [i for i in catalog.indexes.get(table) or () if not _partial(i)]
    groups += [tuple(i["column_names"]) for i in indexes if i.get("unique")]
    leading = {columns[0] for columns in (key, *groups, *(i["column_names"] for i in indexes)) if columns}
    name = table if schema is None else f"{schema}.{table}"
    quote = backend.dialect.identifier_preparer.quote
    return TableFacts(
        name=name,
        columns={c.name: ColumnFacts(c.name, c.kind, c.nullable, quote(c.name)) for c in columns},
        sql=".".join(quote(part) for part in name.split(".")),
        view=table in catalog.views,
        key=key,
        unique=tuple(dict.fromkeys(str(group[0]) for group in groups if len(group) == 1 and group[0])),
        indexed=frozenset(str(name) for name in leading if name),
        references=dict(_references(catalog, schema, table)),
    )


def _partial(index: Any) -> bool:
    return any(name.endswith("_where") for name in index.get("dialect_options") or {})


def _references(catalog: _Catalog, schema: str | None, table: str) -> Iterator[tuple[str, str]]:
    for reference in catalog.references.get(table) or ():
        columns, target = reference["constrained_columns"], reference["referred_table"]
        if len(columns) != 1:
            continue
        place = reference.get("referred_schema") or schema
        yield columns[0], target if place in (None, catalog.default) else f"{place}.{target}"


def _sampled(connection: Connection, table: TableFacts) -> TableFacts:
    place = _place(table)
    counted = connection.scalar(
        select(func.count()).select_from(select(literal(1)).select_from(place).limit(COUNTED + 1).subquery())
    )
    names = [one.name for one in table.columns.values() if one.kind not in _UNSAMPLED]
    chosen: Any = select(*(column(name) for name in names)).select_from(place)
    if not names:
        return replace(table, rows=counted)
    both = (counted or 0) > 2 * _SAMPLED and bool(table.key)
    rows = list(connection.execute(_ordered(chosen, table, last=False).limit(_SAMPLED if both else 2 * _SAMPLED)))
    if both:
        rows += connection.execute(_ordered(chosen, table, last=True).limit(_SAMPLED))
    whole = len(rows) == counted
    shapes = {name: shape_of([row[at] for row in rows], whole=whole) for at, name in enumerate(names)}
    columns = {name: replace(one, shape=shapes.get(name)) for name, one in table.columns.items()}
    content: tuple[dict[str, str], ...] = ()
    if whole and 0 < len(rows) <= _SHORT:
        content = tuple(_short(names, row) for row in rows)
    return replace(table, rows=counted, columns=columns, content=content)


def _short(names: list[str], row: Any) -> dict[str, str]:
    """Return a row of a short list, its short values only."""
    shape: dict[str, Shape] = {name: shape_of([value], whole=True) for name, value in zip(names, row, strict=True)}
    return {name: one.values[0] for name, one in shape.items() if one.values}


def _ordered(chosen: Any, table: TableFacts, *, last: bool) -> Any:
    """Read along the primary key, where there is one: the oldest and the newest rows are often of different kinds."""
    return chosen.order_by(*(column(name).desc() if last else column(name) for name in table.key))


def _values(connection: Connection, table: TableFacts, wanted: str) -> tuple[str, ...] | None:
    counts: Any = (
        select(column(wanted), func.count())
        .select_from(_place(table))
        .where(column(wanted).is_not(None))
        .group_by(column(wanted))
        .order_by(func.count().desc(), column(wanted))
        .limit(MOST_VALUES + 1)
    )
    values = [row[0] for row in connection.execute(counts)]
    shapes = [shape for value in values if (shape := shape_of([value], whole=True)).filled]
    found = tuple(dict.fromkeys(text for shape in shapes for text in shape.values or ()))
    return found if len(values) <= MOST_VALUES and all(shape.values for shape in shapes) else None


def _place(table: TableFacts) -> TableClause:
    schema, _, name = table.name.rpartition(".")
    return named_table(name, schema=schema or None)
