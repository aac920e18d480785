"""Keys that collide: several rows with one key, and keys that differ only by case or trailing blanks.

Of the first, Gong keeps what it was told; of the second, one object goes on as if it were alone. The others are
refused, and nothing more is sent of them, until a comparison of the whole type finds that the collision is over.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.engine.seen import Met, fold
from connector.ledger.records import (
    ALIKE,
    SAME_KEY,
    Booking,
    Clear,
    Counts,
    ObjectState,
    PassKind,
    Pend,
    Pending,
    Refuse,
)
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.model import KEY, Relation, Row
from connector.object_types import ObjectType
from connector.source import key_text

MOST: Final = 10_000
"""Collisions of a kind that are looked into after one reading: bounds memory."""
_AT_ONCE: Final = 10_000
"""Objects of the ledger that are looked through at a time."""


class Source(Protocol):
    """What is needed of the CRM's database (connector.source.Source)."""

    def everything(self, relation: Relation) -> Iterator[list[Row]]: ...


class _Met(NamedTuple):
    """A row whose key may collide."""

    source: int
    object_id: str
    digest: bytes
    spelt: str
    """The key as the source holds it."""


class _Found:
    """What a second reading found of the keys that repeat."""

    def __init__(self) -> None:
        self.same: dict[tuple[int, str], list[_Met]] = {}
        """By source and key: rows that say different things."""
        self.alike: dict[str, dict[str, _Met]] = {}
        """By what keys have in common: the keys, each with a living row."""

    def note(self, met: _Met, *, repeated: bool, folded: str | None) -> None:
        if repeated:
            rows = self.same.setdefault((met.source, met.object_id), [])
            if len(rows) < 2 and all(row.digest != met.digest for row in rows):
                rows.append(met)
        if folded is not None:
            self.alike.setdefault(folded, {}).setdefault(met.object_id, met)


class Collisions:
    """Finds collisions once a reading has met all rows. Belongs to the reading thread."""

    def __init__(
        self,
        source: Source,
        store: Store,
        clock: Clock,
        observer: Observer,
        named: Callable[[Entity], str],
        alive: Callable[[ObjectType, int, Sequence[str]], set[str]],
        go_on: Callable[[], bool],
    ) -> None:
        """Prepare.

        Args:
            source: the CRM's database.
            store: the ledger.
            clock: the time.
            observer: is told of collisions.
            named: tells what to call a source in a message.
            alive: tells which of some objects have a row in a source of a type that is not deleted.
            go_on: tells whether to read on.
        """
        self._source = source
        self._store = store
        self._clock = clock
        self._observer = observer
        self._named = named
        self._alive = alive
        self._go_on = go_on

    def settle(self, entities: Sequence[Entity], sources: Sequence[int], met: Met, *, whole: bool) -> None:
        """Refuse rows whose keys collide; where the whole type was read, let those go whose collision is over.

        Args:
            entities: all sources of the type.
            sources: the places of those that were read.
            met: what was met.
            whole: every source was read to its end in this reading, so that what was not met is not there.

        Raises:
            ConnectorError: the rows could not be read once more; nothing was changed.
        """
        object_type = entities[0].type
        same, alike = met.ids.repeated(MOST), met.alike(MOST)
        if not (same or alike or whole):
            return
        before = set(self._store.colliding(object_type))
        if not (same or alike or before):
            return
        found = self._look(entities, sources, same, alike)
        if found is None:
            return
        refusals = self._refusals(entities, found)
        ended = dict[str, int]()
        if whole and len(same) < MOST and len(alike) < MOST:
            colliding = {refusal.object_id for _, refusal in refusals}
            ended = self._ended(entities, sorted(before - colliding), refusals)
        if not whole:  # listed already, and nothing is forgotten
            refusals = [(source, refusal) for source, refusal in refusals if refusal.object_id not in before]
        self._book(entities, refusals, ended)
        if refusals:
            self._observer.event("keys.collide", type=object_type.value, objects=len(refusals), alarm=True)

    def _look(
        self, entities: Sequence[Entity], sources: Sequence[int], same: set[int], alike: set[int]
    ) -> _Found | None:
        """Read the rows whose keys repeat, to see whether it is not their hashes only; None: there is no time now."""
        found = _Found()
        if not same and not alike:
            return found
        for source in sources:
            entity = entities[source]
            for chunk in self._chunks(entity):
                if not self._go_on():
                    return None
                for met, deleted in _rows(entity, source, chunk, same, alike):
                    folded = None if deleted or entity.exact_keys else fold(met.object_id)
                    found.note(met, repeated=hash(met.object_id) in same, folded=folded)
        return found

    def _chunks(self, entity: Entity) -> Iterable[Sequence[Row]]:
        return [entity.static_rows] if entity.relation is None else self._source.everything(entity.relation)

    def _refusals(self, entities: Sequence[Entity], found: _Found) -> list[tuple[int, Refuse]]:
        """Return what is refused, each with the place of its source."""
        refusals = {
            object_id: (source, _refuse(entities[source], object_id, SAME_KEY, _same_words(rows)))
            for (source, object_id), rows in found.same.items()
            if len(rows) > 1
        }
        groups = [keys for keys in found.alike.values() if len(keys) > 1]
        ids = [object_id for keys in groups for object_id in keys]
        states = self._store.lookup(entities[0].type, ids) if ids else {}
        for keys in groups:
            stays = min(keys, key=lambda object_id: _rank(object_id, states.get(object_id)))
            other = keys[stays]
            for object_id, met in keys.items():
                if object_id != stays:
                    where = "" if met.source == other.source else f", of {self._named(entities[other.source])},"
                    reason = alike_words(object_id, stays, f"is another row's key{where} and the one that is sent")
                    refusals.setdefault(
                        object_id, (met.source, _refuse(entities[met.source], object_id, ALIKE, reason))
                    )
        return list(refusals.values())

    def _ended(
        self, entities: Sequence[Entity], gone: Sequence[str], refusals: list[tuple[int, Refuse]]
    ) -> dict[str, int]:
        """Return those that collide no longer, each with the place of its source. While Gong still has an object that
        one of them is like, it stays refused: a deletion of the one might take the other with it.
        """
        states = self._store.lookup(entities[0].type, gone) if gone else {}
        folds = {fold(object_id) for object_id, state in states.items() if state.refused == ALIKE}
        there = self._there(entities[0].type, folds)
        ended = {}
        for object_id, state in states.items():
            source = state.source if state.source < len(entities) else 0
            others = there.get(fold(object_id), set()) - {object_id}
            waits = state.refused == ALIKE and others and not entities[source].exact_keys
            if waits and self._alive(entities[0].type, source, [object_id]):
                reason = alike_words(object_id, min(others), "is what Gong still has")
                refusals.append((source, _refuse(entities[source], object_id, ALIKE, reason)))
            else:
                ended[object_id] = source
        return ended

    def _there(self, object_type: ObjectType, folds: set[str]) -> dict[str, set[str]]:
        """Return the objects that Gong has, or may have, with these keys, but for case and trailing blanks."""
        there: dict[str, set[str]] = {}
        after = ""
        while folds and (known := self._store.live(object_type, after, _AT_ONCE)):
            after = known[-1].object_id
            for one in known:
                if one.refused != ALIKE and (folded := fold(one.object_id)) in folds:
                    there.setdefault(folded, set()).add(one.object_id)
        return there

    def _book(self, entities: Sequence[Entity], refusals: Sequence[tuple[int, Refuse]], ended: dict[str, int]) -> None:
        now = self._clock.now()
        for place, entity in enumerate(entities):
            refused = [refusal for source, refusal in refusals if source == place]
            free = [object_id for object_id, source in ended.items() if source == place]
            if not refused and not free:
                continue
            pass_id = self._store.begin_pass(entity.name, PassKind.AGAIN, entity.fingerprint, None)
            self._store.book(
                Booking(
                    type=entity.type,
                    source=place,
                    pass_id=pass_id,
                    counts=Counts(refused=len(refused), pended=len(free)),
                    pends=[Pend(object_id, Pending.RELATED, now, 0, None) for object_id in free],
                    refusals=refused,
                    clears=[Clear(object_id, None, refusal=True) for object_id in free],
                )
            )
            self._store.finish_again(pass_id)


def _rows(
    entity: Entity, source: int, chunk: Sequence[Row], same: set[int], alike: set[int]
) -> Iterator[tuple[_Met, bool]]:
    """Yield the rows of a chunk whose keys repeat, and whether they are deleted; rows without a usable key are none."""
    for row in chunk:
        key = key_text(row[KEY])
        if key is None or (hash(key) not in same and hash(fold(key)) not in alike):
            continue
        spelt = f"{row[KEY]!r} ({type(row[KEY]).__name__})"
        encoded = entity.encode([row], 0)
        for line in encoded.lines:
            yield _Met(source, line.object_id, line.digest, spelt), line.deleted
        for refusal in encoded.refusals:
            if refusal.field != "objectId":
                yield _Met(source, refusal.object_id, refusal.digest, spelt), False


def _rank(object_id: str, state: ObjectState | None) -> tuple[bool, bool, str]:
    """Say who comes first: what was not refused before, what Gong has, then by key."""
    there = state is not None and state.last_modified is not None and not state.told_deleted
    return state is not None and state.refused in (ALIKE, SAME_KEY), not there, object_id


def _refuse(entity: Entity, object_id: str, digest: bytes, reason: str) -> Refuse:
    column = "objectId" if entity.relation is None else entity.relation.key
    return Refuse(object_id, digest, "row", column, reason)


def _same_words(rows: Sequence[_Met]) -> str:
    forms = list(dict.fromkeys(row.spelt for row in rows))
    held = f", held as {' and '.join(forms)}" if len(forms) > 1 else ""
    return f"two different rows have this key{held}; Gong keeps what it was told, and nothing more is sent of them"


def alike_words(object_id: str, other: str, what: str) -> str:
    return (
        f"{object_id!r} differs from {other!r} only by case or trailing blanks; {other!r} {what}. Gong may take the two"
        " for one object; distinct_keys: exact in the mapping sends both"
    )
