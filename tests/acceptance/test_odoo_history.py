"""Gong shows each of Odoo's records for any moment as it was then, once its tracked values were sent."""

from collections.abc import Iterator

import pytest
from crm_site import CONFIG, Site, company
from odoo_history_expectation import expected_pasts
from past import Pasts, amid, assert_shown

from connector.object_types import ObjectType

GAPS = 22
"""Changes that do not meet: merging brings another record's changes along, and parents go without a trace."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Odoo after the first load and the backfill of every type with a history."""
    with company(tmp_path_factory.mktemp("odoo-history"), "odoo-17.0-postgresql.sql.gz", CONFIG / "odoo.yaml") as site:
        site.connector("register")
        site.connector("sync")
        for object_type in ("ACCOUNT", "CONTACT", "DEAL", "LEAD"):
            site.connector("backfill", object_type)
        yield site


@pytest.fixture(scope="module")
def pasts(site: Site) -> dict[str, Pasts]:
    """What was, by the values that Odoo tracked."""
    found, gaps = expected_pasts(site.conninfo)
    assert gaps == GAPS
    return found


@pytest.mark.parametrize("object_type", ["ACCOUNT", "CONTACT", "DEAL", "LEAD"])
def test_every_object_is_shown_for_any_moment_as_it_was(site: Site, pasts: dict[str, Pasts], object_type: str) -> None:
    assert assert_shown(site.world, ObjectType(object_type), pasts[object_type]) > 1000


def test_the_command_finds_the_same(site: Site, pasts: dict[str, Pasts]) -> None:
    site.connector("verify", "--at", amid(pasts["DEAL"]))
