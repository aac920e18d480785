"""Recipes are right: `check` takes each mapping, and each command prints what the page shows, against the sandbox."""

from pathlib import Path

import pytest

from tests.docs.blocks import Block, sections
from tests.docs.running import carry_out, reader

RECIPES = sections("recipes.md")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_prints_what_the_page_shows(tmp_path: Path, recipe: list[Block]) -> None:
    assert [block.kind for block in recipe[:3]] == ["yaml", "sql", "console"], "mapping, tables, what comes of them"
    assert "gong-connector preview" in "".join(block.text for block in recipe if block.kind == "console")
    with reader(tmp_path) as site:
        for block in recipe[:2]:
            carry_out(site, block)
        assert "ok       mapping" in site.connector("check").out
        for block in recipe[2:]:
            carry_out(site, block)
