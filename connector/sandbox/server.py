"""The sandbox over real sockets: a thin ASGI application and uvicorn around SandboxApi."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType
from typing import Final

import anyio.from_thread
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from connector.sandbox.api import SandboxApi
from connector.sandbox.faults import ConnectionDropped
from connector.sandbox.http import Request, Response

_MAX_DRAINED_BYTES: Final = 300_000_000
"""How much of a body nobody wants is read, so that the caller gets the answer and not a broken pipe."""

_SHUTDOWN_SECONDS: Final = 5

_connections: dict[tuple[str, int], asyncio.BaseTransport] = {}
"""Open connections by the caller's address, so that a fault can break one off."""


class _BreakableConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection, noted down while it is open."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        if self.client is not None:
            _connections[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            _connections.pop(self.client, None)


class _Endpoint:
    """One ASGI call: the body is handed to the API in pieces, in a thread, and the answer sent back."""

    def __init__(self, api: SandboxApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        stream = request.stream()

        async def next_piece() -> bytes | None:
            return await anext(stream, None)

        def pieces() -> Iterator[bytes]:
            while (piece := anyio.from_thread.run(next_piece)) is not None:
                yield piece

        def handle() -> Response:
            body = pieces()
            asked = Request(
                method=request.method,
                path=scope["path"],
                query=tuple(request.query_params.multi_items()),
                headers={key.lower(): value for key, value in request.headers.items()},
                body=body,
            )
            response = self._api.handle(asked)
            drained = 0
            for piece in body:
                drained += len(piece)
                if drained > _MAX_DRAINED_BYTES:
                    break
            return response

        try:
            response = await anyio.to_thread.run_sync(handle)
        except ClientDisconnect:
            return
        except ConnectionDropped:
            await _break_off(scope, receive)
            return
        answer = HttpResponse(response.body, response.status)
        for name, value in response.headers:
            answer.headers[name] = value
        await answer(scope, receive, send)


async def _break_off(scope: Scope, receive: Receive) -> None:
    transport = _connections.get(tuple(scope["client"]))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def create_app(api: SandboxApi) -> Starlette:
    """Return the ASGI application: every path and method goes to `api`."""
    return Starlette(routes=[Route("/{path:path}", endpoint=_Endpoint(api))])


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it accepts calls."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """End the serving, not the process as uvicorn would afterwards; a second signal does not wait."""
        self.force_exit = self.should_exit
        self.should_exit = True


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def _server(api: SandboxApi, ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        create_app(api),
        http=_BreakableConnection,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return _Server(config, ready)


def serve(
    api: SandboxApi,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then return; `ready` is told the base URL.

    Raises OSError when the port is taken.
    """
    listener, url = _listen(host, port)
    with listener:
        _server(api, lambda: ready(url)).run(sockets=[listener])


@contextmanager
def running(api: SandboxApi, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve from a thread while the block runs; yield the base URL. Port 0: any free one."""
    listener, url = _listen(host, port)
    started = Event()
    server = _server(api, started.set)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="gong-sandbox", daemon=True)
    with listener:
        thread.start()
        try:
            started.wait(_SHUTDOWN_SECONDS)
            yield url
        finally:
            server.should_exit = True
            thread.join()
