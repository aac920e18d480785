"""Holds the mapping against the source's catalog: columns that do not exist, and types that can never fit.

Also says which changes a sound mapping will find late.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from connector.errors import Problem
from connector.mapping.bindings import Binding
from connector.mapping.document import Place
from connector.mapping.file import EntityOrigin, MappingFile, in_order
from connector.mapping.kinds import Kind
from connector.mapping.nearest import suggestion
from connector.mapping.values import ODD_ID, is_usual_id
from connector.model import Column, ColumnKind, Relation

Catalog = Mapping[str, Mapping[str, Column]]
"""The columns of each relation, by the relation's name and the column's."""

_KEYS = {ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.TEXT, ColumnKind.UUID}
_STAMPS = {ColumnKind.DATETIME, ColumnKind.DATETIME_TZ, ColumnKind.DATE, ColumnKind.TEXT, ColumnKind.INTEGER}
_NUMBERS = {ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT, ColumnKind.TEXT}

_FITTING: Mapping[Kind, set[ColumnKind]] = {
    Kind.TEXT: set(ColumnKind),
    Kind.CHOICE: set(ColumnKind),
    Kind.REFERENCE: _KEYS,
    Kind.DATETIME: _STAMPS,
    Kind.DATE: _STAMPS - {ColumnKind.INTEGER},
    Kind.NUMBER: _NUMBERS,
    Kind.POSITION: _NUMBERS,
    Kind.BOOLEAN: {
        ColumnKind.BOOLEAN,
        ColumnKind.INTEGER,
        ColumnKind.DECIMAL,
        ColumnKind.TEXT,
        ColumnKind.BINARY,
    },
    Kind.DOMAINS: {ColumnKind.TEXT, ColumnKind.ARRAY, ColumnKind.JSON},
    Kind.STATUS: {ColumnKind.TEXT},
    Kind.WEB_ADDRESS: {ColumnKind.TEXT},
}
"""The kinds of column whose values can become a field's, without a `map`; UNKNOWN always may."""


def check(file: MappingFile, catalog: Catalog, but: Collection[str] = ()) -> list[Problem]:
    """Return what is wrong between the mapping and the source's columns, by line; nothing when all fits. Entity sources
    named in `but` are passed over.

    A relation that `catalog` does not hold is passed over: that it could not be read is the source's to say.
    """
    problems: list[Problem] = []
    for origin in file.origins:
        if origin.name not in but:
            problems.extend(Problem(file.where(place), message) for place, message in _faults(origin, catalog))
    return in_order(problems, file.path)


def unfit(file: MappingFile, catalog: Catalog) -> list[str]:
    """Return the names of the entity sources of which something is wrong, or not in `catalog`."""
    return [
        origin.name
        for origin in file.origins
        if any(relation.name not in catalog for relation in origin.relations) or any(_faults(origin, catalog))
    ]


_JOIN = re.compile(r"\bJOIN\b", re.IGNORECASE)
_NO_SQL = re.compile(r"""--[^\n]*|/\*.*?\*/|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]""", re.DOTALL)
"""Comments, texts and quoted names inside a query."""


def hints(file: MappingFile) -> list[Problem]:
    """Return what is no fault, yet better known, by line: queries whose changes are found late, ids that are odd.

    A query that joins other tables has the `modified` of one of them. A change in the others is found by the next
    full comparison, unless they stand under `changes`.
    """
    found: list[Problem] = []
    for origin in file.origins:
        relation = origin.relation
        if relation is None or relation.query is None or relation.modified is None or origin.feeds:
            continue
        if _JOIN.search(_NO_SQL.sub(" ", relation.query)):
            message = f"the query joins other tables, and a change there that leaves `{relation.modified}` as it was "
            message += "is found by full comparison only; name the tables whose changes matter under `changes`"
            found.append(Problem(file.where((*origin.place, "query")), message))
    for origin in file.origins:
        for index, row in enumerate(origin.source.rows or ()):
            key = row["objectId"]
            if isinstance(key, str) and not is_usual_id(key):
                found.append(Problem(file.where((*origin.place, "rows", index, "objectId")), f"'{key}' is {ODD_ID}"))
    return in_order(found, file.path)


def _faults(origin: EntityOrigin, catalog: Catalog) -> Iterator[tuple[Place, str]]:
    relation = origin.relation
    if relation is None:
        return
    if relation.name in catalog:
        columns = catalog[relation.name]
        yield from _order_faults(relation, origin.place, columns)
        for binding in origin.bindings:
            yield from _binding_faults(binding, columns, _owner(relation))
    for index, feed in enumerate(origin.feeds):
        if feed.name in catalog:
            yield from _order_faults(feed, (*origin.place, "changes", index), catalog[feed.name])
    yield from _history_faults(origin, catalog)


def _history_faults(origin: EntityOrigin, catalog: Catalog) -> Iterator[tuple[Place, str]]:
    history, relation, place = origin.source.history, origin.history, (*origin.place, "history")
    assert origin.relation is not None
    if history is None or relation is None:
        return
    if relation.name in catalog:
        columns, of = catalog[relation.name], _owner(relation)
        if relation.key not in columns:
            yield (*place, "key") if history.key else place, _missing(relation.key, of, columns)
        if relation.modified not in columns:
            yield (*place, "changed_at"), _missing(history.changed_at, of, columns)
        for name in ("field", "before", "after", "sequence"):
            column = getattr(history, name)
            if column is not None and column not in columns:
                yield (*place, name), _missing(column, of, columns)
        if history.kind == "versions" and not set(origin.relation.columns) & set(columns):
            yield place, f"{of} has none of the columns that the fields of {origin.name} are made of"
    if origin.relation.name not in catalog:
        return
    used = {column for binding in origin.bindings for column in binding.columns}
    for logged, column in (history.names or {}).items():
        if column not in used:
            message = f"no field of {origin.name} is made of a column '{column}'. {suggestion(column, sorted(used))}"
            yield (*place, "names", logged), message
    if history.created is not None and history.created not in catalog[origin.relation.name]:
        yield (
            (*place, "created"),
            _missing(history.created, _owner(origin.relation), catalog[origin.relation.name]),
        )


def _owner(relation: Relation) -> str:
    return "the table" if relation.query is None else "the query's result"


def _order_faults(relation: Relation, place: Place, columns: Mapping[str, Column]) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with the columns that a relation is read by."""
    of = _owner(relation)
    key = columns.get(relation.key)
    if key is None:
        yield (*place, "key"), _missing(relation.key, of, columns)
    elif key.kind not in _KEYS | {ColumnKind.UNKNOWN}:
        message = f"the column '{key.name}' is of type {key.kind}, which cannot be an objectId; "
        yield (*place, "key"), message + "take an integer, text or UUID column, or cast it in a `query`"
    if relation.modified is not None:
        modified = columns.get(relation.modified)
        if modified is None:
            yield (*place, "modified"), _missing(relation.modified, of, columns)
        elif modified.kind not in _STAMPS | {ColumnKind.UNKNOWN}:
            message = f"the column '{modified.name}' is of type {modified.kind}, which holds no date and time"
            yield (*place, "modified"), message


def _binding_faults(binding: Binding, columns: Mapping[str, Column], of: str) -> Iterator[tuple[Place, str]]:
    for name in binding.columns:
        if name not in columns:
            yield binding.place, _missing(name, of, columns)
    column = columns.get(binding.block.column or "")
    if column is None or column.kind is ColumnKind.UNKNOWN:
        return
    block = binding.block
    if block.map is not None:
        return
    if block.converters or block.split is not None:
        if column.kind in (ColumnKind.BINARY, ColumnKind.JSON) and block.split is not None:
            yield binding.place, f"the column '{column.name}' is of type {column.kind}, which cannot be split"
        return
    if column.kind not in _FITTING[binding.kind]:
        message = f"the column '{column.name}' is of type {column.kind}, and {binding.field} holds {binding.kind}"
        yield binding.place, f"{message}; take another column, a `map`, or cast it in a `query`"


def _missing(name: str, of: str, columns: Mapping[str, Column]) -> str:
    return f"{of} has no column '{name}'. {suggestion(name, columns)}"
