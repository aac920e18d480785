"""Values that are not what a field wants: read after all, sent as null and counted, or refused with their row."""

import json
from decimal import Decimal

from encoding import Compile, encode, one, refused, told

from connector.model import ColumnKind


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
