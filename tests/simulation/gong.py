"""The sandboxed Gong, watched: what arrives is kept and checked on the spot, and calls go wrong at random."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connector.object_types import ObjectType
from connector.sandbox.api import SandboxApi
from connector.sandbox.faults import UPLOAD_KINDS, Effects, Fault, FaultKind, FaultPlan, Operation, RandomFaults
from connector.sandbox.http import Request, Response
from connector.sandbox.store import Received
from connector.sandbox.world import World
from tests.simulation.expectation import Line
from tests.simulation.promises import Broken, Promise
from tests.simulation.variety import Variety

FORCED: Final = "Line was refused on demand"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line of an accepted file."""

    kind: str
    object_id: str
    request_id: str
    number: int
    """Of the line in its file, from 1."""
    modified: str
    line: Line


class WatchedWorld(World):
    """Keeps every accepted line, and checks each file when it comes in."""

    def __init__(self, now: Callable[[], float], seed: int, variety: Variety) -> None:
        super().__init__(now=now, seed=seed, behaviour=variety.behaviour)
        self.arrivals: list[Arrival] = []
        self.by_place: dict[tuple[str, int], Arrival] = {}
        self.latest: dict[tuple[str, str], Arrival] = {}
        self.files = 0
        self._integration_id = 0

    def accept(
        self,
        integration_id: int,
        object_type: ObjectType,
        client_request_id: str,
        received: Received,
        request_id: str,
        effects: Effects,
    ) -> None:
        raw = received.path.read_bytes()
        super().accept(integration_id, object_type, client_request_id, received, request_id, effects)
        self._integration_id = integration_id
        self.files += 1
        arrived = [
            _arrival(object_type.value, client_request_id, number, text)
            for number, text in enumerate(_lines(raw), start=1)
        ]
        self._check_file(client_request_id, arrived)
        if object_type in (ObjectType.CONTACT, ObjectType.DEAL):
            self._check_parents(arrived)
        for arrival in arrived:
            self._check_settled(arrival)
            self.arrivals.append(arrival)
            self.by_place[client_request_id, arrival.number] = arrival
            self.latest[arrival.kind, arrival.object_id] = arrival

    def refusal_at(self, request_id: str, number: int) -> str | None:
        """Return what Gong said against a line of an upload; None when it listed nothing."""
        status = self.status(self._integration_id, request_id)
        return None if status is None else dict(status.errors).get(number)

    def refused_file(self, request_id: str) -> bool:
        """Tell whether Gong answered FAILED for an upload."""
        status = self.status(self._integration_id, request_id)
        return status is not None and status.status == "FAILED"

    def _check_file(self, request_id: str, arrived: list[Arrival]) -> None:
        ids = Counter(arrival.object_id for arrival in arrived)
        twice = [object_id for object_id, count in ids.items() if count > 1]
        if twice:
            raise Broken(Promise.ONE_ID_ONE_FILE, f"file {request_id} holds object {twice[0]} twice")
        moments = [arrival.modified for arrival in arrived]
        if moments != sorted(moments):
            raise Broken(Promise.ONE_ID_ONE_FILE, f"the lines of file {request_id} do not ascend by modifiedDate")

    def _check_parents(self, arrived: list[Arrival]) -> None:
        """A line that names an account comes after Gong took that account, be it deleted again since."""
        accounts = self.objects(ObjectType.ACCOUNT, deleted=True)
        for arrival in arrived:
            account = arrival.line.get("accountId")
            if account is not None and account not in accounts:
                raise Broken(
                    Promise.PARENTS_FIRST,
                    f"{arrival.kind} {arrival.object_id} names account {account}, which Gong never had",
                )

    def _check_settled(self, arrival: Arrival) -> None:
        """An object has at most one unsettled line, or Gong might process two in any order."""
        earlier = self.latest.get((arrival.kind, arrival.object_id))
        if earlier is None:
            return
        status = self.status(self._integration_id, earlier.request_id)
        if status is None or status.status not in ("DONE", "FAILED"):
            raise Broken(
                Promise.NO_STALE_OVERWRITE,
                f"{arrival.kind} {arrival.object_id} came in file {arrival.request_id} before Gong had told what "
                f"became of file {earlier.request_id}, which holds it too",
            )


class WatchedApi(SandboxApi):
    """Sees every call: none may come while Gong wants to be left alone."""

    def __init__(self, world: World, faults: FaultPlan) -> None:
        super().__init__(world, faults=faults)
        self.quiet_until = 0.0
        """Gong wants to be left alone until then (seconds since 1970 UTC)."""
        self.calls = 0
        self._told_at = 0.0

    def handle(self, request: Request) -> Response:
        now = self.world.now()
        self.calls += 1
        if now < self.quiet_until:
            raise Broken(
                Promise.BUDGET,
                f"{request.method} {request.path} {self.quiet_until - now:.1f} s before Retry-After ended",
            )
        response = super().handle(request)
        if response.status == 429:
            wait = dict(response.headers).get("Retry-After", "")
            if wait.isdecimal():
                self._told_at = now
                self.quiet_until = now + int(wait)
        return response

    def caller_died(self) -> None:
        """Whoever died in the very moment of the answer may not have noted down its Retry-After."""
        if self._told_at == self.world.now():
            self.quiet_until = 0.0


class Mischief(RandomFaults):
    """Draws what goes wrong with a call, more of it than RandomFaults knows, and counts it."""

    def __init__(self, chance: random.Random, probability: float, longest_unknown: float) -> None:
        """`longest_unknown`: for how long Gong may say that it does not know what it has accepted, in seconds."""
        super().__init__(0, 0.0)
        self._longest_unknown = longest_unknown
        self._chance = chance
        self._share = probability
        self.counts: Counter[str] = Counter()
        self._calls = [kind for kind in FaultKind if kind not in UPLOAD_KINDS]
        self._uploads = sorted(UPLOAD_KINDS)

    def draw(self, operation: Operation) -> Fault | None:
        chance = self._chance
        if chance.random() >= self._share * (2 if operation is Operation.UPLOAD else 1):
            return None
        upload = operation is Operation.UPLOAD and chance.random() < 0.7
        fault = self.fault(chance.choice(self._uploads if upload else self._calls))
        self.counts[fault.kind.value] += 1
        return fault

    def fault(self, kind: FaultKind) -> Fault:
        """Return a fault of a kind, its details at random."""
        chance = self._chance
        waits = ("1", "3", "30", "1500", None, "soon", "-3", "Thu, 01 Jan 1970 00:00:00 GMT")
        seconds = {
            FaultKind.UNKNOWN: min(chance.choice((5.0, 100.0, 600.0, 3000.0)), self._longest_unknown),
            FaultKind.STUCK: chance.choice((60.0, 1000.0, 20_000.0)),
            FaultKind.SLOW: chance.choice((10.0, 600.0)),
        }
        offsets = ((1, 0), (0, 1), (2, -1), (0, -1), (3, 3))  # never such that the sum of the totals comes out right
        error_offset, success_offset = chance.choice(offsets)
        return Fault(
            kind=kind,
            retry_after=chance.choice(waits),
            seconds=seconds.get(kind),
            every=chance.choice((1, 1, 2, 3, 5)),
            description=chance.choice(
                (FORCED, f"{FORCED}: Invalid value for field [name]", f"{FORCED}: accountId [x] was not found")
            ),
            error_offset=error_offset,
            success_offset=success_offset,
        )


def _lines(raw: bytes) -> list[bytes]:
    return raw.removesuffix(b"\n").split(b"\n")


def _arrival(kind: str, request_id: str, number: int, text: bytes) -> Arrival:
    line: dict[str, Any] = json.loads(text, parse_float=Decimal)
    modified = line.pop("modifiedDate")
    return Arrival(kind, line["objectId"], request_id, number, modified, line)
