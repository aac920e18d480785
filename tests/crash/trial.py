"""A company whose connector is struck at failpoints: starts processes, makes work for them, looks at what they left."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from connector.clock import FakeClock
from connector.errors import LedgerUnavailable
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.queries import Queries
from connector.object_types import ObjectType
from connector.sandbox import demo_crm
from connector.sandbox.faults import Fault, FaultKind, Operation
from tests.acceptance.cli_site import Said, Site, assert_discreet, company, now
from tests.crash.launcher import KILL, TERMINATE, TERMINATED_AT, Strike

LEASE_SECONDS: Final = 90
"""How long a killed process may still seem to be at work."""
ENDS_WITHIN_SECONDS: Final = 10
"""How long a process may take to end after SIGTERM."""
SHORT_FILE: Final = 2000
"""Bytes of a data file, so that a pass writes several."""


@dataclass
class Process:
    """A started command."""

    pid: int
    launcher: "subprocess.Popen[str]"

    def end(self) -> int:
        """Wait for its end; return its exit status, that of a killed one negative."""
        return int(_answer(self.launcher))


@dataclass
class Trial:
    """The company and its launcher."""

    site: Site
    ledger_url: str
    launcher: "subprocess.Popen[str]"
    kills: int = 0
    terminations: int = 0
    worked: int = 0

    def start(self, *arguments: str, strikes: Sequence[Strike] = ()) -> Process:
        """Start a command."""
        order = {
            "arguments": arguments,
            "environment": self.site.environment,
            "home": str(self.site.home),
            "strikes": [asdict(strike) for strike in strikes],
        }
        assert self.launcher.stdin is not None
        self.launcher.stdin.write(json.dumps(order) + "\n")
        self.launcher.stdin.flush()
        return Process(int(_answer(self.launcher)), self.launcher)

    def runs(self, *arguments: str, status: int = 3) -> None:
        """Run a command to its end, which is as told. (3: refused objects stay listed.)"""
        ended = self.start(*arguments).end()
        assert ended == status, f"{arguments}: {ended}\n{self.printed().err[-3000:]}"

    def printed(self) -> Said:
        """What all processes have printed."""
        return Said(*((self.site.home / f"process.{name}").read_text() for name in ("out", "err")))

    def work(self) -> None:
        """Let people work in the CRM: rows of each type come, change and go, some of them unfit for Gong."""
        self.worked += 1
        number, site = self.worked, self.site
        demo_crm.change(site.database, seed=number, now=time.time())
        stamp = now()
        site.sql("UPDATE users SET email = ?, updated_at = ? WHERE id = 1", f"new{number}@acme.example", stamp)
        site.sql("UPDATE stages SET name = ?, updated_at = ? WHERE position = 1", f"Stage {number}", stamp)
        site.sql("UPDATE accounts SET employees = ?, updated_at = ? WHERE id = 1", 1000 + number, stamp)
        site.sql("UPDATE deals SET discount_percent = ?, updated_at = ? WHERE id <= 2", 100 + number, stamp)
        last = "id = (SELECT max(id) FROM contacts WHERE NOT is_deleted)"
        site.sql(f"UPDATE contacts SET title = ?, updated_at = ? WHERE {last}", f"Title {number}", stamp)
        site.sql("UPDATE deals SET amount = ?, updated_at = ? WHERE id = 3", number, stamp)
        site.sql("UPDATE leads SET score = ?, updated_at = ? WHERE id = 1", number, stamp)

    def goes_wrong(self, *faults: Fault) -> None:
        """Let the next calls suffer this, and nothing that was lined up before."""
        self.site.faults.clear()
        self.site.faults.add(*faults)

    def killed(self, *arguments: str, at: str, hit: int = 1, besides: Sequence[Strike] = ()) -> None:
        """Kill a command at a failpoint; it has to get there."""
        process = self.start(*arguments, strikes=[Strike(at, KILL, hit), *besides])
        ended = process.end()
        assert ended == -signal.SIGKILL, f"{arguments} never came to {at}: {ended}\n{self.printed().err[-3000:]}"
        self.kills += 1
        self.lease_runs_out()

    def terminated(self, *arguments: str, at: str, status: int) -> None:
        """End a command at a failpoint by SIGTERM: soon, in good order, with that status, and the lease given back."""
        file = self.site.home / TERMINATED_AT
        file.unlink(missing_ok=True)
        ended = self.start(*arguments, strikes=[Strike(at, TERMINATE)]).end()
        assert file.exists(), f"{arguments} never came to {at}: {ended}\n{self.printed().err[-3000:]}"
        took = time.monotonic() - float(file.read_text())
        assert ended == status, f"{arguments} at {at}: {ended}\n{self.printed().err[-3000:]}"
        assert took < ENDS_WITHIN_SECONDS, f"{arguments} at {at} took {took:.1f} seconds to end"
        if at == "ledger.release.before":
            self.lease_runs_out()  # it was about to be given back, and nobody tries twice
        assert self.lease_is_free(), f"{arguments} at {at} left the lease taken"
        self.terminations += 1

    def lease_runs_out(self) -> None:
        """Have another process find, some time after a crash, that nobody holds the lease any more."""
        database = Database(self.ledger_url)
        lease = Lease(database, FakeClock(time.time() + LEASE_SECONDS + 1), "another process")
        with suppress(LedgerUnavailable):  # killed before there were tables
            assert lease.acquire() is None, "the lease outlasts its holder"
            lease.release()
        database.close()

    def lease_is_free(self) -> bool:
        """Tell whether another process could become active at once."""
        database = Database(self.ledger_url)
        lease = Lease(database, FakeClock(time.time()), "another process")
        free = lease.acquire() is None
        lease.release()
        database.close()
        return free


def is_quiet(made: Trial) -> bool:
    """Tell whether the latest changes are in Gong, and nothing is left to be done."""
    number = made.worked
    told = {
        (kind, name, line.get(name))
        for kind, name in _TELLING.items()
        for line in made.site.world.objects(kind).values()
    }
    values = (f"new{number}@acme.example", f"Stage {number}", 1000 + number, f"Title {number}", number, number)
    if not {(kind, name, value) for (kind, name), value in zip(_TELLING.items(), values, strict=True)} <= told:
        return False
    database = Database(made.ledger_url)
    work = Queries(database).work(time.time())
    database.close()
    return not work.unsettled and not work.awaited


def _answer(launcher: "subprocess.Popen[str]") -> str:
    assert launcher.stdout is not None
    said = launcher.stdout.readline()
    assert said, "the launcher has died"
    return said


@contextmanager
def trial(home: Path, ledger_url: str, accounts: int = 4) -> Iterator[Trial]:
    """Give a company that was never connected to Gong."""
    with company(home, accounts) as site:
        site.environment |= {
            "CONNECTOR_DELETE_GUARD_PERCENT": "100",  # a row goes before each kill: more than believable in a day
            "CONNECTOR_STATE_URL": ledger_url,
            "CONNECTOR_MAX_FILE_BYTES": str(SHORT_FILE),
            "CONNECTOR_LOG_FORMAT": "json",
        }
        launcher = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.launcher"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        tried = Trial(site, ledger_url, launcher)
        try:
            yield tried
        finally:
            assert launcher.stdin is not None
            launcher.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                launcher.wait(timeout=1)
            if launcher.poll() is None:
                _kill_children(launcher.pid)
                launcher.kill()
                launcher.wait()
            assert launcher.stdout is not None
            launcher.stdout.close()
        if (home / "process.err").exists():
            assert_discreet(*tried.printed())


def _kill_children(pid: int) -> None:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)


_TELLING: Final = {
    ObjectType.BUSINESS_USER: "emailAddress",
    ObjectType.STAGE: "name",
    ObjectType.ACCOUNT: "employees",
    ObjectType.CONTACT: "title",
    ObjectType.DEAL: "amount",
    ObjectType.LEAD: "score",
}
"""A field of each type that `work` changes."""
LOST_ANSWER: Final = Fault(kind=FaultKind.DROP_AFTER, operation=Operation.UPLOAD)
