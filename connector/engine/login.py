"""OAuth's beginning: a person authorises the app in Gong, and the code that comes of it becomes a pair of tokens."""

import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from connector.engine.authorisation import Authorisation, Standing
from connector.engine.binding import GONG_HOST, INTEGRATION
from connector.errors import ConfigError, FatalError
from connector.gong import Access, GongClient, Grant, TokenEndpoint, authorize_url, gong_host
from connector.ledger.store import Store

WHERE: Final = "CONNECTOR_GONG_OAUTH_REDIRECT_URI"


class Stranger(FatalError):
    """The address is not the answer to this login: it lacks the state that was asked with, or has another."""


@dataclass(frozen=True, slots=True)
class _Once:
    """Authenticates by a token that is not stored yet; a GongAuth."""

    grant: Grant
    remedy: str = "run `gong-connector login` again"

    @property
    def base_url(self) -> str:
        return self.grant.base_url

    def access(self) -> Access:
        return Access(f"Bearer {self.grant.access_token}", self.grant.base_url)

    def renew(self, _denied: Access) -> bool:
        return False


class Login:
    """One login, from the address that a person opens to the stored pair."""

    def __init__(
        self,
        authorisation: Authorisation,
        endpoint: TokenEndpoint,
        client: Callable[[_Once], GongClient],
        store: Store,
        *,
        site: str,
        client_id: str,
        redirect_uri: str,
        state: str,
    ) -> None:
        """Prepare. `client` makes a Gong client; `state` is random and secret. Raises ConfigError."""
        parts = urlsplit(redirect_uri)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
            raise ConfigError(
                f"{WHERE} is not a web address: give one that the app has in Gong, exactly as it stands there"
            )
        self._authorisation = authorisation
        self._endpoint = endpoint
        self._client = client
        self._store = store
        self._redirect_uri = redirect_uri
        self._state = state
        self.url = authorize_url(site, client_id, redirect_uri, state)
        """Where a technical administrator of Gong authorises the app."""

    def code(self, address: str) -> str:
        """Return the code in the address that Gong sent the browser back to.

        Raises:
            Stranger: it answers something else.
            FatalError: the authorisation was refused.
        """
        found: dict[str, str] = {}
        with suppress(ValueError):  # what is no address has no state either
            found = {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
        if not hmac.compare_digest(found.get("state", "").encode(), self._state.encode()):
            raise Stranger(
                "that is not the address that Gong sent the browser back to after this login: give all of it, with "
                "code and state"
            )
        if "code" not in found:
            words = found.get("error_description") or found.get("error") or "there is no code in the address"
            raise FatalError(f"Gong did not authorise the app: {words}")
        return found["code"]

    def finish(self, code: str) -> Standing:
        """Exchange the code and store the pair.

        Raises:
            ConfigError: the ledger belongs to another company's Gong. Then an earlier authorisation stays.
            GongDenied, GongUnavailable, FatalError: it did not work; begin anew.
        """
        grant = self._endpoint.exchange(code, self._redirect_uri)
        host, bound = gong_host(grant.base_url), self._store.meta(GONG_HOST)
        if bound is not None:
            self._check_company(grant, bound, host)
        self._authorisation.login(grant)
        return self._authorisation.standing()

    def _check_company(self, grant: Grant, bound: str, host: str) -> None:
        """Make sure that what was authorised is the company that the ledger knows, which may have been called under
        another host before (by an access key, say): it has the integration.
        """
        known = self._store.meta(INTEGRATION)
        with self._client(_Once(grant)) as client:
            present = {str(one.integration_id) for one in client.integrations()}
        if known not in present:
            raise ConfigError(
                f"this ledger belongs to integration {known} at {bound}, and the company that was authorised ({host}) "
                "does not have it. Authorise the right company, or give this one a ledger of its own "
                "(CONNECTOR_STATE_URL). Nothing was changed"
            )
