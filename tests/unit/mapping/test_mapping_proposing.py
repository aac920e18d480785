"""What names mean, what values look like, what a column is taken for: tables of cases."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from connector.facts import ColumnFacts, Facts, Looks, Shape, TableFacts
from connector.mapping.document import _Loader
from connector.mapping.proposing import candidates, flow, propose
from connector.mapping.proposing.names import words
from connector.mapping.proposing.states import state_map
from connector.model import ColumnKind
from connector.object_types import ObjectType
from connector.source.shapes import shape_of


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cust_nm", "account name"),
        ("CustomerName", "account name"),
        ("kundenname", "account name"),
        ("tbl_cust", "tbl account"),
        ("crm.companies", "account"),
        ("lst_upd_dt", "last update at"),
        ("dateModified", "at update"),
        ("geändert_am", "update am"),
        ("EMail", "email"),
        ("e_mail_addr", "email address"),
        ("web_site", "website"),
        ("closedate", "close at"),
        ("OpportunityID", "deal id"),
        ("verkaufschancen", "deal"),
        ("fname", "first name"),
        ("sales_rep_no", "sales user number"),
        ("phone2", "phone 2"),
    ],
)
def test_the_words_of_a_name(name: str, meant: str) -> None:
    assert words(name) == tuple(meant.split())


@pytest.mark.parametrize(
    ("values", "states"),
    [
        (["open", "won", "lost"], {"open": "OPEN", "won": "WON", "lost": "LOST"}),
        (["Closed Won", "ClosedLost", "Pitch"], {"Closed Won": "WON", "ClosedLost": "LOST", "Pitch": "OPEN"}),
        (["not won", "Gewonnen"], {"not won": "LOST", "Gewonnen": "WON"}),
        (["O", "W", "L"], {"O": "OPEN", "W": "WON", "L": "LOST"}),
        (["red", "green"], None),
        (["new", "open"], None),
        ({"7": "Won", "8": "Talks"}, {"7": "WON", "8": "OPEN"}),
    ],
)
def test_the_states_of_a_deal(values: Any, states: dict[str, str] | None) -> None:
    assert state_map(values) == states


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([None, "", " "], Shape(3)),
        (["a@b.example"] * 3, Shape(3, 3, 1, {Looks.EMAIL: 3}, ("a@b.example",))),
        (["https://b.example/x", "b.example"], Shape(2, 2, 2, {Looks.WEB: 2})),
        ([1, 0, 1, 0, 1, 0], Shape(6, 6, 2, {Looks.NUMBER: 6}, ("1", "0"), 0)),
        (["Y", "N", "N"] * 2, Shape(6, 6, 2, {}, ("N", "Y"))),
        ([date(2026, 1, 1), "2026-01-01 10:00:00"], Shape(2, 2, 2, {Looks.MOMENT: 2})),
        ([Decimal("1.5"), 2], Shape(2, 2, 2, {Looks.NUMBER: 2}, None, 1)),
        (["x" * 65] * 9, Shape(9, 9, 1)),
        ([f"name {number}" for number in range(50)], Shape(50, 50, 50)),
    ],
)
def test_the_shape_of_values_holds_no_more_of_them_than_short_lists(values: list[Any], shape: Shape) -> None:
    assert shape_of(values) == shape


@pytest.mark.parametrize(
    "text", ["007", "yes", "null", "~", "a: b", "#x", "it's", 'a "b"', "1.10", "-5", "a\tb", "ü", "x "]
)
def test_what_is_written_is_read_as_it_was(text: str) -> None:
    node = yaml.compose(flow({"k": [text]}), Loader=_Loader)
    assert node.value[0][1].value[0].value == text
    assert node.value[0][1].value[0].tag.endswith(":str")


def table(name: str, /, *, rows: int | None = 50, **columns: Any) -> TableFacts:
    """A table: a column's kind, or what its sampled values are."""
    found = {}
    for column, content in {"id": "integer", **columns}.items():
        shape = None if isinstance(content, str) else shape_of(content)
        kind = ColumnKind(content) if isinstance(content, str) else ColumnKind.TEXT
        found[column] = ColumnFacts(column, kind, True, column, shape)
    return TableFacts(name, found, name, key=("id",), unique=("id",), rows=rows)


def facts(*tables: TableFacts) -> Facts:
    return Facts({one.name: one for one in tables}, "postgresql")


DEALS: dict[str, Any] = {"name": "text", "amount": "decimal", "close_date": "date", "stage": ["won", "new"] * 10}


@pytest.mark.parametrize(
    ("columns", "deleted"),
    [
        ({"is_deleted": "boolean"}, "is_deleted = TRUE"),
        ({"deleted": [0, 1] * 9}, "deleted = '1'"),
        ({"deleted": ["N"] * 9}, "deleted = 'Y'"),
        ({"deleted_at": "datetime"}, "deleted_at IS NOT NULL"),
        ({"deleted_by": "integer"}, None),
        ({"archived": "boolean"}, None),
    ],
)
def test_what_marks_a_deleted_row(columns: dict[str, Any], deleted: str | None) -> None:
    draft = propose(facts(table("deals", **DEALS, **columns))).drafts[ObjectType.DEAL]
    assert (draft.deleted[0] if draft.deleted else None) == deleted


@pytest.mark.parametrize(
    ("columns", "modified"),
    [
        ({"updated_at": "datetime", "created_at": "datetime"}, "updated_at"),
        ({"created_at": "datetime"}, None),
        ({"modified_by": "integer", "modified": ["2026-01-01"] * 9}, "modified"),
        ({"updated": ["yes", "no"] * 9}, None),
        ({"updated_at": [None] * 9, "last_change": "datetime with zone"}, "last_change"),
        ({"stage_changed_at": "datetime"}, None),
    ],
)
def test_what_says_when_a_row_changed(columns: dict[str, Any], modified: str | None) -> None:
    draft = propose(facts(table("deals", **DEALS, **columns))).drafts[ObjectType.DEAL]
    assert (draft.modified[0] if draft.modified else None) == modified


def test_tables_that_are_something_else_are_not_taken() -> None:
    person = {"first_name": "text", "last_name": "text", "email": "text", "phone": "text"}
    found = facts(
        table("contacts_history", **person),
        table("contact_import_tmp", **person),
        table("contacts", rows=0, **person),
        table("people", **person),
        table("deal_tags", name="text"),
        table("invoices", amount="decimal", status="text", name="text"),
    )
    proposal = propose(found)
    assert {kind: draft.table.name for kind, draft in proposal.drafts.items()} == {ObjectType.CONTACT: "people"}
    assert "contacts" in [one.table for one in proposal.ranking[ObjectType.CONTACT]]
    assert set(candidates(found)) >= {"people", "contacts"}
