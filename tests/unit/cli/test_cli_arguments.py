"""The command line as a whole: help is quick and complete, every command is documented, endings have their status."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connector.cli import main
from connector.cli.arguments import commands
from connector.errors import BudgetSpent, ConfigError, ConfigProblems, LeaseLost, Problem

ROOT = Path(__file__).parents[3]


def paths(command: click.Command, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as its words."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from paths(inner, *before, name)
    else:
        yield before


ALL = list(paths(commands))


@pytest.fixture(autouse=True)
def process_restored() -> Iterator[None]:
    root, handler = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    signal.signal(signal.SIGTERM, handler)


def test_names_are_those_that_scripts_depend_on() -> None:
    assert {" ".join(path) for path in ALL} == {
        "demo", "check", "preview", "register", "schema plan", "schema apply", "sync", "run", "status",
        "failures list", "failures show", "failures retry", "sandbox", "validate", "reconcile", "resend", "verify",
        "backfill", "pause", "resume", "unregister", "approve", "login", "init", "plan",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself_and_each_option(path: tuple[str, ...]) -> None:
    said = CliRunner().invoke(commands, [*path, "--help"])
    assert said.exit_code == 0
    command: click.Command = commands
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert command.help
    assert f"Example: gong-connector {' '.join(path)}" in said.output
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} has no help"
            assert parameter.opts[0] in said.output


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_stands_in_the_docs(path: tuple[str, ...]) -> None:
    text = "".join(page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    assert f"gong-connector {' '.join(path)}" in text


def test_a_shell_can_complete_commands() -> None:
    """As the line in docs/commands.md has it."""
    asked = {"COMP_WORDS": "gong-connector pre", "COMP_CWORD": "1", "_GONG_CONNECTOR_COMPLETE": "bash_complete"}
    code = "from connector.cli import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]} | asked,
    )
    assert done.stdout == "plain,preview\n"


def test_help_loads_nothing_heavy() -> None:
    """What takes long to load is loaded by the commands that use it."""
    heavy = ("sqlalchemy", "httpx", "rich", "pydantic", "structlog", "connector.engine")
    code = "import sys; from connector.cli import main; main(['sync', '--help']); print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert [name for name in heavy if f"'{name}'" in loaded] == []
    assert "'click'" in loaded


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ConfigError("the mapping is wrong"), 2, "gong-connector: the mapping is wrong"),
        (ConfigProblems([Problem("a.yaml:3 x", "no"), Problem("b", "no")]), 2, "gong-connector: a.yaml:3 x: no\nb: no"),
        (LeaseLost("another process has it"), 1, "gong-connector: another process has it"),
        (BudgetSpent(1.0, "later"), 1, "gong-connector: later"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_words_and_a_status(
    error: BaseException,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail_with(error, monkeypatch)
    assert main(["check"]) == status
    said = capsys.readouterr()
    assert said.err.strip() == words
    assert said.out == ""


def test_an_unexpected_error_is_shown_with_its_place_but_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value = "".join(["some", " value"])
    fail_with(ZeroDivisionError(value), monkeypatch)
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "builtins.ZeroDivisionError" in said
    assert "test_cli_arguments.py" in said
    assert "fault of the connector" in said
    assert value not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["preview"],
        ["preview", "DEALS"],
        ["sync", "--timeout", "-1"],
        ["resend", "DEAL"],
        ["resend", "DEAL", "--all", "--id", "1"],
        ["verify", "--id", "1"],
        ["verify", "DEAL", "LEAD", "--id", "1"],
    ],
)
def test_wrong_usage_is_status_2_with_a_hint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "--help" in capsys.readouterr().err


def test_sigterm_leaves_by_an_exception_so_that_the_lease_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def check(**_: bool) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left.append("in good order")

    monkeypatch.setattr("connector.cli.check.check", check)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 143
    assert left == ["in good order"]


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `check` end by an error."""

    def check(**_: bool) -> None:
        raise error

    monkeypatch.setattr("connector.cli.check.check", check)
