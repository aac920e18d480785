"""Very many rows of one stamp, and a process that dies whenever a file of them is booked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from company import Company, ObjectType

from connector import failpoints
from connector.engine import intake

ROWS = 3500
"""More than three chunks."""


class Killed(BaseException):
    """The process dies here: nothing catches it."""


def killing(place: str, number: int) -> Callable[[str], None]:
    """Return a hook that kills at that place of the so-manieth file's booking."""
    files = 0

    def hook(name: str) -> None:
        nonlocal files
        files += name == "spool.rename.after"
        if files == number and name == place:
            failpoints.arm(None)
            raise Killed

    return hook


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    monkeypatch.setattr(intake, "MOST_LINES", 500)
    made = Company(tmp_path)
    yield made
    failpoints.arm(None)
    made.close()


@pytest.mark.parametrize("place", ["ledger.book.before", "ledger.book.after"])
@pytest.mark.parametrize("loaded", [False, True], ids=["first load", "later pass"])
def test_every_row_of_a_bulk_update_arrives_once_though_the_process_dies_at_each_page(
    company: Company, place: str, loaded: bool
) -> None:
    if loaded:
        company.put("deals", id=0, name="Before")
        company.sync()
    stamp = company.now()
    company.crm.executemany(
        "INSERT INTO deals (id, name, updated) VALUES (?, 'Same', ?)", [(n, stamp) for n in range(1, ROWS + 1)]
    )
    # Killed before its second booking, or after its first, each life keeps one page.
    for _ in range(3):
        failpoints.arm(killing(place, 2 if place == "ledger.book.before" else 1))
        with pytest.raises(Killed):
            company.sync()
        company.restart()
    company.sync()
    assert len(company.world.objects(ObjectType.DEAL)) == ROWS + loaded
    lines = [lines for _, lines in company.uploads()]
    assert sum(lines) == ROWS + loaded
    assert len(lines) >= 4
