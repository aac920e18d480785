"""A company for the command line's tests: the demo CRM, a sandbox Gong, and the commands between them.

Everything that a command ever prints is searched for a canary secret, and its log for a canary value.
"""

import contextlib
import io
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from connector.cli import main
from connector.object_types import ObjectType
from connector.sandbox import demo_crm
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import FaultPlan
from connector.sandbox.server import running
from connector.sandbox.world import World

DEMO_MAPPING = Path(__file__).parents[2] / "config" / "demo.yaml"
CANARY_SECRET = "canary-5f1c-secret"
CANARY_VALUE = "Canary5f1c"
CREDENTIALS = Credentials("the-key", CANARY_SECRET)
PATIENCE_SECONDS = 120
"""Far more than anything takes, for machines that are busy."""


class Terminal(io.StringIO):
    """What a person sees or types."""

    def isatty(self) -> bool:
        return True


class Said(NamedTuple):
    """What a command printed."""

    out: str
    err: str


@dataclass
class Site:
    """The company. `world` is what Gong holds, `api` how it is called, `faults` what goes wrong on the way to it."""

    home: Path
    world: World
    environment: dict[str, str]
    api: SandboxApi = field(init=False)
    faults: FaultPlan = field(default_factory=FaultPlan, kw_only=True)
    database: Path = field(default=Path(), kw_only=True)

    def connector(self, *arguments: str, status: int | None = 0, **environment: str) -> Said:
        """Run a command to its end, within this process (a fresh one takes a second to start).

        Its exit status is `status`, or the test fails; None: whatever it is.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environment | environment, clear=True),
            contextlib.chdir(self.home),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _process_restored(),
        ):
            returned = main(list(arguments))
        said = Said(out.getvalue(), err.getvalue())
        assert status in (None, returned), f"{arguments}: {returned}\n{said.out}\n{said.err}"
        assert_discreet(*said)
        return said

    def on_terminal(self, *arguments: str, typed: str = "", **environment: str) -> tuple[int, str]:
        """Run a command as a person does, who types; return its exit status and what stood on the screen."""
        screen = Terminal()
        with (
            mock.patch.dict(os.environ, self.environment | {"COLUMNS": "80"} | environment, clear=True),
            mock.patch("sys.stdin", Terminal(typed)),
            contextlib.chdir(self.home),
            contextlib.redirect_stdout(screen),
            contextlib.redirect_stderr(screen),
            _process_restored(),
        ):
            returned = main(list(arguments))
        return returned, screen.getvalue()

    def process(self, *arguments: str, status: int = 0, **environment: str) -> Said:
        """Run a command to its end as a process of its own, otherwise like `connector`."""
        done = subprocess.run(
            [sys.executable, "-m", "connector", *arguments],
            env=self.environment | environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert_discreet(done.stdout, done.stderr)
        return Said(done.stdout, done.stderr)

    @contextmanager
    def started(
        self, *arguments: str, program: Sequence[str] = ("-m", "connector"), **environment: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a command that does not end by itself; its output goes to files, see `printed`."""
        with (self.home / f"{arguments[0]}.out").open("a") as out, (self.home / f"{arguments[0]}.err").open("a") as err:
            process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                env=self.environment | environment,
                cwd=self.home,
                stdout=out,
                stderr=err,
                text=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            assert_discreet(*self.printed(arguments[0]))

    def printed(self, command: str) -> Said:
        """What `started` commands of that name have printed so far."""
        return Said((self.home / f"{command}.out").read_text(), (self.home / f"{command}.err").read_text())

    def sql(self, statement: str, *values: object) -> None:
        """Change the CRM as its application would."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            assert database.execute(statement, values).rowcount > 0

    def uploads(self) -> list[tuple[str, int]]:
        """(type, lines) of every upload that Gong got."""
        return [(upload.object_type, upload.lines) for upload in self.world.uploads()]

    def name_of(self, object_type: ObjectType, object_id: str) -> object:
        """An object's name in Gong; None while it is not there."""
        return self.world.objects(object_type).get(object_id, {}).get("name")


@contextmanager
def _process_restored() -> Iterator[None]:
    """Undo what a command changes in its process."""
    root = logging.getLogger()
    handlers, level, handler = root.handlers[:], root.level, signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        signal.signal(signal.SIGTERM, handler)


def assert_discreet(out: str, err: str) -> None:
    """No output holds the secret, and no log a record's value."""
    assert CANARY_SECRET not in out + err
    assert CANARY_VALUE not in err


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until `holds`; fail after a while."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"in vain: {what}"
        time.sleep(0.05)


def now() -> str:
    """A stamp as the demo CRM writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())


@contextmanager
def company(home: Path, accounts: int = 8) -> Iterator[Site]:
    """Give a new company whose Gong knows nothing yet."""
    demo_crm.create(home / "crm.db", 7, time.time(), accounts=accounts)
    with connected(home, home / "crm.db") as site:
        site.sql("UPDATE accounts SET name = ? WHERE id = 1", CANARY_VALUE)
        site.sql("UPDATE leads SET source = ? WHERE source = 'Trade show'", CANARY_VALUE)
        yield site


@contextmanager
def connected(home: Path, database: Path) -> Iterator[Site]:
    """Give the company whose CRM is `database` a ledger, a spool and a Gong of their own, new and empty."""
    quick = Behaviour(calls_per_second=None, pending_seconds=0.02, processing_seconds=0.02)
    world, faults = World(now=time.time, behaviour=quick), FaultPlan()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    api = SandboxApi(world, CREDENTIALS, faults)
    with running(api) as base_url:
        site = Site(
            home,
            world,
            clean
            | {
                "CONNECTOR_SOURCE_URL": f"sqlite:///{database}",
                "CONNECTOR_STATE_URL": f"sqlite:///{home / 'connector.db'}",
                "CONNECTOR_SPOOL_DIR": str(home / "spool"),
                "CONNECTOR_MAPPING": str(DEMO_MAPPING),
                "CONNECTOR_GONG_BASE_URL": base_url,
                "CONNECTOR_GONG_ACCESS_KEY": CREDENTIALS.access_key,
                "CONNECTOR_GONG_ACCESS_KEY_SECRET": CREDENTIALS.access_key_secret,
                "CONNECTOR_CALLS_PER_SECOND": "100",
                "CONNECTOR_ACCOUNT_WAIT_SECONDS": "0",
                "CONNECTOR_POLL_MIN_SECONDS": "0.05",
                "CONNECTOR_SYNC_INTERVAL_SECONDS": "10",
                "CONNECTOR_WEB_PORT": "0",  # tests run side by side
            },
            faults=faults,
            database=database,
        )
        site.api = api
        yield site
    world.close()
