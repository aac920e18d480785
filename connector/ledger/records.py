"""What the ledger takes and gives: frozen records, so that nothing outside knows its tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

from connector.model import Position, RequestStatus
from connector.object_types import ObjectType


class BatchState(StrEnum):
    """A batch's life (docs/architecture.md has the diagram)."""

    SPOOLED = "spooled"
    """Sealed and booked; Gong was never asked."""
    SENT = "sent"
    """An upload was begun: the file may or may not have arrived."""
    ACCEPTED = "accepted"
    """Gong has it and is working on it."""
    DONE = "done"
    """Gong took every line. The end."""
    FAILED = "failed"
    """Gong answered FAILED; its lines are still to be booked."""
    RESOLVED = "resolved"
    """Every line of a failed or lost file is booked as refused, good, or to go again. The end."""


INTEGRATION_GONE: Final = "integration.gone"
"""Under which key of `meta` stands, in words, that the integration was not found in Gong; empty when it is there."""
MAPPING_UNUSED: Final = "mapping.unused"
"""Under which key of `meta` stands why the mapping file on disk is not in use, and since when, as JSON; or nothing."""
STUCK: Final = "Gong has not finished it for "
"""Begins the note of a batch that takes unusually long."""
NEVER_DUE: Final = 1e12
"""Due time of what only an event makes due (seconds since 1970 UTC)."""

SAME_KEY: Final = b"same key"
"""Stands for the digest of what is refused of an object that several rows have the key of: whatever they say."""
ALIKE: Final = b"alike"
"""Stands for the digest of what is refused of an object whose key is too much like another's: whatever its row says."""

UNSETTLED: Final = (BatchState.SPOOLED, BatchState.SENT, BatchState.ACCEPTED, BatchState.FAILED)
"""States in which a batch's lines count as in flight."""


TRAVELLING: Final = (BatchState.SPOOLED, BatchState.SENT, BatchState.ACCEPTED)
"""States in which a batch is to be sent or asked about."""


class PassKind(StrEnum):
    """Why a source was read."""

    LOAD = "load"
    INCREMENTAL = "incremental"
    COMPARISON = "comparison"
    AGAIN = "again"
    """Pending objects, read by key."""
    RELATED = "related"
    """Another table, for the keys of objects that it says have changed."""
    BACKFILL = "backfill"
    """The history that the CRM kept."""


class Priority(IntEnum):
    """Who goes first when calls to Gong are short; lower first."""

    POLL = 0
    """Questions for what became of an upload: whatever it was, its objects wait for the answer."""
    INCREMENTAL = 1
    """Changes, first loads, and what must go again for them."""
    RECONCILE = 2
    """What a full comparison found, and reading back."""
    BACKFILL = 3
    """History."""


class Pending(StrEnum):
    """Why an object's row must be read again."""

    IN_FLIGHT = "in_flight"
    """It changed while an earlier line of it was unsettled."""
    ACCOUNT = "account"
    """Its account is missing in Gong, refused or unsettled (while the account is not even known: an orphan)."""
    ACCOUNT_FRESH = "account_fresh"
    """Its account was first told moments ago (ACCOUNT_WAIT_SECONDS)."""
    ADDRESS = "address"
    """A business user's e-mail address must first be given up, by this user's old line or by another user."""
    DEPENDENCY = "dependency"
    """Gong refused the line because something it refers to is not there."""
    GENERAL = "general"
    """Gong refused the whole file, not this line."""
    RESEND = "resend"
    """The file failed or was lost and it is not known whether Gong kept this line."""
    ASKED = "asked"
    """A person had it sent again, although Gong was told of it (`resend`, `verify --repair`)."""
    SUSPECT = "suspect"
    """Its file failed with more errors than Gong listed: it goes again in a smaller file, or once the bad are found."""
    RETRY = "retry"
    """A person asked for it."""
    RELATED = "related"
    """Another table says that it changed."""
    HISTORY = "history"
    """Its history is being sent: its present state goes after the last version."""
    GONE = "gone"
    """A whole comparison did not find its row: it is looked for by key before Gong is told to delete it."""
    SILENT = "silent"
    """A whole comparison found it changed although its stamp did not move: it is read by key, then sent."""
    HELD_DELETION = "held_deletion"
    """Its row is gone or says so, as too many others do: a person lets it through, or the row comes back."""
    HELD_CHANGE = "held_change"
    """It changed and its stamp did not move. The end of the comparison weighs how many did; when they are too many, a
    person lets it through, or the row changes again."""


class HoldKind(StrEnum):
    """What the guard weighs, each by itself."""

    DELETIONS = "deletions"
    """Soft ones, and rows that are gone."""
    CHANGES = "changes"
    """Those that no stamp told of: only a comparison of everything found them."""


class Weight(NamedTuple):
    """How much of a kind there is of a type, apart from what is being weighed."""

    let_go: int
    """Went in the last 24 hours without a person's word."""
    held: int


class Live(NamedTuple):
    """An object that Gong has, or may have."""

    object_id: str
    pending: "Pending | None"
    refused: bytes | None


UNHURRIED: Final = (Pending.GONE, Pending.SILENT, Pending.ASKED)
"""What a comparison, or a person, wants sent: there may be much of it, and it is not as fresh as a change."""


class Child(NamedTuple):
    """A contact, deal or lead that names an account, and that Gong has or may have."""

    type: ObjectType
    object_id: str
    source: int
    account_id: str
    deleting: bool
    """Its deletion is under way, or about to be."""
    refused: bytes | None
    """Digest of the content that was refused."""


def priority_of(kind: PassKind, reasons: Collection[Pending] = ()) -> Priority:
    """Return how urgent the lines of a reading are; `reasons`: why the objects of one by key were pending."""
    if kind is PassKind.BACKFILL:
        return Priority.BACKFILL
    unhurried = bool(reasons) and all(reason in UNHURRIED for reason in reasons)
    return Priority.RECONCILE if kind is PassKind.COMPARISON or unhurried else Priority.INCREMENTAL


class ObjectState(NamedTuple):
    """What the ledger knows of one object. Digests are 16 bytes, `last_modified` seconds since 1970 UTC."""

    told: bytes | None
    """Digest of the last line that Gong settled well, None when there is none or it cannot be relied on."""
    told_deleted: bool
    in_flight: bytes | None
    refused: bytes | None
    pending: Pending | None
    pending_due: float | None
    tries: int
    last_modified: int | None
    """modifiedDate of the last line spooled, whatever became of it: None means Gong never heard of the object."""
    address: bytes | None
    source: int = 0
    """Which of the type's entity sources the object came from."""
    batch: int | None = None
    """The batch of its latest line."""
    deleting: bool = False
    """Its latest line was a deletion that went down with its file: it is still to be deleted."""


class AccountState(NamedTuple):
    """What matters of an account to lines that name it."""

    there: bool
    """Gong settled a line of it well, and the last such line was no deletion."""
    first_told_at: float | None
    """When the only settled line of it was settled; None when there were more, or long ago."""


class Send(NamedTuple):
    """A line that was written to the file being booked."""

    object_id: str
    digest: bytes
    deleted: bool
    modified: int
    line: int
    account_id: str | None
    address: bytes | None


class Pend(NamedTuple):
    """An object whose row must be read again, why, and when at the latest (an event may make it earlier)."""

    object_id: str
    reason: Pending
    due: float | None
    """None: never by itself."""
    tries: int
    account_id: str | None


class Refuse(NamedTuple):
    """A row or line that is refused. `identified`: the key is usable, so that the object has a row of its own."""

    object_id: str
    digest: bytes
    kind: str
    field: str
    reason: str
    identified: bool = True
    line: int | None = None


class Clear(NamedTuple):
    """An object that needs no line: forget that it was pending (for the reason seen only), and a refusal."""

    object_id: str
    pending: Pending | None
    refusal: bool
    """Forget that the object is refused, too: it is as Gong was told, or gone."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A sealed file to book."""

    kind: PassKind
    request_id: str
    file: str
    lines: int
    bytes: int
    sha256: str
    priority: Priority = Priority.INCREMENTAL
    isolation: int | None = None
    """The isolation of which it is a piece."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far a pass has come with the rows of this booking."""

    name: str
    position: Position | None = None
    """Rows up to here are accounted for; None leaves the position as it is."""
    finished: bool = False
    """The pass has read everything: the cursor moves to the pass's bound."""


Tally = Annotated[
    Mapping[tuple[str, str], int],
    PlainSerializer(lambda tally: [[key, number] for key, number in tally.items()]),
    BeforeValidator(lambda stored: {tuple(key): number for key, number in stored}),
]
"""(field, reason) → number of rows. JSON has no such keys: there it is a list of pairs."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a number of rows."""

    rows: int = 0
    lines: int = 0
    skipped: int = 0
    pended: int = 0
    refused: int = 0
    not_shown: Tally = field(default_factory=dict)
    """(field, reason) → rows that Gong takes but does not show."""
    warnings: Tally = field(default_factory=dict)
    """(field, reason) → rows whose value could not be read and was sent as null."""

    def plus(self, other: "Counts") -> "Counts":
        """Return the sum of the two."""
        return Counts(
            self.rows + other.rows,
            self.lines + other.lines,
            self.skipped + other.skipped,
            self.pended + other.pended,
            self.refused + other.refused,
            _sum(self.not_shown, other.not_shown),
            _sum(self.warnings, other.warnings),
        )


def _sum(one: Mapping[tuple[str, str], int], other: Mapping[tuple[str, str], int]) -> Mapping[tuple[str, str], int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *other)}


@dataclass(frozen=True, slots=True)
class Booking:
    """Everything one step of reading has decided; booked in one transaction."""

    type: ObjectType
    source: int
    """Which of the type's entity sources the rows came from, from 0."""
    pass_id: int
    counts: Counts
    batch: NewBatch | None = None
    sends: Sequence[Send] = ()
    pends: Sequence[Pend] = ()
    refusals: Sequence[Refuse] = ()
    clears: Sequence[Clear] = ()
    let_go: int = 0
    """Deletions among the lines that the guard counts."""
    move: Move | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A booked data file."""

    id: int
    type: ObjectType
    kind: PassKind
    priority: Priority
    request_id: str
    state: BatchState
    file: str
    lines: int
    bytes: int
    sha256: str
    created_at: float
    sent_at: float | None
    accepted_at: float | None
    settled_at: float | None
    due_at: float
    uploads: int
    polls: int
    answer: RequestStatus | None
    note: str | None
    isolation: int | None = None
    """The isolation of which it is a piece."""
    oldest_change: float | None = None
    """The earliest time of change among its lines, where it is of an incremental pass."""


class Processed(NamedTuple):
    """How Gong took a batch."""

    lines: int
    seconds: float
    """From its acceptance to the answer, which may have been there for a while before it was asked for."""
    polls: int
    """Questions, the answered one included."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading of an entity source stands."""

    name: str
    fingerprint: str
    """Of the mapping under which everything was last read to the end."""
    cursor: str | None
    """Modified bound from which the next pass starts; None before the first load is finished."""
    loaded_at: float | None
    pass_id: int | None
    """The unfinished pass, if there is one."""
    pass_kind: PassKind | None
    pass_fingerprint: str | None
    pass_bound: str | None
    position: Position | None
    """How far the unfinished pass has come."""
    cursor_at: float | None = None
    """The time that `cursor` stands for, by the source's clock (seconds since 1970 UTC)."""


@dataclass(frozen=True, slots=True)
class CursorStatus:
    """How far the changes of an entity source are accounted for, and what keeps its cursor back."""

    name: str
    at: float | None
    """Everything that was committed with earlier stamps is read (seconds since 1970 UTC); None before the first load
    is finished, and where changes are found by comparison.
    """
    held_by: str | None
    """What was open for the longest time in the source when the latest pass began."""
    held_since: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a failed or lost batch's lines."""

    refused: Sequence[Refuse] = ()
    """Lines that Gong turned down: for their content, or (kind `dependency`) for something missing there."""
    rest: Pending | None = None
    """Why all other lines must be read and sent again; None when they are known to be good."""
    due: float = 0.0
    """When the rest is read again."""
    dependency_due: float = 0.0
    """When lines refused for a missing dependency are tried again."""
    hidden: int = 0
    """How many of the rest Gong refused, too, without saying which."""
    believed_until: int = 0
    """Lines of the rest up to this one are believed to be good."""
    most_tries: int = 0
    """Lines of the rest that were in vain this often now are refused until their rows change (reason GENERAL)."""


class Tries(NamedTuple):
    """How often lines of a file were in vain before."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Isolation:
    """Lines among which bad ones are looked for: a failed file's, cut into pieces until all bad lines are listed."""

    id: int
    type: ObjectType
    bad: int
    """Bad lines among those that wait for the next pieces."""
    waiting: int
    """Lines that wait for the next pieces."""
    rounds: int
    """How often pieces were made."""
    due: float
    """When to stop waiting for pieces that are under way."""
    busy: bool
    """Pieces are under way."""


class Group(NamedTuple):
    """Pending objects that go together: a piece of an isolation, or all that are in none."""

    source: int
    isolation: int | None = None
    piece: int | None = None


class Due(NamedTuple):
    """A pending object whose time has come."""

    object_id: str
    source: int
    reason: Pending
    due: float


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading of a source, finished or not."""

    id: int
    name: str
    kind: PassKind
    started_at: float
    finished_at: float | None
    counts: Counts
    error: str | None
