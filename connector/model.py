"""Frozen records that travel between the steps (source → mapping → spool → delivery → settlement)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Row = Sequence[Any]
"""A source row: `(key, modified, deleted, *columns)` in the order of `Relation.columns`, driver's values.

`modified` is None where the relation has none or the row's is NULL; `deleted` is truthy for a soft-deleted
row. Values are int, float, Decimal, bool, str, bytes, date, datetime, time, UUID, list, dict or None.
"""

KEY, MODIFIED, DELETED, FIRST_COLUMN = 0, 1, 2, 3
"""Places in a row."""


class ColumnKind(StrEnum):
    """What a column's type amounts to for the mapping, whatever the database calls it."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    """Date and time without a zone."""
    DATETIME_TZ = "datetime with zone"
    TIME = "time"
    JSON = "json"
    UUID = "uuid"
    ARRAY = "array"
    BINARY = "binary"
    UNKNOWN = "unknown"
    """The database does not tell (an expression in SQLite, say): anything may come, rows are judged one by one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or of a query's result."""

    name: str
    kind: ColumnKind
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """What is read for one entity source: the mapping says it, the source understands it.

    Exactly one of `table` and `query` is given. `where` and `deleted` are SQL conditions written by the user;
    `key`, `modified` and `columns` are column names of the table or of the query's result.
    """

    name: str
    """Names the entity source and its cursor: `DEAL`, or `CONTACT.2` for the second of several."""
    table: str | None
    query: str | None
    where: str | None
    key: str
    modified: str | None
    deleted: str | None
    columns: tuple[str, ...]
    timezone: str
    """IANA zone of datetimes that carry none."""
    as_text: tuple[str, ...] = ()
    """Those of `columns`, and `modified`, whose dates, times or decimals may come as the database writes them: saves
    making them values that become texts again.
    """


class Position(NamedTuple):
    """A place in the order (modified, key) of a relation, as text that only its source can read."""

    modified: str
    key: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A transaction or running statement of the source that may still commit rows with stamps from its start on."""

    session: str
    """What the database calls it: `process 4711`, `connection 12`, `prepared transaction 'x'`."""
    user: str
    application: str
    state: str
    since: float
    """When it began, at the earliest (seconds since 1970 UTC, by the source's clock)."""

    def __str__(self) -> str:
        user = f" of {self.user}" if self.user else ""
        application = f" ({self.application})" if self.application else ""
        state = f", {self.state}" if self.state else ""
        return f"{self.session}{user}{application}{state}"


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the pass after the coming one may start: no row below it can appear any more, but for what the overlap
    does not cover.
    """

    modified: str
    """As a `Position.modified`."""
    at: float
    """The time that it stands for (seconds since 1970 UTC, by the source's clock)."""
    now: float
    """The source's time when it was read."""
    holder: Holder | None = None
    """What is open for the longest time; it keeps the bound from being later."""
    stay: bool = False
    """The database does not say when the transactions of `holder` began: a cursor from before must stay where it is."""


class Line(NamedTuple):
    """One object for Gong as the mapping made it from a row, still without its `modifiedDate`."""

    object_id: str
    stamp: int | None
    """The row's own modified time in whole seconds since 1970 UTC (cut, not rounded); None where it has none."""
    body: bytes
    """The JSON object up to where `,"modifiedDate":"..."}` goes; starts with `{"objectId":"..."`, no newline."""
    digest: bytes
    """16 bytes over `body`: equal digests mean that Gong would be told the same."""
    deleted: bool
    """True for a line that tells Gong to delete the object."""
    account_id: str | None = None
    """The account that it names: the line of a CONTACT or DEAL waits while Gong does not have it, a LEAD's goes."""
    address: bytes | None = None
    """16 bytes over a business user's lower-cased address; None for other types."""


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """A row that cannot be mapped to a line, and why, in words for the user."""

    object_id: str
    """The row's key as text, cut to 200 characters where it is too long to be an objectId; `(null)` for none."""
    field: str
    """Gong's field or the column that is at fault; empty when it is the whole row."""
    reason: str
    """One sentence without the record's values."""
    digest: bytes
    """16 bytes over the reason and the offending value: changes when the row is worth looking at again."""
    unlisted: str | None = None
    """What the field would say, where all that is the matter is that its picklist, which grows, lacks the value yet."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What became of a chunk of rows. `lines` keep the rows' order."""

    lines: Sequence[Line]
    refusals: Sequence[RowRefusal]
    not_shown: Mapping[tuple[str, str], int]
    """(field, reason) → rows that Gong will take but not show (a deal without an account, say)."""
    warnings: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(field, reason) → rows whose value a converter could not read, so that they were sent without it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A record as it was from a time on."""

    stamp: int
    """Seconds since 1970 UTC: the version's modifiedDate."""
    line: Line


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where the CRM's own history does not fit together: it lost a step, or never wrote it."""

    stamp: int
    """When the history's next word is, or its last (seconds since 1970 UTC)."""
    field: str
    """The column whose values do not meet; empty where whole records are kept."""
    kind: str
    """`step`: a change does not begin with what the change before it ended with. `present`: the last change, or the
    last record, does not end with what the row says now.
    """


@dataclass(frozen=True, slots=True)
class Past:
    """The versions of one object, from its history and its present row."""

    object_id: str
    versions: Sequence[Version] = ()
    """By ascending stamp, one a second at most; neighbours differ. What Gong was told of the present is left out."""
    gaps: Sequence[Gap] = ()
    refused: Sequence[tuple[int, RowRefusal]] = ()
    """Versions that cannot be mapped to a line, by their stamp; the others go."""
    absent: bool = False
    """There is history, but no row any more, or a deleted one: nothing is sent."""


@dataclass(frozen=True, slots=True)
class SchemaField:
    """An additional field of an object type, as Gong's schema should hold it."""

    unique_name: str
    label: str
    type: str
    reference_to: str | None = None
    values: tuple[str, ...] | None = None
    """The picklist's values in order; None for other types."""
    grows: bool = field(default=False, compare=False)
    """Values that Gong's list has beside these stay there."""


@dataclass(frozen=True, slots=True)
class LineError:
    """Gong's complaint about one line of a data file. Line 0 means the whole file."""

    line: int
    description: str


class Processing(StrEnum):
    """What request-status says of an upload."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """The answer of request-status; `errors` holds at most 20 of `error_count`."""

    processing: Processing
    errors: tuple[LineError, ...]
    error_count: int
    success_count: int


class Resend(StrEnum):
    """What goes again after FAILED (CONNECTOR_RESEND; GONG_API leaves open whether good lines were kept)."""

    FILE = "file"
    """All lines but the refused: right whatever Gong does."""
    CORRECTED = "corrected"
    """Only what is not known to be good."""
