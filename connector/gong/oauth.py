"""Gong's OAuth: where a person authorises the app, and what its token endpoint gives (GONG_API: "Authentication")."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import httpx

from connector import failpoints
from connector.clock import Clock
from connector.errors import ConfigError, GongDenied
from connector.gong.address import gong_address
from connector.gong.answer import Answer, NoAnswer
from connector.gong.auth import basic
from connector.gong.errors import ClientDenied, GongUnavailable
from connector.gong.limiting import Limiter
from connector.gong.retry_after import retry_at
from connector.gong.wire import Allowance, Wire

SCOPES: Final = MappingProxyType(
    {
        "api:crm:integration:register": "register",
        "api:crm:integrations:read": "check, register, and seeing that the integration is there",
        "api:crm:integration:delete": "unregister",
        "api:crm:schema": "additional fields",
        "api:crm:upload": "every upload",
        "api:crm:get-objects": "verify",
    }
)
"""The scopes that the connector asks for, and what each is for (GONG_API: "Calls")."""
SETTING: Final = "CONNECTOR_GONG_OAUTH_URL"
TOKEN_SECONDS: Final = 12 * 3600.0
"""How long an access token is taken to be good where Gong does not say: half of its "about a day"."""
CALL_SECONDS: Final = 40.0
"""How long a call of the token endpoint may take."""

_AUTHORIZE: Final = "/oauth2/authorize"
_TOKEN: Final = "/oauth2/generate-customer-token"  # noqa: S105 - a path
_CALL_TIME: Final = Allowance(20.0, CALL_SECONDS)


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens, and what goes with it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    base_url: str
    """The company's own host (`api_base_url_for_customer`)."""
    seconds: float
    """How long the access token is good, from the answer on."""
    scopes: frozenset[str] | None
    """None where Gong does not say."""


def authorize_url(site: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the address where a technical administrator of Gong authorises the app. Raises ConfigError."""
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{str(gong_address(site, SETTING)).rstrip('/')}{_AUTHORIZE}?{urlencode(asked)}"


class TokenEndpoint:
    """Exchanges codes and refresh tokens. Each call is booked with `limiter` like any other of Gong's: whether Gong
    counts it is not known, and it is one or two a day.
    """

    def __init__(
        self,
        site: str,
        client: Callable[[], tuple[str, str]],
        limiter: Limiter,
        clock: Clock,
        *,
        transport: httpx.BaseTransport | None = None,
        ca_file: str | None = None,
    ) -> None:
        """Prepare. `client`: the app's id and secret as they are now. Raises ConfigError as GongClient does."""
        self._client = client
        self._limiter = limiter
        self._clock = clock
        self._wire = Wire(site, clock, transport=transport, ca_file=ca_file, trust_env=True, setting=SETTING)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def exchange(self, code: str, redirect_uri: str, *, priority: int = 0) -> Grant:
        """Return the first pair for a code.

        Raises:
            GongDenied: Gong does not take the code, or the client's id and secret.
            GongUnavailable: no usable answer came; the code is probably used up.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._call(form, priority)

    def refresh(self, refresh_token: str, *, priority: int = 0) -> Grant:
        """Return the next pair. Gong takes a refresh token once.

        Raises:
            GongDenied: Gong does not take it: it was used already, or revoked.
            ClientDenied: the client's id or secret is wrong.
            GongUnavailable: no usable answer came; whether the token is used up is not known.
        """
        return self._call({"grant_type": "refresh_token", "refresh_token": refresh_token}, priority)

    def _call(self, form: dict[str, str], priority: int) -> Grant:
        client_id, secret = self._client()
        headers = {
            "Authorization": basic(client_id, secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        booked = self._limiter.acquire(priority)
        failpoints.hit("gong.token.before")
        content = urlencode(form | {"client_id": client_id}).encode()
        answer = self._wire.request("POST", _TOKEN, {}, headers, content, _CALL_TIME)
        failpoints.hit("gong.token.after")
        self._limiter.finished(booked)
        what = f"Gong, POST {_TOKEN}"
        if isinstance(answer, NoAnswer):
            raise GongUnavailable(f"{what}: {answer.words}. Check {SETTING}, the network and HTTPS_PROXY")
        if answer.status in (400, 401, 403) and not answer.html:
            if isinstance(answer.document, dict) and answer.document.get("error") == "invalid_client":
                raise ClientDenied(f"{what}: {answer.words()}. Check CONNECTOR_GONG_OAUTH_CLIENT_ID and ..._SECRET")
            raise GongDenied(f"{what}: {answer.words()}")
        if answer.status == 429:
            raise GongUnavailable(f"{what}: {answer.words()}", retry_at(answer.retry_after, self._clock.now()))
        return _grant(answer, what)


def _grant(answer: Answer, what: str) -> Grant:
    """Read the answer. It holds secrets: nothing of it is repeated in an error."""
    given = answer.document if answer.status == 200 and isinstance(answer.document, dict) else None
    if given is None:
        raise GongUnavailable(f"{what}: {answer.words() if answer.status != 200 else 'an answer that cannot be read'}")
    access, refresh, base_url = (
        given.get(name) for name in ("access_token", "refresh_token", "api_base_url_for_customer")
    )
    if not all(isinstance(value, str) and value.isprintable() and value for value in (access, refresh, base_url)):
        raise GongUnavailable(
            f"{what}: the answer lacks access_token, refresh_token or api_base_url_for_customer, or they are unfit"
        )
    try:
        gong_address(str(base_url), "api_base_url_for_customer")
    except ConfigError as error:
        raise GongUnavailable(f"{what}: {error}") from None
    seconds, scope = given.get("expires_in"), given.get("scope")
    return Grant(
        str(access),
        str(refresh),
        str(base_url),
        float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 1e9 else TOKEN_SECONDS,
        frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else None,
    )
