"""plan: what it foretells is what then happens, and it changes nothing."""

import json
from collections.abc import Iterator

import pytest
from cli_site import DEMO_MAPPING, Site, company


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with company(tmp_path_factory.mktemp("plan"), accounts=6) as made:
        yield made


def planned(site: Site, **environment: str) -> dict[str, dict[str, object]]:
    found = json.loads(site.connector("plan", "--json", **environment).out)
    return {one["name"]: one for one in found["sources"]}


def test_what_is_foretold_of_a_first_load_a_changed_mapping_and_a_quiet_day_happens(site: Site) -> None:
    foretold = planned(site)
    assert not (site.home / "connector.db").exists()
    assert site.world.calls() == []
    site.connector("register")
    site.connector("sync", status=3)
    sent: dict[str, int] = {}
    for upload in site.world.uploads():  # bad lines make others go again
        sent.setdefault(upload.object_type, upload.lines)
    assert {name: one["lines"] for name, one in foretold.items()} == sent
    assert {one["waits"] for one in foretold.values()} == {"first load"}
    assert sum(int(str(one["calls"])) for one in foretold.values()) == 2 * len(sent)

    said = site.connector("plan").out
    assert "Everything was read under this mapping: only changes are sent." in said
    assert next(line for line in said.splitlines() if line.startswith("DEAL ")).split()[1:3] == ["changes", "only"]

    changed = site.home / "changed.yaml"
    changed.write_text(DEMO_MAPPING.read_text().replace("      closeDate: close_on\n", ""))
    chosen = {"CONNECTOR_MAPPING": str(changed)}
    deal = planned(site, **chosen)["DEAL"]
    assert deal["waits"] == "comparison (the mapping changed)"
    before = len(site.world.uploads())
    site.connector("sync", status=3, **chosen)
    assert site.world.uploads()[before].lines == deal["lines"]
    assert f"DEAL: the mapping changed; about {deal['lines']} lines differ" not in site.connector("plan", **chosen).out


def test_advice_follows_from_the_quota(site: Site) -> None:
    site.sql("UPDATE deals SET updated_at = datetime('now', '-1 hour')")
    said = site.connector("plan", CONNECTOR_CALLS_PER_DAY="2", CONNECTOR_SYNC_INTERVAL_SECONDS="60").out
    assert "Not even hourly passes fit into 2 calls a day" in said
    assert "The next pass needs more calls than are left of the day" in said
    said = site.connector("plan", CONNECTOR_SPOOL_MAX_BYTES="1000", CONNECTOR_SYNC_INTERVAL_SECONDS="120").out
    assert "are more than the spool may hold (CONNECTOR_SPOOL_MAX_BYTES, 1.0 kB)" in said
    assert "CONNECTOR_SYNC_INTERVAL_SECONDS could be 60" in said
    assert "Some rows would be refused: `gong-connector validate` names them." in said


def test_a_source_that_cannot_be_counted_is_named_and_the_others_are_counted(site: Site) -> None:
    mapping = site.home / "bad.yaml"
    overflow = "    table: leads\n    where: abs(-9223372036854775807 - (id > 0)) > 0\n"
    mapping.write_text(DEMO_MAPPING.read_text().replace("    table: leads\n", overflow))
    said = site.connector("plan", status=1, CONNECTOR_MAPPING=str(mapping))
    assert "LEAD could not be counted" in said.err
    assert "DEAL           first load" in said.out
