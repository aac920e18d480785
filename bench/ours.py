"""What is measured of the connector, a process each: `python -m bench.ours WHAT --url SOURCE ...`."""

import argparse
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=[*_WORK])
    parser.add_argument("--url", required=True, help="of the source")
    parser.add_argument("--state", help="URL of the ledger; by default a new one in SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIRECTORY")) as directory:
        given = {
            "SOURCE_URL": options.url,
            "STATE_URL": options.state or f"sqlite:///{directory}/ledger.db",
            "SPOOL_DIR": f"{directory}/spool",
            "MAPPING": str(MAPPING),
            "ACCOUNT_WAIT_SECONDS": "0",
        }
        os.environ.update({f"CONNECTOR_{name}": value for name, value in given.items()})
        with Wiring(load_settings(), SystemClock(), Silent()) as wiring:
            _WORK[options.what](wiring)


def _file(wiring: Wiring) -> None:
    """Read and encode every deal, and seal it in files: no ledger."""
    entity = _entity(wiring, ObjectType.DEAL)
    assert entity.relation is not None
    now = int(wiring.clock.now())
    writer = wiring.spool.begin("deals")
    for chunk in wiring.source.changes(entity.relation, None):
        for line in entity.encode(chunk, now).lines:
            modified = now if line.stamp is None else line.stamp
            writer.add(lines.seal(line.body, modified), modified)
    sealed = writer.seal()
    print(f"{sealed.lines} lines, {sealed.bytes} bytes")


def _book(wiring: Wiring) -> None:
    """A whole first load less the network: read, encode, digest, decide, seal, book."""
    _first_load(wiring)


def _compare(wiring: Wiring) -> None:
    """A comparison of everything where nothing changed, after a first load that is not its own time's part."""
    _first_load(wiring)


def _first_load(wiring: Wiring) -> None:
    wiring.take_lease()
    reading = wiring.reader.extract(_entity(wiring, ObjectType.ACCOUNT))
    for batch in wiring.store.batches((BatchState.SPOOLED,)):
        wiring.store.mark_sending(batch)
        wiring.store.mark_done(batch, RequestStatus(Processing.DONE, (), 0, batch.lines), 0.0)
    reading = wiring.reader.extract(_entity(wiring, ObjectType.DEAL))
    print(reading.counts)


def _entity(wiring: Wiring, object_type: ObjectType) -> Entity:
    return next(entity for entity in wiring.mapping.entities if entity.type is object_type)


_WORK: Final[dict[str, Callable[[Wiring], None]]] = {"file": _file, "book": _book, "compare": _compare}


if __name__ == "__main__":
    logging.disable()
    main()
