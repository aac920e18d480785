"""Brings the ledger's tables to this version of the connector; runs at every start."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from connector.errors import ConfigError
from connector.ledger.database import Database


def scripts_directory() -> Path:
    """Where the migrations lie: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def migrate(database: Database) -> None:
    """Create or upgrade the tables, in one transaction.

    Raises:
        ConfigError: the ledger was written by a newer version of the connector.
        LedgerUnavailable: the database could not be reached.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts_directory()).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    with database.reading() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigError(
            f"the ledger ({database.describe()}) is of a newer version of the connector (its tables are at {current}); "
            "start that version, or restore a backup made with this one"
        )
    with (
        database.writing("migrate", fenced=False) as connection,
        EnvironmentContext(config, scripts, fn=lambda rev, _ctx: scripts._upgrade_revs("head", rev)) as environment,
    ):
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
