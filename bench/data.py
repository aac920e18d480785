"""The CRM that is measured: deals of 18 columns and their accounts, the same in PostgreSQL, MariaDB and SQLite.

Made of a seed. The databases are called `bench_crm_N` after the number of deals; `python -m bench.data --drop` removes
them all.
"""

import argparse
import os
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

POSTGRES: Final = make_url(os.environ.get("BENCH_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"))
MYSQL: Final = make_url(os.environ.get("BENCH_MYSQL_URL", "mysql://root@127.0.0.1:3306/test"))
PREFIX: Final = "bench_crm_"
ACCOUNTS: Final = 20_000
BEGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
COLUMNS: Final = (
    ("id", "bigint"),
    ("account_id", "bigint"),
    ("owner_id", "integer"),
    ("name", "varchar(200)"),
    ("created_at", "timestamp"),
    ("close_date", "date"),
    ("state", "varchar(10)"),
    ("stage", "varchar(20)"),
    ("amount", "decimal(14,2)"),
    ("currency", "varchar(3)"),
    ("probability", "decimal(5,2)"),
    ("seats", "integer"),
    ("is_renewal", "boolean"),
    ("region", "varchar(20)"),
    ("source", "varchar(20)"),
    ("next_step", "varchar(200)"),
    ("description", "text"),
    ("updated_at", "timestamp"),
)
"""The deals' columns, typed as MariaDB and SQLite say it; `timestamp` is one with a zone in PostgreSQL."""
_WORDS: Final = (
    "renewal", "pilot", "rollout", "seats", "budget", "review", "legal", "security", "procurement", "champion",
    "discount", "quarter", "platform", "migration", "workshop", "proposal", "sign-off", "pricing", "tier", "expansion",
    "Zürich", "São", "Paulo", "München", "東京", "data", "warehouse",
)  # fmt: skip


def deals(count: int) -> Iterator[tuple[str | None, ...]]:
    """Yield the deals' rows as texts, in the order in which they were changed."""
    chance = random.Random(18)
    sentences = [" ".join(chance.choices(_WORDS, k=9)) for _ in range(2000)]
    for number in range(count):
        changed = BEGIN + timedelta(seconds=number * 150_000_000 // count, microseconds=chance.randrange(1_000_000))
        created = changed - timedelta(seconds=chance.randrange(8_000_000))
        state = chance.choice(("open", "won", "lost"))
        text = chance.choice(sentences)
        yield (
            str(number * 7919 % count + 1),  # in an order of its own: 7919 is prime
            str(chance.randrange(ACCOUNTS) + 1),
            str(chance.randrange(200) + 1),
            f'{text[:40]} "{number}"' if number % 10 == 0 else f"{text[:40]} {number}",
            created.strftime("%Y-%m-%d %H:%M:%S.%f"),
            (created + timedelta(days=chance.randrange(200))).date().isoformat(),
            state,
            f"stage-{chance.randrange(7)}",
            f"{chance.randrange(10_000_000) / 100:.2f}",
            chance.choice(("EUR", "USD", "GBP")),
            f"{chance.randrange(10_000) / 100:.2f}",
            str(chance.randrange(5000)),
            str(chance.randrange(2)),
            chance.choice(("EMEA", "APAC", "AMER", None)),
            chance.choice(("web", "partner", "event")),
            None if number % 5 == 0 else chance.choice(sentences)[:50],
            f"{text} {chance.choice(sentences)} {number}",
            changed.strftime("%Y-%m-%d %H:%M:%S.%f"),
        )


def postgres_url(count: int) -> URL:
    return POSTGRES.set(database=f"{PREFIX}{count}")


def mysql_url(count: int) -> URL:
    return MYSQL.set(database=f"{PREFIX}{count}")


def sqlite_path(directory: Path, count: int) -> Path:
    return directory / f"{PREFIX}{count}.db"


def make(directory: Path, count: int) -> None:
    """Make the three databases of that many deals, unless they are there already."""
    if sqlite_path(directory, count).exists():
        return
    file = _written(directory, count)
    _postgres(file, count)
    _mysql(file, count)
    _sqlite(file, directory, count)
    file.unlink()


def make_postgres(directory: Path, count: int) -> None:
    """Make PostgreSQL's database of that many deals, unless it is there already."""
    listed = f"SELECT 1 FROM pg_database WHERE datname = '{PREFIX}{count}'"
    shown = POSTGRES.set(drivername="postgresql").render_as_string(hide_password=False)
    if not subprocess.run(["psql", "-qXAt", shown, "-c", listed], capture_output=True, text=True, check=True).stdout:
        file = _written(directory, count)
        _postgres(file, count)
        file.unlink()


def _written(directory: Path, count: int) -> Path:
    file = directory / f"{PREFIX}{count}.tsv"
    with file.open("w", encoding="utf-8") as out:
        for row in deals(count):
            out.write("\t".join(r"\N" if value is None else value for value in row) + "\n")
    return file


def _postgres(file: Path, count: int) -> None:
    zoned = ", ".join(f"{name} {'timestamptz' if kind == 'timestamp' else kind}" for name, kind in COLUMNS)
    psql(POSTGRES, f"DROP DATABASE IF EXISTS {PREFIX}{count}", f"CREATE DATABASE {PREFIX}{count}")
    psql(
        postgres_url(count),
        "SET timezone = 'UTC'",
        f"CREATE TABLE deals ({zoned}, PRIMARY KEY (id))",
        "CREATE TABLE accounts (id bigint PRIMARY KEY, name text, updated_at timestamptz NOT NULL)",
        f"INSERT INTO accounts SELECT n, 'Account ' || n, '2020-01-01' FROM generate_series(1, {ACCOUNTS}) n",
        f"\\copy deals FROM '{file}'",
        "ALTER TABLE deals ALTER updated_at SET NOT NULL",
        "CREATE INDEX ON deals (updated_at, id)",
        "VACUUM (ANALYZE, FREEZE)",
    )


def _mysql(file: Path, count: int) -> None:
    typed = ", ".join(f"{name} {'timestamp(6) NULL' if kind == 'timestamp' else kind}" for name, kind in COLUMNS)
    database = f"{PREFIX}{count}"
    mariadb(MYSQL, f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4")
    mariadb(
        mysql_url(count),
        f"SET time_zone = '+00:00'; CREATE TABLE deals ({typed}, PRIMARY KEY (id), KEY (updated_at, id));"
        f" LOAD DATA LOCAL INFILE '{file}' INTO TABLE deals CHARACTER SET utf8mb4 FIELDS ESCAPED BY '\\\\';"
        " CREATE TABLE accounts (id bigint PRIMARY KEY, name text, updated_at timestamp NOT NULL);"
        f" INSERT INTO accounts SELECT seq, CONCAT('Account ', seq), '2020-01-01' FROM seq_1_to_{ACCOUNTS};"
        " ANALYZE TABLE deals",
    )


def _sqlite(file: Path, directory: Path, count: int) -> None:
    path = sqlite_path(directory, count)
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    connection = sqlite3.connect(making)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        f"CREATE TABLE deals ({', '.join(f'{name} {kind}' for name, kind in COLUMNS)}, PRIMARY KEY (id))"
    )
    connection.execute("CREATE TABLE accounts (id integer PRIMARY KEY, name text, updated_at timestamp)")
    connection.executemany(
        "INSERT INTO accounts VALUES (?, 'Account ' || ?, '2020-01-01 00:00:00')",
        ((number, number) for number in range(1, ACCOUNTS + 1)),
    )
    with file.open(encoding="utf-8") as rows:
        connection.executemany(
            f"INSERT INTO deals VALUES ({', '.join('?' * len(COLUMNS))})",
            ([None if value == r"\N" else value for value in row.rstrip("\n").split("\t")] for row in rows),
        )
    connection.execute("CREATE INDEX deals_changed ON deals (updated_at, id)")
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    making.rename(path)


def change(count: int, deals: int) -> None:
    """Change that many of PostgreSQL's deals, as an application would."""
    changed = f"UPDATE deals SET updated_at = now(), seats = seats + 1 WHERE id <= {deals}"
    psql(postgres_url(count), changed)


def psql(url: URL, *commands: str) -> None:
    """Run commands in psql; raises CalledProcessError where one fails."""
    shown = url.set(drivername="postgresql").render_as_string(hide_password=False)
    script = "\n".join(command if command.startswith("\\") else command + ";" for command in commands)
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", shown], input=script, text=True, check=True)


def mysql_options(url: URL) -> list[str]:
    """Return the options of MariaDB's client for a database."""
    password = [f"-p{url.password}"] if url.password else []
    return [f"-h{url.host}", f"-P{url.port or 3306}", f"-u{url.username}", *password, str(url.database)]


def mariadb(url: URL, script: str) -> None:
    """Run a script in MariaDB's client; raises CalledProcessError where it fails."""
    subprocess.run(["mariadb", "--local-infile=1", *mysql_options(url)], input=script, text=True, check=True)


def drop(directory: Path) -> None:
    """Remove every database that was made here."""
    listed = "SELECT datname FROM pg_database WHERE datname LIKE 'bench\\_%'"
    shown = POSTGRES.set(drivername="postgresql").render_as_string(hide_password=False)
    names = subprocess.run(["psql", "-qXAt", shown, "-c", listed], capture_output=True, text=True, check=True)
    psql(POSTGRES, *(f'DROP DATABASE "{name}" WITH (FORCE)' for name in names.stdout.split()))
    found = subprocess.run(
        ["mariadb", "-N", *mysql_options(MYSQL), "-e", r"SHOW DATABASES LIKE 'bench\_%'"],
        capture_output=True,
        text=True,
        check=True,
    )
    mariadb(MYSQL, "".join(f"DROP DATABASE `{name}`;" for name in found.stdout.split()))
    for path in directory.glob(f"{PREFIX}*"):
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("var/bench"))
    parser.add_argument("--deals", type=int, default=1_000_000)
    parser.add_argument("--drop", action="store_true")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    if options.drop:
        drop(options.directory)
    else:
        make(options.directory, options.deals)


if __name__ == "__main__":
    main()
