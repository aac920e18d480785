"""Which table holds the things of each of Gong's types, and what identifies a row of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.facts import ColumnFacts, Facts, TableFacts
from connector.mapping.proposing.matching import MOMENTS, TEXTS, find, named, own_words
from connector.mapping.proposing.names import KEYISH, NOISE, tokens, words
from connector.mapping.proposing.wanted import AGAINST, FIELDS, OTHER_TABLES, OWNER, SIGNS, SURE_WORDS
from connector.model import ColumnKind
from connector.object_types import ObjectType

_BY_NAME: Final = 0.6
_BY_COLUMNS: Final = 0.4
_ENOUGH: Final = 0.5
_FULL: Final = 0.6
"""So much of what its columns could say is as good as all of it."""
_UNNAMED: Final = 0.75
"""What the columns of a table must say whose name says nothing."""
_EMPTY: Final = 0.5
_STAGES: Final = 200
"""No list of stages is longer."""
_KEYS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.TEXT, ColumnKind.UUID})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A table that may hold a type."""

    type: ObjectType
    table: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells leads in a table of deals from the deals."""

    column: ColumnFacts
    value: str


def kind_of_leads(table: TableFacts) -> Kind | None:
    """Return what tells the leads in a table; None where it has none, as far as its sample says."""
    for column in table.columns.values():
        if column.kind is not ColumnKind.TEXT or column.shape is None or "type" not in own_words(column, table):
            continue
        for value in column.shape.values or ():
            if words(value) == (SURE_WORDS[ObjectType.LEAD],) and len(column.shape.values or ()) > 1:
                return Kind(column, value)
    return None


def denoised(name: str) -> tuple[str, ...]:
    """Return the words of a table's name that say what its rows are."""
    found = words(name)
    return tuple(word for word in found if word not in NOISE) or found


def ranked(facts: Facts) -> dict[ObjectType, list[Candidate]]:
    """Return the tables that may hold each type, the best first."""
    found: dict[ObjectType, list[Candidate]] = {object_type: [] for object_type in ObjectType}
    for table in facts.tables.values():
        for object_type in ObjectType:
            candidate = _candidate(object_type, table)
            if candidate is not None:
                found[object_type].append(candidate)
    for candidates in found.values():
        candidates.sort(key=lambda one: (-one.score, len(one.table), one.table))
    return found


def chosen(ranking: Mapping[ObjectType, list[Candidate]]) -> dict[ObjectType, Candidate]:
    """Return a table for each type that has one: the best first, and no table twice."""
    everything = sorted((one for candidates in ranking.values() for one in candidates), key=lambda one: -one.score)
    found: dict[ObjectType, Candidate] = {}
    taken: set[str] = set()
    for one in everything:
        if one.type not in found and one.table not in taken:
            found[one.type] = one
            taken.add(one.table)
    return found


def owners(facts: Facts, picked: Mapping[ObjectType, Candidate]) -> Candidate | None:
    """Return the table of persons that the owners of deals, accounts and so on are declared to be rows of."""
    for kind in (ObjectType.DEAL, ObjectType.ACCOUNT, ObjectType.LEAD):
        if kind not in picked:
            continue
        table = facts.tables[picked[kind].table]
        for column, target in table.references.items():
            if target not in facts.tables or target in {one.table for one in picked.values()}:
                continue
            persons = facts.tables[target]
            is_owner = named(OWNER, own_words(table.columns[column], table) - KEYISH)
            if is_owner and find(FIELDS[ObjectType.BUSINESS_USER]["emailAddress"], persons, TEXTS) is not None:
                return Candidate(ObjectType.BUSINESS_USER, target, 1.0, f"{table.name}.{column} points to it")
    return None


def _candidate(object_type: ObjectType, table: TableFacts) -> Candidate | None:
    name = _named(object_type, table)
    if name is None:
        return None
    said, signs = _signs(object_type, table)
    if object_type is ObjectType.STAGE and (table.rows or 0) > _STAGES:
        return None
    if (not name and said < _UNNAMED) or not said:
        return None
    score = _BY_NAME * name + _BY_COLUMNS * said if name else _ENOUGH * (1 + (said - _UNNAMED) / 2)
    if table.rows == 0:
        score *= _EMPTY
    if table.view:
        score *= 0.95
    if key_of(table) is None or score < _ENOUGH * (_EMPTY if table.rows == 0 else 1):
        return None
    by = "its name and " if name else ""
    return Candidate(object_type, table.name, score, f"by {by}its columns {', '.join(signs)}")


def _named(object_type: ObjectType, table: TableFacts) -> float | None:
    """Return how surely the name says the type; 0 where it says nothing, None where it says something else."""
    said = list(denoised(table.name))
    sure = SURE_WORDS[object_type]
    if not said:
        return 0.0
    if object_type is ObjectType.STAGE and said[-1] == "status" and {"deal", "sales", "pipeline"} & set(said):
        return 0.8
    if set(said) & {"history", "temporary"}:
        return None
    if said == [sure]:
        return 1.0
    if said[-1] == sure:
        others = set(said[:-1]) & set(SURE_WORDS.values()) - {sure}
        if not others:
            return 0.85
        # `deal_contacts` links the two; `deal_stages` are stages, `customer_contacts` persons.
        if object_type is ObjectType.STAGE or others == {"account"}:
            return 0.8
        return None
    if said[-1] in OTHER_TABLES or set(said) & (set(SURE_WORDS.values()) - {sure}):
        return None
    return 0.5 if said[0] == sure else 0.0


def _signs(object_type: ObjectType, table: TableFacts) -> tuple[float, list[str]]:
    """Return how much the columns say for the type (0 to 1), and those that say most."""
    signs = {frozenset(words(name.replace(" ", "_"))): weight for name, weight in SIGNS[object_type].items()}
    sure = SURE_WORDS[object_type]
    told: dict[frozenset[str], str] = {}
    for column in table.columns.values():
        said = own_words(column, table)
        said |= {"at"} if column.kind in MOMENTS else set()
        if said & AGAINST[object_type]:
            return 0.0, []
        for phrase in signs:
            if phrase <= said and len(said - phrase - KEYISH - {sure}) <= 1:
                told.setdefault(phrase, column.name)
    weight = sum(signs[phrase] for phrase in told)
    names = sorted(told, key=lambda phrase: -signs[phrase])
    return min(weight / (_FULL * sum(signs.values())), 1.0), list(dict.fromkeys(told[phrase] for phrase in names))[:4]


def key_of(table: TableFacts) -> tuple[str, str] | None:
    """Return the column that identifies a row, and why it is taken for that; None where nothing does."""
    fit = {name for name, column in table.columns.items() if column.kind in _KEYS}
    if len(table.key) == 1 and table.key[0] in fit:
        return table.key[0], "primary key"
    unique = [name for name in table.unique if name in fit]
    part = set(table.key) if len(table.key) > 1 else set()
    by_name = [name for name in table.columns if name in fit - part.difference(unique) and _is_key(name, table)]
    for name in by_name:
        if name in unique:
            return name, "unique"
    for name in by_name:
        shape = table.columns[name].shape
        if shape is None or not shape.rows:
            return name, "by its name; nothing says that it is unique"
        if shape.distinct == shape.filled == shape.rows:
            return name, f"by its name; no key is declared, and no value repeats in {shape.rows} sampled rows"
    return (unique[0], "unique") if unique else None


def _is_key(name: str, table: TableFacts) -> bool:
    said = words(name)
    if not said or not set(said) & KEYISH:
        return False
    rest = [word for word in said if word not in KEYISH and word not in NOISE]
    place = list(table.columns).index(name)
    prefix = tokens(name)[0]
    shared = sum(tokens(other)[:1] == (prefix,) for other in table.columns) > len(table.columns) / 2
    return (
        not rest
        or rest == list(denoised(table.name))
        or rest[-1:] == list(denoised(table.name))[-1:]
        or (place == 0 and shared)
    )
