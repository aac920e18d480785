"""The connector's command line with a lease of a few seconds, for tests of what happens when one runs out.

Named by TEST_STOP_AT, a failpoint stops the process there (SIGSTOP), once the file TEST_STOP_IF exists: never within a
transaction, where a stopped process locks a SQLite ledger. TEST_BUSY_SECONDS says how long locks are waited for.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

import connector.cli.daemon
import connector.ledger.database
import connector.ledger.lease
from connector import failpoints
from connector.cli import main
from connector.ledger.database import Database

LEASE_SECONDS: Final = 5.0
_writing = Database.writing
_one_at_a_time = threading.RLock()


@contextmanager
def _alone(database: Database, step: str, **options: Any) -> Iterator[Connection]:
    with _one_at_a_time, _writing(database, step, **options) as connection:
        yield connection


def _stop(name: str) -> None:
    if name == os.environ["TEST_STOP_AT"] and Path(os.environ["TEST_STOP_IF"]).exists():
        failpoints.arm(None)
        with _one_at_a_time:
            # This very thread is told, so that it goes no step further. Told as a whole, the process would stop when
            # another of its threads gets its turn; on a busy machine this one might be in a transaction by then.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


if __name__ == "__main__":
    connector.ledger.lease.LEASE_SECONDS = LEASE_SECONDS  # type: ignore[misc]
    connector.cli.daemon.AGAIN_SECONDS = 0.5  # type: ignore[misc]
    connector.ledger.database.BUSY_SECONDS = float(  # type: ignore[misc]
        os.environ.get("TEST_BUSY_SECONDS", connector.ledger.database.BUSY_SECONDS)
    )
    if "TEST_STOP_AT" in os.environ:
        Database.writing = _alone  # type: ignore[method-assign]
        failpoints.arm(_stop)
    sys.exit(main())
