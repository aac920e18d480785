"""What each stage of a first load costs alone, in microseconds a row: `python -m bench.stages [--rows N]`.

Ten chunks of the deals in PostgreSQL go through each stage again and again; the least time counts, so that a busy
machine hardly changes it. With it stands what psql takes for a row of the same as JSON: the line to be under.
"""

import argparse
import logging
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, time
from typing import Final

from bench import data
from bench.ours import entity_of, environment
from bench.peers import PSQL_JSON
from connector import lines
from connector.clock import SystemClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType
from connector.settings import load_settings

CHUNKS: Final = 10
TIMES: Final = 40


def main() -> None:
    """Make the data unless they are there, and print the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of the table that is read and that psql writes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        data.make_postgres(directory, options.rows)
        url = data.postgres_url(options.rows).set(drivername="postgresql").render_as_string(hide_password=False)
        os.environ.update(environment(directory, url, None))
        with Wiring(load_settings(), SystemClock(), Silent()) as wiring:
            for stage, seconds in _stages(wiring, options.rows).items():
                print(f"{stage:58} {seconds * 1e6:6.2f}")
        command = ["psql", "-qX", url, "-c", f"\\copy ({PSQL_JSON}) to '{directory}/out.jsonl'"]
        whole = _least(lambda: subprocess.run(command, check=True), 5) / options.rows
        print(f"{'psql, the same rows as JSON, whole process':58} {whole * 1e6:6.2f}")


def _stages(wiring: Wiring, rows: int) -> dict[str, float]:
    entity, now = entity_of(wiring, ObjectType.DEAL), int(time())
    assert entity.relation is not None
    relation = entity.relation
    reading = _least(lambda: sum(map(len, wiring.source.changes(relation, None))), 5)
    found = {"read: rows as Python values": reading / rows}
    stream = wiring.source.changes(relation, None)
    chunks = [next(stream) for _ in range(CHUNKS)]
    stream.close()  # type: ignore[attr-defined]  # changes returns a generator
    share = sum(map(len, chunks))
    made = [entity.encode(chunk, now).lines for chunk in chunks]
    columns = [tuple(zip(*of_chunk, strict=True)) for of_chunk in made]
    endings = [lines.closings(column[1]) for column in columns]

    def write() -> None:
        with wiring.spool.begin("stages") as writer:
            for column, ending in zip(columns, endings, strict=True):
                writer.extend(column[2], ending, column[1])

    for stage, work in {
        "encode: lines, digests, what Gong would miss": lambda: [entity.encode(chunk, now) for chunk in chunks],
        "close: each line's modifiedDate": lambda: [lines.closings(column[1]) for column in columns],
        "write: join, hash, file (the latter two by a thread)": write,
    }.items():
        found[stage] = _least(work, TIMES) / share
    return found


def _least(work: Callable[[], object], times: int) -> float:
    """Return the seconds of the quickest of some runs."""
    least = float("inf")
    for _ in range(times):
        began = perf_counter()
        work()
        least = min(least, perf_counter() - began)
    return least


if __name__ == "__main__":
    logging.disable()
    main()
