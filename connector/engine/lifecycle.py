"""The life of a batch as one pure function: (state, outcome) → (state, next step).

docs/architecture.md shows the same as a diagram. Every pair is tested.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.ledger.records import BatchState


class Outcome(StrEnum):
    """What came of an upload, of a question for its status, or of looking for its file."""

    ACCEPTED = "accepted"
    """Upload: 201."""
    CONFLICT = "conflict"
    """Upload: 409; the id is a UUID of ours, so the file arrived earlier."""
    REJECTED = "rejected"
    """Upload: a definite no (400, 404, 413)."""
    DENIED = "denied"
    """Upload or status: 401 or 403."""
    THROTTLED = "throttled"
    """Upload or status: 429, or the budget is spent."""
    AMBIGUOUS = "ambiguous"
    """Upload: no answer, 5xx, or one that cannot be read. The file may have arrived."""
    UNREACHABLE = "unreachable"
    """Upload: no connection, nothing was sent. Status: no answer that tells anything."""
    PROCESSING = "processing"
    """Status: PENDING or IN_PROGRESS."""
    DONE = "done"
    """Status: DONE."""
    FAILED = "failed"
    """Status: FAILED."""
    UNKNOWN = "unknown"
    """Status: Gong does not know the id (yet)."""
    FORGOTTEN = "forgotten"
    """Status: Gong still does not know the id after the time of grace."""
    FILE_LOST = "file lost"
    """The file is gone or altered, so that its bytes cannot be sent (again)."""
    BOOKED = "booked"
    """Every line of a failed batch is booked."""


class Step(StrEnum):
    """What is to be done next with a batch, and when."""

    UPLOAD = "upload"
    """Now (again), the same bytes under the same id."""
    UPLOAD_LATER = "upload later"
    """After a growing delay."""
    ASK = "ask"
    """Ask for the status when it is likely to be there."""
    ASK_LATER = "ask later"
    """After a growing delay."""
    RESOLVE = "resolve"
    """Book the lines of the answer, or of the lost file."""
    NOTHING = "nothing"
    """The end."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a batch goes."""

    state: BatchState
    step: Step
    alarm: bool = False
    """A person should look: trying again will probably not help."""


_SPOOLED, _SENT, _ACCEPTED = BatchState.SPOOLED, BatchState.SENT, BatchState.ACCEPTED

_IN_GONG: Final = {
    Outcome.PROCESSING: Transition(_ACCEPTED, Step.ASK_LATER),
    Outcome.DONE: Transition(BatchState.DONE, Step.NOTHING),
    Outcome.FAILED: Transition(BatchState.FAILED, Step.RESOLVE),
}

TRANSITIONS: Final[dict[BatchState, dict[Outcome, Transition]]] = {
    # Nothing has ever left: whatever says that nothing arrived leaves the batch as it was.
    _SPOOLED: {
        Outcome.ACCEPTED: Transition(_ACCEPTED, Step.ASK),
        Outcome.CONFLICT: Transition(_ACCEPTED, Step.ASK),
        Outcome.REJECTED: Transition(_SPOOLED, Step.UPLOAD_LATER, alarm=True),
        Outcome.DENIED: Transition(_SPOOLED, Step.UPLOAD_LATER, alarm=True),
        Outcome.THROTTLED: Transition(_SPOOLED, Step.UPLOAD_LATER),
        Outcome.AMBIGUOUS: Transition(_SENT, Step.ASK),
        Outcome.UNREACHABLE: Transition(_SPOOLED, Step.UPLOAD_LATER),
        Outcome.FILE_LOST: Transition(BatchState.RESOLVED, Step.RESOLVE),
    },
    # It may have arrived: ask first; "not known" means the same bytes again under the same id.
    _SENT: {
        **_IN_GONG,
        Outcome.ACCEPTED: Transition(_ACCEPTED, Step.ASK),
        Outcome.CONFLICT: Transition(_ACCEPTED, Step.ASK),
        Outcome.REJECTED: Transition(_SENT, Step.ASK_LATER, alarm=True),
        Outcome.DENIED: Transition(_SENT, Step.ASK_LATER, alarm=True),
        Outcome.THROTTLED: Transition(_SENT, Step.ASK_LATER),
        Outcome.AMBIGUOUS: Transition(_SENT, Step.ASK_LATER),
        Outcome.UNREACHABLE: Transition(_SENT, Step.ASK_LATER),
        Outcome.UNKNOWN: Transition(_SENT, Step.UPLOAD),
        Outcome.FORGOTTEN: Transition(_SENT, Step.UPLOAD),
        Outcome.FILE_LOST: Transition(BatchState.RESOLVED, Step.RESOLVE),
    },
    # It arrived: only an answer ends the waiting, or Gong's having no memory of it.
    _ACCEPTED: {
        **_IN_GONG,
        Outcome.DENIED: Transition(_ACCEPTED, Step.ASK_LATER, alarm=True),
        Outcome.THROTTLED: Transition(_ACCEPTED, Step.ASK_LATER),
        Outcome.UNREACHABLE: Transition(_ACCEPTED, Step.ASK_LATER),
        Outcome.UNKNOWN: Transition(_ACCEPTED, Step.ASK_LATER),
        Outcome.FORGOTTEN: Transition(_SENT, Step.UPLOAD_LATER, alarm=True),
    },
    BatchState.FAILED: {Outcome.BOOKED: Transition(BatchState.RESOLVED, Step.NOTHING)},
}


def advance(state: BatchState, outcome: Outcome) -> Transition:
    """Return where a batch in `state` goes after `outcome`.

    Raises:
        ValueError: the two cannot meet (a settled batch is never sent or polled again).
    """
    try:
        return TRANSITIONS[state][outcome]
    except KeyError:
        raise ValueError(f"a batch that is {state.value} cannot meet {outcome.value!r}") from None
