"""A real CRM's database reaches Gong whole, through the command line, and every object is what it should be."""

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import databases
import pytest
from cli_site import Site, connected
from crm_site import CONFIG, assert_same
from djangocrm_expectation import expected, expected_refusals

from connector.object_types import SCHEMA_TYPES, ObjectType

ALL_WELL, SOMETHING_REFUSED = 0, 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """DjangoCRM after the first load."""
    folder = os.environ.get("CRM_DUMPS")
    if not folder:
        databases.unavailable("CRM_DUMPS is not set: it must name the folder with django-crm.sqlite3.gz")
    home = tmp_path_factory.mktemp("djangocrm")
    database = home / "crm.sqlite3"
    with gzip.open(Path(folder) / "django-crm.sqlite3.gz") as packed, database.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    with connected(home, database) as site:
        site.environment["CONNECTOR_MAPPING"] = str(CONFIG / "djangocrm.yaml")
        site.process("register")
        site.process("sync", status=SOMETHING_REFUSED)
        yield site


def passed(site: Site) -> list[tuple[str, int]]:
    """One pass; the (type, lines) of each upload that Gong got from it."""
    before = len(site.uploads())
    site.connector("sync", status=SOMETHING_REFUSED if expected_refusals(site.database) else ALL_WELL)
    return site.uploads()[before:]


def refusals(site: Site) -> dict[tuple[str, str], str]:
    """What `failures list` says, by object type and id."""
    listed = json.loads(site.connector("failures", "list", "--json").out)
    return {(failure["type"], failure["object_id"]): json.dumps(failure) for failure in listed}


def now() -> str:
    """A stamp as Django writes it: UTC, no offset, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.mark.parametrize("object_type", ObjectType)
def test_every_object_is_in_gong_as_expected(site: Site, object_type: ObjectType) -> None:
    """All fields of all objects, those without a value included."""
    wanted = expected(site.database)[object_type]
    assert len(wanted) > 10
    assert_same(site.world.objects(object_type), wanted)


@pytest.mark.parametrize("object_type", SCHEMA_TYPES)
def test_gong_shows_what_has_an_account_with_all_additional_fields(site: Site, object_type: ObjectType) -> None:
    """Gong shows only fields of its schema: `sync` has told it about all of them."""
    wanted = {
        object_id: record
        for object_id, record in expected(site.database)[object_type].items()
        if record.get("accountId", "none needed") is not None
    }
    assert_same(site.world.visible(object_type), wanted)


def test_init_knows_it_and_takes_the_ready_made_mapping(site: Site) -> None:
    """`init` ends with 0 only where the mapping fits the database."""
    site.connector("init", "--output", "first.yaml", "--owner-email", "revops@acme.example")
    assert "# DjangoCRM" in (site.home / "first.yaml").read_text()


def test_second_sync_without_changes_uploads_nothing(site: Site) -> None:
    assert passed(site) == []


def test_a_changed_row_is_one_upload_of_one_line(site: Site) -> None:
    site.sql("UPDATE crm_deal SET next_step = 'Send contract', update_date = ? WHERE id = 7", now())
    assert passed(site) == [("DEAL", 1)]
    assert_same(site.world.objects(ObjectType.DEAL), expected(site.database)["DEAL"])


def test_a_row_of_a_table_without_modified_column_is_one_upload_of_one_line(site: Site) -> None:
    site.sql("UPDATE crm_stage SET name = 'signed' WHERE id = 7")
    assert passed(site) == [("STAGE", 1)]
    assert_same(site.world.objects(ObjectType.STAGE), expected(site.database)["STAGE"])


def test_a_touched_row_with_the_same_content_uploads_nothing(site: Site) -> None:
    site.sql("UPDATE crm_contact SET update_date = ? WHERE id = 3", now())
    assert passed(site) == []


def test_a_user_without_address_is_refused_until_there_is_one(site: Site) -> None:
    found = refusals(site)
    assert found.keys() == expected_refusals(site.database).keys() == {("BUSINESS_USER", "18")}
    assert "emailAddress" in found["BUSINESS_USER", "18"]
    site.sql("UPDATE auth_user SET email = 'rep2@example.com' WHERE id = 18")
    assert passed(site) == [("BUSINESS_USER", 1)]
    assert refusals(site) == {}
    assert_same(site.world.objects(ObjectType.BUSINESS_USER), expected(site.database)["BUSINESS_USER"])
