"""Whatever its sessions do, a source's changes arrive by the passes alone, and a comparison leaves nothing to wish."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import mysql_database, postgres_database
from histories import lived
from sqlalchemy.engine import URL

SEEDS = range(1, 1 + int(os.environ.get("CAPTURE_SEEDS", "5")))


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mysql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    match request.param:
        case "sqlite":
            yield URL.create("sqlite", database=str(tmp_path_factory.mktemp("capture") / "crm.db"))
        case "postgresql":
            with postgres_database() as url:
                yield url
        case _:
            with mysql_database() as url:
                yield url


def test_every_change_arrives_and_the_naive_reader_loses_some(server: URL, tmp_path: Path) -> None:
    results = []
    for seed in SEEDS:
        directory = tmp_path / str(seed)
        directory.mkdir()
        with lived(seed, server, directory) as result:
            results.append(result)
            assert (result.missing, result.differing) == (0, 0), f"seed {seed}: {result}"
    lost, rows = sum(result.naive for result in results), sum(result.rows for result in results)
    print(f"{server.get_backend_name()}: the naive reader lost {lost} of {rows} rows, the connector none")
    assert lost > 0
