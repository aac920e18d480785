"""Works out what a first load, a changed mapping and a day of syncing come to, from counts and a sample of the rows.
Reads only, and asks Gong nothing.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from connector.clock import Clock
from connector.engine.draft import SEAL_BYTES
from connector.engine.forecast import CALLS_PER_FILE, Flow, Load, files_of, load_seconds
from connector.engine.polling import usual
from connector.errors import ConnectorError
from connector.ledger.records import Cursor, ObjectState, Processed
from connector.mapping import Entity
from connector.model import Bound, Line, Relation, Row
from connector.object_types import ObjectType

SAMPLED_ROWS: Final = 1000
DAYS: Final = 7
"""So far back the changes of a day are counted."""
_SCHEMA_CALLS: Final = 2
"""To read the additional fields of a type, and to upload them."""


class Waits(StrEnum):
    """What the next pass does with a source."""

    LOAD = "first load"
    COMPARISON = "comparison (the mapping changed)"
    CHANGES = "changes only"


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What is known of one entity source."""

    name: str
    type: ObjectType
    waits: Waits
    rows: int
    lines: int
    """That the next pass would send; of the sampled rows' share where the sample is not all."""
    bytes: int
    files: int
    calls: int
    refused: int
    """Rows that would be refused, estimated likewise."""
    sampled: int
    changes_a_day: float | None
    """Rows that changed on a day of the last week; None where nothing says when a row changed."""
    read_seconds: float
    interval: float | None
    """Its own seconds between readings."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of all."""

    sources: Sequence[SourcePlan]
    errors: dict[str, str]
    """Why a source could not be looked at."""
    calls: int
    """Of the next pass, schema included."""
    seconds: float
    """Of the next pass, at least."""
    flows: Sequence[Flow]


class Source(Protocol):
    """What is needed of the CRM's database (connector.source.Source)."""

    def count(self, relation: Relation, since: str | None = None) -> int: ...

    def everything(self, relation: Relation) -> Iterator[list[Row]]: ...

    def cursor_bound(self, relation: Relation, overlap: float) -> Bound: ...


class Ledger(Protocol):
    """What is needed of the ledger (connector.ledger.store.Store)."""

    def cursor(self, name: str) -> Cursor | None: ...

    def lookup(self, object_type: ObjectType, ids: Sequence[str]) -> dict[str, ObjectState]: ...

    def processed(self, object_type: ObjectType) -> list[Processed]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that matter."""

    max_file_bytes: int
    calls_per_second: int
    account_wait: float
    poll_min: float


class Planner:
    """Plans for the entity sources of a mapping."""

    def __init__(self, source: Source, ledger: Ledger, clock: Clock, limits: Limits) -> None:
        self._source = source
        self._ledger = ledger
        self._clock = clock
        self._limits = limits

    def plan(
        self, entities: Sequence[Entity], with_fields: Collection[ObjectType], about: Callable[[str], None]
    ) -> Plan:
        """Count and sample every source. One that cannot be read is an error of the plan, and the others go on.

        Args:
            entities: of the mapping, in Gong's order.
            with_fields: types that have additional fields.
            about: is told what is looked at.
        """
        sources: list[SourcePlan] = []
        errors: dict[str, str] = {}
        for entity in entities:
            about(f"Counting {entity.name} ...")
            try:
                sources.append(self._source_plan(entity))
            except ConnectorError as error:
                errors[entity.name] = str(error)
        anew = {one.type for one in sources if one.waits is not Waits.CHANGES}
        calls = sum(one.calls for one in sources) + _SCHEMA_CALLS * len(anew & set(with_fields))
        loads = [
            Load(one.type, one.lines, one.bytes, one.read_seconds, self._usual(one)) for one in sources if one.lines
        ]
        limits = self._limits
        seconds = load_seconds(loads, calls, limits.calls_per_second, limits.account_wait, limits.poll_min)
        flows = [Flow(one.name, one.changes_a_day, one.interval) for one in sources if one.changes_a_day is not None]
        return Plan(sources, errors, calls, seconds if loads else 0.0, flows)

    def _source_plan(self, entity: Entity) -> SourcePlan:
        relation = entity.relation
        cursor = self._ledger.cursor(entity.name)
        loaded = cursor is not None and cursor.loaded_at is not None
        waits = Waits.CHANGES if loaded else Waits.LOAD
        if loaded and cursor is not None and cursor.fingerprint != entity.fingerprint:
            waits = Waits.COMPARISON
        rows = len(entity.static_rows) if relation is None else self._source.count(relation)
        begun = self._clock.monotonic()
        sample = list(entity.static_rows) if relation is None else self._sample(relation)
        made = entity.encode(sample, int(self._clock.now()))
        took = self._clock.monotonic() - begun
        lines = [line for line in made.lines if not line.deleted]
        sent = self._unlike(entity, lines) if loaded else lines
        share = rows / len(sample) if sample else 0.0
        number = round(len(sent) * share)
        size = round(sum(len(line.body) + SEAL_BYTES for line in sent) * share)
        files = files_of(number, size, self._limits.max_file_bytes)
        whole = waits is not Waits.CHANGES
        return SourcePlan(
            name=entity.name,
            type=entity.type,
            waits=waits,
            rows=rows,
            lines=number if whole else 0,
            bytes=size if whole else 0,
            files=files if whole else 0,
            calls=CALLS_PER_FILE * files if whole else 0,
            refused=round(len(made.refusals) * share),
            sampled=len(sample),
            changes_a_day=self._changes_a_day(entity),
            read_seconds=took * share if whole else 0.0,
            interval=entity.interval,
        )

    def _sample(self, relation: Relation) -> list[Row]:
        found: list[Row] = []
        chunks = self._source.everything(relation)
        for chunk in chunks:
            found += chunk[: SAMPLED_ROWS - len(found)]
            if len(found) >= SAMPLED_ROWS:
                break
        close = getattr(chunks, "close", None)
        if close is not None:
            close()  # ends the read, and its transaction, now
        return found

    def _unlike(self, entity: Entity, lines: Sequence[Line]) -> list[Line]:
        """Return the lines that differ from what Gong was told last, or is being told."""
        known = self._ledger.lookup(entity.type, [line.object_id for line in lines])
        return [line for line in lines if line.digest not in _digests(known.get(line.object_id))]

    def _changes_a_day(self, entity: Entity) -> float | None:
        if entity.relation is None:
            return 0.0
        relations = [one for one in (entity.relation, *entity.feeds) if one.modified is not None]
        if not relations:
            return None
        changed = 0
        for relation in relations:
            bound = self._source.cursor_bound(relation, DAYS * 86_400.0)
            changed += self._source.count(relation, bound.modified)
        return changed / DAYS

    def _usual(self, one: SourcePlan) -> float | None:
        return usual(self._ledger.processed(one.type), one.lines // max(one.files, 1))


def _digests(state: ObjectState | None) -> tuple[bytes | None, ...]:
    return () if state is None else (state.told, state.in_flight, state.refused)
