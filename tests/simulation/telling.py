"""What a seed went through: counted for the summary, and told step by step for a replay."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connector.clock import FakeClock
from tests.simulation.variety import START


@dataclass(slots=True)
class Tally:
    """What a seed, or many of them, went through."""

    seeds: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    """By failpoint."""
    faults: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    erased: int = 0
    comparisons: int = 0
    """Full ones, of a type, that came to their end."""
    gone: int = 0
    """Objects that they missed in the CRM."""
    approvals: int = 0
    """Holds of the guard that a person let through."""
    uploads: int = 0
    lines: int = 0
    calls: int = 0
    compared: int = 0
    refused: int = 0
    held: int = 0
    backfills: int = 0
    """Those that came to an end."""
    versions: int = 0
    """Lines that they sent."""
    restored: int = 0
    """Times that the ledger was restored from a backup."""

    def add(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.crashes += other.crashes
        self.faults += other.faults
        for name in ("commits", "erased", "comparisons", "gone", "approvals", "uploads", "lines", "calls"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("compared", "refused", "held", "backfills", "versions", "restored"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Trace:
    """Takes note of everything that happens, as observer of the engine and pen of the driver."""

    def __init__(self, clock: FakeClock, show: bool) -> None:
        self._clock = clock
        self._show = show

    def event(self, name: str, **facts: Any) -> None:
        if self._show:
            told = " ".join(f"{key}={value}" for key, value in facts.items())
            print(f"{self._clock.now() - START:12.2f}  {name}  {told}")
