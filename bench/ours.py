"""What is measured of the connector, a process each: `python -m bench.ours WHAT DIRECTORY --url SOURCE ...`."""

import argparse
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from connector import lines
from connector.clock import SystemClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.ledger.records import BatchState
from connector.mapping import Entity
from connector.model import Processing, RequestStatus
from connector.object_types import ObjectType
from connector.settings import load_settings

MAPPING: Final = Path(__file__).parent / "deals.yaml"


def environment(directory: Path, url: str, state: str | None, gong: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Return the settings of a connector whose files are in `directory`."""
    given = {
        "SOURCE_URL": url,
        "STATE_URL": state or f"sqlite:///{directory}/ledger.db",
        "SPOOL_DIR": f"{directory}/spool",
        "MAPPING": str(MAPPING),
        "ACCOUNT_WAIT_SECONDS": "0",
        "POLL_MIN_SECONDS": "0.01",
        "CALLS_PER_SECOND": "1000",
        "GONG_BASE_URL": gong,
        "GONG_ACCESS_KEY": "bench",
        "GONG_ACCESS_KEY_SECRET": "bench",
        "LOG_LEVEL": "ERROR",
    }
    return {f"CONNECTOR_{name}": value for name, value in given.items()}


def main() -> None:
    """Do one thing; print what was done, and the seconds of its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=[*_WORK])
    parser.add_argument("directory", type=Path, help="of ledger and spool")
    parser.add_argument("--url", required=True, help="of the source")
    parser.add_argument("--state", help="URL of the ledger; by default in SQLite")
    options = parser.parse_args()
    os.environ.update(environment(options.directory, options.url, options.state))
    with Wiring(load_settings(), SystemClock(), Silent()) as wiring:
        _WORK[options.what](wiring)


def _file(wiring: Wiring) -> None:
    """Read and encode every deal, and seal it in a file: no ledger."""
    entity = entity_of(wiring, ObjectType.DEAL)
    assert entity.relation is not None
    now = int(wiring.clock.now())
    with wiring.spool.begin("deals") as writer:
        for chunk in wiring.source.changes(entity.relation, None):
            _, stamps, bodies, *_ = zip(*entity.encode(chunk, now).lines, strict=True)
            writer.extend(bodies, lines.closings(stamps), stamps)
        sealed = writer.seal()
    wiring.spool.remove("deals")
    print(f"{sealed.lines} lines, {sealed.bytes} bytes")


def _book(wiring: Wiring) -> None:
    """A whole first load less the network: read, encode, digest, decide, seal, book; everything counts as settled."""
    _take(wiring)
    for object_type in (ObjectType.ACCOUNT, ObjectType.DEAL):
        with _timed(f"load of {object_type}"):
            print(wiring.rounds.reader.extract(entity_of(wiring, object_type)).counts)
        for batch in wiring.store.batches((BatchState.SPOOLED,)):
            wiring.store.mark_sending(batch)
            wiring.store.mark_done(batch, RequestStatus(Processing.DONE, (), 0, batch.lines), 0.0)
            wiring.spool.remove(batch.file)


def _changed(wiring: Wiring) -> None:
    """An incremental pass after a first load."""
    _take(wiring)
    with _timed("pass"):
        print(wiring.rounds.reader.extract(entity_of(wiring, ObjectType.DEAL)).counts)
    for batch in wiring.store.batches((BatchState.SPOOLED,)):
        wiring.store.mark_sending(batch)
        wiring.store.mark_done(batch, RequestStatus(Processing.DONE, (), 0, batch.lines), 0.0)
        wiring.spool.remove(batch.file)


def _compare(wiring: Wiring) -> None:
    """A comparison of everything after a first load."""
    _take(wiring)
    with _timed("comparison"):
        print(wiring.reconciler.reconcile(ObjectType.DEAL))


def _take(wiring: Wiring) -> None:
    wiring.take_lease()
    wiring.store.set_meta("integration_id", "1")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = perf_counter()
    yield
    print(f"{what}: {perf_counter() - began:.2f} s")


def entity_of(wiring: Wiring, object_type: ObjectType) -> Entity:
    """Return the mapping's entity source of a type."""
    return next(entity for entity in wiring.mapping.entities if entity.type is object_type)


_WORK: Final[dict[str, Callable[[Wiring], None]]] = {
    "file": _file,
    "book": _book,
    "changed": _changed,
    "compare": _compare,
}


if __name__ == "__main__":
    logging.disable()
    main()
