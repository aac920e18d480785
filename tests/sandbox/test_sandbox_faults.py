"""Faults on demand: what each does to the caller and to the state behind it, in process and over sockets."""

import json
import socket
from collections import Counter
from typing import Any

import httpx
import pytest
from sandboxed import START, UNLIMITED, Caller, body_of, jsonl, line

from connector.clock import FakeClock
from connector.object_types import ObjectType as T
from connector.sandbox.api import SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import (
    RECOVERABLE,
    UPLOAD_KINDS,
    ConnectionDropped,
    Fault,
    FaultKind,
    FaultPlan,
    Operation,
    RandomFaults,
)
from connector.sandbox.server import running
from connector.sandbox.world import World

K = FaultKind
AUTH = ("sandbox-key", "sandbox-secret")
PATIENCE_SECONDS = 60
"""For an answer, on a machine that is busy."""


def suffering(*faults: Fault, **switches: Any) -> Caller:
    caller = Caller(**switches)
    caller.register()
    caller.faults.add(*faults)
    return caller


@pytest.mark.parametrize("kind", [K.DROP_BEFORE, K.DROP_IN_BODY, K.DROP_AFTER])
def test_a_dropped_connection_leaves_the_upload_done_or_undone(kind: FaultKind) -> None:
    caller = suffering(Fault(kind=kind))
    with pytest.raises(ConnectionDropped):
        caller.upload(T.ACCOUNT, line("1"), request_id="x")
    accepted = kind is K.DROP_AFTER
    assert len(caller.world.uploads()) == accepted
    assert caller.world.calls()[-1].status is None
    assert caller.upload(T.ACCOUNT, line("1"), request_id="x").status == (409 if accepted else 201)


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        (K.ERROR_BEFORE, 500, False),
        (K.ERROR_AFTER, 500, True),
        (K.HTML_BEFORE, 502, False),
        (K.HTML_AFTER, 502, True),
        (K.THROTTLE, 429, False),
        (K.REDIRECT, 302, False),
        (K.CUT_JSON, 201, True),
    ],
)
def test_a_wrong_answer_leaves_the_upload_done_or_undone(kind: FaultKind, status: int, accepted: bool) -> None:
    caller = suffering(Fault(kind=kind))
    answer = caller.upload(T.ACCOUNT, line("1"))
    assert answer.status == status
    assert len(caller.world.uploads()) == accepted
    if kind in (K.HTML_BEFORE, K.HTML_AFTER, K.CUT_JSON):
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.body)
    if kind is K.REDIRECT:
        assert dict(answer.headers)["Location"].startswith("https://")


@pytest.mark.parametrize("header", ["7", "Thu, 01 Jan 1970 00:00:00 GMT", "junk", None])
def test_a_fault_of_429_chooses_its_header_and_breaks_no_limit(header: str | None) -> None:
    caller = suffering(Fault(kind=K.THROTTLE, retry_after=header))
    answer = caller.call("GET", "/v2/crm/integrations")
    assert (answer.status, dict(answer.headers).get("Retry-After")) == (429, header)
    assert caller.world.calls_over_limit() == []


def test_a_fault_meets_the_calls_it_names_as_often_as_it_says() -> None:
    caller = suffering(Fault(kind=K.ERROR_BEFORE, operation=Operation.UPLOAD, object_type=T.LEAD, times=2))
    assert caller.call("GET", "/v2/crm/integrations").status == 200
    assert caller.upload(T.ACCOUNT, line("1")).status == 201
    assert [caller.upload(T.LEAD, line("1")).status for _ in range(3)] == [500, 500, 201]
    assert caller.faults.waiting() == []


def test_a_status_is_unknown_for_a_while_though_the_id_is_taken() -> None:
    caller = suffering(Fault(kind=K.UNKNOWN, seconds=30))
    caller.upload(T.ACCOUNT, line("1"), request_id="x")
    assert "status" not in caller.status("x")
    assert caller.upload(T.ACCOUNT, line("1"), request_id="x").status == 409
    caller.clock.advance(31)
    assert caller.status("x")["status"] == "DONE"


@pytest.mark.parametrize(("seconds", "then"), [(500, "DONE"), (None, "PENDING")])
def test_a_stuck_upload_is_overtaken(seconds: float | None, then: str) -> None:
    caller = suffering(Fault(kind=K.STUCK, seconds=seconds))
    caller.upload(T.ACCOUNT, line("1", name="stuck"), request_id="stuck")
    assert caller.settle(T.ACCOUNT, line("1", name="later"))["status"] == "DONE"
    assert caller.status("stuck")["status"] == "PENDING"
    caller.clock.advance(1000)
    assert caller.status("stuck")["status"] == then


def test_processing_may_take_longer() -> None:
    caller = suffering(Fault(kind=K.SLOW, seconds=100))
    caller.upload(T.ACCOUNT, line("1"), request_id="x")
    caller.clock.advance(60)
    assert caller.status("x")["status"] == "IN_PROGRESS"
    caller.clock.advance(60)
    assert caller.status("x")["status"] == "DONE"


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        (Fault(kind=K.LINE_ERRORS, lines=(1, 3)), [1, 3]),
        (Fault(kind=K.LINE_ERRORS, object_ids=("2",)), [2]),
        (Fault(kind=K.LINE_ERRORS, every=2), [2, 4]),
    ],
)
def test_chosen_lines_are_refused(fault: Fault, numbers: list[int]) -> None:
    caller = suffering(fault)
    errors = caller.errors(T.ACCOUNT, *(line(str(number)) for number in range(1, 5)))
    assert errors == [(number, "Line was refused on demand") for number in numbers]
    assert len(caller.world.objects(T.ACCOUNT)) == 4 - len(numbers)


def test_a_general_failure_applies_nothing() -> None:
    caller = suffering(Fault(kind=K.GENERAL, description="Try later"))
    assert caller.errors(T.ACCOUNT, line("1")) == [(0, "Try later")]
    assert caller.world.objects(T.ACCOUNT) == {}


def test_totals_may_disagree() -> None:
    caller = suffering(Fault(kind=K.WRONG_TOTALS, error_offset=2, success_offset=-5))
    status = caller.settle(T.ACCOUNT, line("1"))
    assert (status["errors"], status["totalErrorCount"], status["totalSuccessCount"]) == ([], 2, 0)


def test_random_faults_repeat_with_their_seed() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = RandomFaults(seed, 0.5)
        return [faults.draw(Operation.UPLOAD) for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_random_faults_are_of_the_kinds_asked_for_and_suit_the_call() -> None:
    faults = RandomFaults(3, 1.0)
    for_status = Counter(fault.kind for _ in range(500) if (fault := faults.draw(Operation.STATUS)))
    for_upload = Counter(fault.kind for _ in range(500) if (fault := faults.draw(Operation.UPLOAD)))
    assert set(for_upload) == set(RECOVERABLE)
    assert set(for_status) == set(RECOVERABLE) - UPLOAD_KINDS
    assert RandomFaults(3, 1.0, [K.SLOW]).draw(Operation.STATUS) is None
    assert RandomFaults(3, 0.0).draw(Operation.UPLOAD) is None


def test_random_faults_leave_what_was_accepted_consistent() -> None:
    caller = Caller()
    caller.register()
    caller.faults.random = RandomFaults(5, 0.7)
    for number in range(40):
        caller.clock.advance(1)
        try:
            caller.upload(T.ACCOUNT, line(f"a{number}"), request_id=f"r{number}")
        except ConnectionDropped:
            continue
    caller.faults.clear()
    caller.clock.advance(1000)
    uploads = caller.world.uploads()
    assert 0 < len(uploads) < 40
    assert {upload.status for upload in uploads} == {"DONE"}
    accepted = {upload.client_request_id.replace("r", "a") for upload in uploads}
    assert set(caller.world.objects(T.ACCOUNT)) == accepted


def test_every_fault_passes_through_json() -> None:
    for kind in FaultKind:
        fault = Fault(kind=kind, operation=Operation.UPLOAD, object_type=T.DEAL, times=2, lines=(1,), seconds=1.5)
        assert Fault.from_json(json.loads(json.dumps(fault.as_json()))) == fault


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("drop_after", "JSON object"),
        ({}, "kind is missing"),
        ({"kind": "flood"}, "flood"),
        ({"kind": "slow", "speed": 1}, "unknown keys speed"),
        ({"kind": "slow", "times": "2"}, "times"),
        ({"kind": "slow", "lines": ["1"]}, "lines must be"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_in_words(spec: Any, words: str) -> None:
    caller = Caller()
    answer = caller.call("POST", "/sandbox/faults", body=json.dumps(spec).encode())
    assert answer.status == 400
    assert words in body_of(answer)["errors"][0]


def test_over_sockets_the_same_things_happen() -> None:
    clock = FakeClock(START)
    world = World(now=clock.now, behaviour=Behaviour(**UNLIMITED))
    api = SandboxApi(world, faults=FaultPlan())
    with running(api) as url, httpx.Client(base_url=url, auth=AUTH, timeout=PATIENCE_SECONDS) as http:
        registered = http.put("/v2/crm/integrations", json={"name": "A", "ownerEmail": "a@b.example"})
        query = {"integrationId": registered.json()["integrationId"], "objectType": "ACCOUNT"}

        def upload(request_id: str) -> int:
            files = {"dataFile": ("a.jsonl", jsonl([line("1", name="x" * 3_000_000)]))}
            answer = http.post("/v2/crm/entities", params=query | {"clientRequestId": request_id}, files=files)
            return answer.status_code

        for kind, then in (("drop_before", 201), ("drop_in_body", 201), ("drop_after", 409)):
            assert http.post("/sandbox/faults", json={"kind": kind}).status_code == 201
            with pytest.raises(httpx.TransportError):
                upload(kind)
            assert upload(kind) == then
        http.post("/sandbox/faults", json=[{"kind": "error_before"}, {"kind": "redirect"}])
        assert [upload("late"), upload("late"), upload("late")] == [500, 302, 201]
        assert http.get("/sandbox/faults").json() == {"faults": []}
        clock.advance(60)
        assert http.get("/sandbox/state").json()["objects"]["ACCOUNT"] == 1


def test_a_caller_who_breaks_off_in_mid_body_leaves_nothing() -> None:
    world = World(now=FakeClock(START).now, behaviour=Behaviour(**UNLIMITED))
    with running(SandboxApi(world)) as url:
        httpx.put(
            f"{url}/v2/crm/integrations",
            auth=AUTH,
            timeout=PATIENCE_SECONDS,
            json={"name": "A", "ownerEmail": "a@b.example"},
        )
        [integration] = world.integrations()
        head = (
            f"POST /v2/crm/entities?integrationId={integration.id}&objectType=LEAD&clientRequestId=x HTTP/1.1\r\n"
            "Host: sandbox\r\nAuthorization: Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ=\r\n"
            "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 1000\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as caller:
            caller.sendall(head.encode())
            assert b"100 Continue" in caller.recv(1000)
            caller.sendall(b'--cut\r\nContent-Disposition: form-data; name="dataFile"; filename="f"\r\n\r\n{"ob')
    assert (world.calls()[-1].method, world.calls()[-1].status) == ("POST", None)
    assert world.uploads() == []
    assert list(world.spool_directory.iterdir()) == []
