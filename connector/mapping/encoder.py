"""An entity source ready for work: what to read, and how its rows become lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from connector.mapping.bindings import Binding
from connector.mapping.flat import Encode, flat_encoder
from connector.mapping.picking import finisher, picker
from connector.mapping.plain import Plain, Slot, derive
from connector.mapping.values import Told, reader
from connector.model import FIRST_COLUMN, Column, ColumnKind, Encoded, Relation, Row
from connector.object_types import STANDARD_FIELDS, ObjectType


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity source, compiled."""

    type: ObjectType
    name: str
    """`DEAL`, or `CONTACT.2` for the second of several."""
    relation: Relation | None
    """What to read; None where the mapping file lists the objects itself."""
    feeds: tuple[Relation, ...]
    """Other tables whose rows name, by their key, objects of this source that changed."""
    static_rows: tuple[Row, ...]
    """The objects that the mapping file lists, as rows; empty where there is a relation."""
    fingerprint: str
    """Changes when rows that did not change may still make other lines: then the source is compared afresh."""
    exact_keys: bool
    """Keys that differ only by case or trailing blanks are two objects (`distinct_keys: exact`)."""
    plain: Plain = field(repr=False)
    """Says what a line must be."""
    _encode: Encode = field(repr=False)
    interval: float | None = None
    """Seconds between two passes over it; None: it is read in every pass."""

    def encode(self, rows: Sequence[Row], now: int) -> Encoded:
        """Make lines of rows, in their order; a row that cannot be told to Gong becomes a refusal.

        `now` is in seconds since 1970: a row's stamp that lies in the future is taken for now.
        """
        return self._encode(rows, now)


def compile_entity(
    object_type: ObjectType,
    name: str,
    relation: Relation | None,
    feeds: tuple[Relation, ...],
    bindings: Sequence[Binding],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
    zone: ZoneInfo,
    fingerprint: str,
    *,
    exact_keys: bool,
    interval: float | None = None,
) -> Entity:
    """Compile one entity source; `columns` are its relation's, `rows` those listed in the file."""
    names = relation.columns if relation else tuple(dict.fromkeys(c for b in bindings for c in b.columns))
    places = {column: FIRST_COLUMN + index for index, column in enumerate(names)}
    slots = tuple(_slot(binding, places, columns, zone) for binding in bindings)
    told = dict.fromkeys(slot.name for slot in slots)
    derived: dict[str, Told] = dict(told)
    derive(object_type, derived, "", deleted=False)
    standard = [known for known in ("url", *STANDARD_FIELDS[object_type]) if known in derived]
    plain = Plain(
        type=object_type,
        key=relation.key if relation else "objectId",
        columns=names,
        slots=slots,
        order=(*standard, *(known for known in told if known not in standard)),
        stamp_zone=zone_of(columns.get(relation.modified or "") if relation else None, zone),
    )
    return Entity(
        type=object_type,
        name=name,
        relation=relation,
        feeds=feeds,
        static_rows=tuple((row["objectId"], None, False, *(row.get(column) for column in names)) for row in rows),
        fingerprint=fingerprint,
        exact_keys=exact_keys,
        plain=plain,
        _encode=flat_encoder(plain),
        interval=interval,
    )


def _slot(binding: Binding, places: Mapping[str, int], columns: Mapping[str, Column], zone: ZoneInfo) -> Slot:
    column = columns.get(binding.block.column or "")
    typed = column is not None and not binding.block.converters  # a converter's value is not of the column's type
    kind = column.kind if column is not None and typed else ColumnKind.UNKNOWN
    own_zone = zone_of(column, zone)
    named = ", ".join(f"'{name}'" for name in binding.columns)
    return Slot(
        name=binding.field,
        origin=f" (column {named})" if named else "",
        binding=binding,
        place=None if binding.block.column is None else places[binding.block.column],
        zone=own_zone,
        pick=picker(binding, places),
        finish=finisher(binding, reader(binding.kind, kind, own_zone)),
    )


def zone_of(column: Column | None, zone: ZoneInfo) -> tzinfo:
    """Return the zone in which a column's values are read.

    A column that knows its zone is read in UTC: drivers deliver some such values without offset.
    """
    return UTC if column is not None and column.kind is ColumnKind.DATETIME_TZ else zone
