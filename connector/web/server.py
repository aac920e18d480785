"""Serves the page from a thread of its own, beside whatever the process does."""

import socket
import threading
from typing import Final

import uvicorn
from starlette.applications import Starlette

from connector.engine.observe import Observer

AGAIN_SECONDS: Final = 5.0
"""Between two tries to listen: the process that has the port may end."""
STOP_SECONDS: Final = 2.0
_MOST_CALLERS: Final = 64


class Server:
    """Listens and serves until `stop`. A port that is taken is said once, and tried again and again: the page is not
    worth the connector's standing still.
    """

    def __init__(self, app: Starlette, host: str, port: int, observer: Observer) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._observer = observer
        self._stopped = threading.Event()
        self._server: uvicorn.Server | None = None
        self._said = False

    def serve(self) -> None:
        """Serve; returns after `stop`."""
        while not self._stopped.is_set():
            try:
                listener = socket.create_server(
                    (self._host, self._port), family=socket.AF_INET6 if ":" in self._host else socket.AF_INET
                )
            except OSError as error:
                self._cannot(error)
                self._stopped.wait(AGAIN_SECONDS)
                continue
            with listener:
                shown = f"[{self._host}]" if ":" in self._host else self._host
                self._observer.event("web.started", url=f"http://{shown}:{listener.getsockname()[1]}/")
                self._run(listener)

    def stop(self) -> None:
        """Ask for the end, from any thread."""
        self._stopped.set()
        if self._server is not None:
            self._server.should_exit = True

    def _run(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            self._app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CALLERS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        if self._stopped.is_set():
            return
        self._server.run(sockets=[listener])

    def _cannot(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            self._observer.event(
                "web.failed",
                error=f"the status page cannot be shown at {self._host}, port {self._port}: {error.strerror or error}; "
                "set CONNECTOR_WEB_PORT or CONNECTOR_WEB_HOST",
                alarm=True,
            )
