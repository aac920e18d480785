"""The columns that could become additional fields, as entries of the mapping file. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from connector.facts import ColumnFacts, Looks, Shape, TableFacts
from connector.mapping.bindings import standard_names
from connector.mapping.proposing.matching import own_words
from connector.mapping.proposing.names import KEYISH, listed
from connector.model import ColumnKind
from connector.object_types import SCHEMA_TYPES, FieldType, ObjectType

_MOST: Final = 30
_SECRET: Final = listed(
    "password token secret salt hash ssn iban bic card cvv passport birth birthday dob tax vat gender sex religion"
)
"""Words of columns that are not even named."""
_MONEY: Final = listed("amount value revenue price total budget cost arr mrr acv tcv")
_TYPES: Final = {
    ColumnKind.BOOLEAN: FieldType.BOOLEAN,
    ColumnKind.DATE: FieldType.DATE,
    ColumnKind.DATETIME: FieldType.DATETIME,
    ColumnKind.DATETIME_TZ: FieldType.DATETIME,
    ColumnKind.INTEGER: FieldType.NUMBER,
    ColumnKind.DECIMAL: FieldType.NUMBER,
    ColumnKind.FLOAT: FieldType.NUMBER,
    ColumnKind.TEXT: FieldType.STRING,
}
_SEEN: Final = {Looks.EMAIL: FieldType.EMAILADDRESS, Looks.MOMENT: FieldType.DATETIME}
_NEARLY_ALL: Final = 0.95


def other_fields(
    object_type: ObjectType, table: TableFacts, used: Collection[str], by_table: Mapping[str, ObjectType]
) -> list[dict[str, Any]]:
    """Return entries for the columns that nothing is made of yet and that hold something."""
    if object_type not in SCHEMA_TYPES:
        return []
    taken = set(standard_names(object_type))
    found: list[dict[str, Any]] = []
    for column in table.columns.values():
        if column.name in used or len(found) == _MOST or _is_left_out(column, table, by_table):
            continue
        name = re.sub(r"[^a-z0-9]+", "_", column.name.lower()).strip("_") or "field"
        if name in taken or name in {one.lower() for one in taken}:
            name = f"crm_{name}"
        taken.add(name)
        label = name.removesuffix("_id").replace("_", " ").capitalize()
        found.append({"name": name, "label": label, **_typed(column, table, by_table), "column": column.name})
    return found


def _is_left_out(column: ColumnFacts, table: TableFacts, by_table: Mapping[str, ObjectType]) -> bool:
    said = own_words(column, table)
    empty = column.shape is not None and column.shape.rows > 0 and not column.shape.filled
    opaque = said & KEYISH and table.references.get(column.name) not in by_table and column.kind is not ColumnKind.TEXT
    return bool(said & _SECRET) or column.kind not in _TYPES or empty or bool(opaque)


def _typed(column: ColumnFacts, table: TableFacts, by_table: Mapping[str, ObjectType]) -> dict[str, Any]:
    target = by_table.get(table.references.get(column.name, ""))
    if target is not None and target is not ObjectType.STAGE:
        to = "USER" if target is ObjectType.BUSINESS_USER else target.value
        return {"type": FieldType.REFERENCE.value, "reference_to": to}
    kind = _TYPES[column.kind]
    if kind is FieldType.NUMBER and own_words(column, table) & _MONEY:
        kind = FieldType.CURRENCY
    if kind is FieldType.STRING and column.shape is not None and column.shape.share(Looks.EMAIL) > 0.9:
        kind = FieldType.EMAILADDRESS
    if kind is FieldType.STRING and column.shape is not None and _is_list(column.shape):
        kind = FieldType.PICKLIST  # without `values`: those that occur
    return {"type": kind.value}


def _is_list(shape: Shape) -> bool:
    """Tell whether values come up again and again, and are words rather than times, numbers and addresses."""
    return len(shape.values or ()) > 1 and not any(shape.share(looks) > 1 - _NEARLY_ALL for looks in Looks)
