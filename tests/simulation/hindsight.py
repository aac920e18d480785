"""Holds what backfills sent against what was true of the past."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from itertools import pairwise

from connector.ledger.backfills import BackfillState
from tests.simulation.backfilling import Backfilling
from tests.simulation.crm import Crm, Key
from tests.simulation.expectation import Expectation, Line, Unfit
from tests.simulation.gong import Arrival, WatchedWorld
from tests.simulation.promises import Broken, Promise


class Hindsight:
    """Raises Broken."""

    def __init__(self, crm: Crm, world: WatchedWorld, backfilling: Backfilling) -> None:
        self._crm = crm
        self._world = world
        self._backfilling = backfilling

    def is_past(self, arrival: Arrival) -> bool:
        """Tell whether a line is of a backfill's file."""
        return arrival.request_id in self._backfilling.files

    def check(self) -> int:
        """Hold every version that arrived against the truth; return how many there were."""
        found: dict[tuple[int, Key], list[Arrival]] = defaultdict(list)
        for arrival in self._world.arrivals:
            if self.is_past(arrival):
                key = (arrival.kind, arrival.object_id)
                found[self._backfilling.files[arrival.request_id], key].append(arrival)
        for (backfill_id, key), arrived in found.items():
            for arrival in arrived:
                self._true(key, arrival)
            self._ascending(key, arrived)
            ended = self._backfilling.ended.get(backfill_id)
            if ended is not None and ended.state is BackfillState.DONE:
                self._complete(backfill_id, key, arrived)
        return sum(map(len, found.values()))

    def _true(self, key: Key, arrival: Arrival) -> None:
        """A version says what was true at some time of its second."""
        if key in self._crm.altered_ever and self._crm.kept.is_log:
            return
        known = self._lines(key, {_second(arrival)})
        if arrival.line not in known:
            raise Broken(
                Promise.NO_STALE_OVERWRITE,
                f"{key[0]} {key[1]}: a version of {arrival.modified} says what was not true then: "
                + (_difference(arrival.line, known[-1]) if known else "nothing happened then"),
            )

    def _ascending(self, key: Key, arrived: list[Arrival]) -> None:
        """Versions ascend, and none goes twice but with a file that Gong answered FAILED."""
        for one, other in pairwise(arrived):
            if _second(one) > _second(other):
                raise Broken(Promise.NO_STALE_OVERWRITE, f"{key[0]} {key[1]}: its versions do not ascend")
            if _second(one) == _second(other) and not self._world.refused_file(one.request_id):
                raise Broken(
                    Promise.NO_NEEDLESS_LINES,
                    f"{key[0]} {key[1]}: its version of {one.modified} came twice, and Gong had taken it",
                )

    def _complete(self, backfill_id: int, key: Key, arrived: list[Arrival]) -> None:
        """Between the first and the last version that came, none lacks that was another than the one before it."""
        came = {_second(arrival) for arrival in arrived}
        listed = {one.modified for one in self._backfilling.refused[backfill_id] if one.object_id == key[1]}
        seconds = sorted({second for second, _ in self._crm.kept.states[key[1]] if min(came) <= second <= max(came)})
        for before, second in pairwise(seconds):
            same = all(line in self._lines(key, {before}) for line in self._lines(key, {second}))
            if second not in came | listed | self._crm.stamped and not same:
                raise Broken(Promise.NOTHING_LOST, f"{key[0]} {key[1]}: its version of second {second} never came")

    def _lines(self, key: Key, seconds: Collection[int]) -> list[Line]:
        """Return what was to be told of an object in these seconds, under either state of the mapping file."""
        files = [Expectation(self._crm.variety.zone, version, self._crm.variety.max_file_bytes) for version in (1, 2)]
        lines = [
            file.line(key[0], row)
            for second, row in self._crm.kept.states[key[1]]
            if second in seconds
            for file in files
        ]
        return [line for line in lines if not isinstance(line, Unfit)]


def _second(arrival: Arrival) -> int:
    return int(datetime.fromisoformat(arrival.modified).timestamp())


def _difference(line: Line, known: Line) -> str:
    names = sorted(name for name in line.keys() | known.keys() if line.get(name) != known.get(name))
    return ", ".join(f"{name} was {known.get(name)!r:.60} and is told as {line.get(name)!r:.60}" for name in names)
