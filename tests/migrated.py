"""New ledgers, migrated once in each process that runs tests, and copied from then on."""

import tempfile
from functools import cache
from pathlib import Path

from connector.ledger.database import Database
from connector.ledger.migrate import migrate


def migrate_at(url: str) -> None:
    """Make the tables of the ledger at that URL."""
    database = Database(url)
    migrate(database)
    database.close()


def new_ledger(path: Path) -> str:
    """Make a SQLite ledger with its tables and nothing else; return its URL. One that is there is left as it is."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_made())
    return f"sqlite:///{path}"


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.db"
        migrate_at(f"sqlite:///{path}")
        return path.read_bytes()
