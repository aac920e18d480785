"""Takes one field's raw value out of a row and applies what the mapping file says of it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from connector.mapping.bindings import Binding, template_parts
from connector.mapping.converters import converter
from connector.mapping.picklists import Picklist, Unlisted
from connector.mapping.shape import FieldBlock
from connector.mapping.unfit import NotListed, Unfit, Unreadable
from connector.mapping.values import Reader, Told, number_text, text_of
from connector.model import Row

Picker = Callable[[Row], Any]
Step = Callable[[Any], Any]

Unread = set[tuple[str, str]]
"""(field, reason) of a row's values that a converter could not read, or that no list holds: they are taken for none."""

Finisher = Callable[[Any, Unread], Told]
Preparation = Callable[[Any, Unread], Any]


def picker(binding: Binding, places: Mapping[str, int]) -> Picker:
    """Return what takes the binding's raw value out of a row; `places` are the columns' places in it."""
    block = binding.block
    if block.column is not None:
        place = places[block.column]
        return lambda row: row[place]
    if block.template is not None:
        return _template(block.template, places, encode=binding.is_web_address)
    constant = block.value
    return lambda _row: constant


def _template(template: str, places: Mapping[str, int], *, encode: bool) -> Picker:
    parts = [(text, None if column is None else places[column]) for text, column in template_parts(template)]

    def fill(row: Row) -> str | None:
        written: list[str] = []
        for text, place in parts:
            if place is None:
                written.append(text)
                continue
            if row[place] is None:
                return None
            filled = text_of(row[place])
            written.append(_percent_encoded(filled) if encode else filled)
        return "".join(written)

    return fill


def _percent_encoded(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise Unfit("holds broken text (half of a character)") from None


def finisher(binding: Binding, read: Reader, picklist: Picklist | None = None) -> Finisher:
    """Return what makes a raw value into the told one: null_if, split, convert, null_if, map, read, default; and what
    holds it against its picklist.

    What converters cannot read, and what the list lacks, is added to the `Unread` that is handed over with the value.
    """
    finish = _finisher(binding, read)
    return finish if picklist is None else _listed(finish, binding, picklist)


_NOT_LISTED: Final = "has a value that its list (`values`) does not hold"


def _listed(finish: Finisher, binding: Binding, picklist: Picklist) -> Finisher:
    """Return what also holds values against a picklist; what stands for NULL was held against it before."""
    unlisted, warning = picklist.unlisted, (binding.field, _NOT_LISTED)

    def held(value: Any, unread: Unread) -> Told:
        told = finish(value, unread)
        if value is None or told is None or told in picklist:
            return told
        assert isinstance(told, str), "a choice is a text"
        if unlisted is Unlisted.ADD:
            raise NotListed("has a value that its list lacks yet", told)
        if unlisted is Unlisted.REFUSE:
            raise Unfit(_NOT_LISTED)
        unread.add(warning)
        return finish(None, unread)

    return held


def _finisher(binding: Binding, read: Reader) -> Finisher:
    block = binding.block
    default = None if block.default is None else read(block.default)
    split, nothing = block.split, texts(block.null_if)
    takes_lists = split is None and block.converters[:1] and block.converters[0][0] == "json"
    prepare = _preparation(binding, nothing)
    look_up = None if block.map is None else _lookup(block.map, block)

    def finish(value: Any, unread: Unread) -> Told:
        if value is not None and nothing and _matching(value) in nothing:
            value = None
        if value is None:
            return default
        if split is not None and not isinstance(value, list):
            value = [part.strip() for part in text_of(value).split(split)]
        if isinstance(value, list) and not takes_lists:
            value = [prepare(item, unread) for item in value]
            if look_up is not None:
                value = [None if item is None else look_up(item) for item in value]
            return read(value)
        value = prepare(value, unread)
        if value is None:
            return default
        if look_up is not None:
            value = look_up(value)
            return None if value is None else read(value)
        told = read(value)
        return default if told is None else told

    return finish


def _preparation(binding: Binding, nothing: frozenset[str]) -> Preparation:
    """Return what makes one item fit to be looked up or read: `convert`, then `null_if` once more."""
    steps = tuple(converter(name, argument) for name, argument in binding.block.converters)
    if not steps:
        return lambda item, _unread: item
    refuses = binding.block.unreadable == "refuse"

    def prepare(item: Any, unread: Unread) -> Any:
        try:
            for convert in steps:
                if item is None:
                    return None
                item = convert(item)
        except Unreadable as unreadable:
            if refuses:
                raise
            unread.add((binding.field, unreadable.reason))
            return None
        return None if item is None or (nothing and _matching(item) in nothing) else item

    return prepare


def _lookup(table: Mapping[str, str | None], block: FieldBlock) -> Step:
    fallback, has_default = block.default, block.has_default

    def look_up(value: Any) -> str | None:
        text = _matching(value)
        if text not in table and isinstance(value, bool | int):
            text = _OTHER_BOOLEAN.get(text, text)
        if text in table:
            return table[text]
        if has_default:
            return fallback
        raise Unfit("has a value that its `map` does not list, and the `map` has no `default`")

    return look_up


_OTHER_BOOLEAN = {"true": "1", "false": "0", "1": "true", "0": "false"}
"""Databases without a boolean type hold 1 and 0; `map` may say either."""


def texts(listed: str | list[str | None] | None) -> frozenset[str]:
    """Return the texts of a `null_if`."""
    return frozenset(text for text in (listed if isinstance(listed, list) else [listed]) if text is not None)


def _matching(value: Any) -> str:
    """Return the text by which a value is looked up in `map` and `null_if`: integral numbers have no fraction."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return number_text(value.to_integral_value())
    return text_of(value)
