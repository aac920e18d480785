"""A history of a million logged changes: `python -m bench.history` prints a Markdown table.

Deals in PostgreSQL with a log of their fields, the connector's ledger in SQLite, all files taken for settled at once:
what is measured is reading, rebuilding, staging, writing and booking, without the network. Each size is a process of
its own, so that its memory is its own. The databases are called `bench_history_N` and are dropped at the end.
"""

import argparse
import logging
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import psycopg
from sqlalchemy.engine import URL

from bench.data import POSTGRES
from bench.ours import environment
from connector.clock import SystemClock
from connector.engine.observe import Silent
from connector.engine.operations import histories
from connector.engine.wiring import Wiring
from connector.ledger.backfills import BackfillState
from connector.ledger.records import BatchState
from connector.model import Processing, RequestStatus
from connector.object_types import ObjectType
from connector.settings import load_settings

OBJECTS: Final = 200_000
ROWS: Final = (100_000, 1_000_000)
MAPPING: Final = """
version: 1
integration: {name: Bench, owner_email: bench@acme.example}
entities:
  DEAL:
    table: deals
    key: id
    modified: updated_at
    fields: {name: name, stage: stage, amount: amount, createdDate: created_at}
    history: {kind: field_log, table: deal_log, key: deal_id, field: field, before: before, after: after,
              changed_at: changed_at, sequence: id, names: [stage, amount]}
"""
SCHEMA: Final = """
CREATE TABLE deals (id bigint PRIMARY KEY, name text, stage text, amount numeric(14,2), created_at timestamp,
                    updated_at timestamp);
CREATE TABLE deal_log (id bigint PRIMARY KEY, deal_id bigint, field text, before text, after text,
                       changed_at timestamp);
INSERT INTO deal_log
  SELECT n, (n * 7919) % {objects} + 1, CASE WHEN n / {objects} % 2 = 0 THEN 'stage' ELSE 'amount' END,
         (n / {objects} / 2)::text, (n / {objects} / 2 + 1)::text, timestamp '2024-01-01' + n * interval '20 seconds'
  FROM generate_series(0::bigint, {rows} - 1) n;
INSERT INTO deals
  SELECT d, 'Deal ' || d, COALESCE(s.last, '0'), COALESCE(a.last, '0')::numeric, '2023-12-01', '2026-01-01'
  FROM generate_series(1, {objects}) d
  LEFT JOIN (SELECT deal_id, max(after::int)::text AS last FROM deal_log WHERE field = 'stage' GROUP BY 1) s
    ON s.deal_id = d
  LEFT JOIN (SELECT deal_id, max(after::int)::text AS last FROM deal_log WHERE field = 'amount' GROUP BY 1) a
    ON a.deal_id = d;
CREATE INDEX ON deal_log (deal_id, changed_at);
ANALYZE;
"""


def main() -> None:
    """Measure each size, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--work", choices=[*_WORK], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        logging.disable()
        with Wiring(load_settings(), SystemClock(), Silent()) as wiring:
            _WORK[options.work](wiring)
        return
    print("| Log rows | Versions | Waves | Files | Staging | Rows/s | Whole | Rows/s | Peak memory | Staging file |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for rows in options.rows:
        with _database(options.objects, rows) as url, tempfile.TemporaryDirectory() as home:
            (Path(home) / "mapping.yaml").write_text(MAPPING)
            variables = environment(Path(home), url.render_as_string(hide_password=False), None)
            variables["CONNECTOR_MAPPING"] = f"{home}/mapping.yaml"
            _child("load", variables)
            found = dict(line.split() for line in _child("backfill", variables).splitlines())
        staging, whole = float(found["staging"]), float(found["whole"])
        print(
            f"| {rows:,} | {int(found['versions']):,} | {found['waves']} | {found['files']} | {staging:.1f} s "
            f"| {rows / staging:,.0f} | {whole:.1f} s | {rows / whole:,.0f} | {int(found['memory']) // 1024} MB "
            f"| {int(found['staged']) / 1e6:.0f} MB |",
            flush=True,
        )


@contextmanager
def _database(objects: int, rows: int) -> Iterator[URL]:
    name = f"bench_history_{rows}"

    def run(url: URL, *statements: str) -> None:
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as database:
            for statement in statements:
                database.execute(statement)  # no values of anybody's

    run(POSTGRES, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        run(POSTGRES.set(database=name), SCHEMA.format(objects=objects, rows=rows))
        yield POSTGRES.set(database=name, drivername="postgresql+psycopg")
    finally:
        run(POSTGRES, f"DROP DATABASE {name} WITH (FORCE)")


def _child(work: str, variables: dict[str, str]) -> str:
    command = [sys.executable, "-m", "bench.history", "--work", work]
    return subprocess.run(command, env=os.environ | variables, check=True, stdout=subprocess.PIPE, text=True).stdout


def _load(wiring: Wiring) -> None:
    """The first load, which a backfill needs."""
    wiring.take_lease()
    wiring.store.set_meta("integration_id", "1")
    for entity in wiring.mapping.entities:
        wiring.rounds.reader.extract(entity)
    _settle(wiring)


def _backfill(wiring: Wiring) -> None:
    wiring.take_lease()
    ((entity, history),) = histories(wiring, ObjectType.DEAL)
    files = staged = 0
    staging = 0.0
    began = perf_counter()
    for _ in wiring.backfiller.steps(entity, history, "bench", None, None):
        if not staging and wiring.backfills.active()[0].state is BackfillState.SENDING:
            staging = perf_counter() - began
            staged = sum(file.stat().st_size for file in Path(wiring.settings.spool_dir).glob("*.staging"))
        files += _settle(wiring)
    while wiring.rounds.reader.again(ObjectType.DEAL) is not None:  # the present, after the last version
        files += _settle(wiring)
    whole = perf_counter() - began
    (ended,) = wiring.backfills.all()
    print(f"staging {staging}\nwhole {whole}\nfiles {files}\nversions {ended.versions}\nwaves {ended.waves}")
    print(f"staged {staged}\nmemory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")


def _settle(wiring: Wiring) -> int:
    batches = wiring.store.batches((BatchState.SPOOLED,))
    for batch in batches:
        wiring.store.mark_sending(batch)
        wiring.store.mark_done(batch, RequestStatus(Processing.DONE, (), 0, batch.lines), 0.0)
        wiring.spool.remove(batch.file)
    return len(batches)


_WORK: Final = {"load": _load, "backfill": _backfill}


if __name__ == "__main__":
    main()
