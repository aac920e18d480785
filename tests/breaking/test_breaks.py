"""Each promise is broken on purpose once, and something notices: a test here, or the simulation's seeds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.breaking.breaks import BREAKS, Break
from tests.simulation.mutations import MUTATIONS
from tests.simulation.promises import Stated

ROOT = Path(__file__).parents[2]


@pytest.mark.thorough
@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_a_broken_promise_is_noticed_by_its_test(broken: Break) -> None:
    """That the same test passes otherwise, its own run shows."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.breaking.plugin", "-p", "no:cacheprovider", "-x", broken.test],
        env=os.environ | {"TEST_BREAK": broken.name},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "1 failed" in done.stdout


def test_no_promise_is_left_unbroken() -> None:
    assert {one.promise for one in (*BREAKS, *MUTATIONS)} == set(Stated)


def test_every_promise_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text()
    missing = [promise for promise in Stated if f"| **{promise.value}" not in page]
    assert not missing
