"""The import rules hold, and would be noticed if they did not; nothing in the project points at one machine."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]

VIOLATIONS = {
    "source/horizon.py": "import connector.mapping",
    "mapping/times.py": "import sqlalchemy",
    "engine/rules.py": "import httpx",
    "engine/rounds.py": "import apscheduler",
    "engine/turns.py": "import connector.settings",
    "engine/sync.py": "import connector.sandbox.limits",
    "sandbox/limits.py": "import connector.clock",
    "cli/__init__.py": "import connector.ledger.store",
    "web/series.py": "import connector.ledger.store",
    "engine/seen.py": "import starlette",
}
"""Each breaks a contract of its own."""


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    """Check the package `connector` that lies in `directory` by the project's contracts."""
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop())\n"
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(directory)],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_import_rules_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_broken_import_rule_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "connector", tmp_path / "connector", ignore=shutil.ignore_patterns("__pycache__"))
    for place, statement in VIOLATIONS.items():
        file = tmp_path / "connector" / place
        file.write_text(f"{file.read_text()}\n{statement}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    kept = [name for name in CONTRACTS if f"{name} BROKEN" not in " ".join(result.stdout.split())]
    assert not kept, f"not noticed: {kept}\n{result.stdout}"


def test_a_new_module_must_be_given_its_layer(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "connector", tmp_path / "connector", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "connector" / "helpers.py").write_text('"""Belongs nowhere."""\n')
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert "helpers" in result.stdout


# -- nothing points at the machine on which the project happens to be worked on ----------------------

FOREIGN = re.compile(
    r"(?<![\w.*}])/work/"  # a checkout's absolute path
    r"|(?<![\w.])/home/\w+/|(?<![\w.])/root/"
    r"|\.\./shared"
    r"|pypi\.(org|python)|pythonhosted\.org|registry\.npmjs|proxy\.golang|crates\.io"
)
MAY_NAME_THEM = {Path("tests/test_architecture.py"), Path(".ci/run")}
"""This test, and what prepares a checkout for its tests."""


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout: nothing says which files are the project's")
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def foreign_lines(name: Path, text: str) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if FOREIGN.search(line)
    ]


def test_nothing_points_at_one_machine_or_registry() -> None:
    found: list[str] = []
    for name in tracked_files():
        if name not in MAY_NAME_THEM:
            found += foreign_lines(name, (ROOT / name).read_text(encoding="utf-8", errors="replace"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    ["see /work/main/docs", "CRM=../shared/crm", "index: https://pypi.org/simple", "open('/home/someone/x')"],
)
def test_what_points_at_one_machine_is_noticed(line: str) -> None:
    assert foreign_lines(Path("x"), line)
