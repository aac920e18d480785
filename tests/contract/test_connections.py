"""The source is only read, in one snapshot, with few connections, and a broken one is said to be broken."""

import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from crm import Crm, flat, relation

from connector.errors import ConfigError, SourceUnavailable
from connector.model import FIRST_COLUMN, KEY
from connector.source.statements import Statement

FEW, ROWS = 10, 5000
# An error while a cursor is collected is only a warning otherwise.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def deals(crm: Crm) -> Crm:
    return filled(crm, FEW)


@pytest.fixture
def many_deals(crm: Crm) -> Crm:
    return filled(crm, ROWS)


def filled(crm: Crm, rows: int) -> Crm:
    if crm.backend == "sqlite":
        crm.execute("PRAGMA journal_mode = WAL")
    crm.create("deals", "id INTEGER PRIMARY KEY, updated_at {stamp}, name VARCHAR(4000)")
    crm.insert("deals", [(number, "2026-01-05 10:00:00", "x" * 1000) for number in range(rows)])
    return crm


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO deals (id) VALUES (-1)",
        "UPDATE deals SET name = 'owned'",
        "DELETE FROM deals",
        "DROP TABLE deals",
        "CREATE TABLE mine (id INTEGER)",
        "ALTER TABLE deals ADD COLUMN extra INTEGER",
    ],
)
def test_nothing_can_be_written(deals: Crm, statement: str) -> None:
    with pytest.raises(ConfigError, match="read-only"):
        deals.source.values(statement)
    assert sum(1 for row in flat(deals.source.everything(relation())) if row[FIRST_COLUMN] != "owned") == FEW
    assert "mine" not in deals.source.tables()


@pytest.mark.only_on("postgresql", why="needs a function of the database's own")
def test_a_function_cannot_write_either(deals: Crm) -> None:
    deals.execute(
        "CREATE FUNCTION sneak() RETURNS integer LANGUAGE sql AS 'DELETE FROM deals RETURNING 1'",
    )
    with pytest.raises(ConfigError, match="read-only"):
        deals.source.values("SELECT sneak()")
    deals.execute("DROP FUNCTION sneak()")


def test_a_read_sees_one_moment_while_others_write(many_deals: Crm) -> None:
    stream = many_deals.source.changes(relation(), None)
    seen = list(next(stream))
    many_deals.execute(
        "UPDATE deals SET name = 'new', updated_at = '2026-02-01 00:00:00' WHERE id >= 4000",
        "DELETE FROM deals WHERE id = 3999",
    )
    seen += flat(stream)
    assert [row[KEY] for row in seen] == list(range(ROWS))
    assert {row[FIRST_COLUMN] for row in seen} == {"x" * 1000}
    assert len(flat(many_deals.source.everything(relation()))) == ROWS - 1


def test_rows_are_not_held_in_memory(many_deals: Crm) -> None:
    tracemalloc.start()
    try:
        count = sum(map(len, many_deals.source.everything(relation())))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == ROWS
    assert peak < ROWS * 1000 * 0.7  # two chunks of five, and what is around the values


def test_all_statements_of_a_session_see_the_same_moment(many_deals: Crm) -> None:
    counting = Statement(("SELECT COUNT(*) FROM deals",))
    with many_deals.source._sessions.snapshot() as session:
        before = session.rows(counting)
        many_deals.execute("DELETE FROM deals WHERE id >= 100")
        assert session.rows(counting) == before == [(ROWS,)]
    with many_deals.source._sessions.snapshot() as session:
        assert session.rows(counting) == [(100,)]


@pytest.mark.parametrize("rows", [FEW, ROWS])
def test_a_read_stopped_early_leaves_no_transaction(many_deals: Crm, rows: int) -> None:
    gc.freeze()  # else each collection looks at everything that was ever imported
    for _ in range(8):  # more often than there are connections
        stream = many_deals.source.changes(relation(where=f"id < {rows}"), None)
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # changes returns a generator
        del stream
        gc.collect()
    gc.unfreeze()
    assert many_deals.source._sessions.busy() == 0
    many_deals.source.ping()
    _assert_idle(many_deals)


def test_no_transaction_stays_open_after_a_call(deals: Crm) -> None:
    deals.source.describe(relation())
    deals.source.cursor_bound(relation(), 0)
    deals.source.by_key(relation(), ["1"])
    deals.source.values("SELECT 1")
    list(deals.source.unstamped(relation()))
    with pytest.raises(ConfigError):
        deals.source.describe(relation(where="nonsense ="))
    assert deals.source._sessions.busy() == 0
    _assert_idle(deals)


def _assert_idle(crm: Crm) -> None:
    """Ask the server, as its owner, whether a session of ours is in a transaction; SQLite: whether one can lock."""
    match crm.backend:
        case "postgresql":
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'gong-connector%%'"
                " AND datname = current_database() AND state <> 'idle'"
            )
        case "mysql":
            query = (
                "SELECT count(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p"
                " ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE()"
                " AND t.trx_mysql_thread_id <> CONNECTION_ID()"
            )
        case _:
            crm.execute("UPDATE deals SET name = 'y' WHERE id = 1")
            query = "PRAGMA wal_checkpoint(TRUNCATE)"  # answers 1 while a reader is in a transaction
    with crm.owner.connect() as connection:
        assert connection.exec_driver_sql(query).scalar() == 0


@pytest.mark.not_on("sqlite", why="SQLite has no server that could go")
def test_a_connection_killed_in_mid_stream_is_said_to_be_unavailable(many_deals: Crm) -> None:
    many_deals.insert("deals", [(ROWS + number, "2026-01-05 10:00:00", "x" * 4000) for number in range(20_000)])
    stream = many_deals.source.changes(relation(), None)
    next(stream)
    with many_deals.owner.connect() as connection:
        if many_deals.backend == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name LIKE 'gong-connector%%' AND datname = current_database()"
            )
        else:
            ours = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            for (number,) in connection.exec_driver_sql(ours).fetchall():
                connection.exec_driver_sql(f"KILL {number}")
    with pytest.raises(SourceUnavailable):
        flat(stream)
    assert many_deals.source._sessions.busy() == 0
    assert len(flat(many_deals.source.everything(relation(where="id < 7")))) == 7


@pytest.mark.only_on("postgresql", why="shown on PostgreSQL; the pool is the same")
def test_idle_connections_that_the_server_closed_are_replaced(deals: Crm) -> None:
    deals.source.ping()
    with deals.owner.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'gong-connector%%' AND datname = current_database()"
        )
    deals.source.ping()


@pytest.mark.only_on("postgresql", why="poolers of MySQL that share sessions follow what is set")
def test_a_session_is_given_back_as_it_was(deals: Crm) -> None:
    """Behind a pooler in its transaction mode the next one who gets it is somebody else."""
    names = ("default_transaction_read_only", "TimeZone", "DateStyle", "cursor_tuple_fraction", "statement_timeout")
    query = "SELECT name, setting, reset_val FROM pg_settings WHERE lower(name) = ANY(%s)"
    deals.reopened(statement_timeout=7)
    flat(deals.source.changes(relation(), None))
    pooled = deals.source._sessions._engine.raw_connection()
    rows = pooled.cursor().execute(query, ([name.lower() for name in names],)).fetchall()
    pooled.close()
    assert len(rows) == len(names)
    assert all(setting == reset for _, setting, reset in rows), rows


def test_threads_read_side_by_side(many_deals: Crm) -> None:
    barrier = threading.Barrier(3)

    def read(remainder: int) -> list[int]:
        stream = many_deals.source.changes(relation(where=f"id % 3 = {remainder}"), None)
        rows = list(next(stream))
        barrier.wait(20)
        return [row[KEY] for row in rows + flat(stream)]

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(read, range(3)))
    assert found == [list(range(remainder, ROWS, 3)) for remainder in range(3)]


@pytest.mark.not_on("sqlite", why="SQLite reads within this process, without a timeout")
def test_the_statement_timeout_ends_a_slow_query(deals: Crm) -> None:
    quick = deals.reopened(statement_timeout=0.2)
    slow = {"postgresql": "SELECT pg_sleep(30)::text", "mysql": "SELECT SLEEP(30) FROM deals"}[deals.backend]
    with pytest.raises(SourceUnavailable):
        quick.values(slow)
    quick.ping()
    quick.close()


@pytest.mark.only_on("postgresql", why="the others' reads are counted by the server")
def test_the_statement_timeout_counts_each_wait_for_rows(many_deals: Crm) -> None:
    quick = many_deals.reopened(statement_timeout=1.0)
    two_seconds = relation(where="id % 100 <> 0 OR pg_sleep(0.04) IS NOT NULL")
    assert len(flat(quick.everything(two_seconds))) == ROWS
    with pytest.raises(SourceUnavailable):
        flat(quick.everything(relation(where="id > 5 OR pg_sleep(30) IS NOT NULL")))
    quick.ping()
    quick.close()


@pytest.mark.only_on("sqlite", why="WAL files are SQLite's")
def test_a_wal_database_is_read_while_it_is_written(deals: Crm) -> None:
    with deals.owner.connect() as writer:
        writer.exec_driver_sql("UPDATE deals SET name = 'uncommitted' WHERE id = 0")
        assert flat(deals.source.everything(relation(where="id = 0")))[0][FIRST_COLUMN] == "x" * 1000
        writer.commit()
    assert flat(deals.source.everything(relation(where="id = 0")))[0][FIRST_COLUMN] == "uncommitted"
