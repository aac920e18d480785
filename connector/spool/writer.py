"""Writes one spool file: lines in, in any order; a sealed file out, ascending by modified time."""

import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import accumulate, repeat
from operator import add, le
from pathlib import Path
from types import TracebackType
from typing import Self

from connector import failpoints
from connector.spool.errors import translated
from connector.spool.sealed import PARTIAL, SORTING, SUFFIX, SealedFile

PIECE = 1024 * 1024
"""Bytes gathered before a write, and copied at a time when sorting."""
_LARGE = 128 * 1024
"""From so many bytes on, data is hashed and written by a thread: Python goes on meanwhile."""


class _HashedFile:
    """A new file, private to its owner, hashed while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None
        # O_EXCL: neither an existing file nor a link put in its place is ever written to.
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        """Append data, at the latest when the next call returns; that one tells of a failure."""
        self._await()
        if len(data) < _LARGE:
            self._append(data)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "spool")
        self._writing = self._thread.submit(self._append, data)

    def _append(self, data: bytes) -> None:
        self._hash.update(data)
        with memoryview(data) as rest:
            done = 0
            while done < len(rest):
                done += os.write(self._fd, rest[done:])

    def _await(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def read(self, size: int, offset: int) -> bytes:
        self._await()
        return os.pread(self._fd, size, offset)

    def sync(self) -> str:
        """Bring the file to the disk; return its hash in hexadecimal digits."""
        self._await()
        os.fsync(self._fd)
        return self._hash.hexdigest()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def remove(self) -> None:
        # What a failing disk keeps now is found by `Spool.leftovers` later; the first error is the one to tell.
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class SpoolWriter:
    """Gathers lines until `seal` or `abandon`; as a context manager, leaving without `seal` abandons.

    Every method that writes raises SpoolFull or SpoolUnavailable, for itself or for the write before it; the partial
    file is removed then, and the writer is of no more use. Memory: 16 bytes a line, and when sorting some 50 a line
    besides.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.lines = 0
        """Lines added so far."""
        self.bytes = 0
        """Bytes of the lines added so far."""
        self._directory = directory
        self._final = directory / (name + SUFFIX)
        self._name = name
        self._buffer = bytearray()
        self._modified = array("q")
        self._offsets = array("q")
        self._ascending = True
        self._sorted: _HashedFile | None = None
        with translated(f"spool file {name} cannot be created"):
            self._file = _HashedFile(directory / (name + PARTIAL))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def add(self, line: bytes, modified: int) -> int:
        """Add one line, complete with its newline; return its index in order of adding, from 0.

        `modified` is the line's modifiedDate in seconds since 1970 UTC; lines of equal time keep their order.
        """
        if not line or line.find(b"\n") != len(line) - 1:
            raise ValueError("a line has exactly one newline, at its end")
        index = self.lines
        if index and modified < self._modified[-1]:
            self._ascending = False
        self._modified.append(modified)
        self._offsets.append(self.bytes)
        self._buffer += line
        self.lines = index + 1
        self.bytes += len(line)
        if len(self._buffer) >= PIECE:
            self._flush()
        return index

    def extend(self, bodies: Sequence[bytes], ends: Sequence[bytes], modified: Sequence[int]) -> int:
        """Add many lines as `add` does each of them; return the index of the first.

        A line is given as its body and its end, so that putting them together costs one copy of all and none of each.
        `modified` holds the lines' modifiedDates.
        """
        parts = [b""] * (2 * len(bodies))
        parts[::2], parts[1::2] = bodies, ends
        data = b"".join(parts)
        if data.count(b"\n") != len(ends) or not all(map(bytes.endswith, ends, repeat(b"\n"))):
            raise ValueError("a line has exactly one newline, at its end")
        first = self.lines
        times = array("q", modified)
        before = self._modified[-1:] + times[:-1] if first else times[:1] + times[:-1]
        self._ascending = self._ascending and all(map(le, before, times))
        self._modified += times
        sizes = list(map(add, map(len, bodies), map(len, ends)))
        self._offsets.extend(accumulate(sizes[:-1], initial=self.bytes))
        self.lines = first + len(bodies)
        self.bytes += len(data)
        if len(data) < _LARGE:
            self._buffer += data
            if len(self._buffer) >= PIECE:
                self._flush()
        else:
            self._flush()
            self._write(data)
        return first

    def seal(self) -> SealedFile:
        """Sort the lines by modified time where they are not, bring the file to the disk, give it its name.

        When this returns, the file outlasts a power failure.
        """
        if not self.lines:
            raise ValueError("a spool file holds at least one line")
        self._flush()
        try:
            with translated(f"spool file {self._name} cannot be sealed"):
                order = None if self._ascending else self._sort()
                sealed = SealedFile(self._name, self.lines, self.bytes, self._publish(), order)
        except BaseException:
            self.abandon()
            # Renamed, but the directory could not be synced: nobody may find it.
            with suppress(OSError):
                self._final.unlink(missing_ok=True)
            raise
        failpoints.hit("spool.sealed")
        return sealed

    def abandon(self) -> None:
        """Remove the partial file; nothing happens after `seal`, or the second time."""
        self._file.remove()
        if self._sorted is not None:
            self._sorted.remove()

    def _flush(self) -> None:
        if self._buffer:
            self._write(bytes(self._buffer))
            self._buffer.clear()

    def _write(self, data: bytes) -> None:
        try:
            with translated(f"spool file {self._name} cannot be written"):
                failpoints.hit("spool.write.before")
                self._file.write(data)
                failpoints.hit("spool.write.after")
        except BaseException:
            self.abandon()
            raise

    def _sort(self) -> Sequence[int]:
        """Write the lines anew in stable order of time; return the line number of each index."""
        ranks = sorted(range(self.lines), key=self._modified.__getitem__)
        self._sorted = _HashedFile(self._directory / (self._name + SORTING))
        for first, last in _runs(ranks):
            end = self._offsets[last + 1] if last + 1 < self.lines else self.bytes
            for start in range(self._offsets[first], end, PIECE):
                self._sorted.write(self._file.read(min(PIECE, end - start), start))
        order = array("q", bytes(8 * self.lines))
        for number, index in enumerate(ranks, 1):
            order[index] = number
        return order

    def _publish(self) -> str:
        """Sync, then rename to the final name, then sync the directory; return the hash."""
        file = self._file if self._sorted is None else self._sorted
        digest = file.sync()
        file.close()
        if file is not self._file:
            self._file.remove()
        failpoints.hit("spool.rename.before")
        file.path.rename(self._final)
        failpoints.hit("spool.rename.after")
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return digest


def _runs(ranks: list[int]) -> Iterator[tuple[int, int]]:
    """Return the (first, last) of each stretch of neighbouring indexes, so that it is copied at once."""
    first = last = ranks[0]
    for index in ranks[1:]:
        if index != last + 1:
            yield first, last
            first = index
        last = index
    yield first, last
