"""run, sandbox and demo, through the real process: they start, work, stand by, and end when told to."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli_site import Site, company, eventually, now

from connector.object_types import ObjectType


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> None:
    """Tell a process to end; it does so in good order within ten seconds."""
    process.send_signal(number)
    assert process.wait(timeout=10) == 0


def test_daemon_loads_follows_changes_stands_by_and_ends(tmp_path: Path) -> None:
    with company(tmp_path) as site:
        site.connector("register")
        with site.started("run") as active:
            eventually(lambda: len(site.world.objects(ObjectType.ACCOUNT)) == 8, "the first load of accounts")
            site.sql("UPDATE accounts SET name = 'While it runs', updated_at = ? WHERE id = 4", now())
            with site.started("run") as standby:
                eventually(lambda: "daemon.standby" in site.printed("run").err, "the second daemon standing by")
                assert standby.poll() is None
                eventually(
                    lambda: site.name_of(ObjectType.ACCOUNT, "4") == "While it runs", "a change while the daemon runs"
                )
                end(active)
                eventually(lambda: f"(process {standby.pid})" in str(holder(site)), "the second daemon taking over")
                end(standby, signal.SIGINT)
        assert holder(site) is None
        log = [json.loads(line) for line in site.printed("run").err.splitlines()]
        assert {"timestamp", "level", "event", "run"} <= set.intersection(*(set(line) for line in log))
        assert len({line["run"] for line in log}) == 2
        assert any(line["event"] == "batch.done" and line["type"] == "ACCOUNT" and line["batch"] for line in log)


def holder(site: Site) -> str | None:
    """Who holds the lease, as `status` says it; a refusal stands, so the exit status is 3."""
    name: str | None = json.loads(site.connector("status", "--json", status=3).out)["active_process"]
    return name


def test_daemon_waits_for_what_is_out_of_reach_and_yields_to_another(tmp_path: Path) -> None:
    with company(tmp_path, accounts=2) as site:
        assert "gong-connector register" in site.connector("run", status=2).err
        site.connector("register")
        database = site.database
        hidden = database.rename(database.with_name("elsewhere.db"))
        with site.started("run", CONNECTOR_LOG_FORMAT="console") as process:
            eventually(lambda: "start.postponed" in site.printed("run").err, "word of the source's absence")
            hidden.rename(database)
            eventually(lambda: len(site.world.objects(ObjectType.ACCOUNT)) == 2, "the first load")
            with closing(sqlite3.connect(site.home / "connector.db", timeout=30)) as ledger, ledger:
                ledger.execute("UPDATE lease SET holder = 'another host', token = token + 1")
            assert process.wait(timeout=60) == 1
        assert "lease" in site.printed("run").err.splitlines()[-1]


def test_sandbox_serves_keeps_its_state_and_ends(tmp_path: Path) -> None:
    with company(tmp_path, accounts=2) as site:
        default = {"CONNECTOR_GONG_ACCESS_KEY": "", "CONNECTOR_GONG_ACCESS_KEY_SECRET": ""}
        client = {"CONNECTOR_GONG_ACCESS_KEY": "sandbox", "CONNECTOR_GONG_ACCESS_KEY_SECRET": "sandbox-secret"}
        ids = []
        for start in (1, 2):
            with site.started("sandbox", "--port", "0", "--data", "gong.db", **default) as process:
                eventually(lambda n=start: len(urls(site)) == n, "the sandbox's address")
                said = site.connector("register", CONNECTOR_GONG_BASE_URL=urls(site)[-1], **client).out
                ids.append(re.findall(r"integration (\d+)", said)[0])
                end(process)
        assert ids[0] == ids[1]
        assert "no directory" in site.connector("sandbox", "--data", "nowhere/gong.db", status=2).err


def urls(site: Site) -> list[str]:
    """Where the sandboxes listened so far."""
    return re.findall(r"CONNECTOR_GONG_BASE_URL=(\S+)", site.printed("sandbox").out)


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def test_demo_shows_everything_whatever_the_environment_and_stays_on_demand(demo_home: Path) -> None:
    misleading = {"CONNECTOR_STATE_URL": "nonsense", "CONNECTOR_MAPPING": "nowhere", "CONNECTOR_CALLS_PER_DAY": "-3"}
    out, err = demo_home / "out", demo_home / "err"
    with out.open("w") as to_out, err.open("w") as to_err:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", "demo", "--keep", "--directory", str(demo_home / "files")],
            env=os.environ | misleading,
            stdout=to_out,
            stderr=to_err,
            text=True,
        )
    try:
        eventually(lambda: "batch.done" in err.read_text() or process.poll() is not None, "the daemon at work")
        end(process, signal.SIGINT)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    said = out.read_text()
    equal = re.search(r"Objects equal: ([\d,]+) of ([\d,]+)\.", said)
    assert equal is not None
    assert equal[1] == equal[2]
    assert len(re.findall(r"^DEAL .* gong ", said, re.MULTILINE)) == 1
    assert len(re.findall(r"^(?:BUSINESS_USER|LEAD) .* connector ", said, re.MULTILINE)) == 2
    assert "Uploaded: 0 files. Calls to Gong: 0." in said
    assert re.search(r"[\d,]+ rows read, [\d,]+ lines sent, \d+ of 9,000 calls", said)
    assert "\x1b" not in said


def test_demo_leaves_a_directory_that_holds_something_alone(demo_home: Path) -> None:
    (demo_home / "mine").mkdir()
    (demo_home / "mine" / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "connector", "demo", "--directory", str(demo_home / "mine")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in (demo_home / "mine").iterdir()] == ["file"]
