"""Gong shows each of SuiteCRM's records for any moment as it was then, once its audit tables were sent."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from past import Pasts, amid, assert_shown
from suitecrm_history_expectation import expected_pasts
from suitecrm_site import Site, company

from connector.object_types import ObjectType

GAPS = 0
"""Of SuiteCRM's own audit: changes that do not meet."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """SuiteCRM after the first load and the backfill of every type with a history."""
    with company(tmp_path_factory.mktemp("suitecrm-history")) as site:
        for object_type in ("ACCOUNT", "CONTACT", "DEAL", "LEAD"):
            site.connector("backfill", object_type)
        yield site


@pytest.fixture(scope="module")
def pasts(site: Site) -> dict[str, Pasts]:
    """What was, by the audit tables."""
    with closing(site.open()) as database:
        found, gaps = expected_pasts(database)
    assert gaps == GAPS
    return found


@pytest.mark.parametrize("object_type", ["ACCOUNT", "CONTACT", "DEAL", "LEAD"])
def test_every_object_is_shown_for_any_moment_as_it_was(site: Site, pasts: dict[str, Pasts], object_type: str) -> None:
    assert assert_shown(site.world, ObjectType(object_type), pasts[object_type]) > 1000


def test_the_command_finds_the_same(site: Site, pasts: dict[str, Pasts]) -> None:
    site.connector("verify", "--at", amid(pasts["DEAL"]))
