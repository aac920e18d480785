"""Compares the whole source with the ledger: finds changes whose stamps did not move, and rows that are gone."""

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.engine.reader import End, Reader
from connector.ledger.records import GUARD, Counts
from connector.ledger.store import Store
from connector.mapping import CompiledMapping
from connector.object_types import ObjectType

AT_ONCE: Final = 10_000
"""Objects of the ledger that are looked through at a time."""
FEW: Final = 10
"""So many deletions are never a mass deletion, whatever share of a small type they are."""


@dataclass(frozen=True, slots=True)
class Guard:
    """When deletions are too many to be believed (DELETE_GUARD_COUNT, DELETE_GUARD_PERCENT)."""

    count: int
    percent: float

    def holds(self, gone: int, live: int) -> bool:
        """Tell whether `gone` of `live` objects are more than may be deleted without a person's word."""
        return gone > self.count or (gone > FEW and gone * 100 > live * self.percent)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison of a type found."""

    end: End
    counts: Counts
    """Of the rows; lines are changes that no stamp told of."""
    live: int
    """Objects that Gong has or may have."""
    gone: int
    """Those of them that the source has no more."""
    held: bool
    """The guard let none of them be deleted."""


class Reconciler:
    """Compares types. Belongs to the reading thread."""

    def __init__(
        self, mapping: CompiledMapping, reader: Reader, store: Store, clock: Clock, guard: Guard, observer: Observer
    ) -> None:
        self._mapping = mapping
        self._reader = reader
        self._store = store
        self._clock = clock
        self._guard = guard
        self._observer = observer

    def reconcile(self, object_type: ObjectType, *, allow_deletions: bool = False) -> Reconciliation | None:
        """Read all sources of a type; send what differs; book as gone what no source has any more.

        Nothing is booked as gone unless every source was read to its end, the guard lets it, and none gave no row at
        all. Each of those objects is looked for by key once more before Gong is told.

        Args:
            object_type: what to compare.
            allow_deletions: a person says that many deletions are right.

        Returns:
            What was found; None when the type's first load is not over, so that there is nothing to compare with.

        Raises:
            ConnectorError: a source could not be read; nothing is booked as gone.
        """
        entities = [entity for entity in self._mapping.entities if entity.type is object_type]
        cursors = [self._store.cursor(entity.name) for entity in entities]
        if not entities or any(cursor is None or cursor.loaded_at is None for cursor in cursors):
            return None
        # Hashes instead of ids: eight bytes an object. They are salted anew in each process, so that two ids that
        # meet in one comparison do not meet in the next.
        seen = array("q")
        counts, began = Counts(), self._clock.now()
        for source, entity in enumerate(entities):
            before = len(seen)
            reading = self._reader.compare(entity, lambda ids: seen.extend(map(hash, ids)))
            counts = counts.plus(reading.counts)
            if reading.end is not End.FINISHED:
                return Reconciliation(reading.end, counts, 0, 0, held=False)
            if len(seen) == before and self._store.has_live(object_type, source):
                self._store.set_meta(GUARD + object_type.value, f"all, for {entity.name} gives no row")
                self._observer.event("reconcile.empty", entity=entity.name, alarm=True)
                return Reconciliation(End.FINISHED, counts, 0, 0, held=True)
        return self._delete(object_type, array("q", sorted(seen)), counts, began, allow_deletions)

    def _delete(
        self, object_type: ObjectType, seen: "array[int]", counts: Counts, began: float, allow_deletions: bool
    ) -> Reconciliation:
        live, gone, after = 0, list[str](), ""
        while ids := self._store.live(object_type, after, AT_ONCE):
            after = ids[-1]
            live += len(ids)
            gone += [object_id for object_id in ids if not _contains(seen, hash(object_id))]
        held = self._guard.holds(len(gone), live) and not allow_deletions
        if gone and not held:
            for start in range(0, len(gone), AT_ONCE):
                self._store.mark_gone(object_type, gone[start : start + AT_ONCE])
        if not held:
            self._store.forget_refusals(object_type, began)
        self._store.set_meta(GUARD + object_type.value, f"{len(gone)} of {live}" if held else "")
        self._observer.event(
            "reconcile.ended",
            type=object_type.value,
            rows=counts.rows,
            changed=counts.lines,
            gone=len(gone),
            live=live,
            held=held,
            alarm=held,
        )
        return Reconciliation(End.FINISHED, counts, live, len(gone), held)


def _contains(ordered: "array[int]", value: int) -> bool:
    place = bisect_left(ordered, value)
    return place < len(ordered) and ordered[place] == value
