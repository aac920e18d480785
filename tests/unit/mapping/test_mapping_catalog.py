"""The mapping held against the source's columns, and Gong's schema made of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.errors import ConfigProblems
from connector.mapping import CompiledMapping, check, compile_mapping, load
from connector.model import Column, ColumnKind, SchemaField
from connector.object_types import ObjectType

Compile = Callable[..., CompiledMapping]

HEAD = "version: 1\nintegration: {name: A, owner_email: a@b.example}\n"


def found(text: str, columns: dict[str, ColumnKind], directory: Path) -> list[str]:
    path = directory / "mapping.yaml"
    path.write_text(HEAD + "entities:\n" + text, encoding="utf-8")
    file = load(path)
    catalog = {
        relation.name: {name: Column(name, kind) for name, kind in columns.items()} for relation in file.relations
    }
    problems = check(file, catalog)
    if problems:
        with pytest.raises(ConfigProblems) as wrong:
            compile_mapping(file, catalog, file.picklists())
        assert wrong.value.problems == problems
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


def test_columns_that_do_not_exist(tmp_path: Path) -> None:
    text = """  DEAL:
    table: deals
    key: Id
    modified: updatedat
    fields:
      name: Name
      amount: {column: qqq}
      url: {template: "https://x.example/{id}/{nam}"}
    additional_fields:
      - {name: x, type: STRING, column: amout}
"""
    columns = dict.fromkeys(("id", "name", "amount", "updated_at"), ColumnKind.UNKNOWN)
    assert found(text, columns, tmp_path) == [
        "6 entities.DEAL.key: the table has no column 'Id'. Did you mean 'id'?",
        "7 entities.DEAL.modified: the table has no column 'updatedat'. Did you mean 'updated_at'?",
        "9 entities.DEAL.fields.name: the table has no column 'Name'. Did you mean 'name'?",
        "10 entities.DEAL.fields.amount: the table has no column 'qqq'. Possible: id, name, amount, updated_at.",
        "11 entities.DEAL.fields.url: the table has no column 'nam'. Did you mean 'name'?",
        "13 entities.DEAL.additional_fields.1: the table has no column 'amout'. Did you mean 'amount'?",
    ]
    [complaint] = found("  LEAD: {query: SELECT 1, key: id, fields: {title: t}}", {"id": ColumnKind.TEXT}, tmp_path)
    assert complaint == "4 entities.LEAD.fields.title: the query's result has no column 't'. Possible: id."


@pytest.mark.parametrize(
    ("field", "kind", "holds"),
    [
        ("amount", ColumnKind.DATE, "a number"),
        ("amount", ColumnKind.BOOLEAN, "a number"),
        ("closeDate", ColumnKind.INTEGER, "a date"),
        ("createdDate", ColumnKind.BOOLEAN, "a date and time"),
        ("isOpen", ColumnKind.DATETIME, "true or false"),
        ("status", ColumnKind.INTEGER, "OPEN, WON or LOST"),
        ("ownerId", ColumnKind.FLOAT, "the id of another object"),
        ("url", ColumnKind.UUID, "a full http or https address"),
    ],
)
def test_types_that_cannot_fit(field: str, kind: ColumnKind, holds: str, tmp_path: Path) -> None:
    text = f"  DEAL: {{table: d, key: id, fields: {{{field}: c}}}}"
    assert found(text, {"id": ColumnKind.INTEGER, "c": kind}, tmp_path) == [
        f"4 entities.DEAL.fields.{field}: the column 'c' is of type {kind}, and {field} holds {holds}; "
        "take another column, a `map`, or cast it in a `query`"
    ]
    assert found(text, {"id": ColumnKind.INTEGER, "c": ColumnKind.UNKNOWN}, tmp_path) == []


def test_the_columns_of_changes(tmp_path: Path) -> None:
    text = """  DEAL:
    table: deals
    key: id
    modified: updated_at
    fields: {name: name}
    changes:
      - {table: deals, key: nid, modified: updated_at}
      - {query: SELECT 1, key: id, modified: updated}
      - {table: deals, key: gone, modified: gone}
"""
    columns = {
        "id": ColumnKind.INTEGER,
        "name": ColumnKind.TEXT,
        "updated_at": ColumnKind.DATETIME,
        "gone": ColumnKind.BOOLEAN,
    }
    assert found(text, columns, tmp_path) == [
        "10 entities.DEAL.changes.1.key: the table has no column 'nid'. Did you mean 'id'?",
        "11 entities.DEAL.changes.2.modified: the query's result has no column 'updated'. Did you mean 'updated_at'?",
        "12 entities.DEAL.changes.3.key: the column 'gone' is of type boolean, which cannot be an objectId; "
        "take an integer, text or UUID column, or cast it in a `query`",
        "12 entities.DEAL.changes.3.modified: the column 'gone' is of type boolean, which holds no date and time",
    ]


def test_a_map_makes_any_column_fit(tmp_path: Path) -> None:
    text = "  DEAL: {table: d, key: id, fields: {status: {column: c, map: {1: WON}}}}"
    assert found(text, {"id": ColumnKind.INTEGER, "c": ColumnKind.INTEGER}, tmp_path) == []


@pytest.mark.parametrize("kind", [ColumnKind.FLOAT, ColumnKind.BOOLEAN, ColumnKind.BINARY, ColumnKind.DATETIME])
def test_keys_that_cannot_be_ids(kind: ColumnKind, tmp_path: Path) -> None:
    columns = {"id": kind, "n": ColumnKind.TEXT}
    assert found("  DEAL: {table: d, key: id, fields: {name: n}}", columns, tmp_path) == [
        f"4 entities.DEAL.key: the column 'id' is of type {kind}, which cannot be an objectId; "
        "take an integer, text or UUID column, or cast it in a `query`"
    ]


def test_a_modified_column_that_holds_no_time(tmp_path: Path) -> None:
    columns = {"id": ColumnKind.INTEGER, "n": ColumnKind.TEXT, "m": ColumnKind.BOOLEAN}
    assert found("  DEAL: {table: d, key: id, modified: m, fields: {name: n}}", columns, tmp_path) == [
        "4 entities.DEAL.modified: the column 'm' is of type boolean, which holds no date and time"
    ]


def test_an_object_listed_in_the_file_that_gong_would_refuse(compiled: Compile) -> None:
    with pytest.raises(ConfigProblems) as wrong:
        compiled("entities:\n  STAGE:\n    rows:\n      - {objectId: a, name: A}\n      - {objectId: b, name: ''}\n")
    [problem] = wrong.value.problems
    assert problem.where.endswith(":7 entities.STAGE.rows.2.name")
    assert problem.message == "name is empty, and Gong takes no STAGE without it (column 'name')"


def test_the_schema_of_additional_fields(compiled: Compile) -> None:
    mapping = compiled(
        """entities:
  DEAL:
    - table: d
      key: id
      fields: {name: n}
      additional_fields:
        - {name: z, label: Z, type: CURRENCY, column: z}
        - {name: p, type: PICKLIST, column: p, values: {query: SELECT v}}
    - table: e
      key: id
      fields: {name: n}
      additional_fields:
        - {name: r, label: R, type: REFERENCE, reference_to: USER, column: r}
        - {name: z, label: Z, type: CURRENCY, column: y}
        - {name: q, type: PICKLIST, column: p, values: [b, 007, no]}
""",
        picklists={"SELECT v": ["b", "a", "", "b"]},
    )
    assert [entity.name for entity in mapping.entities] == ["DEAL.1", "DEAL.2"]
    assert mapping.schema_fields == {
        ObjectType.ACCOUNT: (),
        ObjectType.CONTACT: (),
        ObjectType.DEAL: (
            SchemaField("z", "Z", "CURRENCY"),
            SchemaField("p", "p", "PICKLIST", None, ("b", "a")),
            SchemaField("r", "R", "REFERENCE", "USER"),
            SchemaField("q", "q", "PICKLIST", None, ("b", "007", "no")),
        ),
        ObjectType.LEAD: (),
    }


def test_a_picklist_query_without_values(compiled: Compile) -> None:
    text = """entities:
  DEAL: {table: d, key: id, fields: {name: n}, additional_fields: [
    {name: p, type: PICKLIST, column: p, values: {query: SELECT v}}]}
"""
    with pytest.raises(
        ConfigProblems, match=r":5 entities\.DEAL\.additional_fields\.1\.values\.query: the query gives no v"
    ):
        compiled(text, picklists={"SELECT v": [""]})


def test_entities_stand_in_the_order_in_which_gong_takes_them(compiled: Compile) -> None:
    mapping = compiled(
        """entities:
  LEAD: {table: l, key: id, fields: {title: t}}
  DEAL: {table: d, key: id, fields: {name: n}}
  STAGE: {rows: [{objectId: a, name: A}]}
  ACCOUNT: {table: a, key: id, fields: {name: n}}
"""
    )
    assert [entity.type for entity in mapping.entities] == ["STAGE", "ACCOUNT", "DEAL", "LEAD"]
