"""Takes up a mapping file that changed while the daemon runs, or keeps the one in use and says why."""

import threading
from collections.abc import Callable
from typing import Final

import orjson

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.errors import ConnectorError, LeaseLost, LedgerUnavailable, RetriableError
from connector.ledger.records import MAPPING_UNUSED
from connector.ledger.store import Store

AGAIN_SECONDS: Final = 60.0
"""Between two tries to hold a mapping file against a source that cannot be reached."""


class Remapping:
    """What a daemon does when it is told to read its mapping file again. All but `asked` is the reading thread's.

    That a file on disk is not in use is kept in the ledger, so that every process can say it.
    """

    def __init__(self, remap: Callable[[], bool], store: Store, clock: Clock, observer: Observer) -> None:
        """Note what to work with; `remap` takes the file up, and returns False where it says nothing new."""
        self.asked = threading.Event()
        """Set from anywhere when the file is to be read again."""
        self._remap = remap
        self._store = store
        self._clock = clock
        self._observer = observer
        self._again_at = 0.0
        self._taken = False

    def begin(self) -> None:
        """Forget what an earlier process noted: this one has taken up the file as it is."""
        if self._store.meta(MAPPING_UNUSED):
            self._store.set_meta(MAPPING_UNUSED, "")

    def tick(self) -> bool:
        """Do what was asked for; return whether another mapping is in use now.

        Raises:
            LeaseLost, LedgerUnavailable: nothing can be booked; it is tried again.
        """
        if not self.asked.is_set() or self._clock.monotonic() < self._again_at:
            return False
        self.asked.clear()
        try:
            self._taken = self._remap() or self._taken  # it may have been taken and not been booked
            self.begin()
        except (LeaseLost, LedgerUnavailable):
            self.asked.set()
            raise
        except RetriableError as error:
            self._again_at = self._clock.monotonic() + AGAIN_SECONDS
            self.asked.set()
            self._refuse(error)
            return False
        except ConnectorError as error:
            self._refuse(error)
            return False
        taken, self._taken = self._taken, False
        self._observer.event("mapping.taken" if taken else "mapping.unchanged")
        return taken

    def _refuse(self, error: ConnectorError) -> None:
        words = "; ".join(str(error).splitlines())
        self._observer.event("mapping.refused", error=words, alarm=True)
        noted = self._store.meta(MAPPING_UNUSED)
        since = orjson.loads(noted)["since"] if noted else self._clock.now()
        self._store.set_meta(MAPPING_UNUSED, orjson.dumps({"since": since, "words": words}).decode())
