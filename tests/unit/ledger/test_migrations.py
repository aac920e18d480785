"""The migrations make the tables that the code works with, and a newer ledger is refused."""

import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from ledger_under_test import LedgerUnderTest

from connector.errors import ConfigError, LedgerUnavailable
from connector.ledger.database import Database
from connector.ledger.migrate import migrate
from connector.ledger.tables import metadata


def test_migrations_make_the_tables_of_the_code(ledger: LedgerUnderTest) -> None:
    with ledger.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_difference_would_be_noticed(ledger: LedgerUnderTest) -> None:
    with ledger.database.writing("test") as connection:
        connection.exec_driver_sql("ALTER TABLE batches ADD COLUMN surprise TEXT")
    with ledger.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) != []


def test_migrating_again_changes_nothing(ledger: LedgerUnderTest) -> None:
    ledger.store.set_meta("kept", "yes")
    migrate(ledger.database)
    assert ledger.store.meta("kept") == "yes"


def test_a_start_that_has_nothing_to_migrate_does_not_load_alembic(
    ledger: LedgerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "alembic.config", None)
    migrate(ledger.database)
    with ledger.database.writing("test") as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ImportError):
        migrate(ledger.database)


def test_a_ledger_of_a_newer_version_is_refused(ledger: LedgerUnderTest) -> None:
    with ledger.database.writing("test") as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer version of the connector"):
        migrate(ledger.database)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("sqlite:////proc/nowhere/x.db", "cannot create the ledger's directory"),
    ],
)
def test_a_wrong_url_is_named_by_its_setting(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match="CONNECTOR_STATE_URL") as caught:
        Database(url)
    assert words in str(caught.value)


def test_a_ledger_that_cannot_be_reached_is_named_without_its_password() -> None:
    database = Database("postgresql://someone:canary-pw@127.0.0.1:1/ledger")
    with pytest.raises(LedgerUnavailable) as caught:
        migrate(database)
    assert "127.0.0.1" in str(caught.value)
    assert "canary-pw" not in str(caught.value)
