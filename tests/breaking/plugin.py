"""A pytest plugin that breaks the promise named by TEST_BREAK before anything is collected."""

import os
from contextlib import ExitStack

import pytest

from tests.breaking.breaks import BREAKS


def pytest_configure(config: pytest.Config) -> None:
    """Apply the break for as long as the run lasts."""
    (chosen,) = [one for one in BREAKS if one.name == os.environ["TEST_BREAK"]]
    stack = ExitStack()
    stack.enter_context(chosen.apply())
    config.add_cleanup(stack.close)
