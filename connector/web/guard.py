"""What stands before every page: the password, the host's name, and headers that keep the browser strict."""

import base64
import binascii
import secrets
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN: Final = ("/healthz", "/readyz")
"""Paths without a password: they tell a supervisor what it must know, and nothing else."""
_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware. Without a password the page is for this machine only, and is asked for by its names: a foreign
    page in the same browser cannot have itself taken for it by a name of its own.
    """

    def __init__(self, app: ASGIApp, password: str | None, host: str) -> None:
        self._app = app
        self._password = None if password is None else password.encode()
        self._names = {*_NAMES, host.lower(), f"[{host.lower()}]"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        app: ASGIApp = self._app
        if self._password is None and _name(headers.get("host", "")) not in self._names:
            app = PlainTextResponse("This page is asked for by another name than this machine's.\n", 421)
        elif self._password is not None and scope["path"] not in OPEN and not self._may(headers):
            app = PlainTextResponse(
                "A password is needed.\n",
                401,
                {"WWW-Authenticate": 'Basic realm="gong-connector", charset="UTF-8"'},
            )
        await app(scope, receive, strictly)

    def _may(self, headers: Headers) -> bool:
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        assert self._password is not None
        return secrets.compare_digest(given, self._password) and scheme.lower() == "basic"


def _name(host: str) -> str:
    """Return the name of a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
