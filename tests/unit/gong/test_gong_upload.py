"""Uploads over real sockets: the exact body, bounded memory, and connections that break."""

import os
import re
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest

from connector.clock import SystemClock
from connector.errors import LeaseLost
from connector.gong import AccessKeyAuth, DataFileChanged, GongClient, UploadResult
from connector.object_types import ObjectType

PLENTY = 16 * 1024 * 1024
ANSWER = (
    b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{"clientRequestId": "id-123"}'
)
ANSWER = ANSWER.replace(b"28", str(len(b'{"clientRequestId": "id-123"}')).encode())


class Server:
    """Takes one connection and hands it to `serve`; `head` and `body` are what was read with `read_all`."""

    def __init__(self, serve: Callable[["Server", socket.socket], None]) -> None:
        self.head, self.body, self.length = b"", bytearray(), 0
        self.keep = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, args=(serve,))
        self._thread.start()

    def _run(self, serve: Callable[["Server", socket.socket], None]) -> None:
        with self._listener, self._listener.accept()[0] as connection:
            connection.settimeout(20)
            serve(self, connection)

    def read_head(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            assert piece, "the client went away"
            data += piece
        self.head, _, rest = data.partition(b"\r\n\r\n")
        self.length = int(re.search(rb"(?i)content-length: (\d+)", self.head)[1])
        return rest

    def read_all(self, connection: socket.socket) -> None:
        piece = self.read_head(connection)
        got = 0
        while True:
            got += len(piece)
            if self.keep:
                self.body += piece
            if got >= self.length:
                return
            piece = connection.recv(65536)
            if not piece:
                return

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def serve(gong) -> Iterator[Callable[..., tuple[Server, GongClient]]]:
    opened = []

    def start(behaviour: Callable[[Server, socket.socket], None]) -> tuple[Server, GongClient]:
        server = Server(behaviour)
        client = GongClient(AccessKeyAuth(server.url, "k", "s"), gong.limiter, SystemClock(), timeout=15)
        opened.append((server, client))
        return server, client

    yield start
    for server, client in opened:
        client.close()
        server.join()


@pytest.fixture
def one_line(tmp_path: Path) -> Path:
    file = tmp_path / "data"
    file.write_bytes(b"{}\n")
    return file


def accept(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    connection.sendall(ANSWER)


def test_the_body_is_one_part_with_the_files_bytes_and_an_exact_length(serve, tmp_path):
    data = '{"objectId":"1","name":"é\u2028"}\n'.encode() * 70_000
    file = tmp_path / "data"
    file.write_bytes(data)
    server, client = serve(accept)
    outcome = client.upload(2**60 + 1, ObjectType.DEAL, "id-123", file, len(data))
    server.join()
    assert outcome.result is UploadResult.ACCEPTED
    request_line, _, headers = server.head.partition(b"\r\n")
    assert request_line == (
        b"POST /v2/crm/entities?integrationId=1152921504606846977&objectType=DEAL&clientRequestId=id-123 HTTP/1.1"
    )
    assert b"transfer-encoding" not in headers.lower()
    assert len(server.body) == server.length
    parts = message_from_bytes(headers + b"\r\n\r\n" + bytes(server.body)).get_payload()
    (part,) = parts
    assert part.get_param("name", header="Content-Disposition") == "dataFile"
    assert part.get_filename() == "DEAL-id-123.jsonl"
    assert part.get_payload(decode=True) == data


def test_a_file_is_never_held_in_memory(serve, tmp_path):
    file = tmp_path / "data"
    with file.open("wb") as stream:
        stream.truncate(4 * PLENTY)
    server, client = serve(accept)
    server.keep = False
    tracemalloc.start()
    try:
        outcome = client.upload(1, ObjectType.DEAL, "id-123", file, 4 * PLENTY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcome.result is UploadResult.ACCEPTED
    assert peak < PLENTY // 2


@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
def test_whoever_may_not_send_any_more_sends_no_further_piece(serve, tmp_path, allowed):
    """`begin` ahead of the first byte, `keep` ahead of each piece of a megabyte, the last one included."""
    file = tmp_path / "data"
    file.write_bytes(b"x" * 2 * 2**20)
    server, client = serve(close_without_answer)
    asked = []

    def hold() -> None:
        asked.append(len(asked))
        if len(asked) > allowed:
            raise LeaseLost("another one is active")

    with pytest.raises(LeaseLost):
        client.upload(1, ObjectType.DEAL, "id-123", file, 2 * 2**20, begin=hold, keep=hold)
    server.join()
    assert bool(server.body) == (allowed > 0)
    assert server.body.count(b"x") == max(allowed - 1, 0) * 2**20
    assert len(server.body) < server.length


def reset_in_mid_body(server: Server, connection: socket.socket) -> None:
    server.read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close_without_answer(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)


def cut_answer(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    connection.sendall(ANSWER[:-5])


def no_http(server: Server, connection: socket.socket) -> None:
    server.read_all(connection)
    connection.sendall(b"what do you want?\r\n\r\n")


@pytest.mark.parametrize("behaviour", [reset_in_mid_body, close_without_answer, cut_answer, no_http])
def test_a_connection_that_breaks_leaves_it_open_whether_the_file_arrived(serve, tmp_path, behaviour):
    file = tmp_path / "data"
    with file.open("wb") as stream:
        stream.truncate(PLENTY)
    _, client = serve(behaviour)
    outcome = client.upload(1, ObjectType.DEAL, "id-123", file, PLENTY)
    assert outcome.result is UploadResult.AMBIGUOUS
    assert outcome.detail


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_was_sent_when_nobody_listens(gong, one_line, scheme):
    with GongClient(
        AccessKeyAuth(f"{scheme}://127.0.0.1:{closed_port()}", "k", "s"), gong.limiter, SystemClock()
    ) as client:
        outcome = client.upload(1, ObjectType.DEAL, "id-123", one_line, 3)
    assert outcome.result is UploadResult.UNREACHABLE
    assert "refused" in outcome.detail


def test_nothing_was_sent_when_the_name_is_not_known(gong, one_line, monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with GongClient(
        AccessKeyAuth("https://gong.example", "k", "s"), gong.limiter, SystemClock(), trust_env=False
    ) as client:
        outcome = client.upload(1, ObjectType.DEAL, "id-123", one_line, 3)
    assert outcome.result is UploadResult.UNREACHABLE
    assert "Name or service not known" in outcome.detail


def test_nothing_was_sent_when_the_proxy_refuses_and_the_proxy_sees_no_credentials(gong, one_line, monkeypatch):
    seen = bytearray()

    def refuse(server: Server, connection: socket.socket) -> None:
        while b"\r\n\r\n" not in seen:
            seen.extend(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    server = Server(refuse)
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", server.url)
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with GongClient(AccessKeyAuth("https://gong.example", "k", "s"), gong.limiter, SystemClock()) as client:
        outcome = client.upload(1, ObjectType.DEAL, "id-123", one_line, 3)
    server.join()
    assert outcome.result is UploadResult.UNREACHABLE
    assert "407" in outcome.detail
    assert seen.startswith(b"CONNECT gong.example:443 ")
    assert b"authorization" not in seen.lower()


def test_nothing_was_sent_when_the_other_side_speaks_no_tls(gong, one_line):
    def answer_plainly(server: Server, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = Server(answer_plainly)
    client = GongClient(AccessKeyAuth(server.url.replace("http:", "https:"), "k", "s"), gong.limiter, SystemClock())
    assert client.upload(1, ObjectType.DEAL, "id-123", one_line, 3).result is UploadResult.UNREACHABLE
    client.close()
    server.join()


@pytest.mark.parametrize("size", [0, 2, 4])
def test_a_file_of_another_length_is_not_sent_and_costs_no_call(gong, tmp_path, size):
    file = tmp_path / "data"
    file.write_bytes(b"{}\n")
    with pytest.raises(DataFileChanged, match="data"):
        gong.client.upload(1, ObjectType.DEAL, "id", file, size)
    assert gong.requests == []
    assert gong.limiter.acquired == []


def test_a_missing_file_is_not_sent(gong, tmp_path):
    with pytest.raises(DataFileChanged, match="gone"):
        gong.client.upload(1, ObjectType.DEAL, "id", tmp_path / "gone", 3)


@pytest.mark.parametrize("length", [0, 2 * PLENTY])
def test_a_file_that_changes_while_it_is_sent_never_makes_a_whole_request(gong, tmp_path, length):
    file = tmp_path / "data"
    file.write_bytes(bytes(PLENTY))
    received = 0

    class Meddler(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal received
            for piece in request.stream:  # type: ignore[union-attr]
                received += len(piece)
                os.truncate(file, length)
                assert received < int(request.headers["Content-Length"])
            raise AssertionError("the body ended as if it were whole")

    client = GongClient(
        AccessKeyAuth("https://gong.example", "k", "s"), gong.limiter, SystemClock(), transport=Meddler()
    )
    with pytest.raises(DataFileChanged):
        client.upload(1, ObjectType.DEAL, "id", file, PLENTY)
    assert received > 0


@pytest.mark.parametrize("request_id", ["", "a b", 'a"b', "a\r\nX: y", "../x", "é"])
def test_request_ids_that_could_break_a_header_are_refused(gong, tmp_path, request_id):
    with pytest.raises(ValueError, match="request id"):
        gong.client.upload(1, ObjectType.DEAL, request_id, tmp_path / "x", 3)


def test_the_same_file_under_the_same_id_makes_the_same_bytes(gong, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(b"{}\n")
    gong.answers(500)
    for _ in range(2):
        gong.client.upload(1, ObjectType.DEAL, "id", file, 3)
    first, second = (request.content for request in gong.requests)
    assert first == second
    assert b"{}\n" in first
