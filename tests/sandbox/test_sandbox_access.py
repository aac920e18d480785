"""Who may call, how often, and the calls that are not about objects: integration, schema, paths."""

import base64
import json
from typing import Any

import pytest
from sandboxed import BASIC, Caller, body_of, line

from connector.object_types import ObjectType as T
from connector.sandbox.api import ROUTES

NAME = {"uniqueName": "arr", "label": "ARR", "type": "CURRENCY"}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"sandbox-key:wrong").decode(),
        "Bearer wrong",
        BASIC.removeprefix("Basic "),
    ],
)
def test_wrong_credentials_are_turned_away_and_use_up_no_limit(path: str, authorization: str) -> None:
    caller = Caller(limited=True)
    answers = [caller.call("GET", path, authorization=authorization).status for _ in range(5)]
    assert answers == [401] * 5
    assert caller.call("GET", "/v2/crm/integrations").status == 200


def test_a_token_has_its_scopes_and_no_others() -> None:
    caller = Caller()
    query = {"integrationId": caller.integration, "objectType": "ACCOUNT", "clientRequestId": "x"}
    denied = caller.call("GET", "/v2/crm/entity-schema", query, authorization="Bearer upload-only")
    assert denied.status == 401
    assert body_of(denied)["errors"] == ["You don't have permission to use 'api:crm:schema' in your app."]
    assert caller.call("GET", "/v2/crm/request-status", query, authorization="Bearer upload-only").status == 404


def test_three_calls_in_any_second() -> None:
    caller = Caller(limited=True)
    seen = []
    for _ in range(5):
        seen.append(caller.call("GET", "/v2/crm/integrations").status)
        caller.clock.advance(0.25)
    assert seen == [200, 200, 200, 429, 200]
    assert [call.at for call in caller.world.calls_over_limit()] == [caller.clock.now() - 0.5]


def test_ten_thousand_calls_in_any_day() -> None:
    caller = Caller(calls_per_day=10, calls_per_second=None)
    for _ in range(10):
        assert caller.call("GET", "/v2/crm/integrations").status == 200
        caller.clock.advance(3600)
    answer = caller.call("GET", "/v2/crm/integrations")
    assert answer.status == 429
    assert dict(answer.headers)["Retry-After"] == str(14 * 3600)
    caller.clock.advance(14 * 3600)
    assert caller.call("GET", "/v2/crm/integrations").status == 200


@pytest.mark.parametrize(
    ("form", "header"),
    [("seconds", "1"), ("date", "Thu, 09 Oct 2025 08:53:21 GMT"), ("junk", "soon"), ("absent", None)],
)
def test_the_form_of_retry_after_is_a_switch(form: str, header: str | None) -> None:
    caller = Caller(limited=True, retry_after=form)
    answers = [caller.call("GET", "/v2/crm/integrations") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert dict(answers[-1].headers).get("Retry-After") == header


@pytest.mark.parametrize("counts", [True, False])
def test_whether_refused_calls_use_up_the_limit_is_a_switch(counts: bool) -> None:
    caller = Caller(limited=True, refused_calls_count=counts)
    for _ in range(4):
        caller.call("GET", "/v2/crm/integrations")
        caller.clock.advance(0.3)
    assert caller.call("GET", "/v2/crm/integrations").status == (429 if counts else 200)


def test_there_is_one_integration() -> None:
    caller = Caller()
    assert body_of(caller.call("GET", "/v2/crm/integrations"))["integrations"] == []
    integration = caller.register()
    assert body_of(caller.call("GET", "/v2/crm/integrations"))["integrations"] == [
        {"integrationId": integration, "name": "Acme CRM", "ownerEmail": "revops@acme.example"}
    ]
    again = json.dumps({"name": "Other", "ownerEmail": "a@b.example"}).encode()
    assert caller.call("PUT", "/v2/crm/integrations", body=again).status == 409


def test_no_float_holds_the_id_of_an_integration() -> None:
    for number in range(64):
        integration = Caller().world.register("Acme CRM", "revops@acme.example", f"request-{number}")
        assert 2**53 < integration < 2**63
        assert int(float(integration)) != integration


def test_no_integration_may_be_a_404() -> None:
    assert Caller(no_integration=404).call("GET", "/v2/crm/integrations").status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name":"x"}', b'{"name":"","ownerEmail":"x"}', b"\xff"])
def test_a_registration_needs_a_name_and_an_owner(body: bytes) -> None:
    caller = Caller()
    assert caller.call("PUT", "/v2/crm/integrations", body=body).status == 400
    assert caller.world.integrations() == []


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2/crm/x", 404), ("PATCH", "/v2/crm/entities", 405)])
def test_unknown_paths_and_methods(method: str, path: str, status: int) -> None:
    answer = Caller().call(method, path)
    assert answer.status == status
    assert dict(answer.headers).get("Allow") == (None if status == 404 else "POST, GET")


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ({"label": "A", "type": "STRING"}, "uniqueName"),
        ({"uniqueName": "a", "type": "STRING"}, "label"),
        ({"uniqueName": "a", "label": "A"}, "type"),
        ({"uniqueName": "a", "label": "A", "type": "MONEY"}, "unknown type"),
        ({"uniqueName": "a", "label": "A", "type": "STRINGARRAY"}, "reserved"),
        ({"uniqueName": "name", "label": "A", "type": "STRING"}, "standard field"),
        ({"uniqueName": "url", "label": "A", "type": "STRING"}, "standard field"),
        ({"uniqueName": "a", "label": "A", "type": "REFERENCE"}, "referenceTo"),
        ({"uniqueName": "a", "label": "A", "type": "REFERENCE", "referenceTo": "STAGE"}, "referenceTo"),
        ({"uniqueName": "a", "label": "A", "type": "PICKLIST"}, "orderedValueList"),
        ({"uniqueName": "a", "label": "A", "type": "PICKLIST", "orderedValueList": []}, "orderedValueList"),
        ({"uniqueName": "a", "label": "A", "type": "PICKLIST", "orderedValueList": [1]}, "orderedValueList"),
        ({"uniqueName": "a", "label": "A", "type": "STRING", "isDeleted": "no"}, "isDeleted"),
    ],
)
def test_a_bad_schema_field_is_refused_by_name(field: dict[str, Any], word: str) -> None:
    caller = Caller()
    answer = caller.put_schema(T.ACCOUNT, field)
    assert answer.status == 400
    assert word in body_of(answer)["errors"][0]
    assert caller.schema(T.ACCOUNT) == []


def test_a_schema_upload_holds_every_field() -> None:
    caller = Caller()
    other = {"uniqueName": "tier", "label": "Tier", "type": "PICKLIST", "orderedValueList": ["A"]}
    assert caller.put_schema(T.ACCOUNT, NAME, other).status == 201
    left_out = caller.put_schema(T.ACCOUNT, other)
    assert (left_out.status, body_of(left_out)["errors"]) == (
        400,
        ["Field [arr] of ACCOUNT is missing in the schema"],
    )
    assert caller.put_schema(T.ACCOUNT, NAME, NAME, other).status == 400
    assert caller.schema(T.ACCOUNT) == [NAME, other]
    assert caller.schema(T.DEAL) == []
    assert caller.put_schema(T.ACCOUNT, other, NAME | {"isDeleted": True}).status == 201
    assert caller.schema(T.ACCOUNT) == [other]


def test_only_four_types_have_a_schema() -> None:
    assert Caller().put_schema(T.STAGE, NAME).status == 400


def test_how_a_schema_is_answered_is_a_switch() -> None:
    caller = Caller(schema_upload_status=200, schema_name_key="name", schema_lists_standard_fields=True)
    assert caller.put_schema(T.ACCOUNT, NAME).status == 200
    shown = caller.schema(T.ACCOUNT)
    assert shown[-1] == {"name": "arr", "label": "ARR", "type": "CURRENCY"}
    assert ("domains", "STRINGARRAY") in [(field["name"], field["type"]) for field in shown]


def test_error_answers_have_gongs_shape() -> None:
    answer = body_of(Caller().call("GET", "/v2/crm/request-status"))
    assert set(answer) == {"requestId", "errors"}
    assert all(isinstance(message, str) for message in answer["errors"])


def test_the_state_counts_what_is_there() -> None:
    caller = Caller()
    caller.settle(T.CONTACT, line("1"))
    state = body_of(caller.call("GET", "/sandbox/state"))
    assert (state["objects"]["CONTACT"], state["visible"]["CONTACT"]) == (1, 0)
    assert (state["uploads"]["DONE"], state["lines"], state["callsOverLimit"]) == (1, 1, 0)
