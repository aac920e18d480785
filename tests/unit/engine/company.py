"""A whole company in one process: a small CRM, the sandbox, and the connector between them, on a fake clock."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from in_process import SandboxTransport
from migrated import new_ledger
from pydantic import SecretStr

from connector.clock import FakeClock
from connector.engine.daemon import Daemon
from connector.engine.daemon_parts import make_daemon
from connector.engine.observe import EVENTS, Fact
from connector.engine.operations import carry_out
from connector.engine.sync import SyncReport
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import Fault, FaultKind, FaultPlan, Operation
from connector.sandbox.world import World
from connector.settings import Settings

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC).timestamp()

SCHEMA = """
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER DEFAULT 0, updated TEXT NOT NULL);
CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, account INTEGER, amount INTEGER, updated TEXT NOT NULL);
CREATE TABLE contacts (id INTEGER PRIMARY KEY, last TEXT, account INTEGER, updated TEXT NOT NULL);
CREATE TABLE emails (contact INTEGER, address TEXT, updated TEXT NOT NULL);
"""

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  BUSINESS_USER: {table: users, key: id, fields: {emailAddress: email}}
  ACCOUNT:
    {table: accounts, key: id, modified: updated, deleted: gone = 1, fields: {name: name}}
  CONTACT:
    query: SELECT c.*, (SELECT min(address) FROM emails e WHERE e.contact = c.id) AS email FROM contacts c
    key: id
    modified: updated
%s
    fields: {lastName: last, emailAddress: email, accountId: account}
  DEAL:
    {table: deals, key: id, modified: updated, fields: {name: name, accountId: account, amount: amount}}
"""
FEED = "    changes: [{table: emails, key: contact, modified: updated}]"


class Notes:
    """Remembers what the engine said."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Fact]]] = []

    def event(self, name: str, **facts: Fact) -> None:
        assert name in EVENTS, "docs/operating.md names every event"
        self.events.append((name, facts))

    def named(self, name: str) -> list[dict[str, Fact]]:
        return [facts for found, facts in self.events if found == name]


class Company:
    """Everything in one place; `wiring` is the running connector, and `restart` makes a new one."""

    def __init__(
        self,
        directory: Path,
        behaviour: Behaviour | None = None,
        feed: str = "",
        mapping_text: str | None = None,
        **settings: Any,
    ) -> None:
        self.directory = directory
        self.clock = FakeClock(START)
        self.crm = sqlite3.connect(directory / "crm.db", isolation_level=None)
        self.crm.executescript(SCHEMA)
        mapping = directory / "mapping.yaml"
        mapping.write_text(MAPPING % feed if mapping_text is None else mapping_text)
        self.world = World(now=self.clock.now, behaviour=behaviour)
        self.faults = FaultPlan()
        self._api = SandboxApi(self.world, Credentials("key", "secret"), self.faults)
        self.settings = Settings(
            _env_file=None,
            source_url=SecretStr(f"sqlite:///{directory}/crm.db"),
            spool_dir=directory / "spool",
            mapping=mapping,
            gong_base_url="http://localhost",
            gong_access_key=SecretStr("key"),
            gong_access_key_secret=SecretStr("secret"),
            **({"account_wait_seconds": 0, "state_url": SecretStr(new_ledger(directory / "ledger.db"))} | settings),
        )
        self.notes = Notes()
        self.wiring = self._start()
        self._daemon: Daemon | None = None
        file = self.wiring.mapping_file
        self.wiring.binding.register(self.wiring.client, file.integration_name, file.owner_email, adopt=False)

    @property
    def daemon(self) -> Daemon:
        """The running connector's, with no threads of its own: tests call its ticks."""
        if self._daemon is None:
            self._daemon = make_daemon(self.wiring)
        return self._daemon

    def _start(self) -> Wiring:
        wiring = Wiring(self.settings, self.clock, self.notes, transport=SandboxTransport(self._api))
        wiring.take_lease()
        return wiring

    def restart(self, after: float = 1000) -> None:
        """Begin anew on the same ledger and spool, as another process would so many seconds after this one died."""
        self.clock.advance(after)
        self.wiring = self._start()
        self._daemon = None

    def close(self) -> None:
        self.wiring.__exit__(None, None, None)
        self.crm.close()
        self.world.close()

    def now(self) -> str:
        """The CRM's time, as its rows write it."""
        return datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")

    def put(self, table: str, **values: Any) -> None:
        """Insert or replace a row, stamped now where the table has stamps."""
        columns = [row[1] for row in self.crm.execute(f"PRAGMA table_info({table})")]
        if "updated" in columns:
            values.setdefault("updated", self.now())
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.crm.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def sync(self, timeout: float = 100_000, **options: Any) -> SyncReport:
        """One pass, followed until it is settled, a minute after the last one."""
        self.clock.advance(60)
        entities = self.wiring.mapping.entities
        return carry_out(self.wiring, self.wiring.syncer.steps(entities, wait=True, timeout=timeout, **options))

    def reconcile(self, object_type: ObjectType) -> Any:
        """Compare a type and send what was found."""
        self.clock.advance(1)
        found = self.wiring.reconciler.reconcile(object_type)
        self.sync()
        return found

    def approve(self) -> int:
        """Let through what is held, and send it; return how many objects."""
        released = [self.wiring.holds.approve(hold.id, "somebody") for hold in self.wiring.queries.holds()]
        self.sync()
        return sum(filter(None, released))

    def uploads(self, since: int = 0) -> list[tuple[str, int]]:
        """The files that Gong accepted after the first `since`: (type, lines)."""
        return [(str(upload.object_type), upload.lines) for upload in self.world.uploads()[since:]]

    def during(self, *faults: Fault) -> None:
        """Let these go wrong from now on."""
        for fault in faults:
            self.faults.add(fault)


__all__ = ["FEED", "Behaviour", "Callable", "Company", "Fault", "FaultKind", "ObjectType", "Operation"]
