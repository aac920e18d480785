"""Whole columns of a chunk made into what lines hold, at once where their values are of the usual sort.

A million rows have twenty million values: deciding about each of them costs more than all else. So a column of a chunk
is asked as a whole what types are in it, and is then made by functions that loop in C. Where it holds anything unusual,
its values go one by one the way of `picking`, `values` and `times`. A property test holds both equal to `plain`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import Any, Final

from msgspec import Raw

from connector.mapping.bindings import template_parts
from connector.mapping.kinds import Kind
from connector.mapping.picking import Finisher, Unread, texts
from connector.mapping.picklists import Picklist
from connector.mapping.plain import Plain, Slot
from connector.mapping.unfit import Unfit
from connector.mapping.values import is_web_address, number_text, object_id_of
from connector.model import Row
from connector.object_types import MAX_OBJECT_ID_CHARS

Values = Sequence[Any]
Read = Callable[[Any, Unread], Any]
"""Makes any value what the line holds: a text, a truth, an integer, a list, None, or JSON written already."""

ODD: Final = (Unfit, TypeError, ValueError, OverflowError)
"""What a value raises that the plain encoder has to judge."""


@dataclass(slots=True)
class Chunk:
    """Rows being encoded, column by column."""

    rows: Sequence[Row]
    columns: Sequence[tuple[Any, ...]]
    """The rows' values, by their places."""
    odd: set[int] = field(default_factory=set)
    """Indexes of rows of which a value cannot be told, or that are deleted: the plain encoder judges them."""
    unread: list[tuple[int, tuple[str, str]]] = field(default_factory=list)
    """What converters could not read: the row's index, and (field, reason)."""

    def each(self, values: Iterable[Any], read: Read) -> list[Any]:
        """Return what becomes of each value; None where its row is odd."""
        made: list[Any] = []
        unread: Unread = set()
        for index, value in enumerate(values):
            try:
                made.append(read(value, unread))
            except ODD:
                self.odd.add(index)
                made.append(None)
            if unread:
                self.unread += zip(repeat(index), unread)
                unread.clear()
        return made


Way = Callable[[Chunk], Values]
"""Makes a field's values, one a row; those of odd rows may be anything."""
ColumnWay = Callable[[Values, Chunk], Values]
"""The same from the values of one column."""
Checked = Callable[[Values, set[type]], Values | None]
"""Makes values that are not None and of these types; None where there is an unusual one among them."""

_NOTHING: Final = type(None)
_WHOLE: Final = 2**63
_MOST_KNOWN: Final = 5_000
_LONGEST_KNOWN: Final = 64
_REMEMBERED: Final = (str, int, bool, date)
"""Types of which equal values are told the same: 1 and 1.0 are not."""
_NUMERIC: Final = {str, int, float, Decimal}


_are_numbers: Final = re.compile(r"(?:-?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]{1,80})?\n)*+").fullmatch
"""Numbers, a line each, that stand in JSON as they are: no leading noughts, signs of plus, exponents and blanks."""
_time_shape: Final = re.compile(rb"0000-00-00 00:00:00(?:\.0{1,9})?(\+00)?").fullmatch
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")


def way_of(slot: Slot, places: dict[str, int]) -> Way:
    """Return how a field's values are made; `places` are the columns' places in a row."""
    block = slot.binding.block
    finish = _written(slot.finish) if slot.binding.kind is Kind.NUMBER else slot.finish
    if block.column is not None:
        place, way = places[block.column], _of_column(slot, finish)
        return lambda chunk: way(chunk.columns[place], chunk)

    def filled(row: Row, unread: Unread) -> Any:
        return finish(slot.pick(row), unread)

    if block.template is not None:
        quickly = _of_template(slot, block.template, places)
        if quickly is not None:
            return lambda chunk: made if (made := quickly(chunk)) is not None else chunk.each(chunk.rows, filled)
    return lambda chunk: chunk.each(chunk.rows, filled)


def _written(finish: Finisher) -> Read:
    """Return the way of a number, with what it gives written as JSON: exactly, as no driver's type would be."""

    def read(value: Any, unread: Unread) -> Any:
        told = finish(value, unread)
        return None if told is None else Raw(number_text(told).encode())  # type: ignore[arg-type]  # a number's kind

    return read


def _of_column(slot: Slot, finish: Read) -> ColumnWay:
    block, kind = slot.binding.block, slot.binding.kind
    singly: ColumnWay = lambda values, chunk: chunk.each(values, finish)  # noqa: E731 - its type would be lost
    if block.converters or block.split is not None:
        return singly
    if block.map is not None or kind in (Kind.CHOICE, Kind.STATUS, Kind.BOOLEAN):
        return _remembering(finish, slot.picklist)
    nothing, nulls = finish(None, set()), texts(block.null_if)
    match kind:
        case Kind.TEXT:
            return _checking(_texts, singly, nothing, nulls)
        case Kind.REFERENCE:
            return _checking(_ids, singly, nothing, nulls)
        case Kind.NUMBER:
            return _checking(_numbers, singly, nothing, nulls)
        case Kind.DATETIME:
            return _checking(_moments(slot.zone), singly, nothing, nulls)
        case Kind.DATE:
            return _checking(_days(slot.zone), _remembering(finish, None), nothing, nulls)
    return singly


def _checking(checked: Checked, otherwise: ColumnWay, nothing: object, nulls: frozenset[str]) -> ColumnWay:
    """Return the way of a column whose usual values are made by `checked`; `nothing` stands for NULL."""

    def way(values: Values, chunk: Chunk) -> Values:
        types = set(map(type, values))
        if nulls and not (types <= {str, _NOTHING} and nulls.isdisjoint(values)):
            return otherwise(values, chunk)
        if _NOTHING not in types:
            made = checked(values, types)
        else:
            types.discard(_NOTHING)
            made = _around_nothing(values, checked, types, nothing)
        return otherwise(values, chunk) if made is None else made

    return way


def _around_nothing(values: Values, checked: Checked, types: set[type], nothing: object) -> Values | None:
    present = [value for value in values if value is not None]
    made = checked(present, types) if present else present
    if made is None:
        return None
    if made is present and nothing is None:
        return values
    rest = iter(made)
    return [nothing if value is None else next(rest) for value in values]


def _remembering(finish: Read, picklist: Picklist | None) -> ColumnWay:
    """Return the way of a column with few different values: what became of one is known from then on, or until its
    list changes.
    """
    memories: dict[type, dict[Any, Any]] = {
        kind: {} if picklist is None else picklist.memo() for kind in (*_REMEMBERED, _NOTHING)
    }

    def way(values: Values, chunk: Chunk) -> Values:
        types = set(map(type, values))
        if len(types) > 1:
            types.discard(_NOTHING)
        known = memories.get(types.pop())
        if known is None or types:
            return chunk.each(values, finish)
        try:
            return list(map(known.__getitem__, values))
        except KeyError:
            return list(map(known.__getitem__, values)) if learn(values, known) else chunk.each(values, finish)

    def learn(values: Values, known: dict[Any, Any]) -> bool:
        """Take in what is new; return whether all of it can be read without a warning, and is worth remembering."""
        new = set(values) - known.keys()
        if len(known) + len(new) > _MOST_KNOWN:
            known.clear()
            new = set(values)
        if any(type(value) is str and len(value) > _LONGEST_KNOWN for value in new):
            return False
        unread: Unread = set()
        try:
            for value in new:
                told = finish(value, unread)
                if unread:  # warnings are told each time
                    return False
                known[value] = told
        except ODD:
            return False
        return True

    return way


def _whole(values: Values) -> bool:
    """Tell whether integers are such as are written by their digits, whatever is done with them."""
    return bool(max(values) < _WHOLE and min(values) > -_WHOLE)


def _texts(values: Values, types: set[type]) -> Values | None:
    if types == {str}:
        return values
    return list(map(str, values)) if types == {int} and _whole(values) else None


def _ids(values: Values, types: set[type]) -> Values | None:
    if types == {int}:
        return list(map(str, values)) if _whole(values) else None
    if types != {str}:
        return None
    ids = set(values)
    plain = all(ids) and "".join(ids).isprintable() and not any(map(str.isspace, ids))
    return values if plain and max(map(len, ids)) <= MAX_OBJECT_ID_CHARS else None


def _numbers(values: Values, types: set[type]) -> Values | None:
    if types == {int}:
        return values if _whole(values) else None
    if not types <= _NUMERIC:
        return None
    written = values if types == {str} else list(map(str, values))
    joined = "\n".join((*written, ""))
    one_a_line = joined.count("\n") == len(written)
    return list(map(Raw, written)) if one_a_line and _are_numbers(joined) is not None else None


def _moments(zone: tzinfo) -> Checked:
    def checked(values: Values, types: set[type]) -> Values | None:
        read, offset = _read(values, types)
        if offset == "+00" or (offset == "" and _is_utc(zone)):
            return [f"{value[:10]}T{value[11:19]}Z" for value in values]
        times = _in_utc(read, zone)
        return None if times is None else [f"{time.isoformat()[:19]}Z" for time in times]

    return checked


def _days(zone: tzinfo) -> Checked:
    def checked(values: Values, types: set[type]) -> Values | None:
        if types == {date}:
            return list(map(date.isoformat, values))
        if types == {str} and len(values[0]) <= len("2026-01-02"):
            return None  # days alone are few: they are remembered
        read, offset = _read(values, types)
        if offset == "" or (offset == "+00" and _is_utc(zone)):
            return [value[:10] for value in values]
        zones = set(map(attrgetter("tzinfo"), read))
        own = zones == {None} or (zones == {UTC} and _is_utc(zone))
        return [time.isoformat()[:10] for time in read] if own else None

    return checked


def _read(values: Values, types: set[type]) -> tuple[Sequence[datetime], str | None]:
    """Return times as such, none of them where there are unusual ones; and, of texts, the offset that all have.

    The usual texts are `2026-01-02 03:04:05.123`, all with `+00` behind or none. What Python reads is more, and what is
    of that shape may be no time: each is left to whom it is easy for.
    """
    if types == {datetime}:
        return values, None
    try:
        joined = "\n".join(values).encode("ascii") if types == {str} else b""
        shapes = [_time_shape(shape) for shape in set(joined.translate(_DIGITS).split(b"\n"))]
        offsets = {None if shape is None else shape[1] or b"" for shape in shapes}
        if None in offsets or len(offsets) > 1 or b" 24:" in joined:
            return (), None
        return list(map(datetime.fromisoformat, values)), "+00" if offsets.pop() else ""
    except ValueError:  # not ASCII, or no time that there is
        return (), None


def _is_utc(zone: tzinfo) -> bool:
    return zone is UTC or str(zone) == "UTC"


def _in_utc(times: Sequence[datetime], zone: tzinfo) -> Sequence[datetime] | None:
    """Return times with the zone UTC; None where they have others than that or `zone`."""
    zones = set(map(attrgetter("tzinfo"), times))
    if zones == {UTC}:
        return times
    if zones != {None}:
        return None
    try:
        return [time.replace(tzinfo=zone, fold=0).astimezone(UTC) for time in times]
    except OverflowError:
        return None


def ids_of(values: Values, chunk: Chunk) -> Values:
    """Return a column of keys as objectIds; a row without one is odd."""
    made = _ids(values, set(map(type, values)))
    return chunk.each(values, lambda value, _unread: object_id_of(value)) if made is None else made


def stamps_of(plain: Plain) -> Callable[[Values, int], Sequence[int | None]]:
    """Return what makes rows' modified times seconds since 1970; a time that lies in the future is taken for now."""
    zone = plain.stamp_zone

    def stamps(values: Values, now: int) -> Sequence[int | None]:
        times = _in_utc(_read(values, set(map(type, values)))[0], zone)
        if times:
            seconds = list(map(datetime.timestamp, times))
            if min(seconds) >= 0:  # before 1970, cutting the fraction would lead to the second after
                made = list(map(int, seconds))
                return made if max(made) <= now else [min(second, now) for second in made]
        return [plain.stamp(value, now) for value in values]

    return stamps


def _of_template(slot: Slot, template: str, places: dict[str, int]) -> Callable[[Chunk], Values | None] | None:
    """Return the way of a template whose columns hold integers and simple texts; None where it has none."""
    block, kind = slot.binding.block, slot.binding.kind
    parts = template_parts(template)
    if block.converters or block.split is not None or block.null_if is not None or block.map is not None:
        return None
    if kind is Kind.WEB_ADDRESS:
        sample = "".join(text if column is None else "0" for text, column in parts)
        if not parts[0][0].lower().startswith(("http://", "https://")) or not is_web_address(sample):
            return None
    elif kind is not Kind.TEXT:
        return None
    form = "".join(text.replace("%", "%%") if column is None else "%s" for text, column in parts)
    named = [places[column] for _, column in parts if column is not None]
    plainly = _in_address if slot.binding.is_web_address else _texts

    def way(chunk: Chunk) -> Values | None:
        if not named:
            return [form % ()] * len(chunk.rows)
        written = []
        for values in map(chunk.columns.__getitem__, named):
            made = plainly(values, set(map(type, values)))
            if made is None:
                return None
            written.append(made)
        return list(map(form.__mod__, zip(*written, strict=True)))

    return way


def _in_address(values: Values, types: set[type]) -> Values | None:
    """Return values as a web address holds them, where nothing in them has to be encoded."""
    written = _texts(values, types)
    if written is None or types == {int}:
        return written
    joined = "".join(written)
    return written if all(written) and joined.isalnum() and joined.isascii() else None
