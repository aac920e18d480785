"""A caller of the sandbox in process, on a clock that moves only when told: what the tests here speak through."""

import base64
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.clock import FakeClock
from connector.object_types import ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import FaultPlan
from connector.sandbox.http import Request, Response
from connector.sandbox.world import World

START = 1_760_000_000.0
BASIC = "Basic " + base64.b64encode(b"sandbox-key:sandbox-secret").decode()
UNLIMITED = {"calls_per_second": None, "calls_per_day": None}


def body_of(response: Response) -> Any:
    return json.loads(response.body, parse_float=Decimal)


def multipart(data: bytes, name: str = "dataFile", file_name: str | None = "lines.jsonl") -> tuple[str, bytes]:
    """Return a content type and a body with one part."""
    disposition = f'form-data; name="{name}"' + (f'; filename="{file_name}"' if file_name else "")
    head = f"--cut\r\nContent-Disposition: {disposition}\r\nContent-Type: application/x-ndjson\r\n\r\n"
    return "multipart/form-data; boundary=cut", head.encode() + data + b"\r\n--cut--\r\n"


def line(object_id: str, modified: str = "2025-01-01T00:00:00Z", **fields: Any) -> dict[str, Any]:
    return {"objectId": object_id, **fields, "modifiedDate": modified}


def jsonl(lines: Iterable[dict[str, Any] | bytes]) -> bytes:
    return b"".join((item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in lines)


class Caller:
    """Calls a sandbox of its own; `integration` is registered on demand."""

    def __init__(
        self, path: str | Path = ":memory:", clock: FakeClock | None = None, limited: bool = False, **switches: Any
    ) -> None:
        self.clock = clock or FakeClock(START)
        behaviour = Behaviour(**({} if limited else UNLIMITED) | switches)
        self.world = World(path, now=self.clock.now, behaviour=behaviour)
        self.faults = FaultPlan()
        tokens = {"upload-only": frozenset({"api:crm:upload"})}
        self.api = SandboxApi(self.world, Credentials(tokens=tokens), self.faults)
        self._uploads = 0

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: bytes | Iterable[bytes] = b"",
        **headers: str,
    ) -> Response:
        pairs = tuple((key, str(value)) for key, value in (query or {}).items())
        given = {"authorization": BASIC} | {key.replace("_", "-"): value for key, value in headers.items()}
        return self.api.handle(Request(method, path, pairs, given, body))

    def register(self) -> int:
        body = json.dumps({"name": "Acme CRM", "ownerEmail": "revops@acme.example"}).encode()
        answer = self.call("PUT", "/v2/crm/integrations", body=body)
        assert answer.status == 200
        return int(body_of(answer)["integrationId"])

    @property
    def integration(self) -> int:
        found = self.world.integrations()
        return found[0].id if found else self.register()

    def put_schema(self, object_type: ObjectType, *fields: dict[str, Any]) -> Response:
        query = {"integrationId": self.integration, "objectType": object_type}
        return self.call("POST", "/v2/crm/entity-schema", query, json.dumps(fields).encode())

    def schema(self, object_type: ObjectType) -> list[dict[str, Any]]:
        query = {"integrationId": self.integration, "objectType": object_type}
        fields: list[dict[str, Any]] = body_of(self.call("GET", "/v2/crm/entity-schema", query))[
            "objectTypeToSelectedFields"
        ][object_type]
        return fields

    def upload(
        self, object_type: ObjectType, *lines: dict[str, Any] | bytes, request_id: str | None = None
    ) -> Response:
        content_type, body = multipart(jsonl(lines))
        return self.post(object_type, content_type, body, request_id)

    def post(
        self, object_type: ObjectType, content_type: str, body: bytes | Iterable[bytes], request_id: str | None = None
    ) -> Response:
        self._uploads += 1
        query = {
            "integrationId": self.integration,
            "objectType": object_type,
            "clientRequestId": request_id or f"upload-{self._uploads}",
        }
        return self.call("POST", "/v2/crm/entities", query, body, content_type=content_type)

    def status(self, request_id: str) -> Any:
        query = {"integrationId": self.integration, "clientRequestId": request_id}
        return body_of(self.call("GET", "/v2/crm/request-status", query))

    def settle(self, object_type: ObjectType, *lines: dict[str, Any] | bytes) -> Any:
        """Upload lines, wait until they are through, and return their status."""
        answer = self.upload(object_type, *lines)
        assert answer.status == 201, answer
        self.clock.advance(60)
        return self.status(body_of(answer)["clientRequestId"])

    def errors(self, object_type: ObjectType, *lines: dict[str, Any] | bytes) -> list[tuple[int, str]]:
        """Upload lines and return what was said of them."""
        return [(error["line"], error["description"]) for error in self.settle(object_type, *lines)["errors"]]
