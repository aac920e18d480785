"""How everything stands, as `status`, the page, metrics and alerts see it: one look at the ledger, in one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.engine.pacing import Plan
from connector.ledger.backfills import Backfill
from connector.ledger.queries import Active, Hold, TypeStatus, Work
from connector.ledger.records import CursorStatus, Pass
from connector.ledger.requests import Request
from connector.ledger.watch import FileTrouble, Stranded, Unused
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class Postponed:
    """Why a daemon is not at work, or does its work in vain."""

    words: str
    since: float
    """Seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to tell. Times are seconds since 1970 UTC."""

    now: float
    integration: str | None
    missing: str | None
    """In words, that the ledger this spool belongs to is not there."""
    host: str | None
    active: Active | None
    """The process at work."""
    pacing: Plan
    types: Sequence[TypeStatus]
    files: Mapping[str, int]
    """Files that are not settled, by state."""
    work: Work
    troubles: Sequence[FileTrouble]
    gone: str | None
    """In words, that the integration is not in Gong any more."""
    last_taken: float | None
    """When Gong last took a file, or said what became of one."""
    passes: Sequence[Pass]
    """The last one of each source."""
    failing: Mapping[str, float]
    """Since when the sources' passes fail, by name."""
    cursors: Sequence[CursorStatus]
    waiting: Mapping[ObjectType, float]
    """The oldest change of each type that is on its way."""
    stranded: Sequence[Stranded]
    held: Sequence[Hold]
    refused_since: float | None
    paused: Mapping[ObjectType, float]
    requests: Sequence[Request]
    backfills: Sequence[Backfill]
    doubted_since: float | None
    unused: Unused | None
    """Why the mapping file on disk is not the one in use."""
    login_refused: tuple[str, float] | None = None
    """Why Gong does not renew the authorisation by OAuth any more, in words, and since when."""
    postponed: Postponed | None = None
    """Why the daemon that looks is not at work; None where it is, and for a command."""
    hindered: Postponed | None = None
    """Why the rounds of the daemon that looks fail; None where they do not, and for a command."""

    @property
    def failed(self) -> list[Pass]:
        """The sources whose last pass failed."""
        return [one for one in self.passes if one.error is not None]

    @property
    def running(self) -> bool:
        """Whether a daemon is at work."""
        return self.active is not None and self.active.serves

    @property
    def remarks(self) -> list[str]:
        """What keeps files from getting on, in words; the lack of the integration comes first."""
        return [*([self.gone] if self.gone else []), *(trouble.words for trouble in self.troubles)]
