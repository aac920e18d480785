"""Each rule of a line and of a data file, as request-status tells it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sandboxed import Caller, line

from connector.object_types import ObjectType as T

DATE_FAULT = "Invalid value for field [modifiedDate]: expected a datetime (ISO-8601 with offset, no fraction)"


def without(name: str, **fields: Any) -> dict[str, Any]:
    whole = line("x1", **fields)
    del whole[name]
    return whole


@pytest.mark.parametrize(
    ("object_type", "bad", "description"),
    [
        (T.ACCOUNT, b"\xff{}", "Line is not valid UTF-8"),
        (T.ACCOUNT, b"{", "Line is not valid JSON"),
        (T.ACCOUNT, b"", "Line is not valid JSON"),
        (T.ACCOUNT, b'{"objectId":"1","modifiedDate":"2025-01-01T00:00:00Z","name":NaN}', "Line is not valid JSON"),
        (T.ACCOUNT, rb'{"objectId":"1","name":"\ud800"}', "Line is not valid JSON"),
        (T.ACCOUNT, b"[1]", "Line is not a JSON object"),
        (T.ACCOUNT, without("objectId"), "Mandatory field [objectId] is missing or empty"),
        (T.ACCOUNT, line(""), "Mandatory field [objectId] is missing or empty"),
        (T.ACCOUNT, without("objectId") | {"objectId": 7}, "Invalid value for field [objectId]: expected a string"),
        (T.ACCOUNT, line("x" * 65), "Field [objectId] is longer than 64 characters"),
        (T.ACCOUNT, line("a b"), "Field [objectId] holds characters that are not allowed"),
        (T.ACCOUNT, line("a\n"), "Field [objectId] holds characters that are not allowed"),
        (T.ACCOUNT, without("modifiedDate"), "Mandatory field [modifiedDate] is missing or empty"),
        (T.ACCOUNT, line("1", "2025-01-01T00:00:00.5Z"), DATE_FAULT),
        (T.ACCOUNT, line("1", "2025-01-01T00:00:00"), DATE_FAULT),
        (T.ACCOUNT, line("1", "2025-02-30T00:00:00Z"), DATE_FAULT),
        (T.ACCOUNT, line("1", "2025-01-01"), DATE_FAULT),
        (T.ACCOUNT, line("1", isDeleted="yes"), "Invalid value for field [isDeleted]: expected a boolean"),
        (T.ACCOUNT, line("1", name=5), "Invalid value for field [name]: expected a string"),
        (T.ACCOUNT, line("1", domains="a.example"), "Invalid value for field [domains]: expected an array of strings"),
        (T.ACCOUNT, line("1", domains=[1]), "Invalid value for field [domains]: expected an array of strings"),
        (T.ACCOUNT, line("1", url="crm/1"), "Invalid value for field [url]: expected a full http or https URL"),
        (T.ACCOUNT, line("1", url="ftp://a/1"), "Invalid value for field [url]: expected a full http or https URL"),
        (T.ACCOUNT, line("1", url="http://a b/"), "Invalid value for field [url]: expected a full http or https URL"),
        (T.BUSINESS_USER, line("1"), "Mandatory field [emailAddress] is missing or empty"),
        (T.BUSINESS_USER, line("1", emailAddress=""), "Mandatory field [emailAddress] is missing or empty"),
        (T.STAGE, line("1"), "Mandatory field [name] is missing or empty"),
        (T.STAGE, line("1", name="A", sortOrder=0), "Invalid value for field [sortOrder]: expected an integer from 1"),
        (
            T.STAGE,
            line("1", name="A", sortOrder=True),
            "Invalid value for field [sortOrder]: expected an integer from 1",
        ),
        (T.STAGE, line("1", name="A", isActive=1), "Invalid value for field [isActive]: expected a boolean"),
        (T.DEAL, line("1", amount="10"), "Invalid value for field [amount]: expected a number"),
        (T.DEAL, line("1", amount=True), "Invalid value for field [amount]: expected a number"),
        (T.DEAL, line("1", status="Open"), "Invalid value for field [status]: expected one of OPEN, WON, LOST"),
        (T.DEAL, line("1", status=[]), "Invalid value for field [status]: expected one of OPEN, WON, LOST"),
        (
            T.DEAL,
            line("1", closeDate="2025-02-30"),
            "Invalid value for field [closeDate]: expected a date (YYYY-MM-DD)",
        ),
        (
            T.DEAL,
            line("1", createdDate="2025-01-01"),
            "Invalid value for field [createdDate]: expected a datetime (ISO-8601 with offset, no fraction)",
        ),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_a_reason(
    object_type: T, bad: dict[str, Any] | bytes, description: str
) -> None:
    caller = Caller()
    good = line("good", "2024-01-01T00:00:00Z", name="Good", emailAddress="good@acme.example")
    assert caller.errors(object_type, good, bad) == [(2, description)]
    assert list(caller.world.objects(object_type)) == ["good"]


@pytest.mark.parametrize(
    ("object_type", "good"),
    [
        (T.BUSINESS_USER, line("u_1.a@b+c", emailAddress="a@acme.example")),
        (T.BUSINESS_USER, line("1", isDeleted=True)),
        (T.STAGE, line("1", "2025-01-01T02:00:00+02:00", name="A", isActive=False, sortOrder=1)),
        (T.ACCOUNT, line("x" * 64, name=None, domains=None, url=None, isDeleted=None)),
        (T.ACCOUNT, line("1", domains=[], url="https://crm.example/a?b=1")),
        (T.CONTACT, line("1", accountId=None)),
        (T.DEAL, line("1", amount=12.5, status="WON", closeDate="2025-02-28", createdDate="2025-01-01T00:00:00Z")),
        (T.LEAD, line("1", convertedToDealId="9")),
    ],
)
def test_good_lines_of_each_type_are_taken_as_sent(object_type: T, good: dict[str, Any]) -> None:
    caller = Caller()
    assert caller.settle(object_type, good)["status"] == "DONE"
    assert caller.world.objects(object_type, deleted=True) == {good["objectId"]: good}


FIELDS = (
    {"uniqueName": "grade", "label": "G", "type": "PICKLIST", "orderedValueList": ["A", "B"]},
    {"uniqueName": "share", "label": "S", "type": "PERCENT"},
    {"uniqueName": "size", "label": "S", "type": "NUMBER"},
    {"uniqueName": "arr", "label": "A", "type": "CURRENCY"},
    {"uniqueName": "live", "label": "L", "type": "BOOLEAN"},
    {"uniqueName": "day", "label": "D", "type": "DATE"},
    {"uniqueName": "at", "label": "A", "type": "DATETIME"},
    {"uniqueName": "note", "label": "N", "type": "STRING"},
    {"uniqueName": "boss", "label": "B", "type": "REFERENCE", "referenceTo": "USER"},
)


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("grade", "C", "B"),
        ("grade", 1, None),
        ("share", 140, 100),
        ("share", -1, 0),
        ("size", "7", 7),
        ("arr", True, -0.5),
        ("live", 1, True),
        ("day", "2025-13-01", "2025-12-01"),
        ("at", "2025-01-01 00:00:00", "2025-01-01T00:00:00-05:00"),
        ("note", 3, ""),
        ("boss", 3, "3"),
    ],
)
def test_additional_fields_are_held_to_their_type(name: str, bad: object, good: object) -> None:
    caller = Caller()
    assert caller.put_schema(T.ACCOUNT, *FIELDS).status == 201
    [(number, description)] = caller.errors(T.ACCOUNT, line("bad", **{name: bad}), line("good", **{name: good}))
    assert number == 1
    assert f"[{name}]" in description
    assert caller.world.visible(T.ACCOUNT)["good"][name] == (Decimal("-0.5") if good == -0.5 else good)


def test_numbers_keep_their_digits() -> None:
    caller = Caller()
    caller.settle(T.DEAL, b'{"objectId":"1","modifiedDate":"2025-01-01T00:00:00Z","amount":9007199254740993.10}')
    assert caller.world.objects(T.DEAL)["1"]["amount"] == Decimal("9007199254740993.10")
    query = {"integrationId": caller.integration, "objectType": T.DEAL}
    answer = caller.call("GET", "/v2/crm/entities", query, b'["1"]')
    assert b'"amount":9007199254740993.10' in answer.body


def test_an_object_stands_once_in_a_file() -> None:
    assert Caller().errors(T.ACCOUNT, line("1"), line("2"), line("1")) == [
        (3, "Field [objectId] appears more than once in the file")
    ]


def test_lines_ascend_by_date_unless_switched_off() -> None:
    lines = line("1", "2025-01-02T00:00:00Z"), line("2", "2025-01-01T00:00:00Z")
    assert Caller().errors(T.ACCOUNT, *lines) == [(2, "Lines are not in ascending order of [modifiedDate]")]
    assert Caller(unsorted_lines_fail=False).errors(T.ACCOUNT, *lines) == []


def test_an_empty_file_is_a_general_failure() -> None:
    status = Caller().settle(T.ACCOUNT)
    assert (status["status"], status["totalErrorCount"], status["totalSuccessCount"]) == ("FAILED", 1, 0)
    assert [error["line"] for error in status["errors"]] == [0]


@pytest.mark.parametrize(("bad", "listed"), [(0, 0), (1, 1), (20, 20), (21, 20), (30, 20)])
def test_at_most_20_errors_are_listed_and_the_totals_count_all(bad: int, listed: int) -> None:
    lines = [line(str(n), amount="?" if n < bad else 1) for n in range(30)]
    status = Caller().settle(T.DEAL, *lines)
    assert status["status"] == ("FAILED" if bad else "DONE")
    assert [error["line"] for error in status["errors"]] == list(range(1, listed + 1))
    assert (status["totalErrorCount"], status["totalSuccessCount"]) == (bad, 30 - bad)


def test_the_last_line_may_lack_its_newline() -> None:
    caller = Caller()
    content = json.dumps(line("1")).encode() + b"\n" + json.dumps(line("2")).encode()
    boundary = b'--b\r\nContent-Disposition: form-data; name="dataFile"; filename="f"\r\n\r\n'
    answer = caller.post(T.ACCOUNT, "multipart/form-data; boundary=b", boundary + content + b"\r\n--b--\r\n")
    assert answer.status == 201
    caller.clock.advance(60)
    assert [(upload.lines, upload.status) for upload in caller.world.uploads()] == [(2, "DONE")]


@pytest.mark.parametrize("object_id", ["a_b", "a.b", "a+b"])
def test_the_strict_object_id_is_a_switch(object_id: str) -> None:
    assert Caller().errors(T.ACCOUNT, line(object_id)) == []
    assert len(Caller(strict_object_id=True).errors(T.ACCOUNT, line(object_id))) == 1


def test_the_strict_object_id_takes_an_address() -> None:
    assert Caller(strict_object_id=True).errors(T.ACCOUNT, line("a_b@acme.example"), line("a-1")) == []


@pytest.mark.parametrize(
    ("object_type", "fields"),
    [
        (T.STAGE, {"name": "A", "isActive": True, "sortOrder": 1}),
        (T.ACCOUNT, {"name": "A", "domains": []}),
        (T.CONTACT, {"accountId": "1", "emailAddress": "a@b.example", "firstName": "A"}),
        (T.LEAD, {"emailAddress": "a@b.example", "firstName": "A"}),
        (T.DEAL, {"status": "OPEN", "name": "A"}),
    ],
)
def test_the_older_reference_demands_more_but_not_of_deletions(object_type: T, fields: dict[str, Any]) -> None:
    assert Caller().errors(object_type, line("1", **fields)) == []
    [(_, description)] = Caller(older_reference=True).errors(object_type, line("1", **fields))
    assert description.startswith("Mandatory field [")
    assert Caller(older_reference=True).errors(object_type, line("1", isDeleted=True)) == []


def test_an_unknown_account_is_a_line_error_only_when_switched_on() -> None:
    child = line("c1", accountId="a1")
    assert Caller().errors(T.CONTACT, child) == []
    caller = Caller(reject_unknown_parent=True)
    assert caller.errors(T.CONTACT, child) == [(1, "accountId [a1] was not found")]
    caller.settle(T.ACCOUNT, line("a1"))
    assert caller.errors(T.CONTACT, child) == []
