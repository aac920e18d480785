"""The sandbox's OAuth: consent, codes, tokens that expire, refresh tokens that are good for once, scopes."""

import base64
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sandboxed import Caller, body_of

from connector.sandbox.http import Response

CLIENT = "Basic " + base64.b64encode(b"sandbox-app:sandbox-app-secret").decode()
BACK = "http://127.0.0.1:8765/back?from=gong"
READ = "api:crm:integrations:read"


def consent(caller: Caller, scope: str = READ, **other: str) -> dict[str, list[str]]:
    """What the browser is sent back with."""
    asked = {"client_id": "sandbox-app", "response_type": "code", "redirect_uri": BACK, "scope": scope, "state": "s1"}
    answer = caller.call("GET", "/oauth2/authorize", asked | other, authorization="")
    assert answer.status == 302
    address = dict(answer.headers)["Location"]
    assert address.startswith("http://127.0.0.1:8765/back?from=gong&")
    return parse_qs(urlsplit(address).query)


def token(caller: Caller, authorization: str = CLIENT, **form: str) -> Response:
    return caller.call(
        "POST",
        "/oauth2/generate-customer-token",
        body=urlencode(form).encode(),
        authorization=authorization,
        host="g:1",
    )


def pair(caller: Caller, scope: str = READ) -> Any:
    code = consent(caller, scope)["code"][0]
    answer = token(caller, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status == 200
    return body_of(answer)


def works(caller: Caller, granted: Any) -> bool:
    called = caller.call("GET", "/v2/crm/integrations", authorization=f"Bearer {granted['access_token']}")
    return called.status == 200


def test_a_code_becomes_a_pair_once() -> None:
    caller = Caller()
    answered = consent(caller)
    assert answered["state"] == ["s1"]
    form = {"grant_type": "authorization_code", "code": answered["code"][0], "redirect_uri": BACK}
    assert token(caller, **form | {"redirect_uri": "http://elsewhere.example/"}).status == 400
    first = token(caller, **form)
    granted = body_of(first)
    assert granted["api_base_url_for_customer"] == "http://g:1"
    assert (granted["expires_in"], granted["scope"]) == (86_400, READ)
    assert works(caller, granted)
    assert body_of(token(caller, **form))["error"] == "invalid_grant"


def test_an_access_token_expires_and_a_refresh_token_is_good_for_once() -> None:
    caller = Caller()
    first = pair(caller)
    caller.clock.advance(86_400)
    assert not works(caller, first)
    second = token(caller, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert works(caller, body_of(second))
    again = token(caller, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status, body_of(again)["error"]) == (400, "invalid_grant")
    assert works(caller, body_of(second))


@pytest.mark.parametrize("ends", [True, False])
def test_what_ends_the_earlier_token_is_a_switch(ends: bool) -> None:
    caller = Caller(refresh_ends_access=ends, reuse_ends_authorisation=ends)
    first = pair(caller)
    second = body_of(token(caller, grant_type="refresh_token", refresh_token=first["refresh_token"]))
    assert works(caller, second)
    assert works(caller, first) is not ends
    token(caller, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert works(caller, second) is not ends


def test_a_token_has_the_scopes_that_were_asked_for() -> None:
    caller = Caller()
    granted = pair(caller, "api:crm:upload api:of:nobody")
    assert granted["scope"] == "api:crm:upload"
    denied = caller.call("GET", "/v2/crm/integrations", authorization=f"Bearer {granted['access_token']}")
    assert body_of(denied)["errors"] == [f"You don't have permission to use '{READ}' in your app."]


def test_wrong_clients_are_turned_away() -> None:
    caller = Caller()
    assert token(caller, authorization=CLIENT[:-4], grant_type="refresh_token", refresh_token="x").status == 401
    assert caller.call("GET", "/oauth2/authorize", {"client_id": "other", "redirect_uri": BACK}).status == 400
    assert body_of(token(caller, grant_type="password"))["error"] == "unsupported_grant_type"
    assert consent(caller, response_type="token")["error"] == ["unsupported_response_type"]


@pytest.mark.parametrize("counts", [True, False])
def test_whether_the_token_endpoint_uses_up_the_limit_is_a_switch(counts: bool) -> None:
    caller = Caller(limited=True, token_calls_count=counts)
    for _ in range(3):
        token(caller, grant_type="refresh_token", refresh_token="x")
    assert caller.call("GET", "/v2/crm/integrations").status == (429 if counts else 200)


def test_authorisations_outlive_a_restart(tmp_path: Any) -> None:
    caller = Caller(tmp_path / "sandbox.db")
    granted = pair(caller)
    caller.world.close()
    again = Caller(tmp_path / "sandbox.db", caller.clock)
    assert works(again, granted)
    again.world.grants.revoke()
    assert not works(again, granted)
