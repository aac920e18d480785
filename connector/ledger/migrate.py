"""Brings the ledger's tables to this version of the connector; runs at every start."""

from pathlib import Path

from connector.errors import ConfigError, LedgerInUse
from connector.ledger.database import Database
from connector.ledger.explain import SETTING
from connector.ledger.lease import end_what_ran_out
from connector.ledger.ownership import refuse_foreign
from connector.ledger.statement import text


def scripts_directory() -> Path:
    """Where the migrations lie: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def migrate(database: Database) -> None:
    """Create or upgrade the tables, in one transaction; never under a process that is at work.

    Raises:
        ConfigError: the ledger was written by a newer version of the connector, or the database is no ledger.
        LedgerInUse: it would have to be upgraded, and a process of the earlier version holds the lease.
        LedgerUnavailable: the database could not be reached.
    """
    refuse_foreign(database)
    database.write_ahead()
    with database.reading() as connection:
        known = connection.dialect.has_table(connection, "alembic_version")
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
    if current != _latest():
        _upgrade(database, current)
    database.revision = _latest()


def _latest() -> str:
    """Return the revision of the newest migration: its file's name begins with it (a test holds them equal)."""
    return max(path.name for path in (scripts_directory() / "versions").glob("[0-9]*_*.py")).partition("_")[0]


def _upgrade(database: Database, current: str | None) -> None:
    # Alembic takes longer to import than most passes take, and nearly every start finds nothing to migrate.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts_directory()).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigError(
            f"{SETTING}: the ledger ({database.describe()}) is of a newer version of the connector (its tables "
            f"are at {current}); start that version, or restore a backup made with this one"
        )
    with (
        database.writing("migrate", fenced=False) as connection,
        EnvironmentContext(config, scripts, fn=lambda rev, _ctx: scripts._upgrade_revs("head", rev)) as environment,
    ):
        holder = None if current is None else end_what_ran_out(connection, database.time(connection))
        if holder is not None:
            raise LedgerInUse(
                f"the ledger ({database.describe()}) is of an earlier version of the connector, and {holder} is at "
                "work on it with that one. It is upgraded once that process has ended: stop it. After a crash its "
                "lease runs out within two minutes"
            )
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
