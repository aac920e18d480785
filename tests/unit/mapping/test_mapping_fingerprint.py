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
