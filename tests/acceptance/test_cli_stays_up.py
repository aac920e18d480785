"""The real daemon stays up whatever goes away and comes back, and page, health, metrics, alerts and log say it."""

import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
import short_times
from cli_site import Site, company, eventually, now
from pages import addresses, page
from webhooks import Chat, webhook

from connector.object_types import ObjectType
from connector.sandbox.faults import Fault, FaultKind

PROGRAM = (short_times.__file__,)
FOR_EVER = 1_000_000


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program has the file locked."""
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def source_down(site: Site) -> Iterator[None]:
    with locked(site.database):
        yield


@contextmanager
def gong_down(site: Site) -> Iterator[None]:
    site.faults.add(Fault(kind=FaultKind.DROP_BEFORE, times=FOR_EVER))
    site.sql("UPDATE accounts SET name = 'While Gong was away', updated_at = ? WHERE id = 2", now())
    yield
    site.faults.clear()


@contextmanager
def ledger_locked(site: Site) -> Iterator[None]:
    with locked(site.home / "connector.db"):
        yield


class Watched:
    """A daemon, and what it says of itself."""

    def __init__(self, site: Site, process: subprocess.Popen[str], chat: Chat) -> None:
        self.site = site
        self.process = process
        self.chat = chat
        eventually(lambda: bool(addresses(site.printed("run").err)), "the page's address")
        (self._address,) = addresses(site.printed("run").err)

    def get(self, path: str = "") -> tuple[int, str]:
        """What the page shows."""
        return page(self._address + path)

    def state(self) -> str:
        """The one state that the metrics tell."""
        text = self.get("metrics")[1]
        (state,) = re.findall(r'gong_connector_state\{state="(\w+)"\} 1\.0', text)
        return str(state)

    def ready(self) -> bool:
        return self.get("readyz")[0] == 200

    def alerts(self, kind: str, news: str) -> int:
        """How many incidents of a kind the webhook was told to have begun or ended: one for each source, say."""
        told = [one for message in self.chat.got for one in message["incidents"]]
        return sum((one["kind"], one["news"]) == (kind, news) for one in told)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with webhook() as chat, company(tmp_path, accounts=4) as site:
        with closing(sqlite3.connect(site.database)) as crm:
            crm.execute("PRAGMA journal_mode=DELETE")  # so that a lock keeps readers out
        site.connector("register")
        site.environment |= {"CONNECTOR_ALERT_WEBHOOK_URL": chat.url, "CONNECTOR_POLL_MAX_SECONDS": "1"}
        with site.started("run", program=PROGRAM) as process:
            made = Watched(site, process, chat)
            eventually(lambda: bool(site.world.objects(ObjectType.LEAD)), "the first load")
            eventually(lambda: made.state() == "refused", "rest, but for the demo's unfit rows")
            yield made
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        assert "Traceback" not in site.printed("run").err


def through(
    watched: Watched,
    down: Callable[[Site], AbstractContextManager[None]],
    words: str,
    kind: str,
    event: str,
    *,
    ready: bool,
    status: int,
) -> None:
    """Take something away and bring it back, and hold what is said of it against the truth."""
    with down(watched.site):
        eventually(lambda: words in watched.get()[1], f"the page: {words}")
        assert watched.state() == "stopped"
        assert watched.get("healthz") == (200, "alive\n"), "a restart would mend nothing"
        eventually(lambda: watched.ready() is ready, "readiness")
        eventually(lambda: watched.alerts(kind, "began") > 0, f"an alert: {kind}")
        assert f'"event": "{event}"' in watched.site.printed("run").err
        watched.site.connector("status", status=status)
        assert watched.process.poll() is None
    eventually(lambda: watched.state() == "refused" and watched.ready(), "all as before")
    eventually(lambda: watched.alerts(kind, "ended") == watched.alerts(kind, "began"), "word that it is over")


def test_source_gong_and_ledger_go_and_come_back(watched: Watched) -> None:
    through(watched, source_down, "Stopped: a source cannot be read", "source", "pass.failed", ready=False, status=1)
    through(watched, gong_down, "Stopped: Gong takes nothing", "gong", "batch.unreachable", ready=True, status=3)
    eventually(lambda: watched.site.name_of(ObjectType.ACCOUNT, "2") == "While Gong was away", "the change")
    through(
        watched, ledger_locked, "Stopped: the daemon&#39;s work fails", "round", "round.failed", ready=True, status=3
    )
