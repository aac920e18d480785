"""Reads a spool file back, as whoever uploads it would."""

import json

from connector.spool import SealedFile, Spool


def ids(spool: Spool, file: SealedFile) -> list[tuple[int, str]]:
    """Return (line number, objectId) of every line."""
    with spool.open(file) as stream:
        return [(number, json.loads(line)["objectId"]) for number, line in enumerate(stream, 1)]
