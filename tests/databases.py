"""Database servers for tests: one fresh, uniquely named database per user of it, dropped afterwards.

Servers are named by TEST_POSTGRES_URL and TEST_MYSQL_URL. Without a server, tests skip and say so; where
the variable CI is set they fail instead.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import pytest
import sqlalchemy
from sqlalchemy.engine import URL, make_url

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
MYSQL_URL = os.environ.get("TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/?charset=utf8mb4")


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where every test has to run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres_database(options: str = "") -> Iterator[URL]:
    """Give the URL of a new PostgreSQL database; `options` go behind CREATE DATABASE."""
    create = (f'CREATE DATABASE "{{}}" {options}', 'ALTER DATABASE "{}" SET synchronous_commit = off')
    with _database(POSTGRES_URL, "TEST_POSTGRES_URL", create, 'DROP DATABASE "{}" WITH (FORCE)') as url:
        yield url


@contextmanager
def mysql_database(options: str = "CHARACTER SET utf8mb4") -> Iterator[URL]:
    """Give the URL of a new MySQL or MariaDB database; `options` go behind CREATE DATABASE."""
    create = (f"CREATE DATABASE `{{}}` {options}",)
    with _database(MYSQL_URL, "TEST_MYSQL_URL", create, "DROP DATABASE `{}`") as url:
        yield url


@contextmanager
def _database(server: str, variable: str, create: Sequence[str], drop: str) -> Iterator[URL]:
    name = f"test_{secrets.token_hex(8)}"
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            for statement in create:
                connection.exec_driver_sql(statement.format(name))
    except sqlalchemy.exc.OperationalError as error:
        unavailable(f"no server at {make_url(server).host} ({variable}): {str(error.orig).splitlines()[0]}")
    try:
        yield make_url(server).set(database=name)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(drop.format(name))
