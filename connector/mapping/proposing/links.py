"""How one table points to another: by a column of its own, or through a table between the two. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from connector.facts import ColumnFacts, Facts, Looks, TableFacts
from connector.mapping.proposing.matching import (
    ENOUGH,
    MOMENTS,
    TEXTS,
    Match,
    base_words,
    find,
    is_true,
    named,
    own_words,
    same_family,
)
from connector.mapping.proposing.names import KEYISH, words
from connector.mapping.proposing.tables import denoised, key_of
from connector.mapping.proposing.wanted import DELETED, MODIFIED, Wanted
from connector.model import ColumnKind

_DECLARED: Final = 1.0
_SAME_NAME: Final = 0.95
_BY_TABLE: Final = 0.85
_BY_ROLE: Final = 0.6
_NAMED_SO: Final = 0.3
_WIDEST: Final = 14
"""A table between two others has few columns."""
_FLAGS: Final = frozenset({ColumnKind.BOOLEAN, ColumnKind.INTEGER, ColumnKind.TEXT, ColumnKind.BINARY})
_PRIMARY: Final = Wanted((frozenset({"primary"}), frozenset({"flag", "primary"}), frozenset({"flag", "main"})))
_BARE: Final = frozenset({"id", "key", "code", "no", "nr", "uuid", "guid", "pk", "name"})
"""Names of keys that every table may have."""


@dataclass(frozen=True, slots=True)
class Detour:
    """A value that is found in another table, as a column of a query."""

    sql: str
    """A subquery; the table that it is for is `t` there."""
    changes: dict[str, str] | None
    """The entry for `changes` of the table between; None where it has no time of its own."""
    table: str
    reason: str
    lacks: str | None = None
    """The column of the table between that an index should begin with, and none does."""


def link(table: TableFacts, target: TableFacts, role: Wanted, *, but: Collection[str] = ()) -> Match | None:
    """Return the column of `table` that holds the key of `target` in a role."""
    return next(iter(sorted(_links(table, target, role, but), key=lambda match: -match.score)), None)


def _links(table: TableFacts, target: TableFacts, role: Wanted, but: Collection[str]) -> Iterator[Match]:
    key = key_of(target)
    if key is None:
        return
    own = key_of(table)
    kind = target.columns[key[0]].kind
    for column in table.columns.values():
        if column.name in but or (own is not None and column.name == own[0]):
            continue
        said = own_words(column, table)
        answers = named(role, said - KEYISH if said - KEYISH else said)
        declared = table.references.get(column.name)
        if said & role.never and not answers:
            continue
        shape = column.shape
        if shape is not None and shape.rows and not shape.filled and declared is None:
            continue
        if declared is not None:
            if declared == target.name:
                yield Match(column, _DECLARED + _NAMED_SO * answers, f"a foreign key to {target.name}")
            continue
        if not same_family(column.kind, kind) or "name" in said:
            continue
        base = base_words(column.name, table)
        ends = denoised(target.name)
        if column.name.lower() == key[0].lower() and key[0].lower() not in _BARE:
            yield Match(column, _SAME_NAME + _NAMED_SO * answers, f"named like the key of {target.name}")
        elif base and (base == ends or (base == ends[-1:])) and (said & KEYISH or column.kind is not ColumnKind.TEXT):
            yield Match(column, _BY_TABLE + _NAMED_SO * answers, f"named after {target.name}")
        elif answers >= ENOUGH and (said & KEYISH or column.kind is not ColumnKind.TEXT or _is_keylike(column)):
            yield Match(column, _BY_ROLE + _NAMED_SO * answers, f"by its name; of the type of the key of {target.name}")


def _is_keylike(column: ColumnFacts) -> bool:
    return column.shape is not None and column.shape.filled > 0 and not column.shape.share(Looks.EMAIL)


def through(facts: Facts, table: TableFacts, target: TableFacts, role: Wanted) -> Detour | None:
    """Return the way to `target` through a table that links the two, the most fitting one."""
    found: list[tuple[float, Detour]] = []
    here, there = Wanted((frozenset(denoised(table.name)[-1:]),)), role
    for between in facts.tables.values():
        if between.name in (table.name, target.name) or len(between.columns) > _WIDEST or between.view:
            continue
        if set(words(between.name)) & {"history", "temporary"} or between.rows == 0:
            continue
        one = link(between, table, here)
        other = None if one is None else link(between, target, there, but=(one.column.name,))
        if one is None or other is None or _BY_ROLE + _NAMED_SO in (one.score, other.score):
            continue
        parts = set(denoised(between.name))
        fits = (one.score + other.score) / 2 - len(between.columns) / 100
        fits += 0.3 * len(parts & {denoised(table.name)[-1], denoised(target.name)[-1]})
        found.append((fits, _detour(facts, table, between, one.column.sql, other.column.sql, one.column.name)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def satellite(facts: Facts, table: TableFacts, wanted: Wanted) -> Detour | None:
    """Return the way to a value (an e-mail address) that stands in a table of its own, which points to `table`."""
    here = Wanted((frozenset(denoised(table.name)[-1:]),))
    for other in facts.tables.values():
        if other.name == table.name or len(other.columns) > _WIDEST or other.view or not other.rows:
            continue
        held = find(wanted, other, TEXTS, strip="address")
        pointing = None if held is None else link(other, table, here)
        if held is not None and pointing is not None and pointing.score >= _BY_TABLE:
            return _detour(facts, table, other, pointing.column.sql, held.column.sql, pointing.column.name)
    return None


def _detour(facts: Facts, table: TableFacts, between: TableFacts, mine: str, wanted: str, key: str) -> Detour:
    own = key_of(table)
    assert own is not None, "only tables with a key are linked to"
    conditions = [f"k.{mine} = t.{table.columns[own[0]].sql}", f"k.{wanted} IS NOT NULL"]
    reason = f"through {between.name}"
    if (gone := find(DELETED, between, _FLAGS | MOMENTS)) and (true := is_true(gone.column, f"k.{gone.column.sql}")):
        conditions.append(f"NOT ({true})" if not true.endswith("IS NOT NULL") else true.replace("NOT NULL", "NULL"))
    order = []
    if primary := find(_PRIMARY, between, _FLAGS):
        order.append(f"k.{primary.column.sql} DESC")
        reason += f", first what {primary.column.name} marks"
    modified = find(MODIFIED, between, MOMENTS)
    if modified:
        order.append(f"k.{modified.column.sql} DESC")
        reason += ", the latest first"
    order.append(f"k.{wanted}")
    top, limit = ("TOP 1 ", "") if facts.kind == "mssql" else ("", " LIMIT 1")
    sql = (
        f"(SELECT {top}k.{wanted}\n FROM {between.sql} k\n WHERE {' AND '.join(conditions)}\n"
        f" ORDER BY {', '.join(order)}{limit})"
    )
    changes = {"table": between.name, "key": key, "modified": modified.column.name} if modified else None
    return Detour(sql, changes, between.name, reason, None if key in between.indexed else key)


def related(facts: Facts, names: Collection[str]) -> set[str]:
    """Return the tables that point to one of these, or that these point to, as far as names and keys tell."""
    found = set()
    for table in facts.tables.values():
        for name in names:
            target = facts.tables[name]
            if name == table.name:
                found |= {place for place in table.references.values() if place in facts.tables}
            elif name in table.references.values() or _named_after(table, target):
                found.add(table.name)
    return found


def _named_after(table: TableFacts, target: TableFacts) -> bool:
    ends = denoised(target.name)[-1:]
    return any(base_words(name, table)[-1:] == ends for name in table.columns) or set(ends) <= set(denoised(table.name))
