"""Runs seeds, one or many, and says what they went through."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from tests.simulation.driver import Simulation
from tests.simulation.promises import Broken, Promise
from tests.simulation.telling import Tally


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a seed."""

    seed: int
    tally: Tally
    seconds: float
    broken: str | None
    """The promise that does not hold, and how; None when all do."""


def replay(seed: int) -> str:
    """Return the command that runs a seed again, telling every step."""
    return f"python -m tests.simulation --seed {seed} --trace"


def run_seed(seed: int, *, trace: bool = False) -> Tally:
    """Run a seed.

    Raises:
        AssertionError: a promise is broken; the text says which, and how to see it again.
    """
    with Simulation(seed, trace=trace) as simulation:
        try:
            return simulation.run()
        except Broken as broken:
            raise AssertionError(f"seed {seed}: {broken}\nreplay: {replay(seed)}") from broken
        except Exception as error:
            words = f"{Promise.NO_TRACEBACK.value}: {type(error).__name__}: {error}"
            raise AssertionError(f"seed {seed}: {words}\nreplay: {replay(seed)}") from error


def run_many(seeds: range, jobs: int) -> Iterator[Result]:
    """Run seeds on `jobs` processes; yield their results as they come in."""
    if jobs == 1:
        yield from map(_result, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(_result, seed) for seed in seeds]):
            yield future.result()


def _result(seed: int) -> Result:
    began = time.perf_counter()
    try:
        tally, broken = run_seed(seed), None
    except AssertionError as error:
        tally, broken = Tally(seeds=1), str(error)
    return Result(seed, tally, time.perf_counter() - began, broken)
