"""Makes lines of rows: the plain, readable encoder that says what a line must be."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connector import lines
from connector.mapping.bindings import Binding
from connector.mapping.kinds import DEMANDED, EXPECTED
from connector.mapping.picking import Finisher, Picker, Unread, finisher, picker
from connector.mapping.times import epoch, moment
from connector.mapping.unfit import Unfit
from connector.mapping.values import Told, object_id_of, reader, text_of, to_json
from connector.model import DELETED, FIRST_COLUMN, KEY, MODIFIED, Column, ColumnKind, Encoded, Line, Relation, Row
from connector.model import RowRefusal as Refusal
from connector.object_types import STANDARD_FIELDS, ObjectType

_MAX_SHOWN_KEY = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class _FieldUnfit(Exception):
    """A row is refused because of one field."""

    def __init__(self, name: str, reason: str, raw: object) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = reason
        self.raw = raw


@dataclass(frozen=True, slots=True)
class _Slot:
    """One mapped field, ready to be read from rows."""

    name: str
    origin: str
    """Where the value comes from, for a refusal's words."""
    pick: Picker
    finish: Finisher

    def value(self, row: Row, unread: Unread) -> Told:
        raw: object = None
        try:
            raw = self.pick(row)
            return self.finish(raw, unread)
        except Unfit as unfit:
            raise _FieldUnfit(self.name, f"{self.name} {unfit.reason}{self.origin}", raw) from None


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
    _slots: tuple[_Slot, ...] = field(repr=False)
    _order: tuple[tuple[str, bytes], ...] = field(repr=False)
    """Every field of a line after the objectId, with the bytes that go before its value."""
    _stamp_zone: tzinfo = field(repr=False)

    def encode(self, rows: Sequence[Row], now: int) -> Encoded:
        """Make lines of rows, in their order; a row that cannot be told to Gong becomes a refusal.

        `now` is in seconds since 1970: a row's stamp that lies in the future is taken for now.
        """
        made: list[Line] = []
        refusals: list[Refusal] = []
        not_shown: Counter[tuple[str, str]] = Counter()
        warnings: Counter[tuple[str, str]] = Counter()
        for row in rows:
            unread: Unread = set()
            try:
                made.append(self._line(row, now, not_shown, unread))
                warnings.update(unread)
            except _FieldUnfit as unfit:
                refusals.append(_refusal(row, unfit))
        return Encoded(made, refusals, dict(not_shown), dict(warnings))

    def _line(self, row: Row, now: int, not_shown: Counter[tuple[str, str]], unread: Unread) -> Line:
        try:
            object_id = object_id_of(row[KEY])
        except Unfit as unfit:
            key = self.relation.key if self.relation else "objectId"
            reason = f"the key {unfit.reason} (column '{key}')"
            raise _FieldUnfit("objectId", reason, row[KEY]) from None
        stamp = self._stamp(row[MODIFIED], now)
        if row[DELETED] and self.type is not ObjectType.STAGE:
            body = lines.deletion_body(self.type, object_id)
            return Line(object_id, stamp, body, lines.digest(body), deleted=True)
        told: dict[str, Told] = {slot.name: slot.value(row, unread) for slot in self._slots}
        self._refuse_missing(told)
        _derive(self.type, told, object_id, deleted=bool(row[DELETED]))
        body = self._body(object_id, told)
        if not row[DELETED]:
            for name, reason in EXPECTED[self.type].items():
                if _is_missing(told.get(name)):
                    not_shown[name, reason] += 1
        account, address = told.get("accountId"), told.get("emailAddress")
        return Line(
            object_id=object_id,
            stamp=stamp,
            body=body,
            digest=lines.digest(body),
            deleted=bool(row[DELETED]),
            account_id=account if isinstance(account, str) else None,
            address=_address(address) if self.type is ObjectType.BUSINESS_USER else None,
        )

    def _stamp(self, value: Any, now: int) -> int | None:
        try:
            read = None if value is None else moment(value, self._stamp_zone)
        except Unfit:
            return None
        return None if read is None else min(epoch(read), now)

    def _refuse_missing(self, told: Mapping[str, Told]) -> None:
        demanded = DEMANDED.get(self.type)
        if demanded is not None and _is_missing(told[demanded]):
            origin = next(slot.origin for slot in self._slots if slot.name == demanded)
            reason = f"{demanded} is empty, and Gong takes no {self.type} without it{origin}"
            raise _FieldUnfit(demanded, reason, told[demanded])

    def _body(self, object_id: str, told: Mapping[str, Told]) -> bytes:
        parts = [b'{"objectId":', orjson.dumps(object_id)]
        for name, before in self._order:
            parts.append(before)
            try:
                parts.append(to_json(told[name]))
            except Unfit as unfit:
                raise _FieldUnfit(name, f"{name} {unfit.reason}", told[name]) from None
        return b"".join(parts)


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
) -> Entity:
    """Compile one entity source; `columns` are its relation's, `rows` those listed in the file."""
    names = relation.columns if relation else tuple(dict.fromkeys(c for b in bindings for c in b.columns))
    places = {column: FIRST_COLUMN + index for index, column in enumerate(names)}
    slots = tuple(_slot(binding, places, columns, zone) for binding in bindings)
    told = dict.fromkeys(slot.name for slot in slots)
    derived: dict[str, Told] = dict(told)
    _derive(object_type, derived, "", deleted=False)
    standard = [known for known in ("url", *STANDARD_FIELDS[object_type]) if known in derived]
    order = [*standard, *(known for known in told if known not in standard)]
    static = tuple((row["objectId"], None, False, *(row.get(column) for column in names)) for row in rows)
    return Entity(
        type=object_type,
        name=name,
        relation=relation,
        feeds=feeds,
        static_rows=static,
        fingerprint=fingerprint,
        _slots=slots,
        _order=tuple((known, b",%s:" % orjson.dumps(known)) for known in order),
        _stamp_zone=zone_of(columns.get(relation.modified or "") if relation else None, zone),
    )


def _slot(binding: Binding, places: Mapping[str, int], columns: Mapping[str, Column], zone: ZoneInfo) -> _Slot:
    column = columns.get(binding.block.column or "")
    typed = column is not None and not binding.block.converters  # a converter's value is not of the column's type
    kind = column.kind if column is not None and typed else ColumnKind.UNKNOWN
    read = reader(binding.kind, kind, zone_of(column, zone))
    named = ", ".join(f"'{name}'" for name in binding.columns)
    origin = f" (column {named})" if named else ""
    return _Slot(binding.field, origin, picker(binding, places), finisher(binding, read))


def zone_of(column: Column | None, zone: ZoneInfo) -> tzinfo:
    """Return the zone in which a column's values are read.

    A column that knows its zone is read in UTC: drivers deliver some such values without offset.
    """
    return UTC if column is not None and column.kind is ColumnKind.DATETIME_TZ else zone


def _derive(object_type: ObjectType, told: dict[str, Told], object_id: str, *, deleted: bool) -> None:
    """Fill the fields that follow from others, so that both references of Gong's API have theirs."""
    if object_type is ObjectType.STAGE:
        told.setdefault("internalName", object_id)
        told.setdefault("isActive", True)
        if deleted:
            told["isActive"] = False
    elif object_type is ObjectType.DEAL and "status" in told:
        status = told["status"]
        told.setdefault("isOpen", None if status is None else status == "OPEN")
        told.setdefault("isWon", None if status is None else status == "WON")
    elif object_type is ObjectType.DEAL and "isOpen" in told and "isWon" in told:
        is_open, is_won = told["isOpen"], told["isWon"]
        if is_open is not None and is_won is not None:
            told["status"] = "OPEN" if is_open else "WON" if is_won else "LOST"
        else:
            told["status"] = None


def _is_missing(value: Told) -> bool:
    """True for what Gong counts as missing or empty."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _address(value: Told) -> bytes | None:
    if not isinstance(value, str):
        return None
    return hashlib.blake2b(value.strip().lower().encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _refusal(row: Row, unfit: _FieldUnfit) -> Refusal:
    seen = f"{unfit.reason}\0{_represented(unfit.raw)}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(seen, digest_size=16).digest()
    return Refusal(_shown_key(row[KEY]), unfit.name, unfit.reason, digest)


def _represented(value: object) -> str:
    """Return a text that differs for different values; monstrous ones count as one of their type."""
    try:
        return repr(value)
    except (ValueError, RecursionError):
        return type(value).__name__


def _shown_key(value: Any) -> str:
    """Return a key as text that can be stored and shown, whatever it holds."""
    if value is None:
        return "(null)"
    if isinstance(value, bytes):
        text = "0x" + value[:_MAX_SHOWN_KEY].hex()
    else:
        try:
            text = object_id_of(value)
        except Unfit:
            try:
                text = text_of(value)
            except Unfit:
                text = _represented(value)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text[:_MAX_SHOWN_KEY])[:_MAX_SHOWN_KEY]
