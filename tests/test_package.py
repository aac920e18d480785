"""What is installed is whole: the wheel, made from the source distribution, works away from the checkout."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIFE = Path(__file__).with_name("life_of_a_wheel.py")
"""What is done with what is installed, from its configuration to the daemon's end."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the content of the wheel that comes of the source distribution."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(folder / built("sdist", ROOT, folder)) as source:
        source.extractall(folder / "source", filter="data")
    (unpacked,) = (folder / "source").iterdir()
    content = folder / "content"
    with zipfile.ZipFile(folder / built("wheel", unpacked, folder)) as wheel:
        wheel.extractall(content)
    return content


def built(kind: str, source: Path, target: Path) -> str:
    """Build a distribution and return its file's name."""
    program = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        f"from hatchling.build import build_{kind}; print(build_{kind}(sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(source), str(target)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.split()[-1]


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


def test_the_version_stands_in_one_place(installed: Path) -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert f"\nVersion: {version}\n" in metadata.read_text()
    elsewhere = [path for path in (ROOT / "connector").rglob("*.py") if version in path.read_text()]
    assert elsewhere == []


def test_from_the_wheel_alone_it_is_configured_checked_filled_and_run(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(LIFE), str(installed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["home"] == str(installed / "connector")
    assert said["statuses"] == {"check": 0, "register": 0, "sync": 3, "status": 3, "run": 0}  # 3: three unfit rows
    assert said["in Gong"] > 30
    assert said["page"] == {"/healthz": 200, "/readyz": 200, "/": 200, "/static/page.css": 200, "/metrics": 200}
