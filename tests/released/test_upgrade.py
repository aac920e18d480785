"""A ledger of any released version comes to the present one with everything in it."""

import shutil
from pathlib import Path

import pytest

from connector.clock import FakeClock
from connector.engine.judgement import judge
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType
from connector.settings import Settings
from tests.databases import unavailable
from tests.released import fixtures


def test_there_is_a_ledger_of_each_version() -> None:
    kept = fixtures.versions()
    assert (fixtures.version_at_hand() or kept[-1]) in kept, "run `python -m tests.released`"


@pytest.mark.parametrize("kind", fixtures.KINDS)
@pytest.mark.parametrize("version", fixtures.versions())
def test_a_released_versions_ledger_comes_to_the_present_one(version: str, kind: str, tmp_path: Path) -> None:
    if kind == "postgresql" and not shutil.which("psql"):
        unavailable("psql is not installed: it loads the ledger")
    with fixtures.loaded(version, kind, tmp_path) as url:
        settings = Settings(_env_file=None, state_url=url, spool_dir=tmp_path / "spool")  # type: ignore[arg-type]
        with Wiring(settings, FakeClock(fixtures.MADE_AT + 1000), Silent()) as wiring:
            assert wiring.store.meta("integration_id") is not None
        remedy = "until it is released: `python -m tests.released`; then a migration is missing"
        assert fixtures.differences(url) == [], remedy
        with Wiring(settings, FakeClock(fixtures.MADE_AT + 1000), Silent()) as wiring:
            seen = wiring.overview()
            told = {one.type: one.objects for one in seen.types}
            assert told[ObjectType.ACCOUNT] == 3
            assert told[ObjectType.CONTACT] > 3
            assert len(wiring.queries.failures()) == 3
            assert {cursor.name for cursor in seen.cursors} >= {"ACCOUNT", "DEAL", "LEAD"}
            assert wiring.try_lease() is None
            assert judge(seen).findings
