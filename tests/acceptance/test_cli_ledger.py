"""What can be wrong with a ledger, through the command line: one is told what to do, and nothing is lost."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import short_lease
import sqlalchemy
from cli_site import Site, company, connected, eventually, now
from databases import POSTGRES_URL, postgres_database

from connector.ledger import database as ledger_database
from connector.object_types import ObjectType

SHORT_LEASE = (short_lease.__file__,)
WRONG, FAILED = 2, 1


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path, accounts=4) as site:
        yield site


def ledger(site: Site) -> Path:
    """The SQLite ledger's file."""
    return site.home / "connector.db"


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program has the file locked."""
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def loaded(site: Site) -> bool:
    """Whether the first load is through."""
    return bool(site.world.objects(ObjectType.LEAD))


def settled(site: Site) -> bool:
    """Whether nothing is on its way."""
    work = json.loads(site.connector("status", "--json", status=3).out)["work"]
    return (work["unsettled"], work["awaited"]) == (0, 0)


def renamed(site: Site, name: str) -> None:
    """Change an account's name in the CRM."""
    site.sql("UPDATE accounts SET name = ?, updated_at = ? WHERE id = 2", name, now())


# -- what CONNECTOR_STATE_URL names ------------------------------------------------------------------


def text(path: Path) -> None:
    path.write_text("Notes that somebody keeps.\n" * 100)


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE invoices (id INTEGER PRIMARY KEY)")


def other_alembic(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY)")
        other.execute("INSERT INTO alembic_version VALUES ('0001')")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (text, "is not a SQLite database"),
        (other_program, "tables of another program (invoices)"),
        (other_alembic, "tables of another program (alembic_version)"),
        (Path.mkdir, "is a directory"),
    ],
)
def test_what_is_no_ledger_is_refused_and_left_as_it_is(site: Site, make: Callable[[Path], None], words: str) -> None:
    place = site.home / "other"
    make(place)
    before = None if place.is_dir() else place.read_bytes()
    for command in ("register", "status", "run"):
        said = site.connector(command, status=WRONG, CONNECTOR_STATE_URL=f"sqlite:///{place}").err
        assert said.startswith("gong-connector: CONNECTOR_STATE_URL: ")
        assert words in said
    assert before is None or place.read_bytes() == before
    assert not list(site.home.glob("other-*"))


def test_a_postgresql_database_of_another_program_is_refused_and_left_as_it_is(site: Site) -> None:
    with postgres_database() as url:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
            connection.exec_driver_sql("CREATE SCHEMA ours")
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        said = site.connector("register", status=WRONG, CONNECTOR_STATE_URL=plain).err
        assert "CONNECTOR_STATE_URL" in said
        assert "tables of another program (alembic_version)" in said
        assert sqlalchemy.inspect(engine).get_table_names() == ["alembic_version"]
        site.connector("register", CONNECTOR_STATE_URL=f"{plain}?options=-csearch_path%3Dours")
        assert sqlalchemy.inspect(engine).get_table_names() == ["alembic_version"]


def test_a_ledger_of_a_newer_version_is_refused(site: Site) -> None:
    site.connector("register")
    with closing(sqlite3.connect(ledger(site))) as own, own:
        own.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in ("sync", "status", "run"):
        said = site.connector(command, status=WRONG).err
        assert "newer version of the connector" in said
        assert "start that version" in said


def test_a_ledger_of_another_source_or_gong_is_refused(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    other = shutil.copy(site.database, site.home / "other.db")
    calls = len(site.world.uploads())
    for command in ("sync", "run", "register", "reconcile"):
        said = site.connector(command, status=WRONG, CONNECTOR_SOURCE_URL=f"sqlite:///{other}").err
        assert said.startswith("gong-connector: CONNECTOR_SOURCE_URL: this ledger belongs to another source")
    with connected(tmp_path_factory.mktemp("another"), site.database) as elsewhere:
        gong = elsewhere.environment["CONNECTOR_GONG_BASE_URL"].replace("127.0.0.1", "localhost")
        for command in ("sync", "run", "register", "reconcile"):
            said = site.connector(command, status=WRONG, CONNECTOR_GONG_BASE_URL=gong).err
            assert said.startswith("gong-connector: CONNECTOR_GONG_BASE_URL: this ledger belongs to ")
        assert not elsewhere.world.integrations()
    assert len(site.world.uploads()) == calls


# -- locked ------------------------------------------------------------------------------------------


def test_a_command_waits_for_a_locked_ledger_then_says_what_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.connector("register")
    monkeypatch.setattr(ledger_database, "BUSY_SECONDS", 0.3)
    with locked(ledger(site)):
        said = site.connector("sync", status=FAILED).err
    assert said.startswith(f"gong-connector: another program keeps the ledger {ledger(site)} locked")
    assert "for more than 0.3 seconds" in said
    assert "fuser" in said
    site.connector("sync", status=3)
    assert loaded(site)


def test_a_daemon_waits_for_a_locked_ledger_as_long_as_it_takes(site: Site) -> None:
    site.connector("register")
    with site.started("run", program=SHORT_LEASE, TEST_BUSY_SECONDS="0.3") as process:
        eventually(lambda: loaded(site), "the first load")
        with locked(ledger(site)):
            renamed(site, "While it was locked")
            eventually(lambda: site.printed("run").err.count("locked") > 5, "word of the lock")
        eventually(lambda: site.name_of(ObjectType.ACCOUNT, "2") == "While it was locked", "the change")
        process.terminate()
        assert process.wait(timeout=20) == 0
    with (
        locked(ledger(site)),
        site.started("run", program=SHORT_LEASE, TEST_BUSY_SECONDS="0.3") as process,
    ):
        eventually(lambda: "start.postponed" in site.printed("run").err, "word of the lock")
        process.terminate()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("started", [True, False], ids=["at work", "starting"])
def test_a_daemon_that_waits_for_a_lock_ends_in_time(site: Site, started: bool) -> None:
    """It would wait for half a minute, at several places."""
    site.connector("register")
    if started:
        with site.started("run") as process:
            eventually(lambda: loaded(site), "the first load")
            with locked(ledger(site)):
                assert_ends_in_time(process)
        return
    with locked(ledger(site)), site.started("run") as process:
        eventually(lambda: has_open(process, ledger(site)), "the daemon at its ledger")
        assert_ends_in_time(process)


def assert_ends_in_time(process: subprocess.Popen[str]) -> None:
    process.terminate()
    began = time.monotonic()
    assert process.wait(timeout=60) == 0
    assert time.monotonic() - began < 15  # ten, and what a busy machine adds


def has_open(process: subprocess.Popen[str], file: Path) -> bool:
    """Whether the process has the file open."""
    opened = Path(f"/proc/{process.pid}/fd")
    if not opened.parent.is_dir():
        pytest.skip("what a process has open is seen in /proc")
    with contextlib.suppress(FileNotFoundError):
        return any(one.readlink() == file for one in opened.iterdir())
    return False


# -- gone --------------------------------------------------------------------------------------------


def deleted(site: Site) -> None:
    for name in ("connector.db", "connector.db-wal", "connector.db-shm"):
        (site.home / name).unlink(missing_ok=True)


def moved(site: Site) -> None:
    ledger(site).rename(site.home / "elsewhere.db")


def replaced(site: Site) -> None:
    os.replace(shutil.copy(ledger(site), site.home / "copy.db"), ledger(site))


@pytest.mark.parametrize("happens", [deleted, pytest.param(moved, marks=pytest.mark.thorough), replaced])
def test_a_daemon_whose_ledger_is_taken_away_ends_and_says_so(site: Site, happens: Callable[[Site], None]) -> None:
    site.connector("register")
    with site.started("run") as process:
        eventually(lambda: loaded(site) and settled(site), "the first load")
        happens(site)
        uploads = len(site.world.uploads())
        renamed(site, "Too late")
        assert process.wait(timeout=60) == FAILED
        last = site.printed("run").err.splitlines()[-1]
        assert last.startswith(f"gong-connector: the ledger's file {ledger(site)} (CONNECTOR_STATE_URL) was deleted")
        assert len(site.world.uploads()) == uploads
        assert "Traceback" not in site.printed("run").err
    assert ledger(site).exists() is (happens is replaced)


def test_a_damaged_ledger_is_named_with_what_to_do(site: Site) -> None:
    site.connector("register")
    with ledger(site).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    said = site.connector("sync", status=FAILED).err
    assert f"the ledger {ledger(site)} is damaged" in said
    assert "backup" in said


# -- PostgreSQL out of reach -------------------------------------------------------------------------


def test_a_daemon_waits_for_postgresql_at_its_start_and_in_its_work(site: Site) -> None:
    admin = sqlalchemy.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with postgres_database() as url:

        def reachable(state: bool) -> None:
            with admin.connect() as connection:
                connection.exec_driver_sql(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS {state}')
                if not state:
                    connection.exec_driver_sql(
                        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'"
                    )

        site.environment["CONNECTOR_STATE_URL"] = url.set(drivername="postgresql").render_as_string(hide_password=False)
        site.connector("register")
        reachable(False)
        said = site.connector("sync", status=FAILED).err
        assert said.startswith("gong-connector: the ledger (CONNECTOR_STATE_URL, postgresql+psycopg://")
        assert "not currently accepting connections" in said
        with site.started("run", program=SHORT_LEASE) as process:
            eventually(lambda: "start.postponed" in site.printed("run").err, "word of the ledger's absence")
            reachable(True)
            eventually(lambda: loaded(site), "the first load")
            reachable(False)
            renamed(site, "While it was away")
            eventually(lambda: site.printed("run").err.count("round.failed") > 3, "word of the ledger's absence")
            reachable(True)
            eventually(lambda: site.name_of(ObjectType.ACCOUNT, "2") == "While it was away", "the change")
            process.terminate()
            assert process.wait(timeout=20) == 0
        assert "Traceback" not in site.printed("run").err
        assert '"exception"' not in site.printed("run").err
    admin.dispose()


# -- missing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_missing_ledger_beside_its_spool_is_said_to_be_missing(site: Site, kind: str) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    with contextlib.ExitStack() as stack:
        gone = site.home / "elsewhere" / "connector.db"
        url = f"sqlite:///{gone}"
        if kind == "postgresql":
            empty = stack.enter_context(postgres_database()).set(drivername="postgresql", password="not-shown-9c1")
            url = empty.render_as_string(hide_password=False)
        for command in ("sync", "run", "reconcile"):
            said = site.connector(command, status=WRONG, CONNECTOR_STATE_URL=url).err
            assert said.startswith("gong-connector: CONNECTOR_STATE_URL: the ledger is missing")
            assert (str(gone) if kind == "sqlite" else str(empty.database)) in said
            assert str(site.home / "spool") in said
            assert "backup" in said
            assert "gong-connector register" in said
            assert "not-shown" not in said
        status = site.connector("status", status=FAILED, CONNECTOR_STATE_URL=url).out
        check = site.connector("check", status=WRONG, CONNECTOR_STATE_URL=url).out
        for said in (status, check):
            assert "the ledger is missing" in said
            assert "not registered" not in said.lower()
            assert "not-shown" not in said
        assert not gone.exists(), "an empty ledger in its place would hide what is the matter"
        files = len(site.world.uploads())
        site.connector("register", CONNECTOR_STATE_URL=url)
        site.connector("sync", status=3, CONNECTOR_STATE_URL=url)
        assert len(site.world.uploads()) > files


def test_without_a_spool_nothing_is_missing(site: Site) -> None:
    assert "not registered yet" in site.connector("sync", status=WRONG).err
