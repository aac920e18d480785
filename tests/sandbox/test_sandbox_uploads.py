"""What becomes of an upload: its answer, its states, its id, its file."""

import tracemalloc
from collections.abc import Iterator

import pytest
from sandboxed import Caller, body_of, jsonl, line, multipart

from connector.object_types import ObjectType as T
from connector.sandbox.http import Request
from connector.sandbox.world import Conflict


def test_an_upload_is_accepted_at_once_and_processed_later() -> None:
    caller = Caller(pending_seconds=1, processing_seconds=2)
    answer = caller.upload(T.ACCOUNT, line("1"), request_id="first")
    assert answer.status == 201
    assert body_of(answer)["clientRequestId"] == "first"
    seen = []
    for _ in range(4):
        status = caller.status("first")
        seen.append((status["status"], status["totalSuccessCount"], len(caller.world.objects(T.ACCOUNT))))
        caller.clock.advance(1.1)
    assert seen == [("PENDING", 0, 0), ("IN_PROGRESS", 0, 0), ("IN_PROGRESS", 0, 0), ("DONE", 1, 1)]
    assert caller.status("first")["requestId"] == body_of(answer)["requestId"]


def test_uploads_of_a_type_are_processed_one_after_the_other_other_types_beside_them() -> None:
    caller = Caller(pending_seconds=0, processing_seconds=10, seconds_per_line=0)
    caller.upload(T.ACCOUNT, line("1"), request_id="a1")
    caller.upload(T.ACCOUNT, line("2"), request_id="a2")
    caller.upload(T.LEAD, line("3"), request_id="l1")
    caller.clock.advance(11)
    assert [upload.status for upload in caller.world.uploads()] == ["DONE", "IN_PROGRESS", "DONE"]


def test_a_used_id_is_refused_for_uploads_and_deletions_and_the_first_file_stands() -> None:
    caller = Caller()
    assert caller.upload(T.ACCOUNT, line("1"), request_id="same").status == 201
    assert caller.upload(T.ACCOUNT, line("1"), request_id="same").status == 409
    assert caller.upload(T.LEAD, line("2"), request_id="same").status == 409
    query = {"integrationId": caller.integration, "clientRequestId": "same"}
    assert caller.call("DELETE", "/v2/crm/integrations", query).status == 409
    caller.clock.advance(60)
    assert caller.world.objects(T.LEAD) == {}
    assert [conflict.same_bytes for conflict in caller.world.conflicts()] == [True, False, False]
    assert isinstance(caller.world.conflicts()[0], Conflict)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"objectType": "ACCOUNT", "clientRequestId": "has space"}, 400),
        ({"objectType": "ACCOUNT", "clientRequestId": "dot."}, 400),
        ({"objectType": "ACCOUNT", "clientRequestId": "é"}, 400),
        ({"objectType": "ACCOUNT"}, 400),
        ({"objectType": "INVOICE", "clientRequestId": "a"}, 400),
        ({"clientRequestId": "a"}, 400),
        ({"objectType": "ACCOUNT", "clientRequestId": "a", "integrationId": 1}, 400),
        ({"objectType": "ACCOUNT", "clientRequestId": "a", "integrationId": "1.0"}, 400),
        ({"objectType": "ACCOUNT", "clientRequestId": "A-b_1"}, 201),
    ],
)
def test_parameters_of_an_upload(query: dict[str, object], status: int) -> None:
    caller = Caller()
    content_type, body = multipart(jsonl([line("1")]))
    query = {"integrationId": caller.integration} | query
    answer = caller.call("POST", "/v2/crm/entities", query, body, content_type=content_type)
    assert answer.status == status
    assert ("errors" in body_of(answer)) == (status == 400)


@pytest.mark.parametrize(
    "form",
    [
        multipart(b"{}", name="file"),
        multipart(b"{}", file_name=None),
        ("application/json", b"{}"),
        ("", b""),
        ("multipart/form-data; boundary=cut", b"--cut--\r\n"),
    ],
)
def test_a_body_without_the_data_file(form: tuple[str, bytes]) -> None:
    answer = Caller().post(T.ACCOUNT, *form)
    assert (answer.status, body_of(answer)["errors"]) == (400, ["dataFile part is missing"])


def test_a_body_that_breaks_off_leaves_nothing_behind() -> None:
    caller = Caller()
    content_type, body = multipart(jsonl([line("1")]))
    assert caller.post(T.ACCOUNT, content_type, body[:-20], "cut").status == 400

    def breaking() -> Iterator[bytes]:
        yield body[:40]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        caller.post(T.ACCOUNT, content_type, breaking(), "cut")
    assert list(caller.world.spool_directory.iterdir()) == []
    assert caller.post(T.ACCOUNT, content_type, body, "cut").status == 201


def test_a_file_over_the_limit_is_refused() -> None:
    caller = Caller(max_upload_bytes=100)
    content_type, body = multipart(b"x" * 101)
    assert caller.post(T.ACCOUNT, content_type, body).status == 400
    assert caller.world.uploads() == []
    content_type, body = multipart(b"x" * 100)
    assert caller.post(T.ACCOUNT, content_type, body).status == 201


def test_a_large_upload_is_not_held_in_memory() -> None:
    caller = Caller()
    content_type, whole = multipart(b"DATA")
    head, tail = whole.split(b"DATA")
    row = b'{"objectId":"1","modifiedDate":"2025-01-01T00:00:00Z","name":"' + b"x" * 1000 + b'"}\n'
    piece, pieces = row * 1000, 100

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(pieces):
            yield piece
        yield tail

    tracemalloc.start()
    try:
        assert caller.post(T.ACCOUNT, content_type, body()).status == 201
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    [upload] = caller.world.uploads()
    assert (upload.lines, upload.bytes) == (1000 * pieces, len(piece) * pieces)
    assert peak < 10_000_000


@pytest.mark.parametrize("answer", [400, 404])
def test_the_status_of_an_unknown_id_is_a_switch(answer: int) -> None:
    caller = Caller(unknown_status=answer)
    query = {"integrationId": caller.integration, "clientRequestId": "nobody"}
    assert caller.call("GET", "/v2/crm/request-status", query).status == answer


@pytest.mark.parametrize("keep", [True, False])
def test_whether_good_lines_of_a_failed_upload_stay_is_a_switch(keep: bool) -> None:
    caller = Caller(keep_good_lines=keep)
    caller.settle(T.DEAL, line("1", amount=1))
    status = caller.settle(T.DEAL, line("1", amount=2), line("2", amount="bad"))
    assert (status["status"], status["totalErrorCount"], status["totalSuccessCount"]) == ("FAILED", 1, 1)
    assert caller.world.objects(T.DEAL)["1"]["amount"] == (2 if keep else 1)


def test_every_call_is_booked() -> None:
    caller = Caller()
    caller.upload(T.ACCOUNT, line("1"))
    caller.api.handle(Request("GET", "/nowhere"))
    assert [(call.method, call.path, call.status) for call in caller.world.calls()] == [
        ("PUT", "/v2/crm/integrations", 200),
        ("POST", "/v2/crm/entities", 201),
        ("GET", "/nowhere", 404),
    ]
