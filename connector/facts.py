"""What a look at the source found: its tables, their columns, keys and references, and what sampled values look like.

No values of records stand here, but those of short lists (the states of a deal, the names of its stages).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from connector.model import ColumnKind

MOST_VALUES: Final = 40
"""A column with more different values than this is no list."""


class Looks(StrEnum):
    """What sampled values look like, whatever the column's type is."""

    EMAIL = "e-mail addresses"
    WEB = "web addresses"
    MOMENT = "dates"
    NUMBER = "numbers"


@dataclass(frozen=True, slots=True)
class Shape:
    """What the sampled values of a column amount to."""

    rows: int
    """Rows that were sampled."""
    filled: int = 0
    """Of these, those with a value: neither NULL nor blank."""
    distinct: int = 0
    looks: Mapping[Looks, int] = field(default_factory=dict)
    """How many of the filled look like it."""
    values: tuple[str, ...] | None = None
    """The different values, most frequent first, where they are few and short; None where they are not."""
    least: int | None = None
    """The least value of a column of whole numbers."""
    separator: str | None = None
    """What stands between the web addresses of a value, where some hold several."""

    def share(self, looks: Looks) -> float:
        """Return how much of what is filled looks like it: 0 to 1."""
        return self.looks.get(looks, 0) / self.filled if self.filled else 0.0


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column of a table."""

    name: str
    kind: ColumnKind
    nullable: bool = True
    sql: str = ""
    """Its name as it stands in SQL, quoted where it must be."""
    shape: Shape | None = None
    """None where it was not sampled."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table or view."""

    name: str
    """As a mapping spells it: `crm.accounts` outside the usual schema."""
    columns: Mapping[str, ColumnFacts]
    """By name."""
    sql: str = ""
    """Its name as it stands in SQL."""
    view: bool = False
    key: tuple[str, ...] = ()
    """The columns of its primary key."""
    unique: tuple[str, ...] = ()
    """Columns that are unique by themselves."""
    indexed: frozenset[str] = frozenset()
    """Columns by which it can be searched: first in an index."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Declared foreign keys of one column: column → table."""
    rows: int | None = None
    """How many it has, as far as they were counted; None where they were not."""
    content: tuple[Mapping[str, str], ...] = ()
    """Its rows, where it is a short list by whose names things are told apart (stages, states)."""


COUNTED: Final = 10_000
"""Rows are counted no further than this."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a source."""

    tables: Mapping[str, TableFacts]
    """By name."""
    kind: str = ""
    """The kind of database: `postgresql`, `mysql`, `sqlite`."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Tables that could not be sampled, with the reason."""
