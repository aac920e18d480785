"""What commands do that write: one function each, whoever carries it out, the command itself or a daemon for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from connector.engine.binding import ABOUT_GONG, UNREGISTER, UNREGISTERED
from connector.engine.comparing import Compared, compare_all
from connector.engine.schema import Change, SchemaConflict
from connector.engine.sync import MOST_TRIES, Steps, SyncReport
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.gong import GongRefused, GongUnavailable
from connector.ledger.backfills import Backfill
from connector.ledger.queries import Work
from connector.mapping import Entity, History
from connector.object_types import SCHEMA_TYPES, ObjectType
from connector.spool import Staging

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Operation(Generic[A, R]):
    """Something that a command asks for and that needs the lease.

    `arguments` and `result` are types that JSON can hold: frozen dataclasses of plain values, as pydantic reads them.
    """

    name: str
    arguments: type[A]
    result: type[R]
    steps: Callable[[Wiring, A], Steps[R]]
    """Must come to the same end when it is begun again after a crash in its middle. Raises ConnectorError."""
    mapped: bool = True
    """It depends on the mapping file: a daemon that works with another version of it refuses."""
    quick: bool = False
    """It only notes something in the ledger: a daemon does it at once, even while it reads the source."""
    last: bool = False
    """A daemon comes to rest before it, and ends after it."""

    def dump_arguments(self, arguments: A) -> str:
        """Return arguments as a request holds them."""
        return TypeAdapter(self.arguments).dump_json(arguments).decode()

    def dump_result(self, result: R) -> str:
        """Return a result as a request holds it."""
        return TypeAdapter(self.result).dump_json(result).decode()

    def load_result(self, stored: str) -> R:
        """Read a result as a request holds it."""
        return TypeAdapter(self.result).validate_json(stored)

    def stored(self, wiring: Wiring, arguments: str) -> Steps[str]:
        """Carry the operation out from stored arguments to a stored result.

        Raises:
            ConfigError: the arguments are those of another version of the connector.
        """
        try:
            read = TypeAdapter(self.arguments).validate_json(arguments)
        except ValidationError:
            raise ConfigError(
                f"{self.name} was asked for by another version of the connector: use that of the daemon"
            ) from None
        return self.dump_result((yield from self.steps(wiring, read)))


def at_once(work: Callable[[Wiring, A], R]) -> Callable[[Wiring, A], Steps[R]]:
    """Make the steps of an operation from a function that waits for nothing."""

    def steps(wiring: Wiring, arguments: A) -> Steps[R]:
        yield from ()
        return work(wiring, arguments)

    return steps


def carry_out(wiring: Wiring, steps: Steps[R]) -> R:
    """Carry work out to its end alone, on one thread; needs the lease."""
    while True:
        try:
            until = next(steps)
        except StopIteration as end:
            result: R = end.value
            return result
        wiring.syncer.turn(until)


# -- sync -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SyncArguments:
    """What `sync` is to do."""

    types: tuple[ObjectType, ...]
    """Empty: all."""
    wait: bool
    timeout: float | None
    """Seconds."""


def _sync(wiring: Wiring, arguments: SyncArguments) -> Steps[SyncReport]:
    entities = chosen(wiring, arguments.types)
    return (yield from wiring.syncer.steps(entities, wait=arguments.wait, timeout=arguments.timeout))


def chosen(wiring: Wiring, types: Sequence[ObjectType]) -> list[Entity]:
    """Return the entity sources of these types, all when there is none.

    Raises:
        ConfigError: the mapping file does not have one of the types.
    """
    entities = wiring.mapping.entities
    missing = [str(kind) for kind in types if all(entity.type is not kind for entity in entities)]
    if missing:
        raise ConfigError(f"{missing[0]}: {wiring.settings.mapping} says nothing of {missing[0]}")
    return [entity for entity in entities if not types or entity.type in types]


def chosen_types(wiring: Wiring, types: Sequence[ObjectType]) -> list[ObjectType]:
    """Return the types that the mapping file has, only these where there are some, in Gong's order.

    Raises:
        ConfigError: the mapping file does not have one of them.
    """
    return list(dict.fromkeys(entity.type for entity in chosen(wiring, types)))


# -- reconcile ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReconcileArguments:
    """What `reconcile` is to do."""

    types: tuple[ObjectType, ...]
    """Empty: all."""


def _reconcile(wiring: Wiring, arguments: ReconcileArguments) -> Steps[Compared]:
    types = chosen_types(wiring, arguments.types)
    return (yield from compare_all(types, wiring.rounds, wiring.reconciler, wiring.syncer))


# -- resend, and verify --repair ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResendArguments:
    """What `resend` is to send: the ids of each type, None for all of it."""

    ids: dict[ObjectType, list[str] | None]


@dataclass(frozen=True, slots=True)
class Resent:
    """What was sent again, and what is left once Gong has settled it."""

    sent: int
    work: Work


def _resend(wiring: Wiring, arguments: ResendArguments) -> Steps[Resent]:
    sent = sum(wiring.rounds.resend(kind, ids) for kind, ids in arguments.ids.items())
    report = yield from wiring.syncer.steps((), wait=True, timeout=None)
    return Resent(sent, report.work)


# -- failures retry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RetryArguments:
    """Which refused objects `failures retry` is to try again; None for all."""

    type: ObjectType | None
    object_id: str | None


def _retry(wiring: Wiring, arguments: RetryArguments) -> int:
    return wiring.store.retry(arguments.type, arguments.object_id)


# -- approve --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ApproveArguments:
    """Which hold `approve` lets through, and on whose word."""

    hold_id: int
    by: str


@dataclass(frozen=True, slots=True)
class Approved:
    """What `approve` let through."""

    released: int | None
    """Objects; None when no such hold is open."""


def _approve(wiring: Wiring, arguments: ApproveArguments) -> Approved:
    return Approved(wiring.holds.approve(arguments.hold_id, arguments.by))


# -- schema apply ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SchemaArguments:
    """What `schema apply` may do."""

    destructive: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one type's additional fields."""

    type: ObjectType
    changes: tuple[Change, ...]
    conflict: str | None
    """Why nothing was changed, in words; None when it was."""


def _apply(wiring: Wiring, arguments: SchemaArguments) -> list[Applied]:
    applied = []
    for kind in schema_types(wiring):
        try:
            changes = wiring.schema.apply(kind, destructive=arguments.destructive)
        except SchemaConflict as conflict:
            applied.append(Applied(kind, (), str(conflict)))
        else:
            applied.append(Applied(kind, tuple(change.change for change in changes), None))
    return applied


def schema_types(wiring: Wiring) -> list[ObjectType]:
    """Return the types that may have additional fields and that the mapping sends."""
    sent = {entity.type for entity in wiring.mapping.entities}
    return [kind for kind in SCHEMA_TYPES if kind in sent]


# -- pause, resume --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PauseArguments:
    """Which type `pause` or `resume` is about."""

    type: ObjectType


@dataclass(frozen=True, slots=True)
class WasPaused:
    """What was before `pause` or `resume`."""

    since: float | None
    """Seconds since 1970 UTC; None: it was not paused."""


def _pause(wiring: Wiring, arguments: PauseArguments) -> WasPaused:
    since = wiring.store.pauses().get(arguments.type)
    wiring.store.pause(arguments.type)
    return WasPaused(since)


def _resume(wiring: Wiring, arguments: PauseArguments) -> WasPaused:
    since = wiring.store.pauses().get(arguments.type)
    wiring.store.resume(arguments.type)
    return WasPaused(since)


# -- unregister -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnregisterArguments:
    """Which integration `unregister` is to delete: the one that the user was asked about."""

    integration_id: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """What `unregister` deleted."""

    integration_id: int


def _unregister(wiring: Wiring, arguments: UnregisterArguments) -> Unregistered:
    integration_id = arguments.integration_id
    if wiring.store.meta(f"{UNREGISTERED}{integration_id}") is None:
        if wiring.binding.integration_id != integration_id:
            raise ConfigError("the ledger belongs to another integration by now: look at `gong-connector status`")
        _have_deleted(wiring, integration_id)
        wiring.store.forget_gong(ABOUT_GONG, f"{UNREGISTERED}{integration_id}")
        wiring.observer.event("unregistered", integration=str(integration_id))
    found = wiring.spool.leftovers()
    for name in (*found.sealed, *found.partial):
        wiring.spool.remove(name)
    Staging.remove_all(wiring.spool.directory)
    return Unregistered(integration_id)


def _have_deleted(wiring: Wiring, integration_id: int) -> None:
    """Ask Gong to delete the integration, under one id however often.

    Raises:
        GongUnavailable: it is not known whether Gong took it.
    """
    request_id = wiring.store.meta(UNREGISTER)
    if request_id is None:
        request_id = wiring.new_id()
        wiring.store.set_meta(UNREGISTER, request_id)
    for tried in range(MOST_TRIES):
        wiring.lease.renew()
        try:
            return wiring.client.unregister(integration_id, request_id)
        except GongRefused:
            if any(one.integration_id == integration_id for one in wiring.client.integrations()):
                raise
            return None
        except GongUnavailable:
            if tried == MOST_TRIES - 1:
                raise
        wiring.clock.sleep(2.0**tried)
    return None


# -- backfill -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BackfillArguments:
    """Whose history `backfill` is to send. Times are seconds since 1970 UTC."""

    type: ObjectType
    asked: str
    """Unique for each demand."""
    since: int | None
    until: int | None


def _backfill(wiring: Wiring, arguments: BackfillArguments) -> Steps[list[Backfill]]:
    ended, syncer = [], wiring.syncer
    for entity, history in histories(wiring, arguments.type):
        backfill = yield from wiring.backfiller.steps(
            entity, history, arguments.asked, arguments.since, arguments.until
        )
        ended.append(backfill)
    yield from syncer.steps((), wait=True, timeout=None)
    return ended


def _stop_backfill(wiring: Wiring, object_type: ObjectType) -> Steps[list[Backfill]]:
    ended = []
    for entity, _ in histories(wiring, object_type):
        backfill = yield from wiring.backfiller.stop(entity.name)
        if backfill is not None:
            ended.append(backfill)
    return ended


def histories(wiring: Wiring, object_type: ObjectType) -> list[tuple[Entity, History]]:
    """Return the entity sources of a type that have a history, with it.

    Raises:
        ConfigError: the mapping file names none.
    """
    found = [
        (entity, wiring.mapping.histories[entity.name])
        for entity in chosen(wiring, [object_type])
        if entity.name in wiring.mapping.histories
    ]
    if not found:
        raise ConfigError(
            f"{object_type}: {wiring.settings.mapping} names no history of it: say under `history` where the CRM "
            "kept it (docs/history.md)"
        )
    return found


SYNC: Final = Operation("sync", SyncArguments, SyncReport, _sync)
RECONCILE: Final = Operation("reconcile", ReconcileArguments, Compared, _reconcile)
RESEND: Final = Operation("resend", ResendArguments, Resent, _resend)
RETRY: Final = Operation("failures retry", RetryArguments, int, at_once(_retry), mapped=False)
APPROVE: Final = Operation("approve", ApproveArguments, Approved, at_once(_approve), mapped=False)
SCHEMA_APPLY: Final = Operation("schema apply", SchemaArguments, list[Applied], at_once(_apply))
PAUSE: Final = Operation("pause", PauseArguments, WasPaused, at_once(_pause), mapped=False, quick=True)
RESUME: Final = Operation("resume", PauseArguments, WasPaused, at_once(_resume), mapped=False, quick=True)
UNREGISTER_IT: Final = Operation(
    "unregister", UnregisterArguments, Unregistered, at_once(_unregister), mapped=False, last=True
)
BACKFILL: Final = Operation("backfill", BackfillArguments, list[Backfill], _backfill)
STOP_BACKFILL: Final = Operation("backfill --stop", ObjectType, list[Backfill], _stop_backfill)

OPERATIONS: Final[dict[str, Operation[Any, Any]]] = {
    operation.name: operation
    for operation in (
        SYNC,
        RECONCILE,
        RESEND,
        RETRY,
        APPROVE,
        SCHEMA_APPLY,
        PAUSE,
        RESUME,
        UNREGISTER_IT,
        BACKFILL,
        STOP_BACKFILL,
    )
}
"""Everything that may be asked of a daemon, by the name in the ledger."""
