"""Reads the CRM: passes over an entity source, and pending objects by key. Each method is a tick."""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from structlog.contextvars import bound_contextvars

from connector.clock import Clock
from connector.engine.collisions import Collisions
from connector.engine.draft import Origin
from connector.engine.families import Families
from connector.engine.intake import Intake, Policy
from connector.engine.isolation import plan
from connector.engine.observe import Observer
from connector.engine.reading import HELD_SECONDS, End, Reading, Source
from connector.engine.recovery import Recovery
from connector.engine.seen import Met
from connector.errors import ConnectorError
from connector.ledger.holds import Holds
from connector.ledger.lease import Lease
from connector.ledger.records import Counts, Cursor, Due, Group, Move, PassKind, Priority, priority_of
from connector.ledger.store import Store
from connector.mapping import CompiledMapping, Entity
from connector.model import KEY, Bound, Position, Relation, Row
from connector.object_types import ObjectType
from connector.source import key_text
from connector.spool import Spool

AGAIN_AT_ONCE: Final = 1_000
"""Pending objects read by key in one statement."""
FEED: Final = "feed"
"""Stands for a fingerprint where there is nothing to map."""
EQUAL_STAMP: Final = ""
"""A position's key that comes before every key: reading starts with all rows of that stamp."""


def stayed(bound: Bound, fingerprint: str, cursor: Cursor | None) -> Bound:
    """Return the bound, or the cursor from before where that must stay: what is open now was open then and kept it
    back, or has begun since. A cursor that another mapping made is none.
    """
    if not bound.stay or cursor is None or cursor.cursor is None or cursor.fingerprint != fingerprint:
        return bound
    return replace(bound, modified=cursor.cursor, at=bound.at if cursor.cursor_at is None else cursor.cursor_at)


class Reader:
    """The ticks that read the CRM. Only one thread may call them, for objects are looked up, then booked."""

    def __init__(
        self,
        mapping: CompiledMapping,
        source: Source,
        store: Store,
        holds: Holds,
        spool: Spool,
        clock: Clock,
        policy: Policy,
        overlap: float,
        observer: Observer,
        new_id: Callable[[], str],
        lease: Lease,
        recovery: Recovery,
    ) -> None:
        self._entities: dict[ObjectType, list[Entity]] = {}
        for entity in mapping.entities:
            self._entities.setdefault(entity.type, []).append(entity)
        self._source = source
        self._store = store
        self._holds = holds
        self._spool = spool
        self._clock = clock
        self._policy = policy
        self._overlap = overlap
        self._observer = observer
        self._new_id = new_id
        self._lease = lease
        self._recovery = recovery
        self._collisions = Collisions(source, store, clock, observer, _named, self._alive, self._go_on)
        self._families = Families(self._entities, self._rows, store, clock.now)
        self._stopping = False
        self._alarmed: str | None = None
        """The session of the source that an alarm has named; None once it holds no cursor back any more."""

    def stop(self) -> None:
        """Make a reading that is under way end at its next chunk; callable from any thread."""
        self._stopping = True

    # -- a pass ----------------------------------------------------------------------------------

    def extract(self, entity: Entity) -> Reading:
        """Read what is new in an entity source, from its cursor or from where an unfinished pass stopped.

        Raises:
            ConnectorError: the source, the spool or the ledger failed; what was booked stays booked.
        """
        if not self._spool.room():
            return Reading(End.SPOOL_FULL, PassKind.INCREMENTAL, Counts())
        try:
            for feed in entity.feeds:
                self._follow(entity, feed)
            cursor = self._store.cursor(entity.name)
            kind = self._kind(entity, cursor)
            pass_id, after = self._resume(entity, kind, cursor)
        except ConnectorError as error:
            with contextlib.suppress(ConnectorError):
                self._store.fail_start(entity.name, PassKind.INCREMENTAL, str(error))
            raise
        met = None if kind is PassKind.INCREMENTAL else Met()
        reading = self._pass(entity, kind, pass_id, after, met)
        resumed = cursor is not None and cursor.pass_id == pass_id
        if reading.end is End.FINISHED and met is not None:
            entities = self._entities[entity.type]
            self._collisions.settle(entities, [entities.index(entity)], met, whole=False)
        if reading.end is End.FINISHED and not resumed:
            self._recovery.read(entity)
        return replace(reading, resumed=resumed)

    def compare(self, entity: Entity, met: Met) -> Reading:
        """Read a whole entity source and send what differs, whatever its rows' stamps say. A change that moved no stamp
        is held, for `Reconciler` to weigh, unless it may be the mapping that changed.

        Args:
            entity: what to read; its first load is over.
            met: is told the objects of all rows.

        Raises:
            ConnectorError: as in `extract`; what was seen until then is not everything.
        """
        if not self._spool.room():
            return Reading(End.SPOOL_FULL, PassKind.COMPARISON, Counts())
        if entity.type in self._store.pauses():
            return Reading(End.PAUSED, PassKind.COMPARISON, Counts())
        while self._recovery.awaits(entity):
            # What a restored ledger does not know of lies behind the cursor, which a comparison takes to its end.
            read = self.extract(entity)
            if read.end is not End.FINISHED:
                return replace(read, kind=PassKind.COMPARISON)
        for feed in entity.feeds:
            self._follow(entity, feed)
        cursor = self._store.cursor(entity.name)
        stamped = entity.relation is not None and entity.relation.modified is not None
        silent = stamped and cursor is not None and cursor.fingerprint == entity.fingerprint
        pass_id = self._begin(entity, PassKind.COMPARISON, cursor)
        return self._pass(entity, PassKind.COMPARISON, pass_id, None, met, thorough=True, silent=silent)

    def collide(self, object_type: ObjectType, met: Met) -> None:
        """Refuse rows of a type whose keys collide, by what `compare` met in all its sources, and let those go that
        collide no longer.

        Raises:
            ConnectorError: as in `extract`.
        """
        entities = self._entities[object_type]
        self._collisions.settle(entities, range(len(entities)), met, whole=True)

    def _go_on(self) -> bool:
        """Keep the lease while something is read, and tell whether to read on."""
        self._lease.keep()
        return not self._stopping

    def _pass(
        self,
        entity: Entity,
        kind: PassKind,
        pass_id: int,
        after: Position | None,
        met: Met | None,
        *,
        thorough: bool = False,
        silent: bool = False,
    ) -> Reading:
        self._observer.event(
            "pass.started", entity=entity.name, type=entity.type.value, kind=kind.value, pass_id=pass_id
        )
        with self._intake(
            entity,
            kind,
            pass_id,
            priority=priority_of(kind),
            thorough=thorough,
            silent=silent,
            met=met,
            first=kind is PassKind.LOAD and self._store.is_empty(entity.type),
        ) as intake:
            try:
                with _without_old_objects():
                    end = self._read(entity, kind, after, intake)
            except ConnectorError as error:
                error.pass_id = pass_id
                with contextlib.suppress(ConnectorError):
                    self._store.fail_pass(pass_id, str(error))
                raise
        self._observer.event(
            "pass.ended",
            entity=entity.name,
            type=entity.type.value,
            kind=kind.value,
            pass_id=pass_id,
            end=end.value,
            rows=intake.total.rows,
            lines=intake.total.lines,
            skipped=intake.total.skipped,
            refused=intake.total.refused,
            pended=intake.total.pended,
        )
        return Reading(end, kind, intake.total)

    def _kind(self, entity: Entity, cursor: Cursor | None) -> PassKind:
        if cursor is None or cursor.loaded_at is None:
            return PassKind.LOAD
        if cursor.fingerprint != entity.fingerprint:
            return PassKind.COMPARISON
        timed = entity.relation is not None and entity.relation.modified is not None
        return PassKind.INCREMENTAL if timed else PassKind.COMPARISON

    def _resume(self, entity: Entity, kind: PassKind, cursor: Cursor | None) -> tuple[int, Position | None]:
        """Return the pass to go on with, begun anew if need be, and the position after which to read."""
        if cursor is not None and cursor.pass_fingerprint == entity.fingerprint and cursor.position is not None:
            assert cursor.pass_id is not None, "a position belongs to a pass"
            return cursor.pass_id, cursor.position
        pass_id = self._begin(entity, kind, cursor)
        if kind is not PassKind.INCREMENTAL or cursor is None or cursor.cursor is None:
            return pass_id, None
        return pass_id, Position(cursor.cursor, EQUAL_STAMP)

    def _begin(self, entity: Entity, kind: PassKind, cursor: Cursor | None) -> int:
        """Book the start of a pass. Its bound is read before the rows: what is committed from here on is read by
        the next pass.
        """
        relation = entity.relation
        bound = None
        if relation is not None and relation.modified is not None:
            bound = self._bound(relation, entity.fingerprint, cursor)
        return self._store.begin_pass(entity.name, kind, entity.fingerprint, bound)

    def _bound(self, relation: Relation, fingerprint: str, cursor: Cursor | None) -> Bound:
        """Return where the cursor may go after the pass; who keeps it back for long is named once."""
        bound = self._source.cursor_bound(relation, self._overlap)
        holder = bound.holder
        if holder is None or bound.now - holder.since < HELD_SECONDS:
            self._alarmed = None
        elif self._alarmed != holder.session:
            self._alarmed = holder.session
            self._observer.event(
                "cursor.held",
                session=holder.session,
                user=holder.user,
                application=holder.application,
                state=holder.state,
                minutes=int((bound.now - holder.since) / 60),
                alarm=True,
            )
        return stayed(bound, fingerprint, cursor)

    def _follow(self, entity: Entity, feed: Relation) -> None:
        """Book as pending the objects that another table says have changed. The first time, only note from when on:
        the entity's own pass, which comes next, reads everything before.
        """
        cursor = self._store.cursor(feed.name)
        bound = self._bound(feed, FEED, cursor)
        pass_id = self._store.begin_pass(feed.name, PassKind.RELATED, FEED, bound)
        with self._intake(entity, PassKind.RELATED, pass_id) as intake:
            if cursor is not None and cursor.cursor is not None:
                # Always from the cursor: behind the place where an interrupted reading stood, rows may have come.
                for chunk in self._source.changes(feed, Position(cursor.cursor, EQUAL_STAMP)):
                    if self._stopping:
                        return
                    self._lease.keep()
                    intake.related(key for row in chunk if (key := key_text(row[KEY])) is not None)
                    if intake.full:
                        intake.book(None)
            intake.book(Move(feed.name, finished=True))

    def _read(
        self,
        entity: Entity,
        kind: PassKind,
        after: Position | None,
        intake: Intake,
    ) -> End:
        relation = entity.relation
        ordered = relation is not None and relation.modified is not None and kind is not PassKind.COMPARISON
        position = None
        for chunk, stamped in self._chunks(entity, kind, after):
            if self._stopping:
                return End.STOPPED
            if entity.type in self._store.pauses():
                return End.PAUSED
            self._lease.keep()
            intake.take(chunk)
            if stamped and ordered and relation is not None:
                position = self._source.position(relation, chunk[-1])
            if intake.full or (intake.sealed_any and not self._spool.room()):
                intake.book(Move(entity.name, position))
                if not self._spool.room():
                    return End.SPOOL_FULL
        intake.book(Move(entity.name, finished=True))
        return End.FINISHED

    def _chunks(self, entity: Entity, kind: PassKind, after: Position | None) -> Iterator[tuple[Sequence[Row], bool]]:
        """Yield chunks of rows, and whether they come in the order of the cursor."""
        relation = entity.relation
        if relation is None:
            if entity.static_rows:
                yield entity.static_rows, False
        elif relation.modified is None or kind is PassKind.COMPARISON:
            for chunk in self._source.everything(relation):
                yield chunk, False
        else:
            for chunk in self._source.changes(relation, after):
                yield chunk, True
            for chunk in self._source.unstamped(relation):
                yield chunk, False

    # -- pending objects -------------------------------------------------------------------------

    def again(self, object_type: ObjectType) -> Reading | None:
        """Read the rows of all pending objects of a type whose time has come, and decide about them anew: as few files
        as their lines fit into, and one for each piece of an isolation.

        Returns:
            What was done; None when nothing was due, or the spool has no room.
        """
        self._isolate(object_type)
        if not self._spool.room():
            return None
        counts, end, entities = Counts(), None, self._entities[object_type]
        passes: dict[int, int] = {}
        for group in self._store.due_groups(object_type):
            # Objects of a source that the mapping file does not have any more are looked for in the first one.
            source = group.source if group.source < len(entities) else 0
            entity = entities[source]
            if source not in passes:
                passes[source] = self._store.begin_pass(entity.name, PassKind.AGAIN, entity.fingerprint, None)
            pass_id = passes[source]
            urgency = Priority.RECONCILE
            with self._intake(entity, PassKind.AGAIN, pass_id, priority=urgency, isolation=group.isolation) as intake:
                end = self._again(entity, group, intake)
            counts = counts.plus(intake.total)
            if end is not End.FINISHED:
                break
        for pass_id in passes.values():
            self._store.finish_again(pass_id)
        return None if end is None else Reading(end, PassKind.AGAIN, counts)

    def _isolate(self, object_type: ObjectType) -> None:
        """Cut what is left of failed files into pieces, or have it sent where no bad line is left."""
        now = self._clock.now()
        for isolation in self._store.isolations(object_type):
            step = plan(isolation, now)
            if step is None:
                continue
            self._store.isolate(
                isolation.id,
                pieces=step.pieces,
                pieces_due=step.pieces_due,
                due=step.due,
                release=step.release,
                ended=step.ended,
            )
            self._observer.event(
                "isolation.ended" if step.ended else "isolation.cut",
                type=object_type.value,
                isolation=isolation.id,
                pieces=step.pieces,
                lines=isolation.waiting,
                bad=isolation.bad,
            )

    def _again(self, entity: Entity, group: Group, intake: Intake) -> End:
        """Read what is due of a group, in portions, each in a snapshot of its own."""
        after: Due | None = None
        open_ids: set[str] = set()  # one that became due again meanwhile is not the same key twice
        while due := self._store.due(entity.type, AGAIN_AT_ONCE, group=group, after=after):
            if self._stopping:
                return End.STOPPED
            self._lease.keep()
            after = due[-1]
            keys = [item.object_id for item in due if item.object_id not in open_ids]
            open_ids.update(keys)
            intake.hurry(priority_of(PassKind.AGAIN, [item.reason for item in due]))
            found = intake.take(self._rows(entity, keys)) if keys else set()
            missing = [key for key in keys if key not in found]
            states = self._store.lookup(entity.type, missing) if missing else {}
            for key in missing:
                intake.gone(key, states.get(key))
            if intake.full or (intake.sealed_any and not self._spool.room()):
                intake.book(None)
                open_ids.clear()
                if not self._spool.room():
                    return End.SPOOL_FULL
        intake.book(None)
        return End.FINISHED

    def _rows(self, entity: Entity, keys: Sequence[str]) -> Sequence[Row]:
        if entity.relation is None:
            wanted = set(keys)
            return [row for row in entity.static_rows if str(row[KEY]) in wanted]
        return self._source.by_key(entity.relation, keys)

    @contextlib.contextmanager
    def _intake(
        self,
        entity: Entity,
        kind: PassKind,
        pass_id: int,
        *,
        priority: Priority = Priority.INCREMENTAL,
        thorough: bool = False,
        silent: bool = False,
        isolation: int | None = None,
        met: Met | None = None,
        first: bool = False,
    ) -> Iterator[Intake]:
        """Decide about what is read in the block. Whatever is logged meanwhile bears the pass's id and its type."""
        intake = Intake(
            Origin(entity, self._entities[entity.type].index(entity), kind, pass_id, isolation),
            self._store,
            self._holds,
            self._spool,
            self._clock,
            self._policy,
            self._observer,
            self._new_id,
            lambda source, ids: self._alive(entity.type, source, ids),
            lambda source: _named(self._entities[entity.type][source]),
            self._families,
            priority=priority,
            thorough=thorough,
            doubted=None if self._recovery.doubt is None else self._recovery.doubt.batch,
            silent=silent,
            met=met,
            first=first,
        )
        with bound_contextvars(pass_id=pass_id, type=entity.type.value), intake:
            yield intake

    def _alive(self, object_type: ObjectType, source: int, ids: Sequence[str]) -> set[str]:
        """Return which of some objects have a row in that source of the type that is not deleted."""
        entities = self._entities[object_type]
        if source >= len(entities):
            return set()
        encoded = entities[source].encode(self._rows(entities[source], ids), int(self._clock.now()))
        live = {line.object_id for line in encoded.lines if not line.deleted}
        return live | {refusal.object_id for refusal in encoded.refusals}


@contextlib.contextmanager
def _without_old_objects() -> Iterator[None]:
    """Have the garbage collector leave alone what there was before: the many lines of a file make it look often, and
    each time it would look through every module, too. That took a tenth of a first load.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _named(entity: Entity) -> str:
    """Return what to call an entity source in a message: as in the mapping file, with its table."""
    table = None if entity.relation is None else entity.relation.table
    return entity.name if table is None else f"{entity.name} (table {table})"
