"""A server that takes Gong's calls and throws away what is uploaded: what an upload costs without anyone at its end.

`python -m bench.drain PORT`. Every file is DONE at the first question. For curl it drains any POST.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

_PIECE: Final = bytearray(1024 * 1024)


class Drain(BaseHTTPRequestHandler):
    """Answers as a company that has one integration and whatever schema it is given."""

    protocol_version = "HTTP/1.1"
    schemas: Final[dict[str, list[Any]]] = {}

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match url.path.rpartition("/")[2]:
            case "integrations":
                self._answer({"integrations": [{"integrationId": "1", "name": "Bench", "ownerEmail": "b@example.com"}]})
            case "entity-schema":
                kind = parse_qs(url.query)["objectType"][0]
                self._answer({"objectTypeToSelectedFields": {kind: self.schemas.get(kind, [])}})
            case _:
                self._answer({"status": "DONE", "errors": [], "totalErrorCount": 0, "totalSuccessCount": 0})

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("entity-schema"):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.schemas[parse_qs(url.query)["objectType"][0]] = orjson.loads(body)
            self._answer({"requestId": "x"})
            return
        self._drain()
        self._answer({"requestId": "x", "clientRequestId": parse_qs(url.query).get("clientRequestId", ["x"])[0]}, 201)

    do_PUT = do_POST  # noqa: N815 - the name that http.server calls

    def _drain(self) -> None:
        left = int(self.headers["Content-Length"])
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        with memoryview(_PIECE) as piece:
            while left:
                left -= self.rfile.readinto1(piece[: min(left, len(piece))])

    def _answer(self, document: object, status: int = 200) -> None:
        body = orjson.dumps(document)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Drain).serve_forever()
