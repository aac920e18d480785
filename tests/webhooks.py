"""A webhook on this machine, as a team's chat would give one: it remembers what it is told, and answers as asked to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/services/T0/canary-8b2e-webhook"


@dataclass
class Chat:
    """What was posted, and what is answered."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the messages that it took."""
    tries: int = 0
    status: int = 200
    says: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Everything that it was told."""
        return json.dumps(self.got, ensure_ascii=False)


@contextmanager
def webhook() -> Iterator[Chat]:
    """Serve one."""
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chat.tries += 1
            if chat.status == 200:
                assert self.path.startswith(SECRET_PATH)
                assert self.headers["Content-Type"] == "application/json"
                chat.got.append(json.loads(body))
            said = chat.says.encode()
            self.send_response(chat.status)
            for name, value in {"Content-Length": str(len(said)), **chat.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
