"""The status page of the real daemon: it is there while the daemon lives, tells the truth, and gives no secret away."""

import json
import signal
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import CANARY_SECRET, Site, company, eventually
from pages import addresses, page

PAGES = (
    "",
    "refused",
    "waiting",
    "object?id=1",
    "audit",
    "configuration",
    "charts.json",
    "metrics",
    "readyz",
    "healthz",
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with company(tmp_path) as made:
        yield made


def test_the_page_follows_the_daemon_from_start_to_end(site: Site) -> None:
    site.connector("register")
    with site.started("run") as process:
        eventually(lambda: bool(addresses(site.printed("run").err)), "the page's address in the log")
        (address,) = addresses(site.printed("run").err)
        eventually(lambda: "gong_connector_lines_total" in page(address + "metrics")[1], "lines that Gong took")
        eventually(lambda: page(address + "readyz")[0] == 200, "readiness")
        for path in PAGES:
            status, text = page(address + path)
            assert status == 200, path
            assert CANARY_SECRET not in text
        state = json.loads(site.connector("status", "--json", status=3).out)
        assert f"<bdi>{state['integration_id']}</bdi>" in page(address)[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with pytest.raises(urllib.error.URLError):
        page(address)


def test_a_daemon_that_cannot_begin_says_why_on_its_page(site: Site) -> None:
    site.connector("register")
    site.database.rename(site.home / "away.db")
    with site.started("run"):
        eventually(lambda: bool(addresses(site.printed("run").err)), "the page's address in the log")
        (address,) = addresses(site.printed("run").err)
        status, text = page(address)
        assert status == 200
        assert "Stopped: the daemon cannot begin" in text
        assert page(address + "readyz")[0] == 503
        assert page(address + "healthz") == (200, "alive\n")
        (site.home / "away.db").rename(site.database)
        eventually(lambda: page(address + "readyz")[0] == 200, "readiness, once the source is back")


def test_one_that_stands_by_shows_how_the_active_one_is(site: Site) -> None:
    site.connector("register")
    with site.started("run"), site.started("run"):
        eventually(lambda: len(addresses(site.printed("run").err)) == 2, "two pages")
        eventually(
            lambda: all(page(one + "readyz")[0] == 200 for one in addresses(site.printed("run").err)),
            "readiness of both",
        )


def test_a_page_for_other_machines_needs_a_password(site: Site) -> None:
    said = site.connector("run", status=2, CONNECTOR_WEB_HOST="0.0.0.0").err
    assert "CONNECTOR_WEB_PASSWORD: is needed where CONNECTOR_WEB_HOST (0.0.0.0) is open to other machines" in said
