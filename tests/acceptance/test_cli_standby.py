"""Two daemons on one ledger, as real processes: one works, the other takes over, and nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import short_lease
from cli_site import Site, company, eventually, now
from databases import postgres_database

from connector.object_types import ObjectType

SHORT_LEASE = (short_lease.__file__,)
MOST_TO_TAKE_OVER = short_lease.LEASE_SECONDS + 5
"""Seconds: the lease, half a second between tries, and what a busy machine adds."""


@contextmanager
def ledger(kind: str, home: Path) -> Iterator[str]:
    """Give a new ledger's URL."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'connector.db'}"
        return
    with postgres_database() as url:
        yield url.set(drivername="postgresql").render_as_string(hide_password=False)


def status(site: Site) -> dict[str, object]:
    """What `status` says; a refusal stands, so the exit status is 3."""
    document: dict[str, object] = json.loads(site.connector("status", "--json", status=3).out)
    return document


def holds(site: Site, process: subprocess.Popen[str]) -> bool:
    """Whether the process is the active one."""
    return f"(process {process.pid})" in str(status(site)["active_process"])


def settled(site: Site) -> bool:
    """Whether everything was loaded and settled."""
    if not all(map(site.world.objects, ObjectType)):  # leads wait for nothing, contacts for the accounts
        return False
    work = status(site)["work"]
    return work == {**work, "unsettled": 0, "awaited": 0}  # type: ignore[dict-item]


def stopped(process: subprocess.Popen[str]) -> bool:
    """Whether the process was stopped by a signal."""
    return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def standing_by(site: Site, count: int) -> bool:
    """Whether so many processes have said that they stand by."""
    return site.printed("run").err.count('"daemon.standby"') == count


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.thorough), "postgresql"])
def test_a_second_daemon_takes_over_from_one_that_is_stopped_killed_or_ended(tmp_path: Path, kind: str) -> None:
    with ledger(kind, tmp_path) as url, company(tmp_path, accounts=4) as site:
        site.environment["CONNECTOR_STATE_URL"] = url
        site.connector("register")
        trigger = tmp_path / "stop now"
        at_upload = {"TEST_STOP_AT": "gong.upload.before", "TEST_STOP_IF": str(trigger)}
        with (
            site.started("run", program=SHORT_LEASE, **at_upload) as first,
            site.started("run", program=SHORT_LEASE, **at_upload) as second,
        ):
            eventually(lambda: settled(site) and standing_by(site, 1), "the first load, and a daemon standing by")
            loaded = sum(lines for _, lines in site.uploads())
            if holds(site, second):
                first, second = second, first

            # Stopped right before the first byte of an upload, past its lease; then it goes on.
            trigger.touch()
            site.sql("UPDATE leads SET first_name = 'Stopped', updated_at = ? WHERE id = 1", now())
            eventually(lambda: stopped(first), "the active daemon on its way to an upload")
            trigger.unlink()
            began = time.monotonic()
            eventually(lambda: holds(site, second), "the second daemon taking over")
            assert time.monotonic() - began < MOST_TO_TAKE_OVER
            eventually(lambda: first_name(site) == "Stopped" and settled(site), "the upload by the second daemon")
            first.send_signal(signal.SIGCONT)
            assert first.wait(timeout=60) == 1
            assert "gong-connector: another process" in site.printed("run").err
            assert sum(lines for _, lines in site.uploads()) == loaded + 1
            assert site.world.conflicts() == []

            # Killed.
            with site.started("run", program=SHORT_LEASE) as third:
                eventually(lambda: standing_by(site, 2), "a third daemon standing by")
                second.kill()
                began = time.monotonic()
                site.sql("UPDATE leads SET first_name = 'Killed', updated_at = ? WHERE id = 1", now())
                eventually(lambda: holds(site, third), "the third daemon taking over")
                assert time.monotonic() - began < MOST_TO_TAKE_OVER
                eventually(lambda: first_name(site) == "Killed", "the change")

                # Ended in good order: no lease to wait for.
                with site.started("run", program=SHORT_LEASE) as fourth:
                    eventually(lambda: standing_by(site, 3), "a fourth daemon standing by")
                    third.send_signal(signal.SIGTERM)
                    assert third.wait(timeout=10) == 0
                    eventually(lambda: holds(site, fourth), "the fourth daemon taking over")
                    fourth.send_signal(signal.SIGTERM)
                    assert fourth.wait(timeout=10) == 0
        assert sum(lines for _, lines in site.uploads()) == loaded + 2
        assert status(site)["active_process"] is None


def first_name(site: Site) -> object:
    """What Gong calls the lead that the test changes."""
    return site.world.objects(ObjectType.LEAD)["1"].get("firstName")
