"""Proves to Gong who is calling (GONG_API: "Authentication")."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from connector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Access:
    """What one call needs."""

    authorization: str = field(repr=False)
    """The header of that name."""
    base_url: str
    """Where the call goes."""


class GongAuth(Protocol):
    """A way to authenticate. Its methods may be called from several threads."""

    @property
    def remedy(self) -> str:
        """What a user should check when Gong answers 401: names of settings, never their values."""
        ...

    @property
    def base_url(self) -> str:
        """Where calls will go, as far as it is known now. Raises GongDenied or ConfigError where it is not."""
        ...

    def access(self) -> Access:
        """Return what the next call goes out with.

        Raises:
            GongDenied: there is nothing that Gong would take, and a person must see to it.
            GongUnavailable: there will be, once Gong can be reached.
            ConfigError: the base URL is unfit.
        """
        ...

    def renew(self, denied: Access) -> bool:
        """Take note that Gong answered 401 to `denied`, and not for a missing scope; return whether another try would
        go out with something else.
        """
        ...


class AccessKeyAuth:
    """Basic authentication with an access key and its secret, which `current` tells anew before each call.

    Raises ConfigError when either is empty or holds white space, as from a careless copy.
    """

    remedy = "check CONNECTOR_GONG_ACCESS_KEY and CONNECTOR_GONG_ACCESS_KEY_SECRET, and that the key is active"

    def __init__(
        self, base_url: str, access_key: str, secret: str, current: Callable[[], tuple[str, str]] | None = None
    ) -> None:
        for setting, value in (("GONG_ACCESS_KEY", access_key), ("GONG_ACCESS_KEY_SECRET", secret)):
            if _unfit(value):
                raise ConfigError(
                    f"CONNECTOR_{setting} is empty or holds white space: copy it again from Gong's API settings"
                )
        self.base_url = base_url
        self._access = Access(basic(access_key, secret), base_url)
        self._current = current

    def access(self) -> Access:
        """Return the key as it is now; one that is unfit is not looked at."""
        if self._current is not None:
            pair = self._current()
            if not any(map(_unfit, pair)):
                self._access = Access(basic(*pair), self.base_url)
        return self._access

    def renew(self, denied: Access) -> bool:
        """Tell whether the key was changed meanwhile."""
        return self.access() != denied

    def __repr__(self) -> str:
        return "AccessKeyAuth(...)"


def basic(name: str, secret: str) -> str:
    """Return the Authorization header of these."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode("ascii")


def _unfit(value: str) -> bool:
    return not value or any(character.isspace() for character in value)
