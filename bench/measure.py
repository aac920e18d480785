"""Runs commands in turn and keeps what the system says of each finished process: seconds and peak memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final


@dataclass(slots=True)
class Case:
    """A command to be measured beside others."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    """Runs before each run, and is not measured."""
    once: bool = False
    """Too slow to be run again."""
    runs: list["Run"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process, those that it started and awaited included."""

    wall: float
    cpu: float
    memory: int
    """Bytes, of the largest single process."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are compared with the first of them."""

    cases: list[Case]
    targets: dict[str, float]
    """By case: the most that its time may be of the first one's."""
    title: str = ""


def measure(cases: Sequence[Case], times: int) -> None:
    """Run the cases in turn, A B C A B C, so that a machine that gets slower gets slower for all.

    Raises:
        RuntimeError: a command failed; its output is in the message.
    """
    for turn in range(times):
        for case in cases:
            if turn and case.once:
                continue
            case.prepare()
            case.runs.append(_run(case))
            latest = case.runs[-1]
            print(f"{turn + 1}/{times} {case.name}: {latest.wall:.2f} s, {latest.cpu:.2f} s CPU, "
                  f"{latest.memory / 1e6:.0f} MB", flush=True)  # fmt: skip


_STARTER: Final = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[2:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
found = [time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]
with open(sys.argv[1], "w") as out:
    json.dump([os.waitstatus_to_exitcode(status), *found], out)
"""
"""A small process starts each command: the system counts the starter's memory as the command's until it is replaced."""


def _run(case: Case) -> Run:
    with tempfile.NamedTemporaryFile() as figures, tempfile.TemporaryFile() as output:
        subprocess.run(
            [sys.executable, "-S", "-E", "-c", _STARTER, figures.name, *case.command],
            env=os.environ | dict(case.environment),
            stderr=output,
            check=True,
        )
        status, wall, cpu, memory = json.load(figures)
        if status not in (0, 3):  # 3: done, but something is left
            output.seek(0)
            raise RuntimeError(f"{case.name} failed: {output.read().decode(errors='replace')[-2000:]}")
    return Run(wall, cpu, memory)


def middle(case: Case, figure: Callable[[Run], float]) -> float:
    """Return the median of a figure over a case's runs."""
    return median(map(figure, case.runs))


def ratio(case: Case, beside: Case) -> float:
    """Return the median of the quotients of wall time, each of two runs of one turn."""
    return median(one.wall / other.wall for one, other in zip(case.runs, beside.runs, strict=False))
