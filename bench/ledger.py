"""Books objects in a ledger as a first load does, and settles them: `python -m bench.ledger [--objects N] [--url URL]`.

Prints seconds and objects a second for the first file of each object (insert) and the second (update).
"""

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from connector.clock import SystemClock
from connector.engine.intake import MOST_LINES
from connector.ledger.database import Database
from connector.ledger.lease import Lease
from connector.ledger.migrate import migrate
from connector.ledger.records import BatchState, Booking, Counts, NewBatch, PassKind, Send
from connector.ledger.store import Store
from connector.model import Processing, RequestStatus
from connector.object_types import ObjectType


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--url", help="of an empty ledger; by default SQLite in a temporary directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = options.url or f"sqlite:///{Path(directory) / 'ledger.db'}"
        measure(url, options.objects)


def measure(url: str, count: int) -> None:
    """Book `count` objects twice in the ledger at `url`, settling each time."""
    database, clock = Database(url), SystemClock()
    migrate(database)
    lease = Lease(database, clock, "bench")
    if lease.acquire() is not None:
        raise SystemExit("the ledger is in use; give an empty one")
    store = Store(database, clock)
    keys = [str(number) for number in range(count)]
    random.Random(1).shuffle(keys)  # rows come by time, not by key
    pass_id = store.begin_pass("DEAL", PassKind.LOAD, "bench", None)
    for kind in ("insert", "update"):
        seconds = 0.0
        for start in range(0, count, MOST_LINES):
            booking = _booking(keys[start : start + MOST_LINES], pass_id, f"{kind}-{start}")
            began = time.perf_counter()
            store.book(booking)
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        for batch in store.batches((BatchState.SPOOLED,)):
            store.mark_sending(batch)
            store.mark_done(batch, RequestStatus(Processing.DONE, (), 0, batch.lines), 0.0)
        settled = time.perf_counter() - began
        print(
            f"{database.engine.dialect.name}: {kind} of {count:,} objects booked in {seconds:.1f} s "
            f"({count / seconds:,.0f} a second), settled in {settled:.3f} s"
        )
    lease.release()
    database.close()


def _booking(keys: list[str], pass_id: int, name: str) -> Booking:
    sends = [Send(key, os.urandom(16), False, 1_800_000_000, line, None, None) for line, key in enumerate(keys, 1)]
    batch = NewBatch(PassKind.LOAD, name, name, len(sends), 1, "")
    return Booking(ObjectType.DEAL, 0, pass_id, Counts(rows=len(sends), lines=len(sends)), batch, sends)


if __name__ == "__main__":
    main()
