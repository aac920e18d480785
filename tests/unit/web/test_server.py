"""The page's own thread: a port that is taken stops nothing, and the end is quick."""

import http.client
import socket
import threading

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from connector.engine.observe import Fact
from connector.web import server
from connector.web.server import Server

PATIENCE_SECONDS = 60


class Said:
    """Notes what is said, and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Fact]]] = []
        self.news = threading.Semaphore(0)

    def event(self, name: str, **facts: Fact) -> None:
        self.events.append((name, facts))
        self.news.release()


def app() -> Starlette:
    return Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])


def test_a_port_that_is_taken_is_said_once_and_used_as_soon_as_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "AGAIN_SECONDS", 0.01)
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    said = Said()
    tried = Server(app(), "127.0.0.1", port, said)
    thread = threading.Thread(target=tried.serve, daemon=True)
    thread.start()
    assert said.news.acquire(timeout=PATIENCE_SECONDS)
    other.close()
    assert said.news.acquire(timeout=PATIENCE_SECONDS)
    assert [name for name, _ in said.events] == ["web.failed", "web.started"]
    assert f"127.0.0.1, port {port}: " in str(said.events[0][1]["error"])
    assert "CONNECTOR_WEB_PORT" in str(said.events[0][1]["error"])
    kept_open = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    kept_open.request("GET", "/")
    assert kept_open.getresponse().read() == b"here"
    tried.stop()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "a browser that keeps its connection open does not keep the process"
    kept_open.close()


def test_the_end_may_come_before_the_beginning() -> None:
    said = Said()
    early = Server(app(), "127.0.0.1", 0, said)
    early.stop()
    early.serve()
    assert said.events == []
