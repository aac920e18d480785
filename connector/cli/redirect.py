"""Waits, on this machine, for the browser that Gong sends back from an authorisation."""

import http.server
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from connector.errors import ConfigError

_TEXT: Final = (
    "<!doctype html><meta charset=utf-8><title>gong-connector</title><p>{words}</p><p>You may close this window.</p>"
)


def is_here(redirect_uri: str) -> bool:
    """Tell whether a redirect URI is one that `wait` can listen at."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port is not None


def wait(redirect_uri: str, answers: Callable[[str], bool], ready: Callable[[], None]) -> None:
    """Listen until a request came whose address `answers`; others (a browser's for an icon, a stranger's) are turned
    away. `ready` is called as soon as it listens.

    Raises:
        ConfigError: the port is taken.
    """
    parts = urlsplit(redirect_uri)

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10
        taken = False

        def do_GET(self) -> None:
            taken = urlsplit(self.path).path == (parts.path or "/") and answers(self.path)
            words = "The connector has what it needs." if taken else "This is not the answer to the login."
            body = _TEXT.format(words=words).encode()
            self.send_response(200 if taken else 400)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)
            type(self).taken |= taken

        def log_message(self, *_: object) -> None:
            """Say nothing: the address holds the code."""

    try:
        server = http.server.HTTPServer((parts.hostname or "127.0.0.1", parts.port or 80), Handler)
    except OSError as error:
        raise ConfigError(
            f"CONNECTOR_GONG_OAUTH_REDIRECT_URI: cannot listen at port {parts.port}: {error.strerror}. End what does, "
            "or run `gong-connector login --paste`"
        ) from None
    with server:
        ready()
        while not Handler.taken:
            server.handle_request()
