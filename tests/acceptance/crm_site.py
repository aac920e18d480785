"""A company with the dump of a real CRM: restored, its Gong (the sandbox), the connector between, objects compared."""

import gzip
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import cli_site
import databases
import psycopg
from sqlalchemy.engine import URL

from connector.object_types import ObjectType
from connector.sandbox.api import SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World

CONFIG = Path(__file__).parents[2] / "config"

Objects = dict[str, dict[str, Any]]


@dataclass
class Site(cli_site.Site):
    """The company. `world` is what Gong holds."""

    conninfo: str
    """The CRM's database, for psycopg."""

    def sync(self, status: int = 0) -> list[tuple[str, int]]:
        """One pass; the (type, lines) of each upload that Gong got from it, in their order."""
        before = len(self.world.uploads())
        self.connector("sync", status=status)
        return self.uploads()[before:]

    def sql(self, statement: str, *values: object) -> None:
        """Change one row of the CRM as its application would."""
        with psycopg.connect(self.conninfo) as database:
            assert database.execute(statement, values).rowcount == 1

    def refusals(self) -> dict[tuple[str, str], str]:
        """What `failures list` says, by object type and id."""
        listed = json.loads(self.connector("failures", "list", "--json").out)
        return {(failure["type"], failure["object_id"]): json.dumps(failure) for failure in listed}


@contextmanager
def company(home: Path, dump: str, mapping: Path) -> Iterator[Site]:
    """Give a company whose CRM is the dump and whose Gong knows nothing yet."""
    quick = Behaviour(calls_per_second=None, pending_seconds=0.02, processing_seconds=0.02)
    packed = _found(dump)
    world = World(now=time.time, behaviour=quick)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    with databases.postgres_database("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'") as url:
        _restore(packed, url)
        with running(SandboxApi(world, cli_site.CREDENTIALS)) as base_url:
            settings = {
                "CONNECTOR_SOURCE_URL": url.render_as_string(hide_password=False),
                "CONNECTOR_STATE_URL": f"sqlite:///{home / 'connector.db'}",
                "CONNECTOR_SPOOL_DIR": str(home / "spool"),
                "CONNECTOR_MAPPING": str(mapping),
                "CONNECTOR_GONG_BASE_URL": base_url,
                "CONNECTOR_GONG_ACCESS_KEY": cli_site.CREDENTIALS.access_key,
                "CONNECTOR_GONG_ACCESS_KEY_SECRET": cli_site.CREDENTIALS.access_key_secret,
                "CONNECTOR_CALLS_PER_SECOND": "100",
                "CONNECTOR_ACCOUNT_WAIT_SECONDS": "0",
                "CONNECTOR_POLL_MIN_SECONDS": "0.05",
            }
            yield Site(home, world, clean | settings, _conninfo(url))
    world.close()


def djangocrm_for_postgresql(home: Path) -> Path:
    """DjangoCRM's shipped file with the one change that its comment tells users of PostgreSQL to make."""
    shipped = (CONFIG / "djangocrm.yaml").read_text(encoding="utf-8")
    told = re.search(r"#   PostgreSQL: (.*?) AS industries\n", shipped, re.DOTALL)
    assert told is not None
    selected = re.sub(r"\n *#", "\n", told[1])
    changed, times = re.subn(r"\(SELECT GROUP_CONCAT.*?\) n\)", lambda _: selected, shipped, flags=re.DOTALL)
    assert times == 1
    path = home / "mapping.yaml"
    path.write_text(changed, encoding="utf-8")
    return path


def assert_same(actual: Objects, wanted: Objects, *, stamps: bool = True) -> None:
    """Equal ids and equal objects, numbers by their digits; the fields that differ stand in the message.

    `stamps`: compare `modifiedDate` too, where the expectation has one.
    """
    assert actual.keys() == wanted.keys()
    differing = {}
    for object_id, record in wanted.items():
        fields = {
            name: (actual[object_id].get(name, "missing"), record.get(name, "missing"))
            for name in actual[object_id].keys() | record.keys()
            if exact(actual[object_id].get(name, "missing")) != exact(record.get(name, "missing"))
            and not (name == "modifiedDate" and not (stamps and name in record))
        }
        if fields:
            differing[object_id] = fields
    assert not differing, f"{len(differing)} differ, such as {dict(list(differing.items())[:3])}"


def assert_shown(world: World, object_type: ObjectType, wanted: Objects, *, stamps: bool = True) -> None:
    """Gong shows what is wanted of a type, but for objects without the account that they need."""
    shown = {
        object_id: record for object_id, record in wanted.items() if record.get("accountId", "none needed") is not None
    }
    assert_same(world.visible(object_type), shown, stamps=stamps)


def assert_all_same(world: World, wanted: dict[str, Objects], *, stamps: bool = True) -> None:
    """Every object of every type is in Gong as wanted, and nothing else."""
    for object_type in ObjectType:
        assert_same(world.objects(object_type), wanted[object_type], stamps=stamps)


def exact(value: Any) -> Any:
    """Numbers by their decimal digits, and told apart from booleans, which Python takes for 0 and 1."""
    if isinstance(value, bool):
        return str(value)
    return Decimal(str(value)) if isinstance(value, int | float) else value


def _found(dump: str) -> Path:
    folder = os.environ.get("CRM_DUMPS")
    if not folder:
        databases.unavailable(f"CRM_DUMPS is not set: it must name the folder with {dump}")
    if shutil.which("psql") is None:
        databases.unavailable("psql is not installed: it restores the dump")
    return Path(folder) / dump


def _restore(packed: Path, url: URL) -> None:
    with gzip.open(packed) as dump:
        done = subprocess.run(
            ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", _conninfo(url)],
            input=dump.read(),
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()


def _conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
