"""Keeps lines for Gong in sealed files on disk until they are settled."""

from connector.spool.errors import SpoolDamaged, SpoolFull, SpoolMissing, SpoolUnavailable
from connector.spool.mark import Mark, read_mark
from connector.spool.sealed import SealedFile
from connector.spool.spool import Leftovers, Spool
from connector.spool.staging import StagedVersion, Staging, StagingLost, Wave
from connector.spool.writer import SpoolWriter

__all__ = [
    "Leftovers",
    "Mark",
    "SealedFile",
    "Spool",
    "SpoolDamaged",
    "SpoolFull",
    "SpoolMissing",
    "SpoolUnavailable",
    "SpoolWriter",
    "StagedVersion",
    "Staging",
    "StagingLost",
    "Wave",
    "read_mark",
]
