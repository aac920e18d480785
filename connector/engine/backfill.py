"""Sends the history of an entity source wave by wave: version *k* of every object in wave *k*, each wave settled
before the next; then the present state of each object whose last version is through (GONG_API, "History").
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from connector import lines
from connector.clock import Clock
from connector.engine.history import HistorySource, pasts
from connector.engine.intake import MOST_LINES, Policy
from connector.engine.observe import Observer
from connector.engine.sync import NOW, Steps
from connector.engine.turns import NAMES_ACCOUNTS
from connector.errors import ConfigError
from connector.ledger.backfills import Backfill, Backfills, BackfillState, PastLine, PastRefusal, Staged
from connector.ledger.lease import Lease
from connector.ledger.records import NewBatch, PassKind, priority_of
from connector.ledger.store import Store
from connector.mapping import Entity, History
from connector.model import Past
from connector.spool import Spool, SpoolWriter, StagedVersion, Staging, StagingLost

AT_ONCE: Final = 2_000
"""Versions or objects that are looked up in the ledger at a time."""
MOST_ON_THE_WAY: Final = 2
"""Files of a backfill that are unsettled at a time: the next is made while one is processed."""
WAIT_SECONDS: Final = 5.0
"""Between two looks at what a wave waits for."""
UNFIT: Final = "row"
"""The kind of a refusal of a version that cannot be mapped, and so was never to be sent."""
_NO_ACCOUNT: Final = "the account that this version names is not in Gong"


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What a backfill would send."""

    name: str
    objects: int
    versions: int
    waves: int
    files: int
    bytes: int
    absent: int
    """Objects with a history and without a row: nothing of them is sent."""
    gaps: int
    """Places where the CRM's own history does not fit together."""
    refused: int
    """Versions that cannot be mapped."""

    @property
    def calls(self) -> int:
        """Calls to Gong: an upload and a poll for each file, and for the present states after each wave."""
        return 2 * (self.files + self.waves)


class Backfiller:
    """Carries backfills on. Belongs to the reading thread."""

    def __init__(
        self,
        source: HistorySource,
        backfills: Backfills,
        store: Store,
        spool: Spool,
        clock: Clock,
        policy: Policy,
        observer: Observer,
        new_id: Callable[[], str],
        lease: Lease,
    ) -> None:
        self._source = source
        self._backfills = backfills
        self._store = store
        self._spool = spool
        self._clock = clock
        self._policy = policy
        self._observer = observer
        self._new_id = new_id
        self._lease = lease

    def plan(self, entity: Entity, history: History, since: int | None, until: int | None) -> BackfillPlan:
        """Read the whole history, and return what a backfill would send; nothing is written."""
        counts: Counter[str] = Counter()
        sizes: list[list[int]] = []
        for past in pasts(self._source, entity, history, self._clock, since, until):
            counts["absent"] += past.absent
            counts["gaps"] += len(past.gaps)
            counts["refused"] += len(past.refused)
            counts["objects"] += bool(past.versions)
            for wave, version in enumerate(past.versions):
                if wave == len(sizes):
                    sizes.append([0, 0])
                sizes[wave][0] += 1
                sizes[wave][1] += len(lines.seal(version.line.body, version.stamp))
        return BackfillPlan(
            entity.name,
            counts["objects"],
            sum(number for number, _ in sizes),
            len(sizes),
            sum(max(-(-number // MOST_LINES), -(-size // self._policy.max_file_bytes)) for number, size in sizes),
            sum(size for _, size in sizes),
            counts["absent"],
            counts["gaps"],
            counts["refused"],
        )

    def steps(
        self, entity: Entity, history: History, asked: str, since: int | None, until: int | None
    ) -> Steps[Backfill]:
        """Send the history of an entity source, or go on with it where it was left.

        Args:
            entity: whose.
            history: what the CRM kept.
            asked: names the demand: made again, it means the same backfill.
            since: seconds since 1970 UTC; of the versions before, only the one that was true then goes.
            until: versions that came later do not go.

        Raises:
            ConfigError: its first load is not over, or a backfill with other limits is under way.
            ConnectorError: the source, the spool or the ledger failed; what was booked stays booked.
        """
        backfill = self._begun(entity, asked, since, until)
        while (backfill := self._backfills.get(backfill.id)).state in (BackfillState.STAGING, BackfillState.SENDING):
            if backfill.state is BackfillState.STAGING:
                while self._backfills.unsettled(backfill):  # read anew: what ends with these files is released then
                    yield None
                yield from self._stage(backfill, entity, history)
                continue
            try:
                with Staging.open(self._spool.directory, _name(backfill)) as staging:
                    yield from self._send(backfill, staging)
            except StagingLost as error:
                self._observer.event("backfill.staging_lost", backfill=backfill.id, error=str(error))
                self._backfills.again(backfill)
        if backfill.finished_at is not None:
            Staging.remove(self._spool.directory, _name(backfill))  # it was stopped, or died, before that was done
        return backfill

    def stop(self, name: str) -> Steps[Backfill | None]:
        """End the backfill of an entity source once what is on its way is settled; return it."""
        found = self._backfills.active(name)
        if not found:
            return None
        backfill = found[0]
        self._backfills.stop(backfill)
        while self._backfills.unsettled(backfill):
            yield None
        self._end(backfill, BackfillState.STOPPED)
        return self._backfills.get(backfill.id)

    def _begun(self, entity: Entity, asked: str, since: int | None, until: int | None) -> Backfill:
        for backfill in self._backfills.all():
            if (backfill.name, backfill.asked) == (entity.name, asked):
                return backfill
        cursor = self._store.cursor(entity.name)
        if cursor is None or cursor.loaded_at is None:
            raise ConfigError(f"{entity.name}: its first load is not over; run `gong-connector sync` first")
        for backfill in self._backfills.active(entity.name):
            if backfill.state is BackfillState.STOPPING:
                raise ConfigError(f"{entity.name}: its backfill is being stopped; wait until it has ended")
            if (backfill.since, backfill.until) != (since, until):
                raise ConfigError(
                    f"{entity.name}: a backfill with another --since or --until is under way: leave them as they were "
                    f"to go on with it, or end it with `gong-connector backfill {entity.type} --stop`"
                )
            return backfill
        backfill = self._backfills.begin(entity.type, entity.name, asked, since, until)
        self._observer.event("backfill.started", backfill=backfill.id, entity=entity.name)
        return backfill

    # -- reading the history ---------------------------------------------------------------------

    def _stage(self, backfill: Backfill, entity: Entity, history: History) -> Steps[None]:
        staged = Staged(0, 0, 0, 0, 0)
        found = pasts(self._source, entity, history, self._clock, backfill.since, backfill.until)
        self._lease.renew()  # or the file of whoever took over would be begun anew
        with Staging.create(self._spool.directory, _name(backfill)) as staging:
            while portion := list(islice(found, AT_ONCE)):
                staged = _plus(staged, self._add(backfill, staging, portion))
                refused = [
                    PastRefusal(past.object_id, stamp, "connector", UNFIT, one.field, one.reason)
                    for past in portion
                    for stamp, one in past.refused
                ]
                if refused:
                    self._backfills.refuse(backfill, refused)
                self._observer.event(
                    "backfill.progress", entity=entity.name, objects=staged.objects, versions=staged.versions
                )
                yield NOW
                if self._backfills.get(backfill.id).state is not BackfillState.STAGING:
                    return  # stopped meanwhile, with its file
            self._lease.renew()  # or an unfinished file of whoever took over would pass for a whole one
            staging.finish()
        self._backfills.staged(backfill, staged)
        self._observer.event(
            "backfill.staged",
            backfill=backfill.id,
            entity=entity.name,
            objects=staged.objects,
            versions=staged.versions,
            waves=staged.waves,
            gaps=staged.gaps,
        )

    def _add(self, backfill: Backfill, staging: Staging, portion: Sequence[Past]) -> Staged:
        """Stage what was not sent before the staging file was lost; objects all of whose versions were are released."""
        sent = self._backfills.sent_until(backfill, [past.object_id for past in portion])
        waits = backfill.type in NAMES_ACCOUNTS
        over: list[str] = []
        waves = versions = 0
        for past in portion:
            until = sent.get(past.object_id)
            left = [version for version in past.versions if until is None or version.stamp > until]
            if until is not None and not left:
                over.append(past.object_id)
            if left:
                staging.add(
                    past.object_id,
                    [(one.stamp, one.line.body, one.line.account_id if waits else None) for one in left],
                )
                waves, versions = max(waves, len(left)), versions + len(left)
        if over:
            self._backfills.release(backfill, over)
        objects = sum(bool(past.versions) for past in portion)
        absent = sum(past.absent for past in portion)
        return Staged(waves, objects, versions, absent, sum(len(past.gaps) for past in portion))

    # -- sending it ------------------------------------------------------------------------------

    def _send(self, backfill: Backfill, staging: Staging) -> Steps[None]:
        """Send the backfill's wave until Gong has settled all of it, and make the next one the backfill's."""
        while True:
            versions = _Versions(staging.versions(backfill.wave))
            while not versions.over:
                backfill = self._backfills.get(backfill.id)
                if backfill.state is not BackfillState.SENDING:
                    return
                wait = self._wait(backfill)
                if wait is None:
                    self._file(backfill, versions)
                yield NOW if wait is None else wait
            sent = self._backfills.get(backfill.id)
            while self._backfills.unsettled(sent):
                yield None
            settled = self._backfills.get(backfill.id)
            if settled.state is not BackfillState.SENDING:
                return
            if settled.booked == sent.booked:
                break  # nothing of it failed, so that nothing goes again
        for ids in _portions(staging.ending(backfill.wave)):
            self._backfills.release(backfill, ids)
            yield NOW
        self._observer.event("backfill.wave", backfill=backfill.id, wave=backfill.wave, waves=backfill.waves)
        if backfill.wave < backfill.waves:
            self._backfills.next_wave(backfill)
        else:
            self._end(backfill, BackfillState.DONE)

    def _wait(self, backfill: Backfill) -> float | None:
        """Return when to look again, where no file can be made now."""
        now = self._clock.now()
        if backfill.due_at > now:
            return backfill.due_at
        busy = self._backfills.unsettled(backfill) >= MOST_ON_THE_WAY or not self._spool.room()
        return now + WAIT_SECONDS if busy or self._backfills.present_on_its_way(backfill) else None

    def _file(self, backfill: Backfill, versions: "_Versions") -> None:
        """Write and book the next file of a wave, if something of it is left to send."""
        most = min(backfill.most_lines or MOST_LINES, MOST_LINES)
        request_id = self._new_id()
        written: list[PastLine] = []
        skipped: list[PastRefusal] = []
        writer: SpoolWriter | None = None
        try:
            while len(written) < most and (portion := versions.take(min(AT_ONCE, most - len(written)))):
                held = self._backfills.hold(
                    backfill, [version.object_id for version in portion], join=backfill.wave == 1
                )
                if self._backfills.present_on_its_way(backfill):
                    versions.give_back(portion)
                    break
                sendable = self._sendable(portion, held, skipped)
                for place, version in enumerate(sendable):
                    line = lines.seal(version.body, version.modified)
                    if writer is None:
                        writer = self._spool.begin(request_id)
                    elif writer.bytes + len(line) > self._policy.max_file_bytes:
                        versions.give_back(sendable[place:])
                        most = 0
                        break
                    written.append(PastLine(version.object_id, version.modified, writer.add(line, version.modified)))
            self._book(backfill, request_id, writer, written, skipped)
        finally:
            if writer is not None:
                writer.abandon()

    def _sendable(
        self, portion: Sequence[StagedVersion], held: Mapping[str, int | None], skipped: list[PastRefusal]
    ) -> list[StagedVersion]:
        """Return those versions of a portion that are to be written; those that cannot be go to `skipped`."""
        news = [
            version
            for version in portion
            if version.object_id in held and version.modified > (held[version.object_id] or -math.inf)
        ]
        named = sorted({version.account_id for version in news if version.account_id is not None})
        accounts = self._store.accounts(named) if named else {}
        found = []
        for version in news:
            account = None if version.account_id is None else accounts.get(version.account_id)
            if version.account_id is not None and (account is None or not account.there):
                skipped.append(
                    PastRefusal(
                        version.object_id, version.modified, "connector", "dependency", "accountId", _NO_ACCOUNT
                    )
                )
            else:
                found.append(version)
        return found

    def _book(
        self,
        backfill: Backfill,
        request_id: str,
        writer: SpoolWriter | None,
        written: Sequence[PastLine],
        skipped: Sequence[PastRefusal],
    ) -> None:
        batch = None
        if writer is not None:
            sealed = writer.seal()
            batch = NewBatch(
                PassKind.BACKFILL,
                request_id,
                sealed.name,
                sealed.lines,
                sealed.bytes,
                sealed.sha256,
                priority_of(PassKind.BACKFILL),
            )
            written = [one._replace(line=sealed.line_number(one.line)) for one in written]
        if batch is not None or skipped:
            self._backfills.book(backfill, batch, written, skipped)
            self._observer.event(
                "backfill.progress",
                entity=backfill.name,
                wave=backfill.wave,
                waves=backfill.waves,
                booked=backfill.booked + len(written) + len(skipped),
                versions=backfill.versions,
            )
        if batch is not None:
            self._observer.event(
                "batch.spooled", type=backfill.type.value, request_id=request_id, lines=batch.lines, bytes=batch.bytes
            )

    def _end(self, backfill: Backfill, state: BackfillState) -> None:
        self._backfills.finish(backfill, state)
        Staging.remove(self._spool.directory, _name(backfill))
        self._observer.event("backfill.ended", backfill=backfill.id, entity=backfill.name, state=state.value)


class _Versions:
    """A wave's versions, in portions; a portion that cannot go yet comes again."""

    def __init__(self, versions: Iterator[StagedVersion]) -> None:
        self._versions = versions
        self._first: list[StagedVersion] = []
        self.over = False

    def take(self, number: int) -> list[StagedVersion]:
        """Return the next versions, `number` at most; none when it is `over`."""
        portion, self._first = self._first[:number], self._first[number:]
        portion += islice(self._versions, number - len(portion))
        self.over = not portion
        return portion

    def give_back(self, portion: Sequence[StagedVersion]) -> None:
        """Have these come again."""
        self._first = [*portion, *self._first]


def _name(backfill: Backfill) -> str:
    return f"backfill-{backfill.id}"


def _plus(one: Staged, other: Staged) -> Staged:
    return Staged(max(one.waves, other.waves), *(a + b for a, b in zip(one[1:], other[1:], strict=True)))


def _portions(ids: Iterator[str]) -> Iterator[list[str]]:
    while portion := list(islice(ids, AT_ONCE)):
        yield portion
