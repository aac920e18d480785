"""Notices that Gong was told more than the ledger knows, and brings the ledger back to the truth.

A mark beside the spool says how far the ledger had come. Where the ledger is behind it (restored from a backup), or is
another one:
1. lines that were on their way are waited for, so that nothing newer meets them at Gong;
2. each entity source is read from the stored cursor on, and nothing that the ledger knew before is a reason to skip;
3. each type is compared whole, which finds what no stamp tells and what is gone.
Every step is booked when it is through, and taken up again after a crash.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.errors import BudgetSpent, ConnectorError, LeaseLost, LedgerUnavailable
from connector.gong import GongClient, StatusOutcome, StatusResult
from connector.ledger.epoch import Doubt, Epoch, State, Step
from connector.ledger.lease import Lease
from connector.ledger.records import UNSETTLED, Priority
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.model import Processing
from connector.object_types import ObjectType
from connector.spool import Mark, Spool, SpoolUnavailable

UNKNOWN_SECONDS: Final = 900.0
"""How long Gong may not know a file that nobody booked, before it is taken for one that never left."""
PATIENCE_SECONDS: Final = 6 * 3600.0
"""How long such a file is waited for at most."""
POLL_SECONDS: Final = 5.0
"""Until such a file is asked for again; each time twice as long: one that is stuck must not use up the day's calls."""
MOST_POLL_SECONDS: Final = 300.0
AGAIN_SECONDS: Final = 60.0
"""Between two tries to compare a type whose source cannot be read."""


class Recovery:
    """What is to be done until the ledger can be believed. Belongs to the reading thread; `begin` comes first."""

    def __init__(
        self,
        epoch: Epoch,
        store: Store,
        spool: Spool,
        client: Callable[[], tuple[GongClient, int]],
        lease: Lease,
        clock: Clock,
        observer: Observer,
    ) -> None:
        """Note what to work with; `client` gives Gong's API and the integration when they are needed."""
        self._epoch = epoch
        self._store = store
        self._spool = spool
        self._client = client
        self._lease = lease
        self._clock = clock
        self._observer = observer
        self._state: State | None = None
        self._again_at = 0.0

    # -- the start -------------------------------------------------------------------------------

    def begin(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Hold the ledger against the mark, once a process; holding the lease, before anything is read or removed.

        Waits for lines on their way that no booking knows of, hours at the worst, until `stopped`.

        Raises:
            SpoolUnavailable: the mark cannot be read.
        """
        if self._state is not None:
            return
        state, mark = self._epoch.state(), self._spool.mark()
        if mark is not None and (mark.ledger != state.ledger or mark.counter > state.counter):
            same = mark.ledger == state.ledger
            # One ahead of the mark: if the process dies before the mark follows, this is not found a second time.
            self._epoch.doubt(mark.counter + 1 if same else state.counter)
            state = self._epoch.state()
            self._observer.event("ledger.restored" if same else "ledger.replaced", alarm=True)
        self._follow(state.ledger, state.counter)
        if state.doubt is not None:
            self._settle_lost(state.doubt, stopped)
        self._state = state

    def booked(self, counter: int) -> None:
        """Let the mark follow a batch that was booked."""
        if self._state is not None:
            self._follow(self._state.ledger, counter)

    def _follow(self, ledger: str, counter: int) -> None:
        try:
            self._spool.set_mark(Mark(ledger, counter))
        except SpoolUnavailable as error:  # what is booked is booked; a later batch's mark says the same
            self._observer.event("ledger.unmarked", error=str(error), alarm=True)

    def _settle_lost(self, doubt: Doubt, stopped: Callable[[], bool]) -> None:
        """Wait until Gong has settled files that were booked after the backup: they lie in the spool until then.

        They are never uploaded: nobody knows what they say.
        """
        needed = {batch.file for batch in self._store.batches(UNSETTLED)}
        for name in self._spool.leftovers().sealed:
            if name in needed:
                continue
            self._observer.event("ledger.awaits", file=name)
            pause = POLL_SECONDS
            while not self._is_over(name, doubt):
                if self._rests(pause, stopped):
                    return
                pause = min(2 * pause, MOST_POLL_SECONDS)
            self._spool.remove(name)

    def _rests(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        """Wait so long, keeping the lease; return True at once when `stopped` says so."""
        until = self._clock.now() + seconds
        while (left := until - self._clock.now()) > 0:
            if stopped():
                return True
            self._lease.keep()
            self._clock.sleep(min(left, POLL_SECONDS))
        return stopped()

    def _is_over(self, request_id: str, doubt: Doubt) -> bool:
        client, integration_id = self._client()
        waited = self._clock.now() - doubt.at
        try:
            answer = client.status(integration_id, request_id, priority=Priority.POLL)
        except BudgetSpent as error:
            answer = StatusOutcome(StatusResult.THROTTLED, str(error))
        if answer.result is StatusResult.KNOWN and answer.request is not None:
            over = answer.request.processing in (Processing.DONE, Processing.FAILED)
        else:
            over = answer.result is StatusResult.UNKNOWN and waited > UNKNOWN_SECONDS
        return over or waited > PATIENCE_SECONDS

    # -- reading and comparing -------------------------------------------------------------------

    @property
    def doubt(self) -> Doubt | None:
        """What is not to be believed; None as a rule."""
        return None if self._state is None else self._state.doubt

    def awaits(self, entity: Entity) -> bool:
        """Tell whether an entity source is still to be read from its cursor to the end since the doubt arose."""
        return self.doubt is not None and not self._has(Step.READ, entity.name)

    def read(self, entity: Entity) -> None:
        """Take note that an entity source was read from its cursor to the end."""
        self._through(Step.READ, entity.name)

    def compare(self, entities: Sequence[Entity], compare: Callable[[ObjectType], bool]) -> None:
        """Have the types compared, children first, that were read and not compared since the doubt arose; then, if
        that was the last of it, believe the ledger again. `compare` tells whether it came to the end.

        Raises:
            LeaseLost, LedgerUnavailable: nothing can go on; other errors put it off.
        """
        if self.doubt is None or self._clock.now() < self._again_at:
            return
        for object_type in self._due(entities):
            try:
                if compare(object_type):
                    self._through(Step.COMPARED, object_type.value)
            except (LeaseLost, LedgerUnavailable):
                raise
            except ConnectorError as error:
                self._again_at = self._clock.now() + AGAIN_SECONDS
                self._observer.event("reconcile.failed", type=object_type.value, error=str(error), alarm=True)
        self._believe(entities)

    def _due(self, entities: Sequence[Entity]) -> Iterator[ObjectType]:
        for object_type in reversed(ObjectType):
            if self._is_read(object_type, entities) and not self._has(Step.COMPARED, object_type.value):
                yield object_type

    def _believe(self, entities: Sequence[Entity]) -> None:
        state = self._state
        types = {entity.type for entity in entities}
        if state is None or state.doubt is None or not all(self._has(Step.COMPARED, kind.value) for kind in types):
            return
        if self._epoch.believe(state.doubt):
            self._state = self._epoch.state()
            self._observer.event("ledger.believed")
        else:
            self._again_at = self._clock.now() + AGAIN_SECONDS

    def _is_read(self, object_type: ObjectType, entities: Sequence[Entity]) -> bool:
        mine = [entity for entity in entities if entity.type is object_type]
        return bool(mine) and all(self._has(Step.READ, entity.name) for entity in mine)

    def _has(self, step: Step, name: str) -> bool:
        return self._state is not None and (step, name) in self._state.done

    def _through(self, step: Step, name: str) -> None:
        if self.doubt is not None and not self._has(step, name):
            self._epoch.step(step, name)
            self._state = self._epoch.state()
