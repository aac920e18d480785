"""Whatever a driver raises becomes an error of the connector, and URLs are read with care."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymysql
import pytest
import sqlalchemy.exc
from crm import NOW, relation
from sqlalchemy import create_engine

from connector.clock import FakeClock
from connector.errors import ConfigError, ConnectorError, SourceUnavailable
from connector.source import Source, open_source
from connector.source.backends import Backend
from connector.source.edge import Doing, translated
from connector.source.engines import Sessions, open_sessions

URLS = {
    "sqlite": "sqlite:///crm.db",
    "postgresql": "postgresql://reader:s3cret@db.example/crm",
    "mysql": "mysql://reader:s3cret@db.example/crm",
}


def _subclasses(base: type[BaseException]) -> Iterator[type[BaseException]]:
    yield base
    for child in base.__subclasses__():
        yield from _subclasses(child)


RAISED = [
    *(("sqlite", kind) for kind in _subclasses(sqlite3.Error)),
    *(("postgresql", kind) for kind in _subclasses(psycopg.Error)),
    *(("mysql", kind) for kind in _subclasses(pymysql.err.Error)),
    *((backend, kind) for backend in URLS for kind in (OSError, TimeoutError, ConnectionResetError, BrokenPipeError)),
]


@pytest.mark.parametrize("doing", list(Doing))
def test_no_exception_of_a_driver_gets_through(doing: Doing) -> None:
    assert len(RAISED) > 250
    backends = {name: open_sessions(url, None)[0].backend for name, url in URLS.items()}
    for name, kind in RAISED:
        with pytest.raises(ConnectorError) as caught, translated(backends[name], doing, relation()):
            raise kind("something broke")
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_no_exception_of_sqlalchemy_gets_through() -> None:
    sessions, _ = open_sessions(URLS["sqlite"], None)
    kinds = set(_subclasses(sqlalchemy.exc.SQLAlchemyError))
    assert len(kinds) > 20
    for kind in kinds:
        error = kind.__new__(kind)
        error.args = ("secret value",)
        if isinstance(error, sqlalchemy.exc.DBAPIError):
            error.orig = sqlite3.OperationalError("disk I/O error")
        with pytest.raises(ConnectorError), translated(sessions.backend, Doing.READ, relation()):
            raise error


def test_a_name_that_is_not_utf8_is_no_traceback() -> None:
    sessions, _ = open_sessions(URLS["sqlite"], None)
    with pytest.raises(ConfigError), translated(sessions.backend, Doing.READ, relation()):
        b"\xff".decode()


@pytest.mark.parametrize("code", [2006, 2013, 1040, 1205, 1213, 1317, 1927, 1053])
def test_mysql_errors_that_pass_are_to_be_tried_again(code: int) -> None:
    sessions, _ = open_sessions(URLS["mysql"], None)
    with pytest.raises(SourceUnavailable), translated(sessions.backend, Doing.READ, relation()):
        raise pymysql.err.OperationalError(code, "words")


@pytest.mark.parametrize(
    "kind", ["AdminShutdown", "DeadlockDetected", "TooManyConnections", "QueryCanceled", "DiskFull"]
)
def test_postgresql_errors_that_pass_are_to_be_tried_again(kind: str) -> None:
    sessions, _ = open_sessions(URLS["postgresql"], None)
    with pytest.raises(SourceUnavailable), translated(sessions.backend, Doing.READ, relation()):
        raise getattr(psycopg.errors, kind)("words")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgresql://u:s3cret@host:port/db",
        "postgresql+psycopg2://u:s3cret@host/db",
        "oracle://u:s3cret@host/db",
        "nosuch://u:s3cret@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=rw&uri=true",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="SOURCE_URL") as caught:
        open_source(url, FakeClock(NOW))
    assert "s3cret" not in str(caught.value)


def test_the_identity_is_the_databases_not_the_accounts() -> None:
    def identity(url: str) -> str:
        return open_source(url, FakeClock(NOW)).identity

    same = {
        identity("postgresql://a:b@db.example/crm"),
        identity("postgresql+psycopg://c:d@DB.example:5432/crm?application_name=x"),
        identity("postgres://db.example/crm"),
    }
    assert len(same) == 1
    assert identity("mysql://a:b@db.example/crm") == identity("mariadb://c@db.example:3306/crm?charset=utf8mb4")
    others = {
        identity("postgresql://a:b@db.example/crm2"),
        identity("postgresql://a:b@db2.example/crm"),
        identity("postgresql://a:b@db.example:5433/crm"),
        identity("mysql://a:b@db.example/crm"),
    }
    assert len(others | same) == 5
    assert "example" not in same.pop()


def test_a_missing_sqlite_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "no such dir" / "crm.db"
    source = open_source(f"sqlite:///{path}", FakeClock(NOW))
    with pytest.raises(SourceUnavailable, match=r"there is no file .*crm\.db"):
        source.ping()
    assert not path.exists()
    path = tmp_path / "crm.db"
    with pytest.raises(SourceUnavailable):
        open_source(f"sqlite:///{path}", FakeClock(NOW)).ping()
    assert not path.exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    path.write_text("id,name\n1,this is a CSV file, whatever its name says\n" * 100)
    with pytest.raises(ConfigError, match="not a database"):
        open_source(f"sqlite:///{path}", FakeClock(NOW)).ping()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "50% of ? #1 crm.db"
    with sqlite3.connect(path) as owner:
        owner.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY)")
    owner.close()
    source = open_source(f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}", FakeClock(NOW))
    assert source.tables() == ["deals"]
    source.close()


def test_any_other_database_goes_the_generic_way(tmp_path: Path) -> None:
    """SQLite's dialect stands for one that the connector has no class for."""
    engine = create_engine(f"sqlite:///{tmp_path / 'crm.db'}", poolclass=sqlalchemy.pool.QueuePool)
    with engine.begin() as owner:
        owner.exec_driver_sql('CREATE TABLE "De als" (id INTEGER PRIMARY KEY, updated_at INTEGER, name TEXT)')
        owner.exec_driver_sql(
            "INSERT INTO \"De als\" VALUES (1, 1700000000, 'a'), (2, 1700000000, 'b%'), (3, NULL, NULL)"
        )
    sessions = Sessions(engine, Backend(engine.dialect, engine.url, None))
    source = Source(sessions, "generic", FakeClock(NOW))
    deals = relation(table="De als", where="name LIKE '%' OR name IS NULL")
    assert [column.kind for column in source.describe(deals).values()] == ["integer", "integer", "text"]
    (first, second), *_ = source.changes(deals, None)
    assert (tuple(first), tuple(second)) == ((1, 1700000000, 0, "a"), (2, 1700000000, 0, "b%"))
    assert [list(map(tuple, chunk)) for chunk in source.changes(deals, source.position(deals, first))] == [
        [(2, 1700000000, 0, "b%")]
    ]
    assert [tuple(row) for chunk in source.unstamped(deals) for row in chunk] == [(3, None, 0, None)]
    assert [row[0] for row in source.by_key(deals, ["3", "x", "1"])] == [1, 3]
    assert source.cursor_bound(deals, 600).modified == f"int:{int(NOW) - 600}"
    assert source.tables() == ["De als"]
    source.close()
