"""The status page of a daemon: put together from the settings, and served from a thread while the daemon lives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from connector.clock import Clock
from connector.engine.alerts import Alerts
from connector.engine.observe import Fact, Observer, Silent
from connector.engine.overview import Overview, Postponed
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError, LedgerInUse, LedgerUnavailable
from connector.ledger.incidents import Incidents
from connector.settings import Settings, shown
from connector.webhook import Webhook

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from connector.web.lookout import Lookout
    from connector.web.server import Server

_JOIN_SECONDS: Final = 3.0
WATCH_SECONDS: Final = 60.0
"""How often the state is looked at though nobody asks: so that alerts are told, and the page can say since when all is
well.
"""
HINDERED_SECONDS: Final = 120.0
"""A round that failed does so until none has for this long: one waits for a locked ledger for half a minute."""
_DELIVER: Final = "deliver"
"""The round that also fails when Gong turns a file away, which the file itself tells."""


@dataclass(slots=True)
class Page:
    """What the daemon tells its page."""

    observer: Observer
    """Counts for the metrics, and passes on."""
    clock: Clock
    read_mapping: Callable[[], str]
    known: threading.Event = field(default_factory=threading.Event)
    """Set once it is known how the start went: what is shown before would be of no use, and a start that fails for
    wrong settings shows nothing.
    """
    mapping: str = field(init=False)
    """The mapping file's text as it was taken up."""
    _postponed: Postponed | None = None
    _hindered: Postponed | None = None
    _hindered_at: float = 0.0

    def __post_init__(self) -> None:
        self.mapping = self.read_mapping()

    def postpone(self, words: str | None) -> None:
        """Note why the daemon is not at work yet; None once it is, or stands by."""
        if words is None:
            self._postponed = None
        elif self._postponed is None or self._postponed.words != words:
            since = self.clock.now() if self._postponed is None else self._postponed.since
            self._postponed = Postponed(words, since)
        self.known.set()

    def event(self, name: str, **facts: Fact) -> None:
        """Listen to what the daemon does (an engine.observe.Observer): rounds that fail, a mapping file taken up."""
        if name == "round.failed" and facts.get("round") != _DELIVER:
            earlier, now = self.hindered, self.clock.now()
            self._hindered = Postponed(str(facts.get("error")), now if earlier is None else earlier.since)
            self._hindered_at = self.clock.monotonic()
        elif name == "mapping.taken":
            self.mapping = self.read_mapping()
        self.observer.event(name, **facts)

    @property
    def hindered(self) -> Postponed | None:
        """Why the daemon's rounds fail."""
        return self._hindered if self.clock.monotonic() - self._hindered_at < HINDERED_SECONDS else None

    @property
    def postponed(self) -> Postponed | None:
        """Why the daemon is not at work yet."""
        return self._postponed


@contextmanager
def page(settings: Settings, clock: Clock, observer: Observer) -> Iterator[Page]:
    """Show the page during the block."""
    # Here and not above: no other command needs what serves the page.
    from prometheus_client import CollectorRegistry

    from connector.web.metrics import Counting

    registry = CollectorRegistry()
    made = Page(Counting(observer, registry, clock), clock, lambda: _mapping(settings))
    server: list[Server] = []
    ended = threading.Event()

    def serve() -> None:
        made.known.wait()
        if ended.is_set():
            return
        with _Ledger(settings, clock, made) as ledger:
            lookout = _lookout(clock, ledger)
            server.append(_server(settings, made, observer, registry, lookout))
            alerts = _alerts(settings, clock, ledger, made.observer)
            watcher = threading.Thread(target=_watch, args=(lookout, alerts, ended), name="watch", daemon=True)
            watcher.start()
            if not ended.is_set():
                server[0].serve()
            watcher.join()

    thread = threading.Thread(target=serve, name="web", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        made.known.set()
        for one in server:
            one.stop()
        thread.join(_JOIN_SECONDS)


class _Ledger:
    """The page's own way to the ledger: its connections are not the daemon's. It is opened once it is there."""

    def __init__(self, settings: Settings, clock: Clock, made: Page) -> None:
        self._settings = settings
        self._clock = clock
        self._page = made
        self._wiring: Wiring | None = None

    def __enter__(self) -> "_Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        if self._wiring is not None:
            self._wiring.__exit__(None, None, None)

    @property
    def wiring(self) -> Wiring:
        """The parts that look. Raises LedgerUnavailable."""
        if self._wiring is None:
            wiring = Wiring(self._settings, self._clock, Silent(), looking=True)
            if wiring.ledger_is_absent:
                raise LedgerUnavailable("There is no ledger yet: this daemon has not begun.")
            self._wiring = wiring
        return self._wiring

    def overview(self) -> Overview:
        """Return how everything stands."""
        return self.wiring.overview(self._page.postponed, self._page.hindered)

    def incidents(self) -> tuple[Incidents, str]:
        """Return what was told to the webhook, and this process's name. Raises LedgerUnavailable."""
        return self.wiring.incidents, self.wiring.lease.holder


def _watch(lookout: "Lookout", alerts: Alerts | None, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            sight = lookout.look()
        except LedgerInUse:
            pass  # whoever is at work on it tells what is wrong
        except ConnectorError as error:
            if alerts is not None:
                alerts.see_nothing(error)
        else:
            if alerts is not None:
                alerts.see(sight.overview, sight.verdict)
        ended.wait(WATCH_SECONDS)


def _alerts(settings: Settings, clock: Clock, ledger: _Ledger, observer: Observer) -> Alerts | None:
    url = settings.alert_webhook_url
    return None if url is None else Alerts(Webhook(url.get_secret_value()), ledger.incidents, clock, observer)


def _lookout(clock: Clock, ledger: _Ledger) -> "Lookout":
    from connector.web.lookout import Lookout, Sources

    sources = Sources(
        overview=ledger.overview,
        charts=lambda: ledger.wiring.charts,
        finder=lambda: ledger.wiring.finder,
        approvals=lambda: ledger.wiring.queries.approvals(),
        spooled=lambda: ledger.wiring.spool.used(),
    )
    return Lookout(sources, clock)


def _server(
    settings: Settings, made: Page, observer: Observer, registry: "CollectorRegistry", lookout: "Lookout"
) -> "Server":
    from connector.web.app import Configuration, Site, create_app
    from connector.web.server import Server

    password = settings.web_password
    site = Site(
        lookout,
        Configuration(shown(settings), lambda: made.mapping),
        None if password is None else password.get_secret_value(),
        settings.web_host,
        settings.spool_max_bytes,
        registry,
        made.clock.now,
    )
    return Server(create_app(site), settings.web_host, settings.web_port, observer)


def _mapping(settings: Settings) -> str:
    try:
        return settings.mapping.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"{settings.mapping}: {error.strerror}"
