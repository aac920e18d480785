"""Joins the connector's parts, each built when it is first needed: on those of ledger and CRM, Gong's and the work."""

import copy
import uuid
from collections.abc import Callable
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from connector.clock import Clock
from connector.engine.binding import GONG_HOST, INTEGRATION, Binding
from connector.engine.courier import Courier
from connector.engine.gong_access import GongAccess
from connector.engine.guard import Guard
from connector.engine.intake import Policy
from connector.engine.observe import Observer
from connector.engine.polling import Polling
from connector.engine.presence import Presence
from connector.engine.reader import Reader
from connector.engine.reading import End
from connector.engine.recovery import Recovery
from connector.engine.rounds import Rounds
from connector.engine.schema import SchemaKeeper
from connector.engine.source_parts import OF_MAPPING, SourceParts
from connector.errors import ConfigError
from connector.gong import GongClient, Transport, gong_host
from connector.ledger.epoch import Epoch
from connector.object_types import ObjectType
from connector.settings import Settings
from connector.spool import Spool

if TYPE_CHECKING:  # imported where they are made: most commands need none of them, and each takes a while
    from connector.engine.backfill import Backfiller
    from connector.engine.overview import Overview, Postponed
    from connector.engine.past_verifier import PastVerifier
    from connector.engine.reconciler import Reconciler
    from connector.engine.sync import Syncer
    from connector.engine.verifier import Verifier


class Wiring(SourceParts):
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
        super().__init__(settings, clock, observer, looking=looking)
        self._transport = transport
        self.new_id = new_id

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
        if not self._looking and self.ledger_is_absent:
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

    def _booked(self, counter: int) -> None:
        self.recovery.booked(counter)

    @cached_property
    def rounds(self) -> Rounds:
        """The ticks, joined. Needs the lease to do anything."""
        settings = self.settings
        integration_id = self.integration_id()
        self.recovery.begin()
        self._let_picklists_grow()
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

    def _let_picklists_grow(self) -> None:
        """Have Gong be told of values that occur before the first line says them."""
        for object_type, lists in self.mapping.picklists.items():
            for picklist in lists.values():
                picklist.on_growth = partial(self.schema.ensure, object_type)

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

    def remap(self) -> bool:
        """Take up the mapping file as it is now, between two rounds of reading; return False where it says nothing new.
        It must fit the source in everything: a column that is not there may be a slip of the pen.

        Raises:
            ConnectorError: it is wrong, or cannot be held against the source now; what was in use stays.
        """
        fresh = copy.copy(self)
        for name in OF_MAPPING:
            fresh.__dict__.pop(name, None)
        fresh._strict = True
        if fresh.mapping_file.fingerprint == self.mapping_file.fingerprint:
            return False
        made = {name: getattr(fresh, name) for name in OF_MAPPING}
        for name in (*OF_MAPPING, "reconciler", "verifier"):
            self.__dict__.pop(name, None)
        self.__dict__ |= made
        if "rounds" in self.__dict__:
            self._let_picklists_grow()
            self.rounds.remap(self.mapping, self._reader())
        return True

    @cached_property
    def reconciler(self) -> "Reconciler":
        """Full comparisons; needs the lease."""
        from connector.engine.reconciler import Reconciler

        return Reconciler(
            self.mapping, self.rounds.reader, self.store, self.holds, self.clock, self._guard, self.observer
        )

    @property
    def _guard(self) -> Guard:
        return Guard(self.settings.delete_guard_count, self.settings.delete_guard_percent)

    @cached_property
    def backfiller(self) -> "Backfiller":
        """Sends histories; needs the lease to do it, not to plan it."""
        from connector.engine.backfill import Backfiller

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
    def verifier(self) -> "Verifier":
        """Reading back from Gong."""
        from connector.engine.verifier import Verifier

        return Verifier(
            self.client, self.integration_id(), self.mapping, self.source, self.store, self.clock, self.observer
        )

    @cached_property
    def past_verifier(self) -> "PastVerifier":
        """Reading back from Gong what was at a moment."""
        from connector.engine.past_verifier import PastVerifier

        return PastVerifier(
            self.client, self.integration_id(), self.source, self.store, self.backfills, self.clock, self.observer
        )

    @cached_property
    def syncer(self) -> "Syncer":
        """One pass on one thread; needs the lease."""
        from connector.engine.sync import Syncer

        rounds = self.rounds
        self.binding.bind_source()
        rounds.courier.tidy()
        return Syncer(rounds, self.queries, self.lease, self.clock, self.recover)

    def recover(self) -> None:
        """Compare what a restored ledger needs compared."""

        def compare(object_type: ObjectType) -> bool:
            found = self.reconciler.reconcile(object_type)
            return found is not None and found.end is End.FINISHED

        self.recovery.compare(self.mapping.entities, compare)

    # -- how everything stands -------------------------------------------------------------------

    def overview(self, postponed: "Postponed | None" = None, hindered: "Postponed | None" = None) -> "Overview":
        """Return how everything stands.

        Args:
            postponed: why this daemon is not at work yet.
            hindered: why its rounds fail.

        Raises:
            LedgerUnavailable: the ledger cannot be read.
        """
        from connector.engine.overview import Overview

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
