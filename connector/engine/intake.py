"""Takes rows of one entity source and decides about each of them by what the ledger knows of its object."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector import lines
from connector.clock import Clock
from connector.engine.collisions import alike_words
from connector.engine.draft import SEAL_BYTES, Draft, Origin
from connector.engine.families import Families
from connector.engine.guard import Guard, weighed_as
from connector.engine.observe import Observer
from connector.engine.rules import (
    DELAYED,
    GiveUpAddress,
    SendLine,
    Skip,
    Wait,
    decide,
    distrust,
    is_frozen,
    is_ready,
    wait_again,
)
from connector.engine.seen import Filter, Met, folds
from connector.engine.turns import NAMES_ACCOUNTS
from connector.engine.weighing import Weighing, address_of, is_listed
from connector.ledger.holds import Holds
from connector.ledger.records import (
    ALIKE,
    AccountState,
    Clear,
    Counts,
    HoldKind,
    Move,
    ObjectState,
    PassKind,
    Pend,
    Pending,
    Priority,
    Refuse,
)
from connector.ledger.store import Store
from connector.model import KEY, Encoded, Line, Row, RowRefusal
from connector.source import key_text
from connector.spool import Spool

MOST_LINES: Final = 50_000
"""Lines of one file: bounds memory and what one bad line can make go again."""
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


class Intake:
    """One reading of one entity source; a context manager that leaves no unbooked file behind."""

    def __init__(
        self,
        origin: Origin,
        store: Store,
        holds: Holds,
        spool: Spool,
        clock: Clock,
        policy: Policy,
        observer: Observer,
        new_id: Callable[[], str],
        elsewhere: Callable[[int, Sequence[str]], set[str]],
        named: Callable[[int], str],
        families: Families,
        *,
        priority: Priority = Priority.INCREMENTAL,
        thorough: bool = False,
        doubted: int | None = None,
        silent: bool = False,
        met: Met | None = None,
        first: bool = False,
    ) -> None:
        """Prepare for the rows of one reading.

        Args:
            origin: what is read, and why.
            store: the ledger.
            holds: what the guard holds.
            spool: where files go.
            clock: the time.
            policy: what to obey.
            observer: is told of files and progress.
            new_id: makes client request ids.
            elsewhere: tells which of some objects have a live row in another source of the type.
            named: tells what to call a source of the type in a message.
            families: knows which accounts' deletions wait for those of their children.
            priority: how urgent its files are.
            thorough: list refused rows again that are listed already, so that those not met any more are known.
            doubted: what the ledger knows by this batch or an earlier one may be out of date.
            silent: changes that their stamps do not tell of are held, for the end of the comparison to weigh them.
            met: is told the objects of the rows.
            first: the ledger holds no object of the type yet.
        """
        self._origin = origin
        self._entity = origin.entity
        self._store = store
        self._clock = clock
        self._policy = policy
        self._elsewhere = elsewhere
        self._named = named
        self._thorough = thorough
        self._doubted = doubted
        self._silent = silent
        self._met = met
        self._own = Filter() if first else None
        """Where the ledger was empty: objects of this reading, the only ones that it may know of by now."""
        self._folded: dict[str, str] = {}
        """Keys of new objects since the latest booking, by what they have in common with others."""
        self._draft = Draft(origin, store, spool, observer, new_id, policy.max_file_bytes, priority)
        self._weighing = Weighing(self._draft, holds, policy.guard, clock, observer, families.waiting)

    def __enter__(self) -> "Intake":
        return self

    def __exit__(self, *_: object) -> None:
        self._draft.abandon()

    @property
    def total(self) -> Counts:
        """What was booked so far."""
        return self._draft.total

    @property
    def sealed_any(self) -> bool:
        """Whether a file was sealed so far: then the spool may be full."""
        return self._draft.sealed_any

    @property
    def full(self) -> bool:
        """Whether enough is decided to book it."""
        draft = self._draft
        others = len(draft.pends) + len(draft.refusals) + len(draft.clears) + len(self._weighing)
        return len(draft.sends) >= MOST_LINES or others >= MOST_DECISIONS

    def hurry(self, priority: Priority) -> None:
        """Have the files be as urgent as this at least."""
        self._draft.priority = min(self._draft.priority, priority)

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
        if self._met is not None:
            self._met.add(ids, () if self._entity.exact_keys else _living(encoded))
        news = self._news(encoded.lines) if len(every) == len(ids) else encoded.lines
        skipped = len(encoded.lines) - len(news)
        skipped += self._decide(news, encoded.refusals, rows, now)
        self._draft.counts = self._draft.counts.plus(
            Counts(rows=len(rows), skipped=skipped, not_shown=encoded.not_shown, warnings=encoded.warnings)
        )
        return every

    def _news(self, told: Sequence[Line]) -> Sequence[Line]:
        """Leave out the lines that say what the ledger knows, of objects that wait for nothing: `decide` skips those,
        and there is nothing to clear. Where nothing changed, all that is done for a line is to compare its digest.
        """
        if self._doubted is not None or self._origin.kind not in (PassKind.INCREMENTAL, PassKind.COMPARISON):
            return told
        known = self._store.known(self._entity.type, self._origin.source, [line.object_id for line in told])
        return [line for line in told if known.get(line.object_id) != line.digest or self._decided(line.object_id)]

    def _decide(self, news: Sequence[Line], refusals: Sequence[RowRefusal], rows: Sequence[Row], now: float) -> int:
        """Decide about lines and refusals, made of `rows`; return how many of them are skipped."""
        states = self._states([line.object_id for line in news], refusals)
        ready = self._draft.ready
        accounts = self._accounts(news)
        ready.update(
            account_id for account_id, account in accounts.items() if is_ready(account, now, self._policy.account_wait)
        )
        news = self._unlike(news, states)
        sent = self._send_new(news, states, now)
        if sent:
            news = [line for line in news if line.object_id not in sent] if len(sent) < len(news) else ()
        taken = self._taken(news)
        foreign = self._foreign(states)
        met: dict[str, bytes] = {}
        skipped = 0
        for line in news:
            object_id, _, _, _, deleted, account_id, _ = line
            account = None if account_id is None else _READY if account_id in ready else accounts.get(account_id)
            if object_id in foreign:
                skipped += deleted or self._collide(object_id, line.digest, foreign)
            elif object_id in met or self._decided(object_id):
                self._duplicate(line, met.get(object_id), rows)
            else:
                met[object_id] = line.digest
                skipped += self._one(line, states.get(object_id), account, object_id in taken, now)
        for refusal in refusals:
            if refusal.object_id in foreign:
                skipped += self._collide(refusal.object_id, refusal.digest, foreign)
            else:
                skipped += self._refuse(refusal, states.get(refusal.object_id))
        return skipped

    def _states(self, ids: list[str], refusals: Sequence[RowRefusal]) -> dict[str, ObjectState]:
        """Return what the ledger knows of objects. One that was empty is only asked about those that this reading may
        have met before: nobody else adds objects while one is going on.
        """
        ids += [refusal.object_id for refusal in refusals if _identified(refusal)]
        if self._own is not None:
            ids = self._own.add(ids)
        return self._store.lookup(self._entity.type, ids) if ids else {}

    def _send_new(self, news: Sequence[Line], states: Mapping[str, ObjectState], now: float) -> set[str]:
        """Write lines of objects that the ledger never heard of and that nothing holds, all at once; return the
        objects. `decide` would send each of them with its own stamp.
        """
        ids = {line.object_id for line in news}
        if self._doubted is not None or len(ids) < len(news):
            return set()
        free, ready = self._draft.free(ids).difference(states), self._draft.ready | {None}
        new = [
            line
            for line in news
            if line.account_id in ready and not line.deleted and line.address is None and line.object_id in free
        ]
        if not new or not self._draft.send_new(new, int(now)):
            return set()
        return ids if len(new) == len(news) else {line.object_id for line in new}

    def _one(self, line: Line, state: ObjectState | None, account: AccountState | None, taken: bool, now: float) -> int:
        """Decide about one line; return 1 when it is skipped."""
        if is_frozen(state):
            self._clear(line.object_id, state, settles=False)
            return 1
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
                self._weighing.hold(line, Pending.HELD_CHANGE, state)
            case SendLine(modified):
                self._send_or_weigh(line, modified, state, kind)
            case Wait() as wait:
                self._wait(line, wait, state)
            case GiveUpAddress(modified, wait):
                self._give_up_address(line, modified, wait, state)
        return 0

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
        # A comparison comes after the reading that distrusts all, and finds waiting what that could not send.
        if not self._thorough or (state is not None and state.pending is not None):
            state = distrust(state, line)
        return state, line._replace(stamp=None)

    def related(self, object_ids: Iterable[str]) -> None:
        """Take note that another table says that these objects changed: their rows are to be read by key."""
        now = self._clock.now()
        for object_id in object_ids:
            self._draft.pends[object_id] = Pend(object_id, Pending.RELATED, now, 0, None)

    def book(self, move: Move | None) -> None:
        """Weigh the deletions, seal the file, if any, and book everything decided with the cursor's move, in one
        transaction.
        """
        self._weighing.weigh()
        self._folded.clear()  # before the booking, which takes the most memory
        self._draft.book(move)

    def _accounts(self, encoded: Sequence[Line]) -> dict[str, AccountState]:
        """Return how the accounts that these lines name stand, but for those known to be ready."""
        named = {line.account_id for line in encoded if line.account_id is not None and not line.deleted}
        named -= self._draft.ready
        if self._entity.type not in NAMES_ACCOUNTS:
            return dict.fromkeys(named, _READY)
        return self._store.accounts(sorted(named)) if named else {}

    def _foreign(self, states: Mapping[str, ObjectState]) -> dict[str, int]:
        """Return the objects that another source of the type has a live row of, and which: they are that source's."""
        owned: dict[int, list[str]] = {}
        for object_id, state in states.items():
            if state.source != self._origin.source:
                owned.setdefault(state.source, []).append(object_id)
        return {found: source for source, ids in owned.items() for found in self._elsewhere(source, ids)}

    def _collide(self, object_id: str, digest: bytes, foreign: Mapping[str, int]) -> int:
        """Refuse a row whose key another source has, too; the object stays what that source says. Returns 0."""
        reason = (
            f"the row of {self._named(self._origin.source)} and another source's, of"
            f" {self._named(foreign[object_id])}, have this key; the latter is the one that is sent"
        )
        self._draft.refuse(Refuse(object_id, digest, "row", self._key_column, reason, identified=False))
        return 0

    def _taken(self, encoded: Sequence[Line]) -> set[str]:
        """Return the business users of these lines whose address another user still holds."""
        wanted = {line.object_id: line.address for line in encoded if line.address is not None}
        if not wanted:
            return set()
        holders = self._store.holders(sorted(set(wanted.values())))
        # Two new users with one address in one file: the first of them gets it.
        first = {send.address: send.object_id for send in self._draft.sends.values() if send.address is not None}
        taken = set()
        for object_id, address in wanted.items():
            others = holders.get(address, set()) | {first.setdefault(address, object_id)}
            if others - {object_id}:
                taken.add(object_id)
        return taken

    def _decided(self, object_id: str) -> bool:
        return object_id in self._draft or object_id in self._weighing

    def _send_or_weigh(self, line: Line, modified: int, state: ObjectState | None, kind: HoldKind | None) -> None:
        if line.deleted:
            self._weighing.add(line, modified, state, weighed=kind is None)
        else:
            self._draft.send(line, modified, line.address)

    def _wait(self, line: Line, wait: Wait, state: ObjectState | None) -> None:
        self._draft.pends[line.object_id] = Pend(line.object_id, wait.reason, wait.due, wait.tries, line.account_id)
        if is_listed(state) and wait.reason not in DELAYED:
            # What was refused is not what the row says now: the object waits, and is not listed as refused.
            self._draft.clears[line.object_id] = Clear(line.object_id, None, refusal=True)

    def _give_up_address(self, line: Line, modified: int, wait: Wait, state: ObjectState | None) -> None:
        """Delete a user under the old address, and look at the row again. A deletion that Gong refused is not sent
        again before a person says so (`failures retry`): its refusal stays listed, and the row waits.
        """
        deletion = self._deletion(line.object_id)
        again = None if state is None else wait_again(deletion.digest, state, self._clock.now())
        if again is not None:
            self._draft.pends[line.object_id] = Pend(line.object_id, again.reason, again.due, again.tries, None)
            return
        self._draft.send(deletion, modified, address_of(state))
        self._wait(line, wait, state)

    def _unlike(self, news: Sequence[Line], states: Mapping[str, ObjectState]) -> Sequence[Line]:
        """Refuse new objects whose keys differ only by case or trailing blanks from another new one's, which Gong has
        not been asked about either; return the other lines.
        """
        if self._entity.exact_keys:
            return news
        new = [line.object_id for line in news if not line.deleted and line.object_id not in states]
        firsts = list(map(self._folded.setdefault, folds(new), new))
        if firsts == new:
            return news
        alike = {object_id: first for object_id, first in zip(new, firsts, strict=True) if object_id != first}
        for object_id, first in alike.items():
            reason = alike_words(object_id, first, "is another row's key and the one that is sent")
            self._draft.refuse(Refuse(object_id, ALIKE, "row", self._key_column, reason))
        return [line for line in news if line.object_id not in alike]

    def _duplicate(self, line: Line, met: bytes | None, rows: Sequence[Row]) -> None:
        """A key that stands twice in one reading is no key; the first row counts, the second is refused."""
        sent = self._draft.sends.get(line.object_id)
        first = met if sent is None else sent.digest
        if first != line.digest:
            clash = Refuse(
                line.object_id,
                line.digest,
                "row",
                self._key_column,
                f"two different rows have this key{_spelt(line.object_id, rows)}; only one of them was sent",
                identified=False,
            )
            self._draft.refuse(clash)

    def _deletion(self, object_id: str) -> Line:
        body = lines.deletion_body(self._entity.type, object_id)
        return Line(object_id, None, body, lines.digest(body), deleted=True)

    def _refuse(self, refusal: RowRefusal, state: ObjectState | None) -> int:
        """Book a refusal unless it is booked already; return 1 when it was skipped."""
        if is_frozen(state):
            self._clear(refusal.object_id, state, settles=False)
            return 1
        identified = _identified(refusal)
        known = identified and state is not None and state.refused == refusal.digest and state.pending is None
        if known and not self._thorough:
            return 1
        refuse = Refuse(refusal.object_id, refusal.digest, "row", refusal.field, refusal.reason, identified)
        self._draft.refuse(refuse)
        return 0

    def _clear(self, object_id: str, state: ObjectState | None, settles: bool) -> None:
        if state is None:
            return
        refusal = settles and is_listed(state)
        if state.pending is not None or refusal:
            self._draft.clears[object_id] = Clear(object_id, state.pending, refusal)

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


def _living(encoded: Encoded) -> list[str]:
    living = [line.object_id for line in encoded.lines if not line.deleted]
    return living + [refusal.object_id for refusal in encoded.refusals if _identified(refusal)]


def _identified(refusal: RowRefusal) -> bool:
    """Whether the row's key is fit to be an object's id, so that the ledger may keep a row for it."""
    return refusal.field != "objectId"
