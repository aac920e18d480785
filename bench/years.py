"""Two years of a daemon's life booked in a ledger, a day at a time, with its upkeep: `python -m bench.years`.

Each day holds what a busy connector books: a pass over six sources every two minutes, readings of what waits, hourly
full comparisons, 1,500 files, calls in every minute. Prints how large the ledger is, how many rows its tables hold, and
how long it takes to count the objects, which is done seldom, to look at the rest, to show the status page (both without
the count), and to forget what is old.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import Route

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.ledger.census import Census
from connector.ledger.database import Database
from connector.ledger.statement import text
from connector.object_types import ObjectType
from connector.settings import Settings
from connector.web.app import Configuration, Site, create_app
from connector.web.lookout import Lookout, Sources

START: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAY: Final = 86_400.0
PASS_SECONDS: Final = 120
FILES: Final = 1_500
CHANGES: Final = 3_000
"""Objects that change in a day."""
TABLES: Final = ("passes", "batches", "calls", "let_go", "requests", "objects")
LOOKS: Final = 5
ANSWER: Final = '{"processing":"DONE","errors":[],"error_count":0,"success_count":5}'

Rows = Sequence[Mapping[str, Any]]


def main() -> None:
    """Live and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--retention", type=int, default=90, help="CONNECTOR_RETENTION_DAYS")
    parser.add_argument("--url", help="of an empty ledger; by default SQLite in a temporary directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        Life(Path(directory), options.url, options.objects, options.retention).live(options.days)


class Calendar(FakeClock):
    """Days go by when told; how long something takes is measured."""

    def monotonic(self) -> float:
        return time.perf_counter()


class Life:
    """A ledger, and the days that go by in it."""

    def __init__(self, home: Path, url: str | None, objects: int, retention: int) -> None:
        self.clock = Calendar(START)
        self.settings = Settings(
            _env_file=None,  # type: ignore[call-arg] # pydantic-settings' own argument
            state_url=SecretStr(url or f"sqlite:///{home / 'ledger.db'}"),
            spool_dir=home / "spool",
            retention_days=retention,
        )
        self.wiring = Wiring(self.settings, self.clock, Silent())
        self.database: Database = self.wiring.database
        self.wiring.take_lease()
        self.objects = objects
        self.files = 0
        self.random = random.Random(1)

    def live(self, days: int) -> None:
        """Book so many days, and print how things stand after some of them."""
        self._load()
        names = "".join(f"{name:>10}" for name in TABLES)
        print(f"{'day':>5}{'ledger MB':>11}{names}{'count ms':>10}{'look ms':>9}{'page ms':>9}{'upkeep ms':>11}")
        shown = {1, 7, 30, 90, 180, 365, 548, days}
        for day in range(1, days + 1):
            self._day()
            upkeep = milliseconds(self._keep_up)
            if day in shown:
                self._show(day, upkeep)

    # -- what is booked --------------------------------------------------------------------------

    def _load(self) -> None:
        kinds = list(ObjectType)
        with self.database.writing("bench") as connection:
            self._batches(connection, 1)
            for start in range(0, self.objects, 50_000):
                rows = [
                    {"id": str(number), "type": kinds[number % len(kinds)], "digest": number.to_bytes(16)}
                    for number in range(start, min(start + 50_000, self.objects))
                ]
                many(
                    connection,
                    "INSERT INTO objects (object_id, type, source, sent_digest, last_modified, batch_id, line, tries)"
                    " VALUES (:id, :type, 0, :digest, 1767225600, 1, 1, 0)",
                    rows,
                )

    def _day(self) -> None:
        began = self.clock.now()
        with self.database.writing("bench") as connection:
            many(
                connection,
                "INSERT INTO passes (name, kind, started_at, finished_at, rows, lines, skipped, pended, refused,"
                " not_shown, warnings) VALUES (:name, :kind, :at, :at + 1, 20, 2, 18, 0, 0, '[]', '[]')",
                list(_passes(began)),
            )
            self._batches(connection, FILES)
            many(
                connection,
                "INSERT INTO calls (minute, priority, count) VALUES (:minute, :priority, 2)",
                [
                    {"minute": int(began // 60) + minute, "priority": priority}
                    for minute in range(1440)
                    for priority in (1, 2)
                ],
            )
            many(
                connection,
                "UPDATE objects SET told_digest = sent_digest, sent_digest = :digest, batch_id = :batch"
                " WHERE object_id = :id",
                [
                    {"id": str(number), "digest": self.random.randbytes(16), "batch": self.files}
                    for number in self.random.sample(range(self.objects), min(CHANGES, self.objects))
                ],
            )
            many(
                connection,
                "INSERT INTO requests (operation, arguments, asked_at, asked_by, for_daemon, started_at, finished_at,"
                " outcome, result) VALUES ('sync', '{}', :at, 'somebody', true, :at, :at, 'done', '{}')",
                [{"at": began + 3600 * hour} for hour in range(8)],
            )
        self.clock.advance(DAY)

    def _batches(self, connection: Connection, count: int) -> None:
        kinds, rows = list(ObjectType), []
        for number in range(count):
            self.files += 1
            at = self.clock.now() + DAY * number / count
            name = f"{self.files:08x}-0000-4000-8000-000000000000"
            rows.append(
                {
                    "id": name,
                    "type": kinds[number % len(kinds)],
                    "at": at,
                    "sha": f"{self.files:064x}",
                    "answer": ANSWER,
                }
            )
        many(
            connection,
            "INSERT INTO batches (type, kind, priority, request_id, state, file, lines, bytes, sha256, created_at,"
            " sent_at, accepted_at, settled_at, due_at, uploads, polls, answer, oldest_change) VALUES (:type,"
            " 'incremental', 1, :id, 'done', :id, 5, 2000, :sha, :at, :at + 1, :at + 2, :at + 30, :at, 1, 1,"
            " :answer, :at)",
            rows,
        )

    def _keep_up(self) -> None:
        """Do what the daemon's upkeep does."""
        before = self.clock.now() - self.settings.retention_days * DAY
        self.wiring.store.prune(before)
        self.wiring.requests.prune(before)

    # -- how it stands ---------------------------------------------------------------------------

    def _show(self, day: int, upkeep: float) -> None:
        with self.database.reading() as connection:
            counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in TABLES]
            size = (
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
                if self.database.is_sqlite
                else "SELECT pg_database_size(current_database())"
            )
            megabytes = connection.exec_driver_sql(size).scalar_one() / 1e6
        count = milliseconds(lambda: Census(self.database, self.clock).told())
        look = median(milliseconds(self.wiring.overview) for _ in range(LOOKS))
        show = self._page()
        show()  # the first one makes the templates
        page = median(milliseconds(show) for _ in range(LOOKS))
        columns = "".join(f"{count:>10,}" for count in counts)
        print(
            f"{day:>5}{megabytes:>11,.0f}{columns}{count:>10,.0f}{look:>9,.0f}{page:>9,.0f}{upkeep:>11,.0f}", flush=True
        )

    def _page(self) -> Callable[[], object]:
        """Return a request for the status page, to a server that looks each time."""
        wiring = self.wiring
        sources = Sources(
            overview=wiring.overview,
            charts=lambda: wiring.charts,
            finder=lambda: wiring.finder,
            approvals=wiring.queries.approvals,
            spooled=wiring.spool.used,
        )
        site = Site(
            Lookout(sources, FakeClock(START)),  # stands still, so that no look is good for later
            Configuration((), str),
            None,
            "127.0.0.1",
            self.settings.spool_max_bytes,
            CollectorRegistry(),
            self.clock.now,
        )
        status = next(route for route in create_app(site).routes if isinstance(route, Route) and route.path == "/")
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
        return lambda: status.endpoint(request)


def _passes(began: float) -> Iterator[dict[str, Any]]:
    for at in range(0, int(DAY), PASS_SECONDS):
        for kind in ObjectType:
            yield {"name": kind, "kind": "incremental", "at": began + at}
            if at % 3600 == 0:
                yield {"name": kind, "kind": "comparison", "at": began + at}
        yield {"name": ObjectType.DEAL, "kind": "again", "at": began + at}


def many(connection: Connection, statement: str, rows: Rows) -> None:
    """Execute a statement for each of some rows."""
    connection.execute(text(statement), rows)


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long it took."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
