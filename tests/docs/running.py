"""Does what a reader of a page would do: writes the mapping, makes the tables, gives the commands, and compares."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.acceptance.cli_site import Site, connected
from tests.docs.blocks import Block, Command, session, whole_file

ANY = "…"
"""Stands on a page for what differs from run to run."""


@contextmanager
def reader(home: Path) -> Iterator[Site]:
    """Give a place to work in, with a CRM in SQLite and a Gong of its own, both empty."""
    with connected(home, home / "crm.db") as site:
        site.environment |= {"CONNECTOR_MAPPING": "mapping.yaml", "CONNECTOR_SOURCE_URL": "sqlite:///crm.db"}
        yield site


def carry_out(site: Site, block: Block) -> None:
    """Do what a block says."""
    match block.kind:
        case "yaml":
            (site.home / "mapping.yaml").write_text(whole_file(block.text))
        case "sql":
            with closing(sqlite3.connect(site.home / "crm.db")) as database:
                database.executescript(block.text)
        case "console":
            for command in session(block.text):
                give(site, command)
        case other:
            raise AssertionError(f"what is a {other} for?")


def give(site: Site, command: Command) -> None:
    """Give a command, and see that it prints what stands below it; blank lines aside."""
    program, *arguments = command.typed.split()
    assert program == "gong-connector"
    said = site.connector(*arguments, status=None)
    printed, shown = _lines(said.out.splitlines()), _lines(command.printed)
    like = re.escape(shown).replace(re.escape(ANY), ".*")
    assert re.fullmatch(like, printed), f"{command.typed}\n{printed}\n{said.err}"


def _lines(text: list[str]) -> str:
    return "\n".join(line.rstrip() for line in text if line.strip())
