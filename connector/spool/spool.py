"""The directory of spool files: how full it is, what stands in it, whether a file is still what was sealed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from connector import failpoints
from connector.errors import ConfigError, FatalError
from connector.spool.errors import SpoolDamaged, SpoolMissing, translated
from connector.spool.mark import Mark, read_mark, write_mark
from connector.spool.sealed import PARTIAL, SORTING, SUFFIX, SealedFile, is_plain, require_plain
from connector.spool.writer import PIECE, SpoolWriter


class Leftovers(NamedTuple):
    """Names found in the spool."""

    partial: list[str]
    """Files that were never sealed: a crash left them, unless a writer is at work on them now."""
    sealed: list[str]


class Spool:
    """Spool files in one directory, which is made if need be, open to its owner only (0700; files 0600).

    Names are given without directory or suffix. Files of other names in the directory are left alone.
    Raises ConfigError when the directory cannot be made or used.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A directory that belongs to someone else (a mounted volume) may refuse; files stay 0600.
            with suppress(PermissionError):
                directory.chmod(0o700)
        except OSError as error:
            raise ConfigError(
                f"CONNECTOR_SPOOL_DIR: {directory} cannot be used as a directory ({error.strerror})"
            ) from None
        if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            raise ConfigError(f"CONNECTOR_SPOOL_DIR: {directory} must be readable and writable")

    @property
    def directory(self) -> Path:
        """Where the files lie."""
        return self._directory

    def used(self) -> int:
        """Return the bytes that spool files, partial ones included, take now."""
        return sum(size for _, _, size in self._files())

    def room(self) -> bool:
        """Tell whether another file may be begun: less is used than `max_bytes`.

        A file begun may go over it, and takes twice its size for a moment when it has to be sorted.
        """
        return self.used() < self._max_bytes

    def begin(self, name: str) -> SpoolWriter:
        """Begin the file `name`. Raises FatalError for a name that is not plain, or that is there already."""
        with translated("the spool directory cannot be read"):
            taken = any(path.exists() for path in self._paths(name))
        if taken:
            raise FatalError(f"spool file {name} is there already: remove it first, or choose another name")
        return SpoolWriter(self._directory, name)

    def path(self, name: str) -> Path:
        """Return where the sealed file `name` lies, there or not. Raises FatalError for one that is not plain."""
        return self._paths(name)[0]

    def open(self, file: SealedFile) -> BinaryIO:
        """Open the file for reading; the caller closes it.

        Raises SpoolMissing, or SpoolDamaged when its length is wrong.
        """
        path = self.path(file.name)
        with translated(f"spool file {file.name} cannot be opened"):
            try:
                stream = path.open("rb")
            except FileNotFoundError:
                raise SpoolMissing(f"spool file {file.name} is missing") from None
        length = os.fstat(stream.fileno()).st_size
        if length != file.bytes:
            stream.close()
            raise SpoolDamaged(f"spool file {file.name} holds {length} bytes, sealed were {file.bytes}")
        return stream

    def verify(self, file: SealedFile) -> None:
        """Raise SpoolMissing, or SpoolDamaged when length or hash are not what was sealed."""
        digest = hashlib.sha256()
        with self.open(file) as stream, translated(f"spool file {file.name} cannot be read"):
            while piece := stream.read(PIECE):
                digest.update(piece)
        if digest.hexdigest() != file.sha256:
            raise SpoolDamaged(f"spool file {file.name} does not have the bytes that were sealed")

    def remove(self, name: str) -> None:
        """Remove the file `name`, sealed or partial; nothing happens when there is none."""
        with translated(f"spool file {name} cannot be removed"):
            failpoints.hit("spool.remove.before")
            for path in self._paths(name):
                path.unlink(missing_ok=True)
            failpoints.hit("spool.remove.after")

    def leftovers(self) -> Leftovers:
        """Return the names of all spool files, for the start to remove those that nobody booked."""
        files = [(name, suffix == SUFFIX) for name, suffix, _ in self._files()]
        return Leftovers(
            partial=sorted({name for name, is_sealed in files if not is_sealed}),
            sealed=sorted({name for name, is_sealed in files if is_sealed}),
        )

    def mark(self) -> Mark | None:
        """Return the mark of the ledger that this spool belongs to; None when there is none."""
        return read_mark(self._directory)

    def set_mark(self, mark: Mark) -> None:
        """Replace the mark."""
        write_mark(self._directory, mark)

    def _paths(self, name: str) -> list[Path]:
        """Return where the file `name` may lie: sealed, being written, being sorted."""
        require_plain(name)
        return [self._directory / (name + suffix) for suffix in (SUFFIX, PARTIAL, SORTING)]

    def _files(self) -> Iterator[tuple[str, str, int]]:
        """Yield (name, suffix, bytes) of every spool file; other files in the directory are not ours."""
        with translated("the spool directory cannot be read"), os.scandir(self._directory) as entries:
            for entry in entries:
                name, dot, rest = entry.name.partition(".")
                if dot + rest in (SUFFIX, PARTIAL, SORTING) and is_plain(name):
                    # Another thread may have removed or renamed it since it was listed.
                    with suppress(FileNotFoundError):
                        yield name, dot + rest, entry.stat(follow_symlinks=False).st_size
