"""Writes the demo CRM of docker-compose.yml, as SQL for PostgreSQL: `python -m tests.deploy.crm_sql`."""

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from connector.sandbox import demo_crm

FILE = Path(__file__).parents[2] / "deploy" / "compose" / "crm.sql"
MADE_AT = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
READER = """
CREATE ROLE reader LOGIN PASSWORD 'reader';
GRANT USAGE ON SCHEMA public TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
GRANT pg_read_all_stats TO reader;
"""


def statements() -> Iterator[str]:
    """Yield the demo CRM, table by table."""
    yield "-- The demo CRM for docker-compose.yml; made by `python -m tests.deploy.crm_sql`."
    with tempfile.TemporaryDirectory() as name:
        demo_crm.create(Path(name) / "crm.db", 2, MADE_AT, accounts=30)
        with closing(sqlite3.connect(Path(name) / "crm.db")) as crm:
            made = crm.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
            for kind, table, sql in made.fetchall():
                yield re.sub(r"\bBOOLEAN\b", "SMALLINT", sql) + ";"
                if kind == "table":
                    for row in crm.execute(f"SELECT * FROM {table} ORDER BY rowid"):
                        yield f"INSERT INTO {table} VALUES ({', '.join(map(_literal, row))});"
    yield READER.strip()


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


if __name__ == "__main__":
    FILE.write_text("\n".join(statements()) + "\n", encoding="utf-8")
