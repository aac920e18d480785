"""Remembers which of many objects were met, at eight bytes an object."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from heapq import merge
from typing import Final

_PIECE: Final = 100_000


class Seen:
    """A set of objects that is filled first and asked afterwards.

    It holds hashes instead of ids. They are salted anew in each process, so that two ids that meet in one reading do
    not meet in the next.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._sorted = True

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, object_ids: Iterable[str]) -> None:
        """Note that these were met."""
        self._hashes.extend(map(hash, object_ids))
        self._sorted = False

    def __contains__(self, object_id: str) -> bool:
        if not self._sorted:
            # By pieces, then merged: a list of all numbers would take five times the array's memory.
            pieces = range(0, len(self._hashes), _PIECE)
            runs = [array("q", sorted(self._hashes[start : start + _PIECE])) for start in pieces]
            self._hashes = array("q", merge(*runs))
            self._sorted = True
        value = hash(object_id)
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value
