"""What is known of a sealed file, and what a spool file may be called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.errors import FatalError

SUFFIX = ".jsonl"
PARTIAL = ".jsonl.part"
SORTING = ".jsonl.sorted.part"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A data file that will not change any more."""

    name: str
    lines: int
    bytes: int
    sha256: str
    """Hash of the whole file, 64 hexadecimal digits."""
    order: Sequence[int] | None = field(default=None, compare=False, repr=False)
    """Line number (from 1) of each added line by its index (from 0); None when index + 1 is the number."""

    def line_number(self, index: int) -> int:
        """Return the number, from 1, of the line that `SpoolWriter.add` gave `index`."""
        return index + 1 if self.order is None else self.order[index]


def is_plain(name: str) -> bool:
    """Tell whether `name` can be a spool file's: letters, digits, - and _ only, so never a path."""
    return _NAME.fullmatch(name) is not None


def require_plain(name: str) -> None:
    """Raise FatalError for a name that is not plain: it can only come from a ledger that was tampered with."""
    if not is_plain(name):
        raise FatalError(
            f"{name[:80]!r} cannot name a spool file (letters, digits, - and _ only): "
            "the ledger is damaged; restore it from a backup"
        )
