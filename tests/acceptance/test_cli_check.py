"""check and preview: what is wrong is named with its place and what to do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import CANARY_SECRET, CANARY_VALUE, DEMO_MAPPING, Site, company
from databases import MYSQL_URL, mysql_database, postgres_database
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from webhooks import SECRET_PATH, webhook


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A company that nothing is changed in: check and preview change nothing."""
    with company(tmp_path_factory.mktemp("check"), accounts=3) as made:
        yield made


def mapping(site: Site, before: str, after: str) -> str:
    """Write the demo's mapping with something changed; return its path."""
    text = DEMO_MAPPING.read_text()
    assert before in text
    path = site.home / "changed.yaml"
    path.write_text(text.replace(before, after))
    return str(path)


def test_all_is_well_and_nothing_was_changed(site: Site) -> None:
    said = site.connector("check").out
    assert "problem " not in said
    assert "DEAL: changes are found by updated_at, soft deletes by is_deleted = 1" in said
    assert "run `gong-connector register` once" in said
    assert site.world.integrations() == []
    assert not (site.home / "connector.db").exists()
    assert {call.method for call in site.world.calls()} == {"GET"}


@pytest.mark.parametrize(
    ("setting", "value", "words", "status"),
    [
        ("SOURCE_URL", "", "CONNECTOR_SOURCE_URL is not set", 2),
        ("SOURCE_URL", "sqlite:////nowhere/crm.db", "/nowhere/crm.db", 1),
        ("GONG_ACCESS_KEY_SECRET", "", "CONNECTOR_GONG_ACCESS_KEY_SECRET is not set", 2),
        ("GONG_BASE_URL", "http://api.gong.io", "must be https", 2),
        ("CALLS_PER_DAY", "many", "CONNECTOR_CALLS_PER_DAY", 2),
        ("RECONCILE_INTERVAL_SECONDS", "0 2 * * 9", "CONNECTOR_RECONCILE_INTERVAL_SECONDS: '0 2 * * 9'", 2),
        ("MAPPING", "nowhere.yaml", "nowhere.yaml", 2),
        ("ALERT_WEBHOOK_URL", f"http://chat.example/{CANARY_SECRET}", "CONNECTOR_ALERT_WEBHOOK_URL: must be https", 2),
        ("ALERT_WEBHOOK_URL", f"chat.example:{CANARY_SECRET}", "CONNECTOR_ALERT_WEBHOOK_URL: is not a web address", 2),
        ("ALERT_WEBHOOK_URL", f"https://chat:{CANARY_SECRET}/", "CONNECTOR_ALERT_WEBHOOK_URL: is not a web addr", 2),
    ],
)
def test_a_wrong_setting_is_named(site: Site, setting: str, value: str, words: str, status: int) -> None:
    said = site.connector("check", status=status, **{f"CONNECTOR_{setting}": value}).out
    (line,) = [line for line in said.splitlines() if line.startswith("problem ")]
    assert words in line


def test_the_webhook_is_named_by_its_host_and_tried_when_asked(site: Site) -> None:
    with webhook() as chat:
        said = site.connector("check", CONNECTOR_ALERT_WEBHOOK_URL=chat.url).out
        assert "ok       webhook   127.0.0.1 is told, as JSON, when something is wrong" in said
        assert chat.tries == 0
        tried = site.connector("check", "--alert", CONNECTOR_ALERT_WEBHOOK_URL=chat.url).out
        assert "ok       webhook   it took a message" in tried
        assert "this is a try, nothing is wrong" in chat.text
        chat.status, chat.says = 404, "no_team"
        failed = site.connector("check", "--alert", status=1, CONNECTOR_ALERT_WEBHOOK_URL=chat.url).out
        assert "problem  webhook   the webhook at 127.0.0.1 answered HTTP 404: “no_team”" in failed
        assert SECRET_PATH not in said + tried + failed
    none = site.connector("check", "--alert", status=2).out
    assert "problem  webhook   none is set: give CONNECTOR_ALERT_WEBHOOK_URL" in none


def test_a_misspelt_setting_is_named_with_the_nearest_one(site: Site) -> None:
    (site.home / ".env").write_text("export CONNECTOR_MAPING=elsewhere.yaml\n")
    said = site.connector("check", CONNECTOR_SORCE_URL="sqlite:///x.db").out
    (site.home / ".env").unlink()
    warned = [line for line in said.splitlines() if line.startswith("warn") and "is no setting" in line]
    assert ["CONNECTOR_MAPPING" in warned[0], "CONNECTOR_SOURCE_URL" in warned[1]] == [True, True]


def test_a_wrong_key_is_said_to_be_gongs_refusal(site: Site) -> None:
    said = site.connector("check", status=1, CONNECTOR_GONG_ACCESS_KEY_SECRET="wrong").out
    (line,) = [line for line in said.splitlines() if line.startswith("problem ")]
    assert "gong" in line
    assert "401" in line
    assert "GONG_ACCESS_KEY" in line


def test_a_wrong_password_of_the_source_is_named_and_not_shown(site: Site) -> None:
    with mysql_database():
        server = make_url(MYSQL_URL)
        wrong = server.set(drivername="mysql", username="nobody_of_that_name", password=CANARY_SECRET)
        said = site.connector(
            "check", status=1, CONNECTOR_SOURCE_URL=wrong.set(database="crm").render_as_string(hide_password=False)
        ).out
    assert "refuses the account of CONNECTOR_SOURCE_URL" in said


def test_every_fault_of_the_mapping_is_named_with_its_line_and_the_nearest_name(site: Site) -> None:
    path = mapping(site, "amount: amount", "amount: ammount")
    text = Path(path).read_text().replace("table: leads", "table: lead").replace("sortOrder: position", "sortOrder: po")
    Path(path).write_text(text)
    place = {line.strip(): number for number, line in enumerate(text.splitlines(), start=1)}
    said = site.connector("check", status=2, CONNECTOR_MAPPING=path).out
    problems = [line for line in said.splitlines() if line.startswith("problem ")]
    assert len(problems) == 3
    assert any(f"changed.yaml:{place['amount: ammount']}" in line and "'amount'" in line for line in problems)
    assert any(f"changed.yaml:{place['table: lead']}" in line and "'leads'" in line for line in problems)
    assert any(f"changed.yaml:{place['sortOrder: po']}" in line for line in problems)


def test_what_cannot_be_noticed_is_said(site: Site) -> None:
    """Sources without modified column or soft deletes, and filters, work otherwise than one might think."""
    fields = "    fields:\n      name: name\n      sortOrder"
    path = mapping(
        site, f"    modified: updated_at\n    deleted: is_deleted = 1\n{fields}", f"    where: position < 9\n{fields}"
    )
    said = site.connector("check", CONNECTOR_MAPPING=path).out
    warnings = [line for line in said.splitlines() if line.startswith("warn ") and "STAGE" in line]
    assert len(warnings) == 2
    assert "comparing every row" in warnings[0]
    assert "rows that vanish are found by full comparison" in warnings[0]
    assert "entities.STAGE.where: a row that leaves it is deleted" in warnings[1]


COMPANY = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated_at, deleted: gone, fields: {name: name}}
  CONTACT:
    query: SELECT c.*, e.address FROM contacts c LEFT JOIN emails e ON e.contact = c.id
    key: id
    modified: updated_at
    fields: {emailAddress: address}
"""


def test_the_source_is_looked_at_as_its_administrator_would(site: Site) -> None:
    (site.home / "company.yaml").write_text(COMPANY)
    with postgres_database() as url:
        owner = create_engine(url)
        with owner.begin() as crm:
            crm.exec_driver_sql(
                "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMPTZ, gone BOOLEAN);"
                "INSERT INTO accounts SELECT n, 'x', now(), false FROM generate_series(1, 2000) n;"
                "CREATE TABLE contacts (id INTEGER PRIMARY KEY, updated_at TIMESTAMPTZ NOT NULL);"
                "INSERT INTO contacts SELECT n, now() FROM generate_series(1, 2000) n;"
                "CREATE TABLE emails (contact INTEGER, address TEXT)"
            )
        owner.dispose()
        said = site.connector(
            "check",
            CONNECTOR_MAPPING=str(site.home / "company.yaml"),
            CONNECTOR_SOURCE_URL=url.set(drivername="postgresql").render_as_string(hide_password=False),
        ).out
    warnings = [line for line in said.splitlines() if line.startswith("warn ")]
    assert any("is a superuser" in line and "GRANT SELECT ON accounts TO" in line for line in warnings)
    (index,) = [line for line in warnings if "CREATE INDEX" in line]
    assert index.endswith("CREATE INDEX CONCURRENTLY accounts_updated_at_id ON accounts (updated_at, id);")
    assert any("`changes`" in line and "entities.CONTACT.query" in line for line in warnings)
    assert any("CONTACT: by the database's plan, every pass reads the whole of contacts" in line for line in warnings)
    assert "clock" not in said


def test_the_spool_and_the_guard_are_looked_at_and_nothing_is_made(site: Site) -> None:
    said = site.connector("check", CONNECTOR_SPOOL_DIR="later/spool", CONNECTOR_SPOOL_MAX_BYTES="1000").out
    assert "ok       spool     later/spool has room for 1.0 kB" in said
    assert not (site.home / "later").exists()
    said = site.connector("check", CONNECTOR_SPOOL_MAX_BYTES="1e18").out
    (line,) = [line for line in said.splitlines() if line.startswith("warn     spool ")]
    assert "are free at" in line
    assert "CONNECTOR_SPOOL_MAX_BYTES lets it grow to 1000000000.0 GB" in line
    (site.home / "a file").write_text("")
    said = site.connector("check", status=2, CONNECTOR_SPOOL_DIR="a file/spool").out
    assert "problem  spool     CONNECTOR_SPOOL_DIR: " in said
    none = {"CONNECTOR_DELETE_GUARD_PERCENT": "100", "CONNECTOR_DELETE_GUARD_COUNT": "1000000"}
    said = site.connector("check", **none).out
    assert "CONNECTOR_DELETE_GUARD_PERCENT=100 and CONNECTOR_DELETE_GUARD_COUNT=1,000,000 hold nothing" in said


def test_preview_shows_lines_and_refusals_without_gong(site: Site) -> None:
    nothing = {"CONNECTOR_GONG_ACCESS_KEY": "", "CONNECTOR_GONG_ACCESS_KEY_SECRET": ""}
    said = site.connector("preview", "ACCOUNT", "--id", "1", **nothing)
    assert said.out.startswith('{"objectId":"1",')
    assert CANARY_VALUE in said.out
    assert said.out.count("\n") == 1
    said = site.connector("preview", "business_user", "--limit", "12", "--json", status=3, **nothing)
    assert said.out.count("\n") == 11
    assert "Refused: 12: emailAddress is empty" in said.err
    assert "no row with the key 4711" in site.connector("preview", "DEAL", "--id", "4711", status=1).err
    assert site.world.uploads() == []


def test_scripts_read_the_findings_as_json(site: Site) -> None:
    found = json.loads(site.connector("check", "--json").out)
    assert {"level": "warn", "about": "gong", "text": "not registered yet: run `gong-connector register` once"} in found
    wrong = json.loads(site.connector("check", "--json", status=2, CONNECTOR_SYNC_INTERVAL_SECONDS="soon").out)
    assert [one["level"] for one in wrong] == ["problem"]
