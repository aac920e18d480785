"""Compares what Gong shows for a moment of the past with what the history says of it; where nobody can ask Gong for
a moment, tells what the history says, and whether the ledger knows it as sent.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from connector.clock import Clock
from connector.engine.history import HistorySource
from connector.engine.observe import Observer
from connector.engine.verifier import NOT_COMPARED, Difference, compare
from connector.errors import BudgetSpent
from connector.gong import MOST_OBJECTS, GongClient
from connector.ledger.backfills import Backfill, Backfills, BackfillState
from connector.ledger.records import ObjectState, Priority
from connector.ledger.store import Store
from connector.mapping import Entity, History
from connector.model import KEY, Line, Past, Version
from connector.object_types import ObjectType
from connector.source import key_text

LIVE_AT_ONCE: Final = 10_000
"""Ids of the ledger that are looked at at a time while some are drawn."""


class Standing(StrEnum):
    """What the ledger knows of the state that an object was in at a moment."""

    NOTHING = "nothing"
    """The history says nothing of the moment: the object was not there yet, or nothing was kept of it."""
    PRESENT = "present"
    """It is the present state, which Gong was told."""
    SENT = "sent"
    """A backfill that came to its end covered it."""
    UNSENT = "not sent"
    """No such backfill did."""


class Refusal(NamedTuple):
    """A version that was true at the moment and was refused, so that Gong goes on showing the one before."""

    object_id: str
    stamp: int
    """Its date (seconds since 1970 UTC)."""
    reason: str


@dataclass(frozen=True, slots=True)
class Then:
    """What Gong should show of an object for a moment."""

    object_id: str
    stamp: int | None
    """Since when it was so (seconds since 1970 UTC); None where it was not there, or nobody knows."""
    fields: Mapping[str, Any] | None
    """As they are sent; None where the object was not there."""
    standing: Standing
    refused: Refusal | None


@dataclass(slots=True)
class PastVerification:
    """What looking at a moment showed."""

    answered: bool = True
    """Whether Gong can be asked for a moment; else nothing was compared, and `thens` are what is known."""
    compared: int = 0
    passed_over: int = 0
    """Objects on their way, waiting, refused or changed since, or whose row does not say since when it holds."""
    differing: dict[str, Then] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    thens: list[Then] = field(default_factory=list)
    stopped: str | None = None
    """Why not everything was compared; None when it was."""


class _Sent(NamedTuple):
    """What the ledger knows of an entity source's backfills."""

    done: Sequence[Backfill]
    refused: Mapping[tuple[str, int], str]
    """(object, modifiedDate) → reason."""


class PastVerifier:
    """Looks at moments of the past, 100 objects a call, within the budget."""

    def __init__(
        self,
        client: GongClient,
        integration_id: int,
        source: HistorySource,
        store: Store,
        backfills: Backfills,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._client = client
        self._integration_id = integration_id
        self._source = source
        self._store = store
        self._backfills = backfills
        self._clock = clock
        self._observer = observer

    def verify(
        self,
        object_type: ObjectType,
        histories: Sequence[tuple[Entity, History]],
        at: int,
        ids: Sequence[str] | None,
        sample: int,
    ) -> PastVerification:
        """Compare what Gong shows for a moment with the last version that is not after it.

        Args:
            object_type: one that Gong reads back.
            histories: the type's entity sources that have a history, with it.
            at: the moment (seconds since 1970 UTC), not in the future.
            ids: which objects; None draws some of those that Gong was told of, the same ones for the same moment.
            sample: how many are drawn at most.

        Raises:
            ConnectorError: the source, the ledger or Gong cannot be reached.
        """
        result = PastVerification()
        sent = {entity.name: self._sent(entity) for entity, _ in histories}
        chosen = self._drawn(object_type, at, sample) if ids is None else list(ids)
        for start in range(0, len(chosen), MOST_OBJECTS):
            chunk = chosen[start : start + MOST_OBJECTS]
            thens = self._thens(object_type, histories, sent, chunk, at)
            result.passed_over += len(chunk) - len(thens)
            result.refused += [then.refused for then in thens if then.refused is not None]
            if not self._asked(object_type, result, thens, at):
                return result
            self._observer.event("verify.progress", type=object_type.value, compared=result.compared)
        return result

    def _asked(self, object_type: ObjectType, result: PastVerification, thens: Sequence[Then], at: int) -> bool:
        """Compare objects with what Gong shows of them, where it can; return False when the calls are spent."""
        if not thens:
            return True
        if result.answered:
            ids = [then.object_id for then in thens]
            try:
                found = self._client.objects_at(self._integration_id, object_type, ids, at, priority=Priority.RECONCILE)
            except BudgetSpent as error:
                result.stopped = str(error)
                return False
            if found is not None:
                _compare(result, thens, found)
                return True
            result.answered = False
        result.thens += thens
        return True

    # -- which objects ---------------------------------------------------------------------------

    def _drawn(self, object_type: ObjectType, at: int, sample: int) -> list[str]:
        """Draw objects by a hash of their ids: memory holds no more than those that are drawn."""

        def lot(object_id: str) -> bytes:
            return blake2b(f"{at} {object_id}".encode(), digest_size=8).digest()

        return sorted(heapq.nsmallest(sample, self._live(object_type), key=lot))

    def _live(self, object_type: ObjectType) -> Iterator[str]:
        after = ""
        while chunk := self._store.live(object_type, after, LIVE_AT_ONCE):
            after = chunk[-1].object_id
            yield from (one.object_id for one in chunk)

    # -- what they were --------------------------------------------------------------------------

    def _sent(self, entity: Entity) -> _Sent:
        """The refusals are those of the last backfill: what an earlier one skipped, that one may have sent."""
        own = [one for one in self._backfills.all() if one.name == entity.name]
        refused = self._backfills.refusals(own[0].id) if own else []
        return _Sent(
            [one for one in own if one.state is BackfillState.DONE],
            {(one.object_id, one.modified): one.reason for one in refused},
        )

    def _thens(
        self,
        object_type: ObjectType,
        histories: Sequence[tuple[Entity, History]],
        sent: Mapping[str, _Sent],
        ids: Sequence[str],
        at: int,
    ) -> list[Then]:
        """Return what those of the objects were whose present is told and settled."""
        states = self._store.lookup(object_type, ids)
        now = int(self._clock.now())
        found: list[Then] = []
        for entity, history in histories:
            assert entity.relation is not None, "only what is read from the source has a history"
            rows = {key_text(row[KEY]): row for row in self._source.by_key(entity.relation, ids)}
            kept = self._source.by_object_of(history.relation, ids)
            for line in entity.encode(list(rows.values()), now).lines:
                state = states.get(line.object_id)
                if state is None or state.pending is not None or line.deleted or line.digest != state.told:
                    continue
                past = history.past(line.object_id, rows[line.object_id], kept.get(line.object_id, ()), now)
                then = _then(past, line, state, sent[entity.name], at)
                if then is not None:
                    found.append(then)
        return found


def _then(past: Past, present: Line, state: ObjectState, sent: _Sent, at: int) -> Then | None:
    """Return what an object was at a moment; None where nobody can say what Gong was told for it."""
    refusals = {stamp: one.reason for stamp, one in past.refused}
    refusals |= {
        version.stamp: sent.refused[past.object_id, version.stamp]
        for version in past.versions
        if (past.object_id, version.stamp) in sent.refused
    }
    version = next((one for one in reversed(past.versions) if one.stamp <= at and one.stamp not in refusals), None)
    if at >= (state.last_modified or 0) or _holds(present, version, at):
        # Told with its own date, or else when it was sent.
        since = present.stamp if present.stamp is not None and present.stamp <= at else state.last_modified
        return Then(past.object_id, since, _fields(present), Standing.PRESENT, None)
    if present.stamp is None and not any(one.stamp > at for one in past.versions):
        return None
    earlier = -1 if version is None else version.stamp
    skipped = max((stamp for stamp in refusals if earlier < stamp <= at), default=None)
    refused = None if skipped is None else Refusal(past.object_id, skipped, refusals[skipped])
    if version is None:
        return Then(past.object_id, None, None, Standing.NOTHING, refused)
    standing = Standing.SENT if any(_covers(one, past, version) for one in sent.done) else Standing.UNSENT
    return Then(past.object_id, version.stamp, _fields(version.line), standing, refused)


def _holds(present: Line, version: Version | None, at: int) -> bool:
    """Tell whether the present row held at a moment already: from its own date on, if no later version is known."""
    stamp = present.stamp
    return stamp is not None and stamp <= at and (version is None or version.stamp <= stamp)


def _covers(backfill: Backfill, past: Past, version: Version) -> bool:
    """Tell whether a backfill was to send a version."""
    if version.stamp > backfill.started_at or (backfill.until is not None and version.stamp > backfill.until):
        return False
    since = backfill.since
    return since is None or not any(version.stamp < one.stamp <= since for one in past.versions)


def _fields(line: Line) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(line.body + b"}")
    return fields


def _compare(result: PastVerification, thens: Sequence[Then], found: Mapping[str, Mapping[str, Any] | None]) -> None:
    for then in thens:
        result.compared += 1
        differences = _differences(then, found.get(then.object_id))
        if differences:
            result.differing[then.object_id] = then
            result.differences += differences


def _differences(then: Then, found: Mapping[str, Any] | None) -> list[Difference]:
    if then.fields is not None:
        return compare(then.object_id, then.fields, found)
    return [
        Difference(then.object_id, name, None, value)
        for name, value in (found or {}).items()
        if name not in (*NOT_COMPARED, "objectId") and value is not None
    ]
