"""Deletions that a reading decided, weighed together before they are written: all of them go, or none; and those of
accounts go last.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from connector.clock import Clock
from connector.engine.draft import Draft
from connector.engine.guard import Guard
from connector.engine.observe import Observer
from connector.engine.rules import growing
from connector.ledger.holds import Holds
from connector.ledger.records import Clear, HoldKind, ObjectState, Pend, Pending
from connector.model import Line
from connector.object_types import ObjectType


class _Deletion(NamedTuple):
    line: Line
    modified: int
    state: ObjectState | None

    weighed: bool
    """Whether it was let go before."""

    @property
    def held(self) -> bool:
        """Whether it was held before."""
        return self.state is not None and self.state.pending is Pending.HELD_DELETION


class Weighing:
    """The deletions that are decided. Those of a file that is full amid a chunk are weighed with the rest of it."""

    def __init__(
        self,
        draft: Draft,
        holds: Holds,
        guard: Guard,
        clock: Clock,
        observer: Observer,
        waiting: Callable[[Sequence[str]], set[str]],
    ) -> None:
        """`waiting` tells which of some accounts have children whose deletions go first."""
        self._draft = draft
        self._holds = holds
        self._guard = guard
        self._clock = clock
        self._observer = observer
        self._waiting = waiting
        self._deletions: dict[str, _Deletion] = {}

    def __len__(self) -> int:
        return len(self._deletions)

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._deletions

    def add(self, line: Line, modified: int, state: ObjectState | None, *, weighed: bool) -> None:
        """Have a deletion wait for the others; `weighed`: it was let go before."""
        self._deletions[line.object_id] = _Deletion(line, modified, state, weighed)

    def weigh(self) -> None:
        """Write the deletions that were let go before; and the others, or hold them all."""
        deletions, self._deletions = self._deletions, {}
        if not deletions:
            return
        news = [deletion for deletion in deletions.values() if not deletion.weighed]
        held = bool(news) and self._holds_all(news)
        going = [deletion for deletion in deletions.values() if deletion.weighed or not held]
        is_account = self._draft.origin.entity.type is ObjectType.ACCOUNT
        waiting = self._waiting([one.line.object_id for one in going]) if is_account and going else set()
        for deletion in going:
            if deletion.line.object_id in waiting:
                self._put_off(deletion)
            else:
                self._draft.send(deletion.line, deletion.modified, address_of(deletion.state))
            self._draft.let_go += not deletion.weighed

    def _holds_all(self, news: Sequence[_Deletion]) -> bool:
        """Hold deletions if they are too many to be believed; return whether they are."""
        object_type = self._draft.origin.entity.type
        weight = self._holds.weight(object_type, HoldKind.DELETIONS)
        fresh = sum(not deletion.held for deletion in news)
        if not self._guard.holds(weight, fresh, lambda: self._holds.live(object_type)):
            return False
        for deletion in news:
            self.hold(deletion.line, Pending.HELD_DELETION, deletion.state)
        if fresh:
            self._observer.event(
                "guard.held",
                type=object_type.value,
                kind=HoldKind.DELETIONS.value,
                objects=weight.held + fresh,
                alarm=not weight.held,
            )
        return True

    def _put_off(self, deletion: _Deletion) -> None:
        """Have the row be read by key once more when children that are being deleted are gone."""
        tries = 0 if deletion.state is None else deletion.state.tries
        due = self._clock.now() + growing(tries)
        object_id = deletion.line.object_id
        self._draft.pends[object_id] = Pend(object_id, Pending.GONE, due, tries + 1, None)

    def hold(self, line: Line, reason: Pending, state: ObjectState | None) -> None:
        """Have the object wait for a person, unless it does so already."""
        if state is None or state.pending is not reason:
            self._draft.pends[line.object_id] = Pend(line.object_id, reason, None, 0, line.account_id)
        if is_listed(state):
            # What was refused is not what the row says now.
            self._draft.clears[line.object_id] = Clear(line.object_id, None, refusal=True)


def is_listed(state: ObjectState | None) -> bool:
    """Whether the object may stand among the refused, even while it is tried again."""
    return state is not None and (state.refused is not None or state.pending in (Pending.RETRY, Pending.DEPENDENCY))


def address_of(state: ObjectState | None) -> bytes | None:
    """Return a business user's address, hashed, under which Gong knows the object."""
    return None if state is None else state.address
