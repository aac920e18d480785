"""What stands in fences on the pages: mappings, SQL, sessions on a terminal, and commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.generated import ROOT

HEAD = "version: 1\nintegration: {name: Acme CRM, owner_email: revops@acme.example}\n"
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fence: its language, its text, and the heading that it stands under."""

    kind: str
    text: str
    heading: str


@dataclass(frozen=True)
class Command:
    """A line that is typed on a terminal, and what comes of it."""

    typed: str
    printed: list[str]


def blocks(page: Path) -> list[Block]:
    """Return the fences of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        heading = ["", *HEADING.findall(text[: fence.start()])][-1]
        written = "".join(line[len(fence["indent"]) :] + "\n" for line in fence["text"].splitlines())
        found.append(Block(fence["kind"], written, heading))
    return found


def sections(page: str) -> dict[str, list[Block]]:
    """Return the fences of a page in docs/ by the heading that they stand under."""
    found: dict[str, list[Block]] = {}
    for block in blocks(ROOT / "docs" / page):
        found.setdefault(block.heading, []).append(block)
    return found


def session(text: str) -> Iterator[Command]:
    """Yield the commands of a `console` block with what stands below each."""
    command: Command | None = None
    for line in text.splitlines():
        if line.startswith(PROMPT):
            if command is not None:
                yield command
            command = Command(line.removeprefix(PROMPT), [])
        elif command is not None:
            command.printed.append(line)
    if command is not None:
        yield command


def whole_file(mapping: str) -> str:
    """Return a mapping as a file: the pages mostly show the entry of a type or two."""
    if mapping.startswith("version:"):
        return mapping
    return f"{HEAD}entities:\n" + "".join(f"  {line}\n" for line in mapping.splitlines())
