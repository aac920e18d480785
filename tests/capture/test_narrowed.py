"""What an administrator takes away from the connector's account, or from a table, deletes nothing in Gong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_site import ACCOUNT, LEAD, ROWS, Site, narrow_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with narrow_site(tmp_path) as made:
        yield made


HIDDEN = ("ALTER TABLE leads ENABLE ROW LEVEL SECURITY", "CREATE POLICY narrow ON leads FOR SELECT USING (id <= 5)")
SHOWN = ("DROP POLICY narrow ON leads", "ALTER TABLE leads DISABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize(
    ("taken", "given_back", "fails"),
    [
        (HIDDEN, SHOWN, False),
        (
            ("ALTER TABLE leads ENABLE ROW LEVEL SECURITY",),
            ("ALTER TABLE leads DISABLE ROW LEVEL SECURITY",),
            False,
        ),
        (
            ("REVOKE SELECT ON leads FROM {account}", "GRANT SELECT (id, updated) ON leads TO {account}"),
            ("GRANT SELECT ON leads TO {account}",),
            True,
        ),
        (("REVOKE SELECT ON leads FROM {account}",), ("GRANT SELECT ON leads TO {account}",), True),
        (("ALTER TABLE leads RENAME TO prospects",), ("ALTER TABLE prospects RENAME TO leads",), True),
        (("ALTER TABLE leads DROP COLUMN name",), ("ALTER TABLE leads ADD COLUMN name TEXT",), True),
        (
            ("CREATE TABLE kept AS SELECT * FROM leads", "TRUNCATE leads"),
            ("INSERT INTO leads SELECT * FROM kept",),
            False,
        ),
        (
            ("CREATE TABLE kept AS SELECT * FROM leads", "DELETE FROM leads"),
            ("INSERT INTO leads SELECT * FROM kept",),
            False,
        ),
    ],
    ids=["policy", "policy for none", "column revoked", "table revoked", "renamed", "dropped", "truncated", "emptied"],
)
def test_nothing_is_deleted_others_go_on_and_all_comes_back(
    site: Site, taken: tuple[str, ...], given_back: tuple[str, ...], fails: bool
) -> None:
    before = site.names(LEAD)
    site.sql(*taken)
    for step in range(3):
        site.sql(f"UPDATE accounts SET name = 'Step {step}', updated = now() WHERE id = 1")
        assert site.compare() == ({LEAD} if fails else set())
        assert site.names(LEAD) == before, "nothing is deleted, and no null is sent"
        assert site.names(ACCOUNT)["1"] == f"Step {step}"
    held = {hold.type: hold.objects for hold in site.wiring.queries.holds()}
    assert fails or held[LEAD] >= ROWS - 5, "what is not believed is shown"

    site.sql(*given_back)
    if "DROP COLUMN" in taken[0]:
        site.sql("UPDATE leads SET name = 'Name ' || id, updated = now()")
    site.sql("UPDATE leads SET name = 'Changed', updated = now() WHERE id = 7", "DELETE FROM leads WHERE id = 8")
    site.compare()
    assert site.compare() == set()
    assert site.names(LEAD) == site.in_source("leads")
    assert site.wiring.queries.holds() == []


def test_a_few_rows_that_a_policy_hides_are_as_good_as_deleted_until_it_goes(site: Site) -> None:
    """Few deletions cannot be told from those of every day: Gong is told, and told again when the rows are back."""
    site.sql(
        "ALTER TABLE leads ENABLE ROW LEVEL SECURITY", f"CREATE POLICY narrow ON leads FOR SELECT USING (id < {ROWS})"
    )
    site.compare()
    assert site.names(LEAD).keys() == site.in_source("leads").keys() - {str(ROWS)}
    site.sql(*SHOWN)
    site.compare()
    assert site.names(LEAD) == site.in_source("leads")
