"""One seed: interleaves the CRM's users, the engine's ticks, time, faults and crashes, then waits for quiet."""

import math
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from connector import failpoints
from connector.clock import FakeClock
from connector.engine.reading import End
from connector.engine.reconciler import Reconciliation
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError
from connector.object_types import ObjectType
from connector.sandbox.faults import Fault, FaultKind, FaultPlan
from tests.simulation.backfilling import Backfilling
from tests.simulation.crm import TABLES, Crm
from tests.simulation.gong import Mischief, WatchedApi, WatchedWorld
from tests.simulation.hindsight import Hindsight
from tests.simulation.ledgers import goes_quickly, memory, new_ledger
from tests.simulation.oracle import Oracle
from tests.simulation.process import LEASE_SECONDS, Crash, Process, close, reading, small_portions
from tests.simulation.promises import Broken, Promise
from tests.simulation.quick import quickly
from tests.simulation.telling import Tally, Trace
from tests.simulation.variety import START, Variety, draw, with_history
from tests.simulation.workload import Workload

MOST_STEPS_TO_QUIET: Final = 500


class Simulation:
    """Runs one seed. A context manager: leaving removes its files."""

    def __init__(self, seed: int, *, trace: bool = False) -> None:
        self.tally = Tally(seeds=1)
        self._seed = seed
        self._chance = random.Random(seed)
        self._variety: Variety = draw(self._chance)
        if seed % 4:  # a ledger that is restored from a backup has forgotten how far a history was sent
            self._variety = with_history(self._variety, random.Random(f"history {seed}"))
        self._clock = FakeClock(START)
        self._trace = Trace(self._clock, trace)
        self._directory = Path(tempfile.mkdtemp(prefix=f"simulation-{seed}-", dir=memory()))
        self._crm = Crm(self._directory, self._variety, self._clock.now)
        self._workload = Workload(self._crm, random.Random(f"workload {seed}"))
        self._world = WatchedWorld(self._clock.now, seed, self._variety)
        self._ledger = new_ledger(seed, self._directory)
        # A restored ledger has forgotten calls: the day's quota, when it is small, may be exceeded.
        self._may_restore = self._ledger.file is not None and self._variety.calls_per_day > 1000 and seed % 4 == 0
        # It takes what Gong does not know after a quarter of an hour for what never came (docs/operating.md, Backup).
        longest_unknown = 600.0 if self._may_restore else math.inf
        chance = random.Random(f"mischief {seed}")
        self._mischief = Mischief(chance, self._variety.fault_probability, longest_unknown)
        self._plan = FaultPlan(random=self._mischief)
        self._api = WatchedApi(self._world, self._plan)
        self._oracle = Oracle(self._crm, self._world, self._variety, self._directory / "spool")
        self._backfilling: Backfilling | None = None
        if self._crm.keeps:
            self._backfilling = Backfilling(self._crm.keeps, random.Random(f"backfilling {seed}"))
            self._oracle.hindsight(Hindsight(self._crm, self._world, self._backfilling))
        self._process = Process(
            self._crm,
            self._ledger.url,
            self._directory / "spool",
            self._clock,
            self._trace,
            self._api,
            self._chance,
            self.tally,
            self._backfilling,
            self._workload.step,
        )
        self._backed_up = False
        self._trace.event("variety", **{name: str(getattr(self._variety, name)) for name in Variety.__slots__})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failpoints.arm(None)
        self._process.drop()
        self._crm.close()
        self._world.close()
        self._ledger.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    # -- the whole -------------------------------------------------------------------------------

    def run(self) -> Tally:
        """Live through the seed.

        Raises:
            Broken: a promise does not hold.
        """
        with small_portions(self._variety), quickly() if goes_quickly(self._seed) else nullcontext():
            self._workload.fill()
            self._process.next_crash()
            failpoints.arm(self._process.failpoint)
            for _ in range(self._variety.steps):
                self._step()
            if self._variety.joined_emails:
                # The last word: what comes later makes the contacts' own rows go, and hides that news was lost.
                self._workload.behind.mail()
            self._trace.event("quiet", after="the workload")
            self._calm_down()
            self._rest(forced=True)
            self._trace.event("quiet", after="retrying what was refused")
            self._process.tick("retry", lambda wiring: wiring.store.retry(None, None))
            self._rest(forced=False)
            if self._chance.random() < 0.6:
                self._trace.event("quiet", after="mending")
                self._workload.mend(everything=True)
                self._rest(forced=False)
                self._oracle.all_well(self._process.wired(), self._clock.now())
            self._oracle.at_the_end()
        self._count()
        return self.tally

    def _step(self) -> None:
        chance = self._chance
        steps: list[tuple[float, Callable[[], Any]]] = [
            (30, self._workload.step),
            (20, lambda: self._process.tick("read", self._read_one)),
            (14, lambda: self._process.tick("tend", lambda wiring: wiring.rounds.tend())),
            (24, lambda: self._process.tick("deliver", lambda wiring: wiring.rounds.courier.deliver())),
            (5, lambda: self._process.tick("resolve", lambda wiring: wiring.rounds.courier.resolve())),
            (6, lambda: self._process.tick("round", self._round)),
            (22, self._pass_time),
            (4, lambda: self._process.tick("compare", self._compare_one)),
            (2, self._put_back),
            (2, lambda: self._process.tick("approve", self._approve)),
            (1.5, lambda: self._process.tick("retry", lambda wiring: wiring.store.retry(None, None))),
            (1, lambda: self._process.tick("tidy", lambda wiring: wiring.rounds.courier.tidy())),
            (1, self._process.restart),
            (0.5, self._zombie),
            (4 if self._may_restore else 0, self._back_up_or_restore),
            (0.5, self._edit_mapping),
            (1, self._plant_leftovers),
            (1.5 if self._variety.fault_probability else 0, self._line_up_faults),
        ]
        if self._backfilling is not None:
            steps.append((14, lambda: self._process.tick("backfill", self._backfilling.tick)))
        chance.choices([work for _, work in steps], [weight for weight, _ in steps])[0]()

    def _rest(self, *, forced: bool) -> None:
        """Work until nothing more will happen by itself, and hold everything against the oracle; then compare all
        types, and hold what no stamp told of against it, too.

        Args:
            forced: lines that were refused on demand may still be listed as such.
        """
        # Twice: the first reading may be the rest of an old pass, which ends where it once meant to end.
        wiring = self._work_until_quiet(readings=2)
        self._process.tick("tidy", lambda wired: wired.rounds.courier.tidy())
        self._oracle.at_rest(wiring, self._clock.now(), forced=forced)
        self._compare_all()
        wiring = self._work_until_quiet(readings=1, approving=True)
        self._crm.silent.clear()
        self._oracle.at_rest(wiring, self._clock.now(), forced=forced)
        files = self._world.files
        for entity in wiring.rounds.mapping.entities:
            self._process.tick("read", reading(entity))
        self._process.tick("round", self._round)
        if self._world.files != files:
            raise Broken(Promise.NO_NEEDLESS_LINES, "a pass over an unchanged source made an upload")
        self._process.tick("tidy", lambda wired: wired.rounds.courier.tidy())
        self._oracle.spool_is_empty()

    def _compare_all(self) -> None:
        """Have every type compared to the end, children first."""
        todo = [kind for kind in reversed(ObjectType) if kind.value in TABLES]
        for _ in range(MOST_STEPS_TO_QUIET):
            found = self._process.tick("compare", lambda wiring: self._compare(wiring, todo[0]))
            if found is not None and found.end is End.FINISHED:
                del todo[0]
                if not todo:
                    return
            else:  # the spool is full
                self._process.tick("round", self._round)
                self._clock.advance(60.0)
        raise Broken(Promise.COMES_TO_REST, f"{todo[0].value} cannot be compared to the end")

    def _work_until_quiet(self, *, readings: int, approving: bool = False) -> Wiring:
        todo = Counter({entity.name: readings for entity in self._process.wired().rounds.mapping.entities})
        idle = 0
        for step in range(MOST_STEPS_TO_QUIET):
            wiring, calls = self._process.wired(), self._api.calls
            for entity in wiring.rounds.mapping.entities:
                if todo[entity.name] and self._process.tick("read", reading(entity)):
                    todo[entity.name] -= 1
            if approving:
                self._process.tick("approve", self._approve)
            if self._backfilling is not None and not todo.total():
                self._process.tick("backfill", self._backfilling.finish)
            self._process.tick("round", self._round)
            if not todo.total() and not self._backfills() and not self._oracle.restless(wiring, self._clock.now()):
                return wiring
            now = self._clock.now()
            dues = [due for due in (wiring.rounds.next_due(), now + 300.0 if todo.total() else None) if due is not None]
            # A stuck upload may take six hours, and a day's budget be spent several times over.
            idle = 0 if self._api.calls > calls else idle + 1
            patience = max(min(15.0 * 2**idle, 1800.0), 15.0 if step < 100 else 120.0 if step < 250 else 1800.0)
            self._clock.advance(min(max(min(dues, default=now) - now, patience), 21_600.0))
        left = self._backfills() or self._oracle.restless(self._process.wired(), self._clock.now())
        raise Broken(
            Promise.COMES_TO_REST, f"after {MOST_STEPS_TO_QUIET} rounds without faults, still: {left or dict(todo)}"
        )

    def _backfills(self) -> str:
        """Say that a backfill is under way; nothing when none is."""
        under_way = self._backfilling is not None and self._backfilling.under_way(self._process.wired())
        return "a backfill is under way" if under_way else ""

    # -- ticks -----------------------------------------------------------------------------------

    def _read_one(self, wiring: Wiring) -> bool:
        return reading(self._chance.choice(wiring.rounds.mapping.entities))(wiring)

    def _compare_one(self, wiring: Wiring) -> None:
        kind = self._chance.choice(wiring.rounds.mapping.entities).type
        self._compare(wiring, kind)

    def _put_back(self) -> None:
        """A row comes back after a comparison missed it, and before it is deleted."""
        kind = self._chance.choice(self._process.wired().rounds.mapping.entities).type
        if kind.value in self._crm.kinds and self._chance.random() < 0.7:
            self._workload.behind.erase(kind.value)
        self._process.tick("compare", lambda wiring: self._compare(wiring, kind))
        key = self._workload.behind.insert_again(kind.value)
        if key is not None:
            self._oracle.is_back(key)
        self._process.tick("tend", lambda wiring: wiring.rounds.tend())

    def _compare(self, wiring: Wiring, kind: ObjectType) -> Reconciliation | None:
        found = wiring.reconciler.reconcile(kind)
        if found is not None and found.end is End.FINISHED:
            self.tally.comparisons += 1
            self.tally.gone += found.gone
        return found

    def _approve(self, wiring: Wiring) -> None:
        """Let through all that is held."""
        for hold in wiring.queries.holds():
            self._oracle.approved(wiring, hold)
            if wiring.holds.approve(hold.id, "somebody") is None:
                raise Broken(Promise.HONEST, f"{hold} is shown as held, and cannot be let through")
            self.tally.approvals += 1

    def _round(self, wiring: Wiring) -> None:
        wiring.rounds.tend()
        wiring.rounds.deliver()
        wiring.rounds.tend()
        wiring.recover()

    def _pass_time(self) -> None:
        chance = self._chance
        self._clock.advance(chance.choice((0.3, 2.0, 10.0, 70.0, 70.0, 200.0, 400.0, 1000.0, 4000.0)) * chance.random())
        if chance.random() < 0.03:
            self._clock.advance(chance.choice((20_000.0, 90_000.0)))

    # -- what befalls the process ----------------------------------------------------------------

    def _zombie(self) -> None:
        """A process stops for so long that another one takes over, then goes on as if nothing had happened."""
        old = self._process.tick("zombie", lambda wiring: wiring.reconciler and wiring)
        if old is None:
            return
        backfill = self._process.leave()
        self._clock.advance(LEASE_SECONDS)
        self._process.wired()
        files = self._world.files
        belated: list[Callable[[], object]] = [
            old.rounds.courier.deliver,
            old.rounds.courier.resolve,
            lambda: old.rounds.read(self._chance.choice(old.rounds.mapping.entities)),
            old.rounds.tend,
            lambda: old.reconciler.reconcile(self._chance.choice(list(ObjectType))),
            old.lease.renew,
            lambda: None if backfill is None else next(backfill, None),
        ]
        for work in belated:
            try:
                with suppress(ConnectorError):
                    work()
            except Crash as crash:
                self._process.crashed(str(crash))
        close(old)
        if self._world.files != files:
            raise Broken(Promise.ONE_AT_A_TIME, "a process whose lease another one holds made an upload")

    def _back_up_or_restore(self) -> None:
        """Copy the ledger; or, with the process stopped, put the copy of some steps ago in its place, once a seed."""
        self._process.wired()  # whose start lets the mark follow what a crash kept it from
        copy = self._directory / "backup.db"
        if not self._backed_up:
            self._settle()
            self._trace.event("backup")
            self._ledger.back_up(copy)
            self._backed_up = True
            self._crm.altered.clear()
            return
        if self._chance.random() < 0.7:
            self._tell_what_the_copy_does_not_know()
        self._process.restart()
        self._process.drop()
        self._trace.event("restore")
        self._ledger.restore(copy)
        self._may_restore = False
        self.tally.restored += 1
        # Past what Gong last asked for, which the copy does not know either. Files stay on their way.
        self._clock.advance(max(self._api.quiet_until - self._clock.now(), 0.0) + 2.0)
        self._oracle.restored(self._ledger.told(copy), frozenset(self._crm.altered))
        if self._chance.random() < 0.7:
            self._read_all()
            self._process.tick("deliver", lambda wiring: wiring.rounds.deliver())

    def _tell_what_the_copy_does_not_know(self) -> None:
        """Gong is told of changes that are undone in the CRM; and the last file is still with Gong."""
        change_back = self._workload.change_for_a_while()
        self._settle()
        change_back()
        self._workload.change_for_a_while()
        self._read_all()
        self._process.tick("deliver", lambda wiring: wiring.rounds.deliver())

    def _settle(self) -> None:
        """Have all that is new read and settled, as far as that takes minutes and nothing goes wrong."""
        for _ in range(3):
            self._read_all()
            self._process.tick("round", self._round)
            self._clock.advance(100.0)
        self._process.tick("round", self._round)

    def _read_all(self) -> None:
        for place in range(len(self._process.wired().rounds.mapping.entities)):
            # A crash brings another process, which has a mapping of its own.
            self._process.tick(
                "read", lambda wiring, place=place: reading(wiring.rounds.mapping.entities[place])(wiring)
            )

    def _edit_mapping(self) -> None:
        if self._crm.expectation.version == 1:
            self._process.restart()
            self._process.drop()
            self._trace.event("the mapping file changes")
            self._crm.map(2)

    # -- what lies in its way ---------------------------------------------------------------------

    def _plant_leftovers(self) -> None:
        """Leave in the spool what a crash, or the process of another ledger, might have left there."""
        spool = self._directory / "spool"
        spool.mkdir(mode=0o700, exist_ok=True)
        name = f"left-{self._chance.getrandbits(32):x}"
        suffix = self._chance.choice((".jsonl", ".jsonl.part", ".jsonl.sorted.part"))
        (spool / (name + suffix)).write_bytes(b'{"objectId":"cut of')

    def _line_up_faults(self) -> None:
        """Let several things go wrong with one upload, or one object be refused again and again."""
        arrivals = self._world.arrivals
        if arrivals and self._chance.random() < 0.4:
            chosen = self._chance.choice(arrivals).object_id
            self._plan.add(Fault(kind=FaultKind.LINE_ERRORS, object_ids=(chosen,), times=30, description="Never"))
        else:
            kinds = (FaultKind.LINE_ERRORS, FaultKind.WRONG_TOTALS, FaultKind.UNKNOWN, FaultKind.DROP_AFTER)
            self._plan.add(*(self._mischief.fault(kind) for kind in self._chance.sample(kinds, k=2)))

    def _calm_down(self) -> None:
        self._process.calm = True
        self._plan.clear()

    def _count(self) -> None:
        tally = self.tally
        tally.faults += self._mischief.counts
        tally.commits = self._crm.commits
        tally.erased = self._crm.erased
        tally.uploads = self._world.files
        tally.lines = len(self._world.arrivals)
        tally.calls = len(self._world.calls())
        tally.compared = self._oracle.compared
        tally.refused = self._oracle.refused
        tally.held = self._oracle.held
        tally.backfills = 0 if self._backfilling is None else len(self._backfilling.ended)
        tally.versions = self._oracle.versions
