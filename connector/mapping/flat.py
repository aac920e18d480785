"""Compiles an entity source's mapping to one flat function over rows: a statement a field, no dispatch, no lookup.

A million rows have twenty million values; deciding for each what kind it is and by which rule it goes would cost more
than all else. So the decisions are taken once, here, and written down as a function's source. It does what rows usually
need and leaves odd ones to the plain encoder: deletions, and every row of which a value cannot be told to Gong.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from types import CodeType
from typing import Any, Final

import orjson

from connector import lines
from connector.mapping import quick
from connector.mapping.bindings import template_parts
from connector.mapping.kinds import ACCOUNT_OF, DEMANDED, EXPECTED, Kind
from connector.mapping.picking import texts
from connector.mapping.plain import Plain, Slot, Tally, address_hash, is_missing
from connector.mapping.unfit import Unfit
from connector.mapping.values import is_web_address, number_text
from connector.model import Encoded, Line, Row
from connector.object_types import ObjectType

Encode = Callable[[Sequence[Row], int], Encoded]

ODD: Final = (Unfit, TypeError, ValueError, OverflowError)
"""What a row raises that the plain encoder has to judge."""
_NEVER_BLANK: Final = (Kind.REFERENCE, Kind.DATETIME, Kind.DATE, Kind.STATUS, Kind.CHOICE, Kind.NUMBER)
"""Kinds whose readers make nothing of blank text: None is the only form of lack."""


def flat_encoder(plain: Plain) -> Encode:
    """Return a function that does what `plain.encode` does."""
    if plain.type is ObjectType.STAGE:  # some dozens, each with rules of its own
        return plain.encode
    return _Writer(plain).compiled()


class _Writer:
    """Writes the function's source, and gathers the names that it uses."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self._columns = {name: f"c{place}" for place, name in enumerate(plain.columns)}
        self._kinds = {slot.name: slot.binding.kind for slot in plain.slots}
        self._variables = {
            name: f"f{number}" for number, name in enumerate(dict.fromkeys((*self._kinds, *plain.order)))
        }
        self._names: dict[str, Any] = {
            "Encoded": Encoded,
            "Fragment": orjson.Fragment,
            "Line": Line,
            "ODD": ODD,
            "Tally": Tally,
            "WHOLE": quick.WHOLE,
            "address_hash": address_hash,
            "digest": lines.digest,
            "dumps": orjson.dumps,
            "is_missing": is_missing,
            "is_plain_number": quick.is_plain_number,
            "new": tuple.__new__,
            "object_id": quick.object_id,
            "plain_line": plain.line,
            "stamp": quick.stamp(plain),
        }

    def compiled(self) -> Encode:
        """Return the function."""
        # The source holds names of ours; what the mapping file says is bound to such names, or written by `repr`.
        source = "\n".join(self._source())
        exec(_code(source, f"<flat encoder of {self._plain.type}>"), self._names)  # noqa: S102
        encode: Encode = self._names["encode"]
        return encode

    def _source(self) -> Iterator[str]:
        lacks = [
            (f"n{index}", self._lack(name), (name, reason))
            for index, (name, reason) in enumerate(EXPECTED[self._plain.type].items())
        ]
        yield "def encode(rows, now):"
        yield "    made, tally, unread = [], Tally(), set()"
        yield "    add = made.append"
        for counter, _, _ in lacks:
            yield f"    {counter} = 0"
        yield "    for row in rows:"
        yield "        try:"
        yield f"            {', '.join(('key', 'modified', 'deleted', *self._columns.values()))} = row"
        yield "            if deleted: raise ValueError"
        yield f"            key = str(key) if {_whole('key')} else object_id(key)"
        for slot in self._plain.slots:
            yield f"            {self._variables[slot.name]} = {self._value(slot)}"
            if DEMANDED.get(self._plain.type) == slot.name:
                yield f"            if is_missing({self._variables[slot.name]}): raise ValueError"
        for derived in self._derived():
            yield f"            {derived}"
        content = ", ".join(f"{name!r}: {self._variables[name]}" for name in self._plain.order)
        yield f"            body = dumps({{'objectId': key, {content}}})[:-1]"
        yield "        except ODD:"
        yield "            unread.clear()"
        yield "            line = plain_line(row, now, tally)"
        yield "            if line is not None: add(line)"
        yield "            continue"
        if any(slot.binding.block.converters or slot.picklist is not None for slot in self._plain.slots):
            yield "        if unread:"
            yield "            tally.warnings.update(unread)"
            yield "            unread.clear()"
        for counter, lack, _ in lacks:
            yield f"        if {lack}: {counter} += 1"
        account = self._variables.get(ACCOUNT_OF.get(self._plain.type, ""), "None")
        user = self._plain.type is ObjectType.BUSINESS_USER
        address = f"address_hash({self._variables['emailAddress']})" if user else "None"
        yield "        at = None if modified is None else stamp(modified, now)"
        yield f"        add(new(Line, (key, at, body, digest(body), False, {account}, {address})))"
        for counter, _, which in lacks:
            yield f"    if {counter}: tally.not_shown[{which!r}] += {counter}"
        yield "    return Encoded(made, tally.refusals, dict(tally.not_shown), dict(tally.warnings))"

    def _value(self, slot: Slot) -> str:
        """Return the expression of a field's value."""
        block = slot.binding.block
        if block.column is not None:
            return self._of_column(slot, self._columns[block.column])
        filled = f"{self._bind('read', slot, self._unusual(slot))}({self._bind('pick', slot, slot.pick)}(row), unread)"
        if block.template is None:
            return filled
        quickly = self._of_template(slot, block.template)
        return filled if quickly is None else f"{quickly} else {filled}"

    def _of_column(self, slot: Slot, column: str) -> str:
        """Return the expression of a column's value: the usual case in place, then NULL, then a call for the rest."""
        block, kind = slot.binding.block, slot.binding.kind
        usual, call = "", self._unusual(slot)
        if not block.converters and block.split is None:
            if block.map is not None or kind in (Kind.CHOICE, Kind.STATUS):
                call, usual = self._remembering(slot, call, column)
            elif kind is Kind.TEXT:
                usual = self._text(slot, column)
            elif block.null_if is None:
                call, usual = self._short(slot, call, column)
        otherwise = f"{self._nothing(slot)} if {column} is None else {self._bind('read', slot, call)}({column}, unread)"
        return f"{usual} else {otherwise}" if usual else otherwise

    def _text(self, slot: Slot, column: str) -> str:
        usual = f"{column} if {column}.__class__ is str"
        if slot.binding.block.null_if is not None:
            usual += f" and {column} not in {self._bind('null', slot, texts(slot.binding.block.null_if))}"
        return usual

    def _remembering(self, slot: Slot, call: quick.Quick, column: str) -> tuple[quick.Quick, str]:
        known: dict[str, Any] = {} if slot.picklist is None else slot.picklist.memo()
        name = self._bind("known", slot, known)
        return quick.remembering(call, known), f"{name}[{column}] if {column}.__class__ is str and {column} in {name}"

    def _short(self, slot: Slot, call: quick.Quick, column: str) -> tuple[quick.Quick, str]:
        """Return the short way of the field's kind, and the case that is decided in place."""
        whole = _whole(column)
        match slot.binding.kind:
            case Kind.REFERENCE:
                remembering, known = self._remembering(slot, quick.reference(call), column)
                return remembering, f"str({column}) if {whole} else {known}"
            case Kind.NUMBER:
                plain = f"Fragment({column}) if {column}.__class__ is str and is_plain_number({column})"
                return quick.number(call), f"{column} if {whole} else {plain}"
            case Kind.BOOLEAN:
                return quick.truth(call), f"{column} if {column}.__class__ is bool"
            case Kind.DATE:
                remembering, usual = self._remembering(slot, call, column)
                return quick.day(remembering, slot.zone), usual
            case Kind.DATETIME:
                utc = self._bind("utc", slot, quick.utc_text(slot.zone))
                written = f'f"{{{column}[:10]}}T{{{column}[11:19]}}Z"'
                return quick.moment(call, slot.zone), f"{written} if {column}.__class__ is str and {utc}({column})"
            case _:
                return call, ""

    def _of_template(self, slot: Slot, template: str) -> str | None:
        """Return the expression, up to its `else`, of a template whose columns hold integers and simple texts."""
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
        columns = [self._columns[column] for _, column in parts if column is not None]
        fit = "plain_in_address" if slot.binding.is_web_address else "plain_in_text"
        self._names[fit] = getattr(quick, fit)
        filled = " + ".join(repr(text) if column is None else f"str({self._columns[column]})" for text, column in parts)
        return f"{filled} if {' and '.join(f'({_whole(column)} or {fit}({column}))' for column in columns) or 'True'}"

    def _derived(self) -> Iterator[str]:
        """Yield what `plain.derive` does for a deal."""
        if self._plain.type is not ObjectType.DEAL:
            return
        status, is_open, is_won = (self._variables.get(name, "") for name in ("status", "isOpen", "isWon"))
        if "status" in self._kinds:
            for name, variable, meant in (("isOpen", is_open, "OPEN"), ("isWon", is_won, "WON")):
                if name not in self._kinds:
                    yield f"{variable} = None if {status} is None else {status} == '{meant}'"
        elif "isOpen" in self._kinds and "isWon" in self._kinds:
            yield f"{status} = 'OPEN' if {is_open} else 'WON' if {is_won} else 'LOST'"
            yield f"if {is_open} is None or {is_won} is None: {status} = None"

    def _lack(self, name: str) -> str:
        """Return the condition under which Gong counts a field as missing."""
        variable, kind = self._variables.get(name), self._kinds.get(name)
        if variable is None:
            return "True"
        if kind is None or kind in _NEVER_BLANK:
            return f"{variable} is None"
        return (
            f"not {variable} or is_missing({variable})"
            if kind is not Kind.TEXT
            else f"not {variable} or {variable}.isspace()"
        )

    def _nothing(self, slot: Slot) -> str:
        """Return what stands for NULL."""
        told = slot.finish(None, set())
        if told is None:
            return "None"
        if slot.binding.kind is Kind.NUMBER:
            assert isinstance(told, int | float | Decimal), "a number's kind"
            return self._bind("nothing", slot, orjson.Fragment(number_text(told)))
        return self._bind("nothing", slot, told)

    def _unusual(self, slot: Slot) -> quick.Quick:
        """Return the field's way for all values."""
        return quick.written(slot.finish) if slot.binding.kind is Kind.NUMBER else slot.finish

    def _bind(self, role: str, slot: Slot, value: object) -> str:
        name = f"{role}_{self._variables[slot.name]}"
        self._names[name] = value
        return name


@lru_cache(maxsize=64)
def _code(source: str, name: str) -> CodeType:
    return compile(source, name, "exec")


def _whole(variable: str) -> str:
    """Return the condition under which a value is an integer that is written by its digits."""
    return f"{variable}.__class__ is int and -WHOLE < {variable} < WHOLE"
