"""A real CRM's database reaches Gong whole, through the command line, and every object is what it should be."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from djangocrm_expectation import expected, expected_refusals

from connector.object_types import SCHEMA_TYPES, ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World

MAPPING = Path(__file__).parents[2] / "config" / "djangocrm.yaml"
ALL_WELL, SOMETHING_REFUSED = 0, 3
CREDENTIALS = Credentials("acceptance-key", "acceptance-secret")


@dataclass
class Site:
    """A company's CRM database, its Gong (the sandbox), and the connector between them."""

    database: Path
    world: World
    environment: dict[str, str]

    def connector(self, *arguments: str, exit_status: int = ALL_WELL) -> str:
        """Run the command and return what it prints; its exit status is as told, or the test fails."""
        done = subprocess.run(
            [sys.executable, "-m", "connector", *arguments],
            env=self.environment,
            cwd=self.database.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == exit_status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sync(self) -> list[tuple[str, int]]:
        """One pass; the (type, lines) of each upload that Gong got from it."""
        before = len(self.world.uploads())
        refused = bool(expected_refusals(self.database))
        self.connector("sync", exit_status=SOMETHING_REFUSED if refused else ALL_WELL)
        return [(upload.object_type, upload.lines) for upload in self.world.uploads()[before:]]

    def sql(self, statement: str, *values: object) -> None:
        """Change the CRM as its application would."""
        with closing(sqlite3.connect(self.database)) as database, database:
            assert database.execute(statement, values).rowcount == 1

    def refusals(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What `failures list` says, by object type and id."""
        listed = json.loads(self.connector("failures", "list", "--json"))
        return {(failure["type"], failure["object_id"]): failure for failure in listed}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """DjangoCRM after the first load."""
    home = tmp_path_factory.mktemp("djangocrm")
    database = home / "crm.sqlite3"
    with gzip.open(_dump()) as packed, database.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    quick = Behaviour(calls_per_second=None, pending_seconds=0.05, processing_seconds=0.05)
    world = World(now=time.time, behaviour=quick)
    with running(SandboxApi(world, CREDENTIALS)) as base_url:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")},
            "CONNECTOR_SOURCE_URL": f"sqlite:///{database}",
            "CONNECTOR_STATE_URL": f"sqlite:///{home / 'connector.db'}",
            "CONNECTOR_SPOOL_DIR": str(home / "spool"),
            "CONNECTOR_MAPPING": str(MAPPING),
            "CONNECTOR_GONG_BASE_URL": base_url,
            "CONNECTOR_GONG_ACCESS_KEY": CREDENTIALS.access_key,
            "CONNECTOR_GONG_ACCESS_KEY_SECRET": CREDENTIALS.access_key_secret,
            "CONNECTOR_CALLS_PER_SECOND": "100",
            "CONNECTOR_ACCOUNT_WAIT_SECONDS": "0",
            "CONNECTOR_POLL_MIN_SECONDS": "0.1",
        }
        site = Site(database, world, environment)
        site.connector("register")
        site.sync()
        yield site
    world.close()


@pytest.mark.parametrize("object_type", ObjectType)
def test_every_object_is_in_gong_as_expected(site: Site, object_type: ObjectType) -> None:
    """All fields of all objects, those without a value included."""
    wanted = expected(site.database)[object_type]
    assert len(wanted) > 10
    _assert_same(site.world.objects(object_type), wanted)


@pytest.mark.parametrize("object_type", SCHEMA_TYPES)
def test_gong_shows_what_has_an_account_with_all_additional_fields(site: Site, object_type: ObjectType) -> None:
    """Gong shows only fields of its schema: `sync` has told it about all of them."""
    wanted = {
        object_id: record
        for object_id, record in expected(site.database)[object_type].items()
        if record.get("accountId", "none needed") is not None
    }
    _assert_same(site.world.visible(object_type), wanted)


def test_init_knows_it_and_takes_the_ready_made_mapping(site: Site) -> None:
    """`init` ends with 0 only where the mapping fits the database."""
    site.connector("init", "--output", "first.yaml", "--owner-email", "revops@acme.example")
    assert "# DjangoCRM" in (site.database.parent / "first.yaml").read_text()


def test_second_sync_without_changes_uploads_nothing(site: Site) -> None:
    assert site.sync() == []


def test_a_changed_row_is_one_upload_of_one_line(site: Site) -> None:
    site.sql("UPDATE crm_deal SET next_step = 'Send contract', update_date = ? WHERE id = 7", _now())
    assert site.sync() == [("DEAL", 1)]
    _assert_same(site.world.objects(ObjectType.DEAL), expected(site.database)["DEAL"])


def test_a_row_of_a_table_without_modified_column_is_one_upload_of_one_line(site: Site) -> None:
    site.sql("UPDATE crm_stage SET name = 'signed' WHERE id = 7")
    assert site.sync() == [("STAGE", 1)]
    _assert_same(site.world.objects(ObjectType.STAGE), expected(site.database)["STAGE"])


def test_a_touched_row_with_the_same_content_uploads_nothing(site: Site) -> None:
    site.sql("UPDATE crm_contact SET update_date = ? WHERE id = 3", _now())
    assert site.sync() == []


def test_a_user_without_address_is_refused_until_there_is_one(site: Site) -> None:
    refusals = site.refusals()
    assert refusals.keys() == expected_refusals(site.database).keys() == {("BUSINESS_USER", "18")}
    assert "emailAddress" in json.dumps(refusals["BUSINESS_USER", "18"])
    site.sql("UPDATE auth_user SET email = 'rep2@example.com' WHERE id = 18")
    assert site.sync() == [("BUSINESS_USER", 1)]
    assert site.refusals() == {}
    _assert_same(site.world.objects(ObjectType.BUSINESS_USER), expected(site.database)["BUSINESS_USER"])


def _dump() -> Path:
    folder = os.environ.get("CRM_DUMPS")
    if folder:
        return Path(folder) / "django-crm.sqlite3.gz"
    if os.environ.get("CI"):
        pytest.fail("CRM_DUMPS is not set: it must name the folder with django-crm.sqlite3.gz")
    pytest.skip("CRM_DUMPS is not set: the folder with django-crm.sqlite3.gz")


def _now() -> str:
    """A stamp as Django writes it: UTC, no offset, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _assert_same(actual: dict[str, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> None:
    """Equal ids and equal objects; names of fields that differ stand in the message."""
    assert actual.keys() == wanted.keys()
    differing = {
        object_id: {
            name: (actual[object_id].get(name, "missing"), record.get(name, "missing"))
            for name in actual[object_id].keys() | record.keys()
            if _exact(actual[object_id].get(name, "missing")) != _exact(record.get(name, "missing"))
            and not (name == "modifiedDate" and name not in record)
        }
        for object_id, record in wanted.items()
    }
    differing = {object_id: fields for object_id, fields in differing.items() if fields}
    assert not differing, f"{len(differing)} differ, such as {dict(list(differing.items())[:3])}"


def _exact(value: Any) -> Any:
    """Numbers by their decimal digits, and told apart from booleans, which Python takes for 0 and 1."""
    if isinstance(value, bool):
        return str(value)
    return Decimal(str(value)) if isinstance(value, int | float) else value
