"""An entity source ready for work: what to read, and how its rows become lines."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from connector.mapping.bindings import Binding
from connector.mapping.columnar import Encode, columnar_encoder
from connector.mapping.picking import finisher, picker
from connector.mapping.picklists import Picklist
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
    made_of: str
    """Changes with the parts of the file that decide about lines."""
    exact_keys: bool
    """Keys that differ only by case or trailing blanks are two objects (`distinct_keys: exact`)."""
    plain: Plain = field(repr=False)
    """Says what a line must be."""
    _encode: Encode = field(repr=False)
    interval: float | None = None
    """Seconds between two passes over it; None: it is read in every pass."""
    picklists: Mapping[str, Picklist] = field(default_factory=dict, repr=False)
    """By the name of the field."""

    @property
    def fingerprint(self) -> str:
        """Changes when rows that did not change may still make other lines: then the source is compared afresh. What
        lists hold that do not grow decides about lines, too.
        """
        lists = {name: sorted(one.values) for name, one in self.picklists.items() if not one.grows}
        if not lists:
            return self.made_of
        written = json.dumps([self.made_of, lists], sort_keys=True).encode()
        return hashlib.blake2b(written, digest_size=16).hexdigest()

    def encode(self, rows: Sequence[Row], now: int) -> Encoded:
        """Make lines of rows, in their order; a row that cannot be told to Gong becomes a refusal.

        `now` is in seconds since 1970: a row's stamp that lies in the future is taken for now. Values that picklists
        lack which grow are added to them first.

        Raises:
            ConfigError: a picklist would have too many values.
            SourceChanged: nobody knows what a picklist holds.
            ConnectorError: Gong's list could not be told of new values.
        """
        encoded = self._encode(rows, now)
        return self._grown(encoded, rows, now) if encoded.refusals and self.picklists else encoded

    def _grown(self, encoded: Encoded, rows: Sequence[Row], now: int) -> Encoded:
        """Have picklists hold what rows were refused for, and make the lines anew: one row may lack several values."""
        grown: dict[str, Picklist] = {}
        while lacking := [(one.field, one.unlisted) for one in encoded.refusals if one.unlisted is not None]:
            for name, value in lacking:
                grown[name] = self.picklists[name]
                grown[name].add([value])
            encoded = self._encode(rows, now)
        for picklist in grown.values():
            if picklist.on_growth is not None:
                picklist.on_growth()
        return encoded


def compile_entity(
    object_type: ObjectType,
    name: str,
    relation: Relation | None,
    feeds: tuple[Relation, ...],
    bindings: Sequence[Binding],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
    zone: ZoneInfo,
    made_of: str,
    *,
    exact_keys: bool,
    interval: float | None = None,
    picklists: Mapping[str, Picklist],
) -> Entity:
    """Compile one entity source; `columns` are its relation's, `rows` those listed in the file."""
    names = relation.columns if relation else tuple(dict.fromkeys(c for b in bindings for c in b.columns))
    places = {column: FIRST_COLUMN + index for index, column in enumerate(names)}
    slots = tuple(_slot(binding, places, columns, zone, picklists.get(binding.field)) for binding in bindings)
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
        made_of=made_of,
        exact_keys=exact_keys,
        plain=plain,
        _encode=columnar_encoder(plain),
        interval=interval,
        picklists=picklists,
    )


def _slot(
    binding: Binding,
    places: Mapping[str, int],
    columns: Mapping[str, Column],
    zone: ZoneInfo,
    picklist: Picklist | None,
) -> Slot:
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
        finish=finisher(binding, reader(binding.kind, kind, own_zone), picklist),
        picklist=picklist,
    )


def zone_of(column: Column | None, zone: ZoneInfo) -> tzinfo:
    """Return the zone in which a column's values are read.

    A column that knows its zone is read in UTC: drivers deliver some such values without offset.
    """
    return UTC if column is not None and column.kind is ColumnKind.DATETIME_TZ else zone
