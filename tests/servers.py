"""Database servers of a test's own, for what a shared one cannot be asked: settings that need a restart, a standby."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from databases import unavailable
from sqlalchemy.engine import URL

_HOST = "127.0.0.1"


@contextmanager
def postgres_server(
    settings: Mapping[str, str], *, standby_of: URL | None = None, files: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[URL]:
    """Run a PostgreSQL server with these settings, empty or as a standby that follows another, until the end. `files`
    are put in its directory, by name: certificates, or who may come in.
    """
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
        for name, content in files.items():
            _give(data / name, content)
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


def _give(path: Path, content: bytes) -> None:
    """Make a file that is the server's alone."""
    path.write_bytes(content)
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, "postgres")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def mariadb_server(settings: Mapping[str, str], files: Mapping[str, bytes]) -> Iterator[URL]:
    """Run an empty MariaDB server with these settings until the end; `files` are put in its directory, by name."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if install is None or server is None:
        unavailable("this machine has no mariadbd and mariadb-install-db")
    directory = Path(tempfile.mkdtemp(prefix="mariadb-"))
    data, port = directory / "data", _free_port()
    account = "mysql" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    try:
        if os.geteuid() == 0:  # the server refuses to be root's
            shutil.chown(directory, account)
        made = ["--no-defaults", f"--user={account}", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        subprocess.run([install, *made, "--skip-test-db"], check=True, capture_output=True, timeout=120)
        for name, content in files.items():
            (data / name).write_bytes(content)
            shutil.chown(data / name, account)
        options = {
            "user": account, "datadir": str(data), "port": str(port), "bind-address": _HOST,
            "socket": str(directory / "socket"), "pid-file": str(directory / "pid"),
            "innodb-buffer-pool-size": "16M", **settings,
        }  # fmt: skip
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with (directory / "log").open("w") as log:
            process = subprocess.Popen([server, "--no-defaults", *arguments], stdout=log, stderr=log)
        try:
            until = time.monotonic() + 60
            while not (directory / "pid").exists():
                assert process.poll() is None, (directory / "log").read_text()
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.05)
            yield URL.create("mysql+pymysql", "root", host=_HOST, port=port, database="mysql")
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
