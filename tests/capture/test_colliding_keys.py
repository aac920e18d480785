"""Keys that differ only by case or trailing blanks, on a server that tells them apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_site import LEAD, ROWS, Site, narrow_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with narrow_site(tmp_path) as made:
        made.sql("ALTER TABLE leads ALTER COLUMN id TYPE TEXT")
        yield made


def test_one_of_them_goes_and_the_other_once_that_is_deleted(site: Site) -> None:
    site.sql(
        "INSERT INTO leads (id, name, updated) VALUES ('Key', 'One', now()), ('KEY', 'Other', now()),"
        " ('blank', 'One', now()), ('blank ', 'Other', now())"
    )
    site.sync()
    failures = {failure.object_id: failure.reason for failure in site.wiring.queries.failures()}
    kept, refused = ({"Key", "KEY"} - failures.keys()).pop(), ({"Key", "KEY"} & failures.keys()).pop()
    assert len(failures) == 2
    assert repr(kept) in failures[refused]
    assert repr(refused) in failures[refused]
    site.sql(f"UPDATE leads SET name = 'Changed', updated = now() + interval '1 second' WHERE id = '{refused}'")
    site.sync()
    site.compare()
    assert site.world.objects(LEAD)[kept]["lastName"] in ("One", "Other")
    assert refused not in site.world.objects(LEAD)
    assert len(site.world.objects(LEAD)) == ROWS + 2
    site.sql(f"DELETE FROM leads WHERE id = '{kept}'")
    for _ in range(2):
        site.compare()
        site.sync()
    assert site.world.objects(LEAD)[refused]["lastName"] == "Changed"
    assert kept not in site.world.objects(LEAD)
    assert len(site.wiring.queries.failures()) == 1
