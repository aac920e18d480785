"""The calls that answer with a value or an error: what is sent, what is made of the answer."""

import base64
import contextlib
import json

import httpx
import pytest

from connector import failpoints
from connector.errors import GongDenied, RetriableError
from connector.gong import AlreadyRegistered, GongRefused, GongUnavailable, Integration
from connector.model import SchemaField
from connector.object_types import ObjectType

BIG = 9_223_372_036_854_775_807


def test_every_call_is_authenticated_named_and_booked_once(gong):
    gong.answers(200, json={"integrations": []})
    gong.client.integrations(priority=7)
    (request,) = gong.requests
    scheme, _, token = request.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(token) == b"CANARYKEY:canary-secret-7f3a"
    assert request.headers["User-Agent"].startswith("gong-connector/")
    assert gong.limiter.acquired == [7]


@pytest.mark.parametrize("answer", [httpx.Response(200, json={"integrations": []}), httpx.ReadError("reset")])
def test_the_limiter_is_told_when_a_call_is_over(gong, answer):
    during = []

    def reply(_request):
        during.append(list(gong.limiter.over))
        if isinstance(answer, Exception):
            raise answer
        return answer

    gong.answer = reply
    with contextlib.suppress(GongUnavailable):
        gong.client.integrations()
    assert during == [[]]
    assert gong.limiter.over == [1.0], "what acquire returned for this call"


def test_no_request_leaves_when_the_limiter_refuses(gong):
    def spent(priority):
        raise RetriableError("the day is spent")

    gong.limiter.acquire = spent
    with pytest.raises(RetriableError, match="the day is spent"):
        gong.client.integrations()
    assert gong.requests == []


@pytest.mark.parametrize("written", [BIG, str(BIG)])
def test_integration_ids_above_2_53_stay_exact(gong, written):
    gong.answers(200, json={"integrations": [{"integrationId": written, "name": "n", "ownerEmail": "o", "new": 1}]})
    assert gong.client.integrations() == [Integration(BIG, "n", "o")]
    gong.answers(200, json={"requestId": "r", "integrationId": written})
    assert gong.client.register("n", "o") == BIG
    gong.answers(200, json={"status": "DONE"})
    gong.client.status(BIG, "id")
    assert gong.requests[-1].url.params["integrationId"] == "9223372036854775807"


@pytest.mark.parametrize("written", [b"9.223372036854776e18", b"true", b"null", b'"12.0"', b'""'])
def test_an_integration_id_that_is_no_exact_integer_is_not_believed(gong, written):
    gong.answers(200, content=b'{"integrationId": %s}' % written)
    with pytest.raises(GongUnavailable):
        gong.client.register("n", "o")


@pytest.mark.parametrize("answer", [httpx.Response(200, json={"integrations": []}), httpx.Response(404, json={})])
def test_no_integration(gong, answer):
    gong.answer = lambda _: answer
    assert gong.client.integrations() == []


def test_a_proxys_404_page_is_not_taken_for_no_integration(gong):
    gong.answers(404, html="<html>not here</html>")
    with pytest.raises(GongUnavailable, match="web page"):
        gong.client.integrations()


def test_register(gong):
    gong.answers(200, json={"integrationId": 5})
    assert gong.client.register("Acme", "o@acme.example") == 5
    (request,) = gong.requests
    assert (request.method, request.url.path) == ("PUT", "/v2/crm/integrations")
    assert json.loads(request.content) == {"name": "Acme", "ownerEmail": "o@acme.example"}


def test_register_when_there_is_one(gong):
    gong.answers(409, json={"errors": ["Integration exists"]})
    with pytest.raises(AlreadyRegistered, match="Integration exists"):
        gong.client.register("Acme", "o@acme.example")


@pytest.mark.parametrize("key", ["uniqueName", "name"])
def test_schema_takes_both_names_of_the_key_and_leaves_deleted_fields_out(gong, key):
    gong.answers(
        200,
        json={
            "requestId": "r",
            "objectTypeToSelectedFields": {
                "DEAL": [
                    {key: "stage2", "label": "S", "type": "PICKLIST", "orderedValueList": ["a", "b"], "extra": {}},
                    {key: "acc", "label": "A", "type": "REFERENCE", "referenceTo": "ACCOUNT"},
                    {key: "old", "label": "O", "type": "STRING", "isDeleted": True},
                ],
                "LEAD": [{key: "other", "label": "X", "type": "STRING"}],
            },
        },
    )
    assert gong.client.schema(1, ObjectType.DEAL) == {
        "stage2": SchemaField("stage2", "S", "PICKLIST", None, ("a", "b")),
        "acc": SchemaField("acc", "A", "REFERENCE", "ACCOUNT", None),
    }
    assert dict(gong.requests[0].url.params) == {"integrationId": "1", "objectType": "DEAL"}


def test_a_type_without_fields_has_an_empty_schema(gong):
    gong.answers(200, json={"objectTypeToSelectedFields": {}})
    assert gong.client.schema(1, ObjectType.DEAL) == {}


@pytest.mark.parametrize(
    "document",
    [{}, [], {"objectTypeToSelectedFields": []}, {"objectTypeToSelectedFields": {"DEAL": ["x"]}},
     {"objectTypeToSelectedFields": {"DEAL": [{"label": "nameless"}]}}],
)  # fmt: skip
def test_a_schema_that_cannot_be_read_is_not_taken_for_an_empty_one(gong, document):
    gong.answers(200, json=document)
    with pytest.raises(GongUnavailable, match="cannot be read"):
        gong.client.schema(1, ObjectType.DEAL)


@pytest.mark.parametrize("status", [200, 201])
def test_put_schema_sends_every_field_and_marks_the_deleted(gong, status):
    gong.answers(status, json={"requestId": "r"})
    gong.client.put_schema(
        1,
        ObjectType.ACCOUNT,
        [SchemaField("a", "A", "PICKLIST", values=("x", "y")), SchemaField("b", "B", "REFERENCE", reference_to="USER")],
        [SchemaField("c", "C", "STRING")],
    )
    (request,) = gong.requests
    assert (request.method, request.url.path) == ("POST", "/v2/crm/entity-schema")
    assert json.loads(request.content) == [
        {"uniqueName": "a", "label": "A", "type": "PICKLIST", "orderedValueList": ["x", "y"]},
        {"uniqueName": "b", "label": "B", "type": "REFERENCE", "referenceTo": "USER"},
        {"uniqueName": "c", "label": "C", "type": "STRING", "isDeleted": True},
    ]


def test_objects_sends_the_ids_in_the_body_of_a_get(gong):
    gong.answers(200, json={"crmObjectsMap": {"1": {"name": "x"}, "2": None, "unasked": {}}})
    assert gong.client.objects(1, ObjectType.DEAL, ["1", "2", "3"]) == {"1": {"name": "x"}, "2": None, "3": None}
    (request,) = gong.requests
    assert (request.method, request.url.path) == ("GET", "/v2/crm/entities")
    assert json.loads(request.content) == ["1", "2", "3"]
    assert request.headers["Content-Type"] == "application/json"


def test_objects_of_a_moment_are_believed_only_where_the_answer_names_it(gong):
    moment = 1_709_294_400
    found = {"crmObjectsMap": {"1": {"name": "x"}}}
    for shown in ({}, {"shownAt": "2024-03-01T12:00:01Z"}):
        gong.answers(200, json=found | shown)
        assert gong.client.objects_at(1, ObjectType.DEAL, ["1"], moment) is None
    gong.answers(200, json=found | {"shownAt": "2024-03-01T12:00:00Z"})
    assert gong.client.objects_at(1, ObjectType.DEAL, ["1", "2"], moment) == {"1": {"name": "x"}, "2": None}
    request = gong.requests[0]
    assert (request.method, request.url.path) == ("GET", "/v2/crm/entities")
    assert request.headers["X-Sandbox-At"] == "2024-03-01T12:00:00Z"
    with pytest.raises(ValueError, match="100"):
        gong.client.objects_at(1, ObjectType.DEAL, [str(n) for n in range(101)], moment)


def test_objects_refuses_more_ids_than_gong_answers(gong):
    with pytest.raises(ValueError, match="100"):
        gong.client.objects(1, ObjectType.DEAL, [str(n) for n in range(101)])
    assert gong.requests == []


def test_denied_names_the_missing_scope(gong):
    gong.answers(401, json={"errors": ["You don't have permission to use 'api:crm:schema' in your app."]})
    with pytest.raises(GongDenied, match="scope api:crm:schema:"):
        gong.client.schema(1, ObjectType.DEAL)


def test_denied_says_what_to_check(gong):
    gong.answers(401, json={"errors": ["Unauthorized"]})
    with pytest.raises(GongDenied, match="CONNECTOR_GONG_ACCESS_KEY_SECRET"):
        gong.client.integrations()
    gong.answers(403, html="<html>blocked</html>")
    with pytest.raises(GongDenied, match="address"):
        gong.client.integrations()


def test_refused_holds_gongs_words(gong):
    gong.answers(400, json={"requestId": "r", "errors": ["label is missing", "type is missing"]})
    with pytest.raises(GongRefused, match="HTTP 400: “label is missing; type is missing”") as caught:
        gong.client.put_schema(1, ObjectType.DEAL, [])
    assert caught.value.status == 400


def test_throttled_calls_make_everyone_wait(gong):
    gong.answers(429, headers={"Retry-After": "17"})
    with pytest.raises(GongUnavailable) as caught:
        gong.client.integrations()
    assert caught.value.until == gong.clock.now() + 17
    assert gong.limiter.waits == [gong.clock.now() + 17]


@pytest.mark.parametrize("status", [500, 502, 503, 408, 204, 302])
def test_trouble_that_passes(gong, status):
    gong.answers(status)
    with pytest.raises(GongUnavailable, match=str(status)) as caught:
        gong.client.integrations()
    assert caught.value.until is None
    assert gong.limiter.waits == []


@pytest.mark.parametrize("body", [b"", b"{", b'{"integrations": [', b"\xff\xfe", b"[" * 200_000, b"1" * 5000])
def test_broken_json_is_trouble_that_passes(gong, body):
    gong.answers(200, content=body)
    with pytest.raises(GongUnavailable):
        gong.client.integrations()


def test_redirects_are_not_followed(gong):
    gong.answers(307, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(GongUnavailable, match="redirect"):
        gong.client.integrations()
    assert [request.url.host for request in gong.requests] == ["gong.example"]


def test_an_endless_answer_is_given_up(gong):
    def endless():
        while True:
            gong.clock.advance(1)
            yield b" "

    gong.answer = lambda _: httpx.Response(200, content=endless())
    with pytest.raises(GongUnavailable, match="took longer than 40 seconds"):
        gong.client.integrations()


def test_a_huge_answer_is_given_up(gong):
    pieces = iter([b" " * 1024 * 1024] * 70)
    gong.answer = lambda _: httpx.Response(200, content=pieces)
    with pytest.raises(GongUnavailable, match="too large"):
        gong.client.integrations()
    assert next(pieces, None) is not None


def test_failpoints_stand_around_the_call(gong, tmp_path):
    seen = []
    gong.answer = lambda _: (seen.append("call"), httpx.Response(500))[1]
    file = tmp_path / "f"
    file.write_bytes(b"{}\n")
    failpoints.arm(seen.append)
    try:
        gong.client.upload(1, ObjectType.DEAL, "id", file, 3)
        gong.client.status(1, "id")
        with pytest.raises(GongUnavailable):
            gong.client.register("n", "o")
        with pytest.raises(GongUnavailable):
            gong.client.put_schema(1, ObjectType.DEAL, [])
    finally:
        failpoints.arm(None)
    assert seen == [
        step for call in ("upload", "status", "register", "put_schema")
        for step in (f"gong.{call}.before", "call", f"gong.{call}.after")
    ]  # fmt: skip
