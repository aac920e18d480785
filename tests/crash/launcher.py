"""Runs the command line in processes of its own, and strikes them at failpoints: `python -m tests.crash.launcher`.

Reads an order (JSON) a line, writes the process's id, and its exit status when it has ended. The process is a fork of
this one, which has imported everything and begun nothing: it is what `python -m connector` is, a second earlier.
"""

import errno
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401 - what is imported here is not imported in each process

import connector.cli.daemon
import connector.cli.failures
import connector.cli.reconcile
import connector.cli.register
import connector.cli.resend
import connector.cli.sync
import connector.cli.verify  # noqa: F401
from connector import failpoints
from connector.cli import main

KILL, TERMINATE, FILL_DISK = "kill", "terminate", "fill the disk"
PATIENCE_SECONDS = 180
"""A process that is not done by then is ended by SIGALRM."""
TERMINATED_AT = "terminated-at"
"""A file in the process's directory that tells when SIGTERM was sent."""


@dataclass(slots=True)
class Strike:
    """What happens at a failpoint."""

    at: str
    what: str = KILL
    hit: int = 1
    """The how manyeth time it is reached."""
    times: int = 1
    """How often from then on; for a full disk only."""

    def reached(self, name: str) -> None:
        """Strike if it is time; raises OSError for a disk that is full."""
        if name != self.at:
            return
        self.hit -= 1
        if not -self.times < self.hit <= 0:
            return
        if self.what == FILL_DISK:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.what == TERMINATE:
            Path(TERMINATED_AT).write_text(str(time.monotonic()))
        os.kill(os.getpid(), signal.SIGKILL if self.what == KILL else signal.SIGTERM)


def _become(order: dict[str, Any]) -> int:
    """Be the process of that order; return its exit status."""
    signal.alarm(PATIENCE_SECONDS)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["home"])
    sys.stdin.close()
    for stream, name in ((1, "out"), (2, "err")):
        file = os.open(Path(order["home"]) / f"process.{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream)
    strikes = [Strike(**strike) for strike in order["strikes"]]

    def reached(name: str) -> None:
        for strike in strikes:
            strike.reached(name)

    failpoints.arm(reached)
    return main(order["arguments"])


def _serve() -> int:
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if process == 0:
            return _become(json.loads(line))
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
