"""The mark beside the spool files: which ledger they belong to, and how far that had come."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from connector.spool.errors import translated

_NAME: Final = "ledger.mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """A ledger as it was last seen from here. It may have gone on since, never back."""

    ledger: str
    counter: int


def read_mark(directory: Path) -> Mark | None:
    """Return the mark; None when there is none, or what is there is none (a power cut can leave it empty)."""
    with translated("the spool's ledger mark cannot be read"):
        try:
            written = (directory / _NAME).read_bytes()
        except FileNotFoundError:
            return None
    try:
        found = json.loads(written)
        return Mark(str(found["ledger"]), int(found["counter"]))
    except (ValueError, TypeError, KeyError):
        return None


def write_mark(directory: Path, mark: Mark) -> None:
    """Replace the mark, whole or not at all. It is not forced to the disk: one that is behind says nothing wrong."""
    fresh = directory / (_NAME + ".new")
    with translated("the spool's ledger mark cannot be written"):
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            json.dump(asdict(mark), file)
        fresh.replace(directory / _NAME)
