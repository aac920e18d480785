"""What is decided of a reading and not yet booked, its file included: all of it is booked in one step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, repeat
from typing import Final

from connector import lines
from connector.engine.observe import Observer
from connector.ledger.records import Booking, Clear, Counts, Move, NewBatch, PassKind, Pend, Priority, Refuse, Send
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.model import Line
from connector.spool import Spool, SpoolWriter

SEAL_BYTES: Final = len(lines.seal(b"", 0))
"""What sealing adds to a line."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which reading lines come from."""

    entity: Entity
    source: int
    """The entity source's place among those of its type, from 0."""
    kind: PassKind
    pass_id: int
    """The pass that rows are counted for."""
    isolation: int | None = None
    """The isolation of which the rows are a piece."""


class Draft:
    """Lines in an open file, and everything else that was decided since the latest booking."""

    def __init__(
        self,
        origin: Origin,
        store: Store,
        spool: Spool,
        observer: Observer,
        new_id: Callable[[], str],
        max_file_bytes: int,
        priority: Priority,
    ) -> None:
        self.origin = origin
        self._store = store
        self._spool = spool
        self._observer = observer
        self._new_id = new_id
        self._max_file_bytes = max_file_bytes
        self.priority = priority
        """How urgent the files are."""
        self.total = Counts()
        """What was booked so far."""
        self.sealed_any = False
        """Whether a file was sealed so far: then the spool may be full."""
        self._writer: SpoolWriter | None = None
        self._request_id = ""
        self._begin()

    def _begin(self) -> None:
        self.sends: dict[str, Send] = {}
        self.pends: dict[str, Pend] = {}
        self.refusals: dict[str, Refuse] = {}
        self.clears: dict[str, Clear] = {}
        self.let_go = 0
        """Deletions among the lines that the guard let go."""
        self.counts = Counts()
        """Of the rows, as far as what is decided does not say it."""
        self.ready: set[str] = set()
        """Accounts that lines may name, seen since the latest booking: most deals name one that another one named."""

    def __contains__(self, object_id: str) -> bool:
        """Tell whether an object has a line, or waits."""
        return object_id in self.sends or object_id in self.pends

    def free(self, object_ids: set[str]) -> set[str]:
        """Return those that have no line and do not wait."""
        return object_ids.difference(self.sends).difference(self.pends)

    def abandon(self) -> None:
        """Leave no unbooked file behind."""
        if self._writer is not None:
            self._writer.abandon()

    def refuse(self, refusal: Refuse) -> None:
        """List a row as refused."""
        self.refusals[refusal.object_id] = refusal

    def send(self, line: Line, modified: int, address: bytes | None) -> None:
        """Write a line with its modifiedDate (seconds since 1970 UTC), and the address, hashed, that it tells. Where
        the file is full, what was decided before is booked; the cursor stays: not all rows of the chunk are decided.
        """
        data = lines.seal(line.body, modified)
        if self._writer is not None and self._writer.bytes + len(data) > self._max_file_bytes:
            self.book(None)
        number = self._open_file().add(data, modified) + 1
        self.sends[line.object_id] = Send(
            line.object_id, line.digest, line.deleted, modified, number, line.account_id, address
        )

    def send_new(self, news: Sequence[Line], now: int) -> bool:
        """Write lines of objects that the ledger never heard of all at once, with their own stamps, or `now`; return
        whether the file had room for them.
        """
        ids, stamps, bodies, digests, _, accounts, _ = zip(*news, strict=True)
        size = sum(map(len, bodies)) + SEAL_BYTES * len(bodies)
        if size + (0 if self._writer is None else self._writer.bytes) > self._max_file_bytes:
            return False
        modified = [now if stamp is None else stamp for stamp in stamps]
        first = self._open_file().extend(bodies, lines.closings(modified), modified) + 1
        sends = zip(ids, digests, repeat(False), modified, count(first), accounts, repeat(None))
        self.sends.update(zip(ids, map(tuple.__new__, repeat(Send), sends), strict=True))
        return True

    def _open_file(self) -> SpoolWriter:
        if self._writer is None:
            self._request_id = self._new_id()
            self._writer = self._spool.begin(self._request_id)
        return self._writer

    def book(self, move: Move | None) -> None:
        """Seal the file, if any, and book everything decided with the cursor's move, in one transaction."""
        counts = Counts(
            rows=self.counts.rows,
            lines=len(self.sends),
            skipped=self.counts.skipped,
            pended=len(self.pends),
            refused=len(self.refusals),
            not_shown=self.counts.not_shown,
            warnings=self.counts.warnings,
        )
        batch, sends = self._seal()
        booking = Booking(
            type=self.origin.entity.type,
            source=self.origin.source,
            pass_id=self.origin.pass_id,
            counts=counts,
            batch=batch,
            sends=sends,
            pends=list(self.pends.values()),
            refusals=list(self.refusals.values()),
            clears=list(self.clears.values()),
            let_go=self.let_go,
            move=move,
        )
        self._begin()
        self._store.book(booking)
        self.total = self.total.plus(counts)
        self._tell(batch)

    def _seal(self) -> tuple[NewBatch | None, list[Send]]:
        """Finish the file; return it, and its lines as they stand in it."""
        sends = list(self.sends.values())
        open_file, self._writer = self._writer, None
        if open_file is None:
            return None, sends
        with open_file as writer:
            sealed = writer.seal()
        self.sealed_any = True
        if sealed.order is not None:  # sorted: lines stand elsewhere than where they were added
            sends = [send._replace(line=sealed.line_number(send.line - 1)) for send in sends]
        batch = NewBatch(
            self.origin.kind,
            self._request_id,
            sealed.name,
            sealed.lines,
            sealed.bytes,
            sealed.sha256,
            self.priority,
            self.origin.isolation,
        )
        return batch, sends

    def _tell(self, batch: NewBatch | None) -> None:
        entity = self.origin.entity
        if batch is not None:
            self._observer.event(
                "batch.spooled",
                type=entity.type.value,
                request_id=batch.request_id,
                lines=batch.lines,
                bytes=batch.bytes,
            )
        self._observer.event(
            "pass.progress",
            entity=entity.name,
            rows=self.total.rows,
            lines=self.total.lines,
            refused=self.total.refused,
        )
