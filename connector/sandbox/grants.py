"""Gong's OAuth over the sandbox's data: codes, access tokens that expire, refresh tokens that are good for once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from connector.sandbox.behaviour import Behaviour
from connector.sandbox.store import Store

CODE_SECONDS: Final = 600.0
"""How long a code may wait for its exchange: the most that RFC 6749 recommends. Gong's own time is not published."""
CODE: Final = "code"
ACCESS: Final = "access"
REFRESH: Final = "refresh"


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used or too old (RFC 6749: `invalid_grant`)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the refresh token that comes with it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scopes: frozenset[str]


class Grants:
    """What was authorised. Methods may be called from several threads."""

    def __init__(self, store: Store, lock: RLock, now: Callable[[], float], behaviour: Behaviour) -> None:
        self._store = store
        self._lock = lock
        self._now = now
        self._behaviour = behaviour

    def code(self, scopes: frozenset[str], redirect_uri: str) -> str:
        """Return a new code for an authorisation that a person gave."""
        with self._lock, self._store.transaction():
            return self._add(CODE, secrets.token_hex(8), scopes, CODE_SECONDS, redirect_uri)

    def exchange(self, code: str, redirect_uri: str) -> Pair:
        """Return the first pair for a code; raise InvalidGrant."""
        with self._lock, self._store.transaction():
            found = self._store.grant(CODE, code)
            if found is None or found.used or found.ends <= self._now() or found.redirect_uri != redirect_uri:
                raise InvalidGrant("The authorization code is invalid")
            self._store.use_grant(code)
            return self._pair(found.family, found.scopes)

    def refresh(self, refresh_token: str) -> Pair:
        """Return the next pair for a refresh token; raise InvalidGrant."""
        with self._lock:
            found = self._store.grant(REFRESH, refresh_token)
            if found is None or found.used:
                if found is not None and self._behaviour.reuse_ends_authorisation:
                    self._store.end_grants(found.family)
                raise InvalidGrant("Refresh token code is invalid")
            with self._store.transaction():
                self._store.use_grant(refresh_token)
                if self._behaviour.refresh_ends_access:
                    self._store.end_grants(found.family)
                return self._pair(found.family, found.scopes)

    def scopes(self, access_token: str) -> frozenset[str] | None:
        """Return what an access token may be used for; None when it is unknown, ended or expired."""
        with self._lock:
            found = self._store.grant(ACCESS, access_token)
            valid = found is not None and not found.used and found.ends > self._now()
            return found.scopes if found is not None and valid else None

    def revoke(self) -> None:
        """End every authorisation, as an administrator of Gong may."""
        with self._lock:
            self._store.end_grants(None)

    def _pair(self, family: str, scopes: frozenset[str]) -> Pair:
        access = self._add(ACCESS, family, scopes, self._behaviour.access_token_seconds)
        return Pair(access, self._add(REFRESH, family, scopes, float("inf")), scopes)

    def _add(self, kind: str, family: str, scopes: frozenset[str], seconds: float, redirect_uri: str = "") -> str:
        token = secrets.token_urlsafe(32)
        self._store.add_grant(token, kind, family, scopes, self._now() + seconds, redirect_uri)
        return token
