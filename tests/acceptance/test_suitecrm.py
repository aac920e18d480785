"""SuiteCRM's MariaDB database reaches Gong whole, through the command line; so does what changes in it."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from crm_site import Objects, assert_all_same, assert_same, assert_shown
from suitecrm_site import SECOND, Site, company

from connector.object_types import SCHEMA_TYPES, ObjectType

BETWEEN_THE_DUMPS = "2026-11-21"
"""Every time in the first dump is earlier; what the second has from here on was written after the first."""
TOUCHED = "date_modified = UTC_TIMESTAMP()"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """SuiteCRM after the first load."""
    with company(tmp_path_factory.mktemp("suitecrm")) as site:
        yield site


@pytest.mark.parametrize("object_type", ObjectType)
def test_every_object_is_in_gong_as_expected(site: Site, object_type: ObjectType) -> None:
    """All fields of all objects, those without a value included."""
    wanted = site.expected()[object_type]
    assert len(wanted) >= 10
    assert_same(site.world.objects(object_type), wanted)


@pytest.mark.parametrize("object_type", SCHEMA_TYPES)
def test_gong_shows_what_has_an_account_with_all_additional_fields(site: Site, object_type: ObjectType) -> None:
    """Gong shows only fields of its schema: `sync` has told it about all of them."""
    assert_shown(site.world, object_type, site.expected()[object_type])


def test_the_administrator_without_address_is_refused(site: Site) -> None:
    refusals = site.refusals()
    assert refusals.keys() == site.expected_refusals().keys() == {("BUSINESS_USER", "1")}
    assert "emailAddress" in refusals["BUSINESS_USER", "1"]


def test_init_knows_it_and_takes_the_ready_made_mapping(site: Site) -> None:
    """`init` ends with 0 only where the mapping fits the database."""
    said = site.connector("init", "--output", "first.yaml", "--owner-email", "revops@acme.example")
    assert "These are the tables of SuiteCRM 7" in said.err
    assert "owner_email: revops@acme.example" in (site.home / "first.yaml").read_text()


def test_init_without_the_ready_made_mapping_finds_accounts_through_the_tables_between(site: Site) -> None:
    site.connector("init", "--output", "generic.yaml", "--owner-email", "revops@acme.example", "--generic")
    text = (site.home / "generic.yaml").read_text()
    assert "- {table: accounts_contacts, key: contact_id, modified: date_modified}" in text
    assert "accountId: account_id  # through accounts_opportunities, the latest first" in text


def test_second_sync_without_changes_uploads_nothing(site: Site) -> None:
    assert site.passed("sync") == {}


def test_three_days_later_only_what_changed_is_sent_and_reconcile_deletes_what_was_pruned(site: Site) -> None:
    """The second dump in place of the first. What was deleted and pruned in between has left no row to tell of it."""
    before = site.expected()
    site.load(SECOND)
    _move_to_now(site)
    after = site.expected()
    lines = site.passed("sync")
    changed = {name: _changed(before[name], after[name]) for name in after}
    assert lines == {name: len(ids) for name, ids in changed.items() if ids}
    assert sum(lines.values()) == 73
    told = {name: _told(before[name], after[name]) for name in after}
    pruned = {name: {key: before[name][key] for key in before[name].keys() - after[name].keys()} for name in after}
    assert_all_same(site.world, {name: told[name] | pruned[name] for name in after})
    assert site.passed("reconcile") == {"CONTACT": 2, "DEAL": 1, "LEAD": 1}
    assert_all_same(site.world, told)


def test_a_contact_who_is_linked_to_another_account_moves_in_gong(site: Site) -> None:
    """SuiteCRM leaves the contact's row as it was; the newer of two links counts."""
    there = site.expected()
    contact = next(key for key, record in there["CONTACT"].items() if record["accountId"] is None)
    first, second = [*there["ACCOUNT"]][:2]
    link = "INSERT INTO accounts_contacts (id, contact_id, account_id, date_modified) VALUES (%s, %s, %s, "
    site.sql(f"{link}UTC_TIMESTAMP() - INTERVAL 9 SECOND)", "a-link", contact, first)
    site.sql(f"{link}UTC_TIMESTAMP())", "b-link", contact, second)
    assert site.passed("sync") == {"CONTACT": 1}
    assert site.world.objects(ObjectType.CONTACT)[contact]["accountId"] == second
    site.sql(f"UPDATE accounts_contacts SET deleted = 1, {TOUCHED} WHERE id = 'b-link'")
    assert site.passed("sync") == {"CONTACT": 1}
    assert site.world.objects(ObjectType.CONTACT)[contact]["accountId"] == first
    assert_all_same(site.world, site.expected(), stamps=False)


def test_a_deleted_deal_goes_and_comes_back_with_its_undeletion(site: Site) -> None:
    deal = next(iter(site.expected()["DEAL"]))
    site.sql(f"UPDATE opportunities SET deleted = 1, {TOUCHED} WHERE id = %s", deal)
    assert site.passed("sync") == {"DEAL": 1}
    assert deal not in site.world.objects(ObjectType.DEAL)
    site.sql(f"UPDATE opportunities SET deleted = 0, {TOUCHED} WHERE id = %s", deal)
    assert site.passed("sync") == {"DEAL": 1}
    assert_all_same(site.world, site.expected(), stamps=False)


def test_entities_zero_dates_and_odd_texts_become_what_they_mean(site: Site) -> None:
    account = next(iter(site.expected()["ACCOUNT"]))
    deal = next(key for key, record in site.expected()["DEAL"].items() if record["contract_start"])
    site.sql(
        f"UPDATE accounts SET name = %s, annual_revenue = 'about 5M', website = 'n/a', {TOUCHED} WHERE id = %s",
        " Smith &amp; Sons &#039;92",
        account,
    )
    site.sql(f"UPDATE opportunities SET date_closed = '0000-00-00', {TOUCHED} WHERE id = %s", deal)
    site.sql("UPDATE opportunities_cstm SET contract_start_c = '0000-00-00' WHERE id_c = %s", deal)
    assert site.passed("sync") == {"ACCOUNT": 1, "DEAL": 1}
    sent = site.world.objects(ObjectType.ACCOUNT)[account]
    assert sent["name"] == "Smith & Sons '92"
    assert [sent[name] for name in ("annual_revenue", "website", "domains")] == [None, None, None]
    sent = site.world.objects(ObjectType.DEAL)[deal]
    assert [sent[name] for name in ("closeDate", "contract_start")] == [None, None]
    assert_all_same(site.world, site.expected(), stamps=False)


def test_a_deal_in_another_currency_counts_in_the_default_one(site: Site) -> None:
    deal = next(iter(site.expected()["DEAL"]))
    site.sql("INSERT INTO currencies (id, iso4217, conversion_rate, created_by) VALUES ('euro', 'EUR', 0.8, '1')")
    site.sql(
        "UPDATE opportunities SET currency_id = 'euro', amount = 1000.1, amount_usdollar = 1250.125,"
        f" {TOUCHED} WHERE id = %s",
        deal,
    )
    assert site.passed("sync") == {"DEAL": 1}
    sent = site.world.objects(ObjectType.DEAL)[deal]
    assert [str(sent[name]) for name in ("amount", "original_amount", "currency")] == ["1250.125", "1000.1", "EUR"]


def test_a_stage_that_the_mapping_does_not_know_is_refused_by_name_until_it_is_mended(site: Site) -> None:
    deal = next(key for key, record in site.expected()["DEAL"].items() if record["stage"] == "prospecting")
    site.sql(f"UPDATE opportunities SET sales_stage = 'Contract Sent', {TOUCHED} WHERE id = %s", deal)
    assert site.passed("sync") == {}
    assert "stage" in site.refusals()["DEAL", deal]
    site.sql(f"UPDATE opportunities SET sales_stage = 'Qualification', {TOUCHED} WHERE id = %s", deal)
    assert site.passed("sync") == {"DEAL": 1}
    assert site.world.objects(ObjectType.DEAL)[deal]["stage"] == "qualification"


def test_the_administrator_is_sent_once_an_address_is_linked(site: Site) -> None:
    """SuiteCRM leaves the user's row as it was, and an address that it knew before."""
    site.sql(
        "INSERT INTO email_addresses (id, email_address, deleted, date_created, date_modified)"
        " VALUES ('admin-address', 'Admin@Example.com', 0, '2025-06-02 09:00:01', '2025-06-02 09:00:01')"
    )
    site.sql(
        "INSERT INTO email_addr_bean_rel"
        " (id, email_address_id, bean_id, bean_module, primary_address, deleted, date_created, date_modified)"
        " VALUES ('admin-link', 'admin-address', '1', 'Users', 1, 0, UTC_TIMESTAMP(), UTC_TIMESTAMP())"
    )
    assert site.passed("sync", status=0) == {"BUSINESS_USER": 1}
    assert site.refusals() == {}
    assert site.world.objects(ObjectType.BUSINESS_USER)["1"]["emailAddress"] == "admin@example.com"


def _move_to_now(site: Site) -> None:
    """Move what the second dump has of its three days to the last three seconds, as if it were written just now.

    An application writes its stamps when it writes its rows; the dumps' days are past, or still to come.
    """
    with closing(site.open()) as database, database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name AS t, column_name AS c FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND column_name IN ('date_entered', 'date_created', 'date_modified')"
        )
        for column in cursor.fetchall():
            cursor.execute(
                f"UPDATE `{column['t']}` SET `{column['c']}` ="
                f" UTC_TIMESTAMP() - INTERVAL DATEDIFF('2026-11-24', `{column['c']}`) SECOND"
                f" WHERE `{column['c']}` >= '{BETWEEN_THE_DUMPS}'"
            )


def _changed(before: Objects, after: Objects) -> set[str]:
    """The objects that are new, or say something else than before."""
    old, new = _timeless(before), _timeless(after)
    return {key for key, record in new.items() if old.get(key) != record}


def _told(before: Objects, after: Objects) -> Objects:
    """What Gong should hold after the second pass. A row that was only touched is not sent.

    Where a link or an address changed, the row's own stamp is no later than the one sent: then it is the call's.
    """
    changed = _changed(before, after)
    told = {key: record if key in changed else before[key] for key, record in after.items()}
    for key in changed & before.keys():
        if after[key].get("modifiedDate") == before[key].get("modifiedDate"):
            told[key] = {name: value for name, value in after[key].items() if name != "modifiedDate"}
    return told


def _timeless(objects: Objects) -> Objects:
    return {
        key: {name: value for name, value in record.items() if name != "modifiedDate"}
        for key, record in objects.items()
    }
