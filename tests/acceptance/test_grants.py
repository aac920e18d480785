"""The accounts that the docs have an administrator make: enough for the mapping, and for nothing but reading."""

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


@contextmanager
def account(url: URL, page: str, called: str = "") -> Iterator[str]:
    """Carry out a page's script in a database, which the page calls `called`; give the account's URL, then drop it.

    Accounts are the server's, whatever the database: each test's has a name of its own.
    """
    mysql = url.get_backend_name() == "mysql"
    begins = "CREATE USER" if mysql else "CREATE ROLE"
    written = [block.text for section in sections(page).values() for block in section if block.kind == "sql"]
    script = next(text for text in written if text.startswith(begins))
    name = f"docs_{secrets.token_hex(4)}"
    script = script.replace("gong_connector", name).replace("'...'", f"'{name}'")
    if called:
        script = script.replace(f" {called}.", f" {url.database}.")
    lines = " ".join(line.partition("--")[0] for line in script.splitlines())
    execute(url, *filter(None, map(str.strip, lines.split(";"))))
    try:
        yield url.set(username=name, password=name).render_as_string(hide_password=False)
    finally:
        execute(url, *([f"DROP USER {name}@'%'"] if mysql else [f"DROP OWNED BY {name}", f"DROP ROLE {name}"]))


def assert_enough(site: Site, source: str, mapping: Path) -> None:
    """`check` finds that the mapping fits, that open transactions are seen, and that the account may only read."""
    found = site.connector("check", CONNECTOR_SOURCE_URL=source, CONNECTOR_MAPPING=str(mapping)).out
    assert "ok       mapping" in found
    assert "open transactions are seen" in found
    assert "its account" not in found


@pytest.mark.parametrize("server", [postgres_database, mysql_database], ids=["postgresql", "mysql"])
def test_the_account_of_the_security_page_suffices(
    tmp_path: Path, server: Callable[[], AbstractContextManager[URL]]
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    with server() as url, connected(tmp_path, tmp_path / "none.db") as site:
        execute(url, TABLE)
        with account(url, "security.md", "crm") as source:
            assert_enough(site, source, mapping)


def test_the_account_of_the_odoo_page_suffices(tmp_path: Path) -> None:
    mapping = CONFIG / "odoo.yaml"
    with (
        crm_site.company(tmp_path, "odoo-17.0-postgresql.sql.gz", mapping) as site,
        account(make_url(site.environment["CONNECTOR_SOURCE_URL"]), "crm-odoo.md") as source,
    ):
        assert_enough(site, source, mapping)


def test_the_account_of_the_djangocrm_page_suffices(tmp_path: Path) -> None:
    mapping = crm_site.djangocrm_for_postgresql(tmp_path)
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
