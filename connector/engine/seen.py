"""Remembers which of many objects were met, at eight bytes an object, and which of them more than once."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from heapq import merge
from itertools import islice, pairwise
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

    def repeated(self, most: int | None = None) -> set[int]:
        """Return the hashes that were noted more than once, all or no more of them than so many."""
        self._sort()
        return set(islice((one for one, other in pairwise(self._hashes) if one == other), most))

    def _sort(self) -> None:
        if not self._sorted:
            # By pieces, then merged: a list of all numbers would take five times the array's memory.
            pieces = range(0, len(self._hashes), _PIECE)
            runs = [array("q", sorted(self._hashes[start : start + _PIECE])) for start in pieces]
            self._hashes = array("q", merge(*runs))
            self._sorted = True

    def __contains__(self, object_id: str) -> bool:
        self._sort()
        value = hash(object_id)
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value


class Met:
    """The objects of a whole reading's rows, one entry a row, and their keys as somebody may read them who does not
    tell case and trailing blanks apart.
    """

    def __init__(self) -> None:
        self.ids = Seen()
        self.folded = Seen()

    def add(self, ids: Iterable[str], living: Iterable[str]) -> None:
        """Note rows by their objects; `living`: those that are not deleted, and may not be like another."""
        self.ids.add(ids)
        self.folded.add(map(fold, living))


def fold(object_id: str) -> str:
    """Return what keys have in common that differ only by case or trailing blanks."""
    return object_id.casefold().rstrip()
