"""Reads the whole source and maps every row, to tell what would be refused or not shown; sends and writes nothing."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from connector.clock import Clock
from connector.engine.collisions import MOST
from connector.engine.observe import Observer
from connector.engine.seen import Met, fold
from connector.errors import ConnectorError
from connector.mapping import Entity
from connector.mapping.values import ODD_ID, is_usual_id
from connector.model import KEY, Encoded, Relation, Row
from connector.object_types import ObjectType
from connector.source import key_text

MOST_EXAMPLES: Final = 5
_PROGRESS_ROWS: Final = 10_000
_ALIKE: Final = (
    "it differs from another row's key only by case or trailing blanks; only one of them would be sent"
    " (distinct_keys: exact sends both)"
)
_DUPLICATE: Final = "more than one row has this key; only one of them would be sent"


class Kind(StrEnum):
    """What is the matter with rows."""

    REFUSED = "refused"
    """They would not be sent."""
    DUPLICATE = "duplicate"
    """Their key stands in more than one row of the type, in one source or several, or is too much like another's."""
    NOT_SHOWN = "not_shown"
    """Gong would take them, but may not show the object."""
    WARNING = "warning"
    """A value could not be read, and would be sent as null."""


@dataclass(slots=True)
class Issue:
    """Rows of a type that have the same thing the matter with them."""

    kind: Kind
    type: ObjectType
    field: str
    """Gong's field, or the column; empty when it is the whole row."""
    reason: str
    count: int = 0
    """Rows; for duplicates, keys."""
    examples: list[str] = dataclasses.field(default_factory=list)
    """Some of their keys; of keys that are too much alike, two and two."""


@dataclass(slots=True)
class TypeCount:
    """What a type's rows amount to."""

    type: ObjectType
    rows: int = 0
    lines: int = 0
    """Lines that would be sent, deletions aside."""
    deleted: int = 0
    """Rows that are soft-deleted: sent only where Gong was told of the object."""
    refused: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class Validation:
    """What was found."""

    types: list[TypeCount] = dataclasses.field(default_factory=list)
    issues: list[Issue] = dataclasses.field(default_factory=list)
    """The worst kind first, then by type, the most frequent first."""
    errors: dict[str, str] = dataclasses.field(default_factory=dict)
    """Why an entity source could not be read to its end; the others do not stop for it."""

    @property
    def refused(self) -> int:
        """Rows and keys that would not be sent as the CRM has them."""
        return sum(one.refused + one.duplicates for one in self.types)


class Source(Protocol):
    """What is needed of the CRM's database (connector.source.Source)."""

    def everything(self, relation: Relation) -> Iterator[list[Row]]: ...


def validate(entities: Sequence[Entity], source: Source, clock: Clock, observer: Observer) -> Validation:
    """Read and map all rows of the entity sources.

    Args:
        entities: in Gong's order.
        source: the CRM's database.
        clock: tells which rows' stamps lie in the future.
        observer: is told `validate.progress` now and then.
    """
    found = Validation()
    for object_type in dict.fromkeys(entity.type for entity in entities):
        mine = [entity for entity in entities if entity.type is object_type]
        reading = _TypeReading(object_type, source, int(clock.now()), observer)
        found.errors |= reading.read(mine)
        found.types.append(reading.count)
        found.issues += reading.issues()
    order = list(Kind)
    found.issues.sort(key=lambda issue: order.index(issue.kind))
    return found


class _TypeReading:
    """Reads all sources of one type."""

    def __init__(self, object_type: ObjectType, source: Source, now: int, observer: Observer) -> None:
        self.count = TypeCount(object_type)
        self._source = source
        self._now = now
        self._observer = observer
        self._issues: dict[tuple[Kind, str, str], Issue] = {}
        self._met = Met()

    def read(self, entities: Sequence[Entity]) -> dict[str, str]:
        """Read the sources; return why some of them could not be read to the end."""
        errors = {}
        for entity in entities:
            rows, said = 0, 0
            self._tell("validate.started", entity, rows)
            try:
                for chunk in self._chunks(entity):
                    self._take(entity, chunk)
                    rows += len(chunk)
                    if rows - said >= _PROGRESS_ROWS:
                        said = rows
                        self._tell("validate.progress", entity, rows)
            except ConnectorError as error:
                errors[entity.name] = str(error)
            self._tell("validate.ended", entity, rows)
        self._find_duplicates(entities, errors)
        self._find_alike(entities, errors)
        return errors

    def issues(self) -> list[Issue]:
        """Return what was found, the most frequent first."""
        return sorted(self._issues.values(), key=lambda issue: -issue.count)

    def _tell(self, name: str, entity: Entity, rows: int) -> None:
        self._observer.event(name, entity=entity.name, rows=rows, refused=self.count.refused)

    def _chunks(self, entity: Entity) -> Iterator[Sequence[Row]]:
        if entity.relation is not None:
            yield from self._source.everything(entity.relation)
        elif entity.static_rows:
            yield entity.static_rows

    def _take(self, entity: Entity, rows: Sequence[Row]) -> None:
        made = entity.encode(rows, self._now)
        deleted = sum(line.deleted for line in made.lines)
        self.count.rows += len(rows)
        self.count.lines += len(made.lines) - deleted
        self.count.deleted += deleted
        self.count.refused += len(made.refusals)
        living = [line.object_id for line in made.lines if not line.deleted]
        odd = [object_id for object_id in living if not is_usual_id(object_id)]
        if odd:
            self._add(Kind.NOT_SHOWN, "objectId", ODD_ID, len(odd), odd)
        unfit = [refusal.object_id for refusal in made.refusals if refusal.field != "objectId"]
        self._met.add(
            [*(line.object_id for line in made.lines), *unfit], () if entity.exact_keys else [*living, *unfit]
        )
        for refusal in made.refusals:
            self._add(Kind.REFUSED, refusal.field, refusal.reason, 1, [refusal.object_id])
        self._count(Kind.NOT_SHOWN, entity, rows, made.not_shown, lambda one: one.not_shown)
        self._count(Kind.WARNING, entity, rows, made.warnings, lambda one: one.warnings)

    def _count(
        self,
        kind: Kind,
        entity: Entity,
        rows: Sequence[Row],
        counts: Mapping[tuple[str, str], int],
        of: Callable[[Encoded], Mapping[tuple[str, str], int]],
    ) -> None:
        """Add what a chunk's encoding counts. Only while examples lack are rows looked at one by one for their keys."""
        lacking = set()
        for what, number in counts.items():
            if len(self._add(kind, *what, number, ()).examples) < MOST_EXAMPLES:
                lacking.add(what)
        for row in rows if lacking else ():
            for what in lacking & of(entity.encode([row], self._now)).keys():
                if len(self._add(kind, *what, 0, [key_text(row[KEY]) or "(none)"]).examples) >= MOST_EXAMPLES:
                    lacking.discard(what)
            if not lacking:
                return

    def _add(self, kind: Kind, name: str, reason: str, number: int, keys: Sequence[str]) -> Issue:
        issue = self._issues.setdefault((kind, name, reason), Issue(kind, self.count.type, name, reason))
        issue.count += number
        issue.examples += [key for key in keys[: MOST_EXAMPLES - len(issue.examples)] if key not in issue.examples]
        return issue

    def _find_duplicates(self, entities: Sequence[Entity], errors: Mapping[str, str]) -> None:
        """Count the keys that stood twice; to name some, the rows are read once more, but only until they are found."""
        twice = self._met.ids.repeated()
        self.count.duplicates += len(twice)
        if not twice:
            return
        key = next((entity.relation.key for entity in entities if entity.relation is not None), "objectId")
        self._add(Kind.DUPLICATE, key, _DUPLICATE, len(twice), ())
        for entity in entities:
            if entity.name not in errors and self._name_some(entity, key, twice):
                return

    def _find_alike(self, entities: Sequence[Entity], errors: Mapping[str, str]) -> None:
        """Count the keys that differ from another only by case or trailing blanks, but for one of each kind, and name
        some beside that one: for this the rows are read once more.
        """
        repeated = self._met.alike(MOST)
        first: dict[str, str] = {}
        others = set[str]()
        for entity in entities:
            if not repeated or entity.exact_keys or entity.name in errors:
                continue
            try:
                for chunk in self._chunks(entity):
                    for key in self._living_keys(entity, chunk, repeated):
                        one = first.setdefault(fold(key), key)
                        if one != key and key not in others:
                            others.add(key)
                            self._add(Kind.DUPLICATE, entity.plain.key, _ALIKE, 1, [f"{one!r} and {key!r}"])
            except ConnectorError:
                continue  # it was read a moment ago; what was counted stands
        self.count.duplicates += len(others)

    def _living_keys(self, entity: Entity, rows: Sequence[Row], repeated: set[int]) -> list[str]:
        """Return the keys of rows that are not deleted, of those that repeat but for case and trailing blanks."""
        some = [row for row in rows if hash(fold(key_text(row[KEY]) or "")) in repeated]
        made = entity.encode(some, self._now)
        unfit = [refusal.object_id for refusal in made.refusals if refusal.field != "objectId"]
        return [*(line.object_id for line in made.lines if not line.deleted), *unfit]

    def _name_some(self, entity: Entity, key: str, twice: set[int]) -> bool:
        """Return whether there are examples enough."""
        try:
            for chunk in self._chunks(entity):
                found = [text for row in chunk if (text := key_text(row[KEY])) is not None and hash(text) in twice]
                if len(self._add(Kind.DUPLICATE, key, _DUPLICATE, 0, found).examples) >= min(MOST_EXAMPLES, len(twice)):
                    return True
        except ConnectorError:
            return True  # it was read a moment ago; the count stands, with fewer examples
        return False
