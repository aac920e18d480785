"""Days at a stretch: a change in each of the six types every minute, restarts, and no call too many.

`python -m tests.simulation.day` lives through 48 hours at the default number of calls and prints what came of it.
"""

import argparse
import random
import re
import shutil
import sqlite3
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final, Self

from pydantic import SecretStr

from connector.clock import FakeClock
from connector.engine.daemon import Daemon
from connector.engine.daemon_parts import make_daemon
from connector.engine.observe import Fact
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import Effects, Fault, FaultKind, FaultPlan
from connector.sandbox.store import Received
from connector.sandbox.world import World
from connector.settings import Settings
from tests.in_process import SandboxTransport
from tests.simulation.ledgers import memory

START: Final = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
HOUR: Final = 3600.0
DAY: Final = 86_400.0
ROWS: Final = 2000
"""Of each type: a row changes once in so many minutes, so that each change goes to Gong."""
LEASE_SECONDS: Final = 91.0
RESTART_EVERY: Final = 5 * HOUR
NAMED: Final = re.compile(rb'"(?:name|lastName|emailAddress)":"c(\d+)[@"]')

FIELDS: Final = {
    ObjectType.BUSINESS_USER: "emailAddress: {template: '{name}@acme.example'}",
    ObjectType.STAGE: "name: name",
    ObjectType.ACCOUNT: "name: name",
    ObjectType.CONTACT: "lastName: name, accountId: parent",
    ObjectType.DEAL: "name: name, accountId: parent",
    ObjectType.LEAD: "lastName: name",
}


def mapping_text() -> str:
    """Return a mapping file for a table of each type's name."""
    entities = "\n".join(
        f"  {kind}: {{table: {kind.lower()}, key: id, modified: updated, fields: {{{fields}}}}}"
        for kind, fields in FIELDS.items()
    )
    return f"version: 1\nintegration: {{name: Day, owner_email: o@acme.example}}\nentities:\n{entities}\n"


@dataclass(slots=True)
class Report:
    """What a number of hours came to."""

    calls: list[float] = field(default_factory=list)
    """When the sandbox was called (seconds since 1970 UTC)."""
    refused: int = 0
    """Calls over the sandbox's limits."""
    changes: int = 0
    lags: list[float] = field(default_factory=list)
    """Seconds from each change that was sent to its DONE."""
    uploads: int = 0
    restarts: int = 0

    def most_in(self, seconds: float) -> int:
        """Return the most calls in any so many seconds."""
        return max(
            (bisect_right(self.calls, at) - bisect_right(self.calls, at - seconds) for at in self.calls), default=0
        )

    def words(self) -> str:
        """Say it."""
        lags = sorted(self.lags)
        return (
            f"{self.changes} changes, {self.uploads} files, {len(self.calls)} calls, {self.restarts} restarts; "
            f"at most {self.most_in(DAY)} calls in 24 hours and {self.most_in(0.9999)} in a second, "
            f"{self.refused} refused; from change to DONE: median {median(lags):.0f} s, "
            f"95 % within {lags[int(len(lags) * 0.95)]:.0f} s, at most {lags[-1]:.0f} s"
        )


class _Watched(World):
    """Remembers which changes stood in which upload."""

    def __init__(self, clock: FakeClock, behaviour: Behaviour) -> None:
        super().__init__(now=clock.now, behaviour=behaviour)
        self.changes: dict[str, Sequence[int]] = {}

    def accept(
        self,
        integration_id: int,
        object_type: ObjectType,
        client_request_id: str,
        received: Received,
        request_id: str,
        effects: Effects,
    ) -> None:
        raw = received.path.read_bytes()
        super().accept(integration_id, object_type, client_request_id, received, request_id, effects)
        self.changes[client_request_id] = [int(at) for at in NAMED.findall(raw)]


class Days:
    """A CRM that never rests, the daemon's rounds, and the sandbox. A context manager: leaving removes the files."""

    def __init__(self, *, per_day: int, interval: float, seed: int = 1) -> None:
        self.report = Report()
        self._directory = Path(tempfile.mkdtemp(prefix="days-", dir=memory()))
        self._chance = random.Random(seed)
        self._clock = FakeClock(START)
        self._crm = sqlite3.connect(self._directory / "crm.db", isolation_level=None)
        self._fill()
        mapping = self._directory / "mapping.yaml"
        mapping.write_text(mapping_text())
        self._settings = Settings(
            _env_file=None,
            source_url=SecretStr(f"sqlite:///{self._directory}/crm.db"),
            state_url=SecretStr(f"sqlite:///{self._directory}/ledger.db"),
            spool_dir=self._directory / "spool",
            mapping=mapping,
            gong_base_url="http://localhost",
            gong_access_key=SecretStr("key"),
            gong_access_key_secret=SecretStr("secret"),
            calls_per_day=per_day,
            sync_interval_seconds=interval,
        )  # type: ignore[call-arg] # pydantic-settings' own argument
        self._world = _Watched(self._clock, Behaviour(calls_per_day=per_day))
        self._plan = FaultPlan()
        self._transport = SandboxTransport(SandboxApi(self._world, Credentials("key", "secret"), self._plan))
        self._wiring = self._start()
        self._daemon: Daemon | None = None
        file = self._wiring.mapping_file
        self._wiring.binding.register(self._wiring.client, file.integration_name, file.owner_email, adopt=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wiring.__exit__(None, None, None)
        self._crm.close()
        self._world.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def event(self, name: str, **facts: Fact) -> None:
        """Take note of settled files, as the observer of the engine."""
        if name == "batch.done":
            self.report.lags += [self._clock.now() - at for at in self._world.changes[str(facts["request_id"])] if at]

    def run(self, hours: float) -> Report:
        """Live through so many hours."""
        end = START + hours * HOUR
        change_at, restart_at = START + HOUR / 2, START + RESTART_EVERY
        while self._clock.now() < end:
            now = self._clock.now()
            if now >= restart_at:
                self._restart()
                restart_at += RESTART_EVERY
            while change_at <= now:
                self._change(change_at)
                change_at += 60.0
            self._work()
            due = self._wiring.rounds.next_due()
            pass_at = self._wiring.pacer.plan().next_at
            next_at = min(change_at, restart_at, *(at for at in (due, pass_at) if at is not None))
            self._clock.advance(max(next_at - self._clock.now(), 1.0))  # the daemon's ticks are a second apart
        report = self.report
        report.calls = [call.at for call in self._world.calls()]
        report.refused = len(self._world.calls_over_limit())
        report.uploads = len(self._world.uploads())
        return report

    def _work(self) -> None:
        if self._daemon is None:
            self._daemon = make_daemon(self._wiring)
        daemon = self._daemon
        daemon.lease.renew()
        daemon.passes()
        daemon.tend()
        daemon.deliver()

    def _start(self) -> Wiring:
        wiring = Wiring(self._settings, self._clock, self, transport=self._transport)
        wiring.take_lease()
        return wiring

    def _restart(self) -> None:
        """Be gone without a word while files travel; another process goes on when the lease has run out."""
        self.report.restarts += 1
        self._plan.add(Fault(kind=FaultKind.SLOW, seconds=30.0, times=3))
        self._clock.advance(LEASE_SECONDS)
        self._wiring.database.close()
        self._wiring = self._start()
        self._daemon = None

    def _fill(self) -> None:
        for kind in FIELDS:
            self._crm.execute(
                f"CREATE TABLE {kind.lower()} (id INTEGER PRIMARY KEY, name TEXT, parent INT, updated TEXT)"
            )
            self._crm.executemany(
                f"INSERT INTO {kind.lower()} VALUES (?, ?, ?, ?)",
                [(number, f"c0@{number}", number, _stamp(START - HOUR)) for number in range(ROWS)],
            )

    def _change(self, at: float) -> None:
        number = int(at // 60) % ROWS
        for kind in FIELDS:
            self.report.changes += 1
            self._crm.execute(
                f"UPDATE {kind.lower()} SET name = ?, updated = ? WHERE id = ?", (f"c{at:.0f}", _stamp(at), number)
            )


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.day", description=__doc__)
    parser.add_argument("--hours", type=float, default=48.0, help="so many (48)")
    parser.add_argument("--per-day", type=int, default=9000, help="CALLS_PER_DAY (9000)")
    parser.add_argument("--interval", type=float, default=60.0, help="SYNC_INTERVAL_SECONDS (60)")
    given = parser.parse_args()
    with Days(per_day=given.per_day, interval=given.interval) as days:
        print(days.run(given.hours).words())


if __name__ == "__main__":
    main()
