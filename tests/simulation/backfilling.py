"""Somebody sends the history that the CRM kept: begun at any moment, gone on with, stopped, forgotten."""

import random
import uuid
from typing import Any, Final

from connector.engine.operations import histories
from connector.engine.sync import NOW, Steps
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError
from connector.ledger.backfills import Backfill, BackfillState, PastRefusal
from connector.object_types import ObjectType

TURNS: Final = (1, 3, 40)
"""Steps of a backfill that are taken in one tick, at most."""


class Backfilling:
    """The backfills of the one type that has a history. Draws from `chance` only."""

    def __init__(self, kind: str, chance: random.Random) -> None:
        self.files: dict[str, int] = {}
        """Which backfill a file is of, by the client request id."""
        self.ended: dict[int, Backfill] = {}
        self.refused: dict[int, list[PastRefusal]] = {}
        """Versions that an ended backfill skipped."""
        self._kind = ObjectType(kind)
        self._chance = chance
        self._asked = ""
        self._steps: Steps[Any] | None = None
        self._stopping: Steps[Any] | None = None
        self._at_work: Wiring | None = None

    def tick(self, wiring: Wiring) -> None:
        """Go on with a backfill, or begin one, or have it stopped."""
        if self._stopping is None and self._steps is not None and self._chance.random() < 0.04:
            self._stopping = wiring.backfiller.stop(self._name(wiring))
        if self._steps is None:
            self._begin(wiring)
        self._advance(wiring)

    def finish(self, wiring: Wiring) -> None:
        """Go on with what is under way; if nothing ever came to its end, begin once more."""
        active = wiring.backfills.active()
        if self._stopping is None and any(one.state is BackfillState.STOPPING for one in active):
            self._stopping = wiring.backfiller.stop(self._name(wiring))
        elif self._stopping is None and self._steps is None and (active or not self._done):
            self._begin(wiring)
        self._advance(wiring)

    def under_way(self, wiring: Wiring) -> bool:
        """Tell whether a backfill has not ended, or whether none came to its end yet."""
        return bool(self._steps or self._stopping or wiring.backfills.active()) or not self._done

    def forget(self) -> Steps[Any] | None:
        """The process is gone, and its work with it: return what it would go on with, were it not."""
        left, self._steps, self._stopping = self._steps, None, None
        return left

    def spooled(self, wiring: Wiring, request_id: str) -> None:
        """Take note of an id that is given to a file: a backfill's, if it is its turn."""
        if self._at_work is wiring:
            (active,) = wiring.backfills.active(self._name(wiring))
            self.files[request_id] = active.id

    @property
    def _done(self) -> bool:
        return any(one.state is BackfillState.DONE for one in self.ended.values())

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, wiring: Wiring) -> None:
        ((entity, history),) = histories(wiring, self._kind)
        if not self._asked or self._chance.random() < 0.5:
            self._asked = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        self._steps = wiring.backfiller.steps(entity, history, self._asked, None, None)

    def _advance(self, wiring: Wiring) -> None:
        self._stopping = self._turns(wiring, self._stopping)
        self._steps = self._turns(wiring, self._steps)

    def _turns(self, wiring: Wiring, steps: Steps[Any] | None) -> Steps[Any] | None:
        """Take steps until one has to wait; return what is left of them."""
        for _ in range(self._chance.choice(TURNS) if steps is not None else 0):
            assert steps is not None
            self._at_work = wiring
            try:
                until = next(steps)
            except StopIteration as end:
                self._note(wiring, end.value)
                return None
            except ConnectorError:
                if steps is self._steps:
                    self._steps = None
                if steps is self._stopping:
                    self._stopping = None
                raise
            finally:
                self._at_work = None
            if until != NOW:
                break
        return steps

    def _note(self, wiring: Wiring, ended: Backfill | None) -> None:
        if ended is not None:
            self.ended[ended.id] = ended
            self.refused[ended.id] = wiring.backfills.refusals(ended.id)

    def _name(self, wiring: Wiring) -> str:
        ((entity, _),) = histories(wiring, self._kind)
        return entity.name
