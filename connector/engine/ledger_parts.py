"""Builds the ledger's side of the connector from the settings: writer, read models, lease, budget, requests."""

import os
import socket
from functools import cached_property
from typing import TYPE_CHECKING

from connector.clock import Clock
from connector.engine.binding import INTEGRATION
from connector.engine.observe import Observer
from connector.errors import ConnectorError, FatalError
from connector.ledger.backfills import Backfills
from connector.ledger.budget import Budget, Limits
from connector.ledger.database import IN_MEMORY, Database, describe, is_absent
from connector.ledger.epoch import Epoch
from connector.ledger.holds import Holds
from connector.ledger.lease import Lease
from connector.ledger.migrate import migrate
from connector.ledger.queries import Queries
from connector.ledger.requests import Requests
from connector.ledger.store import Store
from connector.settings import Live, Settings
from connector.spool import read_mark

if TYPE_CHECKING:  # imported where they are made: most commands need none of them, and each takes a while
    from connector.engine.pacing import Pacer
    from connector.ledger.census import Census
    from connector.ledger.charts import Charts
    from connector.ledger.finder import Finder
    from connector.ledger.incidents import Incidents
    from connector.ledger.watch import Watch


class LeaseTaken(FatalError):
    """Another process is at work on this ledger, and does not carry out requests."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"{holder} is at work on this ledger: wait until it ends, or stop it. After a crash its lease runs out "
            "within two minutes"
        )


class LedgerParts:
    """What the ledger is read and written by, each part made when it is first needed."""

    def __init__(self, settings: Settings, clock: Clock, observer: Observer, *, looking: bool) -> None:
        """Note what to build from.

        Args:
            settings: as the user gave them.
            clock: the one source of time.
            observer: is told of every step.
            looking: nothing is to be written: a ledger that is not there yet is an empty one in memory.
        """
        self.settings = settings
        self.live = Live(settings, lambda name: observer.event("settings.changed", setting=name, alarm=True))
        """What files say of credentials now."""
        self.clock = clock
        self.observer = observer
        self._looking = looking

    @cached_property
    def database(self) -> Database:
        """The ledger's database, with the tables of this version."""
        url = self.settings.state_url.get_secret_value()
        if self._looking and is_absent(url):
            database = Database(IN_MEMORY)
        else:
            database = Database(url, current=lambda: self.live.now().state_url.get_secret_value())
        try:
            migrate(database)
        except ConnectorError:
            database.close()
            raise
        return database

    @cached_property
    def store(self) -> Store:
        """The ledger's writer."""
        return Store(self.database, self.clock, self._booked)

    @cached_property
    def holds(self) -> Holds:
        """What the guard holds."""
        return Holds(self.database, self.clock)

    @cached_property
    def queries(self) -> Queries:
        """The ledger's read models."""
        return Queries(self.database)

    @cached_property
    def census(self) -> "Census":
        """How many objects Gong has."""
        from connector.ledger.census import Census

        return Census(self.database, self.clock)

    @cached_property
    def watch(self) -> "Watch":
        """Since when something is not as it should be."""
        from connector.ledger.watch import Watch

        return Watch(self.database)

    @cached_property
    def charts(self) -> "Charts":
        """What the past day was like."""
        from connector.ledger.charts import Charts

        return Charts(self.database)

    @cached_property
    def finder(self) -> "Finder":
        """Where single objects stand."""
        from connector.ledger.finder import Finder

        return Finder(self.database)

    @cached_property
    def incidents(self) -> "Incidents":
        """What was told to the webhook."""
        from connector.ledger.incidents import Incidents

        return Incidents(self.database)

    @cached_property
    def budget(self) -> Budget:
        """The shared count of calls."""
        limits = Limits(self.settings.calls_per_second, self.settings.calls_per_day)
        return Budget(self.database, self.clock, limits)

    @cached_property
    def pacer(self) -> "Pacer":
        """When passes come."""
        from connector.engine.pacing import Pacer

        return Pacer(self.budget, self.store, self.clock, self.settings.sync_interval_seconds)

    @cached_property
    def lease(self) -> Lease:
        """The right to write, not yet taken."""
        return Lease(self.database, self.clock, f"{socket.gethostname()} (process {os.getpid()})")

    def try_lease(self) -> str | None:
        """Become the active process, or stay it; return the name of the one that is instead, None for this one."""
        return None if self.database.token is not None else self.lease.acquire()

    def take_lease(self) -> None:
        """Become the active process.

        Raises:
            LeaseTaken: another one is.
        """
        other = self.try_lease()
        if other is not None:
            raise LeaseTaken(other)

    @cached_property
    def requests(self) -> Requests:
        """What commands ask of the active process."""
        return Requests(self.database, self.clock)

    def _booked(self, counter: int) -> None:
        """Is told the epoch's counter after each batch that was booked."""

    @cached_property
    def backfills(self) -> Backfills:
        """The ledger's part in backfills."""
        return Backfills(self.database, self.clock)

    @property
    def ledger_is_absent(self) -> bool:
        """Whether the ledger is a file that is not there yet."""
        return is_absent(self.settings.state_url.get_secret_value())

    def ledger_missing(self) -> str | None:
        """Return, in words, that the ledger of the spool is not where it is looked for; None where it is, or there is
        no sign of one.
        """
        mark = read_mark(self.settings.spool_dir)
        url = self.settings.state_url.get_secret_value()
        if mark is None:
            return None
        if not self.ledger_is_absent:
            store = self.store
            if store.meta(INTEGRATION) is not None or mark.ledger == Epoch(self.database, self.clock).state().ledger:
                return None
        return (
            f"CONNECTOR_STATE_URL: the ledger is missing: there is none at {describe(url)}, or an empty one, but the "
            f"spool {self.settings.spool_dir} belongs to a ledger that was at work. Set the URL right, or put a backup "
            "of that ledger there; the connector then catches up by itself. If it is lost, begin anew: `gong-connector "
            "register`, and the next pass sends everything again (docs/operating.md, Backup)"
        )
