"""What a PostgreSQL ledger reads while its server knows nothing yet of how full it is: in a first load, that is."""

import pytest
from ledger_under_test import LedgerUnderTest

from connector.object_types import ObjectType

ACCOUNTS = 3_000


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_new_ledgers_objects_are_not_read_again_and_again_to_settle_a_file(ledger: LedgerUnderTest) -> None:
    with ledger.database.writing("test") as connection:
        connection.exec_driver_sql("ALTER TABLE objects SET (autovacuum_enabled = false)")
    batch = ledger.send(*((f"a{number}", b"1") for number in range(ACCOUNTS)), type_=ObjectType.ACCOUNT)

    ledger.settle(batch)

    with ledger.database.reading() as connection:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with ledger.database.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'objects'"
        ).scalar_one()
    assert found <= 10 * ACCOUNTS
