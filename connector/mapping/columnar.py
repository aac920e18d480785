"""Encodes chunks of rows column by column; odd rows go the plain way.

A chunk's columns are made by `columns`, become one record a row, and are written as JSON all at once: no Python
statement runs for a single row that is as usual.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, Final

import msgspec

from connector import lines
from connector.mapping.columns import ODD, Chunk, Values, Way, ids_of, stamps_of, way_of
from connector.mapping.kinds import ACCOUNT_OF, DEMANDED, EXPECTED, Kind
from connector.mapping.plain import Plain, Tally, address_hash, is_missing
from connector.model import DELETED, KEY, MODIFIED, Encoded, Line, Row
from connector.object_types import DEAL_STATUSES, ObjectType

Encode = Callable[[Sequence[Row], int], Encoded]

_NEVER_BLANK: Final = (Kind.REFERENCE, Kind.DATETIME, Kind.DATE, Kind.STATUS, Kind.CHOICE, Kind.NUMBER, Kind.BOOLEAN)
"""Kinds whose readers make nothing of blank text: None is the only form of lack."""
_KEY_FIELD: Final = "objectId"
_IS_OPEN: Final = {None: None} | {status: status == "OPEN" for status in DEAL_STATUSES}
_IS_WON: Final = {None: None} | {status: status == "WON" for status in DEAL_STATUSES}


def columnar_encoder(plain: Plain) -> Encode:
    """Return a function that does what `plain.encode` does."""
    if plain.type is ObjectType.STAGE:  # some dozens, each with rules of its own
        return plain.encode
    try:
        return _Columnar(plain).encode
    except ValueError:  # a field's name that has to be escaped in JSON is none for a record
        return plain.encode


class _Columnar:
    def __init__(self, plain: Plain) -> None:
        places = {name: place for place, name in enumerate(plain.columns, start=DELETED + 1)}
        self._plain = plain
        self._ways: dict[str, Way] = {slot.name: way_of(slot, places) for slot in plain.slots}
        self._kinds = {slot.name: slot.binding.kind for slot in plain.slots}
        self._stamps = stamps_of(plain)
        self._account = ACCOUNT_OF.get(plain.type, "")
        fields = {f"f{number}": name for number, name in enumerate((_KEY_FIELD, *plain.order))}
        self._record = msgspec.defstruct("Record", [(field, Any) for field in fields], rename=fields, gc=False)
        self._json = msgspec.json.Encoder()

    def encode(self, rows: Sequence[Row], now: int) -> Encoded:
        if not rows:
            return Encoded([], [], {})
        chunk = Chunk(rows, tuple(zip(*rows, strict=True)))
        if any(chunk.columns[DELETED]):
            chunk.odd.update(index for index, deleted in enumerate(chunk.columns[DELETED]) if deleted)
        told = self._told(chunk)
        records = list(map(self._record, told[_KEY_FIELD], *map(told.__getitem__, self._plain.order)))
        try:
            written = list(map(self._json.encode, self._usual(records, chunk)))
        except ODD:
            self._note_unwritable(records, chunk)
            written = list(map(self._json.encode, self._usual(records, chunk)))
        return self._encoded(chunk, told, [line[:-1] for line in written], now)  # without the brace that closes it

    def _told(self, chunk: Chunk) -> dict[str, Values]:
        """Return all fields' values."""
        told: dict[str, Values] = {_KEY_FIELD: ids_of(chunk.columns[KEY], chunk)}
        for name, way in self._ways.items():
            told[name] = way(chunk)
        demanded = DEMANDED.get(self._plain.type)
        if demanded is not None:
            chunk.odd.update(index for index, value in enumerate(told[demanded]) if is_missing(value))
        if self._plain.type is ObjectType.DEAL:
            _derive(told)
        return told

    def _encoded(self, chunk: Chunk, told: dict[str, Values], bodies: Sequence[bytes], now: int) -> Encoded:
        tally = Tally()
        told = {name: self._usual(values, chunk) for name, values in told.items()}
        for index, warning in chunk.unread:
            if index not in chunk.odd:
                tally.warnings[warning] += 1
        for name, reason in EXPECTED[self._plain.type].items():
            if lacking := self._lacking(told, name, len(bodies)):
                tally.not_shown[name, reason] += lacking
        user = self._plain.type is ObjectType.BUSINESS_USER
        stamps = self._stamps(self._usual(chunk.columns[MODIFIED], chunk), now)
        digests = map(lines.digest, bodies)
        accounts = told.get(self._account, repeat(None))
        addresses = map(address_hash, told["emailAddress"]) if user else repeat(None)
        fields = zip(told[_KEY_FIELD], stamps, bodies, digests, repeat(False), accounts, addresses)
        usual = map(tuple.__new__, repeat(Line), fields)
        made = self._in_order(chunk, usual, now, tally) if chunk.odd else list(usual)
        return Encoded(made, tally.refusals, dict(tally.not_shown), dict(tally.warnings))

    def _in_order(self, chunk: Chunk, usual: Iterator[Line], now: int, tally: Tally) -> list[Line]:
        """Return the lines of usual and odd rows as their rows stand."""
        made = []
        for index, row in enumerate(chunk.rows):
            line = self._plain.line(row, now, tally) if index in chunk.odd else next(usual)
            if line is not None:
                made.append(line)
        return made

    def _usual(self, values: Values, chunk: Chunk) -> Values:
        """Leave out what is of odd rows."""
        return [value for index, value in enumerate(values) if index not in chunk.odd] if chunk.odd else values

    def _note_unwritable(self, records: Sequence[object], chunk: Chunk) -> None:
        """Find the rows that hold what JSON has no text for: halves of a character."""
        for index, record in enumerate(records):
            try:
                self._json.encode(record)
            except ODD:
                chunk.odd.add(index)

    def _lacking(self, told: dict[str, Values], name: str, rows: int) -> int:
        """Return how many of the rows lack a field, as Gong counts it."""
        values, kind = told.get(name), self._kinds.get(name)
        if values is None:
            return rows
        nothing = values.count(None)
        if kind is None or kind in _NEVER_BLANK:
            return nothing
        if kind is Kind.TEXT:
            return nothing + values.count("") + sum(map(str.isspace, filter(None, values)))
        return sum(map(is_missing, values))


def _derive(told: dict[str, Values]) -> None:
    """Do what `plain.derive` does for a deal."""
    if "status" in told:
        told.setdefault("isOpen", list(map(_IS_OPEN.__getitem__, told["status"])))
        told.setdefault("isWon", list(map(_IS_WON.__getitem__, told["status"])))
    elif "isOpen" in told and "isWon" in told:
        told["status"] = list(map(_status, told["isOpen"], told["isWon"]))


def _status(is_open: bool | None, is_won: bool | None) -> str | None:
    if is_open is None or is_won is None:
        return None
    return "OPEN" if is_open else "WON" if is_won else "LOST"
