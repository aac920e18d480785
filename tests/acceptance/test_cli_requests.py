"""Commands while a daemon runs: real processes, the daemon carries out what the command asks for."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_site import Site, company, eventually
from databases import postgres_database

from connector.object_types import ObjectType

SELDOM = {"CONNECTOR_SYNC_INTERVAL_SECONDS": "100000", "CONNECTOR_RECONCILE_INTERVAL_SECONDS": "100000"}
"""What happens while a test looks on happens because it asked."""


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.thorough), "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A company whose first load is over, on each kind of ledger."""
    with company(tmp_path, accounts=8) as site:
        site.environment |= SELDOM
        if request.param == "sqlite":
            yield _loaded(site)
            return
        with postgres_database() as url:
            site.environment["CONNECTOR_STATE_URL"] = url.render_as_string(hide_password=False)
            yield _loaded(site)


def _loaded(site: Site) -> Site:
    site.connector("register")
    site.connector("sync", status=3)
    return site


@contextmanager
def daemon(site: Site, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A daemon at work, which ends in good order."""
    with site.started("run", **environment) as process:
        eventually(lambda: "lease.taken" in site.printed("run").err, "the daemon at work")
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_what_commands_ask_for_is_carried_out_by_the_daemon_and_ends_as_if_they_had_done_it(site: Site) -> None:
    with daemon(site):
        site.sql("UPDATE accounts SET name = 'Asked for', updated_at = datetime('now') WHERE id = 4")
        said = site.connector("sync", "--type", "ACCOUNT", status=3)
        assert "carries it out, as request" in said.err
        assert re.search(r"^ACCOUNT +incremental .* 1 ", said.out, re.MULTILINE), said.out
        assert "Gong equals what was read" in said.out
        assert site.name_of(ObjectType.ACCOUNT, "4") == "Asked for"

        site.sql("UPDATE accounts SET name = 'Without its stamp' WHERE id = 5")
        assert "What was compared" in site.connector("reconcile", "--type", "ACCOUNT", status=3).out
        assert site.name_of(ObjectType.ACCOUNT, "5") == "Without its stamp"

        before = len(site.uploads())
        assert "1 object sent again" in site.connector("resend", "ACCOUNT", "--id", "4", status=3).out
        assert site.uploads()[before:] == [("ACCOUNT", 1)]
        assert "not sent again" in site.connector("resend", "ACCOUNT", "--id", "no such", status=1).out

        assert "ACCOUNT: nothing to change." in site.connector("schema", "apply").out
        refused = json.loads(site.connector("failures", "list", "--json").out)
        assert f"{len(refused)} object" in site.connector("failures", "retry", "--all").out
        assert "LEAD" in site.connector("sync", "--type", "LEAD", "--no-wait", status=3).out


def test_paused_type_stays_behind_while_the_daemon_goes_on_and_catches_up_when_resumed(site: Site) -> None:
    with daemon(site):
        assert "is paused: neither read nor uploaded" in site.connector("pause", "ACCOUNT").out
        assert "already, since" in site.connector("pause", "ACCOUNT").out
        site.sql("UPDATE accounts SET name = 'Late', updated_at = datetime('now') WHERE id = 4")
        assert "Paused, so not read to the end: ACCOUNT" in site.connector("sync", status=3).out
        assert "they are paused: ACCOUNT" in site.connector("reconcile", "--type", "ACCOUNT", status=3).out
    shown = json.loads(site.connector("status", "--json", status=3).out)
    assert list(shown["paused"]) == ["ACCOUNT"]
    assert "ACCOUNT is paused since" in site.connector("status", status=3).out
    assert site.name_of(ObjectType.ACCOUNT, "4") != "Late"
    assert "catches up" in site.connector("resume", "ACCOUNT").out
    assert "is not paused" in site.connector("resume", "ACCOUNT").out
    site.connector("sync", status=3)
    assert site.name_of(ObjectType.ACCOUNT, "4") == "Late"


def test_unregister_says_what_is_lost_asks_and_ends_the_daemon(site: Site) -> None:
    with daemon(site) as process:
        said = site.process("unregister", status=2).err
        assert "objects: " in said
        assert "8 ACCOUNT" in said
        assert "--yes" in said
        assert "is at work for it" in site.connector("register").out
        assert "up to 24 hours" in site.connector("unregister", "--yes").out
        assert process.wait(timeout=30) == 0
    assert "gong-connector register" in site.connector("sync", status=2).err
    eventually(lambda: not site.world.integrations(), "Gong's deletion")
    site.connector("register")
    site.connector("sync", status=3)
    assert len(site.world.objects(ObjectType.ACCOUNT)) == 8


def test_daemon_refuses_what_is_meant_for_another_mapping_file_than_its_own(site: Site) -> None:
    mapping = site.home / "mapping.yaml"
    mapping.write_text(Path(site.environment["CONNECTOR_MAPPING"]).read_text())
    site.environment["CONNECTOR_MAPPING"] = str(mapping)
    with daemon(site):
        mapping.write_text(mapping.read_text() + "\n# a comment changes nothing\n")
        site.connector("schema", "apply")
        mapping.write_text(mapping.read_text().replace("label: ", "label: The ", 1))
        assert "send it SIGHUP or restart it" in site.connector("schema", "apply", status=2).err


def test_command_carries_on_itself_when_the_daemon_ends(site: Site) -> None:
    with daemon(site) as process:
        site.sql("UPDATE accounts SET name = 'Handed over', updated_at = datetime('now') WHERE id = 4")
        # The daemon stands still before it can take the request up, and is gone when it may go on.
        process.send_signal(signal.SIGSTOP)
        with site.started("sync", "--type", "ACCOUNT") as command:
            eventually(lambda: "as request" in site.printed("sync").err, "the request")
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            assert command.wait(timeout=60) == 3
    said = site.printed("sync")
    assert "Gong equals what was read" in said.out
    assert site.name_of(ObjectType.ACCOUNT, "4") == "Handed over"
