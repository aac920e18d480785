"""The real daemon for half an hour at many times the usual pace, with faults: `python -m tests.soak [--minutes N]`.

A demo CRM changes all the time, the daemon reads it every ten seconds and compares it each minute, Gong (the sandbox)
fails in most of the ways that it has, and somebody looks at the page. Every few seconds the process is measured. It
fails when something grows that should not: start (after a warm-up), middle and end are compared by their medians.
"""

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from connector.sandbox import demo_crm
from connector.sandbox.faults import Fault, FaultKind
from tests.acceptance.cli_site import Site, company

ACCOUNTS: Final = 100
CHANGE_SECONDS: Final = 0.5
"""The demo's people work every four seconds."""
FAULT_SECONDS: Final = 4.0
SAMPLE_SECONDS: Final = 5.0
WARM_UP: Final = 0.2
"""Of the time, before which nothing is compared: the first load, and whatever is made once."""
QUIET_SECONDS: Final = 300.0
PACE: Final = {
    "CONNECTOR_SYNC_INTERVAL_SECONDS": "10",
    "CONNECTOR_RECONCILE_INTERVAL_SECONDS": "60",
    "CONNECTOR_CALLS_PER_DAY": "10000000",
    "CONNECTOR_LOG_FORMAT": "json",
}
HARMLESS: Final = {FaultKind.REDIRECT, FaultKind.GENERAL, FaultKind.WRONG_TOTALS}
"""Faults that are left out: they put files off by minutes, so that nothing would happen."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How the process is at a moment."""

    rss_mb: float
    handles: float
    threads: float
    ledger_mb: float
    log_mb: float
    """SQLite's write-ahead log."""
    spool_mb: float
    page_ms: float


@dataclass(frozen=True, slots=True)
class Bound:
    """By how much the end may exceed the start: a factor of it, and so much more."""

    factor: float
    more: float


BOUNDS: Final = {
    "rss_mb": Bound(1.1, 8),
    "handles": Bound(1.0, 6),
    "threads": Bound(1.0, 3),
    "log_mb": Bound(1.0, 64),
    "spool_mb": Bound(1.0, 5),
    "page_ms": Bound(2.0, 100),
}
"""The ledger aside: within its retention it grows with what is booked, and is judged by the row."""
TABLES: Final = ("passes", "batches", "objects", "calls")
BYTES_PER_ROW: Final = 3000
"""Of TABLES: more would be something else."""


def main() -> None:
    """Soak and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, company(Path(directory), accounts=ACCOUNTS) as site:
        sys.exit(soak(site, options.minutes * 60))


def soak(site: Site, seconds: float) -> int:
    """Run the daemon for so long; print what was measured, and return the exit status."""
    site.environment |= PACE
    site.connector("register")
    over = threading.Event()
    work = [
        Repeated(lambda turn: _work(site, turn), CHANGE_SECONDS, over),
        Repeated(_faulty(site), FAULT_SECONDS, over),
    ]
    with site.started("run") as process:
        address = _address(site)
        for one in work:
            one.start()
        samples, rows = [], []
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            samples.append(_sample(site, process.pid, address))
            rows.append(_rows(site))
            time.sleep(SAMPLE_SECONDS)
        over.set()
        for one in work:
            one.join()
        site.faults.clear()
        quiet = process.poll() is None and _comes_to_rest(site)
        process.send_signal(signal.SIGTERM)
        ended = process.wait(30)
    log = site.printed("run").err
    problems = judge(samples, rows)
    problems += [] if quiet else ["it did not come to rest"]
    problems += [] if ended == 0 else [f"it ended with {ended}"]
    problems += ["a fault of the connector is in the log"] if "Traceback" in log else []
    events = [json.loads(line)["event"] for line in log.splitlines()]
    print(
        f"{seconds / 60:.0f} minutes: {work[0].turns} times people at work, {work[1].turns} faults; "
        f"{events.count('pass.ended')} readings, {events.count('batch.done')} files taken, "
        f"{events.count('batch.failed')} failed, {len(site.uploads())} uploads, "
        f"{sum(lines for _, lines in site.uploads()):,} lines"
    )
    print("\n".join(problems) or "nothing grows")
    return 1 if problems else 0


def judge(samples: Sequence[Sample], rows: Sequence[int]) -> list[str]:
    """Print start, middle and end; return what grew."""
    first = int(len(samples) * WARM_UP)
    third = (len(samples) - first) // 3
    if not third:
        return ["too few samples"]
    thirds = [samples[first + third * number : first + third * (number + 1)] for number in range(3)]
    problems = []
    print(f"{'':10}{'start':>10}{'middle':>10}{'end':>10}{'most':>10}")
    for name in Sample.__dataclass_fields__:
        start, middle, end = (median(getattr(one, name) for one in part) for part in thirds)
        most = max(getattr(one, name) for one in samples)
        print(f"{name:10}{start:>10.1f}{middle:>10.1f}{end:>10.1f}{most:>10.1f}")
        bound = BOUNDS.get(name)
        if bound is not None and end > start * bound.factor + bound.more:
            problems.append(f"{name} grows: {start:.1f} at the start, {end:.1f} at the end")
    booked = rows[-1] - rows[first]
    grown = (samples[-1].ledger_mb - samples[first].ledger_mb) * 1e6
    print(f"{booked:,} rows booked meanwhile, {grown / max(booked, 1):,.0f} bytes of the ledger each")
    if grown > booked * BYTES_PER_ROW + 1e6:
        problems.append(f"the ledger grows by {grown:,.0f} bytes for {booked:,} rows")
    return problems


class Repeated(threading.Thread):
    """Something that is done again and again until all is over."""

    def __init__(self, work: Callable[[int], object], seconds: float, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._seconds = seconds
        self._over = over
        self.turns = 0

    def run(self) -> None:
        while not self._over.wait(self._seconds):
            self.turns += 1
            self._work(self.turns)


def _work(site: Site, turn: int) -> None:
    demo_crm.change(site.database, turn, time.time())


def _faulty(site: Site) -> Callable[[int], None]:
    chosen = random.Random(1)
    kinds = [kind for kind in FaultKind if kind not in HARMLESS]

    def go_wrong(_turn: int) -> None:
        kind = chosen.choice(kinds)
        seconds = 5.0 if kind in (FaultKind.UNKNOWN, FaultKind.STUCK, FaultKind.SLOW) else None
        site.faults.add(Fault(kind=kind, seconds=seconds, lines=(1,) if kind is FaultKind.LINE_ERRORS else ()))

    return go_wrong


def _address(site: Site) -> str:
    for _ in range(600):
        found = re.search(r'"url": "(http[^"]+)"', site.printed("run").err)
        if found is not None:
            return found[1]
        time.sleep(0.1)
    raise SystemExit("the daemon shows no page: " + site.printed("run").err)


def _sample(site: Site, pid: int, address: str) -> Sample:
    began = time.perf_counter()
    with urllib.request.urlopen(address, timeout=60) as answer:
        answer.read()
    took = time.perf_counter() - began
    status = Path(f"/proc/{pid}/status").read_text()

    def number(name: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
        return float(found[1]) if found else 0.0

    ledger = site.home / "connector.db"
    spool = sum(map(_size, (site.home / "spool").glob("*")))
    return Sample(
        rss_mb=number("VmRSS") / 1000,
        handles=len(os.listdir(f"/proc/{pid}/fd")),
        threads=number("Threads"),
        ledger_mb=ledger.stat().st_size / 1e6,
        log_mb=_size(ledger.with_name("connector.db-wal")) / 1e6,
        spool_mb=spool / 1e6,
        page_ms=took * 1000,
    )


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # files come and go
        return path.stat().st_size
    return 0


def _rows(site: Site) -> int:
    with closing(sqlite3.connect(f"file:{site.home / 'connector.db'}?mode=ro", uri=True, timeout=30)) as ledger:
        return sum(ledger.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES)


def _comes_to_rest(site: Site) -> bool:
    until = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < until:
        with urllib.request.urlopen(_address(site) + "metrics", timeout=60) as answer:
            text = answer.read().decode()
        unsettled = re.findall(r"^gong_connector_batches_unsettled\{.*\} (\S+)", text, re.MULTILINE)
        if unsettled and not sum(map(float, unsettled)):
            return True
        time.sleep(1)
    return False


if __name__ == "__main__":
    main()
