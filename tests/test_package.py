"""What is installed is whole: the wheel, away from the checkout, brings its migrations and mapping files."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel's content, built from the project's own files."""
    folder = tmp_path_factory.mktemp("wheel")
    program = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "from hatchling.build import build_wheel; print(build_wheel(sys.argv[2]))"
    )
    built = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(folder)], capture_output=True, text=True, timeout=120, check=True
    )
    content = folder / "content"
    with zipfile.ZipFile(folder / built.stdout.split()[-1]) as wheel:
        wheel.extractall(content)
    return content


def python(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed package, and make sure that it is not the checkout's."""
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); exec(sys.argv.pop(1))"
    return subprocess.run(
        [sys.executable, "-c", program, str(installed), *arguments],
        cwd=installed.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_installed_package_makes_its_ledger(installed: Path) -> None:
    made = python(
        installed,
        "from connector.ledger.database import Database\n"
        "from connector.ledger.migrate import migrate, scripts_directory\n"
        "database = Database('sqlite:///ledger.db'); migrate(database); print(scripts_directory())",
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(installed / "connector" / "_migrations")
    assert (installed.parent / "ledger.db").is_file()


def test_an_installed_package_has_the_command_line(installed: Path) -> None:
    helped = python(installed, "from connector.cli import main; main(['--help'])")
    assert "sync" in helped.stdout, helped.stderr


def test_the_mapping_files_come_with_the_package(installed: Path) -> None:
    shipped = {path.name for path in (installed / "connector" / "_config").iterdir()}
    assert shipped == {path.name for path in (ROOT / "config").iterdir()}


def test_only_the_daemon_loads_what_serves_its_page() -> None:
    program = (
        "import sys, connector.cli, connector.cli.arguments, connector.cli.sync, connector.cli.daemon\n"
        "print([name for name in ('starlette', 'uvicorn', 'jinja2', 'prometheus_client') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert loaded.stdout.strip() == "[]"


def test_the_page_comes_with_the_package(installed: Path) -> None:
    for folder in ("templates", "static"):
        shipped = {path.name for path in (installed / "connector" / "web" / folder).iterdir()}
        assert shipped == {path.name for path in (ROOT / "connector" / "web" / folder).iterdir()}
