"""Joins the ticks into rounds: what one command does in turn, and what the daemon does on its threads."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.clock import Clock
from connector.engine.courier import Courier, Errand
from connector.engine.lifecycle import Outcome
from connector.engine.observe import Observer
from connector.engine.presence import Presence
from connector.engine.reader import Reader
from connector.engine.reading import End, Reading
from connector.engine.schema import SchemaKeeper
from connector.engine.turns import NAMES_ACCOUNTS, may_load_at
from connector.errors import ConnectorError, GongDenied, LeaseLost, LedgerUnavailable
from connector.ledger.records import Counts, PassKind
from connector.ledger.store import Store
from connector.mapping import CompiledMapping, Entity
from connector.object_types import ObjectType

AGAIN_SECONDS: Final = 60.0
"""When the pending objects of a type that could not be read are tried again."""

_DOUBTFUL: Final = (Outcome.REJECTED, Outcome.FORGOTTEN)
"""What Gong answers where there is no such integration, among other things."""


@dataclass(slots=True)
class Rounds:
    """Rounds of ticks. The reading ones belong to one thread, the delivering ones to another or the same."""

    mapping: CompiledMapping
    reader: Reader
    courier: Courier
    schema: SchemaKeeper
    presence: Presence
    store: Store
    clock: Clock
    account_wait: float
    observer: Observer
    failing: dict[ObjectType, str] = field(default_factory=dict)
    """Types whose pending objects could not be read at the latest try, and why."""
    denied: str | None = None
    """Why Gong turned the latest delivery away for its credentials, scope or address."""

    @property
    def _types(self) -> list[ObjectType]:
        return [kind for kind in ObjectType if any(entity.type is kind for entity in self.mapping.entities)]

    def remap(self, mapping: CompiledMapping, reader: Reader) -> None:
        """Go by another mapping from now on; between two rounds of reading only."""
        self.mapping, self.reader = mapping, reader
        self.failing.clear()

    def read_at(self, entity: Entity) -> float:
        """Return from when on an entity source may be read (seconds since 1970 UTC)."""
        cursor = self.store.cursor(entity.name)
        if entity.type not in NAMES_ACCOUNTS or (cursor is not None and cursor.loaded_at is not None):
            return self.clock.now()
        accounts = [
            self.store.cursor(other.name) for other in self.mapping.entities if other.type is ObjectType.ACCOUNT
        ]
        unsettled_since, settled_at = self.store.settlement(ObjectType.ACCOUNT)
        return may_load_at(accounts, unsettled_since, settled_at, self.clock.now(), self.account_wait)

    def read(self, entity: Entity) -> Reading:
        """Make sure of Gong's schema for the type, then read what is new in the entity source."""
        if entity.type in self.store.pauses():
            return Reading(End.PAUSED, PassKind.INCREMENTAL, Counts())
        try:
            self.schema.ensure(entity.type)
        except ConnectorError as error:
            with contextlib.suppress(ConnectorError):
                self.store.fail_start(entity.name, PassKind.INCREMENTAL, str(error))
            raise
        with self._tidied():
            return self.reader.extract(entity)

    def tend(self) -> bool:
        """Book failed files and read pending objects whose time has come; return whether there was any."""
        did = False
        while self.courier.resolve() is not None:
            did = True
        due = self.store.due_types()
        paused = self.store.pauses() if due else {}
        for object_type in self._types:
            if object_type not in due:
                self.failing.pop(object_type, None)
            elif object_type not in paused:
                did = self._again(object_type) or did
        return did

    def _again(self, object_type: ObjectType) -> bool:
        """Read a type's pending objects anew. A type whose rows cannot be read stops no other: it is put off."""
        did = False
        try:
            with self._tidied():
                while (reading := self.reader.again(object_type)) is not None and reading.end is End.FINISHED:
                    did = True
        except (LeaseLost, LedgerUnavailable):
            raise
        except ConnectorError as error:
            self.failing[object_type] = str(error)
            self.observer.event("again.failed", type=object_type.value, error=str(error), alarm=True)
            self.store.delay(object_type, AGAIN_SECONDS)
        else:
            self.failing.pop(object_type, None)
        return did

    @contextlib.contextmanager
    def _tidied(self) -> Iterator[None]:
        """After a reading that failed, remove the file that it sealed and could not book: a ledger that cannot be
        written would else fill the spool.
        """
        try:
            yield
        except LedgerUnavailable:
            with contextlib.suppress(ConnectorError):
                self.courier.tidy()
            raise

    @property
    def stopped(self) -> str | None:
        """Why nothing gets to Gong before a person has seen to it."""
        return self.presence.words or self.denied

    def deliver(self) -> list[Errand]:
        """Upload and poll until nothing more is due; return what was done: nothing while the integration is gone.

        Raises:
            GongDenied: Gong does not accept the credentials, the scope or the address.
        """
        done: list[Errand] = []
        while self.presence.missing() is None:
            errand = self.courier.deliver()
            if errand is None:
                break
            done.append(errand)
            if errand.outcome in _DOUBTFUL:
                self.presence.look()
            self.denied = errand.detail if errand.outcome is Outcome.DENIED else None
            if self.denied is not None:
                raise GongDenied(self.denied)
        return done

    def resend(self, object_type: ObjectType, ids: Sequence[str] | None) -> int:
        """Have objects that Gong was told of sent again although their rows did not change; return how many.

        `ids` None means all of the type. Objects on their way, and refused ones, are left alone.
        """
        self.schema.ensure(object_type)
        return self.store.resend(object_type, ids)

    def next_due(self) -> float | None:
        """Return when the next batch or pending object is due (seconds since 1970 UTC)."""
        dues = [due for due in (self.courier.next_due(), self.store.next_due()) if due is not None]
        return min(dues, default=None)
