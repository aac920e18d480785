"""Remembers which of many objects were met, in little memory, and which of them more than once."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, islice, pairwise
from mmap import mmap
from typing import Final

_PIECE: Final = 250_000
"""Numbers that are sorted at once."""
_MOST_PARTS: Final = 16
"""Each part looks at all numbers."""
_HALF: Final = 2**63
"""Hashes are from its negative up to it."""
_BITS: Final = 2**25


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
            # By ranges: a list of all numbers would take five times the array's memory.
            parts = min(len(self._hashes) // _PIECE + 1, _MOST_PARTS)
            bounds = [-_HALF + 2 * _HALF * part // parts for part in range(parts + 1)]
            ordered = array("q")
            for low, high in pairwise(bounds):
                ordered.extend(sorted([one for one in self._hashes if low <= one < high]))
            self._hashes = ordered
            self._sorted = True

    def __contains__(self, object_id: str) -> bool:
        return self._holds(hash(object_id))

    def common(self, other: "Seen") -> Iterator[int]:
        """Yield the hashes that were noted here and there."""
        return filter(other._holds, self._hashes)

    def _holds(self, value: int) -> bool:
        self._sort()
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value


class Met:
    """The objects of a whole reading's rows, one entry a row, and their keys as somebody may read them who does not
    tell case and trailing blanks apart.
    """

    def __init__(self) -> None:
        self.ids = Seen()
        self._folded = Seen()
        """Of keys that are not folded as they stand: numbers are, and cost nothing here."""

    def add(self, ids: Iterable[str], living: Iterable[str]) -> None:
        """Note rows by their objects; `living`: those that are not deleted, and may not be like another."""
        self.ids.add(ids)
        known = list(living)
        folded = folds(known)
        if folded is not known:
            self._folded.add([fold for fold, one in zip(folded, known, strict=True) if fold != one])

    def alike(self, most: int) -> set[int]:
        """Return the hashes of folded keys that several keys may share, no more of them than so many. Among them may be
        such as only a deleted row has beside another.
        """
        shared = self._folded.repeated(most)
        shared.update(islice(self._folded.common(self.ids), most - len(shared)))
        return shared


class Filter:
    """Tells which objects it may have met before, in 4 MB however many they are: one that it has met is never missed,
    and of those that it has not, three in a hundred are named for each million that it has.
    """

    def __init__(self) -> None:
        self._bits = mmap(-1, _BITS // 8)  # memory that is taken as it is written to

    def add(self, object_ids: Sequence[str]) -> list[str]:
        """Note that these were met; return those that may have been before."""
        bits = self._bits
        places = [hash(object_id) % _BITS for object_id in object_ids]
        met = [bits[place >> 3] >> (place & 7) & 1 for place in places]
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return list(compress(object_ids, met))


def fold(object_id: str) -> str:
    """Return what keys have in common that differ only by case or trailing blanks."""
    return object_id.casefold().rstrip()


def folds(object_ids: list[str]) -> list[str]:
    """Return `fold` of each; of keys that stand as they are, all of them, the very list."""
    joined = " ".join(object_ids)
    if joined.casefold() == joined and joined.split() == object_ids:
        return object_ids
    return list(map(fold, object_ids))
