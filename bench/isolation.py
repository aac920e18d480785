"""Finds bad lines among many against the sandbox: `python -m bench.isolation [--lines N] [--seed N]`.

Prints a Markdown table: uploads, bytes and rounds (uploads that must wait for the answer to an earlier one) until every
bad line is listed and every good one is in Gong, beside the plain method: take out what is listed, send the rest again.
The plain method is reckoned by the rule of the sandbox (the first 20 errors are listed) and the mean length of a line.
"""

import argparse
import random
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from connector.clock import FakeClock
from connector.engine.observe import Fact
from connector.engine.wiring import Wiring
from connector.ledger.queries import Work
from connector.object_types import ObjectType
from connector.sandbox.api import SandboxApi
from connector.sandbox.faults import Fault, FaultKind, FaultPlan
from connector.sandbox.world import World
from connector.settings import Settings
from tests.in_process import SandboxTransport

START: Final = 1_790_000_000.0
LISTED: Final = 20
DAY: Final = 86_400.0
MAPPING: Final = """
version: 1
integration: {name: Bench, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated, fields: {name: name}}
"""


class Silent:
    """Hears what the engine says and tells nobody."""

    def event(self, name: str, **facts: Fact) -> None:
        """Ignore an event."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What it took."""

    uploads: int
    bytes: int
    rounds: int
    listed: int
    in_gong: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lines, chance = options.lines, random.Random(options.seed)
    cases: dict[str, Sequence[int]] = {
        f"{lines // 100:,} scattered": sorted(chance.sample(range(lines), lines // 100)),
        f"{lines // 100:,} side by side": range(lines // 3, lines // 3 + lines // 100),
        f"every 100th ({lines // 100:,})": range(0, lines, 100),
        "21 scattered": sorted(chance.sample(range(lines), 21)),
        "all, within a day": range(lines),
    }
    print(f"| Bad of {lines:,} lines | Method | Uploads | MB | Rounds | Listed | In Gong |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name, bad in cases.items():
        ours, line_bytes = measure(lines, bad)
        for method, figures in (("pieces", ours), ("plain", plain(lines, len(bad), line_bytes))):
            print(
                f"| {name} | {method} | {figures.uploads:,} | {figures.bytes / 1e6:,.1f} | {figures.rounds:,}"
                f" | {figures.listed:,} | {figures.in_gong:,} |",
                flush=True,
            )


def plain(lines: int, bad: int, line_bytes: float) -> Figures:
    """Reckon what it takes to take the listed lines out and send the rest again, until nothing is refused."""
    uploads, sent, left = 0, 0, lines
    hidden = bad
    while left:
        uploads += 1
        sent += left
        if not hidden:
            break
        found = min(LISTED, hidden)
        hidden -= found
        left -= found
    return Figures(uploads, round(sent * line_bytes), uploads, bad, lines - bad)


def measure(lines: int, bad: Sequence[int]) -> tuple[Figures, float]:
    """Load a table of so many rows, of which these are bad; return what it took, and the bytes of a line."""
    with tempfile.TemporaryDirectory() as directory:
        return _measure(Path(directory), lines, bad)


def _measure(directory: Path, lines: int, bad: Sequence[int]) -> tuple[Figures, float]:
    clock, faults = FakeClock(START), FaultPlan()
    world = World(now=clock.now)
    every = 1 if len(bad) == lines else 0
    ids = () if every else tuple(str(number) for number in bad)
    faults.add(Fault(kind=FaultKind.LINE_ERRORS, object_ids=ids, every=every, times=10**6))
    with _wiring(directory, lines, clock, SandboxApi(world, faults=faults)) as wiring:
        rounds = _run(wiring, clock)
        listed = wiring.queries.work(clock.now()).refused
    uploads = world.uploads()
    figures = Figures(
        len(uploads),
        sum(upload.bytes for upload in uploads),
        rounds,
        listed,
        len(world.objects(ObjectType.ACCOUNT)),
    )
    line_bytes = uploads[0].bytes / uploads[0].lines
    world.close()
    return figures, line_bytes


def _wiring(directory: Path, lines: int, clock: FakeClock, api: SandboxApi) -> Wiring:
    crm = sqlite3.connect(directory / "crm.db")
    crm.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, updated TEXT)")
    rows = ((number, f"Account {number}", "2026-01-01 00:00:00") for number in range(lines))
    crm.executemany("INSERT INTO accounts VALUES (?, ?, ?)", rows)
    crm.commit()
    crm.close()
    mapping = directory / "mapping.yaml"
    mapping.write_text(MAPPING)
    settings = Settings(
        _env_file=None,
        source_url=SecretStr(f"sqlite:///{directory}/crm.db"),
        state_url=SecretStr(f"sqlite:///{directory}/ledger.db"),
        spool_dir=directory / "spool",
        mapping=mapping,
        gong_base_url="http://localhost",
        gong_access_key=SecretStr("sandbox-key"),
        gong_access_key_secret=SecretStr("sandbox-secret"),
    )  # type: ignore[call-arg] # pydantic-settings' own argument
    wiring = Wiring(settings, clock, Silent(), transport=SandboxTransport(api))
    wiring.take_lease()
    file = wiring.mapping_file
    wiring.binding.register(wiring.client, file.integration_name, file.owner_email, adopt=False)
    return wiring


def _run(wiring: Wiring, clock: FakeClock) -> int:
    """Work until nothing more goes by itself, a day at most; return how many rounds of uploads that took."""
    rounds, end = 0, clock.now() + DAY
    for entity in wiring.rounds.mapping.entities:
        wiring.rounds.read(entity)
    while clock.now() < end:
        wiring.rounds.tend()
        rounds += bool(wiring.rounds.deliver())
        while (due := wiring.rounds.courier.next_due()) is not None:  # a file is under way
            _wait(wiring, clock, due)
            wiring.rounds.deliver()
        work: Work = wiring.queries.work(clock.now())
        if not (work.unsettled or work.awaited or work.held):
            break
        if not (work.unsettled or work.awaited) and (due := wiring.rounds.next_due()) is not None:
            _wait(wiring, clock, due)
    return rounds


def _wait(wiring: Wiring, clock: FakeClock, due: float) -> None:
    clock.advance(max(due - clock.now(), 1.0))
    wiring.lease.renew()


if __name__ == "__main__":
    main()
