"""The way to Gong as companies have it: keys that change, a proxy, a certificate authority of their own."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from select import select

import pytest
from authority import Authority
from in_process import SandboxTransport

from connector.clock import FakeClock, SystemClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.errors import GongDenied
from connector.gong import AccessKeyAuth, GongClient, GongUnavailable
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.world import World
from connector.settings import load_settings

SECRET = "canary-secret-2e90"
PROXY_PASSWORD = "canary-proxy-2e90"


class Unlimited:
    """A limiter that lets every call pass."""

    def acquire(self, priority: int) -> float:
        return 0.0

    def finished(self, booked: float) -> None:
        pass

    def throttled(self, until: float) -> None:
        pass


# -- keys --------------------------------------------------------------------------------------------


def test_gongs_key_changes_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "connector_gong_access_key").write_text("key")
    (secrets / "connector_gong_access_key_secret").write_text("first")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTOR_SECRETS_DIR", str(secrets))
    monkeypatch.setenv("CONNECTOR_GONG_BASE_URL", "http://localhost")
    clock = FakeClock(1_800_000_000)
    world = World(now=clock.now, behaviour=Behaviour(calls_per_second=None))
    api = SandboxApi(world, Credentials("key", "first"))
    with Wiring(load_settings(), clock, Silent(), transport=SandboxTransport(api)) as wiring:
        assert wiring.client.integrations() == []
        api.credentials = Credentials("key", "second")
        with pytest.raises(GongDenied, match="CONNECTOR_GONG_ACCESS_KEY_SECRET"):
            wiring.client.integrations()
        (secrets / "connector_gong_access_key_secret").write_text("second\n")
        assert wiring.client.integrations() == []
    assert [call.status for call in world.calls()] == [200, 401, 200]
    world.close()


# -- TLS, and a proxy --------------------------------------------------------------------------------


class _Gong(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"integrations": [{"integrationId": "7", "name": "Acme", "ownerEmail": "a@acme.example"}]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Proxy:
    """A proxy that joins callers with whom they name, and writes down what it sees."""

    port: int
    heads: list[bytes] = field(default_factory=list)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def company_ca(tmp_path: Path) -> Authority:
    authority = Authority("The company")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return authority


@pytest.fixture
def gong(tmp_path: Path, company_ca: Authority) -> Iterator[int]:
    """A Gong whose certificate the company's own authority gave to `gong.example`."""
    certified = company_ca.certify("gong.example")
    (tmp_path / "server.pem").write_bytes(certified.certificate + certified.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gong)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # callers that do not trust it hang up
    with serving(server) as port:
        yield port


@pytest.fixture
def proxy(gong: int) -> Iterator[Proxy]:
    """The only way to `gong.example`."""
    seen = Proxy(0)

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.heads.append(self.requestline.encode() + b"\n" + bytes(self.headers))
            with socket.create_connection(("127.0.0.1", gong)) as there:
                self.send_response(200)
                self.end_headers()
                ends = {self.connection: there, there: self.connection}
                while True:
                    for end in select(list(ends), [], [], 5)[0]:
                        if not (data := end.recv(65536)):
                            return
                        ends[end].sendall(data)

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        seen.port = port
        yield seen


def client(ca_file: Path | None) -> GongClient:
    auth = AccessKeyAuth("https://gong.example", "key", SECRET)
    return GongClient(auth, Unlimited(), SystemClock(), ca_file=None if ca_file is None else str(ca_file))


def test_gong_is_reached_through_the_proxy_with_the_companys_authority(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
    with client(tmp_path / "ca.pem") as made:
        assert [one.integration_id for one in made.integrations()] == [7]
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT gong.example:443 ")
    assert b"Proxy-Authorization: Basic " in head
    assert b"\nAuthorization" not in head
    assert SECRET.encode() not in head


def test_without_the_authority_nothing_is_sent(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
    (tmp_path / "other.pem").write_bytes(Authority("Somebody else").pem)
    for ca_file in (None, tmp_path / "other.pem"):
        with client(ca_file) as made, pytest.raises(GongUnavailable, match="CERTIFICATE_VERIFY_FAILED") as caught:
            made.integrations()
        assert PROXY_PASSWORD not in str(caught.value)


def test_what_no_proxy_names_goes_straight(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "gong.example")
    with client(None) as made, pytest.raises(GongUnavailable, match="ConnectError"):
        made.integrations()
    assert proxy.heads == []
