"""Odoo's database reaches Gong whole, through the command line, and what changes sides there changes sides here."""

from collections.abc import Iterator

import pytest
from crm_site import CONFIG, Site, assert_all_same, assert_shown, company
from odoo_expectation import expected, expected_refusals

from connector.object_types import SCHEMA_TYPES, ObjectType

DUMP = "odoo-17.0-postgresql.sql.gz"
NOW = "now() AT TIME ZONE 'UTC'"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Odoo after the first load."""
    with company(tmp_path_factory.mktemp("odoo"), DUMP, CONFIG / "odoo.yaml") as site:
        site.process("register")
        site.process("sync")
        wanted = expected(site.conninfo)
        assert {kind: len(objects) for kind, objects in wanted.items()} == {
            "BUSINESS_USER": 8, "STAGE": 5, "ACCOUNT": 465, "CONTACT": 480, "DEAL": 578, "LEAD": 139,
        }  # fmt: skip
        assert_all_same(site.world, wanted)
        yield site


@pytest.mark.parametrize("object_type", SCHEMA_TYPES)
def test_gong_shows_what_has_an_account_with_all_additional_fields(site: Site, object_type: ObjectType) -> None:
    """Gong shows only fields of its schema: `sync` has told it about all of them. Only deals lack a customer."""
    assert_shown(site.world, object_type, expected(site.conninfo)[object_type], stamps=False)


def test_init_knows_it_and_takes_the_ready_made_mapping(site: Site) -> None:
    """`init` ends with 0 only where the mapping fits the database."""
    said = site.connector("init", "--output", "first.yaml", "--owner-email", "revops@acme.example")
    assert "These are the tables of Odoo 17" in said.err
    ours = (site.home / "first.yaml").read_text()
    assert ours == (CONFIG / "odoo.yaml").read_text().replace("revops@example.com", "revops@acme.example").replace(
        "name: Odoo,", "name: Odoo 17,"
    )


def test_second_sync_without_changes_uploads_nothing(site: Site) -> None:
    assert expected_refusals(site.conninfo) == {}
    assert site.refusals() == {}
    assert site.sync() == []


def test_a_converted_lead_comes_as_a_deal_and_then_leaves_as_a_lead(site: Site) -> None:
    """In this order, so that at no moment it is in neither."""
    site.sql(
        f"UPDATE crm_lead SET type = 'opportunity', date_conversion = {NOW}, write_date = {NOW}"
        " WHERE id = 11 AND type = 'lead'"
    )
    assert site.sync() == [("DEAL", 1), ("LEAD", 1)]
    assert "11" not in site.world.objects(ObjectType.LEAD)
    assert site.world.objects(ObjectType.DEAL)["11"]["accountId"] == "9"
    _assert_up_to_date(site)


def test_a_lost_deal_stays_as_lost_and_one_that_is_archived_otherwise_goes(site: Site) -> None:
    site.sql(
        f"UPDATE crm_lead SET active = FALSE, probability = 0, lost_reason_id = 1, date_closed = {NOW},"
        f" write_date = {NOW} WHERE id = 2 AND active"
    )
    site.sql(f"UPDATE crm_lead SET active = FALSE, write_date = {NOW} WHERE id = 5 AND active")
    assert site.sync() == [("DEAL", 2)]
    deals = site.world.objects(ObjectType.DEAL)
    assert (deals["2"]["status"], deals["2"]["lost_reason"]) == ("LOST", "Too expensive")
    assert "5" not in deals
    _assert_up_to_date(site)


def test_an_archived_person_goes_and_the_deals_lose_the_contact_but_not_the_account(site: Site) -> None:
    """Deal and person are two tables: the deal's row says nothing of the change."""
    before = site.world.objects(ObjectType.DEAL)
    of_person = {object_id for object_id, deal in before.items() if deal["contact"] == "729"}
    assert len(of_person) == 5
    site.sql(f"UPDATE res_partner SET active = FALSE, write_date = {NOW} WHERE id = 729")
    assert sorted(site.sync()) == [("CONTACT", 1), ("DEAL", 5)]
    assert "729" not in site.world.objects(ObjectType.CONTACT)
    after = site.world.objects(ObjectType.DEAL)
    assert {(after[one]["contact"], after[one]["accountId"]) for one in of_person} == {(None, "610")}
    _assert_up_to_date(site)


def test_an_archived_company_stays_for_its_deals(site: Site) -> None:
    site.sql(f"UPDATE res_partner SET active = FALSE, write_date = {NOW} WHERE id = 47")
    assert site.sync() == [("ACCOUNT", 1)]
    assert site.world.objects(ObjectType.ACCOUNT)["47"]["active"] is False
    _assert_up_to_date(site)


def test_a_person_who_changes_the_company_takes_the_deals_along(site: Site) -> None:
    site.sql(f"UPDATE res_partner SET parent_id = 47, commercial_partner_id = 47, write_date = {NOW} WHERE id = 209")
    assert sorted(site.sync()) == [("CONTACT", 1), ("DEAL", 5)]
    assert site.world.objects(ObjectType.CONTACT)["209"]["accountId"] == "47"
    _assert_up_to_date(site)


def test_a_person_on_its_own_is_an_account_until_it_joins_a_company(site: Site) -> None:
    assert site.world.objects(ObjectType.CONTACT)["279"]["accountId"] == "279"
    site.sql(
        f"UPDATE res_partner SET parent_id = 726, commercial_partner_id = 726, type = 'contact', write_date = {NOW}"
        " WHERE id = 279"
    )
    assert sorted(site.sync()) == [("ACCOUNT", 1), ("CONTACT", 1), ("DEAL", 2)]
    assert "279" not in site.world.objects(ObjectType.ACCOUNT)
    assert site.world.objects(ObjectType.CONTACT)["279"]["accountId"] == "726"
    _assert_up_to_date(site)


def test_a_contact_that_becomes_an_address_goes(site: Site) -> None:
    site.sql(f"UPDATE res_partner SET type = 'invoice', write_date = {NOW} WHERE id = 72 AND type = 'contact'")
    assert ("CONTACT", 1) in site.sync()
    assert "72" not in site.world.objects(ObjectType.CONTACT)
    _assert_up_to_date(site)


def test_a_users_new_address_in_another_table_is_a_deletion_and_then_the_user_anew(site: Site) -> None:
    site.sql(
        "UPDATE res_partner SET email = 'Alice <alice@example.com>', email_normalized = 'alice@example.com',"
        f" write_date = {NOW} WHERE id = 41"
    )
    assert [upload for upload in site.sync() if upload[0] == "BUSINESS_USER"] == [("BUSINESS_USER", 1)] * 2
    assert site.world.objects(ObjectType.BUSINESS_USER)["8"]["emailAddress"] == "alice@example.com"
    _assert_up_to_date(site)


def test_a_stage_that_comes_to_mean_won_wins_its_open_deals(site: Site) -> None:
    site.sql(f"UPDATE crm_stage SET is_won = TRUE, write_date = {NOW} WHERE id = 5")
    assert site.sync() == [("DEAL", 22)]
    _assert_up_to_date(site)


def test_a_new_stage_moves_the_later_ones(site: Site) -> None:
    site.sql("""INSERT INTO crm_stage (id, name, sequence) VALUES (6, '{"en_US": "Pilot", "fr_FR": "Essai"}', 4)""")
    assert site.sync() == [("STAGE", 3)]
    _assert_up_to_date(site)


def _assert_up_to_date(site: Site) -> None:
    """All objects are what the database holds now. A row that another table changed has the call's time as stamp."""
    assert_all_same(site.world, expected(site.conninfo), stamps=False)
