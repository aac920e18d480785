"""Backfills at random: crashes at every persistence step, lost files, refusals, changes and deletions meanwhile."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from company import Fault, FaultKind, ObjectType, Operation
from historic import historic, version

from connector import failpoints
from connector.engine.operations import BACKFILL, BackfillArguments
from connector.ledger.backfills import Backfill

DEAL = ObjectType.DEAL
PRESENT = 1000
"""Amounts from here on are of the present, those below number a deal's versions."""


class Crash(BaseException):
    """The process is gone."""


class Life:
    """A company whose history is sent while nothing goes well. Draws from `chance` only."""

    def __init__(self, directory: Path, chance: random.Random) -> None:
        self.chance = chance
        self.made = historic(directory, delete_guard_count=1000, delete_guard_percent=100)
        self.versions: dict[int, list[int]] = {}
        self.refused: set[tuple[int, int]] = set()
        self.gone: set[int] = set()
        self.amount = PRESENT
        for number in range(1, chance.randint(3, 12)):
            self.put(number)
            self.versions[number] = list(range(1, chance.randint(1, 6)))
            for day in self.versions[number]:
                account = 77 if chance.random() < 0.1 else 1
                if account == 77:
                    self.refused.add((number, day))
                version(self.made, number, day, name="deal", account=account)
        self.made.sync()
        self.crash_in = 0

    def put(self, number: int) -> None:
        self.amount += 1
        self.made.put("deals", id=number, name="deal", account=1, amount=self.amount)

    def failpoint(self, _name: str) -> None:
        self.crash_in -= 1
        if self.crash_in == 0:
            raise Crash

    def backfilled(self) -> Backfill:
        """Carry the backfill out, beginning again after each crash."""
        while True:
            self.crash_in = self.chance.randint(1, 60)
            failpoints.arm(self.failpoint)
            steps = BACKFILL.steps(self.made.wiring, BackfillArguments(DEAL, "once", None, None))
            try:
                (ended,) = self._followed(steps)
                return ended
            except Crash:
                failpoints.arm(None)
                if self.chance.random() < 0.2:
                    for file in (self.made.directory / "spool").glob("*.staging"):
                        file.unlink()
                self.made.restart()
            finally:
                failpoints.arm(None)

    def _followed(self, steps: Iterator[Any]) -> list[Backfill]:
        while True:
            try:
                until = next(steps)
            except StopIteration as over:
                found: list[Backfill] = over.value
                return found
            self.made.wiring.syncer.turn(until)
            if self.chance.random() < 0.15:
                self.meanwhile()

    def meanwhile(self) -> None:
        """Something else happens."""
        number = self.chance.choice([*self.versions])
        wiring = self.made.wiring
        match self.chance.randrange(5):
            case 0 | 1 if number not in self.gone:
                self.made.clock.advance(2)
                self.put(number)
            case 2 if self.chance.random() < 0.3:
                self.made.crm.execute("DELETE FROM deals WHERE id = ?", (number,))
                self.gone.add(number)
            case 3:
                wiring.reconciler.reconcile(DEAL)
            case _:
                wiring.rounds.read(wiring.mapping.entities[1])


@pytest.mark.parametrize(
    "seed", [*range(9), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(9, 60))]
)
def test_whatever_happens_versions_come_in_order_and_the_present_last(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    life = Life(tmp_path, chance)
    made, failing = life.made, seed % 3 == 2
    if failing:
        ids = tuple(str(number) for number in life.versions if chance.random() < 0.3)
        made.during(Fault(kind=FaultKind.LINE_ERRORS, object_type=DEAL, object_ids=ids, times=3))
    elif seed % 3 == 1:
        made.during(Fault(kind=FaultKind.DROP_AFTER, operation=Operation.UPLOAD, times=2))
    ended = life.backfilled()
    made.faults.clear()
    made.wiring.store.retry(None, None)
    made.sync()
    made.reconcile(DEAL)
    made.reconcile(DEAL)
    turned_down = {
        (int(one.object_id), one.modified) for one in made.wiring.backfills.refusals(ended.id) if one.origin == "gong"
    }
    for number, versions in life.versions.items():
        arrived = sorted(made.world.versions(DEAL, str(number)), key=lambda version: version.arrival)
        last, latest = arrived[-1], max(arrived, key=lambda version: (version.modified, version.arrival))
        assert latest is last, [(one.modified, one.line.get("amount"), one.deleted) for one in arrived] + [
            number in life.gone
        ]
        if number in life.gone:
            assert last.deleted, number
            continue
        ((present,),) = made.crm.execute("SELECT amount FROM deals WHERE id = ?", (number,)).fetchall()
        assert last.line["amount"] == present, number
        told = [one.line["amount"] for one in arrived if one.line["amount"] < PRESENT]
        wanted = [day for day in versions if (number, day) not in life.refused]
        if failing:
            assert sorted(set(told)) == told or len(told) > len(set(told)), number
            skipped = sum(one == number for one, _ in turned_down)
            assert len(set(told)) >= len(wanted) - skipped, number
        else:
            assert told == wanted, number
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["ledger.mark"]
    made.close()
