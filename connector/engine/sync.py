"""One pass over the source, followed until Gong has settled it: alone on one thread, or beside a daemon's rounds."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from connector.clock import Clock
from connector.engine.reading import End, Reading
from connector.engine.rounds import Rounds
from connector.engine.turns import NEVER
from connector.errors import ConnectorError, GongDenied, LeaseLost, LedgerUnavailable, RetriableError
from connector.ledger.lease import Lease
from connector.ledger.queries import Queries, Work
from connector.ledger.records import Counts, PassKind
from connector.mapping import Entity
from connector.object_types import ObjectType

LONGEST_SLEEP_SECONDS: Final = 5.0
MOST_TRIES: Final = 5
"""Readings that fail for a passing reason (source or Gong unreachable) are tried so often, within a minute."""
SHORTEST_SLEEP_SECONDS: Final = 0.05
NOW: Final = 0.0
_NO_ACCOUNTS: Final = "not read: its first load comes after that of ACCOUNT, which has not been read yet"

R = TypeVar("R")
Steps = Generator[float | None, None, R]
"""Work in steps. Between two of them others have their turn: deliveries, and objects to be read again. Each yields
when the next one makes sense (seconds since 1970 UTC): NOW as soon as the others had theirs, None when something may
have happened. It returns what came of the work.
"""


@dataclass(slots=True)
class SyncReport:
    """What a `sync` did."""

    readings: dict[str, Reading] = field(default_factory=dict)
    """By entity source; one that was not finished in time is missing."""
    errors: dict[str, str] = field(default_factory=dict)
    """Why an entity source could not be read; nothing else stops for it."""
    work: Work = field(default_factory=lambda: Work(0, 0, 0, 0))
    """What is left."""


class _Later(NamedTuple):
    """An entity source whose reading failed for a reason that may pass."""

    tries: int
    at: float
    """When to try again (seconds since 1970 UTC)."""


class Syncer:
    """Runs a pass. Raises GongDenied, LeaseLost and LedgerUnavailable; other errors stop one type only."""

    def __init__(
        self, rounds: Rounds, queries: Queries, lease: Lease, clock: Clock, recover: Callable[[], None]
    ) -> None:
        """Note what to work with; `recover` compares what a restored ledger needs compared."""
        self._rounds = rounds
        self._queries = queries
        self._lease = lease
        self._clock = clock
        self._recover = recover

    def turn(self, until: float | None) -> None:
        """Give others their turn where there is only one thread: see to deliveries and to objects to be read again,
        having slept until something is due, or until that time.
        """
        if until != NOW:
            self._sleep(until)
        self._round()

    def steps(self, entities: Sequence[Entity], *, wait: bool, timeout: float | None) -> Steps[SyncReport]:
        """Read the entity sources, upload what is new, and wait until it is settled.

        Args:
            entities: what to read, in Gong's order.
            wait: follow the uploads until Gong has settled them; else return when everything is uploaded.
            timeout: seconds after which to return in any case; None for no limit.
        """
        report = SyncReport()
        end = None if timeout is None else self._clock.monotonic() + timeout
        todo = list(entities)
        later: dict[str, _Later] = {}
        while todo and not self._over(end):
            todo = [entity for entity in todo if not self._try(entity, report, later)]
            yield NOW
            if todo:
                at = min(self._read_at(entity, later) for entity in todo)
                if at == NEVER and ObjectType.ACCOUNT in self._rounds.store.pauses():
                    paused = Reading(End.PAUSED, PassKind.LOAD, Counts())
                    report.readings |= {entity.name: paused for entity in todo}
                    break
                if at == NEVER:
                    report.errors |= {entity.name: _NO_ACCOUNTS for entity in todo}
                    break
                yield at
        if not self._over(end):
            yield NOW
        while not self._over(end) and self._more_to_come(wait):
            yield None
        report.errors |= {kind.value: words for kind, words in self._rounds.failing.items()}
        report.work = self._queries.work(self._clock.now())
        return report

    def _more_to_come(self, wait: bool) -> bool:
        """Tell whether something is on its way that is to be waited for.

        Raises:
            GongDenied: nothing gets there before a person has seen to it.
        """
        if wait:
            work = self._queries.work(self._clock.now())
            more = bool(work.unsettled or (work.awaited and not self._rounds.failing))
        else:
            more = self._rounds.courier.has_uploads()
        stopped = self._rounds.stopped if more else None
        if stopped is not None:
            raise GongDenied(stopped)
        return more

    def _read_at(self, entity: Entity, later: dict[str, "_Later"]) -> float:
        failed = later.get(entity.name)
        return max(self._rounds.read_at(entity), 0.0 if failed is None else failed.at)

    def _try(self, entity: Entity, report: SyncReport, later: dict[str, "_Later"]) -> bool:
        """Read an entity source if it is its turn; return whether it is through."""
        if self._read_at(entity, later) > self._clock.now():
            return False
        try:
            reading = self._rounds.read(entity)
        except (GongDenied, LeaseLost, LedgerUnavailable):
            raise
        except ConnectorError as error:
            tries = later.get(entity.name, _Later(0, 0.0)).tries + 1
            if isinstance(error, RetriableError) and tries < MOST_TRIES:
                later[entity.name] = _Later(tries, self._clock.now() + 2.0**tries)
                return False
            report.errors[entity.name] = str(error)
            return True
        earlier = report.readings.get(entity.name)
        counts = reading.counts if earlier is None else earlier.counts.plus(reading.counts)
        report.readings[entity.name] = Reading(reading.end, reading.kind, counts)
        # After the rest of an interrupted pass comes a pass of its own, for what was committed since.
        return reading.end is not End.SPOOL_FULL and not reading.resumed

    def _round(self) -> None:
        self._lease.renew()
        while self._rounds.tend() or self._rounds.deliver():
            self._lease.renew()
        self._recover()

    def _sleep(self, until: float | None) -> None:
        """Sleep until something is due, five seconds at most, so that the lease stays ours."""
        now = self._clock.now()
        dues = [due for due in (until, self._rounds.next_due()) if due is not None]
        wait = min(dues, default=now + LONGEST_SLEEP_SECONDS) - now
        self._clock.sleep(min(max(wait, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS))

    def _over(self, end: float | None) -> bool:
        return end is not None and self._clock.monotonic() >= end
