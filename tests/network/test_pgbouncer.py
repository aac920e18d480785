"""PgBouncer in its transaction mode, where a session is somebody else's with the next transaction."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy
from databases import POSTGRES_URL, postgres_database
from servers import _free_port
from sqlalchemy.engine import URL, make_url

from connector.sandbox import demo_crm
from tests.acceptance.cli_site import Site, company

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
unix_socket_dir =
"""


@pytest.fixture
def pooler() -> Iterator[int]:
    """The port of a PgBouncer before the server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("this machine has no pgbouncer")
    server, port = make_url(POSTGRES_URL), _free_port()
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "users").write_text(f'"{server.username}" "{server.password or ""}"\n')
        (directory / "ini").write_text(
            CONFIGURATION.format(host=server.host, port=server.port or 5432, listen=port, users=directory / "users")
        )
        process = subprocess.Popen(
            [program, "-q", str(directory / "ini")], stderr=subprocess.DEVNULL, user=account and account.pw_uid
        )
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def site(tmp_path: Path, pooler: int) -> Iterator[Site]:
    """A company whose ledger is reached through the pooler."""
    with postgres_database() as url, company(tmp_path, accounts=4) as site:
        through = url.set(drivername="postgresql", host="127.0.0.1", port=pooler)
        site.environment["CONNECTOR_STATE_URL"] = through.render_as_string(hide_password=False)
        yield site
        assert settings(url) == settings(through), "sessions are given back as they were"


def settings(url: URL) -> set[tuple[str, str]]:
    """What a session is set to."""
    engine = sqlalchemy.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool)
    names = (
        "('lock_timeout', 'idle_in_transaction_session_timeout', 'statement_timeout', 'default_transaction_read_only')"
    )
    with engine.connect() as connection:
        return {
            tuple(row)
            for row in connection.exec_driver_sql(f"SELECT name, setting FROM pg_settings WHERE name IN {names}")
        }


@pytest.mark.thorough
def test_a_ledger_behind_the_pooler_does_all_that_it_does_else(site: Site) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    demo_crm.change(site.database, seed=1, now=time.time())
    site.connector("sync", status=3)
    site.connector("reconcile", status=3)
    site.connector("status", status=3)
