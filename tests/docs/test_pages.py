"""Pages name what there is: files, commands with their options, targets of make, messages of the code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import yaml

from connector.cli.arguments import commands as root
from connector.settings import PREFIX, Settings
from tests.docs import site_hooks
from tests.docs.blocks import blocks, session
from tests.docs.generated import ROOT, pages
from tests.docs.messages import messages

TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
INLINE = re.compile(r"(?<!`)(`+)(?!`)(?P<text>.+?)(?<!`)\1(?!`)")
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"(?:^|[ /])gong-connector (?P<arguments>[a-z-].*)")
STANDS_FOR = {
    "TYPE": "DEAL",
    "ID": "4711",
    "KEY": "4711",
    "TIME": "2026-01-01",
    "SECONDS": "60",
    "FILE": "mapping.yaml",
    "N": "3",
    "TYPE=TABLE": "ACCOUNT=clients",
    "…": "DEAL",
    "COMMAND": "sync",
}
"""What a reader puts in place of a word in capitals."""


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def spans(page: Path) -> Iterator[str]:
    """Yield what stands between backticks in the text of a page."""
    yield from (found["text"].strip().replace("\\|", "|") for found in INLINE.finditer(prose(page)))


def shown_commands(page: Path) -> Iterator[str]:
    """Yield every command of the connector's that a page shows, without its program."""
    for block in blocks(page):
        lines = block.text.splitlines()
        if block.kind == "console":
            lines = [command.typed for command in session(block.text)]
        if block.kind in ("sh", "console"):
            for line in lines:
                if found := PROGRAM.search(line.partition(" #")[0]):
                    yield found["arguments"].strip()
    for span in spans(page):
        if (found := PROGRAM.match(span)) and " " in found["arguments"]:  # a name alone may stand for a command
            yield found["arguments"]


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that a line begins with, and the rest of the line. Raises click.UsageError for none."""
    command: click.Command = root
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            raise click.UsageError(f"No such command {name!r}.")
        command = command.commands[name]
    return command, rest


def parse_synopsis(words: list[str]) -> None:
    """See that a way to write a command (`verify [TYPE]... [--limit N]`) names a command and options that there are."""
    command, rest = resolve(words)
    known = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    named = set(re.findall(r"--[a-z-]+", " ".join(rest)))
    assert named <= known, named - known


@pytest.mark.parametrize("page", [*pages(), *TOP], ids=lambda page: page.name)
def test_every_command_that_is_shown_is_one(page: Path) -> None:
    for written in shown_commands(page):
        if re.search(r"[\[(]", written):
            parse_synopsis(written.replace("[", " ").split())
            continue
        words = [STANDS_FOR.get(word, word) for word in shlex.split(written)]
        try:
            command, rest = resolve(words)
            command.make_context(command.name, rest)
        except click.exceptions.Exit:
            pass  # --help and --version
        except click.ClickException as error:
            pytest.fail(f"gong-connector {written}: {error.format_message()}")


def test_commands_are_found_on_the_pages() -> None:
    """Lest the test above look at nothing."""
    found = [len(list(shown_commands(page))) for page in (ROOT / "README.md", ROOT / "docs" / "start.md")]
    assert min(found) > 7


@pytest.mark.parametrize("page", [*pages(), *TOP], ids=lambda page: page.name)
def test_files_of_the_repository_that_are_named_exist(page: Path) -> None:
    folders = "bench|config|connector|deploy|docs|migrations|tests|\\.ci"
    for span in spans(page):
        if re.fullmatch(rf"(?:{folders})/[\w./*-]+", span) and "NAME" not in span:
            path = span.partition("::")[0].rstrip("/")
            assert list(ROOT.glob(path)) or span == "config/mapping.yaml", f"{page.name} names {span}"


def test_names_in_the_walks_through_the_code_stand_in_their_files() -> None:
    """A step of CONTRIBUTING.md that names files, and constants or functions, names what these files have."""
    steps = re.findall(r"^\d\. .*?(?=^\d\. |^$)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    looked = 0
    for step in steps:
        files = [ROOT / path for path in re.findall(r"`((?:connector|tests|config)/[\w/.-]+\.\w+)`", step)]
        text = "".join(path.read_text() for path in files if path.exists())
        named = set(re.findall(r"`(_?[A-Za-z][A-Za-z_]{3,})`", step)) - root.commands.keys()
        for name in named if text else ():
            assert re.search(rf"\b{name}\b", text), f"{name} is in none of {files}"
            looked += 1
    assert looked > 10


def test_every_target_of_make_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [*pages(), *TOP]:
        named = {found[1] for span in spans(page) if (found := re.match(r"make ([a-z-]+)", span))}
        assert named <= targets, page.name


def test_the_messages_of_the_troubleshooting_page_are_the_codes_own() -> None:
    """In the first column; what is filled in stands as `…` on the page. In the table of the ledger, in the second."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    known = "\n".join(messages())
    looked = 0
    for row in re.findall(r"^\| (.*) \|$", page, re.MULTILINE):
        cells = row.split(" | ")
        for found in INLINE.finditer(cells[1] if len(cells) == 4 else cells[0]):
            words = found["text"].strip()
            if " " not in words or words.startswith("gong-connector "):
                continue
            pattern = r"[^\n]*".join(re.escape(part) for part in words.split("…"))
            assert re.search(pattern, known), f"nothing says {words!r}"
            looked += 1
    assert looked > 40


@pytest.mark.parametrize("page", [*pages(), *TOP], ids=lambda page: page.name)
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}SECRETS_DIR"}
    assert set(re.findall(rf"(?<![\w_]){PREFIX}[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))) <= known


def test_the_site_warns_of_what_it_would_fetch(caplog: pytest.LogCaptureFixture) -> None:
    """With --strict, as `make lint` builds it, a warning fails."""
    page = SimpleNamespace(file=SimpleNamespace(src_uri="start.md"))
    site_hooks.on_post_page('<a href="https://gong.example">Gong</a><img src="own.png">', page, None)
    assert not caplog.messages
    site_hooks.on_post_page('<script async src="https://cdn.example/x.js"></script>', page, None)
    assert caplog.messages == ["start.md fetches https://cdn.example/x.js"]


def test_hooks_before_a_commit_fetch_nothing() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (repository,) = configuration["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
