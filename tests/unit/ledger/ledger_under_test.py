"""A ledger as the tests use it: held, with short ways to book things."""

from dataclasses import dataclass

from connector.clock import FakeClock
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.queries import Queries
from connector.ledger.records import (
    Batch,
    BatchState,
    Booking,
    Counts,
    NewBatch,
    ObjectState,
    PassKind,
    Pend,
    Send,
)
from connector.ledger.store import Store
from connector.model import Bound, LineError, Processing, RequestStatus
from connector.object_types import ObjectType

DONE = RequestStatus(Processing.DONE, (), 0, 1)


def failed(*errors: tuple[int, str], total: int | None = None, good: int = 0) -> RequestStatus:
    """An answer FAILED with these (line, description)."""
    listed = tuple(LineError(line, description) for line, description in errors)
    return RequestStatus(Processing.FAILED, listed, len(listed) if total is None else total, good)


@dataclass
class LedgerUnderTest:
    """A migrated ledger whose lease is held, and short ways to book things."""

    database: Database
    clock: FakeClock
    store: Store
    queries: Queries
    lease: Lease
    pass_id: int = 0
    files: int = 0

    def send(self, *sends: tuple[str, bytes], type_: ObjectType = ObjectType.DEAL, account: str | None = None) -> Batch:
        """Book a file with these (object id, digest), and return its batch."""
        self.files += 1
        now = int(self.clock.now())
        lines = [Send(key, digest, False, now, line, account, None) for line, (key, digest) in enumerate(sends, 1)]
        batch = NewBatch(PassKind.INCREMENTAL, f"request-{self.files}", f"file-{self.files}", len(lines), 10, "aa")
        self.book(type_, batch=batch, sends=lines)
        return self.store.batches(tuple(BatchState))[-1]

    def settle(self, batch: Batch, answer: RequestStatus = DONE, account_wait: float = 60.0) -> Batch:
        """Book that the batch was sent, taken, and answered."""
        self.store.mark_sending(batch)
        self.store.mark_accepted(batch, self.clock.now())
        if answer.processing is Processing.DONE:
            self.store.mark_done(batch, answer, account_wait)
        else:
            self.store.mark_failed(batch, answer)
        return next(found for found in self.store.batches(tuple(BatchState)) if found.id == batch.id)

    def pend(self, *pends: Pend, type_: ObjectType = ObjectType.DEAL) -> None:
        """Book these objects as pending."""
        self.book(type_, pends=pends)

    def book(self, type_: ObjectType, **parts: object) -> None:
        """Book a step of reading with these parts."""
        if not self.pass_id:
            self.pass_id = self.store.begin_pass(type_.value, PassKind.LOAD, "print", Bound("bound", 0.0, 0.0))
        self.store.book(Booking(type=type_, source=0, pass_id=self.pass_id, counts=Counts(), **parts))  # type: ignore[arg-type]

    def state(self, object_id: str, type_: ObjectType = ObjectType.DEAL) -> ObjectState:
        """Return what is known of an object."""
        return self.store.lookup(type_, [object_id])[object_id]
