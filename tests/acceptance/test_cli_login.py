"""`login` through the command line: the browser comes back to this machine, or its address is pasted."""

import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from cli_site import CANARY_SECRET, Site, company

import connector.cli.login
from connector.sandbox.api import SCOPES, Credentials
from connector.sandbox.http import Request, Response

APP = {"client_id": "the-app", "client_secret": CANARY_SECRET}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A company that has an app in Gong, and no access key."""
    with company(tmp_path, accounts=4) as site:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        gong = site.environment["CONNECTOR_GONG_BASE_URL"]
        for name in ("BASE_URL", "ACCESS_KEY", "ACCESS_KEY_SECRET"):
            del site.environment[f"CONNECTOR_GONG_{name}"]
        site.api.credentials = Credentials(**APP)  # type: ignore[arg-type]
        site.environment |= {
            "CONNECTOR_GONG_OAUTH_URL": gong,
            "CONNECTOR_GONG_OAUTH_CLIENT_ID": "the-app",
            "CONNECTOR_GONG_OAUTH_CLIENT_SECRET": CANARY_SECRET,
            "CONNECTOR_GONG_OAUTH_REDIRECT_URI": f"http://127.0.0.1:{port}/back",
        }
        yield site


def recorded(site: Site) -> list[str]:
    """What Gong answers from now on where somebody authorises or renews."""
    answers: list[str] = []
    handle = site.api.handle

    def listening(request: Request) -> Response:
        answer = handle(request)
        if "oauth2" in request.path:
            answers.append(str(answer))
        return answer

    site.api.handle = listening  # type: ignore[method-assign]
    return answers


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    """A browser that opens what `login` says, once it listens; what it was answered."""
    seen: list[httpx.Response] = []
    said: list[str] = []
    say = connector.cli.login.say

    def listening(text: str = "", style: str = "") -> None:
        say(text, style)
        said.append(text)
        if text.startswith("Waiting"):
            threading.Thread(target=look, daemon=True).start()

    def look() -> None:
        url = next(text.strip() for text in said if "/oauth2/authorize" in text)
        back = httpx.get(url).headers["Location"]
        seen.append(httpx.get(back.replace("state=", "state=x")))
        seen.append(httpx.get(f"{back.partition('/back')[0]}/favicon.ico"))
        seen.append(httpx.get(back))

    monkeypatch.setattr(connector.cli.login, "say", listening)
    monkeypatch.setattr(
        connector.cli.login.click,
        "prompt",
        lambda *_, **__: httpx.get(next(t.strip() for t in said if "/oauth2/authorize" in t)).headers["Location"],
    )
    return seen


def test_no_code_token_or_secret_of_an_app_is_in_any_sink(site: Site, browser: list[httpx.Response]) -> None:
    answers = recorded(site)
    site.environment |= {"CONNECTOR_LOG_LEVEL": "DEBUG", "CONNECTOR_LOG_FORMAT": "json"}
    said = [site.connector("login")]
    site.world.grants.revoke()
    said += [site.connector(*words, status=None) for words in (("register",), ("status", "--json"))]
    tokens = set(re.findall(r'"(?:access|refresh)_token": *"([^"]+)"|[?&]code=([^&"]+)', "".join(answers)))
    canaries = {token for pair in tokens for token in pair if token} | {CANARY_SECRET}
    assert len(canaries) == 4, "a code, an access token, a refresh token, the app's secret"
    with closing(sqlite3.connect(site.home / "connector.db")) as ledger:
        stored = "\n".join(ledger.iterdump())
    shown = "".join(one.out + one.err for one in said)
    assert "gong-connector login" in shown, "Gong refused the tokens, and that was said"
    for sink in (shown, stored):
        assert [canary for canary in canaries if canary in sink] == []


def test_a_login_by_listening_is_enough_for_everything(site: Site, browser: list[httpx.Response]) -> None:
    assert "gong-connector login" in site.connector("check", status=2).out
    said = site.connector("login").out
    assert "Gong has authorised the connector for 127.0.0.1" in said
    assert [answer.status_code for answer in browser] == [400, 400, 200]
    site.connector("register")
    site.connector("sync", status=3)
    site.connector("verify", "ACCOUNT")
    checked = site.connector("check").out
    assert "the authorisation is accepted at 127.0.0.1" in checked
    assert "scope" not in checked


def test_a_pasted_login_whose_app_lacks_a_scope_names_it(site: Site, browser: list[httpx.Response]) -> None:
    site.api.credentials = Credentials(**APP, app_scopes=frozenset(SCOPES.values()) - {"api:crm:upload"})  # type: ignore[arg-type]
    said = site.connector("login", "--paste", status=3).out
    assert "Missing scope: api:crm:upload (every upload)" in said
    assert browser == []
    site.connector("register")
    assert "the scope api:crm:upload is missing" in site.connector("check", status=1).out
    failed = site.connector("sync", status=1)
    assert "api:crm:upload" in failed.out + failed.err
    assert sum("generate-customer-token" in call.path for call in site.world.calls()) == 1


def test_a_port_that_is_taken_is_named(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        said = site.connector("login", status=2, CONNECTOR_GONG_OAUTH_REDIRECT_URI=uri).err
        assert "CONNECTOR_GONG_OAUTH_REDIRECT_URI: cannot listen at port" in said
        assert "--paste" in said
