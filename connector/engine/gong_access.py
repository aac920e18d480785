"""Builds the ways to Gong from the settings: an access key or OAuth, the client, and `login`."""

import secrets
from collections.abc import Callable
from functools import cached_property

from connector.clock import Clock
from connector.engine.authorisation import Authorisation
from connector.engine.login import Login
from connector.engine.observe import Observer
from connector.errors import ConfigError
from connector.gong import AccessKeyAuth, GongAuth, GongClient, TokenEndpoint, Transport
from connector.ledger.authorisation import AuthorisationStore
from connector.ledger.budget import Budget
from connector.ledger.database import Database
from connector.ledger.store import Store
from connector.settings import Live


class GongAccess:
    """The ways to Gong, each made when it is first needed."""

    def __init__(
        self,
        live: Live,
        database: Callable[[], Database],
        budget: Callable[[], Budget],
        clock: Clock,
        observer: Observer,
        transport: Transport | None,
    ) -> None:
        self._live = live
        self._database = database
        self._budget = budget
        self._clock = clock
        self._observer = observer
        self._transport = transport

    def close(self) -> None:
        """Close the connections."""
        for name in ("client", "token_endpoint"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @property
    def uses_oauth(self) -> bool:
        """Whether calls are authenticated by OAuth, else by an access key. Raises ConfigError where both are set."""
        settings = self._live.now()
        if settings.gong_oauth_client_id is not None and settings.gong_access_key is not None:
            raise ConfigError(
                "CONNECTOR_GONG_OAUTH_CLIENT_ID and CONNECTOR_GONG_ACCESS_KEY are both set: remove one, so that it is "
                "plain which of them Gong is called with"
            )
        return settings.gong_oauth_client_id is not None

    @cached_property
    def client(self) -> GongClient:
        """Gong's API, within the budget."""
        return self._client_for(self.authorisation if self.uses_oauth else self._access_key())

    def _client_for(self, auth: GongAuth) -> GongClient:
        return GongClient(auth, self._budget(), self._clock, transport=self._transport, ca_file=self._ca_file)

    @property
    def _ca_file(self) -> str | None:
        return None if self._live.now().gong_ca_file is None else str(self._live.now().gong_ca_file)

    def _access_key(self) -> AccessKeyAuth:
        def current() -> tuple[str, str]:
            settings = self._live.now()
            key, secret = settings.gong_access_key, settings.gong_access_key_secret
            if key is None or secret is None:
                missing = "CONNECTOR_GONG_ACCESS_KEY" if key is None else "CONNECTOR_GONG_ACCESS_KEY_SECRET"
                raise ConfigError(
                    f"{missing} is not set: create an API key in Gong (Company settings, Ecosystem, API) "
                    "and give its access key and secret; or an app, and CONNECTOR_GONG_OAUTH_CLIENT_ID"
                )
            return key.get_secret_value(), secret.get_secret_value()

        return AccessKeyAuth(self._live.now().gong_base_url, *current(), current)

    @cached_property
    def authorisation(self) -> Authorisation:
        """The pair of OAuth tokens."""
        store = AuthorisationStore(self._database(), self._clock)
        return Authorisation(
            store, lambda: self.token_endpoint, lambda: self._oauth_client()[1], self._clock, self._observer
        )

    @cached_property
    def token_endpoint(self) -> TokenEndpoint:
        """Gong's token endpoint, within the budget."""
        return TokenEndpoint(
            self._live.now().gong_oauth_url,
            self._oauth_client,
            self._budget(),
            self._clock,
            transport=self._transport,
            ca_file=self._ca_file,
        )

    def _oauth_client(self) -> tuple[str, str]:
        """Return the app's id and secret as they are now. Raises ConfigError."""
        settings = self._live.now()
        if settings.gong_oauth_client_id is None or settings.gong_oauth_client_secret is None:
            raise ConfigError(
                "CONNECTOR_GONG_OAUTH_CLIENT_ID and CONNECTOR_GONG_OAUTH_CLIENT_SECRET are not both set: create an app "
                "in Gong (Company settings, Ecosystem, API) and give its client id and secret"
            )
        return settings.gong_oauth_client_id, settings.gong_oauth_client_secret.get_secret_value()

    def login(self, store: Store) -> Login:
        """Begin an authorisation by OAuth. Raises ConfigError."""
        return Login(
            self.authorisation,
            self.token_endpoint,
            self._client_for,
            store,
            site=self._live.now().gong_oauth_url,
            client_id=self._oauth_client()[0],
            redirect_uri=self._live.now().gong_oauth_redirect_uri,
            state=secrets.token_urlsafe(24),
        )

    def keep(self) -> None:
        """Renew the authorisation when it is time, though nobody calls Gong: an hour of rest may become a month."""
        if self.uses_oauth:
            self.authorisation.access()

    def refused(self) -> tuple[str, float] | None:
        """Return why the authorisation is not renewed any more, in words, and since when; None where all is well."""
        stored = AuthorisationStore(self._database(), self._clock).read() if self.uses_oauth else None
        refused_at = None if stored is None else stored.refused_at
        return None if stored is None or refused_at is None else (stored.note or "", refused_at)

    @property
    def base_url(self) -> str:
        """Where Gong's API is: with OAuth, where Gong says."""
        return self.authorisation.base_url if self.uses_oauth else self._live.now().gong_base_url
