"""OAuth: keeps the pair of tokens that a person authorised, renews it in time, and never loses it on the way."""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Final

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.errors import BudgetSpent, ConfigError, GongDenied
from connector.gong import SCOPES, Access, ClientDenied, GongUnavailable, Grant, TokenEndpoint, gong_host
from connector.ledger.authorisation import CLAIM_SECONDS, AuthorisationStore, Stored
from connector.ledger.records import Priority

RENEW_SHARE: Final = 0.75
"""A pair is renewed when this share of the access token's life is over. What is left (six hours, of a day) is the time
to put right what goes wrong with it.
"""
YOUNG_SECONDS: Final = 3600.0
"""A token that Gong denies in its first hour is not renewed for it: so whatever Gong means by its 401, it is answered
by one renewal an hour at most.
"""
CLIENT_SECONDS: Final = 900.0
"""Between two tries while Gong does not take the client's id and secret."""
LOOK_AGAIN_SECONDS: Final = 0.5

_LOGIN: Final = "run `gong-connector login`"


@dataclass(frozen=True, slots=True)
class Pair:
    """What `Stored.sealed` holds."""

    grant: Grant
    granted_at: float
    """Seconds since 1970 UTC."""

    @property
    def expires_at(self) -> float:
        """When the access token ends."""
        return self.granted_at + self.grant.seconds

    @property
    def due_at(self) -> float:
        """When it is to be renewed."""
        return self.granted_at + RENEW_SHARE * self.grant.seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """How the authorisation stands."""

    base_url: str
    """Where Gong's API is for the company."""
    refused: str | None
    """Why it will never be renewed, in words."""
    missing: dict[str, str] | None
    """Scopes that were not granted, and what for they are needed; None where Gong does not say."""

    @property
    def host(self) -> str:
        """The company's own."""
        return gong_host(self.base_url)


class Authorisation:
    """Authenticates by OAuth; a GongAuth. The pair stands in the ledger, where all its processes find it.

    A refresh token is good for once (GONG_API: "Authentication"). So a renewal is claimed in the ledger first, which
    also shows that the ledger can be written; and the new pair is stored before anything is done with it. What is left
    is a crash between Gong's answer and that commit, or an answer that is lost: then Gong refuses the token that the
    ledger holds, and a person must run `login` again. The access token goes on for hours then, and `status` says so.
    """

    remedy = f"{_LOGIN}, if somebody revoked the authorisation in Gong"

    def __init__(
        self,
        store: AuthorisationStore,
        endpoint: Callable[[], TokenEndpoint],
        client_secret: Callable[[], str],
        clock: Clock,
        observer: Observer,
    ) -> None:
        """Note what to work with. `client_secret` encrypts the pair: a copy of the ledger alone is of no use."""
        self._store = store
        self._endpoint = endpoint
        self._client_secret = client_secret
        self._clock = clock
        self._observer = observer
        self._renewing = Lock()
        self._unstored: tuple[int, Pair] | None = None
        """A new pair that the ledger could not take yet."""
        self._secrets: list[str] = []
        """The client's secrets, as they were since this process began."""

    @property
    def base_url(self) -> str:
        """Where Gong's API is for the company, as far as it is known now. Raises as `standing` does."""
        return self._read()[1].grant.base_url

    def access(self) -> Access:
        """Return the access token, renewed when it is time. Raises as GongAuth says."""
        stored, pair = self._read()
        if self._clock.now() >= pair.due_at:
            pair = self._renewed(stored, pair)
        return Access(f"Bearer {pair.grant.access_token}", pair.grant.base_url)

    def renew(self, denied: Access) -> bool:
        """Renew a token that Gong denied, unless it is new, or was renewed meanwhile."""
        stored, pair = self._read()
        if denied.authorization != f"Bearer {pair.grant.access_token}":
            return True
        if stored.refused_at is not None or self._clock.now() < pair.granted_at + YOUNG_SECONDS:
            return False
        return self._renew(stored, pair) is not None

    def standing(self) -> Standing:
        """Return how it stands.

        Raises:
            ConfigError: there is none.
            GongDenied: it cannot be read.
        """
        stored, pair = self._read()
        granted = pair.grant.scopes
        missing = None if granted is None else {name: use for name, use in SCOPES.items() if name not in granted}
        return Standing(pair.grant.base_url, stored.note if stored.refused_at is not None else None, missing)

    def login(self, grant: Grant) -> None:
        """Store what a person authorised; a ledger that belongs to a Gong belongs to its host from now on."""
        self._store.login(self._seal(Pair(grant, self._clock.now())), gong_host(grant.base_url))

    def _renewed(self, stored: Stored, pair: Pair) -> Pair:
        """Return a pair that is fresh, or one that is good still.

        Raises:
            GongDenied, GongUnavailable, BudgetSpent: there is none.
        """
        if self._clock.now() < pair.expires_at:
            if stored.refused_at is None:
                with suppress(GongDenied, GongUnavailable, BudgetSpent):
                    return self._renew(stored, pair) or pair
            return pair
        until = self._clock.monotonic() + CLAIM_SECONDS
        while stored.refused_at is None:
            fresh = self._renew(stored, pair)
            if fresh is not None:
                return fresh
            if stored.note is not None or self._clock.monotonic() > until:
                raise GongUnavailable(
                    f"the authorisation could not be renewed: {stored.note or 'another process tries'}"
                )
            self._clock.sleep(LOOK_AGAIN_SECONDS)  # another process is at it
            stored, pair = self._read()
            if self._clock.now() < pair.expires_at:
                return pair
        raise GongDenied(f"{stored.note}: {_LOGIN}")

    def _renew(self, stored: Stored, pair: Pair) -> Pair | None:
        """Exchange the refresh token, if it is for this process to do; return the new pair once it is stored."""
        with self._renewing:
            if self._unstored is None:
                if not self._store.claim(stored.generation):
                    return None
                self._unstored = stored.generation, self._exchange(stored, pair)
            generation, fresh = self._unstored
            kept = self._store.renewed(generation, self._seal(fresh), gong_host(fresh.grant.base_url))
            self._unstored = None
        if not kept:
            return None
        self._observer.event("login.renewed", hours=round(fresh.grant.seconds / 3600, 1))
        return fresh

    def _exchange(self, stored: Stored, pair: Pair) -> Pair:
        try:
            grant = self._endpoint().refresh(pair.grant.refresh_token, priority=Priority.POLL)
        except ClientDenied as error:
            self._store.in_vain(stored.generation, str(error), CLIENT_SECONDS, refused=False)
            self._observer.event("login.postponed", error=str(error), alarm=True)
            raise
        except GongDenied as error:
            self._store.in_vain(stored.generation, str(error), CLAIM_SECONDS, refused=True)
            self._observer.event("login.refused", error=f"{error}: {_LOGIN}", alarm=True)
            raise GongDenied(f"{error}: {_LOGIN}") from None
        except (GongUnavailable, BudgetSpent) as error:
            self._store.in_vain(stored.generation, str(error), CLAIM_SECONDS, refused=False)
            self._observer.event("login.postponed", error=str(error), alarm=True)
            raise
        return Pair(grant, self._clock.now())

    def _read(self) -> tuple[Stored, Pair]:
        stored = self._store.read()
        if stored is None:
            raise ConfigError(f"Gong has not authorised the connector yet: {_LOGIN} once")
        pair, earlier = self._unseal(stored)
        if earlier:
            # The client's secret was changed while this process lives: later ones know the new one only.
            self._store.reseal(stored.sealed, self._seal(pair))
        return stored, pair

    # -- encryption: Fernet (AES-128-CBC, HMAC-SHA256), under a key made of the client's secret --------

    def _seal(self, pair: Pair) -> str:
        scopes = None if pair.grant.scopes is None else sorted(pair.grant.scopes)
        text = json.dumps({"granted_at": pair.granted_at, **asdict(pair.grant), "scopes": scopes})
        sealed: bytes = _fernet(self._known_secrets()[-1]).encrypt(text.encode())
        return sealed.decode("ascii")

    def _unseal(self, stored: Stored) -> tuple[Pair, bool]:
        """Return the pair, and whether it is encrypted by an earlier secret. Raises GongDenied."""
        from cryptography.fernet import InvalidToken

        text, earlier = None, False
        for secret in reversed(self._known_secrets()):
            try:
                text = _fernet(secret).decrypt(stored.sealed)
                break
            except InvalidToken:
                earlier = True
        if text is None:
            raise GongDenied(
                "the authorisation in the ledger cannot be read with this CONNECTOR_GONG_OAUTH_CLIENT_SECRET: set back "
                f"the secret that `login` was run with, or {_LOGIN} with the new one"
            )
        found = json.loads(text)
        granted_at, scopes = found.pop("granted_at"), found.pop("scopes")
        grant = Grant(**found, scopes=None if scopes is None else frozenset(scopes))
        return Pair(grant, granted_at), earlier

    def _known_secrets(self) -> list[str]:
        """Return the client's secrets, the present one last."""
        secret = self._client_secret()
        if secret not in self._secrets[-1:]:
            self._secrets = [*(one for one in self._secrets if one != secret), secret]
        return self._secrets


def _fernet(secret: str) -> Any:
    # Here and not above: nobody but who uses OAuth needs the library. The secret is Gong's and random: a hash will do.
    from cryptography.fernet import Fernet

    key = hashlib.sha256(b"gong-connector authorisation\0" + secret.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
