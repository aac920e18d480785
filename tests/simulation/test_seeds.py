"""A few seeds of the simulation keep every promise; `make simulate` runs many."""

import re

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, noticed
from tests.simulation.run import run_seed

QUICKLY_NOTICED = ("lines do not wait for their account", "an object in flight is spooled again")


@pytest.mark.parametrize(
    "seed", [*range(1, 9), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(9, 13))]
)
def test_a_seed_keeps_every_promise(seed: int) -> None:
    tally = run_seed(seed)
    assert tally.compared > 0


@pytest.mark.parametrize("mutation", [m for m in MUTATIONS if m.name in QUICKLY_NOTICED], ids=lambda m: m.name)
def test_a_promise_broken_on_purpose_is_noticed(mutation: Mutation) -> None:
    found = noticed(mutation, range(1, 30))
    assert found is not None
    assert re.match(rf"seed {found[0]}: [a-z, ]+: .", found[1])
