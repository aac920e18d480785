"""Database servers of a test's own, for what a shared one cannot be asked: settings that need a restart, a standby."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from databases import unavailable
from sqlalchemy.engine import URL

_HOST = "127.0.0.1"


@contextmanager
def postgres_server(settings: Mapping[str, str], *, standby_of: URL | None = None) -> Iterator[URL]:
    """Run a PostgreSQL server with these settings, empty or as a standby that follows another, until the end."""
    binaries = _binaries()
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    data = directory / "data"
    port = _free_port()
    options = {
        "port": str(port), "listen_addresses": _HOST, "unix_socket_directories": str(directory), "fsync": "off",
        "max_connections": "30", "shared_buffers": "16MB", **settings,
    }  # fmt: skip
    arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    if os.geteuid() == 0:  # the server refuses to be root's
        shutil.chown(directory, "postgres")
    try:
        if standby_of is None:
            _run(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8")
        else:
            server = f"host={standby_of.host} port={standby_of.port} user=postgres"
            _run(binaries / "pg_basebackup", "-D", data, "-R", "-c", "fast", "-d", server)
        log = directory / "log"
        _run(binaries / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", arguments, "start")
        try:
            yield URL.create("postgresql+psycopg", "postgres", host=_HOST, port=port, database="postgres")
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binaries() -> Path:
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for place in [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *on_path]:
        if all((place / program).exists() for program in ("initdb", "pg_ctl", "pg_basebackup")):
            return place
    return unavailable("this machine has no initdb and pg_basebackup of PostgreSQL")


def _run(program: Path, *arguments: object) -> None:
    command = [str(program), *map(str, arguments)]
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if "start" not in command else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd="/",
        text=True,
        check=False,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
    assert done.returncode == 0, f"{program.name}: {done.stdout}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port
