"""Builds the parts from the settings, each when it is first needed. Nothing else in the engine sees settings."""

import copy
import os
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

from connector.clock import Clock
from connector.engine.backfill import Backfiller
from connector.engine.binding import GONG_HOST, INTEGRATION, Binding
from connector.engine.clerk import Clerk, refuse
from connector.engine.comparisons import Comparisons, comparisons
from connector.engine.courier import Courier
from connector.engine.daemon import Daemon
from connector.engine.gong_access import GongAccess
from connector.engine.guard import Guard
from connector.engine.intake import Policy
from connector.engine.observe import Observer
from connector.engine.operations import OPERATIONS
from connector.engine.overview import Overview, Postponed
from connector.engine.pacing import Pacer
from connector.engine.past_verifier import PastVerifier
from connector.engine.polling import Polling
from connector.engine.presence import Presence
from connector.engine.reader import End, Reader
from connector.engine.reconciler import Reconciler
from connector.engine.recovery import Recovery
from connector.engine.remapping import Remapping
from connector.engine.rounds import Rounds
from connector.engine.schema import SchemaKeeper
from connector.engine.sync import Steps, Syncer
from connector.engine.verifier import Verifier
from connector.errors import ConfigError, ConnectorError, FatalError
from connector.gong import GongClient, Transport, gong_host
from connector.ledger.backfills import Backfills
from connector.ledger.budget import Budget, Limits
from connector.ledger.census import Census
from connector.ledger.charts import Charts
from connector.ledger.database import IN_MEMORY, Database, describe, is_absent
from connector.ledger.dues import Dues
from connector.ledger.epoch import Epoch
from connector.ledger.finder import Finder
from connector.ledger.holds import Holds
from connector.ledger.incidents import Incidents
from connector.ledger.lease import Lease
from connector.ledger.migrate import migrate
from connector.ledger.queries import Queries
from connector.ledger.requests import Request, Requests
from connector.ledger.store import Store
from connector.ledger.watch import Watch
from connector.mapping import CompiledMapping, MappingFile, compile_mapping, load, unfit
from connector.model import Column, SchemaField
from connector.object_types import ObjectType
from connector.settings import Live, Settings
from connector.source import Source, open_source
from connector.spool import Spool, read_mark

_OF_MAPPING: Final = ("mapping_file", "_catalog", "_changed", "mapping", "comparisons", "reconciler", "verifier")
"""Parts that are made of the mapping file."""


class LeaseTaken(FatalError):
    """Another process is at work on this ledger, and does not carry out requests."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"{holder} is at work on this ledger: wait until it ends, or stop it. After a crash its lease runs out "
            "within two minutes"
        )


class Wiring:
    """The connector's parts. A context manager: leaving closes what was opened and gives the lease back."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        observer: Observer,
        *,
        transport: Transport | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        looking: bool = False,
    ) -> None:
        """Note what to build from.

        Args:
            settings: as the user gave them.
            clock: the one source of time.
            observer: is told of every step.
            transport: carries calls to Gong instead of the network; for the simulation.
            new_id: makes client request ids, which Gong wants unique for ever.
            looking: nothing is to be written: a ledger that is not there yet is an empty one in memory.
        """
        self.settings = settings
        self.live = Live(settings)
        """What files say of credentials now."""
        self.clock = clock
        self.observer = observer
        self._transport = transport
        self.new_id = new_id
        self._looking = looking
        self._strict = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        parts = self.__dict__
        try:
            if "lease" in parts:
                self.lease.release()
        finally:
            for name in ("gong", "source", "database"):
                if name in parts:
                    parts[name].close()

    # -- the CRM and the mapping -----------------------------------------------------------------

    @cached_property
    def source(self) -> Source:
        """The CRM's database, read-only."""
        url = self.settings.source_url
        if url is None:
            raise ConfigError(
                "CONNECTOR_SOURCE_URL is not set: give the URL of the CRM's database, like postgresql://user@host/crm"
            )
        return open_source(
            url.get_secret_value(),
            self.clock,
            statement_timeout=self.settings.source_statement_timeout_seconds,
            current=lambda: (self.live.now().source_url or url).get_secret_value(),
        )

    @cached_property
    def mapping_file(self) -> MappingFile:
        """The mapping file, checked for its shape."""
        return load(self.settings.mapping)

    @cached_property
    def mapping(self) -> CompiledMapping:
        """The mapping, held against the source's catalog and compiled."""
        return self._compile()

    @cached_property
    def _catalog(self) -> dict[str, dict[str, Column]]:
        """What can be described of what is read.

        Raises:
            ConnectorError: what cannot be was never read, so that it is the mapping that is wrong; or nothing can be.
        """
        catalog: dict[str, dict[str, Column]] = {}
        failed: FatalError | None = None
        for origin in self.mapping_file.origins:
            for relation in origin.relations:
                try:
                    catalog[relation.name] = self.source.describe(relation)
                except FatalError as error:
                    if self._strict or not self._is_loaded(origin.name):
                        raise
                    self.observer.event("source.changed", entity=origin.name, error=str(error), alarm=True)
                    failed = failed or error
        if failed is not None and not catalog:
            raise failed
        return catalog

    @cached_property
    def _changed(self) -> list[str]:
        """Entity sources that do not fit the mapping any more, as they did at their first load: a column that is gone
        stops its type, not the others. One that was never loaded shows that the mapping is wrong.
        """
        if self._strict:
            return []
        return [name for name in unfit(self.mapping_file, self._catalog) if self._is_loaded(name)]

    def _is_loaded(self, entity: str) -> bool:
        cursor = self.store.cursor(entity)
        return cursor is not None and cursor.loaded_at is not None

    def remap(self) -> bool:
        """Take up the mapping file as it is now, between two rounds of reading; return False where it says nothing new.
        It must fit the source in everything: a column that is not there may be a slip of the pen.

        Raises:
            ConnectorError: it is wrong, or cannot be held against the source now; what was in use stays.
        """
        fresh = copy.copy(self)
        for name in _OF_MAPPING:
            fresh.__dict__.pop(name, None)
        fresh._strict = True
        if fresh.mapping_file.fingerprint == self.mapping_file.fingerprint:
            return False
        made = {name: getattr(fresh, name) for name in _OF_MAPPING[:-2]}
        for name in _OF_MAPPING:
            self.__dict__.pop(name, None)
        self.__dict__ |= made
        if "rounds" in self.__dict__:
            self.rounds.remap(self.mapping, self._reader())
        if "daemon" in self.__dict__:
            self.daemon.reconciler, self.daemon.comparisons = self.reconciler, self.comparisons
        return True

    def _compile(self) -> CompiledMapping:
        picklists = {}
        for query, place in self.mapping_file.picklist_queries.items():
            try:
                picklists[query] = self.source.values(query)
            except ConfigError as error:
                raise ConfigError(f"{place}: {error}") from None
        return compile_mapping(self.mapping_file, self._catalog, picklists, self._changed, self.source.describe)

    def _schema_fields(self) -> Mapping[ObjectType, Sequence[SchemaField]]:
        """Return the additional fields as they should be now: picklists that a query fills change with the CRM."""
        mapping = self._compile() if self.mapping_file.picklist_queries else self.mapping
        return mapping.schema_fields

    # -- the ledger ------------------------------------------------------------------------------

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
        return Store(self.database, self.clock, lambda counter: self.recovery.booked(counter))

    @cached_property
    def holds(self) -> Holds:
        """What the guard holds."""
        return Holds(self.database, self.clock)

    @cached_property
    def queries(self) -> Queries:
        """The ledger's read models."""
        return Queries(self.database)

    @cached_property
    def census(self) -> Census:
        """How many objects Gong has."""
        return Census(self.database, self.clock)

    @cached_property
    def watch(self) -> Watch:
        """Since when something is not as it should be."""
        return Watch(self.database)

    @cached_property
    def charts(self) -> Charts:
        """What the past day was like."""
        return Charts(self.database)

    @cached_property
    def finder(self) -> Finder:
        """Where single objects stand."""
        return Finder(self.database)

    @cached_property
    def incidents(self) -> Incidents:
        """What was told to the webhook."""
        return Incidents(self.database)

    @property
    def ledger_is_absent(self) -> bool:
        """Whether the ledger is a file that is not there yet."""
        return is_absent(self.settings.state_url.get_secret_value())

    def overview(self, postponed: Postponed | None = None, hindered: Postponed | None = None) -> Overview:
        """Return how everything stands.

        Args:
            postponed: why this daemon is not at work yet.
            hindered: why its rounds fail.

        Raises:
            LedgerUnavailable: the ledger cannot be read.
        """
        now, queries, watch = self.clock.now(), self.queries, self.watch
        passes = queries.last_passes()
        integration = self.store.meta(INTEGRATION)
        return Overview(
            now=now,
            integration=integration,
            missing=self.ledger_missing() if integration is None else None,
            host=self.store.meta(GONG_HOST),
            active=queries.active(self.lease.now()),
            pacing=self.pacer.plan(),
            types=queries.types(self.census.told()),
            files=queries.unsettled(),
            work=queries.work(now),
            troubles=watch.files(),
            gone=watch.integration_gone(),
            last_taken=watch.last_taken(),
            passes=passes,
            failing=watch.failing() if any(one.error is not None for one in passes) else {},
            cursors=queries.cursors(),
            waiting=watch.waiting(now),
            stranded=watch.stranded(now),
            held=queries.holds(),
            refused_since=watch.refused_since(),
            paused=self.store.pauses(),
            requests=self.requests.open(),
            backfills=self.backfills.active(),
            doubted_since=queries.doubted_since(),
            login_refused=self.gong.refused(),
            unused=watch.mapping_unused(),
            postponed=postponed,
            hindered=hindered,
        )

    @cached_property
    def budget(self) -> Budget:
        """The shared count of calls."""
        limits = Limits(self.settings.calls_per_second, self.settings.calls_per_day)
        return Budget(self.database, self.clock, limits)

    @cached_property
    def pacer(self) -> Pacer:
        """When passes come."""
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

    # -- Gong ------------------------------------------------------------------------------------

    @cached_property
    def gong(self) -> GongAccess:
        """The ways to Gong."""
        return GongAccess(
            self.live, lambda: self.database, lambda: self.budget, self.clock, self.observer, self._transport
        )

    @property
    def client(self) -> GongClient:
        """Gong's API, within the budget."""
        return self.gong.client

    @cached_property
    def binding(self) -> Binding:
        """What the ledger is bound to."""
        return Binding(self.store, self.source.identity, gong_host(self.gong.base_url))

    def integration_id(self) -> int:
        """Return the registered integration.

        Raises:
            ConfigError: nothing is registered yet, the ledger is missing, or it belongs to another source or Gong.
        """
        if not self._looking and is_absent(self.settings.state_url.get_secret_value()):
            self._look_for_ledger()  # before an empty one is made in its place
        self.binding.check()
        found = self.binding.integration_id
        if found is None:
            self._look_for_ledger()
            raise ConfigError("the integration is not registered yet: run `gong-connector register` once")
        return found

    def _look_for_ledger(self) -> None:
        missing = self.ledger_missing()
        if missing is not None:
            raise ConfigError(missing)

    def ledger_missing(self) -> str | None:
        """Return, in words, that the ledger of the spool is not where it is looked for; None where it is, or there is
        no sign of one.
        """
        mark = read_mark(self.settings.spool_dir)
        url = self.settings.state_url.get_secret_value()
        if mark is None:
            return None
        if not is_absent(url):
            store = self.store
            if store.meta(INTEGRATION) is not None or mark.ledger == Epoch(self.database, self.clock).state().ledger:
                return None
        return (
            f"CONNECTOR_STATE_URL: the ledger is missing: there is none at {describe(url)}, or an empty one, but the "
            f"spool {self.settings.spool_dir} belongs to a ledger that was at work. Set the URL right, or put a backup "
            "of that ledger there; the connector then catches up by itself. If it is lost, begin anew: `gong-connector "
            "register`, and the next pass sends everything again (docs/operating.md, Backup)"
        )

    @cached_property
    def schema(self) -> SchemaKeeper:
        """Gong's additional fields."""
        return SchemaKeeper(
            self.client, self.integration_id(), self._schema_fields, self.store, self.lease, self.observer
        )

    # -- work ------------------------------------------------------------------------------------

    @cached_property
    def spool(self) -> Spool:
        """Files that are not settled yet."""
        return Spool(self.settings.spool_dir, self.settings.spool_max_bytes)

    @cached_property
    def recovery(self) -> Recovery:
        """What is to be done when the ledger was restored from a backup; its start needs the lease."""
        return Recovery(
            Epoch(self.database, self.clock),
            self.store,
            self.spool,
            lambda: (self.client, self.integration_id()),
            self.lease,
            self.clock,
            self.observer,
        )

    @cached_property
    def rounds(self) -> Rounds:
        """The ticks, joined. Needs the lease to do anything."""
        settings = self.settings
        integration_id = self.integration_id()
        self.recovery.begin()
        courier = Courier(
            self.client,
            integration_id,
            self.store,
            self.backfills,
            self.spool,
            self.lease,
            self.clock,
            Polling(settings.poll_min_seconds, settings.poll_max_seconds),
            settings.resend,
            settings.account_wait_seconds,
            self.observer,
        )
        return Rounds(
            self.mapping,
            self._reader(),
            courier,
            self.schema,
            Presence(self.client, integration_id, self.store, self.clock, self.observer),
            self.store,
            self.clock,
            settings.account_wait_seconds,
            self.observer,
        )

    def _reader(self) -> Reader:
        settings = self.settings
        return Reader(
            self.mapping,
            self.source,
            self.store,
            self.holds,
            self.spool,
            self.clock,
            Policy(settings.max_file_bytes, settings.account_wait_seconds, self._guard),
            settings.overlap_seconds,
            self.observer,
            self.new_id,
            self.lease,
            self.recovery,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        """Full comparisons; needs the lease."""
        return Reconciler(
            self.mapping, self.rounds.reader, self.store, self.holds, self.clock, self._guard, self.observer
        )

    @property
    def _guard(self) -> Guard:
        return Guard(self.settings.delete_guard_count, self.settings.delete_guard_percent)

    @cached_property
    def backfills(self) -> Backfills:
        """The ledger's part in backfills."""
        return Backfills(self.database, self.clock)

    @cached_property
    def backfiller(self) -> Backfiller:
        """Sends histories; needs the lease to do it, not to plan it."""
        return Backfiller(
            self.source,
            self.backfills,
            self.store,
            self.spool,
            self.clock,
            Policy(self.settings.max_file_bytes, self.settings.account_wait_seconds, self._guard),
            self.observer,
            self.new_id,
            self.lease,
        )

    @cached_property
    def verifier(self) -> Verifier:
        """Reading back from Gong."""
        return Verifier(
            self.client, self.integration_id(), self.mapping, self.source, self.store, self.clock, self.observer
        )

    @cached_property
    def past_verifier(self) -> PastVerifier:
        """Reading back from Gong what was at a moment."""
        return PastVerifier(
            self.client, self.integration_id(), self.source, self.store, self.backfills, self.clock, self.observer
        )

    @cached_property
    def syncer(self) -> Syncer:
        """One pass on one thread; needs the lease."""
        rounds = self.rounds
        self.binding.bind_source()
        rounds.courier.tidy()
        return Syncer(rounds, self.queries, self.lease, self.clock, self.recover)

    @cached_property
    def comparisons(self) -> Comparisons:
        """When full comparisons are. Raises ConfigError."""
        zone = ZoneInfo(self.mapping_file.timezone)
        return comparisons(self.settings.reconcile_interval_seconds, zone, "CONNECTOR_RECONCILE_INTERVAL_SECONDS")

    @cached_property
    def daemon(self) -> Daemon:
        """Passes for ever; needs the lease."""
        rounds = self.rounds
        self.binding.bind_source()
        return Daemon(
            rounds,
            self.lease,
            self.store,
            Dues(self.database, self.clock),
            self.clock,
            self.pacer,
            self.reconciler,
            self.comparisons,
            self.settings.retention_days,
            self.observer,
            self.requests,
            self._clerk(quick=False),
            self._clerk(quick=True),
            self.recover,
            self.gong.keep,
            Remapping(self.remap, self.store, self.clock, self.observer),
        )

    def recover(self) -> None:
        """Compare what a restored ledger needs compared."""

        def compare(object_type: ObjectType) -> bool:
            found = self.reconciler.reconcile(object_type)
            return found is not None and found.end is End.FINISHED

        self.recovery.compare(self.mapping.entities, compare)

    def _clerk(self, *, quick: bool) -> Clerk:
        def steps(request: Request) -> Steps[str]:
            operation = OPERATIONS.get(request.operation)
            refuse(operation, request, self.mapping_file.fingerprint)
            assert operation is not None, "an unknown one is refused"
            return (yield from operation.stored(self, request.arguments))

        def takes(request: Request) -> bool:
            operation = OPERATIONS.get(request.operation)
            return (operation is not None and operation.quick) is quick

        def is_last(request: Request) -> bool:
            operation = OPERATIONS.get(request.operation)
            return operation is not None and operation.last

        return Clerk(self.requests, self.clock, self.observer, steps, takes, is_last)
