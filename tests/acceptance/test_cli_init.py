"""init: from a database to a mapping file that check accepts and whose objects reach Gong."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_site import Site, company
from crm_site import CONFIG

from connector.mapping import load
from connector.object_types import ObjectType

WHO = ("--owner-email", "revops@acme.example")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's CRM, of which the mapping is not known."""
    with company(tmp_path_factory.mktemp("init"), accounts=12) as made:
        yield made


def test_what_it_proposes_is_accepted_and_reaches_gong(site: Site) -> None:
    """As a new user goes: init, check, preview, register, sync; the demo's own mapping says what is right."""
    said = site.connector("init", "--output", "first/mapping.yaml", *WHO)
    assert "Written to first/mapping.yaml" in said.out
    assert "export CONNECTOR_MAPPING=first/mapping.yaml" in said.out
    chosen = {"CONNECTOR_MAPPING": "first/mapping.yaml"}
    assert "problem " not in site.connector("check", **chosen).out
    site.connector("register", **chosen)
    site.connector("sync", status=3, **chosen)  # one of the demo's rows is bad
    ours, demo = load(site.home / "first/mapping.yaml"), load(CONFIG / "demo.yaml")
    for mine, right in zip(ours.origins, demo.origins, strict=True):
        fields = {one.field: one.block.column for one in right.bindings if one.field in mine.source.fields}
        assert {one.field: one.block.column for one in mine.bindings if one.field in fields} == fields
        assert mine.source.fields.keys() == right.source.fields.keys() - {"url"}
        assert (mine.source.key, mine.source.modified) == (right.source.key, right.source.modified)
    with closing(sqlite3.connect(site.database)) as crm:
        for object_type, table in ((ObjectType.ACCOUNT, "accounts"), (ObjectType.DEAL, "deals")):
            (living,) = crm.execute(f"SELECT count(*) FROM {table} WHERE is_deleted = 0").fetchone()
            assert len(site.world.objects(object_type)) == living > 0


def test_a_file_that_is_there_is_not_written_over(site: Site) -> None:
    path = site.home / "mine.yaml"
    path.write_text("mine")
    said = site.connector("init", "--output", "mine.yaml", *WHO, status=2)
    assert "mine.yaml is there already: give another --output, or --force" in said.err
    assert path.read_text() == "mine"
    site.connector("init", "--output", "mine.yaml", "--force", *WHO)
    assert load(path).owner_email == "revops@acme.example"


def test_without_a_terminal_it_asks_nothing_and_says_what_it_needs(site: Site) -> None:
    said = site.connector("init", "--output", "-", status=2)
    assert "say who will own the integration: --owner-email" in said.err
    said = site.connector(
        "init", "--output", "-", *WHO, "--table", "LEAD=", "--table", "account=deals", "--name", "A: b"
    )
    written = site.home / "printed.yaml"
    written.write_text(said.out)
    file = load(written)
    assert file.integration_name == "A: b"
    assert "LEAD" not in {origin.type for origin in file.origins}
    assert next(origin.relation for origin in file.origins if origin.type == "ACCOUNT").table == "deals"
    said = site.connector("init", "--output", "-", *WHO, "--table", "ACCOUNT=nowhere", status=2)
    assert "ACCOUNT=nowhere: the source has no table or view of that name" in said.err
    said = site.connector("init", "--output", "-", *WHO, "--timezone", "Berlin", status=2)
    assert "--timezone: 'Berlin' is not an IANA time zone" in said.err


def test_on_a_terminal_it_asks_for_each_type_and_takes_what_is_said(site: Site) -> None:
    answers = ["", "", "nowhere", "accounts", "", "", "-", "Acme CRM", "revops@acme.example", "Europe/Berlin"]
    status, seen = site.on_terminal("init", "--output", "asked.yaml", typed="\n".join(answers) + "\n")
    assert status == 0, seen
    assert "There is no table or view 'nowhere'" in seen
    file = load(site.home / "asked.yaml")
    assert (file.integration_name, file.owner_email, file.timezone) == (
        "Acme CRM",
        "revops@acme.example",
        "Europe/Berlin",
    )
    assert {origin.type for origin in file.origins} == set(ObjectType) - {ObjectType.LEAD}


def test_a_database_without_tables_or_without_customers_is_said(site: Site, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.db")) as crm, crm:
        crm.execute("PRAGMA user_version = 1")
    url = {"CONNECTOR_SOURCE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}
    assert "shows this account no table" in site.connector("init", "--output", "-", *WHO, status=2, **url).err
    with closing(sqlite3.connect(tmp_path / "empty.db")) as crm, crm:
        crm.execute("CREATE TABLE weather (id INTEGER PRIMARY KEY, degrees REAL)")
    said = site.connector("init", "--output", "-", *WHO, status=2, **url)
    assert "no table looks like one of Gong's types" in said.err
    assert "--table ACCOUNT=clients" in said.err


def test_every_additional_field_that_is_offered_can_be_taken(site: Site) -> None:
    """Taking the # away is all that it needs."""
    site.connector("init", "--output", "offered.yaml", *WHO)
    path = site.home / "offered.yaml"
    text = path.read_text()
    assert "{name: industry, label: Industry, type: PICKLIST, column: industry}" in text
    assert "reference_to: USER, column: owner_id}" in text
    taken = text.replace("    # additional_fields:", "    additional_fields:").replace("    #   - {", "      - {")
    path.write_text(taken)
    assert sum(len(origin.source.additional_fields) for origin in load(path).origins) > 5
    assert "problem " not in site.connector("check", CONNECTOR_MAPPING="offered.yaml").out
