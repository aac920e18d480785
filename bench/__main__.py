"""Measures the connector beside what one would use instead: `python -m bench [--quick]`, or `make bench`.

Makes the data, runs every case several times in turn, and writes a table and a plot. Needs PostgreSQL and MariaDB
(BENCH_POSTGRES_URL, BENCH_MYSQL_URL), their command line clients, and curl.
"""

import argparse
import compileall
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

import connector
from bench import data, others, report
from bench.measure import Case, Group, measure
from bench.ours import environment
from bench.peers import PSQL_JSON

PYTHON: Final = sys.executable
CONNECTOR: Final = str(Path(sys.executable).with_name("gong-connector"))


def main() -> None:
    """Measure, and write docs/performance.md's table, or print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 deals, one run of each: under two minutes")
    parser.add_argument("--deals", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3, help="runs of each case")
    parser.add_argument("--only", help="groups whose title holds this")
    parser.add_argument(
        "--without", default="", metavar="WORD", help="leave out peers whose name holds this: Singer, say"
    )
    parser.add_argument("--directory", type=Path, default=Path("var/bench"))
    parser.add_argument("--write", action="store_true", help="put table and plot into docs/")
    parser.add_argument("--keep", action="store_true", help="leave the databases there for the next time")
    options = parser.parse_args()
    count, times = (100_000, 1) if options.quick else (options.deals, options.times)
    directory = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    data.make(directory, count)
    compileall.compile_dir(Path(connector.__file__).parent, quiet=1)  # as installing does; a checkout may not be
    with _drain() as gong:
        bench = _Bench(directory, count, gong, quick=options.quick, without=options.without)
        groups = []
        for title, make in bench.all().items():
            if (options.only or "") in title:
                print(f"-- {title}", flush=True)
                groups.append(replace(make(), title=title))
                measure(groups[-1].cases, times)
    table = report.table(groups, count, times)
    print(table)
    if options.write:
        report.write(groups, table)
    shutil.rmtree(directory / "work", ignore_errors=True)
    if not options.keep:
        data.drop(directory)


class _Bench:
    """Makes the groups."""

    def __init__(self, directory: Path, count: int, gong: str, *, quick: bool, without: str) -> None:
        self._directory = directory
        self._quick = quick
        self._without = without
        self._count = count
        self._gong = gong
        self._work = directory / "work"
        self._out = str(self._work / "out.jsonl")
        self._postgres = _shown(data.postgres_url(count), "postgresql")
        self._mysql = _shown(data.mysql_url(count), "mysql")
        self._sqlite = str(data.sqlite_path(directory, count))
        self._ledger = data.POSTGRES.set(database="bench_ledger")
        self._empty()

    def all(self) -> dict[str, Callable[[], Group]]:
        """Return what makes each group, by title."""
        return {
            "PostgreSQL, read → sealed file": self.file,
            "PostgreSQL, a whole first load less the network": self.load,
            "PostgreSQL, a whole `sync` into a server that only drains": self.sync,
            "PostgreSQL, after the first load": self.again,
            "MariaDB, read → sealed file": self.mariadb,
            "SQLite, read → sealed file": self.sqlite,
            "upload of 200 MB, whole process": self.upload,
            "PostgreSQL, a whole first load less the network, by size": self.growth,
        }

    def file(self) -> Group:
        return Group(
            [
                self._psql(),
                self._ours("file", self._postgres, "connector"),
                self._peer("core", "SQLAlchemy Core, a dict a row, orjson", _shown(data.postgres_url(self._count))),
                replace(
                    self._peer("orm", "SQLAlchemy ORM, .all(), json.dumps", _shown(data.postgres_url(self._count))),
                    once=True,
                ),
                *self._others(),
            ],
            {"connector": 0.45},
        )

    def load(self) -> Group:
        state = self._ledger.render_as_string(hide_password=False)
        return Group(
            [
                self._psql(),
                self._ours("book", self._postgres, "connector, ledger in SQLite"),
                self._ours("book", self._postgres, "connector, ledger in PostgreSQL", state=state),
            ],
            {"connector, ledger in SQLite": 1.0, "connector, ledger in PostgreSQL": 1.3},
        )

    def sync(self) -> Group:
        settings = environment(self._work, self._postgres, None, self._gong)

        def register() -> None:
            self._empty()
            subprocess.run([CONNECTOR, "register"], env=os.environ | settings, check=True, capture_output=True)

        curl = f"curl -sS -o /dev/null -F dataFile=@{self._out} {self._gong}/v2/crm/entities"
        both = Case("psql \\copy of JSON, then curl", ["sh", "-c", f"{shlex.join(self._copy())} && {curl}"])
        both.prepare = self._empty
        return Group(
            [both, Case("connector", [CONNECTOR, "sync"], settings, register)],
            {"connector": 1.2},
        )

    def again(self) -> Group:
        """What comes after a first load: nothing changed, little changed."""
        kept = self._directory / "work" / "kept"
        loaded = self._case("book", self._postgres, kept)

        def load() -> None:
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)

        loaded.prepare = load
        loaded.name = "first load less the network"
        compare = self._case("compare", self._postgres, kept)
        compare.name = "comparison, nothing changed"
        cases = [loaded, compare]
        for changed in (1_000, 10_000):
            case = self._case("changed", self._postgres, kept)
            case.name = f"pass, {changed:,} changed"
            case.prepare = lambda changed=changed: data.change(self._count, changed)  # type: ignore[misc]
            cases.append(case)
        return Group(cases, {compare.name: 1.0})

    def mariadb(self) -> Group:
        select = "SELECT * FROM deals ORDER BY updated_at, id"
        client = ["mariadb", "--quick", "-N", *data.mysql_options(data.mysql_url(self._count)), "-e", select]
        # In the order of an index, a table that is larger than the server's memory takes minutes: once each.
        ours = replace(self._ours("file", self._mysql, "connector"), once=True)
        return Group([Case("mariadb --quick", client, once=True), ours], {"connector": 1.2})

    def sqlite(self) -> Group:
        return Group(
            [
                self._peer("sqlite", "bare iteration", self._sqlite),
                self._ours("file", f"sqlite:///{self._sqlite}", "connector"),
            ],
            {"connector": 1.6},
        )

    def upload(self) -> Group:
        file = self._work / "upload.jsonl"

        def fill() -> None:
            if not file.exists():
                self._empty()
                with file.open("wb") as out:
                    for _ in range(200):
                        out.write(b'{"objectId":"1","name":"x"}\n' * (1_000_000 // 28))

        curl = ["curl", "-sS", "-o", "/dev/null", "-F", f"dataFile=@{file}", f"{self._gong}/v2/crm/entities"]
        ours = [PYTHON, "-m", "bench.peers", "upload", self._gong, str(file)]
        cases = [Case("curl", curl, prepare=fill), Case("connector", ours)]
        return Group(cases, {"connector": 1.3})

    def growth(self) -> Group:
        """A whole first load of fewer and of more deals; made last, for it needs databases of its own."""
        loads = []
        for count in (self._count // 10, self._count, self._count * 3):

            def prepare(count: int = count) -> None:
                data.make_postgres(self._directory, count)
                self._empty()

            case = self._case("book", _shown(data.postgres_url(count), "postgresql"), self._work)
            case.name, case.prepare, case.once = f"{count:,} deals", prepare, True
            loads.append(case)
        return Group(loads, {})

    def _others(self) -> list[Case]:
        """What has to be installed first, unless this is the quick run."""
        if self._quick:
            return []
        found = others.cases(self._directory, data.postgres_url(self._count), self._work, self._empty)
        return [case for case in found if not self._without or self._without not in case.name]

    def _psql(self) -> Case:
        return Case("psql \\copy of JSON", self._copy(), prepare=self._empty)

    def _copy(self) -> list[str]:
        return ["psql", "-qX", self._postgres, "-c", f"\\copy ({PSQL_JSON}) to '{self._out}'"]

    def _peer(self, what: str, name: str, source: str) -> Case:
        return Case(name, [PYTHON, "-m", "bench.peers", what, source, self._out], prepare=self._empty)

    def _ours(self, what: str, url: str, name: str, *, state: str | None = None) -> Case:
        case = self._case(what, url, self._work, state)
        case.name, case.prepare = name, self._empty
        return case

    def _case(self, what: str, url: str, directory: Path, state: str | None = None) -> Case:
        ledger = [] if state is None else ["--state", state]
        return Case(what, [PYTHON, "-m", "bench.ours", what, str(directory), "--url", url, *ledger])

    def _empty(self) -> None:
        """Begin anew: no files, an empty ledger."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        name = self._ledger.database
        data.psql(data.POSTGRES, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')


@contextmanager
def _drain() -> Iterator[str]:
    """Run the draining server; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([PYTHON, "-m", "bench.drain", str(port)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _shown(url: URL, driver: str = "postgresql+psycopg") -> str:
    return url.set(drivername=driver).render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
