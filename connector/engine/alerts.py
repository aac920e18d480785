"""Tells the webhook of incidents: joins what is found, what the ledger remembers of it, and the sending."""

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from connector.clock import Clock
from connector.engine import incidents
from connector.engine.incidents import TITLES, News
from connector.engine.judgement import Finding, Kind, State, Verdict
from connector.engine.observe import Observer
from connector.engine.overview import Overview
from connector.errors import ConnectorError
from connector.ledger.incidents import Incident, Incidents
from connector.webhook import Webhook, WebhookFailed
from connector.words import moment, seconds

AGAIN_SECONDS: Final = 60.0
"""After a first failure of the webhook; each time twice as long."""
MOST_AGAIN_SECONDS: Final = 3600.0
MOST_LINES: Final = 20
"""Incidents that one message's text names; all are in its `incidents`."""


class Alerts:
    """One look after the other, from one thread. Nothing that goes wrong here is raised, or keeps others waiting.

    The ledger remembers what was told, so that a restart and the process that takes over do not tell it again; while it
    cannot be reached, this process does. Of several daemons the active one tells; where none is, each does, and goes by
    what the others have booked.
    """

    def __init__(
        self, webhook: Webhook, ledger: Callable[[], tuple[Incidents, str]], clock: Clock, observer: Observer
    ) -> None:
        """Note what to work with; `ledger` gives the ledger's incidents and this process's name as the lease's holder,
        and raises LedgerUnavailable.
        """
        self._webhook = webhook
        self._ledger = ledger
        self._clock = clock
        self._observer = observer
        self._known: dict[tuple[str, str], Incident] = {}
        self._unbooked: set[tuple[str, str]] = set()
        """Keys of `_known`, or gone from it, that the ledger has otherwise."""
        self._another_tells = False
        self._failures = 0
        self._again_at = 0.0
        self._integration: str | None = None

    def see(self, seen: Overview, verdict: Verdict) -> None:
        """Follow what was found, and tell what is new."""
        self._integration = seen.integration
        try:
            self._another_tells = self._is_anothers(seen)
        except ConnectorError as error:
            self.see_nothing(error)
            return
        if self._another_tells:
            self._known, self._unbooked = {}, set()
            return
        self._follow(verdict.findings, blind=False)

    def see_nothing(self, error: ConnectorError) -> None:
        """Follow that the ledger cannot be read."""
        if not self._another_tells:
            words = f"The ledger cannot be read: {error}"
            self._follow([Finding(Kind.LEDGER, State.STOPPED, words)], blind=True)

    def _is_anothers(self, seen: Overview) -> bool:
        _, holder = self._ledger()
        return seen.active is not None and seen.active.serves and seen.active.holder != holder

    def _follow(self, findings: Sequence[Finding], *, blind: bool) -> None:
        self._recall()
        now = self._clock.now()
        self._know(incidents.follow(self._known.values(), findings, now, blind=blind))
        self._tell(list(incidents.due(self._known.values())), now)
        self._book()

    def _recall(self) -> None:
        """Take from the ledger what it knows better: another process may have told it."""
        try:
            booked = {incident.key: incident for incident in self._ledger()[0].all()}
        except ConnectorError:
            return
        ours = {key: incident for key, incident in self._known.items() if key in self._unbooked}
        self._known = {key: incident for key, incident in booked.items() if key not in self._unbooked} | ours

    def _know(self, after: Sequence[Incident]) -> None:
        known = {incident.key: incident for incident in after}
        self._unbooked |= {key for key in self._known.keys() | known.keys() if self._known.get(key) != known.get(key)}
        self._known = known

    def _book(self) -> None:
        if not self._unbooked:
            return
        changed = [self._known[key] for key in self._unbooked & self._known.keys()]
        try:
            self._ledger()[0].book(changed, self._unbooked - self._known.keys())
        except ConnectorError:
            return  # what the ledger lacks is an incident by itself
        self._unbooked = set()

    def _tell(self, due: Sequence[tuple[Incident, News]], now: float) -> None:
        if not due or now < self._again_at:
            return
        try:
            self._webhook.post(_text(due), self._facts(due))
        except WebhookFailed as error:
            wait = min(AGAIN_SECONDS * 2.0 ** min(self._failures, 10), MOST_AGAIN_SECONDS)
            self._failures, self._again_at = self._failures + 1, now + wait
            self._observer.event("alert.failed", incidents=len(due), error=str(error), again_in=round(wait))
            return
        self._failures = 0
        news = {incident.key: incidents.told(incident, now) for incident, _ in due}
        self._know([news.get(key, incident) for key, incident in self._known.items()])
        for incident, what in due:
            self._observer.event("alert.sent", kind=incident.kind, subject=incident.subject, news=what.value)

    def _facts(self, due: Sequence[tuple[Incident, News]]) -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "integration_id": self._integration,
            "incidents": [_fact(incident, what) for incident, what in due],
        }


def trial_text() -> str:
    """Return what `check --alert` sends."""
    return f"gong-connector on {socket.gethostname()}: this is a try, nothing is wrong."


def _text(due: Sequence[tuple[Incident, News]]) -> str:
    """Say it for people; what weighs most, and what is over, needs no reading on."""
    lines = [f"• {_line(incident, what)}" for incident, what in due]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"• and {len(lines) - MOST_LINES} more: `gong-connector status` names them"]
    if len(lines) == 1:
        return f"gong-connector on {socket.gethostname()}: {lines[0].removeprefix('• ')}"
    return "\n".join([f"gong-connector on {socket.gethostname()}:", *lines])


def _line(incident: Incident, what: News) -> str:
    title = TITLES[Kind(incident.kind)]
    about = f"{title} ({incident.subject})" if incident.subject else title
    if incident.ended_at is not None:
        return f"Over after {seconds(max(incident.ended_at - incident.since, 0.0))}: {about}."
    again = f", for the {incident.times}. time" if incident.times > 1 else ""
    more = ", and more" if what is News.GREW else ""
    return f"{about} since {moment(incident.since)}{again}{more}. {incident.words}"


def _fact(incident: Incident, what: News) -> dict[str, Any]:
    lasted = None if incident.ended_at is None else max(incident.ended_at - incident.since, 0.0)
    return {
        "news": what.value,
        "kind": incident.kind,
        "subject": incident.subject,
        "state": incident.state,
        "words": incident.words,
        "objects": incident.objects or None,
        "since": moment(incident.since),
        "ended_at": moment(incident.ended_at),
        "lasted_seconds": None if lasted is None else round(lasted),
    }
