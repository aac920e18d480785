"""Rows that are committed after a bound was read never have a stamp below it: the next pass reads them."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import sqlalchemy
from crm import Crm, flat, relation
from servers import postgres_server
from sqlalchemy import Connection

from connector.clock import FakeClock
from connector.model import KEY, Holder, Position
from connector.source import Source, open_source

NOW = {
    "sqlite": "'2026-05-28 20:26:40'",
    "duckdb": "'2026-05-28 20:26:40'",
    "postgresql": "now()",
    "mysql": "UTC_TIMESTAMP(6)",
}
"""The stamp that the database itself puts to a row; for SQLite, what the fake clock says."""
SEES_SESSIONS = ("postgresql", "mysql")


def _deals(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    crm.insert("deals", [(0, "2020-01-01 00:00:00", "old")])


@contextmanager
def _session(crm: Crm) -> Iterator[Connection]:
    """Open another session of the CRM's, in a transaction from its first statement on."""
    with crm.owner.connect() as connection:
        if crm.backend == "postgresql":
            connection.exec_driver_sql("SET timezone = 'UTC'")
            connection.commit()
        yield connection


def _insert(crm: Crm, session: Connection, key: int, stamp: str | None = None) -> None:
    session.exec_driver_sql(f"INSERT INTO deals VALUES ({key}, {stamp or NOW[crm.backend]}, 'x')")


def _stamp(crm: Crm, session: Connection, key: int) -> datetime:
    stamp = session.exec_driver_sql(f"SELECT updated_at FROM deals WHERE id = {key}").scalar()
    return (datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp).replace(tzinfo=UTC)  # type: ignore[no-any-return,union-attr]


def _name(crm: Crm, session: Connection) -> str:
    if crm.backend == "mysql":
        return f"connection {session.exec_driver_sql('SELECT CONNECTION_ID()').scalar()}"
    return f"process {session.exec_driver_sql('SELECT pg_backend_pid()').scalar()}"


def _held(source: Source) -> dict[str, Holder]:
    """Return what is seen to be open: a server that other tests use, too, may show more than ours."""
    sessions = source._sessions
    with sessions.snapshot() as session:
        return {holder.session: holder for holder in sessions.backend.opened(session.query).holders}


def _until(done: Callable[[], bool]) -> None:
    """Wait for another thread to come to where the database shows it."""
    waiting = threading.Event()
    for _ in range(500):
        if done():
            return
        waiting.wait(0.02)
    raise AssertionError("it did not happen within 10 s")


def _overlap(crm: Crm) -> float:
    return 0 if crm.backend in SEES_SESSIONS else 300


@pytest.mark.not_on("duckdb", why="nobody reads a DuckDB file while it is written")
def test_a_row_that_was_open_when_the_bound_was_read_is_read_next_time(crm: Crm) -> None:
    _deals(crm)
    with _session(crm) as writer:
        _insert(crm, writer, 1)
        stamp = _stamp(crm, writer, 1)
        bound = crm.source.cursor_bound(relation(), _overlap(crm))
        assert bound.at <= stamp.timestamp()
        assert [row[KEY] for row in flat(crm.source.changes(relation(), None))] == [0]
        if crm.backend in SEES_SESSIONS:
            name = _name(crm, writer)
            _until(lambda: name in _held(crm.source))
        writer.commit()
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound.modified, "")))] == [1]


@pytest.mark.only_on("postgresql", why="elsewhere sessions are not told by their names")
def test_a_writer_on_a_session_that_was_ours_is_seen(crm: Crm) -> None:
    """A pooler hands sessions on, by the name that they had."""
    _deals(crm)
    crm.source.ping()
    with _session(crm) as writer:
        writer.exec_driver_sql("SET application_name = 'gong-connector'")
        writer.commit()
        _insert(crm, writer, 1)
        assert _name(crm, writer) in _held(crm.source)


@pytest.mark.only_on("postgresql", why="elsewhere NOW() is the statement's own time")
def test_a_transaction_that_has_not_written_yet_holds_the_bound(crm: Crm) -> None:
    """`now()` is PostgreSQL's name for when the transaction began, however late it writes."""
    _deals(crm)
    with _session(crm) as writer:
        began = writer.exec_driver_sql("SELECT now()").scalar()
        bound = crm.source.cursor_bound(relation(), 0)
        assert bound.holder is not None
        assert (bound.holder.session, bound.holder.state) == (_name(crm, writer), "idle in transaction")
        assert bound.at <= began.timestamp() < bound.now
        _insert(crm, writer, 1)
        writer.commit()
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound.modified, "")))] == [1]


@pytest.mark.only_on(*SEES_SESSIONS, why="this database does not show its transactions")
def test_the_oldest_of_two_transactions_holds_until_it_ends(crm: Crm) -> None:
    _deals(crm)
    with _session(crm) as first, _session(crm) as second:
        _insert(crm, first, 1)
        early = _stamp(crm, first, 1)
        _insert(crm, second, 2)
        late = _stamp(crm, second, 2)
        names = [_name(crm, session) for session in (first, second)]
        _until(lambda: names[0] in _held(crm.source))
        assert crm.source.horizon().at <= early < late
        first.commit()
        _until(lambda: names[0] not in _held(crm.source))
        assert names[1] in _held(crm.source)
        assert crm.source.horizon().at <= late


@pytest.mark.only_on(*SEES_SESSIONS, why="this database does not show its transactions")
def test_a_transaction_rolled_back_holds_nothing(crm: Crm) -> None:
    _deals(crm)
    with _session(crm) as writer:
        _insert(crm, writer, 1)
        name = _name(crm, writer)
        _until(lambda: name in _held(crm.source))
        writer.rollback()
        _until(lambda: name not in _held(crm.source))


@pytest.mark.only_on(*SEES_SESSIONS, why="this database does not show its transactions")
def test_our_own_readings_hold_nothing(crm: Crm) -> None:
    _deals(crm)
    crm.insert("deals", [(key, "2020-01-01 00:00:00", "old") for key in range(1, 3000)])
    before = set(_held(crm.source))
    other = crm.reopened()
    readings = [source.changes(relation(), None) for source in (crm.source, other)]
    for reading in readings:
        next(reading)
    horizon = crm.source.horizon()
    ours = [holder for name, holder in _held(crm.source).items() if name not in before]
    assert ours == [] if crm.backend == "postgresql" else horizon.holder not in ours
    for reading in readings:
        reading.close()  # type: ignore[attr-defined]  # changes returns a generator
    other.close()


@pytest.mark.only_on("mysql", why="only MySQL and MariaDB have metadata locks")
def test_a_statement_that_waits_for_a_metadata_lock_holds_its_time(crm: Crm) -> None:
    """It has its NOW() already and stands in no list of transactions, not even when it goes on much later."""
    _deals(crm)
    crm.create("blocked", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(50)")
    with _session(crm) as reader, _session(crm) as writer, _session(crm) as owner:
        reader.exec_driver_sql("SELECT * FROM blocked").all()  # keeps the table's definition until it commits
        name = _name(crm, writer)
        writer.commit()
        alter = threading.Thread(target=owner.exec_driver_sql, args=("ALTER TABLE blocked ADD COLUMN more INTEGER",))
        alter.start()
        owner_waits = (
            "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata%%'"
        )
        waiting = crm.owner.connect()
        _until(lambda: waiting.exec_driver_sql(owner_waits + " AND info LIKE 'ALTER TABLE blocked%%'").scalar() == 1)
        statement = "INSERT INTO blocked (id, updated_at) VALUES (1, UTC_TIMESTAMP(6))"
        insert = threading.Thread(target=writer.exec_driver_sql, args=(statement,))
        insert.start()
        _until(lambda: waiting.exec_driver_sql(owner_waits + " AND info LIKE 'INSERT INTO blocked%%'").scalar() == 1)
        transactions = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = "
        assert waiting.exec_driver_sql(transactions + name.removeprefix("connection ")).scalar() == 0
        waited = _held(crm.source)[name]
        waiting.close()
        reader.commit()
        alter.join()
        insert.join()
        stamp = writer.exec_driver_sql("SELECT updated_at FROM blocked WHERE id = 1").scalar()
        assert waited.since <= stamp.replace(tzinfo=UTC).timestamp()
        still = _held(crm.source)[name]  # in a transaction now, which began after the statement
        assert still.since <= waited.since
        writer.commit()
        _until(lambda: name not in _held(crm.source))


@pytest.mark.only_on("mysql", why="PostgreSQL's are tried on a server of their own, below")
def test_a_prepared_transaction_without_connection_makes_the_cursor_stay(crm: Crm) -> None:
    _deals(crm)
    name = secrets.token_hex(6)
    with _session(crm) as writer:
        writer.exec_driver_sql(f"XA START '{name}'")
        _insert(crm, writer, 1)
        stamp = _stamp(crm, writer, 1)
        writer.exec_driver_sql(f"XA END '{name}'")
        writer.exec_driver_sql(f"XA PREPARE '{name}'")
        writer.invalidate()
    try:
        _until(lambda: "an XA transaction" in _held(crm.source))
        bound = crm.source.cursor_bound(relation(), 0)
        assert bound.stay
        assert bound.at <= stamp.timestamp()
    finally:
        with crm.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"XA COMMIT '{name}'")
    assert [row[KEY] for row in flat(crm.source.changes(relation(), Position(bound.modified, "")))] == [1]


@pytest.mark.only_on("mysql", why="only InnoDB gives out old lists")
def test_a_list_of_transactions_that_is_old_makes_the_cursor_stay(crm: Crm) -> None:
    """A monitor that polls MariaDB's list keeps everybody from a new one: nothing is known of what began since."""
    _deals(crm)
    assert not crm.source.cursor_bound(relation(), 0).stay
    with mock.patch("connector.source.backends.mysql._LOOKS", 0):
        assert crm.source.cursor_bound(relation(), 0).stay
        lacking = crm.source.horizon().lacking
    assert lacking is not None
    assert "somebody else asks for it all the time" in lacking


# -- what the account may see ------------------------------------------------------------------------


@contextmanager
def _role(crm: Crm) -> Iterator[tuple[str, Source]]:
    """Make an account that may read and no more."""
    name = f"reader_{secrets.token_hex(4)}"
    who = f"{name}@'%'" if crm.backend == "mysql" else name
    make = (
        f"CREATE USER {who} IDENTIFIED BY 'x'" if crm.backend == "mysql" else f"CREATE ROLE {name} LOGIN PASSWORD 'x'"
    )
    crm.execute(make, f"GRANT SELECT ON deals TO {who}")
    url = crm.url.set(username=name, password="x")
    source = open_source(url.render_as_string(hide_password=False), crm.clock)
    try:
        yield who, source
    finally:
        source.close()
        crm.execute(*([f"DROP OWNED BY {name}"] if crm.backend == "postgresql" else []), f"DROP USER {who}")


@pytest.mark.only_on(*SEES_SESSIONS, why="there are no accounts")
def test_an_account_that_may_not_see_others_is_told_which_grant_it_needs(crm: Crm) -> None:
    """Without it the start of another's transaction is NULL, and the oldest of the rest looks safe."""
    _deals(crm)
    with _role(crm) as (who, source), _session(crm) as writer:
        _insert(crm, writer, 1)
        blind = source.horizon()
        assert blind.lacking is not None
        assert blind.lacking.startswith("its account cannot see ")
        assert len(flat(source.everything(relation()))) == 1  # its connection goes on
        grant = blind.lacking.partition(": ")[2].rstrip(";")
        assert grant.startswith("GRANT ")
        crm.execute(grant)
        source.close()
        seeing = source.horizon()
        assert seeing.lacking is None
        name = _name(crm, writer)
        _until(lambda: name in _held(source))
        assert seeing.at <= _stamp(crm, writer, 1)
    _ = who


@pytest.mark.not_on(*SEES_SESSIONS, why="this database shows its transactions")
def test_a_database_that_shows_nothing_is_held_to_the_overlap(crm: Crm) -> None:
    horizon = crm.source.horizon()
    assert (horizon.at, horizon.holder, horizon.stay) == (horizon.now, None, False)
    assert horizon.lacking == "this kind of database does not say which transactions are open"


# -- PostgreSQL: servers of their own --------------------------------------------------------------------


SETTINGS = {"max_prepared_transactions": "5"}


@pytest.fixture(scope="module")
def primary() -> Iterator[sqlalchemy.engine.URL]:
    with postgres_server(SETTINGS) as url:
        yield url


def _fill(primary: sqlalchemy.engine.URL, table: str) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(primary, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, updated_at TIMESTAMPTZ, name TEXT)")
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES (0, '2020-01-01', 'old')")
    return engine


def _source(url: sqlalchemy.engine.URL) -> Source:
    return open_source(url.render_as_string(hide_password=False), FakeClock(0))


def test_a_prepared_transaction_holds_the_bound_of_postgresql(primary: sqlalchemy.engine.URL) -> None:
    engine, source = _fill(primary, "prepared"), _source(primary)
    what = relation(table="prepared")
    with engine.connect() as writer:
        writer.exec_driver_sql("BEGIN")
        writer.exec_driver_sql("INSERT INTO prepared VALUES (1, now(), 'x')")
        before = source.cursor_bound(what, 0)
        writer.exec_driver_sql("PREPARE TRANSACTION 'two phases'")
        bound = source.cursor_bound(what, 0)
        assert (before.stay, bound.stay) == (False, True)
        assert bound.holder is not None
        assert str(bound.holder) == "prepared transaction 'two phases' of postgres, prepared"
        # When it began is not told any more: only the bound from before is safe, and the engine keeps that.
        writer.exec_driver_sql("COMMIT PREPARED 'two phases'")
        stamp: Any = writer.exec_driver_sql("SELECT updated_at FROM prepared WHERE id = 1").scalar()
        assert before.at <= stamp.timestamp()
        assert not source.cursor_bound(what, 0).stay
    assert [row[KEY] for row in flat(source.changes(what, Position(before.modified, "")))] == [1]
    source.close()
    engine.dispose()


def test_a_standby_is_believed_up_to_what_it_has_replayed(primary: sqlalchemy.engine.URL) -> None:
    engine = _fill(primary, "followed")
    with engine.connect() as writer, postgres_server(SETTINGS, standby_of=primary) as standby:
        source = _source(standby)
        writer.exec_driver_sql("INSERT INTO followed VALUES (1, now(), 'x')")
        what = relation(table="followed")
        _until(lambda: len(flat(source.everything(what))) == 2)
        horizon = source.horizon()
        assert horizon.lacking == "it is a standby, which does not show the transactions that are open on its primary"
        assert timedelta(0) < horizon.now - horizon.at < timedelta(minutes=5)
        with standby_paused(standby):
            held = source.horizon().at
            writer.exec_driver_sql("INSERT INTO followed VALUES (2, now(), 'x')")
            bound = source.cursor_bound(what, 0)
            assert bound.at == held.timestamp()
        _until(lambda: len(flat(source.everything(what))) == 3)
        found = flat(source.changes(what, Position(bound.modified, "")))
        assert 2 in [row[KEY] for row in found]
        source.close()
    engine.dispose()


@contextmanager
def standby_paused(standby: sqlalchemy.engine.URL) -> Iterator[None]:
    engine = sqlalchemy.create_engine(standby, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_wal_replay_pause()")
        yield
        connection.exec_driver_sql("SELECT pg_wal_replay_resume()")
    engine.dispose()
