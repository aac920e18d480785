"""preview: a line beside its row, and of one object what Gong was told and why it is or is not sent."""

from collections.abc import Iterator

import pytest
from cli_site import Site, company


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with company(tmp_path_factory.mktemp("preview"), accounts=4) as made:
        yield made


def explained(site: Site, object_type: str, object_id: str, status: int = 0) -> str:
    said = site.connector("preview", object_type, "--id", object_id, status=status)
    assert said.out.count("\n") == (status == 0), "the line alone goes to stdout"
    return said.err


def test_it_explains_an_object_through_its_life(site: Site) -> None:
    said = explained(site, "DEAL", "1")
    assert "Next: it is sent with the first load." in said
    assert "Gong was told nothing yet: there is no ledger." in said
    assert not (site.home / "connector.db").exists()

    site.connector("register")
    site.connector("sync", status=3)
    said = explained(site, "DEAL", "1")
    assert "Next: nothing, for this is what Gong was told." in said
    assert "In Gong? Yes: Gong has it as it was last read." in said
    assert "Its file: clientRequestId " in said
    assert "Digest: " in said

    site.sql("UPDATE deals SET name = 'Renamed', updated_at = datetime('now') WHERE id = 1")
    said = explained(site, "DEAL", "1")
    assert "Next: its line differs from what Gong was told; the next pass sends that." in said
    site.sql("UPDATE deals SET updated_at = '2020-01-01 00:00:00' WHERE id = 1")
    said = explained(site, "DEAL", "1")
    assert "its stamp is earlier than where reading stands, so that the next full comparison sends that" in said

    site.sql("UPDATE deals SET is_deleted = 1, updated_at = datetime('now') WHERE id = 1")
    assert "Next: it is deleted in the CRM; the next pass sends that." in explained(site, "DEAL", "1")
    site.connector("pause", "DEAL")
    assert "Next: nothing, for DEAL is paused: `gong-connector resume DEAL`." in explained(site, "DEAL", "1")
    site.connector("resume", "DEAL")

    site.sql("DELETE FROM deals WHERE id = 1")
    said = explained(site, "DEAL", "1", status=1)
    assert "no row with the key 1" in said
    assert "In Gong? Yes: Gong has it as it was last read." in said
    assert "and no pass has read it" in explained(site, "DEAL", "4711", status=1)


def test_a_refused_object_is_explained(site: Site) -> None:
    site.connector("register")
    site.connector("sync", status=3)
    said = site.connector("preview", "BUSINESS_USER", "--id", "12", status=3).err
    assert "No digest: it has no line." in said
    assert "Next: it is refused, and not sent until its row or the mapping changes." in said
    assert "It was refused by the connector, before sending" in said


def test_on_a_terminal_the_line_stands_beside_its_row(site: Site) -> None:
    site.sql("UPDATE contacts SET first_name = 'Bell' || char(7) || char(27) || '[31m' WHERE id = 1")
    status, seen = site.on_terminal("preview", "CONTACT", "--id", "1", NO_COLOR="1")
    assert status == 0
    lines = seen.splitlines()
    assert lines[0].split() == ["Field", "In", "the", "line", "Column", "In", "the", "row"]
    (account,) = [line.split() for line in lines if line.startswith("accountId")]
    assert account == ["accountId", account[1], "account_id", account[1]]
    assert max(map(len, lines)) <= 80
    assert "\a" not in seen
    assert "\x1b[31m" not in seen
