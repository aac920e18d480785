"""A company with SuiteCRM's MariaDB database: restored from a dump, its Gong (the sandbox), the connector between."""

import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cli_site
import databases
import pymysql
from crm_site import CONFIG, Objects
from pymysql.constants import CLIENT
from pymysql.cursors import DictCursor
from sqlalchemy.engine import URL
from suitecrm_expectation import expected, expected_refusals

from connector.sandbox.api import SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World

FIRST, SECOND = "suitecrm-7.13.2-mariadb.sql.gz", "suitecrm-7.13.2-mariadb-t2.sql.gz"
SOMETHING_REFUSED = 3


@dataclass
class Site(cli_site.Site):
    """A company's SuiteCRM, its Gong (the sandbox), and the connector between them."""

    url: URL

    def passed(self, command: str, *, status: int = SOMETHING_REFUSED) -> dict[str, int]:
        """Run a pass; the lines of each type that Gong got from it."""
        uploads = len(self.world.uploads())
        self.connector(command, status=status)
        lines: Counter[str] = Counter()
        for object_type, count in self.uploads()[uploads:]:
            lines[object_type] += count
        return dict(lines)

    def open(self, flags: int = 0) -> "pymysql.Connection[DictCursor]":
        """Open the CRM's database as its application does."""
        assert self.url.host
        return pymysql.connect(
            host=self.url.host,
            port=self.url.port or 3306,
            user=self.url.username,
            password=self.url.password or "",
            database=self.url.database,
            charset="utf8mb4",
            cursorclass=DictCursor,
            autocommit=True,
            client_flag=flags,
        )

    def load(self, dump: str) -> None:
        """Put a dump's tables in place of those that are there."""
        with gzip.open(_dumps() / dump, "rt", encoding="utf-8") as packed:
            script = packed.read()
        with closing(self.open(CLIENT.MULTI_STATEMENTS)) as database, database.cursor() as cursor:
            cursor.execute(script)
            while cursor.nextset():
                pass

    def sql(self, statement: str, *values: object) -> None:
        """Change one row of the CRM as its application would: its SQL mode lets zero dates be."""
        with closing(self.open()) as database, database.cursor() as cursor:
            cursor.execute("SET sql_mode = ''")
            assert cursor.execute(statement, values or None) == 1, statement

    def expected(self) -> dict[str, Objects]:
        with closing(self.open()) as database:
            return expected(database)

    def expected_refusals(self) -> dict[tuple[str, str], str]:
        with closing(self.open()) as database:
            return expected_refusals(database)

    def refusals(self) -> dict[tuple[str, str], str]:
        """What `failures list` says, by object type and id."""
        listed = json.loads(self.connector("failures", "list", "--json").out)
        return {(failure["type"], failure["object_id"]): json.dumps(failure) for failure in listed}


@contextmanager
def company(home: Path) -> Iterator[Site]:
    """Give a company whose SuiteCRM is the first dump, after the first load."""
    _dumps()
    quick = Behaviour(calls_per_second=None, pending_seconds=0.02, processing_seconds=0.02)
    world = World(now=time.time, behaviour=quick)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    with databases.mysql_database() as url, running(SandboxApi(world, cli_site.CREDENTIALS)) as base_url:
        settings = {
            "CONNECTOR_SOURCE_URL": url.render_as_string(hide_password=False),
            "CONNECTOR_STATE_URL": f"sqlite:///{home / 'connector.db'}",
            "CONNECTOR_SPOOL_DIR": str(home / "spool"),
            "CONNECTOR_MAPPING": str(CONFIG / "suitecrm.yaml"),
            "CONNECTOR_GONG_BASE_URL": base_url,
            "CONNECTOR_GONG_ACCESS_KEY": cli_site.CREDENTIALS.access_key,
            "CONNECTOR_GONG_ACCESS_KEY_SECRET": cli_site.CREDENTIALS.access_key_secret,
            "CONNECTOR_CALLS_PER_SECOND": "100",
            "CONNECTOR_ACCOUNT_WAIT_SECONDS": "0",
            "CONNECTOR_POLL_MIN_SECONDS": "0.05",
        }
        site = Site(home, world, clean | settings, url)
        site.load(FIRST)
        site.process("register")
        site.process("sync", status=SOMETHING_REFUSED)
        yield site
    world.close()


def _dumps() -> Path:
    folder = os.environ.get("CRM_DUMPS")
    if not folder:
        databases.unavailable(f"CRM_DUMPS is not set: it must name the folder with {FIRST}")
    return Path(folder)
