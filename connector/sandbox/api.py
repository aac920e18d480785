"""Gong's CRM API at the level of HTTP: authentication, parameters, status codes, answers; no sockets."""

import base64
import binascii
import hmac
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import formatdate
from typing import Final

from connector.object_types import SCHEMA_TYPES, ObjectType
from connector.sandbox import control, oauth
from connector.sandbox.faults import (
    UPLOAD_KINDS,
    ConnectionDropped,
    Effects,
    Fault,
    FaultKind,
    FaultPlan,
    Operation,
    effects_of,
)
from connector.sandbox.http import Request, Response, json_answer, json_value
from connector.sandbox.multipart import receive
from connector.sandbox.refusal import Refusal
from connector.sandbox.schema import standard_fields
from connector.sandbox.world import World

SCOPES: Final[Mapping[Operation, str]] = {
    Operation.REGISTER: "api:crm:integration:register",
    Operation.INTEGRATIONS: "api:crm:integrations:read",
    Operation.UNREGISTER: "api:crm:integration:delete",
    Operation.PUT_SCHEMA: "api:crm:schema",
    Operation.SCHEMA: "api:crm:schema",
    Operation.UPLOAD: "api:crm:upload",
    Operation.OBJECTS: "api:crm:get-objects",
    Operation.STATUS: "api:crm:upload",
}
"""The scope that a bearer token needs for each call. That of request-status is not published."""

ROUTES: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/v2/crm/integrations": {
        "PUT": Operation.REGISTER,
        "GET": Operation.INTEGRATIONS,
        "DELETE": Operation.UNREGISTER,
    },
    "/v2/crm/entity-schema": {"POST": Operation.PUT_SCHEMA, "GET": Operation.SCHEMA},
    "/v2/crm/entities": {"POST": Operation.UPLOAD, "GET": Operation.OBJECTS},
    "/v2/crm/request-status": {"GET": Operation.STATUS},
}
OAUTH_ROUTES: Final[Mapping[str, Mapping[str, Operation]]] = {
    oauth.AUTHORIZE: {"GET": Operation.AUTHORIZE},
    oauth.TOKEN: {"POST": Operation.TOKEN},
}
"""Of another host in Gong; the sandbox is both."""

AT: Final = "x-sandbox-at"
"""The header of GET entities that names a moment: the objects are shown as they were then. Gong has none such."""
_CLIENT_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]+")
_INTEGRATION_ID = re.compile(r"[0-9]{1,19}")
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may call. The Basic key has every scope; a bearer token has those listed, or granted to the app."""

    access_key: str = "sandbox-key"
    access_key_secret: str = field(default="sandbox-secret", repr=False)
    tokens: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    client_id: str = "sandbox-app"
    client_secret: str = field(default="sandbox-app-secret", repr=False)
    app_scopes: frozenset[str] = frozenset(SCOPES.values())


@dataclass(frozen=True, slots=True)
class _Call:
    """One call while it is answered."""

    number: int
    request_id: str
    request: Request
    effects: Effects = Effects()  # noqa: RUF009 - frozen

    def error(self, status: int, *messages: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """Return Gong's error answer."""
        return json_answer(status, {"requestId": self.request_id, "errors": list(messages)}, *headers)


class SandboxApi:
    """The API over a World: one call in, one answer out, or ConnectionDropped. May be called from any thread."""

    def __init__(self, world: World, credentials: Credentials | None = None, faults: FaultPlan | None = None) -> None:
        self.world = world
        self.faults = faults or FaultPlan()
        self.credentials = credentials or Credentials()
        """May be replaced at any time."""
        self._handlers: Mapping[Operation, Callable[[_Call], Response]] = {
            Operation.REGISTER: self._register,
            Operation.INTEGRATIONS: self._integrations,
            Operation.UNREGISTER: self._unregister,
            Operation.PUT_SCHEMA: self._put_schema,
            Operation.SCHEMA: self._schema,
            Operation.UPLOAD: self._upload,
            Operation.OBJECTS: self._objects,
            Operation.STATUS: self._status,
            Operation.AUTHORIZE: self._authorize,
            Operation.TOKEN: self._token,
        }

    def handle(self, request: Request) -> Response:
        """Answer one call; raise ConnectionDropped where a fault says so, and whatever reading the body raises."""
        if request.path.startswith(control.PREFIX):
            return control.handle(self.world, self.faults, request)
        number = self.world.begin_call(request.method, request.path)
        call = _Call(number, self.world.request_id(number), request)
        response = self._with_faults(call)
        self.world.end_call(number, response.status)
        return response

    # --- around every call

    def _with_faults(self, call: _Call) -> Response:
        request = call.request
        methods = ROUTES.get(request.path) or OAUTH_ROUTES.get(request.path)
        if methods is None:
            return call.error(404, f"Path [{request.path}] was not found")
        operation = methods.get(request.method)
        if operation is None:
            return call.error(405, "Method is not allowed", headers=(("Allow", ", ".join(methods)),))
        object_type = next((value for key, value in request.query if key == "objectType"), None)
        faults = self.faults.take(operation, object_type)
        fault = next((fault for fault in faults if fault.kind not in UPLOAD_KINDS), None)
        instead = _fault_before(fault, call) if fault is not None else None
        if instead is not None:
            return instead
        effects = effects_of(fault for fault in faults if fault.kind in UPLOAD_KINDS)
        response = self._admitted(operation, replace(call, effects=effects))
        return _fault_after(fault, call, response) if fault is not None else response

    def _admitted(self, operation: Operation, call: _Call) -> Response:
        try:
            counts = operation in SCOPES or (operation is Operation.TOKEN and self.world.behaviour.token_calls_count)
            if operation in SCOPES:
                self._authenticate(SCOPES[operation], call.request.headers.get("authorization", ""))
            wait = self.world.admit(call.number) if counts else None
            if wait is not None:
                return call.error(429, "Too many requests", headers=self._retry_after(wait))
            return self._handlers[operation](call)
        except Refusal as refusal:
            return call.error(refusal.status, *refusal.messages)

    def _authenticate(self, wanted: str, header: str) -> None:
        scheme, _, value = header.partition(" ")
        known = self.credentials
        if scheme.lower() == "bearer":
            scopes = self._scopes(value.strip())
            if scopes is not None and wanted not in scopes:
                raise Refusal(401, f"You don't have permission to use '{wanted}' in your app.")
            if scopes is not None:
                return
        elif scheme.lower() == "basic":
            expected = f"{known.access_key}:{known.access_key_secret}".encode()
            try:
                given = base64.b64decode(value.strip(), validate=True)
            except (binascii.Error, ValueError):
                given = b""
            if hmac.compare_digest(expected, given):
                return
        raise Refusal(401, "Missing or invalid credentials")

    def _scopes(self, token: str) -> frozenset[str] | None:
        for known, scopes in self.credentials.tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return scopes
        return self.world.grants.scopes(token)

    def _retry_after(self, wait: float) -> tuple[tuple[str, str], ...]:
        header = {
            "seconds": str(max(1, math.ceil(wait))),
            "date": formatdate(math.ceil(self.world.now() + wait), usegmt=True),
            "junk": "soon",
            "absent": None,
        }[self.world.behaviour.retry_after]
        return (("Retry-After", header),) if header is not None else ()

    # --- the calls

    def _register(self, call: _Call) -> Response:
        body = json_value(call.request.text())
        if not isinstance(body, dict):
            raise Refusal(400, "The body must be a JSON object")
        for key in ("name", "ownerEmail"):
            if not isinstance(body.get(key), str) or not body[key]:
                raise Refusal(400, f"Mandatory property [{key}] is missing or empty")
        integration_id = self.world.register(body["name"], body["ownerEmail"], call.request_id)
        return json_answer(200, {"requestId": call.request_id, "integrationId": integration_id})

    def _integrations(self, call: _Call) -> Response:
        found = [
            {"integrationId": item.id, "name": item.name, "ownerEmail": item.owner_email}
            for item in self.world.integrations()
        ]
        if not found and self.world.behaviour.no_integration == 404:
            raise Refusal(404, "No CRM integration was found")
        return json_answer(200, {"requestId": call.request_id, "integrations": found})

    def _unregister(self, call: _Call) -> Response:
        client_request_id = _client_request_id(call.request)
        self.world.unregister(_integration_id(call.request), client_request_id, call.request_id)
        return _accepted(call, client_request_id)

    def _put_schema(self, call: _Call) -> Response:
        integration_id, object_type = _integration_id(call.request), _object_type(call.request, SCHEMA_TYPES)
        self.world.put_schema(integration_id, object_type, json_value(call.request.text()))
        return json_answer(self.world.behaviour.schema_upload_status, {"requestId": call.request_id})

    def _schema(self, call: _Call) -> Response:
        integration_id, object_type = _integration_id(call.request), _object_type(call.request, SCHEMA_TYPES)
        fields = self.world.schema(integration_id, object_type)
        if self.world.behaviour.schema_lists_standard_fields:
            fields = [*standard_fields(object_type), *fields]
        shown = [item.as_json(self.world.behaviour.schema_name_key) for item in fields]
        return json_answer(200, {"requestId": call.request_id, "objectTypeToSelectedFields": {object_type: shown}})

    def _upload(self, call: _Call) -> Response:
        integration_id, object_type = _integration_id(call.request), _object_type(call.request, tuple(ObjectType))
        client_request_id = _client_request_id(call.request)
        self.world.check_upload(integration_id)
        received = receive(
            call.request.headers.get("content-type", ""),
            call.request.pieces(),
            self.world.spool_directory,
            self.world.behaviour.max_upload_bytes,
        )
        try:
            self.world.accept(integration_id, object_type, client_request_id, received, call.request_id, call.effects)
        finally:
            received.path.unlink(missing_ok=True)
        return _accepted(call, client_request_id)

    def _objects(self, call: _Call) -> Response:
        integration_id, object_type = _integration_id(call.request), _object_type(call.request, SCHEMA_TYPES)
        asked = call.request.headers.get(AT) if self.world.behaviour.answers_for_a_moment else None
        at = None if asked is None else _moment(asked)
        found = self.world.read_back(integration_id, object_type, self._ids(call.request), at)
        shown_at = {} if asked is None else {"shownAt": asked}
        return json_answer(200, {"requestId": call.request_id, "crmObjectsMap": found} | shown_at)

    def _status(self, call: _Call) -> Response:
        integration_id, client_request_id = _integration_id(call.request), _client_request_id(call.request)
        status = self.world.status(integration_id, client_request_id)
        if status is None:
            raise Refusal(self.world.behaviour.unknown_status, f"Request [{client_request_id}] was not found")
        return json_answer(
            200,
            {
                "requestId": status.request_id,
                "status": status.status,
                "errors": [{"line": line, "description": text} for line, text in status.errors],
                "totalErrorCount": status.error_count,
                "totalSuccessCount": status.success_count,
            },
        )

    def _authorize(self, call: _Call) -> Response:
        known = self.credentials
        return oauth.authorize(call.request, self.world.grants, known.client_id, known.app_scopes)

    def _token(self, call: _Call) -> Response:
        client, behaviour = (self.credentials.client_id, self.credentials.client_secret), self.world.behaviour
        seconds, names_scopes = behaviour.access_token_seconds, behaviour.names_scopes
        return oauth.token(call.request, self.world.grants, client, seconds, names_scopes=names_scopes)

    def _ids(self, request: Request) -> list[str]:
        source = self.world.behaviour.read_ids_from
        text = request.text() if source != "query" else ""
        if text:
            ids = json_value(text)
            if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
                raise Refusal(400, "The body must be a JSON array of object ids")
            return ids
        in_query = [value for key, value in request.query if key == "objectsCrmIds"]
        if source == "query" and not in_query:
            raise Refusal(400, "Query parameter [objectsCrmIds] is missing")
        if source == "body" or not in_query:
            raise Refusal(415, "The body with the object ids is missing")
        return in_query


def _fault_before(fault: Fault, call: _Call) -> Response | None:
    match fault.kind:
        case FaultKind.DROP_BEFORE:
            raise ConnectionDropped(body_read=False)
        case FaultKind.DROP_IN_BODY:
            next(call.request.pieces(), None)
            raise ConnectionDropped(body_read=False)
        case FaultKind.ERROR_BEFORE:
            return call.error(500, "Internal server error")
        case FaultKind.HTML_BEFORE:
            return Response(502, (("Content-Type", "text/html"),), _HTML)
        case FaultKind.REDIRECT:
            return Response(302, (("Location", "https://redirected.example/v2/crm"),), b"")
        case FaultKind.THROTTLE:
            headers = (("Retry-After", fault.retry_after),) if fault.retry_after is not None else ()
            return call.error(429, "Too many requests", headers=headers)
        case _:
            return None


def _fault_after(fault: Fault, call: _Call, response: Response) -> Response:
    match fault.kind:
        case FaultKind.DROP_AFTER:
            raise ConnectionDropped(body_read=True)
        case FaultKind.ERROR_AFTER:
            return call.error(500, "Internal server error")
        case FaultKind.HTML_AFTER:
            return Response(502, (("Content-Type", "text/html"),), _HTML)
        case FaultKind.CUT_JSON:
            return replace(response, body=response.body[: len(response.body) // 2])
        case _:
            return response


def _accepted(call: _Call, client_request_id: str) -> Response:
    return json_answer(201, {"requestId": call.request_id, "clientRequestId": client_request_id})


def _integration_id(request: Request) -> int:
    text = request.parameter("integrationId")
    if not _INTEGRATION_ID.fullmatch(text):
        raise Refusal(400, "Query parameter [integrationId] is not a number")
    return int(text)


def _moment(text: str) -> int:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise Refusal(400, "Header [X-Sandbox-At] is not a time with an offset")
    return int(read.timestamp())


def _client_request_id(request: Request) -> str:
    text = request.parameter("clientRequestId")
    if not _CLIENT_REQUEST_ID.fullmatch(text):
        raise Refusal(400, "Query parameter [clientRequestId] may hold letters, digits, '-' and '_' only")
    return text


def _object_type(request: Request, allowed: tuple[ObjectType, ...]) -> ObjectType:
    text = request.parameter("objectType")
    if text not in allowed:
        raise Refusal(400, f"Query parameter [objectType] must be one of {', '.join(allowed)}")
    return ObjectType(text)
