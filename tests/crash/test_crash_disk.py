"""A disk that is really full: the daemon says so, keeps running, and goes on when there is room again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.cli_site import eventually
from tests.crash.promises import hold
from tests.crash.trial import is_quiet, trial
from tests.pages import addresses, page

DISK_BYTES = 4_000_000


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Give a directory on a disk of its own; skips where that is not allowed."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(file: Path) -> None:
    """Take all the room that is left."""
    with file.open("wb", buffering=0) as stream:
        for size in (4096, 1):
            try:
                while True:
                    stream.write(b"." * size)
            except OSError:
                continue


@pytest.mark.parametrize("full", ["spool", pytest.param("spool and ledger", marks=pytest.mark.thorough)])
def test_a_full_disk_is_told_and_survived(tmp_path: Path, full: str) -> None:
    with small_disk(tmp_path / "disk") as disk:
        ledger = disk if full == "spool and ledger" else tmp_path
        with trial(tmp_path, f"sqlite:///{ledger}/connector.db") as made:
            made.site.environment["CONNECTOR_SPOOL_DIR"] = str(disk / "spool")
            made.runs("register", status=0)
            made.runs("sync")
            fill(disk / "filler")
            made.work()
            process = made.start("run")
            words = "no room on the disk" if full == "spool" else "full"
            eventually(lambda: words in made.printed().err, "word of the full disk")
            eventually(lambda: bool(addresses(made.printed().err)), "the page's address")
            address = addresses(made.printed().err)[-1]
            if full == "spool":
                eventually(lambda: words in page(address)[1], "the page")
                assert page(address + "readyz")[0] == 503
                assert 'gong_connector_state{state="stopped"} 1.0' in page(address + "metrics")[1]
            assert page(address + "healthz")[0] == 200
            (disk / "filler").unlink()
            eventually(lambda: is_quiet(made), "rest")
            eventually(lambda: page(address + "readyz")[0] == 200, "readiness")
            os.kill(process.pid, signal.SIGTERM)
            assert process.end() == 0
            assert "Traceback" not in made.printed().err
            hold(made)
