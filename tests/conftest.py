"""Set-up for all tests; lying here, it also makes the helpers beside it importable from each of them."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Shared, busy machines miss deadlines without any fault of the code; what has to be fast is measured in bench/.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# In memory where there is room: ledgers and spools sync their files, which takes longer than all that tests do else.
MEMORY, ENOUGH = Path("/dev/shm"), 1 << 30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)

HERE = Path(__file__).parent
SLOW = ("acceptance", "browser", "capture", "crash", "network", "released", "simulation", "test_package.py")
"""Where tests take seconds: they wait for processes and servers, or live through long histories."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones come first, so that none is left for the end."""
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] not in SLOW)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How processes that run the tests side by side share them out among them."""
    config.option.loadscopereorder = False  # the order is ours
    return _Sharing(config, log)


class _Sharing(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """A slow test goes by itself; the quick ones of a file stay together, and so do those that share a fixture, so that
    it is made once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file.split("/")[1] in SLOW and not _shares(file) else file


@cache
def _shares(file: str) -> bool:
    """Whether a file has a fixture that outlives a test."""
    return 'scope="module"' in (HERE.parent / file).read_text()
