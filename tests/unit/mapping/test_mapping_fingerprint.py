"""The fingerprint of an entity source: it changes with what decides about its lines, and with nothing else."""

import pytest
from encoding import Compile, line_of, one


def test_the_tables_of_changes_are_no_part_of_the_fingerprint(compiled: Compile) -> None:
    text = "  DEAL: {table: d, key: id, modified: m, fields: {name: n}"
    before, after = one(compiled, text + "}"), one(compiled, text + ", changes: [{table: l, key: k, modified: c}]}")
    assert before.fingerprint == after.fingerprint
    assert before.feeds == ()
    [feed] = after.feeds
    assert (feed.name, feed.table, feed.key, feed.modified) == ("DEAL.changes.1", "l", "k", "c")


def test_the_order_of_the_file_changes_neither_lines_nor_what_is_read(compiled: Compile) -> None:
    written = one(
        compiled,
        """  DEAL:
    table: d
    key: id
    fields: {amount: a, name: n, url: {template: "https://x.example/{id}"}}
    additional_fields:
      - {name: y, type: STRING, column: c}
      - {name: x, label: X, type: PICKLIST, column: e, values: [E, a]}
""",
    )
    reordered = one(
        compiled,
        """  DEAL:
    additional_fields:
      - {values: [c, E], type: PICKLIST, column: e, name: x, label: Other}
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


_LISTED = "  DEAL: {table: d, key: id, fields: {name: n, stage: s}, additional_fields: [{name: x, type: PICKLIST, "


def test_the_fingerprint_does_not_change_with_labels_and_order(compiled: Compile) -> None:
    before = one(compiled, _LISTED + "column: c, label: X, values: [a, b]}]}")
    after = one(compiled, _LISTED.replace("name: n, stage: s", "stage: s, name: n") + "values: [b, a], column: c}]}")
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("values: [a]", "values: [a, b]", True),  # rows that were refused for b are fit now
        ("values: [a], unlisted: null", "values: [b], unlisted: null", True),
        ("values: [a]", "values: [a], unlisted: null", True),
        ("values: [a], unlisted: add", "values: [b], unlisted: add", False),
    ],
)
def test_the_fingerprint_changes_with_lists_that_decide_about_lines(
    compiled: Compile, before: str, after: str, differs: bool
) -> None:
    made = [one(compiled, f"{_LISTED} {said}, column: c}}]}}").fingerprint for said in (before, after)]
    assert (made[0] != made[1]) is differs


def test_a_query_s_new_answer_is_a_new_fingerprint(compiled: Compile) -> None:
    text = f"entities:\n{_LISTED} values: {{query: SELECT v}}, column: c}}]}}"
    deals = compiled(text, {}, {"SELECT v": ["a"]}).entities[0]
    before = deals.fingerprint
    deals.picklists["x"].relist(["a"])
    assert deals.fingerprint == before
    deals.picklists["x"].relist(["a", "b"])
    assert deals.fingerprint != before
