"""What an upload and a status question come to, answer by answer."""

import json
from email.utils import formatdate

import httpx
import pytest

from connector.clock import FakeClock
from connector.gong import AccessKeyAuth, GongClient, StatusResult, UploadResult, retry_at
from connector.model import LineError, Processing, RequestStatus
from connector.object_types import ObjectType

PAGE = {"html": "<html><body>Bad gateway</body></html>"}
ACCEPTED = {"requestId": "r", "clientRequestId": "id-1"}


@pytest.fixture
def upload(gong, tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b'{"objectId":"1"}\n')

    def run():
        return gong.client.upload(5, ObjectType.DEAL, "id-1", file, 17)

    return run


@pytest.mark.parametrize(
    ("status", "parts", "result"),
    [
        (201, {"json": ACCEPTED}, UploadResult.ACCEPTED),
        (201, {"json": {"requestId": "r"}}, UploadResult.ACCEPTED),
        (200, {"json": ACCEPTED}, UploadResult.ACCEPTED),
        (200, {"json": {"requestId": "r"}}, UploadResult.AMBIGUOUS),
        (201, {"json": ACCEPTED | {"clientRequestId": "id-2"}}, UploadResult.AMBIGUOUS),
        (201, {"content": b'{"requestId": "r", "clientReq'}, UploadResult.AMBIGUOUS),
        (201, {"content": b""}, UploadResult.AMBIGUOUS),
        (201, {"json": []}, UploadResult.AMBIGUOUS),
        (201, PAGE, UploadResult.AMBIGUOUS),
        (200, PAGE, UploadResult.AMBIGUOUS),
        (202, {"json": ACCEPTED}, UploadResult.AMBIGUOUS),
        (204, {}, UploadResult.AMBIGUOUS),
        (302, {"headers": {"Location": "https://login.example"}}, UploadResult.AMBIGUOUS),
        (400, {"json": {"errors": ["dataFile part is missing"]}}, UploadResult.REJECTED),
        (400, {}, UploadResult.REJECTED),
        (400, PAGE, UploadResult.AMBIGUOUS),
        (404, {"json": {"errors": ["no such integration"]}}, UploadResult.REJECTED),
        (404, PAGE, UploadResult.AMBIGUOUS),
        (408, {}, UploadResult.AMBIGUOUS),
        (409, {"json": {"errors": ["clientRequestId used"]}}, UploadResult.CONFLICT),
        (409, PAGE, UploadResult.AMBIGUOUS),
        (413, PAGE, UploadResult.REJECTED),
        (415, {}, UploadResult.REJECTED),
        (401, {"json": {"errors": ["no"]}}, UploadResult.DENIED),
        (403, PAGE, UploadResult.DENIED),
        (429, PAGE, UploadResult.THROTTLED),
        (500, {"json": {"errors": ["oops"]}}, UploadResult.AMBIGUOUS),
        (503, PAGE, UploadResult.AMBIGUOUS),
    ],
)
def test_uploads(gong, upload, status, parts, result):
    gong.answers(status, **parts)
    outcome = upload()
    assert outcome.result is result
    assert str(status) in outcome.detail
    assert (outcome.until is not None) == (result is UploadResult.THROTTLED)
    assert len(gong.requests) == 1


def test_an_upload_is_told_in_gongs_words(gong, upload):
    gong.answers(400, json={"errors": ["dataFile part\nis missing\x00", {"description": "no line"}, 7]})
    assert upload().detail == "HTTP 400: “dataFile part is missing ; no line; (an error without words)”"


def test_long_words_are_cut(gong, upload):
    gong.answers(400, json={"errors": ["x" * 100_000]})
    detail = upload().detail
    assert detail.startswith("HTTP 400: “xxx")
    assert len(detail) < 520


def test_a_throttled_upload_says_until_when(gong, upload):
    gong.answers(429, headers={"Retry-After": "30"})
    assert upload().until == gong.clock.now() + 30
    assert gong.limiter.waits == [gong.clock.now() + 30]


@pytest.mark.parametrize("processing", list(Processing))
def test_a_known_status(gong, processing):
    gong.answers(
        200,
        json={
            "status": processing.value,
            "errors": [{"line": 3, "description": "Mandatory field", "more": 1}, {"line": "4", "description": "b"}],
            "totalErrorCount": 25,
            "totalSuccessCount": 75,
            "requestId": "r",
        },
    )
    outcome = gong.client.status(5, "id-1")
    assert outcome.result is StatusResult.KNOWN
    assert outcome.request == RequestStatus(
        processing, (LineError(3, "Mandatory field"), LineError(4, "b")), error_count=25, success_count=75
    )
    (request,) = gong.requests
    assert dict(request.url.params) == {"integrationId": "5", "clientRequestId": "id-1"}


@pytest.mark.parametrize(
    ("errors", "read"),
    [
        (None, ()),
        ([], ()),
        ("all wrong", (LineError(0, "all wrong"),)),
        (["all wrong"], (LineError(0, "all wrong"),)),
        ([{"description": "all wrong"}], (LineError(0, "all wrong"),)),
        ([{"line": -1, "description": "x"}], (LineError(0, "x"),)),
        ([{"line": 2}], (LineError(2, "(an error without words)"),)),
        ([{"line": 2, "description": "a\ud800\x00b"}], (LineError(2, "a b"),)),
    ],
)
def test_errors_of_any_shape_are_kept(gong, errors, read):
    gong.answers(200, content=json.dumps({"status": "FAILED", "errors": errors, "totalErrorCount": -1}).encode())
    assert gong.client.status(5, "id-1").request == RequestStatus(
        Processing.FAILED, read, error_count=len(read), success_count=0
    )


@pytest.mark.parametrize(
    ("status", "parts", "result"),
    [
        (400, {"json": {"errors": ["unknown"]}}, StatusResult.UNKNOWN),
        (404, {"json": {"errors": ["unknown"]}}, StatusResult.UNKNOWN),
        (404, {}, StatusResult.UNKNOWN),
        (404, PAGE, StatusResult.UNAVAILABLE),
        (401, {}, StatusResult.DENIED),
        (403, PAGE, StatusResult.DENIED),
        (429, {}, StatusResult.THROTTLED),
        (500, {}, StatusResult.UNAVAILABLE),
        (302, {}, StatusResult.UNAVAILABLE),
        (409, {}, StatusResult.UNAVAILABLE),
        (200, PAGE, StatusResult.UNAVAILABLE),
        (200, {"content": b'{"status": "DO'}, StatusResult.UNAVAILABLE),
        (200, {"json": {}}, StatusResult.UNAVAILABLE),
        (200, {"json": {"status": "EXPLODED"}}, StatusResult.UNAVAILABLE),
        (200, {"json": {"status": ["DONE"]}}, StatusResult.UNAVAILABLE),
        (200, {"json": ["DONE"]}, StatusResult.UNAVAILABLE),
        (201, {"json": {"status": "DONE"}}, StatusResult.UNAVAILABLE),
    ],
)
def test_statuses_that_tell_nothing_of_the_file(gong, status, parts, result):
    gong.answers(status, **parts)
    outcome = gong.client.status(5, "id-1")
    assert outcome.result is result
    assert outcome.request is None
    assert str(status) in outcome.detail
    assert outcome.until == (gong.clock.now() + 2 if result is StatusResult.THROTTLED else None)


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("1", 1), ("30", 30), (" 30 ", 30), ("1.5", 1.5), ("3600", 3600),
        (None, 2), ("", 2), ("soon", 2), ("1e3", 2), ("inf", 2), ("nan", 2), ("٣", 2), ("30 s", 2),
        ("0", 1), ("-5", 1), ("0.2", 1), ("86401", 86400), ("9" * 15, 86400), ("9" * 400, 2),
        (formatdate(NOW + 90, usegmt=True), 90), (formatdate(NOW - 90, usegmt=True), 1),
        (formatdate(NOW + 10**7, usegmt=True), 86400), ("Tue, 14 Nov 2023 22:14:50", 90),
        ("Fri, 31 Dec 9999 23:59:59 -9999", 2), ("Tue, 99 Nov 2023 22:14:50 GMT", 2),
    ],
)  # fmt: skip
def test_retry_after(header, wait):
    assert retry_at(header, NOW) == NOW + wait


def test_nothing_is_taken_for_an_answer_when_the_body_was_not_sent_whole(gong, tmp_path):
    class Hasty(httpx.BaseTransport):
        """Answers without reading the request's body, as a server that closes early."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            next(iter(request.stream))  # type: ignore[arg-type]
            return httpx.Response(201, json=ACCEPTED)

    file = tmp_path / "f"
    file.write_bytes(b"{}\n")
    hasty = GongClient(AccessKeyAuth("https://x.example", "k", "s"), gong.limiter, FakeClock(0), transport=Hasty())
    assert hasty.upload(1, ObjectType.DEAL, "id-1", file, 3).result is UploadResult.AMBIGUOUS
