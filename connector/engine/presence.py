"""Whether the integration is still in Gong: somebody may delete it there."""

from typing import Final

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.errors import BudgetSpent, GongDenied
from connector.gong import GongClient, GongRefused, GongUnavailable
from connector.ledger.records import INTEGRATION_GONE, Priority
from connector.ledger.store import Store

AGAIN_SECONDS: Final = 3600.0
"""Between two looks for an integration that is not there."""


class Presence:
    """Looks for the integration once Gong turned a file away; then, while it is not there, once an hour: a call each.

    What was found is kept in the ledger: a process that starts anew uploads nothing before it has looked. The methods
    belong to the delivering thread.
    """

    def __init__(self, client: GongClient, integration_id: int, store: Store, clock: Clock, observer: Observer) -> None:
        self._client = client
        self._integration_id = integration_id
        self._store = store
        self._clock = clock
        self._observer = observer
        self.words: str | None = None
        """What `missing` last returned."""
        self._begun = False
        self._again_at = 0.0

    def missing(self) -> str | None:
        """Return in words that the integration is gone; None when there is no reason to think so."""
        if not self._begun:
            self.words, self._begun = self._store.meta(INTEGRATION_GONE) or None, True
        if self.words is not None and self._clock.now() >= self._again_at:
            self.look()
        return self.words

    def look(self) -> None:
        """Ask Gong. No answer, or one that denies it, changes nothing."""
        self._again_at = self._clock.now() + AGAIN_SECONDS
        try:
            present = self._client.integrations(priority=Priority.INCREMENTAL)
        except (GongRefused, GongUnavailable, GongDenied, BudgetSpent):
            return
        gone = all(one.integration_id != self._integration_id for one in present)
        words = (
            f"integration {self._integration_id} is not in Gong any more: somebody deleted it there. Nothing is sent "
            "until it is back. If it shall not come back: `gong-connector unregister`, `gong-connector register`, and "
            "a new first load"
        )
        if gone:
            self._observer.event("integration.gone", error=words, alarm=True)
        elif self.words is not None:
            self._observer.event("integration.back")
        if gone is (self.words is None):
            self.words = words if gone else None
            self._store.set_meta(INTEGRATION_GONE, self.words or "")
