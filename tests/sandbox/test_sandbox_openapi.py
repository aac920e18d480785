"""The sandbox against the published structure of the API: generated calls, and every answer held to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from sandboxed import BASIC, START, UNLIMITED, jsonl, line
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connector.clock import FakeClock
from connector.object_types import ObjectType
from connector.sandbox.api import ROUTES, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
OPERATIONS = [(path, method) for path, methods in ROUTES.items() for method in methods]
HEADERS = {"Authorization": BASIC}


class Sandbox:
    """A running sandbox with an integration; each call lets some time pass, so that uploads get processed."""

    def __init__(self, url: str, world: World, clock: FakeClock) -> None:
        self.world = world
        self.clock = clock
        self.integration = world.register("Acme CRM", "revops@acme.example", "first")
        self.schema = schemathesis.openapi.from_dict(structure())
        self.schema.config.update(base_url=url)

    def call(self, case: Any) -> Any:
        self.clock.advance(1.0)
        return case.call_and_validate(headers=HEADERS, checks=CHECKS)


def structure() -> dict[str, Any]:
    """Return the published structure, completed where its text says more than it holds."""
    spec: dict[str, Any] = json.loads(Path(__file__).with_name("gong-crm-openapi.json").read_text())
    upload = spec["paths"]["/v2/crm/entities"]["post"]
    # The structure leaves out the parameters of the upload, which the text gives.
    upload["parameters"] = [
        {"name": "integrationId", "in": "query", "required": True, "schema": {"type": "integer", "format": "int64"}},
        {"name": "objectType", "in": "query", "required": True, "schema": {"enum": list(ObjectType)}},
        {"name": "clientRequestId", "in": "query", "required": True, "schema": {"type": "string"}},
    ]
    # The text says that an object that is not there is null, and the objects hold plain values.
    objects = spec["components"]["schemas"]["GetGenericCrmObjectsResponse"]["properties"]["crmObjectsMap"]
    objects["additionalProperties"] = {"type": "object", "nullable": True}
    return spec


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    clock = FakeClock(START)
    # Where text and structure disagree on a status code, this holds to the structure: no 404, no 415.
    behaviour = Behaviour(unknown_status=400, read_ids_from="query", deletion_seconds=1e12, **UNLIMITED)
    world = World(now=clock.now, behaviour=behaviour)
    with running(SandboxApi(world)) as url:
        yield Sandbox(url, world, clock)


@pytest.mark.parametrize("examples", [15, pytest.param(100, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_generated_calls_get_published_answers(
    sandbox: Sandbox, path: str, method: str, mode: GenerationMode, examples: int
) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=sandbox.schema[path][method].as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        if isinstance(case.query, dict) and isinstance(case.query.get("integrationId"), int):
            case.query["integrationId"] = sandbox.integration  # else nothing would get past an unknown integration
        sandbox.call(case)

    hold()


ACCOUNT = {"objectType": "ACCOUNT"}
FIELDS = [
    {"uniqueName": "tier", "label": "Tier", "type": "PICKLIST", "orderedValueList": ["A"]},
    {"uniqueName": "boss", "label": "Boss", "type": "REFERENCE", "referenceTo": "USER"},
]


@pytest.mark.parametrize("good", [True, False])
def test_a_whole_life_of_an_integration_gets_published_answers(sandbox: Sandbox, good: bool) -> None:
    request_id = f"life-{good}"
    own = {"integrationId": sandbox.integration}

    def case(method: str, path: str, **parts: Any) -> Any:
        return sandbox.call(sandbox.schema[path][method].Case(**parts))

    def call(method: str, path: str, **query: Any) -> Any:
        return case(method, path, query=own | query)

    schema_path, objects_path = "/v2/crm/entity-schema", "/v2/crm/entities"
    assert case("GET", "/v2/crm/integrations").json()["integrations"][0]["integrationId"] == sandbox.integration
    existing = [field.as_json() for field in sandbox.world.schema(sandbox.integration, ObjectType.ACCOUNT)]
    gone = [field | {"isDeleted": True} for field in existing]
    body = FIELDS + [field for field in gone if field["uniqueName"] not in ("tier", "boss")]
    posted = case("POST", schema_path, query=own | ACCOUNT, body=body, media_type="application/json")
    assert posted.status_code == 201
    assert call("GET", schema_path, **ACCOUNT).json()["objectTypeToSelectedFields"] == {"ACCOUNT": FIELDS}

    data = jsonl([line(request_id, tier="A" if good else "B", boss="7")])
    upload = sandbox.schema[objects_path]["POST"]
    asked = upload.Case(query=own | ACCOUNT | {"clientRequestId": request_id}, media_type="multipart/form-data")
    answer = asked.call(headers=HEADERS, base_url=sandbox.schema.config.base_url, files={"dataFile": ("f", data)})
    asked.validate_response(answer, checks=[status_code_conformance, response_schema_conformance])
    assert answer.status_code == 201

    sandbox.clock.advance(1000)
    status = call("GET", "/v2/crm/request-status", clientRequestId=request_id).json()
    assert (status["status"], len(status["errors"])) == (("DONE", 0) if good else ("FAILED", 1))
    found = call("GET", objects_path, **ACCOUNT, objectsCrmIds=[request_id, "nobody"]).json()["crmObjectsMap"]
    assert found["nobody"] is None
    assert (found[request_id] or {}).get("tier") == ("A" if good else None)
    deleted = call("DELETE", "/v2/crm/integrations", clientRequestId=f"end-{request_id}")
    assert deleted.status_code == 201


def test_registering_gets_the_published_answer() -> None:
    clock = FakeClock(START)
    with running(SandboxApi(World(now=clock.now))) as url:
        schema = schemathesis.openapi.from_dict(structure())
        operation = schema["/v2/crm/integrations"]["PUT"]
        body = {"name": "Acme", "ownerEmail": "a@b.example"}
        for expected in (200, 409):
            case = operation.Case(body=body, media_type="application/json")
            answer = case.call_and_validate(base_url=url, headers=HEADERS, checks=CHECKS)
            assert answer.status_code == expected
