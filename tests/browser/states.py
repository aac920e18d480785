"""A small company in each of the main states, and its page on a real socket."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from connector.engine.observe import Fact
from connector.engine.overview import Postponed
from connector.ledger.records import Counts, PassKind, Priority
from connector.object_types import ObjectType
from connector.settings import shown
from connector.web.app import Configuration, Site, create_app
from connector.web.lookout import Lookout, Sources
from connector.web.server import Server
from tests.unit.engine.company import Company, Fault, FaultKind, Operation

HOSTILE = (
    '<script>document.title="owned"</script>',
    "\"><img src=x onerror=document.title='owned'>",
    "x" * 300,
    "\u202egnp.txe",
    "a' OR '1'='1&amp;{{7*7}}",
)
"""Ids that would do something on a page that believes them."""


class Ready:
    """Waits until the server says where it is."""

    def __init__(self) -> None:
        self.url = ""
        self.said = threading.Event()

    def event(self, name: str, **facts: Fact) -> None:
        if name == "web.started":
            self.url = str(facts["url"])
            self.said.set()


def site(
    company: Company,
    password: str | None = None,
    postponed: Postponed | None = None,
    hindered: Postponed | None = None,
    registry: CollectorRegistry | None = None,
) -> Site:
    """What the page of a company is made of."""
    wiring = company.wiring
    sources = Sources(
        overview=lambda: wiring.overview(postponed, hindered),
        charts=lambda: wiring.charts,
        finder=lambda: wiring.finder,
        approvals=wiring.queries.approvals,
        spooled=wiring.spool.used,
    )
    return Site(
        Lookout(sources, company.clock),
        Configuration(shown(company.settings), company.settings.mapping.read_text),
        password,
        "127.0.0.1",
        5_000_000_000,
        CollectorRegistry() if registry is None else registry,
        company.clock.now,
    )


@contextmanager
def served(made: Site) -> Iterator[str]:
    """Serve a page; gives its URL."""
    ready = Ready()
    server = Server(create_app(made), "127.0.0.1", 0, ready)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        assert ready.said.wait(30)
        yield ready.url
    finally:
        server.stop()
        thread.join(10)


def filled(directory: Path, **settings: Any) -> Company:
    """A company whose first load is in Gong, and which has worked for some hours."""
    company = Company(directory, **settings)
    for number in range(1, 21):
        company.put("users", id=f"u{number}", email=f"user{number}@acme.example")
        company.put("accounts", id=number, name=f"Account {number}")
        company.put("deals", id=number, name=f"Deal {number}", account=number, amount=number)
    company.sync()
    for hour in range(3):
        company.clock.advance(3000)
        for number in range(1, 8 + 3 * hour):
            company.put("deals", id=number, name=f"Deal {number}", account=number, amount=100 * hour + number)
        company.clock.advance(40)
        company.sync()
    serve(company)
    return company


def serve(company: Company) -> None:
    """Let the company's process be a daemon that is at work."""
    company.wiring.lease.release()
    assert company.wiring.lease.acquire(serves=True) is None


def _loading(directory: Path) -> Company:
    company = Company(directory)
    company.put("users", id="u1", email="ann@acme.example")
    serve(company)
    store = company.wiring.store
    started = store.begin_pass("ACCOUNT", PassKind.LOAD, "x", None)
    with company.wiring.database.writing("test") as connection:
        from connector.ledger import passes

        passes.count(connection, started, Counts(rows=120_000, lines=119_997))
    company.clock.advance(75)
    return company


def _refused(directory: Path) -> Company:
    company = filled(directory)
    for hostile in HOSTILE:
        company.put("users", id=hostile, email=None)
    company.put("deals", id=900, name="Orphan", account=999, amount=1)
    company.sync(timeout=100)
    serve(company)
    return company


def _budget(directory: Path) -> Company:
    company = filled(directory, calls_per_day=70)
    company.put("accounts", id=1, name="Renamed")
    while company.wiring.budget.used() < 70:
        company.wiring.budget.acquire(Priority.INCREMENTAL)
    company.sync(timeout=20)
    serve(company)
    return company


def _source(directory: Path) -> Company:
    company = filled(directory)
    company.crm.execute("ALTER TABLE deals RENAME TO deals_away")
    company.clock.advance(60)
    for _ in range(2):
        company.sync(timeout=10)
        company.clock.advance(120)
    company.wiring.lease.renew()
    return company


def _gong(directory: Path) -> Company:
    company = filled(directory)
    company.put("accounts", id=1, name="Renamed")
    company.during(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.UPLOAD, times=100))
    company.sync(timeout=1)
    company.clock.advance(240)
    company.wiring.lease.renew()
    return company


def _guard(directory: Path) -> Company:
    company = filled(directory)
    company.crm.execute("DELETE FROM deals WHERE id > 8")
    company.reconcile(ObjectType.DEAL)
    serve(company)
    return company


def _mapping(directory: Path) -> Company:
    company = filled(directory)
    file = company.settings.mapping
    file.write_text(file.read_text().replace("amount: amount", "amuont: amount"))
    company.daemon.remapping.asked.set()
    company.daemon.passes()
    company.clock.advance(400)
    company.wiring.lease.renew()
    return company


def _stopped(directory: Path) -> Company:
    company = filled(directory)
    company.wiring.lease.release()
    company.clock.advance(4000)
    return company


STATES: dict[str, Callable[[Path], Company]] = {
    "loading": _loading,
    "well": filled,
    "refused": _refused,
    "budget": _budget,
    "source": _source,
    "gong": _gong,
    "guard": _guard,
    "mapping": _mapping,
    "stopped": _stopped,
}
