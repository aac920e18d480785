"""The rules of Gong's CRM API over the sandbox's data: no sockets, no threads of its own, time from outside."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from connector.object_types import COMMON_FIELDS, STANDARD_FIELDS, ObjectType
from connector.sandbox import jsontext, schema
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.datafile import PARENT_TYPES, DataFileCheck
from connector.sandbox.faults import Effects
from connector.sandbox.grants import Grants
from connector.sandbox.limits import DAY_SECONDS, RateLimit
from connector.sandbox.lines import LineRules
from connector.sandbox.refusal import Refusal
from connector.sandbox.schema import AdditionalField
from connector.sandbox.store import WAITING, Received, Store, StoredCall, StoredRequest, StoredVersion

_FIRST_INTEGRATION_ID = 2**53 + 1


@dataclass(frozen=True, slots=True)
class Integration:
    """The registered integration."""

    id: int
    name: str
    owner_email: str


@dataclass(frozen=True, slots=True)
class Status:
    """What request-status says of a request."""

    request_id: str
    status: str
    errors: tuple[tuple[int, str], ...]
    """(line, description), at most as many as are listed."""
    error_count: int
    success_count: int


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted data file, for tests."""

    client_request_id: str
    request_id: str
    object_type: ObjectType
    accepted: float
    lines: int
    bytes: int
    sha256: str
    status: str
    error_count: int
    success_count: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A client request id that was used again (409), for tests."""

    client_request_id: str
    at: float
    same_bytes: bool
    """Whether the second file was the first one again."""


@dataclass(frozen=True, slots=True)
class Version:
    """One applied line of an object, for tests."""

    modified: int
    """Seconds since 1970 UTC."""
    arrival: int
    """Rises with each line applied, over all objects."""
    deleted: bool
    line: dict[str, Any]
    client_request_id: str


class World:
    """Everything Gong would know. Each public method first carries out what is due by `now()`.

    `path` is a SQLite file, which a later World can take up, or ":memory:". Numbers with a fraction come back
    as Decimal. Methods may be called from several threads: `lock` guards them.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        now: Callable[[], float],
        seed: int = 0,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.now = now
        self.lock = RLock()
        self._seed = seed
        self._store = Store(str(path))
        self.grants = Grants(self._store, self.lock, now, self.behaviour)
        """What was authorised by OAuth."""
        self._limit = RateLimit(self.behaviour, self._store.counted_since(now() - DAY_SECONDS))

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            self._store.close()

    @property
    def spool_directory(self) -> Path:
        """Where incoming data files are put aside; their names end in `.part` until they are accepted."""
        return self._store.directory

    # --- calls

    def begin_call(self, method: str, path: str) -> int:
        """Book that a call came in; return its number."""
        with self.lock:
            return self._store.add_call(self.now(), method, path)

    def end_call(self, call: int, status: int) -> None:
        """Book the answer of a call."""
        with self.lock:
            self._store.end_call(call, status)

    def request_id(self, call: int) -> str:
        """Return the requestId of a call's answer."""
        digest = hashlib.blake2b(f"{self._seed}:{call}".encode(), digest_size=10)
        return digest.hexdigest()

    def admit(self, call: int) -> float | None:
        """Hold a call to the rate limits; return the seconds to wait when it is over them, else None."""
        with self.lock:
            wait = self._limit.admit(self.now())
            counted = wait is None or self.behaviour.refused_calls_count
            self._store.count_call(call, over_limit=wait is not None, counted=counted)
            return wait

    # --- integration

    def register(self, name: str, owner_email: str, request_id: str) -> int:
        """Register the integration and return its id; 409 when there is one."""
        with self._ready(), self._store.transaction():
            if self._store.integrations():
                raise Refusal(409, "A CRM integration already exists")
            digest = hashlib.blake2b(request_id.encode(), digest_size=7).digest()
            integration_id = _FIRST_INTEGRATION_ID + int.from_bytes(digest) | 1  # odd: no float holds it
            self._store.add_integration(integration_id, name, owner_email)
            return integration_id

    def integrations(self) -> list[Integration]:
        """Return the registered integration, if any."""
        with self._ready():
            return [Integration(*row) for row in self._store.integrations()]

    def unregister(self, integration_id: int, client_request_id: str, request_id: str) -> None:
        """Accept the deletion of the integration and everything in it; it happens later."""
        with self._ready():
            self._check_integration(integration_id)
            self._check_unused(client_request_id, None)
            now = self.now()
            self._store.add_request(
                client_request_id, request_id, integration_id, None,
                accepted=now, starts=now, ends=now + self.behaviour.deletion_seconds,
            )  # fmt: skip

    # --- schema

    def put_schema(self, integration_id: int, object_type: ObjectType, body: Any) -> None:
        """Replace the additional fields of a type; 400 for whatever `schema.plan` refuses."""
        with self._ready(), self._store.transaction():
            self._check_integration(integration_id)
            existing = self._store.fields(object_type)
            change = schema.plan(object_type, {name: spec for name, (spec, _) in existing.items()}, body)
            until = self._store.last_version()
            for name in change.dropped:
                self._store.drop_values(object_type, name, until)
            self._store.set_fields(
                object_type,
                [
                    (spec, until if spec.unique_name in change.fresh else existing[spec.unique_name][1])
                    for spec in change.fields
                ],
            )

    def schema(self, integration_id: int, object_type: ObjectType) -> list[AdditionalField]:
        """Return the additional fields of a type, in the order of their last POST."""
        with self._ready():
            self._check_integration(integration_id)
            return [spec for spec, _ in self._store.fields(object_type).values()]

    # --- uploads

    def check_upload(self, integration_id: int) -> None:
        """Refuse (400) an upload for an integration that is not there, before its file is read."""
        with self._ready():
            self._check_integration(integration_id)

    def accept(
        self,
        integration_id: int,
        object_type: ObjectType,
        client_request_id: str,
        received: Received,
        request_id: str,
        effects: Effects,
    ) -> None:
        """Accept a data file and move it to its place; 409 when the id was used. `effects` are its faults."""
        with self._ready():
            self._check_integration(integration_id)
            self._check_unused(client_request_id, received.sha256)
            rules, now = self.behaviour, self.now()
            starts = now + rules.pending_seconds + effects.pending_seconds
            if not effects.stuck:
                starts = max(starts, self._store.busy_until(object_type))
            ends = starts + rules.processing_seconds + effects.slow_seconds
            ends += rules.seconds_per_line * received.lines
            with self._store.transaction():
                self._store.add_request(
                    client_request_id, request_id, integration_id, object_type,
                    accepted=now, starts=starts, ends=ends, received=received, effects=effects,
                )  # fmt: skip

    def status(self, integration_id: int, client_request_id: str) -> Status | None:
        """Return what is known of a request; None when its id is not known (yet)."""
        with self._ready():
            self._check_integration(integration_id)
            request = self._store.request(client_request_id)
            if request is None or request.integration_id != integration_id:
                return None
            if self.now() < request.accepted + request.effects.unknown_seconds:
                return None
            settled = request.state != WAITING
            return Status(
                request_id=request.request_id,
                status=self._state(request),
                errors=request.errors,
                error_count=max(0, request.error_count + request.effects.error_offset * settled),
                success_count=max(0, request.success_count + request.effects.success_offset * settled),
            )

    def read_back(
        self, integration_id: int, object_type: ObjectType, ids: list[str], at: int | None = None
    ) -> dict[str, Any]:
        """Return the objects of the first ids as stored (fields of the schema only); None for one not there.

        `at`: as they were then (seconds since 1970 UTC), by the modifiedDate of their versions.
        """
        with self._ready():
            self._check_integration(integration_id)
            found: dict[str, Any] = {}
            for object_id in ids[: self.behaviour.max_objects_read]:
                version = (
                    self._store.current_of(object_type, object_id, self.behaviour.latest_by)
                    if at is None
                    else self._store.version_at(object_type, object_id, at)
                )
                there = version is not None and not version.deleted
                found[object_id] = self._known_fields(object_type)(version) if version and there else None
            return found

    # --- what tests look at

    def objects(self, object_type: ObjectType, *, deleted: bool = False) -> dict[str, dict[str, Any]]:
        """Return the raw current state of a type's objects by id; deleted ones only on demand."""
        with self._ready():
            dropped = self._store.dropped_values(object_type)
            current = self._store.current(object_type, self.behaviour.latest_by)
            return {
                version.object_id: _without_dropped(version, dropped)
                for version in current
                if deleted or not version.deleted
            }

    def visible(self, object_type: ObjectType) -> dict[str, dict[str, Any]]:
        """Return what Gong would show: fields of the schema only, contacts and deals only under an account."""
        with self._ready():
            latest_by = self.behaviour.latest_by
            known_fields = self._known_fields(object_type)
            shown = {
                version.object_id: known_fields(version)
                for version in self._store.current(object_type, latest_by)
                if not version.deleted
            }
            if object_type not in PARENT_TYPES:
                return shown
            current = self._store.current(ObjectType.ACCOUNT, latest_by)
            accounts = {account.object_id for account in current if not account.deleted}
            return {key: fields for key, fields in shown.items() if fields.get("accountId") in accounts}

    def versions(self, object_type: ObjectType, object_id: str) -> list[Version]:
        """Return every line of an object that was ever applied, in order of arrival."""
        with self._ready():
            request_ids = {request.seq: request.client_request_id for request in self._store.requests()}
            return [
                Version(
                    modified=version.modified,
                    arrival=version.seq,
                    deleted=version.deleted,
                    line=jsontext.read(version.line),
                    client_request_id=request_ids[version.request],
                )
                for version in self._store.versions(object_type, object_id)
            ]

    def uploads(self) -> list[Upload]:
        """Return every accepted data file in order of acceptance."""
        with self._ready():
            return [
                Upload(
                    client_request_id=request.client_request_id,
                    request_id=request.request_id,
                    object_type=request.object_type,
                    accepted=request.accepted,
                    lines=request.lines,
                    bytes=request.bytes,
                    sha256=request.sha256,
                    status=self._state(request),
                    error_count=request.error_count,
                    success_count=request.success_count,
                )
                for request in self._store.requests()
                if request.object_type is not None
            ]

    def conflicts(self) -> list[Conflict]:
        """Return every use of a client request id that was used before."""
        with self.lock:
            return [Conflict(*row) for row in self._store.conflicts()]

    def calls(self) -> list[StoredCall]:
        """Return every HTTP call in order."""
        with self.lock:
            return self._store.calls()

    def calls_over_limit(self) -> list[StoredCall]:
        """Return the calls that broke the rate limits (429s of faults on demand are not among them)."""
        return [call for call in self.calls() if call.over_limit]

    # --- inside

    @contextmanager
    def _ready(self) -> Iterator[None]:
        with self.lock:
            self.advance()
            yield

    def advance(self) -> None:
        """Carry out, in order, what is due by now."""
        with self.lock:
            for request in self._store.due(self.now()):
                if request.object_type is None:
                    with self._store.transaction():
                        self._store.wipe()
                        self._store.end_request(request.seq, "DONE", [], 0, 0)
                    return
                with self._store.transaction():
                    self._process(request, request.object_type)
                self._store.upload_file(request.seq).unlink(missing_ok=True)

    def _process(self, request: StoredRequest, object_type: ObjectType) -> None:
        effects = request.effects
        general = effects.general or ("The file holds no lines" if request.lines == 0 else None)
        if general is not None:
            self._store.end_request(request.seq, "FAILED", [(0, general)], 1, 0)
            return
        additional = {name: spec for name, (spec, _) in self._store.fields(object_type).items()}
        rules = LineRules(object_type, STANDARD_FIELDS[object_type], additional, self.behaviour)
        check = DataFileCheck(object_type, rules, effects, self.behaviour, self._account_exists)
        before = self._store.last_version()
        with self._store.upload_file(request.seq).open("rb") as raw_lines:
            self._store.add_versions(object_type, request.seq, check.good_lines(raw_lines))
        if check.error_count and not self.behaviour.keep_good_lines:
            self._store.remove_versions(request.seq, before)
        state = "FAILED" if check.error_count else "DONE"
        self._store.end_request(request.seq, state, check.listed, check.error_count, check.success_count)

    def _account_exists(self, object_id: str) -> bool:
        account = self._store.current_of(ObjectType.ACCOUNT, object_id, self.behaviour.latest_by)
        return account is not None and not account.deleted

    def _state(self, request: StoredRequest) -> str:
        if request.state != WAITING:
            return request.state
        return "PENDING" if self.now() < request.starts else "IN_PROGRESS"

    def _check_integration(self, integration_id: int) -> None:
        if all(row[0] != integration_id for row in self._store.integrations()):
            raise Refusal(400, f"Integration [{integration_id}] was not found")

    def _check_unused(self, client_request_id: str, sha256: str | None) -> None:
        used = self._store.request(client_request_id)
        if used is not None:
            same = used.sha256 == (sha256 or "")
            self._store.add_conflict(client_request_id, self.now(), same_bytes=same)
            raise Refusal(409, f"clientRequestId [{client_request_id}] was already used")

    def _known_fields(self, object_type: ObjectType) -> Callable[[StoredVersion], dict[str, Any]]:
        fields, dropped = self._store.fields(object_type), self._store.dropped_values(object_type)
        since = {name: added for name, (_, added) in fields.items()}
        since |= dict.fromkeys((*COMMON_FIELDS, *STANDARD_FIELDS[object_type]), 0)

        def known(version: StoredVersion) -> dict[str, Any]:
            line = _without_dropped(version, dropped)
            return {name: value for name, value in line.items() if version.seq > since.get(name, version.seq)}

        return known


def _without_dropped(version: StoredVersion, dropped: dict[str, int]) -> dict[str, Any]:
    line: dict[str, Any] = jsontext.read(version.line)
    return {name: value for name, value in line.items() if version.seq > dropped.get(name, -1)}
