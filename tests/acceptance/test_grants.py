"""The accounts that the docs have an administrator make: enough for the mapping, and for nothing but reading."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import crm_site
import pytest
import sqlalchemy
import suitecrm_site
from cli_site import Site, connected
from databases import mysql_database, postgres_database
from sqlalchemy.engine import URL, make_url

from tests.docs.blocks import ROOT, sections, whole_file

MAPPING = whole_file("ACCOUNT: {table: companies, key: id, modified: updated_at, fields: {name: name}}\n")
TABLE = "CREATE TABLE companies (id INTEGER PRIMARY KEY, name VARCHAR(80), updated_at TIMESTAMP(6))"
CONFIG = ROOT / "config"


def execute(url: URL, *statements: str) -> None:
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def scripts(page: str, url: URL, called: str = "") -> list[str]:
    """The SQL of a page that is for this kind of server, with the name of a database in place of the page's own."""
    mysql = url.get_backend_name() == "mysql"
    written = [block.text for section in sections(page).values() for block in section if block.kind == "sql"]
    kinds = ("CREATE USER" if mysql else "CREATE ROLE", "CREATE INDEX")
    # What makes a database is the ledger's, and would outlast the test.
    meant = [text for text in written if text.startswith(kinds) and "CREATE DATABASE" not in text]
    assert meant, f"{page} makes no account"
    return [text.replace(f" {called}.", f" {url.database}.") if called else text for text in meant]


def statements(script: str) -> list[str]:
    lines = " ".join(line.partition("--")[0] for line in script.splitlines())
    return [one.strip() for one in lines.split(";") if one.strip()]


@contextmanager
def account(url: URL, page: str, called: str = "") -> Iterator[str]:
    """Carry out the SQL of a page, which calls the database `called`; give the URL of its account, then drop that.

    Accounts are the server's, whatever the database: each test's has a name of its own.
    """
    script, *indexes = scripts(page, url, called)
    found = re.match(r"CREATE (?:ROLE|USER) (?P<name>\w+).*?'(?P<password>[^'%]+)';", script)
    assert found is not None
    name = f"docs_{secrets.token_hex(4)}"
    script = script.replace(found["name"], name).replace(f"'{found['password']}'", f"'{name}'")
    execute(url, *statements(script), *(one for index in indexes for one in statements(index)))
    try:
        yield url.set(username=name, password=name).render_as_string(hide_password=False)
    finally:
        mysql = url.get_backend_name() == "mysql"
        execute(url, *([f"DROP USER {name}@'%'"] if mysql else [f"DROP OWNED BY {name}", f"DROP ROLE {name}"]))


def assert_enough(site: Site, source: str, mapping: Path) -> None:
    """`check` finds that the mapping fits, that open transactions are seen, and that the account may only read."""
    found = site.connector("check", CONNECTOR_SOURCE_URL=source, CONNECTOR_MAPPING=str(mapping)).out
    assert "ok       mapping" in found
    assert "open transactions are seen" in found
    assert "its account" not in found


@pytest.mark.parametrize(
    ("page", "server"),
    [("start.md", postgres_database), ("security.md", postgres_database), ("security.md", mysql_database)],
    ids=["start", "postgresql", "mysql"],
)
def test_the_account_of_a_page_suffices(
    tmp_path: Path, page: str, server: Callable[[], AbstractContextManager[URL]]
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    with server() as url, connected(tmp_path, tmp_path / "none.db") as site:
        execute(url, TABLE)
        with account(url, page, "crm") as source:
            assert_enough(site, source, mapping)


def test_the_account_of_the_odoo_page_suffices(tmp_path: Path) -> None:
    mapping = CONFIG / "odoo.yaml"
    with (
        crm_site.company(tmp_path, "odoo-17.0-postgresql.sql.gz", mapping) as site,
        account(make_url(site.environment["CONNECTOR_SOURCE_URL"]), "crm-odoo.md") as source,
    ):
        assert_enough(site, source, mapping)


def test_the_account_of_the_djangocrm_page_suffices(tmp_path: Path) -> None:
    """Also where open deals get a close date, as the page says."""
    mapping = crm_site.djangocrm_for_postgresql(tmp_path)
    (instead,) = [block.text for block in sections("crm-djangocrm.md")["Open deals on the deal board"]]
    text, times = re.subn(
        r"CASE WHEN s\.success_stage THEN COALESCE.*?END AS close_date",
        " ".join(instead.split()),
        mapping.read_text(),
        flags=re.DOTALL,
    )
    assert times == 1
    mapping.write_text(text)
    with (
        crm_site.company(tmp_path, "django-crm-postgresql.sql.gz", mapping) as site,
        account(make_url(site.environment["CONNECTOR_SOURCE_URL"]), "crm-djangocrm.md") as source,
    ):
        assert_enough(site, source, mapping)


def test_the_account_of_the_suitecrm_page_suffices(tmp_path: Path) -> None:
    with mysql_database() as url, connected(tmp_path, tmp_path / "none.db") as site:
        suitecrm_site.Site(site.home, site.world, site.environment, url).load(suitecrm_site.FIRST)
        with account(url, "crm-suitecrm.md", "suitecrm") as source:
            assert_enough(site, source, CONFIG / "suitecrm.yaml")
