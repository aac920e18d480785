"""Loads a released version's ledger, and makes that of the version at hand as long as it is not released."""

import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.engine.operations import carry_out
from connector.engine.wiring import Wiring
from connector.ledger.database import Database
from connector.ledger.tables import metadata
from connector.sandbox import demo_crm
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.world import World
from connector.settings import Settings
from tests.databases import postgres_database
from tests.in_process import SandboxTransport

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KINDS = ("sqlite", "postgresql")
MADE_AT = 1_790_000_000.0


def versions() -> list[str]:
    """The versions whose ledgers are kept."""
    return sorted(path.name for path in HERE.iterdir() if (path / "sqlite.sql").exists())


def version_at_hand() -> str | None:
    """The version that `pyproject.toml` names; None once CHANGELOG.md says that it is released."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    released = f"## [{found[1]}]" in (ROOT / "CHANGELOG.md").read_text()
    return None if released else found[1]


@contextmanager
def empty(kind: str, home: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'ledger.db'}"
        return
    with postgres_database() as url:
        yield url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def loaded(version: str, kind: str, home: Path) -> Iterator[str]:
    """Give the URL of a ledger as that version left it."""
    dump = HERE / version / f"{kind}.sql"
    with empty(kind, home) as url:
        if kind == "sqlite":
            with closing(sqlite3.connect(home / "ledger.db")) as database:
                database.executescript(dump.read_text())
        else:
            options = ["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={dump}"]
            subprocess.run(["psql", *options, url], check=True, capture_output=True)
        yield url


def differences(url: str) -> list[Any]:
    """What tells a ledger's tables from those of the code."""
    database = Database(url)
    try:
        with database.reading() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            return list(compare_metadata(context, metadata))
    finally:
        database.close()


def make(version: str, kind: str) -> None:
    """Write the ledger that the code at hand leaves, after a first load with some refusals."""
    target = HERE / version / f"{kind}.sql"
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, empty(kind, Path(name)) as url:
        _live(Path(name), url)
        if kind == "sqlite":
            with closing(sqlite3.connect(Path(name) / "ledger.db")) as database:
                text = "\n".join(database.iterdump())
        else:
            command = ["pg_dump", "--no-owner", "--no-privileges", "--inserts", url]
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            text = re.sub(r"^\\(un)?restrict .*\n", "", text, flags=re.MULTILINE)  # newer pg_dump's, for newer psql
        target.write_text(text + "\n")


def _live(home: Path, url: str) -> None:
    clock = FakeClock(MADE_AT)
    demo_crm.create(home / "crm.db", 3, MADE_AT - 86_400, accounts=3)
    world = World(now=clock.now)
    settings = Settings(
        _env_file=None,
        source_url=f"sqlite:///{home / 'crm.db'}",
        state_url=url,
        spool_dir=home / "spool",
        mapping=ROOT / "config" / "demo.yaml",
        gong_base_url="http://localhost",
        gong_access_key="key",
        gong_access_key_secret="secret",
    )
    transport = SandboxTransport(SandboxApi(world, Credentials("key", "secret")))
    with Wiring(settings, clock, Silent(), transport=transport) as wiring:
        wiring.take_lease()
        wiring.binding.register(wiring.client, "Demo CRM", "revops@acme.example", adopt=False)
        for _ in range(2):
            carry_out(wiring, wiring.syncer.steps(wiring.mapping.entities, wait=True, timeout=100_000))
            demo_crm.change(home / "crm.db", 1, clock.now())
            clock.advance(300)
    world.close()


def main() -> None:
    """Bring the fixture of the version at hand up to date, if it is not: `python -m tests.released`."""
    version = version_at_hand()
    for kind in KINDS if version is not None else ():
        assert version is not None
        if kind == "postgresql" and not (shutil.which("pg_dump") and shutil.which("psql")):
            continue
        with tempfile.TemporaryDirectory() as name:
            if (HERE / version / f"{kind}.sql").exists():
                with loaded(version, kind, Path(name)) as url:
                    if not differences(url):
                        continue
        make(version, kind)
        print(f"tests/released/{version}/{kind}.sql is written anew", time.strftime("%H:%M"))
