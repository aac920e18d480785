"""`python -m tests.simulation`: one seed again, many seeds, or the promises broken on purpose."""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.simulation.record import Record
from tests.simulation.run import run_many, run_seed
from tests.simulation.telling import Tally


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell every step")
    parser.add_argument("--seeds", type=int, default=200, help="run so many (200)")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--jobs", type=int, default=1, help="on so many processes (1)")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write each hundred seeds down there, with the commit, and leave out those that stand there already",
    )
    parser.add_argument(
        "--mutations",
        nargs="?",
        const="",
        metavar="WORDS",
        help="break promises on purpose and see that it is noticed: those whose name holds these words (all)",
    )
    given = parser.parse_args()
    if given.mutations is not None:
        from tests.simulation.mutations import show

        return show(given.mutations)
    if given.seed is not None:
        return _one(given.seed, trace=given.trace)
    seeds = range(given.first, given.first + given.seeds)
    if given.record is not None:
        return _recorded(seeds, given.jobs, Record(given.record))
    return _many(seeds, given.jobs)


def _one(seed: int, *, trace: bool) -> int:
    try:
        tally = run_seed(seed, trace=trace)
    except AssertionError as broken:
        if trace and broken.__cause__ is not None:
            sys.excepthook(type(broken.__cause__), broken.__cause__, broken.__cause__.__traceback__)
        print(broken)
        return 1
    _tell(tally)
    return 0


def _recorded(seeds: range, jobs: int, record: Record) -> int:
    failed: list[int] = []
    for piece in record.left(seeds):
        found = _run(piece, jobs)
        record.note(piece, found)
        failed += found
    return _told(seeds, failed)


def _many(seeds: range, jobs: int) -> int:
    return _told(seeds, _run(seeds, jobs))


def _run(seeds: range, jobs: int) -> list[int]:
    began = time.perf_counter()
    total, failed = Tally(), []
    for count, result in enumerate(run_many(seeds, jobs), start=1):
        total.add(result.tally)
        if result.broken is not None:
            failed.append(result.seed)
            print(result.broken, flush=True)
        if count % 20 == 0 or count == len(seeds):
            took = time.perf_counter() - began
            print(f"{count}/{len(seeds)} seeds, {count / took:.1f} a second, {len(failed)} failed", flush=True)
    _tell(total)
    return failed


def _told(seeds: range, failed: list[int]) -> int:
    if failed:
        print(f"{len(failed)} of {len(seeds)} seeds failed: {', '.join(map(str, sorted(failed)))}")
    return 1 if failed else 0


def _tell(tally: Tally) -> None:
    print(
        f"{tally.commits} commits to the CRM, {tally.erased} rows erased in them, {tally.comparisons} full comparisons "
        f"that missed {tally.gone} objects, {tally.approvals} approvals, {tally.calls} calls, "
        f"{tally.uploads} files accepted with {tally.lines} lines, {tally.compared} comparisons of "
        f"objects, {tally.refused} found refused, {tally.held} found held, "
        f"{tally.backfills} backfills with {tally.versions} versions, {tally.restored} ledgers restored from a backup"
    )
    for what, counts in (("crashes", tally.crashes), ("faults", tally.faults)):
        told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        print(f"{counts.total()} {what}: {told}")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets must be the same when a seed is run again.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    sys.exit(main())
