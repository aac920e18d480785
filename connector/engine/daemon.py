"""The daemon: passes, deliveries and upkeep, each on its own schedule."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from connector.clock import Clock
from connector.engine.clerk import Clerk
from connector.engine.comparisons import Comparisons
from connector.engine.observe import Fact, Observer
from connector.engine.pacing import Pacer
from connector.engine.reading import End
from connector.engine.reconciler import Reconciler
from connector.engine.remapping import Remapping
from connector.engine.rounds import Rounds
from connector.engine.schedule import JUMP_SECONDS, Schedule
from connector.errors import ConnectorError, FatalError, LeaseLost, LedgerUnavailable
from connector.ledger.dues import Dues
from connector.ledger.lease import Lease
from connector.ledger.requests import Outcome, Requests
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.object_types import ObjectType

TICK_SECONDS: Final = 1
RECONCILE_SECONDS: Final = 60
"""How often it is looked which types are to be compared."""
UPKEEP_SECONDS: Final = 3600
FAILED_SECONDS: Final = 60.0
"""A round that fails, each second maybe, is spoken of as seldom as that."""
STOP_SECONDS: Final = 8.0
DAY_SECONDS: Final = 86_400


@dataclass(slots=True)
class _Told:
    """That a round failed."""

    at: float
    """When it was told of last (monotonic)."""
    times: int = 0
    """How often it failed since then."""


@dataclass(slots=True)
class Daemon:
    """Runs until it is told to stop, or loses the lease.

    Reading and delivering have a thread each: the next file is spooled while earlier ones travel.
    """

    rounds: Rounds
    lease: Lease
    store: Store
    dues: Dues
    clock: Clock
    pacer: Pacer
    """Tells when passes come."""
    reconciler: Reconciler
    comparisons: Comparisons
    """Tells when full comparisons are (RECONCILE_INTERVAL_SECONDS)."""
    retention_days: int
    observer: Observer
    requests: Requests
    clerk: Clerk
    """Carries out requests on the reading thread."""
    quick_clerk: Clerk
    """Carries out those that need not wait for a reading that is under way."""
    recover: Callable[[], None]
    """Compares what a restored ledger needs compared."""
    keep_access: Callable[[], None]
    """Renews Gong's authorisation when it is time."""
    remapping: Remapping
    _stop: threading.Event = field(default_factory=threading.Event)
    _todo: list[Entity] = field(default_factory=list)
    _read_at: dict[str, float] = field(default_factory=dict)
    """When the last reading of each source that came to its end began (monotonic)."""
    _back: float = 0.0
    """By how many seconds the clock was set back, as long as that is not booked."""
    _uncompared: dict[ObjectType, float] = field(default_factory=dict)
    """When types were to be compared and could not be."""
    _lost: LeaseLost | None = None
    _told: dict[str, _Told] = field(default_factory=dict)
    """The rounds that failed; each is of one thread alone."""

    def stop(self) -> None:
        """Ask for the end, from any thread; not from a signal handler, which may have interrupted `run`'s waiting."""
        self._stop.set()
        self.rounds.reader.stop()

    def run(self) -> bool:
        """Work until `stop`. Returns whether every thread came to rest in time.

        Raises:
            LeaseLost: another process took over.
        FatalError: it came to rest for a request that failed.
        """
        schedule = Schedule(self.clock, ("default", "reading", "delivery"), self._stop, self._jumped)
        self.requests.give_up()
        self.remapping.begin()
        self._back = self.pacer.ahead()
        self._add(schedule, "passes", self.passes, TICK_SECONDS, "reading", at_once=True)
        self._add(schedule, "reconcile", self.compare, RECONCILE_SECONDS, "reading")
        self._add(schedule, "tend", self.tend, TICK_SECONDS, "reading")
        self._add(schedule, "deliver", self.deliver, TICK_SECONDS, "delivery")
        self._add(schedule, "quick requests", self.quick_clerk.tick, TICK_SECONDS, "default")
        self._add(schedule, "heartbeat", self.lease.renew, self.lease.seconds / 4, "default")
        self._add(schedule, "upkeep", self.upkeep, UPKEEP_SECONDS, "reading", at_once=True)
        schedule.run()
        rested = schedule.rest(STOP_SECONDS)
        if self._lost is not None:
            raise self._lost
        if self.clerk.carry_out_last(rested=rested) not in (None, Outcome.DONE):
            raise FatalError("the daemon came to rest for a request that failed: start it again")
        return rested

    def _add(
        self, schedule: Schedule, name: str, work: Callable[[], None], seconds: float, thread: str, **options: bool
    ) -> None:
        schedule.add(name, lambda: self.round(name, work), seconds, thread, **options)

    def _jumped(self, seconds: float) -> None:
        """Take note that the clock was set; what waits for a time of the clock as it was is seen to by `passes`."""
        self.observer.event("clock.jumped", seconds=round(seconds), alarm=seconds < 0)
        self._back = max(self._back - seconds, 0.0)

    def round(self, name: str, work: Callable[[], None]) -> None:
        """Work; no error of one round ends the daemon, but for the loss of the lease."""
        try:
            work()
        except LeaseLost as error:
            self._lost = error
            self.observer.event("lease.lost", error=str(error))
            self.stop()
        except ConnectorError as error:
            self._failed(name, error)

    def _failed(self, name: str, error: ConnectorError) -> None:
        """Tell of a round that failed, unless that was told of it moments ago."""
        now = self.clock.monotonic()
        told = self._told.get(name)
        if told is not None and now - told.at < FAILED_SECONDS:
            told.times += 1
            return
        times = 1 if told is None else told.times + 1
        self._told[name] = _Told(now)
        self.observer.event("round.failed", round=name, times=times, error=str(error), alarm=True)

    # -- the rounds, each on its schedule ----------------------------------------------------------

    def passes(self) -> None:
        """Begin a pass over the entity sources whose interval has gone by, when it is time for one; under another
        mapping, if there is one, over all of them.
        """
        self._set_back()
        if self.remapping.tick():
            self._begin_anew()
        if not self.pacer.due():
            return
        waiting = {entity.name for entity in self._todo}
        self._todo = [one for one in self.rounds.mapping.entities if one.name in waiting or self._is_due(one)]
        self.pacer.begin(len(self._todo))
        self._read()

    def _begin_anew(self) -> None:
        """Do under another mapping what a daemon does at its start."""
        if self._stop.is_set():
            self.rounds.reader.stop()  # `stop` may have told the reader from before
        self._todo, self._read_at, self._uncompared = [], {}, {}
        self.clerk.begin_anew()
        self.pacer.begin_anew()

    def _set_back(self) -> None:
        """Bring forward what would wait too long because the clock was set back."""
        if self._back >= JUMP_SECONDS:
            self.dues.set_back(self._back)
            self._back = 0.0

    def _is_due(self, entity: Entity) -> bool:
        """Tell whether a source with an interval of its own has its turn in a pass that begins now: the pass that comes
        nearest to its time.
        """
        read_at = self._read_at.get(entity.name)
        if entity.interval is None or read_at is None:
            return True
        return self.clock.monotonic() - read_at >= entity.interval - self.pacer.set_interval / 2

    def tend(self) -> None:
        """Book failed files, read pending objects, and the sources whose turn has come."""
        self.rounds.tend()
        self._carry_out()
        self._read()
        self.recover()

    def _carry_out(self) -> None:
        """Carry out what commands ask for; come to rest where that must be the last thing."""
        self.clerk.tick()
        if self.clerk.last is not None:
            self.stop()

    def _read(self) -> None:
        """Read the entity sources whose turn it is; the others stay for the next round."""
        left: list[Entity] = []
        for entity in self._todo:
            if self._stop.is_set():
                return
            if self.rounds.read_at(entity) > self.clock.now():
                left.append(entity)
                continue
            began = self.clock.monotonic()
            try:
                reading = self.rounds.read(entity)
                if reading.end is End.SPOOL_FULL:
                    left.append(entity)
                elif reading.end is End.FINISHED and not reading.resumed:
                    self._read_at[entity.name] = began
            except LeaseLost:
                raise
            except ConnectorError as error:
                self._pass_failed(entity, error)
            self.rounds.tend()
            self._carry_out()
        self._todo = left

    def _pass_failed(self, entity: Entity, error: ConnectorError) -> None:
        begun: dict[str, Fact] = {} if error.pass_id is None else {"pass_id": error.pass_id}
        self.observer.event(
            "pass.failed", entity=entity.name, type=entity.type.value, **begun, error=str(error), alarm=True
        )

    def compare(self) -> None:
        """When the time of a type has come, compare it and all whose time comes soon, children first: so the deletions
        of a deleted account's contacts and deals are known before its own. A type that was not read to its end, for the
        spool is full, has its turn again soon; one that failed, when it would after a comparison.
        """
        due = self._comparisons()
        now = self.clock.now()
        if not due or min(due.values()) > now:
            return
        for object_type, due_at in due.items():
            if self._stop.is_set():
                return
            if not self.comparisons.joins(due_at, now):
                continue
            try:
                self.reconciler.reconcile(object_type)
            except (LeaseLost, LedgerUnavailable):
                raise
            except ConnectorError as error:
                self._uncompared[object_type] = now
                self.observer.event("reconcile.failed", type=object_type.value, error=str(error), alarm=True)
            self.rounds.tend()
            self._carry_out()

    def _comparisons(self) -> dict[ObjectType, float]:
        """Return when types are to be compared, children first."""
        due: dict[ObjectType, float] = {}
        now, paused = self.clock.now(), self.store.pauses()
        for object_type in reversed(list(ObjectType)):
            compared = self.reconciler.compared_at(object_type)
            if compared is not None and object_type not in paused:
                tried = max(compared, self._uncompared.get(object_type, compared))
                due[object_type] = self.comparisons.due_at(tried, now)
        return due

    def deliver(self) -> None:
        """Upload, and ask what became of uploads."""
        self.rounds.deliver()

    def upkeep(self) -> None:
        """Forget what is old, and keep the authorisation."""
        spool_files = self.rounds.courier.tidy()
        before = self.clock.now() - self.retention_days * DAY_SECONDS
        batches = self.store.prune(before)
        requests = self.requests.prune(before)
        self.observer.event("upkeep.ended", batches=batches, requests=requests, spool_files=spool_files)
        self.keep_access()
