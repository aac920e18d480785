"""The sandbox as a process of its own: it says where it is, keeps its file, and ends when told."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx

SCRIPT = """
import sys, time
from connector.sandbox.api import SandboxApi
from connector.sandbox.server import serve
from connector.sandbox.world import World
world = World(sys.argv[1], now=time.time)
serve(SandboxApi(world), ready=lambda url: print(url, flush=True))
world.close()
print("ended", flush=True)
"""


def test_it_serves_until_told_to_end_and_keeps_its_file(tmp_path: Path) -> None:
    seen = []
    for told in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "gong.db")], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            answer = httpx.put(
                f"{url}/v2/crm/integrations",
                auth=("sandbox-key", "sandbox-secret"),
                timeout=60,  # on a machine that is busy
                json={"name": "A", "ownerEmail": "a@b.example"},
            )
            seen.append(answer.status_code)
            process.send_signal(told)
            assert process.stdout.read() == "ended\n"
        assert process.returncode == 0
    assert seen == [200, 409]
