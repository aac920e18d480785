"""A user's first hour with nothing but the installed package, in an empty directory; prints what came of it as JSON."""

import contextlib
import io
import json
import os
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import connector
from connector.cli import main
from connector.sandbox import demo_crm
from connector.sandbox.api import SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World

HOME = Path(connector.__file__).parent
PAGES = ("/healthz", "/readyz", "/", "/static/page.css", "/metrics")


def visit(port: int, seen: dict[str, int]) -> None:
    """Look at the daemon's page, then end the daemon."""
    until = time.monotonic() + 60
    while time.monotonic() < until and PAGES[-1] not in seen:
        with contextlib.suppress(OSError):
            for path in PAGES:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    seen[path] = answer.status
        time.sleep(0.1)
    os.kill(os.getpid(), 15)


def free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def live() -> dict[str, object]:
    """Configure, check, register, sync, look, run."""
    demo_crm.create(Path("crm.db"), 1, time.time(), accounts=5)
    Path("config").mkdir()
    Path("config/mapping.yaml").write_text((HOME / "_config" / "demo.yaml").read_text())
    world = World(now=time.time, behaviour=Behaviour(calls_per_second=None, pending_seconds=0, processing_seconds=0))
    port, page = free_port(), {}
    with running(SandboxApi(world)) as url:
        Path(".env").write_text(
            f"CONNECTOR_SOURCE_URL=sqlite:///crm.db\nCONNECTOR_GONG_BASE_URL={url}\nCONNECTOR_WEB_PORT={port}\n"
            "CONNECTOR_GONG_ACCESS_KEY=sandbox-key\nCONNECTOR_GONG_ACCESS_KEY_SECRET=sandbox-secret\n"
            "CONNECTOR_ACCOUNT_WAIT_SECONDS=0\nCONNECTOR_POLL_MIN_SECONDS=0.05\nCONNECTOR_CALLS_PER_SECOND=100\n"
        )
        statuses = {}
        for command in ("check", "register", "sync", "status", "run"):
            if command == "run":
                threading.Thread(target=visit, args=(port, page), daemon=True).start()
            with contextlib.redirect_stdout(io.StringIO()):
                statuses[command] = int(main([command]))
        told = sum(upload.success_count for upload in world.uploads())
    return {"home": str(HOME), "statuses": statuses, "in Gong": told, "page": page}


if __name__ == "__main__":
    print(json.dumps(live()))
