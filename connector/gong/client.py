"""One method for each call of Gong's CRM API (GONG_API: "Calls")."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

import httpx

from connector import failpoints
from connector.clock import Clock
from connector.errors import BudgetSpent, GongDenied
from connector.gong.answer import Answer, NoAnswer
from connector.gong.auth import Access, GongAuth
from connector.gong.data_file import DataFileBody
from connector.gong.errors import AlreadyRegistered, GongRefused, GongUnavailable
from connector.gong.limiting import Limiter
from connector.gong.outcomes import Integration, StatusOutcome, UploadOutcome
from connector.gong.retry_after import retry_at
from connector.gong.shapes import (
    WrongShape,
    read_integrations,
    read_objects,
    read_objects_at,
    read_registration,
    read_schema,
    schema_document,
)
from connector.gong.verdict import status_outcome, upload_outcome
from connector.gong.wire import Allowance, Wire
from connector.model import SchemaField
from connector.object_types import ObjectType

_T = TypeVar("_T")

CALL_WAIT_SECONDS = 20.0
"""How long each wait for the network may last in a call that carries no file."""
CALL_SECONDS = 40.0
"""How long such a call may take: it ends while a lease that was kept right before it is still valid."""
MOST_OBJECTS = 100
"""Ids that one GET /v2/crm/entities answers; Gong ignores the rest."""

_CALL_TIME = Allowance(CALL_WAIT_SECONDS, CALL_SECONDS)
_INTEGRATIONS = "/v2/crm/integrations"
_SCHEMA = "/v2/crm/entity-schema"
_ENTITIES = "/v2/crm/entities"
_STATUS = "/v2/crm/request-status"
_AT = "X-Sandbox-At"
"""The header that names a moment; none of Gong's, so that it asks nothing of Gong that it could misunderstand."""


class GongClient:
    """Calls Gong. Each method makes exactly one call, booked with `limiter` under its `priority`.

    `priority` is handed to the limiter as it is. What the limiter raises passes through every method;
    then no call was made. `timeout` bounds each wait for the network in an upload, `deadline` a whole upload, both
    in seconds; other calls have CALL_WAIT_SECONDS and CALL_SECONDS. `ca_file` names certificates to trust besides
    the usual ones. Proxies are taken from the environment when `trust_env` is true, save for a Gong on this machine.
    Redirects are never followed.

    Raises ConfigError for a base URL that is not https (http is for localhost only), certificates that
    cannot be read, or a proxy that cannot be used; and what `auth.base_url` does.
    """

    def __init__(
        self,
        auth: GongAuth,
        limiter: Limiter,
        clock: Clock,
        *,
        transport: httpx.BaseTransport | None = None,
        ca_file: str | None = None,
        timeout: float = 50.0,
        deadline: float = 600.0,
        trust_env: bool = True,
    ) -> None:
        self._auth = auth
        self._limiter = limiter
        self._clock = clock
        self._upload_time = Allowance(timeout, deadline)
        self._make_wire = partial(Wire, clock=clock, transport=transport, ca_file=ca_file, trust_env=trust_env)
        self._wires: dict[str, Wire] = {}
        self._wires_lock = Lock()
        self._wire(auth.base_url)

    def _wire(self, base_url: str) -> Wire:
        """Return the connections to a host: there is one, but for a company that Gong moves."""
        with self._wires_lock:
            if base_url not in self._wires:
                self._wires[base_url] = self._make_wire(base_url)
            return self._wires[base_url]

    def close(self) -> None:
        """Close the connections."""
        for wire in self._wires.values():
            wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The calls below raise GongDenied (401, 403), GongRefused (other refusals) and GongUnavailable.

    def integrations(self, *, priority: int = 0) -> list[Integration]:
        """Return the registered integrations; a 404 is Gong's other way to say that there is none."""
        answer = self._ask("gong.integrations", "GET", _INTEGRATIONS, {}, None, priority, accept=(404,))
        return [] if answer.status == 404 else _document(answer, read_integrations)

    def register(self, name: str, owner_email: str, *, priority: int = 0) -> int:
        """Register the integration and return its id. Raises AlreadyRegistered when there is one.

        After GongUnavailable it may be registered all the same: look with `integrations`.
        """
        body = {"name": name, "ownerEmail": owner_email}
        answer = self._ask("gong.register", "PUT", _INTEGRATIONS, {}, body, priority, accept=(409,))
        if answer.status == 409:
            raise AlreadyRegistered(
                f"Gong holds a CRM integration already, which may be a native one: {answer.words()}. "
                "Adopt it under its name, or disconnect it in Gong's settings",
                answer.status,
            )
        return _document(answer, read_registration)

    def unregister(self, integration_id: int, request_id: str, *, priority: int = 0) -> None:
        """Have Gong delete the integration and everything in it, which takes it up to a day.

        An answer that `request_id` is used already, or that there is no such integration, is as good: it was asked
        for before. After GongUnavailable ask again under the same id.
        """
        params = {"integrationId": str(integration_id), "clientRequestId": request_id}
        self._ask("gong.unregister", "DELETE", _INTEGRATIONS, params, None, priority, accept=(404, 409))

    def schema(self, integration_id: int, object_type: ObjectType, *, priority: int = 0) -> dict[str, SchemaField]:
        """Return the fields of Gong's schema for the type, by unique name."""
        params = {"integrationId": str(integration_id), "objectType": object_type.value}
        answer = self._ask("gong.schema", "GET", _SCHEMA, params, None, priority)
        return _document(answer, lambda document: read_schema(document, object_type))

    def put_schema(
        self,
        integration_id: int,
        object_type: ObjectType,
        fields: Sequence[SchemaField],
        deleted: Sequence[SchemaField] = (),
        *,
        priority: int = 0,
    ) -> None:
        """Upload the additional fields of the type: every one of them, or Gong refuses the call.

        Those in `deleted` are removed with their data. After GongUnavailable the schema may have been
        taken all the same: read it.
        """
        params = {"integrationId": str(integration_id), "objectType": object_type.value}
        body = schema_document(fields, deleted)
        answer = self._ask("gong.put_schema", "POST", _SCHEMA, params, body, priority)
        _document(answer, _any_object)

    def objects(
        self, integration_id: int, object_type: ObjectType, ids: Sequence[str], *, priority: int = 0
    ) -> dict[str, dict[str, Any] | None]:
        """Return what Gong holds for each of at most 100 ids; None where it holds nothing.

        The ids travel as a JSON array in the body of the GET. Numbers with a fraction come as float.
        """
        if len(ids) > MOST_OBJECTS:
            raise ValueError(f"Gong reads back at most {MOST_OBJECTS} objects in a call")
        params = {"integrationId": str(integration_id), "objectType": object_type.value}
        answer = self._ask("gong.objects", "GET", _ENTITIES, params, list(ids), priority)
        return _document(answer, lambda document: read_objects(document, ids))

    def objects_at(
        self, integration_id: int, object_type: ObjectType, ids: Sequence[str], at: int, *, priority: int = 0
    ) -> dict[str, dict[str, Any] | None] | None:
        """Return what each of at most 100 objects was at a moment (seconds since 1970 UTC); None where there was none.

        Gong itself shows the present only, whatever it is asked, and so does a server that does not say which moment
        it answers for: None in place of the objects. The sandbox answers.
        """
        if len(ids) > MOST_OBJECTS:
            raise ValueError(f"Gong reads back at most {MOST_OBJECTS} objects in a call")
        params = {"integrationId": str(integration_id), "objectType": object_type.value}
        moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = self._ask("gong.objects", "GET", _ENTITIES, params, list(ids), priority, headers={_AT: moment})
        return _document(answer, lambda document: read_objects_at(document, ids, moment))

    # The two calls below return every answer, and the lack of one, as an outcome.

    def upload(
        self,
        integration_id: int,
        object_type: ObjectType,
        request_id: str,
        path: Path,
        size: int,
        *,
        priority: int = 0,
        begin: Callable[[], None] = lambda: None,
        keep: Callable[[], None] = lambda: None,
    ) -> UploadOutcome:
        """Upload the data file at `path`, of `size` bytes, under `request_id`, streaming it.

        `begin` is called right before the file's first byte leaves, and `keep` again and again while it travels,
        which may take long; what they raise passes through, and Gong got no whole request. Raises DataFileChanged
        when the file is not there in that length; what Gong then got is not a whole request, either.
        """
        body = DataFileBody(object_type, request_id, path, size, begin, keep)
        body.check()
        params = {
            "integrationId": str(integration_id),
            "objectType": object_type.value,
            "clientRequestId": request_id,
        }
        headers = {"Content-Type": body.content_type, "Content-Length": str(body.length)}
        answer, until = self._call("gong.upload", "POST", _ENTITIES, params, headers, body, priority, self._upload_time)
        return upload_outcome(answer, request_id, body.sent_whole, until, self._auth.remedy)

    def status(self, integration_id: int, request_id: str, *, priority: int = 0) -> StatusOutcome:
        """Ask what became of the upload with `request_id`."""
        params = {"integrationId": str(integration_id), "clientRequestId": request_id}
        answer, until = self._call("gong.status", "GET", _STATUS, params, {}, None, priority)
        return status_outcome(answer, until, self._auth.remedy)

    def _ask(
        self,
        point: str,
        method: str,
        path: str,
        params: dict[str, str],
        body: object,
        priority: int,
        accept: tuple[int, ...] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Make a call with a JSON body, if any; return the answer if it is 200, 201 or Gong's own of `accept`."""
        content = None if body is None else json.dumps(body).encode()
        typed = {} if content is None else {"Content-Type": "application/json"}
        answer, until = self._call(point, method, path, params, typed | dict(headers), content, priority)
        what = f"{method} {path}"
        if isinstance(answer, NoAnswer) and answer.denied:
            raise GongDenied(answer.words)
        if isinstance(answer, NoAnswer):
            hint = "" if answer.sent else ". Check CONNECTOR_GONG_BASE_URL, the network and HTTPS_PROXY"
            raise GongUnavailable(f"Gong, {what}: {answer.words}{hint}")
        if answer.status in (401, 403):
            raise GongDenied(f"Gong denied {what}: {answer.denied_words(self._auth.remedy)}")
        if answer.status in (200, 201) or (answer.status in accept and not answer.html):
            return answer
        if 400 <= answer.status < 500 and answer.status not in (408, 429) and not answer.html:
            raise GongRefused(f"Gong refused {what}: {answer.words()}", answer.status)
        raise GongUnavailable(f"Gong, {what}: {answer.words()}", until)

    def _call(
        self,
        point: str,
        method: str,
        path: str,
        params: dict[str, str],
        headers: dict[str, str],
        content: bytes | Iterable[bytes] | None,
        priority: int,
        time: Allowance = _CALL_TIME,
    ) -> tuple[Answer | NoAnswer, float | None]:
        """Make one call; after a 429 also tell everyone, and return until when to wait.

        A 401 that names no scope is answered by one more try where there is something else to try with. A file is not
        sent twice: its next try comes by itself.
        """
        try:
            access = self._auth.access()
        except GongDenied as error:
            return NoAnswer(sent=False, words=str(error), denied=True), None
        except GongUnavailable as error:
            return NoAnswer(sent=False, words=str(error)), error.until
        answer, until = self._once(access, point, method, path, params, headers, content, priority, time)
        if isinstance(answer, NoAnswer) or answer.status != 401 or answer.missing_scope() is not None:
            return answer, until
        if self._renew(access) and (content is None or isinstance(content, bytes)):
            return self._once(self._auth.access(), point, method, path, params, headers, content, priority, time)
        return answer, until

    def _renew(self, denied: Access) -> bool:
        """Return whether there is something else to try with. Gong's word on the call weighs more than on a renewal."""
        try:
            return self._auth.renew(denied)
        except (GongDenied, GongUnavailable, BudgetSpent):
            return False

    def _once(
        self,
        access: Access,
        point: str,
        method: str,
        path: str,
        params: dict[str, str],
        headers: dict[str, str],
        content: bytes | Iterable[bytes] | None,
        priority: int,
        time: Allowance,
    ) -> tuple[Answer | NoAnswer, float | None]:
        wire = self._wire(access.base_url)
        booked = self._limiter.acquire(priority)
        failpoints.hit(f"{point}.before")
        authorized = headers | {"Authorization": access.authorization}
        answer = wire.request(method, path, params, authorized, content, time)
        failpoints.hit(f"{point}.after")
        self._limiter.finished(booked)
        if isinstance(answer, NoAnswer) or answer.status != 429:
            return answer, None
        until = retry_at(answer.retry_after, self._clock.now())
        self._limiter.throttled(until)
        return answer, until


def _document(answer: Answer, read: Callable[[Any], _T]) -> _T:
    try:
        return read(answer.document)
    except WrongShape as fault:
        raise GongUnavailable(f"Gong's answer cannot be read ({fault}): {answer.words()}") from None


def _any_object(document: Any) -> None:
    if not isinstance(document, dict):
        raise WrongShape("the answer is no JSON object")
