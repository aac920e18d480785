"""Rows by their columns' names, encoded: what a test of the encoder says, and what it looks at."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from connector.mapping import CompiledMapping, Entity
from connector.model import ColumnKind, Encoded, Line, RowRefusal

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
