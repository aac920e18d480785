"""What an object was at any time, worked out apart from the connector, and whether Gong shows the same.

Nothing of the connector's reading of histories is imported.
"""

import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

from crm_site import exact

from connector.object_types import ObjectType
from connector.sandbox.world import Version, World

Record = dict[str, Any]
MOMENTS = 100
"""Of each object."""


@dataclass
class Past:
    """One object's past. Times are seconds since 1970 UTC."""

    stamps: Sequence[int]
    """When something happened to it, its creation included, so that moments near these are looked at."""
    at: Callable[[int], Record | None]
    """What Gong should show for a moment; None before the object existed."""


Pasts = dict[str, Past]


def amid(pasts: Pasts) -> str:
    """Return the moment in the middle of all that happened, for `verify --at`."""
    stamps = sorted(stamp for past in pasts.values() for stamp in past.stamps)
    return datetime.fromtimestamp(stamps[len(stamps) // 2], UTC).isoformat()


class FieldLog:
    """One field's logged changes, read forwards: from each on, the field was what it was changed to."""

    def __init__(
        self,
        changes: Iterable[tuple[int, Any, Any]],
        present: Any,
        form: Callable[[Any], Hashable] = lambda value: value,
    ) -> None:
        """Take changes (second, before, after) in any order; `form` is equal for values that say the same."""
        self._present = present
        self._steps: list[tuple[int, Any, Any]] = []
        for _, tied in groupby(sorted(changes, key=lambda change: change[0]), key=lambda change: change[0]):
            left = list(tied)
            while left:
                following = self._next(left, form)
                self._steps.append(following)
                left.remove(following)
        meeting = [(one[2], other[1]) for one, other in pairwise(self._steps)]
        meeting += [(self._steps[-1][2], present)] if self._steps else []
        self.gaps = sum(form(one) != form(other) for one, other in meeting)
        """How often a change does not begin with what the one before ended with, or the present is not the last."""

    def _next(self, left: list[tuple[int, Any, Any]], form: Callable[[Any], Hashable]) -> tuple[int, Any, Any]:
        """Of the changes of one second, the one that begins where the last ended; at first, where none ends."""
        if self._steps:
            fitting = [one for one in left if form(one[1]) == form(self._steps[-1][2])]
        else:
            fitting = [one for one in left if form(one[1]) not in [form(other[2]) for other in left]]
        return (fitting or left)[0]

    @property
    def stamps(self) -> list[int]:
        return [stamp for stamp, _, _ in self._steps]

    def at(self, second: int) -> Any:
        """Return the field's value from that second on."""
        if not self._steps:
            return self._present
        until = [after for stamp, _, after in self._steps if stamp <= second]
        return until[-1] if until else self._steps[0][1]


def assert_shown(world: World, object_type: ObjectType, pasts: Pasts, seed: int = 7) -> int:
    """Gong shows every object at random moments as it was then; return how many moments differ from today's state."""
    chance = random.Random(f"{seed}{object_type}")
    now = int(world.now())
    assert pasts.keys() == world.objects(object_type).keys()
    differing: dict[str, Any] = {}
    earlier = 0
    for object_id, past in pasts.items():
        versions = sorted(
            world.versions(object_type, object_id), key=lambda version: (version.modified, version.arrival)
        )
        assert _ascending(versions), object_id
        today = past.at(now)
        for moment in _moments(past.stamps, now, chance):
            wanted = past.at(moment)
            earlier += wanted != today
            fields = _differences(_shown(versions, moment), wanted)
            if fields:
                differing[object_id] = (datetime.fromtimestamp(moment, UTC).isoformat(), fields)
                break
    assert not differing, f"{len(differing)} of {len(pasts)} differ, such as {dict(list(differing.items())[:3])}"
    return earlier


def _ascending(versions: Sequence[Version]) -> bool:
    """The history arrived in its order, between the state that the first load told and the present."""
    arrivals = sorted(versions, key=lambda version: version.arrival)[1:]
    return all(one.modified < other.modified for one, other in pairwise(arrivals))


def _moments(stamps: Sequence[int], now: int, chance: random.Random) -> list[int]:
    first = min(stamps) - 10 * 86_400
    near = [chance.choice(stamps) + chance.choice((-1, 0, 1, 3600)) for _ in range(MOMENTS // 2)]
    return near + [chance.randint(first, now) for _ in range(MOMENTS - len(near))]


def _shown(versions: Sequence[Version], moment: int) -> Record | None:
    """The last version by modifiedDate that is not after the moment."""
    known = [version for version in versions if version.modified <= moment]
    return None if not known or known[-1].deleted else known[-1].line


def _differences(shown: Record | None, wanted: Record | None) -> Any:
    if shown is None or wanted is None:
        return None if shown is wanted else (shown, wanted)
    return {
        name: (shown.get(name, "missing"), wanted.get(name, "missing"))
        for name in shown.keys() | wanted.keys()
        if name != "modifiedDate"
        and shown.get(name, "missing") != wanted.get(name, "missing")
        and exact(shown.get(name, "missing")) != exact(wanted.get(name, "missing"))
    }
