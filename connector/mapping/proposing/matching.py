"""How well a column answers to what is wanted: by its name, its type and what its values look like. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from connector.facts import ColumnFacts, Looks, TableFacts
from connector.mapping.proposing.names import KEYISH, NOISE, common_prefix, tokens, words
from connector.mapping.proposing.wanted import TRUE_OF, Wanted
from connector.model import ColumnKind

ENOUGH: Final = 0.65
"""A column that answers less well than this is not proposed."""
_EXACT: Final = 1.0
_WITHIN: Final = 0.9
_EACH_WORD_MORE: Final = 0.15
_EACH_NUMBER_MORE: Final = 0.05
_LATER_PHRASE: Final = 0.015
_EMPTY: Final = 0.25
_PROVEN: Final = 0.1
_SEEN: Final = 5
"""So many values tell something."""
_MOST: Final = 0.5
_FIRST_EPOCH: Final = 100_000_000
"""Smaller whole numbers are no times."""
_HARDLY: Final = 0.2

TEXTS: Final = frozenset({ColumnKind.TEXT, ColumnKind.UNKNOWN})
NUMBERS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT})
MOMENTS: Final = frozenset({ColumnKind.DATETIME, ColumnKind.DATETIME_TZ, ColumnKind.DATE})
WHOLE: Final = frozenset({ColumnKind.INTEGER, ColumnKind.DECIMAL})


@dataclass(frozen=True, slots=True)
class Match:
    """A column that answers to what is wanted."""

    column: ColumnFacts
    score: float
    reason: str


def own_words(column: ColumnFacts, table: TableFacts) -> frozenset[str]:
    """Return the words of a column's name without the prefix that all columns of its table share."""
    return frozenset(_words(column.name, common_prefix(tuple(table.columns))))


def _words(name: str, prefix: str | None) -> tuple[str, ...]:
    parts = tokens(name)
    if prefix is not None and len(parts) > 1 and parts[0] == prefix:
        return tuple(word for part in parts[1:] for word in words(part))
    return words(name)


def named(wanted: Wanted, found: frozenset[str], strip: str = "") -> float:
    """Return how well words answer by themselves: 0 where they mean something else, 1 where they say just that."""
    forms = [found, found - NOISE] + ([found - {strip} - NOISE] if found - {strip} - NOISE else [])
    best = 0.0
    for place, phrase in enumerate(wanted.phrases):
        for form in forms:
            if not phrase <= form or (form - phrase) & wanted.never:
                continue
            more = form - phrase
            numbers = sum(word.isdigit() for word in more)
            score = _EXACT if not more else _WITHIN - _EACH_WORD_MORE * (len(more) - numbers)
            if len(phrase) == 1 and len(more) > numbers:
                score -= _EACH_WORD_MORE / 3
            best = max(best, score - _EACH_NUMBER_MORE * numbers - _LATER_PHRASE * place)
    return max(best, 0.0)


def find(
    wanted: Wanted,
    table: TableFacts,
    kinds: Collection[ColumnKind],
    *,
    strip: str = "",
    but: Collection[str] = (),
) -> Match | None:
    """Return the column of a table that answers best, and well enough."""
    found = matches(wanted, table, kinds, strip=strip, but=but)
    return found[0] if found else None


def matches(
    wanted: Wanted,
    table: TableFacts,
    kinds: Collection[ColumnKind],
    *,
    strip: str = "",
    but: Collection[str] = (),
) -> list[Match]:
    """Return the columns that answer well enough, the best first."""
    found = []
    for column in table.columns.values():
        if column.name in but or column.kind not in kinds:
            continue
        score = named(wanted, own_words(column, table), strip)
        if not score:
            continue
        more = _evidence(wanted.looks, column)
        if more is not None and score + more >= ENOUGH:
            found.append(Match(column, score + more, _reason(wanted.looks, column)))
    return sorted(found, key=lambda match: -match.score)


def _evidence(looks: Looks | None, column: ColumnFacts) -> float | None:
    """Return what the sampled values add; None where they are something else."""
    shape = column.shape
    if shape is None or not shape.rows:
        return 0.0
    if not shape.filled:
        return -_EMPTY if shape.rows >= _SEEN else 0.0
    if looks is None or shape.filled < _SEEN:
        return 0.0
    if looks is Looks.MOMENT and column.kind is ColumnKind.INTEGER:  # seconds or milliseconds since 1970
        return 0.0 if (shape.least or 0) >= _FIRST_EPOCH else None
    share = shape.share(looks)
    if share < _HARDLY:
        return None
    return _PROVEN if share >= _MOST else 0.0


def _reason(looks: Looks | None, column: ColumnFacts) -> str:
    shape = column.shape
    if shape is None or not shape.rows:
        return "by its name"
    if not shape.filled:
        return "by its name; empty in all sampled rows"
    if looks is not None and looks in shape.looks and column.kind in TEXTS:
        return f"by its name; {shape.looks[looks]} of {shape.filled} sampled values are {looks}"
    if shape.filled < shape.rows:
        return f"by its name; filled in {shape.filled} of {shape.rows} sampled rows"
    return "by its name"


def base_words(name: str, table: TableFacts) -> tuple[str, ...]:
    """Return the words of a column's name that say what it points to: without `id`, `number` and `code`."""
    found = _words(name, common_prefix(tuple(table.columns)))
    return tuple(word for word in found if word not in KEYISH and word not in NOISE)


def same_family(one: ColumnKind, other: ColumnKind) -> bool:
    """Tell whether a column of one kind can hold the keys of another."""
    families: Iterable[Collection[ColumnKind]] = (
        (ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.UNKNOWN),
        (ColumnKind.TEXT, ColumnKind.UUID, ColumnKind.UNKNOWN),
    )
    return any(one in family and other in family for family in families)


def is_true(column: ColumnFacts, name: str) -> str | None:
    """Return the SQL condition that a flag is set; None where the column is no flag.

    Args:
        column: of any kind.
        name: the column as it stands in the SQL.
    """
    values = column.shape.values if column.shape is not None else None
    match column.kind:
        case ColumnKind.BOOLEAN:
            return f"{name} = TRUE"
        case ColumnKind.INTEGER | ColumnKind.DECIMAL:
            unknown = column.shape is None or not column.shape.filled
            return f"{name} <> 0" if unknown or set(values or ("many",)) <= {"0", "1", "-1"} else None
        case ColumnKind.BINARY:
            return f"{name} = 1"
        case ColumnKind.DATETIME | ColumnKind.DATETIME_TZ | ColumnKind.DATE:
            return f"{name} IS NOT NULL"
        case ColumnKind.TEXT:
            for no, yes in TRUE_OF:
                if values is not None and (no in values or yes in values) and set(values) <= {no, yes}:
                    return f"{name} = '{yes}'"
    return None
