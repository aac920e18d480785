"""DjangoCRM on PostgreSQL (times with zone, numerics, booleans) reaches Gong whole by the same mapping file."""

from collections.abc import Iterator

import pytest
from crm_site import Site, assert_all_same, assert_shown, company, djangocrm_for_postgresql
from djangocrm_expectation import expected, expected_refusals

from connector.object_types import SCHEMA_TYPES, ObjectType

SOMETHING_REFUSED = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """DjangoCRM after the first load."""
    home = tmp_path_factory.mktemp("djangocrm-postgresql")
    with company(home, "django-crm-postgresql.sql.gz", djangocrm_for_postgresql(home)) as site:
        site.connector("register")
        site.connector("sync", status=SOMETHING_REFUSED)
        wanted = expected(site.conninfo)
        assert {kind: len(objects) for kind, objects in wanted.items()} == {
            "BUSINESS_USER": 18, "STAGE": 22, "ACCOUNT": 253, "CONTACT": 452, "DEAL": 261, "LEAD": 196,
        }  # fmt: skip
        assert_all_same(site.world, wanted)
        yield site


@pytest.mark.parametrize("object_type", SCHEMA_TYPES)
def test_gong_shows_what_has_an_account_with_all_additional_fields(site: Site, object_type: ObjectType) -> None:
    """Gong shows only fields of its schema: `sync` has told it about all of them."""
    assert_shown(site.world, object_type, expected(site.conninfo)[object_type], stamps=False)


def test_a_user_without_address_is_refused(site: Site) -> None:
    refusals = site.refusals()
    assert refusals.keys() == expected_refusals(site.conninfo).keys() == {("BUSINESS_USER", "18")}
    assert "emailAddress" in refusals["BUSINESS_USER", "18"]


def test_second_sync_without_changes_uploads_nothing(site: Site) -> None:
    assert site.sync(SOMETHING_REFUSED) == []


def test_only_changed_content_is_sent(site: Site) -> None:
    """Of two rows that were saved, the one that was merely touched makes no line."""
    site.sql("UPDATE crm_contact SET update_date = now() WHERE id = (SELECT MIN(id) FROM crm_contact)")
    site.sql(
        "UPDATE crm_deal SET next_step = 'Send contract', amount = 1234.50, update_date = now()"
        " WHERE id = (SELECT MAX(id) FROM crm_deal)"
    )
    assert site.sync(SOMETHING_REFUSED) == [("DEAL", 1)]
    assert_all_same(site.world, expected(site.conninfo), stamps=False)
