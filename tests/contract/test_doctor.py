"""What `check` is told of the source: rights beyond reading, indexes that lack, a clock that differs."""

import pytest
from crm import NOW, Crm, relation

from connector.clock import SystemClock
from connector.source import open_source
from connector.source.doctor import FEW_ROWS


@pytest.fixture
def deals(crm: Crm) -> Crm:
    """A table with more rows than can be read in a moment, and without any index."""
    crm.create("deals", "id INTEGER, updated_at {stamp}, name VARCHAR(20)")
    crm.insert("deals", [(number, "2026-05-01 10:00:00", "x") for number in range(FEW_ROWS + 1)])
    return crm


def advice(crm: Crm, **changes: object) -> list[str] | None:
    found = crm.source.missing_indexes(relation(**changes), by_key=True)
    return None if found is None else [index.statement for index in found]


def test_indexes_are_advised_by_statements_that_the_database_takes(deals: Crm) -> None:
    statements = advice(deals)
    assert statements is not None
    assert [statement[statement.index(" ON ") :] for statement in statements] == [
        " ON deals (updated_at, id)",
        " ON deals (id)",
    ]
    assert all("CONCURRENTLY" in statement for statement in statements) == (deals.backend == "postgresql")
    deals.execute(*(statement.replace(" CONCURRENTLY", "") for statement in statements))
    assert advice(deals) == []


def test_only_what_a_reading_needs_is_advised(deals: Crm) -> None:
    found = deals.source.missing_indexes(relation(), by_key=False)
    assert found is not None
    assert [index.serves for index in found] == ["changes"]
    assert advice(deals, modified=None) == [statement for statement in advice(deals) or () if "(id)" in statement]
    deals.execute("DELETE FROM deals WHERE id = 0")
    assert advice(deals) == [], "a small table needs no index"


def test_a_primary_key_and_an_index_that_begins_with_the_stamp_serve(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, Updated_At {stamp}, name VARCHAR(20)")
    crm.execute("CREATE INDEX by_stamp ON deals (updated_at)", "CREATE INDEX by_name ON deals (name, updated_at)")
    crm.insert("deals", [(number, "2026-05-01 10:00:00", "x") for number in range(FEW_ROWS + 1)])
    assert advice(crm) == []
    crm.execute("DROP INDEX by_stamp" + (" ON deals" if crm.backend == "mysql" else ""))
    assert [statement[-16:] for statement in advice(crm) or ()] == ["(updated_at, id)"]


@pytest.mark.not_on("mysql", why="MySQL has none")
def test_partial_indexes_serve_nobody(deals: Crm) -> None:
    deals.execute("CREATE INDEX partly ON deals (updated_at, id) WHERE name = 'x'")
    assert len(advice(deals) or ()) == 2


def test_queries_and_views_cannot_be_judged(deals: Crm) -> None:
    deals.execute("CREATE VIEW few AS SELECT * FROM deals")
    try:
        assert advice(deals, table="few") is None
        assert advice(deals, query="SELECT * FROM deals") is None
    finally:
        deals.execute("DROP VIEW few")


def test_the_databases_plan_says_what_a_query_reads_whole(deals: Crm) -> None:
    asked = relation(query="SELECT id, updated_at, name FROM deals")
    assert deals.source.read_whole(asked) == ["deals"]
    assert deals.source.read_whole(relation(modified=None)) == []
    deals.execute("CREATE INDEX by_stamp ON deals (updated_at, id)")
    if deals.backend != "sqlite":
        deals.execute("ANALYZE TABLE deals" if deals.backend == "mysql" else "ANALYZE deals")
    source = deals.reopened()  # SQLite keeps the plan of a statement that it was asked for before
    assert source.read_whole(asked) == []
    source.close()
    deals.execute("DROP INDEX by_stamp" + (" ON deals" if deals.backend == "mysql" else ""))
    deals.execute("DELETE FROM deals WHERE id = 0")
    assert deals.source.read_whole(asked) == [], "a small table is read whole in a moment"


def test_an_account_that_may_do_more_than_read_is_told_from_one_that_may_not(deals: Crm) -> None:
    """The tests' own account may do everything; one made by the words that a user gets may only read."""
    if deals.backend == "sqlite":
        assert deals.source.excess() is None
        return
    assert ("superuser" if deals.backend == "postgresql" else "ALL PRIVILEGES on *.*") in (deals.source.excess() or "")
    *made, grant = deals.source.reader(["deals"]).split("; ")
    role = f"reader_of_{deals.url.database}"
    try:
        deals.execute(*(one.replace("gong_connector", role).replace("'...'", "'secret'") for one in (*made, grant)))
        reader = open_source(
            deals.url.set(username=role, password="secret").render_as_string(hide_password=False), deals.clock
        )
        assert reader.excess() is None
        assert reader.describe(relation()).keys() == {"id", "updated_at", "name"}
        reader.close()
        deals.execute(grant.replace("gong_connector", role).replace("SELECT", "UPDATE"))
        reader = open_source(
            deals.url.set(username=role, password="secret").render_as_string(hide_password=False), deals.clock
        )
        assert ("public.deals" if deals.backend == "postgresql" else "UPDATE on") in (reader.excess() or "")
        reader.close()
    finally:
        if deals.backend == "postgresql":
            deals.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
        else:
            deals.execute(f"DROP USER '{role}'@'%'")


def test_the_difference_of_clocks_is_measured(crm: Crm) -> None:
    ahead = crm.source.clock_difference()
    if crm.backend == "sqlite":
        assert ahead is None
        return
    assert ahead == pytest.approx(SystemClock().now() - NOW, abs=60)
    crm.clock.advance(ahead or 0)
    assert abs(crm.source.clock_difference() or 0) < 60
