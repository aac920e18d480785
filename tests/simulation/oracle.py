"""Holds Gong and the ledger against the CRM: knows the promises, and nothing of how the connector keeps them."""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from connector.engine.wiring import Wiring
from connector.ledger.queries import Hold
from connector.ledger.records import HoldKind
from connector.object_types import ObjectType
from tests.simulation.crm import Crm, Key
from tests.simulation.expectation import Line, Unfit, address_of, deletion, is_gone
from tests.simulation.gong import Arrival, WatchedWorld
from tests.simulation.hindsight import Hindsight
from tests.simulation.promises import Broken, Promise
from tests.simulation.variety import Variety

PER_SECOND: Final = 3
DAY: Final = 86_400.0
_HELD: Final = {HoldKind.DELETIONS: "held_deletion", HoldKind.CHANGES: "held_change"}
"""What an object may wait for without end: a person's word, ..."""
_MAY_REST: Final = ("account", "address")
"""... an account that does not come, an address that is not given up."""


@dataclass(frozen=True, slots=True)
class _Failure:
    origin: str
    kind: str
    reason: str
    request_id: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class _Pending:
    reason: str
    account_id: str | None


class Oracle:
    """Raises Broken. `compared`, `refused` and `held` count what the last looks came upon."""

    def __init__(self, crm: Crm, world: WatchedWorld, variety: Variety, spool: Path) -> None:
        self._crm = crm
        self._world = world
        self._variety = variety
        self._spool = spool
        self.compared = 0
        self.refused = 0
        self.held = 0
        self._was_restored = False
        self._forgotten: set[Key] = set()
        self._altered: set[Key] = set()
        self._approved: set[Key] = set()
        self._back: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        """Of objects whose row came back: how many lines had arrived then, and its place in the object's history."""
        self._hindsight: Hindsight | None = None
        self.versions = 0
        """Lines of backfills that arrived."""

    def hindsight(self, hindsight: Hindsight) -> None:
        """Have what backfills send held against the past instead of the present."""
        self._hindsight = hindsight

    def restored(self, told: set[Key], altered: frozenset[Key]) -> None:
        """Take note that the ledger was restored.

        Args:
            told: what the restored one believes to be in Gong; what else is there it cannot find again.
            altered: objects of which a change moved no stamp since the backup: it may have been told, and undone.
        """
        self._was_restored = True
        self._forgotten |= self._world.latest.keys() - told
        self._altered |= altered

    def is_back(self, key: Key) -> None:
        """Take note that a deleted row was inserted again: unless its deletion is on its way, it must not go. That of a
        user may: they may have come back with another address, and the old one is given up by a deletion.
        """
        if key[0] == "BUSINESS_USER":
            return
        on_its_way = f'"{key[1]}"'.encode()
        if not any(on_its_way in file.read_bytes() for file in self._spool.glob("*.jsonl*")):
            self._back[key].append((len(self._world.arrivals), len(self._crm.history[key]) - 1))

    def approved(self, wiring: Wiring, hold: Hold) -> None:
        """Take note that a person lets a hold through, just before that."""
        pending = self._pending(wiring)
        held = {key for key, waits in pending.items() if (key[0], waits.reason) == (hold.type, _HELD[hold.kind])}
        if len(held) != hold.objects or not {(hold.type.value, one) for one in hold.sample} <= held:
            raise Broken(Promise.HONEST, f"{hold} is shown as held, and {len(held)} objects are")
        if hold.kind is HoldKind.DELETIONS:
            self._approved |= held

    # -- at rest ---------------------------------------------------------------------------------

    def restless(self, wiring: Wiring, now: float) -> str:
        """Return what still has to happen by itself, in words; nothing when all that waits may wait for ever."""
        work = wiring.queries.work(now)
        if work.unsettled:
            return f"{work.unsettled} batches are unsettled"
        if wiring.queries.doubted_since() is not None:
            return "the ledger is doubted"
        gong = self._gong()
        failures = self._failures(wiring)
        pending = self._pending(wiring)
        for key, waits in pending.items():
            why = self._needless(key, waits, gong, failures, pending)
            if why:
                return f"{key[0]} {key[1]} is pending ({waits.reason}): {why}"
        return f"{work.awaited} objects are awaited" if work.awaited else ""

    def at_rest(self, wiring: Wiring, now: float, *, forced: bool) -> None:
        """Compare every object, but for those whose last change moved no stamp and was not looked for yet.

        `forced`: Gong may have refused lines on demand, for no fault of theirs.
        """
        gong, expected = self._gong(), self._crm.expected()
        failures, pending = self._failures(wiring), self._pending(wiring)
        silent = self._crm.silent
        for key in expected.keys() - silent - self._altered:
            self._compare(key, expected[key], gong.get(key), failures.get(key), pending.get(key), forced=forced)
        for key in sorted((gong.keys() | failures.keys()) - expected.keys() - silent - self._forgotten):
            self._compare_gone(key, gong.get(key), failures.get(key), pending.get(key), forced=forced)
        for key in sorted(pending.keys() - expected.keys() - silent):
            if pending[key].reason == _HELD[HoldKind.DELETIONS]:
                continue  # Gong refused its deletion, which was to be tried again
            raise Broken(Promise.HONEST, f"{_name(key)} is listed, and the CRM does not have it")
        self._users(gong)
        self._status(wiring, now, expected, failures, pending)
        self.compared += len(expected.keys() - silent)
        self.refused += len(failures)
        self.held += len(pending)

    def all_well(self, wiring: Wiring, now: float) -> None:
        """After everything was mended, nothing may be held, and nothing refused but by a rule of Gong's."""
        failures = self._failures(wiring)
        for key, waits in self._pending(wiring).items():
            if waits.reason != "account" or ("ACCOUNT", waits.account_id) not in failures:
                raise Broken(
                    Promise.NOTHING_LOST, f"{_name(key)} is still pending ({waits.reason}) after it was mended"
                )
        for key, failure in failures.items():
            line = self._crm.expected().get(key) or deletion(*key)
            if failure.kind != "general" and not isinstance(line, Unfit) and not self._ruled_out(key, line):
                raise Broken(Promise.HONEST, f"{_name(key)} is still refused ({failure.reason}) after it was mended")

    def spool_is_empty(self) -> None:
        """Files may only lie there while they are unsettled."""
        left = sorted(path.name for path in self._spool.glob("*.jsonl*"))
        if left:
            raise Broken(Promise.BOUNDED, f"the spool holds {', '.join(left)} although everything is settled")

    # -- one object ------------------------------------------------------------------------------

    def _compare(
        self,
        key: Key,
        line: Line | Unfit,
        held: Line | None,
        failure: _Failure | None,
        pending: _Pending | None,
        *,
        forced: bool,
    ) -> None:
        if failure is not None:
            self._check_failure(key, line, held, failure, pending, forced=forced)
            return
        if isinstance(line, Unfit):
            if line.by_size and pending is not None:
                return  # while its account is missing, nobody looks at how long the line is
            raise Broken(
                Promise.HONEST, f"{_name(key)} cannot be told to Gong ({line.why}) and is not listed as refused"
            )
        if self._equal(line, held):
            return
        if pending is None:
            raise Broken(
                Promise.NOTHING_LOST,
                f"{_name(key)} is neither in Gong as it should be nor listed: {_difference(line, held)}",
            )

    def _compare_gone(
        self, key: Key, held: Line | None, failure: _Failure | None, pending: _Pending | None, *, forced: bool
    ) -> None:
        """Check an object whose row is gone: Gong does not have it any more, unless it refused the deletion."""
        if failure is not None:
            if failure.origin == "connector":
                raise Broken(Promise.HONEST, f"{_name(key)} is listed, and the CRM does not have it")
            self._check_failure(key, deletion(*key), held, failure, pending, forced=forced)
        elif held is not None and not is_gone(held) and pending is None:
            raise Broken(Promise.NOTHING_LOST, f"Gong holds {_name(key)}, which the CRM does not have")

    def _check_failure(
        self,
        key: Key,
        line: Line | Unfit,
        held: Line | None,
        failure: _Failure,
        pending: _Pending | None,
        *,
        forced: bool,
    ) -> None:
        if failure.origin == "connector":
            if not isinstance(line, Unfit):
                raise Broken(
                    Promise.HONEST, f"{_name(key)} is listed as refused ({failure.reason}), and its row is fit"
                )
            return
        if isinstance(line, Unfit) and pending is None:
            raise Broken(Promise.HONEST, f"{_name(key)} cannot be told to Gong now ({line.why}), which is not listed")
        if failure.kind == "general":
            self._check_given_up(key, failure)
            return
        if failure.request_id is None or failure.line is None:
            raise Broken(Promise.HONEST, f"{_name(key)} is listed as refused by Gong, without file and line")
        said = self._world.refusal_at(failure.request_id, failure.line)
        if said != failure.reason:
            raise Broken(
                Promise.HONEST,
                f"{_name(key)} is listed as refused with {failure.reason!r}; Gong said {said!r} of "
                f"line {failure.line} of {failure.request_id}",
            )
        arrival = self._world.by_place[failure.request_id, failure.line]
        if (arrival.kind, arrival.object_id) != key:
            raise Broken(
                Promise.HONEST, f"{_name(key)} is listed for a line that is {arrival.kind} {arrival.object_id}'s"
            )
        if pending is None and arrival.line != line:
            raise Broken(
                Promise.NOTHING_LOST,
                f"{_name(key)} changed since Gong refused it, and did not go again: {_difference(line, arrival.line)}",
            )
        if pending is None and not forced and not self._ruled_out(key, line):
            raise Broken(
                Promise.NOTHING_LOST,
                f"{_name(key)} was refused on demand and retried, and is refused still: {_difference(line, held)}",
            )

    def _check_given_up(self, key: Key, failure: _Failure) -> None:
        """Check a line that is listed because its file was refused too often, for whatever others hold."""
        if failure.request_id is None or not self._world.refused_file(failure.request_id):
            raise Broken(Promise.HONEST, f"{_name(key)} is listed for a file that Gong did not refuse")

    def _ruled_out(self, key: Key, line: Line | Unfit) -> bool:
        """Tell whether Gong refuses the line by its own rules."""
        if isinstance(line, Unfit):
            return True
        older = self._variety.behaviour.older_reference
        return self._crm.expectation.gong_refuses(key[0], line, older_reference=older)

    def _equal(self, line: Line, held: Line | None) -> bool:
        if held is None or (is_gone(held) and not is_gone(line)):
            return is_gone(line)
        return bool(held.get("isDeleted")) if line.get("isDeleted") else held == line

    def _needless(
        self,
        key: Key,
        waits: _Pending,
        gong: dict[Key, Line],
        failures: dict[Key, _Failure],
        pending: dict[Key, _Pending],
    ) -> str:
        """Return why an object need not wait any longer; nothing when it has to."""
        expected = self._crm.expected()
        if waits.reason in _HELD.values():
            return ""
        if waits.reason not in _MAY_REST or key not in expected:
            return "that passes by itself"
        if waits.reason == "account":
            account = ("ACCOUNT", waits.account_id or "")
            there = account in gong and not is_gone(gong[account]) and account not in self._crm.silent
            there = there and account not in self._forgotten - (expected.keys() - self._altered)
            return "its account is in Gong" if there and account not in failures and account not in pending else ""
        wanted = address_of(expected.get(key))
        others = {other for other, line in gong.items() if address_of(line) == wanted}
        # Refused users may be in Gong all the same, and come back: they keep their claim.
        others |= {other for other in failures if address_of(expected.get(other)) == wanted}
        # So do those of rows that are gone, as long as no comparison missed them.
        others |= {gone for gone in self._crm.silent if wanted in map(address_of, self._crm.history[gone])}
        return "" if others - {key} or key in failures else "nobody in Gong has its address"

    # -- the ledger's word -----------------------------------------------------------------------

    def _status(
        self,
        wiring: Wiring,
        now: float,
        expected: dict[Key, Line | Unfit],
        failures: dict[Key, _Failure],
        pending: dict[Key, _Pending],
    ) -> None:
        work = wiring.queries.work(now)
        told = (work.unsettled, work.awaited, work.held, work.refused)
        known = (0, 0, len(pending), len(failures))
        if told != known:
            raise Broken(Promise.HONEST, f"(unsettled, awaited, held, refused) is told as {told} and is {known}")
        for status in wiring.queries.types(wiring.census.told()):
            kind = status.type.value
            if status.in_flight:
                raise Broken(Promise.HONEST, f"{status.in_flight} {kind} objects are told to be in flight at rest")
            reasons = Counter(waits.reason for key, waits in pending.items() if key[0] == kind)
            if {reason.value: count for reason, count in status.pending.items()} != dict(reasons):
                raise Broken(Promise.HONEST, f"pending {kind} objects are told as {status.pending}, and are {reasons}")
            if status.refused != sum(key[0] == kind for key in failures):
                raise Broken(Promise.HONEST, f"{status.refused} {kind} objects are told to be refused")
            unsure = (*failures, *pending, *self._crm.silent, *self._forgotten, *self._altered)
            if all(key[0] != kind for key in unsure):
                live = sum(
                    key[0] == kind and not isinstance(line, Unfit) and not is_gone(line)
                    for key, line in expected.items()
                )
                if status.objects != live:
                    raise Broken(Promise.HONEST, f"{status.objects} {kind} objects are told to be in Gong, not {live}")

    def _failures(self, wiring: Wiring) -> dict[Key, _Failure]:
        return {
            (item.type, item.object_id): _Failure(item.origin, item.kind, item.reason, item.request_id, item.line)
            for item in wiring.queries.failures()
        }

    def _pending(self, wiring: Wiring) -> dict[Key, _Pending]:
        with wiring.database.reading() as connection:
            rows = connection.execute(
                text("SELECT type, object_id, pending, account_id FROM objects WHERE pending IS NOT NULL")
            ).all()
        return {(kind, object_id): _Pending(reason, account) for kind, object_id, reason, account in sorted(rows)}

    def _gong(self) -> dict[Key, Line]:
        return {
            (kind.value, object_id): {name: value for name, value in line.items() if name != "modifiedDate"}
            for kind in ObjectType
            for object_id, line in self._world.objects(kind, deleted=True).items()
        }

    # -- over the whole time ---------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Hold everything that ever arrived against the promises."""
        self._order()
        self._files()
        self._calls()
        self._addresses()
        self._guard()
        if self._hindsight is not None:
            self.versions = self._hindsight.check()

    def _guard(self) -> None:
        """Where not one deletion may go by itself, none did. A user's may be that of an old address; and a restored
        ledger tells Gong again of rows that were deleted before.
        """
        if self._variety.delete_guard_count == 0 and not self._was_restored:
            for arrival in self._world.arrivals:
                key = (arrival.kind, arrival.object_id)
                if self._is_past(arrival):
                    continue
                if is_gone(arrival.line) and key not in self._approved and arrival.kind != "BUSINESS_USER":
                    raise Broken(Promise.HARMLESS, f"{_name(key)} was deleted in Gong without a person's word")

    def _order(self) -> None:
        arrivals: dict[Key, list[tuple[int, Arrival]]] = defaultdict(list)
        for number, arrival in enumerate(self._world.arrivals):
            arrivals[arrival.kind, arrival.object_id].append((number, arrival))
        for key, arrived in arrivals.items():
            self._latest_last(key, [arrival for _, arrival in arrived])
            history = self._crm.history.get(key)
            if history is None:
                raise Broken(Promise.NOTHING_LOST, f"{_name(key)} arrived, which the CRM never had")
            place = 0
            for number, arrival in arrived:
                if self._is_past(arrival):
                    continue
                place = max([place, *(there for since, there in self._back[key] if since <= number)])
                if self._was_restored and key[0] == "BUSINESS_USER" and is_gone(arrival.line):
                    continue  # whatever address Gong may have of a user is given up
                later = next((i for i in range(place, len(history)) if history[i] == arrival.line), None)
                if later is None:
                    known = arrival.line in history
                    raise Broken(
                        Promise.NO_STALE_OVERWRITE,
                        f"{_name(key)}: a line of {arrival.request_id} "
                        + ("is older than one that came before it" if known else "says what the CRM never said"),
                    )
                place = later

    def _latest_last(self, key: Key, arrived: list[Arrival]) -> None:
        """What is told of the present has the latest modifiedDate of all that came before."""
        latest: datetime | None = None
        for arrival in arrived:
            moment = datetime.fromisoformat(arrival.modified)
            if latest is not None and moment < latest and not self._is_past(arrival):
                raise Broken(Promise.NO_STALE_OVERWRITE, f"the modifiedDates of {_name(key)} go back")
            latest = moment if latest is None else max(latest, moment)

    def _is_past(self, arrival: Arrival) -> bool:
        return self._hindsight is not None and self._hindsight.is_past(arrival)

    def _files(self) -> None:
        for conflict in self._world.conflicts():
            if not conflict.same_bytes:
                raise Broken(Promise.ONE_ID_ONE_FILE, f"{conflict.client_request_id} was used for two different files")

    def _calls(self) -> None:
        calls = [call.at for call in self._world.calls()]
        for first, fourth in zip(calls, calls[PER_SECOND:], strict=False):
            if fourth - first < 1.0:
                raise Broken(Promise.BUDGET, f"four calls within {fourth - first:.3f} seconds")
        for number, at in enumerate(calls):
            if number - bisect_left(calls, at - DAY) >= self._variety.calls_per_day:
                raise Broken(Promise.BUDGET, f"more than {self._variety.calls_per_day} calls within 24 hours")

    @property
    def _knows_users(self) -> bool:
        """Whether no user that Gong has was forgotten: the address of such a one may be given away."""
        return all(kind != "BUSINESS_USER" for kind, _ in self._forgotten)

    def _users(self, gong: dict[Key, Line]) -> None:
        if not self._knows_users:
            return
        holders: dict[str, str] = {}
        for (kind, object_id), line in gong.items():
            address = address_of(line)
            if kind == "BUSINESS_USER" and address is not None:
                if address in holders:
                    raise Broken(Promise.ADDRESSES, f"{holders[address]} and {object_id} have one address in Gong")
                holders[address] = object_id

    def _addresses(self) -> None:
        """Replay the users' lines in the order in which Gong took them."""
        if not self._knows_users:
            return
        kind = ObjectType.BUSINESS_USER
        lines = []
        for object_id in self._world.objects(kind, deleted=True):
            for version in self._world.versions(kind, object_id):
                lines.append((version.arrival, object_id, version.line))
        live: dict[str, str] = {}
        for _, object_id, line in sorted(lines, key=lambda item: item[0]):
            before, address = live.pop(object_id, None), address_of(line)
            if address is None:
                continue
            if before is not None and before != address:
                raise Broken(Promise.ADDRESSES, f"user {object_id} got another address without being deleted first")
            if address in live.values():
                raise Broken(Promise.ADDRESSES, f"user {object_id} got an address that another user still had")
            live[object_id] = address


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]}"


def _difference(line: Line | Unfit, held: Line | None) -> str:
    if isinstance(line, Unfit):
        return f"the row is unfit ({line.why})"
    if held is None:
        return "Gong holds nothing"
    names = sorted(name for name in line.keys() | held.keys() if line.get(name) != held.get(name))
    return ", ".join(f"{name} should be {line.get(name)!r:.60} and is {held.get(name)!r:.60}" for name in names)
