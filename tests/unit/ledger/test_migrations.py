"""The migrations make the tables that the code works with, and a newer ledger is refused."""

import shutil
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from ledger_under_test import LedgerUnderTest

from connector.clock import SystemClock
from connector.errors import ConfigError, LeaseLost, LedgerInUse, LedgerUnavailable
from connector.ledger import migrate as migrating
from connector.ledger.database import Database
from connector.ledger.lease import Lease
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


# -- an upgrade while the earlier version is at work -------------------------------------------------


@pytest.fixture
def next_version(ledger: LedgerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The ledger as a version sees it that has one migration more, while this one, `ledger.database`, is at work."""
    scripts = tmp_path / "scripts"
    shutil.copytree(migrating.scripts_directory(), scripts)
    (scripts / "versions" / "0002_more.py").write_text(
        "from alembic import op\nrevision, down_revision = '0002', '0001'\n"
        "def upgrade(): op.execute('ALTER TABLE batches ADD COLUMN more INTEGER')\n"
    )
    ledger.lease.release()
    monkeypatch.setattr(migrating, "scripts_directory", lambda: scripts)
    return Database(ledger.database.url.render_as_string(hide_password=False))


def has_more(database: Database) -> bool:
    with database.reading() as connection:
        return "more" in connection.exec_driver_sql("SELECT * FROM batches").keys()  # noqa: SIM118 - no mapping


def test_a_ledger_is_not_upgraded_under_a_process_at_work(ledger: LedgerUnderTest, next_version: Database) -> None:
    active = Lease(ledger.database, SystemClock(), "vm-1 (process 7)")
    assert active.acquire(serves=True) is None
    for _ in range(2):
        with pytest.raises(LedgerInUse, match=r"earlier version.*vm-1 \(process 7\) is at work.*stop it"):
            migrate(next_version)
    active.renew()
    ledger.store.set_meta("kept", "yes")
    assert not has_more(next_version)
    active.release()
    migrate(next_version)
    assert has_more(next_version)
    assert Lease(next_version, SystemClock(), "vm-2").acquire(serves=True) is None
    next_version.close()


def test_whoever_slept_over_an_upgrade_writes_no_more(ledger: LedgerUnderTest, next_version: Database) -> None:
    slept = Lease(ledger.database, SystemClock(), "vm-1", seconds=-1.0)
    assert slept.acquire() is None
    migrate(next_version)
    with pytest.raises(LeaseLost):
        slept.renew()
    with pytest.raises(LeaseLost):
        ledger.store.set_meta("kept", "no")
    next_version.close()


def test_a_process_standing_by_does_not_take_over_a_ledger_that_was_upgraded(
    ledger: LedgerUnderTest, next_version: Database
) -> None:
    migrate(next_version)
    with pytest.raises(ConfigError, match="upgraded by a newer version"):
        Lease(ledger.database, SystemClock(), "vm-1").acquire(serves=True)
    assert Lease(next_version, SystemClock(), "vm-2").acquire(serves=True) is None
    next_version.close()


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
