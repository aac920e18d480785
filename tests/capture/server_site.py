"""A CRM on a database server in the same process as the sandbox and a connector whose account may only read."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from databases import postgres_database
from in_process import SandboxTransport
from pydantic import SecretStr
from sqlalchemy import Engine

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.engine.operations import carry_out
from connector.engine.sync import SyncReport
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError
from connector.object_types import ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.faults import FaultPlan
from connector.sandbox.world import World
from connector.settings import Settings

ROWS = 40
ACCOUNT, LEAD = ObjectType.ACCOUNT, ObjectType.LEAD
MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated, fields: {name: name}}
  LEAD:
    {table: leads, key: id, modified: updated, fields: {lastName: name, emailAddress: {value: lead@acme.example}}}
"""


@dataclass
class Site:
    """A CRM on PostgreSQL, and a connector whose account may only read it."""

    owner: Engine
    account: str
    world: World
    wiring: Wiring
    clock: FakeClock

    def sql(self, *statements: str) -> None:
        """Do something as the CRM's owner; {account} is the connector's."""
        with self.owner.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("{account}", self.account))

    def sync(self) -> SyncReport:
        """One pass, followed until it is settled."""
        self.clock.advance(60)
        return carry_out(self.wiring, self.wiring.syncer.steps(self.wiring.mapping.entities, wait=True, timeout=10_000))

    def compare(self) -> set[ObjectType]:
        """Compare every type and send what is found, as the daemon does; return the types that cannot be read."""
        failed = set()
        for object_type in (LEAD, ACCOUNT):
            try:
                self.wiring.reconciler.reconcile(object_type)
            except ConnectorError:
                failed.add(object_type)
        return failed | {ObjectType(name) for name in self.sync().errors}

    def names(self, object_type: ObjectType) -> dict[str, object]:
        field = "name" if object_type is ACCOUNT else "lastName"
        return {key: line[field] for key, line in self.world.objects(object_type).items()}

    def in_source(self, table: str) -> dict[str, object]:
        with self.owner.connect() as connection:
            rows = connection.exec_driver_sql(f"SELECT id, name FROM {table}")
            return {str(key): name for key, name in rows}


@contextmanager
def narrow_site(directory: Path, **given: Any) -> Iterator[Site]:
    """Give a CRM of ROWS accounts and leads, loaded; `given` are settings."""
    with postgres_database() as url:
        owner, account = sqlalchemy.create_engine(url), f"reader_{secrets.token_hex(6)}"
        clock = FakeClock(datetime.now(UTC).timestamp())
        world = World(now=clock.now)
        made = Site(
            owner, account, world, connector(directory, url.set(username=account), world, clock, **given), clock
        )
        made.sql("CREATE ROLE {account} LOGIN", "GRANT pg_read_all_stats TO {account}")
        for table in ("accounts", "leads"):
            made.sql(
                f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT, updated TIMESTAMPTZ NOT NULL DEFAULT now())",
                f"INSERT INTO {table} SELECT n, 'Name ' || n FROM generate_series(1, {ROWS}) n",
                f"GRANT SELECT ON {table} TO {{account}}",
            )
        try:
            made.sync()
            assert [len(world.objects(kind)) for kind in (ACCOUNT, LEAD)] == [ROWS, ROWS]
            yield made
        finally:
            made.wiring.__exit__(None, None, None)
            world.close()
            made.sql("DROP OWNED BY {account}", "DROP ROLE {account}")
            owner.dispose()


def connector(
    directory: Path, url: sqlalchemy.URL, world: World, clock: FakeClock, text: str = MAPPING, **given: Any
) -> Wiring:
    """Build a connector from that database to that Gong, by the mapping `text`; register it. `given` are settings."""
    mapping = directory / "mapping.yaml"
    mapping.write_text(text)
    settings = Settings(
        _env_file=None,
        source_url=SecretStr(url.render_as_string(hide_password=False)),
        state_url=SecretStr(f"sqlite:///{directory}/ledger.db"),
        spool_dir=directory / "spool",
        mapping=mapping,
        gong_base_url="http://localhost",
        gong_access_key=SecretStr("key"),
        gong_access_key_secret=SecretStr("secret"),
        **({"account_wait_seconds": 0} | given),
    )
    api = SandboxApi(world, Credentials("key", "secret"), FaultPlan())
    wiring = Wiring(settings, clock, Silent(), transport=SandboxTransport(api))
    wiring.take_lease()
    wiring.binding.register(wiring.client, "Test CRM", "owner@acme.example", adopt=False)
    return wiring
