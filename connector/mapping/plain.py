"""Makes lines of rows: the plain, readable encoder that says what a line must be.

`columnar` does nearly all rows, with the same rules; this one does what is odd: refusals, deletions, stages. A
property test holds the two equal.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import orjson

from connector import lines
from connector.mapping.bindings import Binding
from connector.mapping.kinds import ACCOUNT_OF, DEMANDED, EXPECTED
from connector.mapping.picking import Finisher, Picker, Unread
from connector.mapping.picklists import Picklist
from connector.mapping.times import epoch, moment
from connector.mapping.unfit import NotListed, Unfit
from connector.mapping.values import Told, object_id_of, text_of, to_json
from connector.model import DELETED, KEY, MODIFIED, Encoded, Line, Row
from connector.model import RowRefusal as Refusal
from connector.object_types import ObjectType

_MAX_SHOWN_KEY = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class _FieldUnfit(Exception):
    """A row is refused because of one field."""

    def __init__(self, name: str, reason: str, raw: object, unlisted: str | None = None) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = reason
        self.raw = raw
        self.unlisted = unlisted


@dataclass(frozen=True, slots=True)
class Slot:
    """One mapped field, ready to be read from rows."""

    name: str
    origin: str
    """Where the value comes from, for a refusal's words."""
    binding: Binding
    place: int | None
    """Of its column in a row; None for constants and templates."""
    zone: tzinfo
    """Of datetimes that carry no offset."""
    pick: Picker
    finish: Finisher
    picklist: Picklist | None = None
    """That the value has to be of."""

    def value(self, row: Row, unread: Unread) -> Told:
        raw: object = None
        try:
            raw = self.pick(row)
            return self.finish(raw, unread)
        except Unfit as unfit:
            lacked = unfit.text if isinstance(unfit, NotListed) else None
            raise _FieldUnfit(self.name, f"{self.name} {unfit.reason}{self.origin}", raw, lacked) from None


@dataclass(slots=True)
class Tally:
    """What becomes of a chunk's rows beside their lines."""

    refusals: list[Refusal] = field(default_factory=list)
    not_shown: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Plain:
    """The encoder of one entity source, field by field."""

    type: ObjectType
    key: str
    """How a refusal calls the key's column."""
    columns: tuple[str, ...]
    """The columns of a row, in order."""
    slots: tuple[Slot, ...] = field(repr=False)
    order: tuple[str, ...]
    """Every field of a line after the objectId."""
    stamp_zone: tzinfo

    def encode(self, rows: Sequence[Row], now: int) -> Encoded:
        """Make lines of rows, in their order; a row that cannot be told to Gong becomes a refusal.

        `now` is in seconds since 1970: a row's stamp that lies in the future is taken for now.
        """
        tally = Tally()
        made = [line for row in rows if (line := self.line(row, now, tally)) is not None]
        return Encoded(made, tally.refusals, dict(tally.not_shown), dict(tally.warnings))

    def line(self, row: Row, now: int, tally: Tally) -> Line | None:
        """Return a row's line; None where it is refused, which the tally says."""
        unread: Unread = set()
        try:
            line = self._line(row, now, tally.not_shown, unread)
        except _FieldUnfit as unfit:
            tally.refusals.append(_refusal(row, unfit))
            return None
        tally.warnings.update(unread)
        return line

    def stamp(self, value: Any, now: int) -> int | None:
        """Return a row's modified time in seconds since 1970; None where it has none that can be read."""
        try:
            read = None if value is None else moment(value, self.stamp_zone)
        except Unfit:
            return None
        return None if read is None else min(epoch(read), now)

    def _line(self, row: Row, now: int, not_shown: Counter[tuple[str, str]], unread: Unread) -> Line:
        try:
            object_id = object_id_of(row[KEY])
        except Unfit as unfit:
            reason = f"the key {unfit.reason} (column '{self.key}')"
            raise _FieldUnfit("objectId", reason, row[KEY]) from None
        stamp = self.stamp(row[MODIFIED], now)
        if row[DELETED] and self.type is not ObjectType.STAGE:
            body = lines.deletion_body(self.type, object_id)
            return Line(object_id, stamp, body, lines.digest(body), deleted=True)
        told: dict[str, Told] = {slot.name: slot.value(row, unread) for slot in self.slots}
        self._refuse_missing(told)
        derive(self.type, told, object_id, deleted=bool(row[DELETED]))
        body = self._body(object_id, told)
        if not row[DELETED]:
            for name, reason in EXPECTED[self.type].items():
                if is_missing(told.get(name)):
                    not_shown[name, reason] += 1
        account, address = told.get(ACCOUNT_OF.get(self.type, "")), told.get("emailAddress")
        return Line(
            object_id=object_id,
            stamp=stamp,
            body=body,
            digest=lines.digest(body),
            deleted=bool(row[DELETED]),
            account_id=account if isinstance(account, str) else None,
            address=address_hash(address) if self.type is ObjectType.BUSINESS_USER else None,
        )

    def _refuse_missing(self, told: Mapping[str, Told]) -> None:
        demanded = DEMANDED.get(self.type)
        if demanded is not None and is_missing(told[demanded]):
            origin = next(slot.origin for slot in self.slots if slot.name == demanded)
            reason = f"{demanded} is empty, and Gong takes no {self.type} without it{origin}"
            raise _FieldUnfit(demanded, reason, told[demanded])

    def _body(self, object_id: str, told: Mapping[str, Told]) -> bytes:
        parts = [b'{"objectId":', orjson.dumps(object_id)]
        for name in self.order:
            parts.append(b",%s:" % orjson.dumps(name))
            try:
                parts.append(to_json(told[name]))
            except Unfit as unfit:
                raise _FieldUnfit(name, f"{name} {unfit.reason}", told[name]) from None
        return b"".join(parts)


def derive(object_type: ObjectType, told: dict[str, Told], object_id: str, *, deleted: bool) -> None:
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


def is_missing(value: Told) -> bool:
    """True for what Gong counts as missing or empty."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def address_hash(value: Told) -> bytes | None:
    """Return what is kept of a business user's address; None where there is none."""
    if not isinstance(value, str):
        return None
    return hashlib.blake2b(value.strip().lower().encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _refusal(row: Row, unfit: _FieldUnfit) -> Refusal:
    seen = f"{unfit.reason}\0{_represented(unfit.raw)}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(seen, digest_size=16).digest()
    return Refusal(_shown_key(row[KEY]), unfit.name, unfit.reason, digest, unfit.unlisted)


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
