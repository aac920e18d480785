"""Compares the whole source with the ledger: finds changes whose stamps did not move, and rows that are gone."""

from dataclasses import dataclass
from typing import Final

from connector import lines
from connector.clock import Clock
from connector.engine.binding import COMPARED
from connector.engine.guard import Guard
from connector.engine.observe import Observer
from connector.engine.reader import Reader
from connector.engine.reading import End
from connector.engine.seen import Met, Seen
from connector.ledger.holds import Holds
from connector.ledger.records import Counts, HoldKind, Live, Pending
from connector.ledger.store import Store
from connector.mapping import CompiledMapping
from connector.object_types import ObjectType

AT_ONCE: Final = 10_000
"""Objects of the ledger that are looked through at a time."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison of a type found."""

    end: End
    counts: Counts
    """Of the rows."""
    changed: int
    """Objects of which Gong is told something new, gone ones aside."""
    live: int
    """Objects that Gong has or may have."""
    gone: int
    """Those of them that the source has no more."""
    held: int
    """Objects of the type that wait for a person's word, deletions and changes."""


class Reconciler:
    """Compares types. Belongs to the reading thread."""

    def __init__(
        self,
        mapping: CompiledMapping,
        reader: Reader,
        store: Store,
        holds: Holds,
        clock: Clock,
        guard: Guard,
        observer: Observer,
    ) -> None:
        self._mapping = mapping
        self._reader = reader
        self._store = store
        self._holds = holds
        self._clock = clock
        self._guard = guard
        self._observer = observer

    def reconcile(self, object_type: ObjectType) -> Reconciliation | None:
        """Read all sources of a type; send what differs; book as gone what no source has any more.

        Nothing is booked as gone unless every source was read to its end, and the guard lets it; the guard holds what
        is gone when a source gives no row at all. Each of those objects is looked for by key once more before Gong is
        told. Changes that moved no stamp go when the guard lets all of them.

        Returns:
            What was found; None when the type's first load is not over, so that there is nothing to compare with.

        Raises:
            ConnectorError: a source could not be read; nothing is booked as gone.
        """
        entities = [entity for entity in self._mapping.entities if entity.type is object_type]
        cursors = [self._store.cursor(entity.name) for entity in entities]
        if not entities or any(cursor is None or cursor.loaded_at is None for cursor in cursors):
            return None
        self._observer.event("reconcile.started", type=object_type.value)
        met = Met()
        seen = met.ids
        counts, began, empty = Counts(), self._clock.now(), False
        for source, entity in enumerate(entities):
            before = len(seen)
            reading = self._reader.compare(entity, met)
            counts = counts.plus(reading.counts)
            if reading.end is not End.FINISHED:
                return Reconciliation(reading.end, counts, counts.lines, 0, 0, 0)
            if len(seen) == before and self._store.has_live(object_type, source):
                empty = True
                self._observer.event("reconcile.empty", entity=entity.name, alarm=True)
        self._reader.collide(object_type, met)
        live, gone, fresh = self._missing(object_type, seen)
        changed = counts.lines + self._weigh_changes(object_type, live)
        self._weigh_deletions(object_type, fresh, live, empty=empty)
        held = sum(self._show(object_type, kind) for kind in HoldKind)
        refused = self._store.refused_and_deleted(object_type)
        self._store.forget_refusals(object_type, began, [one for one in refused if one not in seen])
        self._store.set_meta(COMPARED + object_type.value, str(began))
        self._observer.event(
            "reconcile.ended",
            type=object_type.value,
            rows=counts.rows,
            changed=changed,
            gone=gone,
            live=live,
            held=held,
        )
        return Reconciliation(End.FINISHED, counts, changed, live, gone, held)

    def compared_at(self, object_type: ObjectType) -> float | None:
        """Return when a type was compared the last time, or its first load was over (seconds since 1970 UTC); None
        while it is not.
        """
        entities = [entity for entity in self._mapping.entities if entity.type is object_type]
        cursors = [self._store.cursor(entity.name) for entity in entities]
        loaded = [cursor.loaded_at for cursor in cursors if cursor is not None and cursor.loaded_at is not None]
        if not entities or len(loaded) < len(entities):
            return None
        compared = self._store.meta(COMPARED + object_type.value)
        return max(loaded) if compared is None else float(compared)

    def _missing(self, object_type: ObjectType, seen: Seen) -> tuple[int, int, list[str]]:
        """Return how many objects Gong has, how many of them were not seen, and those of which that is news."""
        live, gone, after = 0, 0, ""
        fresh: list[str] = []
        while known := self._store.live(object_type, after, AT_ONCE):
            after = known[-1].object_id
            live += len(known)
            missing = [one for one in known if one.object_id not in seen]
            gone += len(missing)
            fresh += [one.object_id for one in missing if not _booked(object_type, one)]
        return live, gone, fresh

    def _weigh_deletions(self, object_type: ObjectType, fresh: list[str], live: int, *, empty: bool) -> None:
        """Let what is gone be deleted, or hold it all."""
        weight = self._holds.weight(object_type, HoldKind.DELETIONS)
        book = self._holds.let_go
        if empty or self._guard.holds(weight, len(fresh), lambda: live):
            book = self._holds.hold
        elif weight.held:
            self._holds.release(object_type, HoldKind.DELETIONS)
        for start in range(0, len(fresh), AT_ONCE):
            book(object_type, fresh[start : start + AT_ONCE])

    def _weigh_changes(self, object_type: ObjectType, live: int) -> int:
        """Let all changes go that moved no stamp, or none; return how many went."""
        weight = self._holds.weight(object_type, HoldKind.CHANGES)
        if not weight.held or self._guard.holds(weight, 0, lambda: live):
            return 0
        return self._holds.release(object_type, HoldKind.CHANGES)

    def _show(self, object_type: ObjectType, kind: HoldKind) -> int:
        held = self._holds.show(object_type, kind)
        if held:
            self._observer.event("guard.held", type=object_type.value, kind=kind.value, objects=held, alarm=True)
        return held


def _booked(object_type: ObjectType, one: Live) -> bool:
    """Tell whether a missing object's deletion is under way, held, behind its history, or refused by Gong."""
    if one.pending in (Pending.GONE, Pending.HELD_DELETION, Pending.HISTORY):
        return True
    return one.refused is not None and one.refused == lines.digest(lines.deletion_body(object_type, one.object_id))
