"""Rows in, lines and refusals out: all six object types, and what a row can hold."""
# ruff: noqa: DTZ001 - databases deliver datetimes without a zone, and they are tested here

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.lines import deletion_body, digest
from connector.mapping import CompiledMapping, Entity
from connector.model import ColumnKind, Encoded, Line, RowRefusal
from connector.object_types import ObjectType

Compile = Callable[..., CompiledMapping]

NOW = 1_800_000_000
STAMP = "2026-01-02 03:04:05.9"


def rows_of(entity: Entity, *records: dict[str, Any]) -> list[Sequence[Any]]:
    """Rows as a source delivers them, of records by column name; `key`, `modified` and `deleted` beside."""
    assert entity.relation is not None
    return [
        (
            record.get("key"),
            record.get("modified"),
            record.get("deleted", 0),
            *(record.get(column) for column in entity.relation.columns),
        )
        for record in records
    ]


def encode(entity: Entity, *records: dict[str, Any]) -> Encoded:
    return entity.encode(rows_of(entity, *records), NOW)


def line_of(entity: Entity, record: dict[str, Any]) -> Line:
    encoded = encode(entity, record)
    assert encoded.refusals == []
    return encoded.lines[0]


def told(entity: Entity, record: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(line_of(entity, record).body + b"}", parse_float=Decimal)
    return content


def refused(entity: Entity, record: dict[str, Any]) -> RowRefusal:
    encoded = encode(entity, record)
    assert encoded.lines == []
    return encoded.refusals[0]


def one(compiled: Compile, text: str, **kinds: ColumnKind) -> Entity:
    entity: Entity = compiled("entities:\n" + text, kinds).entities[0]
    return entity


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


def test_a_value_that_cannot_be_read_is_sent_as_null_and_counted(compiled: Compile) -> None:
    contacts = one(
        compiled,
        """  CONTACT:
    table: c
    key: id
    fields:
      emailAddress: {column: mail, convert: email, unreadable: null}
      firstName: {column: first, convert: [html_unescape, {json: en_US}, trim], default: (none), null_if: "-"}
    additional_fields:
      - {name: since, type: DATE, column: since, convert: {date: "%m/%d/%y"}}
      - {name: size, type: NUMBER, column: size}
""",
        size=ColumnKind.INTEGER,
    )
    good = {"mail": "<a@x.example>", "first": "{&quot;en_US&quot;: &quot; Ada &quot;}", "since": "02/01/26"}
    empty = {"mail": " ", "first": '{"en_US": "-"}', "since": "00/00/00"}
    bad = {"mail": "secret", "first": "secret", "since": "secret"}
    encoded = encode(
        contacts,
        {"key": 1, **good},
        {"key": 2, **empty},
        {"key": 3, **bad},
        {"key": 4, **good, "mail": "secret"},
        {"key": 5, **bad, "size": "large"},
        {"key": 6, **bad, "deleted": 1},
        {"key": 7, **good, "mail": b"\xff"},
    )
    assert [refusal.object_id for refusal in encoded.refusals] == ["5", "7"]
    contents = [json.loads(line.body + b"}") for line in encoded.lines]
    assert [(content["emailAddress"], content["firstName"], content["since"]) for content in contents[:4]] == [
        ("a@x.example", "Ada", "2026-02-01"),
        (None, "(none)", None),
        (None, "(none)", None),
        (None, "Ada", "2026-02-01"),
    ]
    assert contents[4]["isDeleted"]
    assert encoded.warnings == {
        ("emailAddress", "holds no valid e-mail address"): 2,
        ("firstName", "is not valid JSON"): 1,
        ("since", "is not a date written as `%m/%d/%y`"): 1,
    }


def test_a_value_that_cannot_be_read_refuses_its_row_where_the_mapping_says_so(compiled: Compile) -> None:
    leads = one(
        compiled,
        "  LEAD: {table: l, key: id, fields: {emailAddress: {column: mail, convert: email, unreadable: refuse}}}",
    )
    encoded = encode(leads, {"key": 1, "mail": "secret"}, {"key": 2, "mail": ""}, {"key": 3, "mail": None})
    [refusal] = encoded.refusals
    assert (refusal.object_id, refusal.field) == ("1", "emailAddress")
    assert refusal.reason == "emailAddress holds no valid e-mail address (column 'mail')"
    assert [line.object_id for line in encoded.lines] == ["2", "3"]
    assert encoded.warnings == {}


def test_the_items_of_a_list_that_cannot_be_read_are_left_out(compiled: Compile) -> None:
    accounts = one(
        compiled,
        "  ACCOUNT: {table: a, key: id, fields: {domains: {column: sites, split: ',', convert: host}}}",
    )
    encoded = encode(
        accounts, {"key": 1, "sites": "n/a, https://a.example, none,"}, {"key": 2, "sites": ["x", "b.example"]}
    )
    assert [json.loads(line.body + b"}")["domains"] for line in encoded.lines] == [["a.example"], ["b.example"]]
    assert encoded.warnings == {("domains", "is not the address of a host"): 2}


def test_a_value_out_of_json_fills_a_field_of_its_own_kind(compiled: Compile) -> None:
    deals = one(
        compiled,
        """  DEAL:
    table: d
    key: id
    fields:
      name: {column: j, convert: {json: name.en_US}}
      amount: {column: j, convert: {json: sums.0}}
      isWon: {column: j, convert: {json: won}}
      closeDate: {column: j, convert: [{json: day}, date]}
      createdDate: {column: j, convert: {json: at}}
      stage: {column: list, convert: {json: 0.id}}
      status: {column: j, convert: {json: state}, map: {1: WON, true: LOST}}
""",
        j=ColumnKind.JSON,
        list=ColumnKind.JSON,
    )
    record = {
        "name": {"en_US": "Rollout"},
        "sums": [1.25, 2],
        "won": True,
        "day": "2026-02-01 23:00:00",
        "at": "2026-01-01T00:00:00+02:00",
        "state": 1,
    }
    expected = {
        "objectId": "1",
        "name": "Rollout",
        "createdDate": "2025-12-31T22:00:00Z",
        "closeDate": "2026-02-01",
        "status": "WON",
        "isOpen": False,
        "isWon": True,
        "stage": "7",
        "amount": Decimal("1.25"),
    }
    assert told(deals, {"key": 1, "j": json.dumps(record), "list": '[{"id": 7}]'}) == expected
    assert told(deals, {"key": 1, "j": record, "list": [{"id": 7}]}) == expected
    domains = one(
        compiled,
        "  ACCOUNT: {table: a, key: id, fields: {domains: {column: j, convert: {json: site}}}}",
        j=ColumnKind.JSON,
    )
    assert told(domains, {"key": 1, "j": '{"site": "a.example"}'})["domains"] == ["a.example"]


def test_a_date_out_of_text_fills_fields_of_every_kind(compiled: Compile) -> None:
    leads = one(
        compiled,
        """  LEAD:
    table: l
    key: id
    fields: {title: {column: d, convert: {date: "%d.%m.%Y"}, null_if: 2026-02-02}}
    additional_fields:
      - {name: at, type: DATETIME, column: d, convert: {date: "%d.%m.%Y"}}
      - {name: on, type: DATE, column: d, convert: {date: "%d.%m.%Y"}}
      - {name: moment, type: DATETIME, column: t, convert: {date: "%d.%m.%Y %H:%M"}}
source: {timezone: Europe/Berlin}
""",
    )
    assert told(leads, {"key": 1, "d": "01.02.2026", "t": "01.07.2026 12:00"}) == {
        "objectId": "1",
        "title": "2026-02-01",
        "at": "2026-01-31T23:00:00Z",
        "on": "2026-02-01",
        "moment": "2026-07-01T10:00:00Z",
    }
    assert told(leads, {"key": 1, "d": "02.02.2026"})["title"] is None


def test_zero_dates_are_no_dates_and_no_warning(compiled: Compile) -> None:
    deals = one(
        compiled,
        """  DEAL:
    table: d
    key: id
    fields: {closeDate: a, createdDate: b}
    additional_fields:
      - {name: c, type: DATE, column: c, convert: date}
      - {name: d, type: DATETIME, column: d, convert: date, default: 2026-01-01}
""",
    )
    for zero in ("0000-00-00", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000"):
        encoded = encode(deals, {"key": 1, **dict.fromkeys("abcd", zero)})
        content = json.loads(encoded.lines[0].body + b"}")
        assert content == {
            "objectId": "1",
            "createdDate": None,
            "closeDate": None,
            "c": None,
            "d": "2026-01-01T00:00:00Z",
        }
        assert encoded.warnings == {}
    first = {"key": 1, **dict.fromkeys("abcd", "0001-01-01")}
    assert told(deals, first)["closeDate"] == "0001-01-01"


def test_the_tables_of_changes_are_no_part_of_the_fingerprint(compiled: Compile) -> None:
    text = "  DEAL: {table: d, key: id, modified: m, fields: {name: n}"
    before, after = one(compiled, text + "}"), one(compiled, text + ", changes: [{table: l, key: k, modified: c}]}")
    assert before.fingerprint == after.fingerprint
    assert before.feeds == ()
    [feed] = after.feeds
    assert (feed.name, feed.table, feed.key, feed.modified) == ("DEAL.changes.1", "l", "k", "c")


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


def test_a_value_that_the_map_does_not_list_refuses_the_row(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {status: {column: s, map: {won: WON, x: ~}}}}")
    assert told(deals, {"key": 1, "s": "won"})["status"] == "WON"
    assert told(deals, {"key": 1, "s": "x"})["status"] is None
    assert told(deals, {"key": 1, "s": None})["status"] is None
    refusal = refused(deals, {"key": 1, "s": "lost"})
    assert refusal.field == "status"
    assert refusal.reason == (
        "status has a value that its `map` does not list, and the `map` has no `default` (column 's')"
    )


def test_a_map_may_say_true_and_false_for_a_database_without_booleans(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {status: {column: s, map: {true: WON, false: OPEN}}}}")
    for value, status in ((True, "WON"), (1, "WON"), (False, "OPEN"), (0, "OPEN"), ("true", "WON")):
        assert told(deals, {"key": 1, "s": value})["status"] == status


def test_null_if_takes_numbers_by_their_value(compiled: Compile) -> None:
    deals = one(compiled, "  DEAL: {table: d, key: id, fields: {amount: {column: a, null_if: [-1, 0]}}}")
    for value in (0, 0.0, Decimal("0.00"), "0", -1, Decimal("-1.0")):
        assert told(deals, {"key": 1, "a": value})["amount"] is None
    assert told(deals, {"key": 1, "a": 10})["amount"] == 10


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


def test_the_order_of_the_file_changes_neither_lines_nor_what_is_read(compiled: Compile) -> None:
    written = one(
        compiled,
        """  DEAL:
    table: d
    key: id
    fields: {amount: a, name: n, url: {template: "https://x.example/{id}"}}
    additional_fields:
      - {name: y, type: STRING, column: c}
      - {name: x, label: X, type: PICKLIST, column: e, values: [a]}
""",
    )
    reordered = one(
        compiled,
        """  DEAL:
    additional_fields:
      - {values: [b, c], type: PICKLIST, column: e, name: x, label: Other}
      - {name: y, type: STRING, column: c}
    fields: {url: {template: "https://x.example/{id}"}, name: {column: n}, amount: a}
    key: id
    table: d
""",
    )
    record = {"key": 1, "id": 1, "a": 1, "n": "N", "c": "C", "e": "E"}
    assert written.relation == reordered.relation
    assert line_of(written, record) == line_of(reordered, record)


@pytest.mark.parametrize(
    "other",
    [
        "  DEAL: {table: d, key: id, fields: {name: m}}",
        "  DEAL: {table: d, key: id, fields: {name: {column: n, null_if: x}}}",
        "  DEAL: {table: d, key: id, fields: {name: {column: n, default: ~}}}",
        "  DEAL: {table: d, key: id, fields: {name: {column: n, convert: trim}}}",
        "  DEAL: {table: d, key: id, fields: {name: {column: n, convert: {json: a}}}}",
        "  DEAL: {table: d, key: id, fields: {name: n, amount: a}}",
        "  DEAL: {table: d, key: id, where: x = 1, fields: {name: n}}",
        "  DEAL: {table: d, key: id, fields: {name: n}}\nsource: {timezone: Asia/Tokyo}",
        "  DEAL: {table: d, key: id, fields: {name: n}, additional_fields: [{name: x, type: STRING, column: n}]}",
    ],
)
def test_the_fingerprint_changes_with_what_decides_about_lines(compiled: Compile, other: str) -> None:
    text = "  DEAL: {table: d, key: id, fields: {name: n}}"
    assert one(compiled, text).fingerprint == one(compiled, text + " # the same").fingerprint
    assert one(compiled, text).fingerprint != one(compiled, other).fingerprint


def test_the_fingerprint_does_not_change_with_labels_picklists_and_order(compiled: Compile) -> None:
    text = "  DEAL: {table: d, key: id, fields: {name: n, stage: s}, additional_fields: [{name: x, type: PICKLIST, "
    before = one(compiled, text + "column: c, label: X, values: [a]}]}")
    after = one(compiled, text.replace("name: n, stage: s", "stage: s, name: n") + "values: [b], column: c}]}")
    assert before.fingerprint == after.fingerprint


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
