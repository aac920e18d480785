"""Carries the Gong client's calls to the sandbox inside this process, where a test owns the clock and the faults."""

import random
from collections.abc import Iterator

import httpx

from connector.sandbox.api import SandboxApi
from connector.sandbox.faults import ConnectionDropped
from connector.sandbox.http import Request

_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_BROKEN_OFF = (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError)
_NO_ANSWER = (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout)


class SandboxTransport(httpx.BaseTransport):
    """A transport for `httpx.Client` in front of a SandboxApi.

    A dropped connection becomes one of the errors that a socket would give at that point: the first of its
    kind, or any of them by `chance`.
    """

    def __init__(self, api: SandboxApi, chance: random.Random | None = None) -> None:
        self._api = api
        self._chance = chance

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = _Body(request)
        asked = Request(
            method=request.method,
            path=request.url.path,
            query=tuple(request.url.params.multi_items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        try:
            answer = self._api.handle(asked)
        except ConnectionDropped as dropped:
            raise self._error(dropped, body)("the connection was dropped on demand", request=request) from None
        body.drain()
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body, request=request)

    def _error(self, dropped: ConnectionDropped, body: "_Body") -> type[httpx.TransportError]:
        errors: tuple[type[httpx.TransportError], ...]
        if dropped.body_read:
            errors = _NO_ANSWER
        else:
            errors = _BROKEN_OFF if body.begun else _NOTHING_SENT
        return errors[0] if self._chance is None else self._chance.choice(errors)


class _Body:
    """A request's body, read once, as it would leave the client: piece by piece."""

    def __init__(self, request: httpx.Request) -> None:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self._pieces = iter(request.stream)
        self.begun = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.begun = True
            yield piece

    def drain(self) -> None:
        """Send what the server did not care to read: it answered, and the client had no reason to stop."""
        for _ in self._pieces:
            pass
