"""Recipes are right: `check` takes each mapping, and each command prints what the page shows, against the sandbox."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.cli_site import Site, connected
from tests.docs.blocks import Block, sections, session, whole_file

ANY = "…"
"""Stands on a page for what differs from run to run."""
WELL_OR_REFUSED = (0, 3)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with connected(tmp_path, tmp_path / "crm.db") as made:
        made.environment |= {"CONNECTOR_MAPPING": "mapping.yaml", "CONNECTOR_SOURCE_URL": "sqlite:///crm.db"}
        yield made


def like(shown: list[str]) -> str:
    return "".join(re.escape(line).replace(re.escape(ANY), ".*") + "\n" for line in shown)


def carry_out(site: Site, block: Block) -> None:
    """Do what a reader of the page would do with a block."""
    match block.kind:
        case "yaml":
            (site.home / "mapping.yaml").write_text(whole_file(block.text))
        case "sql":
            with closing(sqlite3.connect(site.home / "crm.db")) as database:
                database.executescript(block.text)
        case "console":
            for command in session(block.text):
                program, *arguments = command.typed.split()
                assert program == "gong-connector"
                said = site.connector(*arguments, status=None)
                printed = "\n".join(filter(None, map(str.rstrip, said.out.splitlines()))) + "\n"
                shown = [line.rstrip() for line in command.printed if line.strip()]
                assert re.fullmatch(like(shown), printed), f"{command.typed}\n{printed}\n{said.err}"
        case other:
            pytest.fail(f"what is a {other} for?")


@pytest.mark.parametrize("recipe", sections("recipes.md").values(), ids=sections("recipes.md"))
def test_a_recipe_prints_what_the_page_shows(site: Site, recipe: list[Block]) -> None:
    kinds = [block.kind for block in recipe]
    assert kinds[:3] == ["yaml", "sql", "console"], "tables and mapping first, then what comes of them"
    assert "gong-connector preview" in "".join(block.text for block in recipe if block.kind == "console")
    for block in recipe[:2]:
        carry_out(site, block)
    findings = site.connector("check").out.splitlines()
    assert any(line.startswith("ok       mapping") for line in findings)
    for block in recipe[2:]:
        carry_out(site, block)
