"""Takes rows of one entity source, decides about each, writes lines to a file, and books it all in one step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from connector import lines
from connector.clock import Clock
from connector.engine.guard import Guard, weighed_as
from connector.engine.observe import Observer
from connector.engine.rules import DELAYED, GiveUpAddress, SendLine, Skip, Wait, decide, distrust, is_ready, wait_again
from connector.ledger.holds import Holds
from connector.ledger.records import (
    AccountState,
    Booking,
    Clear,
    Counts,
    HoldKind,
    Move,
    NewBatch,
    ObjectState,
    PassKind,
    Pend,
    Pending,
    Priority,
    Refuse,
    Send,
)
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.model import KEY, Line, Row, RowRefusal
from connector.source import key_text
from connector.spool import Spool, SpoolWriter

MOST_LINES: Final = 100_000
"""Lines of one file: bounds memory and what one bad line can make go again."""
SEAL_BYTES: Final = len(lines.seal(b"", 0))
"""What sealing adds to a line."""
MOST_DECISIONS: Final = 100_000
"""Other decisions (pending, refused) booked at once at most."""
_READY: Final = AccountState(there=True, first_told_at=None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reading obeys, from the settings."""

    max_file_bytes: int
    account_wait: float
    """Seconds (ACCOUNT_WAIT_SECONDS)."""
    guard: Guard


@dataclass(slots=True)
class _Open:
    """What is decided and not yet booked."""

    writer: SpoolWriter | None = None
    request_id: str = ""
    sends: dict[str, Send] = field(default_factory=dict)
    pends: dict[str, Pend] = field(default_factory=dict)
    refusals: dict[str, Refuse] = field(default_factory=dict)
    clears: dict[str, Clear] = field(default_factory=dict)
    deletions: dict[str, "_Deletion"] = field(default_factory=dict)
    """Weighed when all of the booking are known."""
    let_go: int = 0
    counts: Counts = field(default_factory=Counts)
    ready: set[str] = field(default_factory=set)
    """Accounts that lines may name, seen since the latest booking: most deals name one that another one named."""


class _Deletion(NamedTuple):
    line: Line
    modified: int
    state: ObjectState | None

    @property
    def held(self) -> bool:
        """Whether it was held before."""
        return self.state is not None and self.state.pending is Pending.HELD_DELETION


class Intake:
    """One reading of one entity source; a context manager that leaves no unbooked file behind."""

    def __init__(
        self,
        entity: Entity,
        source: int,
        kind: PassKind,
        pass_id: int,
        store: Store,
        holds: Holds,
        spool: Spool,
        clock: Clock,
        policy: Policy,
        observer: Observer,
        new_id: Callable[[], str],
        elsewhere: Callable[[int, Sequence[str]], set[str]],
        named: Callable[[int], str],
        *,
        priority: Priority = Priority.INCREMENTAL,
        thorough: bool = False,
        doubted: int | None = None,
        silent: bool = False,
        isolation: int | None = None,
    ) -> None:
        """Prepare for the rows of one reading.

        Args:
            entity: the entity source that is read.
            source: its place among the sources of its type, from 0.
            kind: why it is read.
            pass_id: the pass that rows are counted for.
            store: the ledger.
            holds: what the guard holds.
            spool: where files go.
            clock: the time.
            policy: what to obey.
            observer: is told of files and progress.
            new_id: makes client request ids.
            elsewhere: tells which of some objects have a live row in another source of the type.
            named: tells what to call a source of the type in a message.
            priority: how urgent its files are.
            thorough: list refused rows again that are listed already, so that those not met any more are known.
            doubted: what the ledger knows by this batch or an earlier one may be out of date.
            silent: changes that their stamps do not tell of are held, for the end of the comparison to weigh them.
            isolation: the isolation of which the rows are a piece.
        """
        self._entity = entity
        self._source = source
        self._kind = kind
        self.priority = priority
        self._pass_id = pass_id
        self._store = store
        self._holds = holds
        self._spool = spool
        self._clock = clock
        self._policy = policy
        self._observer = observer
        self._new_id = new_id
        self._elsewhere = elsewhere
        self._named = named
        self._thorough = thorough
        self._doubted = doubted
        self._silent = silent
        self._isolation = isolation
        self._open = _Open()
        self.total = Counts()
        self.sealed_any = False
        """Whether a file was sealed so far: then the spool may be full."""

    def __enter__(self) -> "Intake":
        return self

    def __exit__(self, *_: object) -> None:
        if self._open.writer is not None:
            self._open.writer.abandon()

    @property
    def full(self) -> bool:
        """Whether enough is decided to book it."""
        waiting = self._open
        return (
            len(waiting.sends) >= MOST_LINES
            or len(waiting.pends) + len(waiting.refusals) + len(waiting.clears) + len(waiting.deletions)
            >= MOST_DECISIONS
        )

    def take(self, rows: Sequence[Row]) -> set[str]:
        """Map rows and decide about each of them. Objects that need no line leave no trace but a count.

        Returns:
            The objects that the rows are of.
        """
        now = self._clock.now()
        encoded = self._entity.encode(rows, int(now))
        ids = [line.object_id for line in encoded.lines]
        ids += [refusal.object_id for refusal in encoded.refusals if _identified(refusal)]
        every = set(ids)
        news = self._news(encoded.lines) if len(every) == len(ids) else encoded.lines
        skipped = len(encoded.lines) - len(news)
        skipped += self._decide(news, encoded.refusals, rows, now)
        self._open.counts = self._open.counts.plus(
            Counts(rows=len(rows), skipped=skipped, not_shown=encoded.not_shown, warnings=encoded.warnings)
        )
        return every

    def _news(self, told: Sequence[Line]) -> Sequence[Line]:
        """Leave out the lines that say what the ledger knows, of objects that wait for nothing: `decide` skips those,
        and there is nothing to clear. Where nothing changed, all that is done for a line is to compare its digest.
        """
        if self._doubted is not None or self._kind not in (PassKind.INCREMENTAL, PassKind.COMPARISON):
            return told
        known = self._store.known(self._entity.type, self._source, [line.object_id for line in told])
        return [line for line in told if known.get(line.object_id) != line.digest or self._decided(line.object_id)]

    def _decide(self, news: Sequence[Line], refusals: Sequence[RowRefusal], rows: Sequence[Row], now: float) -> int:
        """Decide about lines and refusals, made of `rows`; return how many of them are skipped."""
        ids = [line.object_id for line in news]
        ids += [refusal.object_id for refusal in refusals if _identified(refusal)]
        states = self._store.lookup(self._entity.type, ids) if ids else {}
        ready = self._open.ready
        accounts = self._accounts(news)
        ready.update(
            account_id for account_id, account in accounts.items() if is_ready(account, now, self._policy.account_wait)
        )
        taken = self._taken(news)
        foreign = self._foreign(states)
        met: dict[str, bytes] = {}
        skipped, new, trusted = 0, list[Line](), self._doubted is None
        for line in news:
            object_id, _, _, _, deleted, account_id, address = line
            if (
                trusted
                and object_id not in states
                and not deleted
                and address is None
                and (account_id is None or account_id in ready)
                and object_id not in met
                and not self._decided(object_id)
            ):
                met[object_id] = line.digest
                new.append(line)
                continue
            self._send_new(new, int(now))
            new.clear()
            account = None if account_id is None else _READY if account_id in ready else accounts.get(account_id)
            if object_id in foreign:
                skipped += deleted or self._collide(object_id, line.digest, foreign)
            elif object_id in met or self._decided(object_id):
                self._duplicate(line, met.get(object_id), rows)
            else:
                met[object_id] = line.digest
                skipped += self._one(line, states.get(object_id), account, object_id in taken, now)
        self._send_new(new, int(now))
        for refusal in refusals:
            if refusal.object_id in foreign:
                skipped += self._collide(refusal.object_id, refusal.digest, foreign)
            else:
                skipped += self._refuse(refusal, states.get(refusal.object_id))
        return skipped

    def _one(self, line: Line, state: ObjectState | None, account: AccountState | None, taken: bool, now: float) -> int:
        """Decide about one line; return 1 when it is skipped."""
        size = len(line.body) + SEAL_BYTES
        if size > self._policy.max_file_bytes:
            reason = f"its line has {size} bytes, more than a file may hold (CONNECTOR_MAX_FILE_BYTES)"
            return self._refuse(RowRefusal(line.object_id, "", reason, line.digest), state)
        known, news = (state, line) if self._doubted is None else self._doubt(self._doubted, state, line)
        decision = decide(news, known, account, taken, now, self._policy.account_wait)
        kind = weighed_as(line, state if line.deleted else known, silent=self._silent)
        match decision:
            case Skip(settles):
                self._clear(line.object_id, state, settles)
                return 1
            case _ if kind is HoldKind.CHANGES:
                self._hold(line, Pending.HELD_CHANGE, state)
            case SendLine(modified):
                self._send_or_weigh(line, modified, state, kind)
            case Wait() as wait:
                self._wait(line, wait, state)
            case GiveUpAddress(modified, wait):
                self._give_up_address(line, modified, wait, state)
        return 0

    def _send_new(self, new: Sequence[Line], now: int) -> None:
        """Write lines of objects that the ledger never heard of and that nothing holds, all at once: `decide` sends
        each of them with its own stamp.
        """
        if not new:
            return
        modified = [now if line.stamp is None else line.stamp for line in new]
        sealed = list(map(lines.seal, [line.body for line in new], modified))
        writer = self._open.writer
        if sum(map(len, sealed)) + (0 if writer is None else writer.bytes) > self._policy.max_file_bytes:
            for line in new:
                self._one(line, None, _READY, False, now)
            return
        if writer is None:
            writer = self._begin()
        number = writer.extend(sealed, modified) + 1
        self._open.sends.update(
            (line.object_id, Send(line.object_id, line.digest, False, at, index, line.account_id, None))
            for index, (line, at) in enumerate(zip(new, modified, strict=True), number)
        )

    def gone(self, object_id: str, state: ObjectState | None) -> None:
        """Take note that a pending object, read by key, has no row. One that a whole comparison missed, too, is
        deleted, and one that was refused and is to be tried again (it may be the deletion itself that Gong refused), or
        whose deletion went down with its file; for others there is nothing to read again.
        """
        now = self._clock.now()
        doomed = state is not None and (state.pending in (Pending.GONE, Pending.RETRY) or state.deleting)
        if state is None or not doomed or state.last_modified is None:
            self._clear(object_id, state, settles=True)
            return
        line = self._deletion(object_id)
        match decide(line, state, None, False, now, self._policy.account_wait):
            case SendLine(modified):
                self._send_or_weigh(line, modified, state, weighed_as(line, state, silent=False))
            case Wait() as wait:
                self._wait(line, Wait(state.pending or wait.reason, wait.due, wait.tries), state)
            case Skip(settles):
                self._clear(object_id, state, settles)

    def _doubt(self, batch: int, state: ObjectState | None, line: Line) -> tuple[ObjectState | None, Line]:
        """Return what is left of the ledger's knowledge when Gong may have been told more, and the line, whose
        modifiedDate is then the time of the call.
        """
        if state is not None and state.batch is not None and state.batch > batch:
            return state, line
        if not self._thorough:
            state = distrust(state, line)
        return state, line._replace(stamp=None)

    def related(self, object_ids: Iterable[str]) -> None:
        """Take note that another table says that these objects changed: their rows are to be read by key."""
        now = self._clock.now()
        for object_id in object_ids:
            self._open.pends[object_id] = Pend(object_id, Pending.RELATED, now, 0, None)

    def book(self, move: Move | None) -> None:
        """Weigh the deletions, seal the file, if any, and book everything decided with the cursor's move, in one
        transaction.
        """
        self._weigh()
        self._book(move)

    def _weigh(self) -> None:
        """Write the deletions that were decided, or hold them all."""
        deletions, self._open.deletions = self._open.deletions, {}
        if not deletions:
            return
        object_type = self._entity.type
        weight = self._holds.weight(object_type, HoldKind.DELETIONS)
        fresh = sum(not deletion.held for deletion in deletions.values())
        if not self._policy.guard.holds(weight, fresh, lambda: self._holds.live(object_type)):
            for deletion in deletions.values():
                self._send(deletion.line, deletion.modified, _address(deletion.state))
                self._open.let_go += 1
            return
        for deletion in deletions.values():
            self._hold(deletion.line, Pending.HELD_DELETION, deletion.state)
        if fresh:
            self._observer.event(
                "guard.held",
                type=object_type.value,
                kind=HoldKind.DELETIONS.value,
                objects=weight.held + fresh,
                alarm=not weight.held,
            )

    def _book(self, move: Move | None) -> None:
        # A file that is full is booked amid a chunk: the deletions decided so far are weighed with the rest of it.
        waiting, self._open = self._open, _Open(deletions=self._open.deletions)
        counts = Counts(
            rows=waiting.counts.rows,
            lines=len(waiting.sends),
            skipped=waiting.counts.skipped,
            pended=len(waiting.pends),
            refused=len(waiting.refusals),
            not_shown=waiting.counts.not_shown,
            warnings=waiting.counts.warnings,
        )
        batch, sends = None, list(waiting.sends.values())
        if waiting.writer is not None:
            with waiting.writer as writer:
                sealed = writer.seal()
            self.sealed_any = True
            if sealed.order is not None:  # sorted: lines stand elsewhere than where they were added
                sends = [send._replace(line=sealed.line_number(send.line - 1)) for send in sends]
            batch = NewBatch(
                self._kind,
                waiting.request_id,
                sealed.name,
                sealed.lines,
                sealed.bytes,
                sealed.sha256,
                self.priority,
                self._isolation,
            )
        self._store.book(
            Booking(
                type=self._entity.type,
                source=self._source,
                pass_id=self._pass_id,
                counts=counts,
                batch=batch,
                sends=sends,
                pends=list(waiting.pends.values()),
                refusals=list(waiting.refusals.values()),
                clears=list(waiting.clears.values()),
                let_go=waiting.let_go,
                move=move,
            )
        )
        self.total = self.total.plus(counts)
        if batch is not None:
            self._observer.event(
                "batch.spooled",
                type=self._entity.type.value,
                request_id=batch.request_id,
                lines=batch.lines,
                bytes=batch.bytes,
            )
        self._observer.event(
            "pass.progress",
            entity=self._entity.name,
            rows=self.total.rows,
            lines=self.total.lines,
            refused=self.total.refused,
        )

    def _accounts(self, encoded: Sequence[Line]) -> dict[str, AccountState]:
        """Return how the accounts that these lines name stand, but for those known to be ready."""
        named = {line.account_id for line in encoded if line.account_id is not None and not line.deleted}
        named -= self._open.ready
        return self._store.accounts(sorted(named)) if named else {}

    def _foreign(self, states: Mapping[str, ObjectState]) -> dict[str, int]:
        """Return the objects that another source of the type has a live row of, and which: they are that source's."""
        owned: dict[int, list[str]] = {}
        for object_id, state in states.items():
            if state.source != self._source:
                owned.setdefault(state.source, []).append(object_id)
        return {found: source for source, ids in owned.items() for found in self._elsewhere(source, ids)}

    def _collide(self, object_id: str, digest: bytes, foreign: Mapping[str, int]) -> int:
        """Refuse a row whose key another source has, too; the object stays what that source says. Returns 0."""
        reason = (
            f"the row of {self._named(self._source)} and another source's, of {self._named(foreign[object_id])}, have "
            "this key; the latter is the one that is sent"
        )
        self._open.refusals[object_id] = Refuse(object_id, digest, "row", self._key_column, reason, identified=False)
        return 0

    def _taken(self, encoded: Sequence[Line]) -> set[str]:
        """Return the business users of these lines whose address another user still holds."""
        wanted = {line.object_id: line.address for line in encoded if line.address is not None}
        if not wanted:
            return set()
        holders = self._store.holders(sorted(set(wanted.values())))
        # Two new users with one address in one file: the first of them gets it.
        first = {send.address: send.object_id for send in self._open.sends.values() if send.address is not None}
        taken = set()
        for object_id, address in wanted.items():
            others = holders.get(address, set()) | {first.setdefault(address, object_id)}
            if others - {object_id}:
                taken.add(object_id)
        return taken

    def _decided(self, object_id: str) -> bool:
        waiting = self._open
        return object_id in waiting.sends or object_id in waiting.pends or object_id in waiting.deletions

    def _send_or_weigh(self, line: Line, modified: int, state: ObjectState | None, kind: HoldKind | None) -> None:
        if kind is HoldKind.DELETIONS:
            self._open.deletions[line.object_id] = _Deletion(line, modified, state)
        else:
            self._send(line, modified, line.address if not line.deleted else _address(state))

    def _hold(self, line: Line, reason: Pending, state: ObjectState | None) -> None:
        """Have the object wait for a person, unless it does so already."""
        if state is None or state.pending is not reason:
            self._open.pends[line.object_id] = Pend(line.object_id, reason, None, 0, line.account_id)
        if _listed(state):
            # What was refused is not what the row says now.
            self._open.clears[line.object_id] = Clear(line.object_id, None, refusal=True)

    def _send(self, line: Line, modified: int, address: bytes | None) -> None:
        data = lines.seal(line.body, modified)
        writer = self._open.writer
        if writer is not None and writer.bytes + len(data) > self._policy.max_file_bytes:
            self._book(None)  # the rows of this chunk are not all decided yet: the cursor stays
            writer = None
        if writer is None:
            writer = self._begin()
        number = writer.add(data, modified) + 1
        self._open.sends[line.object_id] = Send(
            line.object_id, line.digest, line.deleted, modified, number, line.account_id, address
        )

    def _begin(self) -> SpoolWriter:
        self._open.request_id = self._new_id()
        writer = self._open.writer = self._spool.begin(self._open.request_id)
        return writer

    def _wait(self, line: Line, wait: Wait, state: ObjectState | None) -> None:
        self._open.pends[line.object_id] = Pend(line.object_id, wait.reason, wait.due, wait.tries, line.account_id)
        if _listed(state) and wait.reason not in DELAYED:
            # What was refused is not what the row says now: the object waits, and is not listed as refused.
            self._open.clears[line.object_id] = Clear(line.object_id, None, refusal=True)

    def _give_up_address(self, line: Line, modified: int, wait: Wait, state: ObjectState | None) -> None:
        """Delete a user under the old address, and look at the row again. A deletion that Gong refused is not sent
        again before a person says so (`failures retry`): its refusal stays listed, and the row waits.
        """
        deletion = self._deletion(line.object_id)
        again = None if state is None else wait_again(deletion.digest, state, self._clock.now())
        if again is not None:
            self._open.pends[line.object_id] = Pend(line.object_id, again.reason, again.due, again.tries, None)
            return
        self._send(deletion, modified, _address(state))
        self._wait(line, wait, state)

    def _duplicate(self, line: Line, met: bytes | None, rows: Sequence[Row]) -> None:
        """A key that stands twice in one reading is no key; the first row counts, the second is refused."""
        sent = self._open.sends.get(line.object_id)
        first = met if sent is None else sent.digest
        if first != line.digest:
            self._open.refusals[line.object_id] = Refuse(
                line.object_id,
                line.digest,
                "row",
                self._key_column,
                f"two different rows have this key{_spelt(line.object_id, rows)}; only one of them was sent",
                identified=False,
            )

    def _deletion(self, object_id: str) -> Line:
        body = lines.deletion_body(self._entity.type, object_id)
        return Line(object_id, None, body, lines.digest(body), deleted=True)

    def _refuse(self, refusal: RowRefusal, state: ObjectState | None) -> int:
        """Book a refusal unless it is booked already; return 1 when it was skipped."""
        identified = _identified(refusal)
        known = identified and state is not None and state.refused == refusal.digest and state.pending is None
        if known and not self._thorough:
            return 1
        self._open.refusals[refusal.object_id] = Refuse(
            refusal.object_id, refusal.digest, "row", refusal.field, refusal.reason, identified
        )
        return 0

    def _clear(self, object_id: str, state: ObjectState | None, settles: bool) -> None:
        if state is None:
            return
        refusal = settles and _listed(state)
        if state.pending is not None or refusal:
            self._open.clears[object_id] = Clear(object_id, state.pending, refusal)

    @property
    def _key_column(self) -> str:
        return "objectId" if self._entity.relation is None else self._entity.relation.key


def _spelt(object_id: str, rows: Sequence[Row]) -> str:
    """Return the keys of the rows that become this id, as the source holds them, when they differ: a number and a text,
    say.
    """
    keys = [row[KEY] for row in rows if key_text(row[KEY]) == object_id]
    forms = list(dict.fromkeys(f"{key!r} ({type(key).__name__})" for key in keys))
    return f", held as {' and '.join(forms)}" if len(forms) > 1 else ""


def _identified(refusal: RowRefusal) -> bool:
    """Whether the row's key is fit to be an object's id, so that the ledger may keep a row for it."""
    return refusal.field != "objectId"


def _listed(state: ObjectState | None) -> bool:
    """Whether the object may stand among the refused, even while it is tried again."""
    return state is not None and (state.refused is not None or state.pending in (Pending.RETRY, Pending.DEPENDENCY))


def _address(state: ObjectState | None) -> bytes | None:
    return None if state is None else state.address
