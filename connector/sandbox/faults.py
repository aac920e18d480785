"""Faults on demand: what goes wrong, with which calls, and how often."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from threading import Lock
from typing import Any, Final

from connector.object_types import ObjectType


class ConnectionDropped(Exception):
    """The connection breaks here: the caller gets no answer. A transport turns it into its own error."""

    def __init__(self, *, body_read: bool) -> None:
        self.body_read = body_read
        """Whether the request had arrived whole."""
        super().__init__("the connection was dropped on demand")


class Operation(StrEnum):
    """The calls of the API, by the names that faults use."""

    REGISTER = "register"
    INTEGRATIONS = "integrations"
    UNREGISTER = "unregister"
    PUT_SCHEMA = "put_schema"
    SCHEMA = "schema"
    UPLOAD = "upload"
    OBJECTS = "objects"
    STATUS = "status"
    AUTHORIZE = "authorize"
    TOKEN = "token"  # noqa: S105 - a name


class FaultKind(StrEnum):
    """What goes wrong. "Before" means that nothing was done, "after" that the call was carried out."""

    DROP_BEFORE = "drop_before"
    """The connection breaks before anything was read."""
    DROP_IN_BODY = "drop_in_body"
    """The connection breaks while the body is read; nothing is done."""
    DROP_AFTER = "drop_after"
    """The call is carried out, its answer lost."""
    ERROR_BEFORE = "error_before"
    """500, nothing done."""
    ERROR_AFTER = "error_after"
    """500 although the call was carried out."""
    THROTTLE = "throttle"
    """429 with `retry_after` as its header (None: no header)."""
    HTML_BEFORE = "html_before"
    """502 with an HTML page, nothing done."""
    HTML_AFTER = "html_after"
    """502 with an HTML page although the call was carried out."""
    CUT_JSON = "cut_json"
    """The call is carried out and answered with the first half of its JSON."""
    REDIRECT = "redirect"
    """302 to another host, nothing done."""

    UNKNOWN = "unknown"
    """The accepted upload's status is unknown for `seconds`."""
    STUCK = "stuck"
    """The accepted upload stays PENDING for `seconds` (None: for ever); later ones overtake it."""
    SLOW = "slow"
    """Processing takes `seconds` longer."""
    LINE_ERRORS = "line_errors"
    """The lines chosen by `lines`, `object_ids` or `every` are refused with `description`."""
    GENERAL = "general"
    """The whole file fails with one error of line 0 and `description`; nothing is applied."""
    WRONG_TOTALS = "wrong_totals"
    """The totals of the status are off by `error_offset` and `success_offset`."""


UPLOAD_KINDS: Final = frozenset(
    {
        FaultKind.UNKNOWN,
        FaultKind.STUCK,
        FaultKind.SLOW,
        FaultKind.LINE_ERRORS,
        FaultKind.GENERAL,
        FaultKind.WRONG_TOTALS,
    }
)
"""Kinds that show in an upload's processing; the others show in the HTTP answer of any call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with the next `times` calls that match."""

    kind: FaultKind
    operation: Operation | None = None
    """None: any call (upload kinds: always uploads)."""
    object_type: ObjectType | None = None
    """Only calls that name this type; None: any."""
    times: int = 1
    retry_after: str | None = "1"
    seconds: float | None = None
    lines: tuple[int, ...] = ()
    object_ids: tuple[str, ...] = ()
    every: int = 0
    """Every n-th line is refused; 0: none."""
    description: str = "Line was refused on demand"
    error_offset: int = 0
    success_offset: int = 0

    def matches(self, operation: Operation, object_type: str | None) -> bool:
        """Return whether a call of `operation` for `object_type` is to suffer this fault."""
        wanted = Operation.UPLOAD if self.kind in UPLOAD_KINDS else self.operation
        return wanted in (None, operation) and self.object_type in (None, object_type)

    @classmethod
    def from_json(cls, spec: Any) -> "Fault":
        """Return the fault that a JSON object describes (keys as the attributes); raise ValueError in words."""
        if not isinstance(spec, dict):
            raise ValueError("a fault is a JSON object")  # noqa: TRY004 - the caller answers ValueError with 400
        known = {item.name for item in fields(cls)}
        unknown = sorted(spec.keys() - known)
        if unknown:
            raise ValueError(f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        checked = {name: _checked(name, value) for name, value in spec.items()}
        if "kind" not in checked:
            raise ValueError(f"kind is missing; one of {', '.join(FaultKind)}")
        return cls(**checked)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


_SHAPES: Final[Mapping[str, tuple[type, ...]]] = {
    "times": (int,),
    "every": (int,),
    "error_offset": (int,),
    "success_offset": (int,),
    "seconds": (int, float, type(None)),
    "retry_after": (str, type(None)),
    "description": (str,),
}


def _checked(name: str, value: Any) -> Any:
    enums: Mapping[str, type[StrEnum]] = {
        "kind": FaultKind,
        "operation": Operation,
        "object_type": ObjectType,
    }
    if name in enums:
        if value is None and name != "kind":
            return None
        return enums[name](value)
    if name in ("lines", "object_ids"):
        wanted = int if name == "lines" else str
        if not isinstance(value, list) or not all(isinstance(item, wanted) for item in value):
            raise ValueError(f"{name} must be an array of {'integers' if wanted is int else 'strings'}")
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, _SHAPES[name]):
        raise ValueError(f"{name} is of a wrong type")  # noqa: TRY004 - as above
    return value


@dataclass(frozen=True, slots=True)
class Effects:
    """What the faults of an accepted upload do to its processing; kept with the upload."""

    unknown_seconds: float = 0.0
    pending_seconds: float = 0.0
    """Infinite for ever."""
    slow_seconds: float = 0.0
    lines: tuple[int, ...] = ()
    object_ids: tuple[str, ...] = ()
    every: int = 0
    description: str = ""
    general: str | None = None
    error_offset: int = 0
    success_offset: int = 0

    @property
    def stuck(self) -> bool:
        """Whether others overtake this upload."""
        return self.pending_seconds > 0


def effects_of(faults: Iterable[Fault]) -> Effects:
    """Return what these faults (of upload kinds) do together; a later one of the same kind wins."""
    effects = Effects()
    for fault in faults:
        forever = float("inf") if fault.seconds is None else fault.seconds
        match fault.kind:
            case FaultKind.UNKNOWN:
                effects = replace(effects, unknown_seconds=forever)
            case FaultKind.STUCK:
                effects = replace(effects, pending_seconds=forever)
            case FaultKind.SLOW:
                effects = replace(effects, slow_seconds=fault.seconds or 0.0)
            case FaultKind.LINE_ERRORS:
                effects = replace(
                    effects,
                    lines=fault.lines,
                    object_ids=fault.object_ids,
                    every=fault.every,
                    description=fault.description,
                )
            case FaultKind.GENERAL:
                effects = replace(effects, general=fault.description)
            case FaultKind.WRONG_TOTALS:
                effects = replace(effects, error_offset=fault.error_offset, success_offset=fault.success_offset)
            case _:
                raise ValueError(f"{fault.kind} is no fault of an upload's processing")
    return effects


RECOVERABLE: Final = tuple(
    kind for kind in FaultKind if kind not in (FaultKind.LINE_ERRORS, FaultKind.GENERAL, FaultKind.WRONG_TOTALS)
)
"""The kinds that a client gets over by itself, whatever it sent."""


class RandomFaults:
    """Seeded bad luck: each call suffers with `probability` one fault of `kinds`."""

    def __init__(
        self,
        seed: int,
        probability: float,
        kinds: Sequence[FaultKind] = RECOVERABLE,
        max_seconds: float = 120.0,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible faults, no secret
        self._probability = probability
        self._kinds = tuple(kinds)
        self._max_seconds = max_seconds

    def draw(self, operation: Operation) -> Fault | None:
        """Return the fault of this call, if it has one. Durations are finite, at most `max_seconds`."""
        if self._random.random() >= self._probability:
            return None
        kinds = [kind for kind in self._kinds if operation is Operation.UPLOAD or kind not in UPLOAD_KINDS]
        if not kinds:
            return None
        chance = self._random
        return Fault(
            kind=chance.choice(kinds),
            retry_after=chance.choice(("1", "5", None, "soon", "-3", "Thu, 01 Jan 1970 00:00:00 GMT")),
            seconds=chance.uniform(0.0, self._max_seconds),
            every=chance.randint(1, 5),
            error_offset=chance.randint(-1, 3),
            success_offset=chance.randint(-3, 3),
        )


@dataclass(slots=True)
class FaultPlan:
    """The faults waiting for their calls. Safe to be used from several threads."""

    random: RandomFaults | None = None
    _queue: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, *faults: Fault) -> None:
        """Queue faults behind those that wait already."""
        with self._lock:
            self._queue.extend(faults)

    def clear(self) -> None:
        """Forget all waiting faults, and the random ones."""
        with self._lock:
            self._queue.clear()
            self.random = None

    def waiting(self) -> list[Fault]:
        """Return the faults that still wait, with the times left."""
        with self._lock:
            return list(self._queue)

    def take(self, operation: Operation, object_type: str | None) -> list[Fault]:
        """Return the faults of this call and use each up by one.

        At most one shows in the HTTP answer (the first that waits); an upload may have more for its processing.
        """
        with self._lock:
            taken: list[Fault] = []
            answered = False
            for place, fault in enumerate(self._queue):
                for_upload = fault.kind in UPLOAD_KINDS
                if fault.matches(operation, object_type) and (for_upload or not answered):
                    answered = answered or not for_upload
                    taken.append(fault)
                    self._queue[place] = replace(fault, times=fault.times - 1)
            self._queue = [fault for fault in self._queue if fault.times > 0]
            if not taken and self.random is not None:
                drawn = self.random.draw(operation)
                taken = [drawn] if drawn is not None else []
            return taken
