"""What is shipped to deploy with holds together: schemas, names of settings, paths, and the demo's CRM."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import yaml

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.settings import PREFIX, Settings
from tests.audit import verdict
from tests.databases import postgres_database
from tests.deploy import crm_sql

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
NAMES = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "SECRETS_DIR"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def test_the_compose_file_is_one() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["connector.yaml", "register.yaml", "settings.yaml", "secrets.example.yaml"])
def test_the_manifests_are_what_kubernetes_takes(name: str) -> None:
    import kubernetes_validate

    for document in documents(KUBERNETES / name):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_only_settings_that_there_are_are_set() -> None:
    files = [ROOT / "Dockerfile", ROOT / "docker-compose.yml", *KUBERNETES.glob("*.yaml")]
    for file in files:
        assert set(re.findall(r"CONNECTOR_[A-Z_]+", file.read_text())) <= NAMES, file
    (secret,) = documents(KUBERNETES / "secrets.example.yaml")
    assert {name.upper() for name in secret["stringData"]} <= NAMES


def test_image_compose_and_manifests_agree() -> None:
    stateful, *_ = documents(KUBERNETES / "connector.yaml")
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert {"/var/lib/connector", "/run/secrets", "/etc/connector"} <= mounts
    assert f"USER {pod['securityContext']['runAsUser']}\n" in DOCKERFILE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (stateful["spec"]["replicas"], container["args"]) == (2, ["run"])
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert all(services[name]["read_only"] for name in ("sandbox", "register", "connector"))
    for name in ("register", "connector"):
        assert services[name]["network_mode"] == "service:sandbox", "plain http reaches Gong on this host only"
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    (job,) = documents(KUBERNETES / "register.yaml")
    images = {container["image"], job["spec"]["template"]["spec"]["containers"][0]["image"]}
    assert images == {f"gong-connector:{version[1]}"}


def test_the_image_is_built_from_what_there_is() -> None:
    given = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert source in given
            assert (ROOT / source).exists()


def test_the_images_health_check_tells_a_daemon_that_lives() -> None:
    found = re.search(r"HEALTHCHECK .*? CMD (\[.+?\])\n(?=ENTRYPOINT)", DOCKERFILE.replace("\\\n", ""), re.DOTALL)
    assert found is not None
    _, *arguments = json.loads(found[1])

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        port = server.server_address[1]
        assert (
            subprocess.run([sys.executable, *arguments], env={"CONNECTOR_WEB_PORT": str(port)}, check=False).returncode
            == 0
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed = subprocess.run(
        [sys.executable, *arguments], env={"CONNECTOR_WEB_PORT": str(port)}, capture_output=True, check=False
    )
    assert failed.returncode != 0


def test_the_demos_crm_is_up_to_date_and_fits_its_mapping(tmp_path: Path) -> None:
    made = list(crm_sql.statements())
    assert crm_sql.FILE.read_text() == "\n".join(made) + "\n", "run `python -m tests.deploy.crm_sql`"
    with postgres_database() as url:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            for statement in made[:-1]:  # the account is the whole server's, which is not ours
                connection.exec_driver_sql(statement)
        settings = Settings(
            _env_file=None,
            source_url=url.set(drivername="postgresql").render_as_string(hide_password=False),
            state_url=f"sqlite:///{tmp_path}/ledger.db",
            mapping=ROOT / "config" / "demo.yaml",
        )
        with Wiring(settings, FakeClock(crm_sql.MADE_AT), Silent()) as wiring:
            assert len(wiring.mapping.entities) == 6


def test_commands_in_the_compose_file_exist() -> None:
    from connector.cli.arguments import commands

    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("sandbox", "register", "connector"):
        command = services[name]["command"]
        words = shlex.split(command) if isinstance(command, str) else command
        options = {option for one in commands.commands[words[0]].params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize(
    ("answer", "words", "well"),
    [
        (None, "not audited", True),
        ({"dependencies": [{"name": "a", "version": "1", "skip_reason": "not found"}]}, "not audited", True),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}, "No known vulnerabilities in 1", True),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}, "a 1: CVE-1", False),
    ],
)
def test_the_audit_fails_for_what_is_known_and_not_for_the_lack_of_a_network(
    answer: dict[str, Any] | None, words: str, well: bool
) -> None:
    said, is_well = verdict(answer)
    assert words in said
    assert is_well is well


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian: apt-get install prometheus)")
def test_the_alert_rules_fire_when_they_should_and_not_else() -> None:
    rules = Path(__file__).with_name("prometheus-alerts-test.yml")
    subprocess.run(("promtool", "test", "rules", rules), check=True, timeout=60)
