"""Proves to Gong who is calling (GONG_API: "Authentication")."""

import base64
from collections.abc import Generator

import httpx

from connector.errors import ConfigError


class GongAuth(httpx.Auth):
    """Credentials for every call. A way to authenticate implements `auth_flow` and fills `remedy`."""

    remedy: str
    """What a user should check when Gong answers 401: names of settings, never their values."""


class AccessKeyAuth(GongAuth):
    """Basic authentication with an access key and its secret.

    Raises ConfigError when either is empty or holds white space, as from a careless copy.
    """

    remedy = "check CONNECTOR_GONG_ACCESS_KEY and CONNECTOR_GONG_ACCESS_KEY_SECRET, and that the key is active"

    def __init__(self, access_key: str, secret: str) -> None:
        for setting, value in (("GONG_ACCESS_KEY", access_key), ("GONG_ACCESS_KEY_SECRET", secret)):
            if not value or any(character.isspace() for character in value):
                raise ConfigError(
                    f"CONNECTOR_{setting} is empty or holds white space: copy it again from Gong's API settings"
                )
        pair = f"{access_key}:{secret}".encode()
        self._header = "Basic " + base64.b64encode(pair).decode("ascii")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the Authorization header; httpx calls this once for each request."""
        request.headers["Authorization"] = self._header
        yield request

    def __repr__(self) -> str:
        return "AccessKeyAuth(...)"
