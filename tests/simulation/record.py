"""The record of many seeds: which ranges were run on which commit, so that a run that was stopped goes on."""

import re
import subprocess
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

AT_ONCE: Final = 100
"""Seeds of a line."""
_LINE: Final = re.compile(r"\S+ \S+ (?P<commit>\S+) seeds (?P<first>\d+)-(?P<last>\d+):")


class Record:
    """A file with a line for each range of seeds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._commit = _commit()

    def left(self, seeds: range) -> Iterator[range]:
        """Yield in pieces what is not recorded of the seeds, for this commit; nothing is, of files that differ from
        it.
        """
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        found = [match for line in lines if (match := _LINE.match(line)) is not None]
        done = {
            seed
            for match in found
            if match["commit"] == self._commit and not self._commit.endswith("+")
            for seed in range(int(match["first"]), int(match["last"]) + 1)
        }
        left = [seed for seed in seeds if seed not in done]
        while left:
            most = next((at for at, seed in enumerate(left) if seed != left[0] + at), len(left))
            yield range(left[0], left[0] + min(most, AT_ONCE))
            del left[: min(most, AT_ONCE)]

    def note(self, seeds: range, failed: Collection[int]) -> None:
        """Write down how a range of seeds ended."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        named = f" ({', '.join(map(str, sorted(failed)))})" if failed else ""
        with self._file.open("a") as file:
            file.write(
                f"{now} {self._commit} seeds {seeds[0]}-{seeds[-1]}: {len(seeds) - len(failed)} passed,"
                f" {len(failed)} failed{named}\n"
            )


def _commit() -> str:
    """Name the commit; with a plus where files of it were changed."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=no"], capture_output=True).stdout
    return (found or "unknown") + "+" * bool(changed or not found)
