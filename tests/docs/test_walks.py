"""Who follows README or the first page, command by command, comes to a synced Gong; sessions on pages are as shown."""

import shlex
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy

from connector.object_types import ObjectType
from tests.acceptance import homegrown
from tests.acceptance.cli_site import Site
from tests.docs.blocks import blocks, sections
from tests.docs.generated import ROOT
from tests.docs.running import carry_out, reader

UNENDING = ("run", "sandbox", "demo")
"""Commands that have tests of their own, in tests/acceptance."""
OWNER = ("--yes", "--owner-email", "revops@acme.example")
"""What `init` needs where nobody can be asked, as the page says."""


def commands(page: Path) -> list[list[str]]:
    """The commands of the connector's that a page shows in blocks, in order."""
    lines = [line for block in blocks(page) if block.kind == "sh" for line in block.text.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("gong-connector ")]
    return [rest for _, *rest in words if rest[0] not in UNENDING]


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_who_follows_a_page_has_a_synced_gong(tmp_path: Path, page: str) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'crm.db'}")
    with engine.begin() as connection:
        homegrown.create(connection, homegrown.TIDY)
    engine.dispose()
    walk = commands(ROOT / page)
    given = [words[0] for words in walk]
    assert given.index("init") < given.index("check") < given.index("register") < given.index("sync")
    with reader(tmp_path) as site:
        for words in walk:  # its sync ends with 3: a few deals are of a deleted account
            waits = words[0] in ("sync", "status")
            site.connector(*words, *(OWNER if words[0] == "init" else ()), status=3 if waits else 0)
        assert {kind for kind, _ in site.uploads()} == set(ObjectType)


@pytest.fixture
def backfilled(tmp_path: Path) -> Site:
    with reader(tmp_path) as site:
        for block in sections("history.md")["Shape 1: each row is the record as it was"][:2]:
            carry_out(site, block)
        for command in ("register", "sync"):
            site.connector(command)
        site.connector("backfill", "DEAL")
        yield site


def test_a_moment_of_the_past_is_verified_as_the_history_page_shows(backfilled: Site) -> None:
    sandbox, gong = [block for block in sections("history.md")["What is shown for a moment"] if block.kind == "console"]
    carry_out(backfilled, sandbox)
    with closing(backfilled.world) as world:
        world.behaviour = replace(world.behaviour, answers_for_a_moment=False)
        carry_out(backfilled, gong)
