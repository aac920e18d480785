"""Deletions that a reading decided, weighed together before they are written: all of them go, or none."""

from typing import NamedTuple

from connector.engine.draft import Draft
from connector.engine.guard import Guard
from connector.engine.observe import Observer
from connector.ledger.holds import Holds
from connector.ledger.records import Clear, HoldKind, ObjectState, Pend, Pending
from connector.model import Line


class _Deletion(NamedTuple):
    line: Line
    modified: int
    state: ObjectState | None

    @property
    def held(self) -> bool:
        """Whether it was held before."""
        return self.state is not None and self.state.pending is Pending.HELD_DELETION


class Weighing:
    """The deletions that are decided. Those of a file that is full amid a chunk are weighed with the rest of it."""

    def __init__(self, draft: Draft, holds: Holds, guard: Guard, observer: Observer) -> None:
        self._draft = draft
        self._holds = holds
        self._guard = guard
        self._observer = observer
        self._deletions: dict[str, _Deletion] = {}

    def __len__(self) -> int:
        return len(self._deletions)

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._deletions

    def add(self, line: Line, modified: int, state: ObjectState | None) -> None:
        """Have a deletion wait for the others."""
        self._deletions[line.object_id] = _Deletion(line, modified, state)

    def weigh(self) -> None:
        """Write the deletions, or hold them all."""
        deletions, self._deletions = self._deletions, {}
        if not deletions:
            return
        object_type = self._draft.origin.entity.type
        weight = self._holds.weight(object_type, HoldKind.DELETIONS)
        fresh = sum(not deletion.held for deletion in deletions.values())
        if not self._guard.holds(weight, fresh, lambda: self._holds.live(object_type)):
            for deletion in deletions.values():
                self._draft.send(deletion.line, deletion.modified, address_of(deletion.state))
                self._draft.let_go += 1
            return
        for deletion in deletions.values():
            self.hold(deletion.line, Pending.HELD_DELETION, deletion.state)
        if fresh:
            self._observer.event(
                "guard.held",
                type=object_type.value,
                kind=HoldKind.DELETIONS.value,
                objects=weight.held + fresh,
                alarm=not weight.held,
            )

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
