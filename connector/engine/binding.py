"""Binds a ledger to one source, one Gong and one integration: another of them would make its knowledge false."""

from datetime import UTC, datetime

from connector.errors import ConfigError, FatalError
from connector.gong import AlreadyRegistered, GongClient
from connector.ledger.records import INTEGRATION_GONE
from connector.ledger.store import Store

INTEGRATION = "integration_id"
GONG_HOST = "gong_host"
SOURCE = "source"
SCHEMA = "schema."
"""Before an object type: which additional fields Gong's schema was last seen to hold."""
PICKLISTS = "picklists."
"""Before an object type: the values of its picklists that grow, as Gong has been told of them."""
COMPARED = "compared."
"""Before an object type: when the comparison began that last came to its end."""
UNREGISTER = "unregister.request_id"
"""Under which id Gong is asked to delete the integration, until that is booked."""
UNREGISTERED = "unregistered."
"""Before an integration's id: when Gong was asked to delete it."""
ABOUT_GONG = (INTEGRATION, INTEGRATION_GONE, GONG_HOST, SOURCE, SCHEMA, PICKLISTS, COMPARED, UNREGISTER)
"""What is true of one integration only."""


class Binding:
    """What the ledger is bound to."""

    def __init__(self, store: Store, source_identity: str, gong_host: str) -> None:
        self._store = store
        self._source = source_identity
        self._host = gong_host

    @property
    def integration_id(self) -> int | None:
        """The registered integration; None before `register`."""
        stored = self._store.meta(INTEGRATION)
        return None if stored is None else int(stored)

    def check(self) -> None:
        """Make sure that source and Gong are those of the ledger.

        Raises:
            ConfigError: one of them is another.
        """
        host = self._store.meta(GONG_HOST)
        if host is not None and host != self._host:
            raise ConfigError(
                f"CONNECTOR_GONG_BASE_URL: this ledger belongs to {host}, not to {self._host}. What it knows is not "
                "true there: give the new one a ledger of its own (CONNECTOR_STATE_URL)"
            )
        source = self._store.meta(SOURCE)
        if source is not None and source != self._source:
            raise ConfigError(
                "CONNECTOR_SOURCE_URL: this ledger belongs to another source database. Set the URL back, or give the "
                "new source a ledger of its own (CONNECTOR_STATE_URL)"
            )

    def bind_source(self) -> None:
        """Note, at the first reading, which source this ledger is about."""
        if self._store.meta(SOURCE) is None:
            self._store.set_meta(SOURCE, self._source)

    def register(self, client: GongClient, name: str, owner_email: str, *, adopt: bool) -> tuple[int, bool]:
        """Register the integration, or adopt the one that is there under the same name.

        Args:
            client: to call Gong with.
            name: from the mapping file.
            owner_email: from the mapping file.
            adopt: take one of another name, too.

        Returns:
            Its id, and whether it is new.

        Raises:
            ConfigError: Gong has an integration of another name, or the ledger belongs to another one.
            FatalError: Gong refuses, because a native integration exists, say.
        """
        known = self.integration_id
        present = client.integrations()
        for integration in present:
            if known is not None and integration.integration_id != known:
                continue
            self._refuse_deleted(integration.integration_id)
            if integration.name != name and not adopt and known is None:
                raise ConfigError(
                    f"Gong has an integration called {integration.name!r} already, and the mapping file says {name!r}: "
                    "correct integration.name, or take that one over with `gong-connector register --adopt`"
                )
            self._bind(integration.integration_id)
            return integration.integration_id, False
        if known is not None:
            raise FatalError(
                f"integration {known}, which this ledger belongs to, is not in Gong any more: `gong-connector "
                "unregister` makes the ledger as new, then register again"
            )
        try:
            created = client.register(name, owner_email)
        except AlreadyRegistered:
            # Registered meanwhile, or by a call of ours whose answer was lost: then it stands in the list now.
            for integration in client.integrations():
                if integration.name == name:
                    self._bind(integration.integration_id)
                    return integration.integration_id, False
            raise
        self._bind(created)
        return created, True

    def _refuse_deleted(self, integration_id: int) -> None:
        """Refuse to take over an integration that Gong is about to delete."""
        asked = self._store.meta(f"{UNREGISTERED}{integration_id}")
        if asked is not None:
            at = datetime.fromtimestamp(int(float(asked)), UTC).strftime("%Y-%m-%d %H:%M UTC")
            raise ConfigError(
                f"Gong still has integration {integration_id}, which it was asked to delete at {at}. That takes "
                "Gong up to 24 hours: run `gong-connector register` again later"
            )

    def _bind(self, integration_id: int) -> None:
        self._store.set_meta(INTEGRATION, str(integration_id))
        self._store.set_meta(GONG_HOST, self._host)
