"""What became of an upload or of a question for its status: values for the engine to match on."""

from dataclasses import dataclass
from enum import StrEnum

from connector.model import RequestStatus


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration that Gong holds."""

    integration_id: int
    """An int64, often above 2^53: never let it become a float."""
    name: str
    owner_email: str


class UploadResult(StrEnum):
    """What is known of a file after trying to upload it."""

    ACCEPTED = "accepted"
    """Gong has the file (201)."""
    CONFLICT = "conflict"
    """The request id is used already (409): after a try of unknown end, the file arrived then."""
    REJECTED = "rejected"
    """Gong refused the call (400, 404, 413 and their like): the file is not there; trying again is no use."""
    DENIED = "denied"
    """401 or 403: the file is not there; a person must see to the key, the scope or the address."""
    THROTTLED = "throttled"
    """429: the file is not there; see `until`."""
    AMBIGUOUS = "ambiguous"
    """The file may have arrived or not: only request-status, or the same file under the same id, can tell."""
    UNREACHABLE = "unreachable"
    """No connection could be opened: nothing was sent."""


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """The result of one upload call."""

    result: UploadResult
    detail: str
    """Words for the ledger and the status page, at most about 500 characters; Gong's own where it gave any."""
    until: float | None = None
    """Epoch seconds before which to make no call; with THROTTLED only."""


class StatusResult(StrEnum):
    """What request-status told."""

    KNOWN = "known"
    """Gong knows the request: see `request`."""
    UNKNOWN = "unknown"
    """Gong says that it does not know the id (400 or 404)."""
    DENIED = "denied"
    """401 or 403: a person must see to the key, the scope or the address."""
    THROTTLED = "throttled"
    """429; see `until`."""
    UNAVAILABLE = "unavailable"
    """No answer, or none that tells anything: ask again later."""


@dataclass(frozen=True, slots=True)
class StatusOutcome:
    """The result of one request-status call."""

    result: StatusResult
    detail: str
    """As in UploadOutcome."""
    request: RequestStatus | None = None
    """With KNOWN only, and always."""
    until: float | None = None
    """Epoch seconds before which to make no call; with THROTTLED only."""
