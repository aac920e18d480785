"""Rows in, lines and refusals out: all six object types, and what a row can hold."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from encoding import NOW, STAMP, Compile, encode, line_of, one, refused, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.lines import deletion_body, digest
from connector.model import ColumnKind
from connector.object_types import ObjectType


def test_a_business_user(compiled: Compile) -> None:
    users = one(
        compiled,
        "  BUSINESS_USER: {table: u, key: id, modified: m, deleted: gone = 1, fields: {emailAddress: mail}}",
    )
    line = line_of(users, {"key": 7, "modified": STAMP, "mail": "A@x.example"})
    assert line.body == b'{"objectId":"7","emailAddress":"A@x.example"'
    assert line.object_id == "7"
    assert line.stamp == int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
    assert line.digest == digest(line.body)
    assert not line.deleted
    assert line.address == line_of(users, {"key": 8, "mail": " a@X.example "}).address
    assert line.address != line_of(users, {"key": 7, "mail": "b@x.example"}).address
    assert len(line.address or b"") == 16


@pytest.mark.parametrize("mail", [None, "", " "])
def test_a_business_user_without_address_is_refused_unless_deleted(compiled: Compile, mail: str | None) -> None:
    users = one(compiled, "  BUSINESS_USER: {table: u, key: id, fields: {emailAddress: mail}}")
    refusal = refused(users, {"key": 7, "mail": mail})
    assert (refusal.object_id, refusal.field) == ("7", "emailAddress")
    assert refusal.reason == ("emailAddress is empty, and Gong takes no BUSINESS_USER without it (column 'mail')")
    line = line_of(users, {"key": 7, "mail": mail, "deleted": 1})
    assert (line.deleted, line.address) == (True, None)


def test_a_stage_has_what_both_references_demand(compiled: Compile) -> None:
    stages = one(compiled, "  STAGE: {table: s, key: id, fields: {name: n, sortOrder: p}}")
    active = {"objectId": "7", "name": "Won", "internalName": "7", "isActive": True, "sortOrder": 3}
    assert told(stages, {"key": 7, "n": "Won", "p": 3}) == active
    gone = {"key": 7, "n": "Won", "p": 3, "deleted": True}
    assert told(stages, gone) == {**active, "isActive": False}
    assert line_of(stages, gone).deleted
    assert refused(stages, {"key": 7, "n": "", "p": 3}).field == "name"


def test_stages_listed_in_the_file_have_the_lists_order(compiled: Compile) -> None:
    stages = one(compiled, "  STAGE: {rows: [{objectId: 010, name: yes}, {objectId: b, name: 1.10}]}")
    assert stages.relation is None
    encoded = stages.encode(stages.static_rows, NOW)
    assert [json.loads(line.body + b"}") for line in encoded.lines] == [
        {"objectId": "010", "name": "yes", "internalName": "010", "isActive": True, "sortOrder": 1},
        {"objectId": "b", "name": "1.10", "internalName": "b", "isActive": True, "sortOrder": 2},
    ]
    assert [line.stamp for line in encoded.lines] == [None, None]


def test_rows_in_the_file_may_differ_in_what_they_say_and_share_fields(compiled: Compile) -> None:
    accounts = one(
        compiled,
        """  ACCOUNT:
    rows:
      - {objectId: a, name: A, domains: [a.example, b.example], tier: 1}
      - {objectId: b, url: ~}
    fields: {url: {template: "https://x.example/{name}"}}
    additional_fields: [{name: level, type: NUMBER, column: tier}]
""",
    )
    encoded = accounts.encode(accounts.static_rows, NOW)
    assert [json.loads(line.body + b"}") for line in encoded.lines] == [
        {
            "objectId": "a",
            "url": "https://x.example/A",
            "name": "A",
            "domains": ["a.example", "b.example"],
            "level": 1,
        },
        {"objectId": "b", "url": None, "name": None, "domains": None, "level": None},
    ]


def test_an_account(compiled: Compile) -> None:
    accounts = one(
        compiled,
        """  ACCOUNT:
    table: accounts
    key: id
    fields:
      domains: {column: sites, split: ",", convert: host}
      name: title
      url: {template: "https://x.example/{{{a b}}}/{title}"}
""",
    )
    record = {"key": 1, "sites": "www.a.example, ,n/a,b.example", "title": "Ä/ö", "a b": 3}
    assert told(accounts, record) == {
        "objectId": "1",
        "url": "https://x.example/{3}/%C3%84%2F%C3%B6",
        "name": "Ä/ö",
        "domains": ["a.example", "b.example"],
    }
    assert told(accounts, {"key": 1, "sites": None, "title": "A"})["url"] is None
    assert told(accounts, {"key": 1, "sites": ["a.example"], "title": "A"})["domains"] == ["a.example"]


def test_a_contact_and_what_gong_does_not_show(compiled: Compile) -> None:
    contacts = one(compiled, "  CONTACT: {table: c, key: id, fields: {accountId: a, emailAddress: mail, firstName: f}}")
    encoded = encode(
        contacts,
        {"key": "1", "a": UUID(int=5), "mail": "a@x.example", "f": "A"},
        {"key": "2", "a": "", "mail": "", "f": " "},
        {"key": "3", "deleted": 1},
    )
    first, second, third = encoded.lines
    assert first.account_id == "00000000-0000-0000-0000-000000000005"
    assert json.loads(first.body + b"}")["accountId"] == first.account_id
    assert (second.account_id, third.account_id) == (None, None)
    older = "empty, though Gong's older reference demands it"
    assert encoded.not_shown == {
        ("accountId", "empty: Gong does not show the contact without it"): 1,
        ("emailAddress", older): 1,
        ("firstName", older): 1,
        ("lastName", older): 2,
    }


def test_a_deal(compiled: Compile) -> None:
    deals = one(
        compiled,
        """  DEAL:
    query: SELECT ...
    key: id
    fields:
      accountId: account
      ownerId: owner
      name: name
      createdDate: created
      closeDate: closing
      status: {column: state, map: {1: WON, 2: LOST, true: OPEN}, default: OPEN}
      stage: stage
      amount: amount
    additional_fields:
      - {name: zeta, type: DATETIME, column: created}
      - {name: alpha, type: PICKLIST, column: pick, values: [a, b], null_if: [none, ""]}
      - {name: fixed, type: STRING, value: 007}
""",
        created=ColumnKind.DATETIME_TZ,
    )
    record = {
        "key": 1,
        "account": 5,
        "owner": "u1",
        "name": "Deal",
        "created": datetime(2026, 1, 2, 3, 4, 5, 999999),
        "closing": "2026-02-01",
        "state": Decimal("1.0"),
        "stage": 3,
        "amount": Decimal("10.10"),
        "pick": "none",
    }
    line = line_of(deals, record)
    assert line.body.decode() + "}" == json.dumps(
        {
            "objectId": "1",
            "accountId": "5",
            "ownerId": "u1",
            "name": "Deal",
            "createdDate": "2026-01-02T03:04:05Z",
            "closeDate": "2026-02-01",
            "status": "WON",
            "isOpen": False,
            "isWon": True,
            "stage": "3",
            "amount": 10.5,
            "alpha": None,
            "fixed": "007",
            "zeta": "2026-01-02T03:04:05Z",
        },
        separators=(",", ":"),
    ).replace("10.5", "10.10")
    assert line.account_id == "5"
    for state, expected in ((2, "LOST"), (None, "OPEN"), ("unknown", "OPEN"), (True, "OPEN")):
        content = told(deals, {**record, "state": state})
        assert content["status"] == expected
        assert content["isOpen"] == (expected == "OPEN")
        assert content["isWon"] == (expected == "WON")


def test_a_deals_status_follows_from_the_older_fields(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {isOpen: o, isWon: w}}")
    for is_open, is_won, status in ((1, 0, "OPEN"), (0, 1, "WON"), (0, 0, "LOST"), (None, 1, None)):
        assert told(deals, {"key": 1, "o": is_open, "w": is_won})["status"] == status


def test_a_lead(compiled: Compile) -> None:
    leads = one(
        compiled,
        """  LEAD:
    table: l
    key: id
    fields: {emailAddress: {column: mail, convert: email, null_if: none@x.example}, convertedToDealId: deal}
    additional_fields:
      - {name: ref, type: REFERENCE, reference_to: USER, column: owner}
      - {name: ok, type: BOOLEAN, column: ok, default: no}
""",
    )
    record = {"key": 1, "mail": "x <a@x.example>", "deal": 9, "owner": Decimal("4"), "ok": None}
    assert told(leads, record) == {
        "objectId": "1",
        "emailAddress": "a@x.example",
        "convertedToDealId": "9",
        "ok": False,
        "ref": "4",
    }
    assert told(leads, {"key": 1, "mail": "<none@x.example>"})["emailAddress"] is None
    assert told(leads, {"key": 1, "mail": "no address"})["emailAddress"] is None


@pytest.mark.parametrize("object_type", [kind for kind in ObjectType if kind is not ObjectType.STAGE])
def test_a_soft_deleted_row_is_told_like_a_vanished_one(compiled: Compile, object_type: ObjectType) -> None:
    field = "emailAddress" if object_type in ("BUSINESS_USER", "CONTACT", "LEAD") else "name"
    entity = one(compiled, f"  {object_type}: {{table: t, key: id, modified: m, fields: {{{field}: x}}}}")
    line = line_of(entity, {"key": "é", "deleted": 1, "modified": STAMP, "x": b"\xff"})
    assert line.body == deletion_body(object_type, "é")
    assert line.digest == digest(line.body)
    assert line.deleted
    assert line.stamp is not None


def test_one_bad_row_does_not_stop_the_others(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {name: n, amount: a, url: u}}")
    encoded = encode(
        deals,
        {"key": 1, "n": "A"},
        {"key": 2, "n": b"\xffsecret"},
        {"key": 3, "n": "secret\ud800"},
        {"key": 4, "a": "secret"},
        {"key": 5, "u": "secret"},
        {"key": None},
        {"key": "secret" * 50},
        {"key": b"\xff\x00"},
        {"key": "a\0b"},
        {"key": 6, "n": "B"},
    )
    assert [line.object_id for line in encoded.lines] == ["1", "6"]
    neither = "the key cannot be an object's id: it is neither text, integer nor UUID (column 'id')"
    assert [(refusal.object_id, refusal.field, refusal.reason) for refusal in encoded.refusals] == [
        ("2", "name", "name is not valid UTF-8 text (column 'n')"),
        ("3", "name", "name holds broken text (half of a character)"),
        ("4", "amount", "amount is not a number (column 'a')"),
        ("5", "url", "url is not a full http or https address (column 'u')"),
        ("(null)", "objectId", neither),
        (("secret" * 50)[:200], "objectId", "the key is longer than 64 characters (column 'id')"),
        ("0xff00", "objectId", neither),
        ("a\\u0000b", "objectId", "the key holds control characters or broken text (column 'id')"),
    ]


def test_a_refusals_digest_changes_with_the_value_at_fault_only(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {name: n, amount: a}}")
    first = refused(deals, {"key": 1, "n": "A", "a": "x"})
    assert len(first.digest) == 16
    assert refused(deals, {"key": 1, "n": "B", "a": "x"}).digest == first.digest
    assert refused(deals, {"key": 1, "n": "A", "a": "y"}).digest != first.digest


def test_the_stamp(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, modified: m, fields: {name: n}}\nsource: {timezone: Asia/Tokyo}")
    cases = [
        ("1970-01-01 09:00:00.999999", 0),
        ("1970-01-01 08:59:59.999999", -1),
        (datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC), 5),
        (NOW - 1, NOW - 1),
        ("2099-01-01 00:00:00", NOW),
        (None, None),
        ("0000-00-00 00:00:00", None),
        ("infinity", None),
        (b"x", None),
    ]
    for modified, stamp in cases:
        assert line_of(deals, {"key": 1, "modified": modified, "n": "A"}).stamp == stamp
    zoned = one(
        compiled,
        "  DEAL: {table: d, key: id, modified: m, fields: {name: n}}\nsource: {timezone: Asia/Tokyo}",
        m=ColumnKind.DATETIME_TZ,
    )
    assert line_of(zoned, {"key": 1, "modified": datetime(1970, 1, 1, 0, 0, 5)}).stamp == 5


_CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters())
    | st.binary()
    | st.datetimes()
    | st.lists(st.text(), max_size=2)
)


@given(st.lists(st.tuples(*[_CELLS] * 9), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the compiled mapping does not change
def test_no_content_of_rows_can_break_the_encoder(compiled: Compile, cells: list[tuple[Any, ...]]) -> None:
    deals = one(
        compiled,
        """  DEAL:
    table: d
    key: id
    modified: m
    fields:
      name: {column: a, convert: [html_unescape, email]}
      amount: {column: b, convert: {json: "0"}}
      closeDate: {column: c, convert: date, unreadable: refuse}
      url: {template: "https://x.example/{d}"}
      status: {column: e, map: {"1": WON}, default: LOST, null_if: x}
      createdDate: f
""",
    )
    encoded = deals.encode(cells, NOW)
    assert len(encoded.lines) + len(encoded.refusals) == len(cells)
    for line in encoded.lines:
        content = json.loads(line.body + b"}")
        assert content["objectId"] == line.object_id
        assert b"\n" not in line.body
    for refusal in encoded.refusals:
        (refusal.object_id + refusal.reason).encode()
        assert "\0" not in refusal.object_id
        assert len(refusal.object_id) <= 200
