"""Reads objects back from Gong and compares them with what their rows say now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.engine.reading import Source
from connector.errors import BudgetSpent
from connector.gong import MOST_OBJECTS, GongClient
from connector.ledger.records import Priority
from connector.ledger.store import Store
from connector.mapping import CompiledMapping
from connector.object_types import SCHEMA_TYPES, ObjectType

VERIFIABLE: Final = SCHEMA_TYPES
"""Gong reads back accounts, contacts, deals and leads only (GONG_API: "Calls")."""
NOT_COMPARED: Final = ("modifiedDate",)
"""Fields that the connector makes, not the row."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one object that is not in Gong as its row says."""

    object_id: str
    field: str
    """Empty when Gong does not have the object at all."""
    wanted: Any
    found: Any


@dataclass(slots=True)
class Verification:
    """What reading back showed."""

    compared: int = 0
    unsettled: int = 0
    """Objects passed over: changed since, under way, waiting or refused."""
    differing: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    stopped: str | None = None
    """Why not everything was compared; None when it was."""


class Verifier:
    """Compares types with Gong, 100 objects a call, within the budget."""

    def __init__(
        self,
        client: GongClient,
        integration_id: int,
        mapping: CompiledMapping,
        source: Source,
        store: Store,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._client = client
        self._integration_id = integration_id
        self._mapping = mapping
        self._source = source
        self._store = store
        self._clock = clock
        self._observer = observer

    def verify(self, object_type: ObjectType, ids: Sequence[str] | None, limit: int | None) -> Verification:
        """Read objects back and compare.

        Only objects whose row says what Gong was last told are compared: others are on their way, or known not
        to be.

        Args:
            object_type: one of VERIFIABLE.
            ids: which objects; None for all that Gong was told of.
            limit: how many objects at most; None for no limit.

        Raises:
            ConnectorError: the source, the ledger or Gong cannot be reached.
        """
        result = Verification()
        for chunk in self._chunks(object_type, ids, limit):
            wanted = self._wanted(object_type, chunk)
            result.unsettled += len(chunk) - len(wanted)
            if not wanted:
                continue
            try:
                found = self._client.objects(
                    self._integration_id, object_type, list(wanted), priority=Priority.RECONCILE
                )
            except BudgetSpent as error:
                result.stopped = str(error)
                return result
            for object_id, row in wanted.items():
                result.compared += 1
                differences = compare(object_id, row, found.get(object_id))
                if differences:
                    result.differing.add(object_id)
                    result.differences += differences
            self._observer.event("verify.progress", type=object_type.value, compared=result.compared)
        return result

    def _chunks(self, object_type: ObjectType, ids: Sequence[str] | None, limit: int | None) -> Iterator[Sequence[str]]:
        left = limit
        if ids is not None:
            ids = ids[:left]
            yield from (ids[start : start + MOST_OBJECTS] for start in range(0, len(ids), MOST_OBJECTS))
            return
        after = ""
        while chunk := self._store.live(object_type, after, MOST_OBJECTS if left is None else min(left, MOST_OBJECTS)):
            after = chunk[-1].object_id
            yield [one.object_id for one in chunk]
            if left is not None:
                left -= len(chunk)
                if left <= 0:
                    return

    def _wanted(self, object_type: ObjectType, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what Gong should hold for those of the objects that are settled and whose rows did not change."""
        states = self._store.lookup(object_type, ids)
        wanted: dict[str, dict[str, Any]] = {}
        for entity in self._mapping.entities:
            if entity.type is not object_type:
                continue
            rows = () if entity.relation is None else self._source.by_key(entity.relation, ids)
            for line in entity.encode(rows, int(self._clock.now())).lines:
                state = states.get(line.object_id)
                if state is not None and state.pending is None and line.digest == state.told and not line.deleted:
                    wanted[line.object_id] = orjson.loads(line.body + b"}")
        return wanted


def compare(object_id: str, wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> list[Difference]:
    """Return the fields in which what Gong holds is not what was sent; a null and no field are the same."""
    if found is None:
        return [Difference(object_id, "", None, None)]
    return [
        Difference(object_id, name, value, found.get(name))
        for name, value in wanted.items()
        if name not in NOT_COMPARED and not same(value, found.get(name))
    ]


def same(wanted: Any, found: Any) -> bool:
    """Tell whether two values are the same to Gong: numbers by value, times by moment, lists by content."""
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, int | float) and isinstance(found, int | float | Decimal):
        return Decimal(str(wanted)) == Decimal(str(found))
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found or (_moment(wanted) is not None and _moment(wanted) == _moment(found))
    return bool(wanted == found)


def _moment(value: str) -> datetime | None:
    if "T" not in value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
