"""Which of Gong's fields a source fills, from what, in the one order that lines are written in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connector.mapping.document import Place
from connector.mapping.kinds import Kind, additional_kind, standard_kind
from connector.mapping.shape import AdditionalField, EntitySource, FieldBlock
from connector.object_types import STANDARD_FIELDS, FieldType, ObjectType

_TEMPLATE_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<column>[^{}]*)\}|(?P<text>[^{}]+)|(?P<stray>[{}])")


@dataclass(frozen=True, slots=True)
class Binding:
    """One of Gong's fields and where its value comes from."""

    field: str
    kind: Kind
    block: FieldBlock
    place: Place
    is_web_address: bool
    """True where a template makes a web address, and so encodes its columns' values."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be read."""
        if self.block.column is not None:
            return (self.block.column,)
        if self.block.template is not None:
            return tuple(column for _, column in template_parts(self.block.template) if column is not None)
        return ()


def template_parts(template: str) -> list[tuple[str, str | None]]:
    """Split a template into (text, None) and ("", column) parts. Raises ValueError with words for the user."""
    parts: list[tuple[str, str | None]] = []
    for match in _TEMPLATE_TOKEN.finditer(template):
        if match["stray"]:
            raise ValueError("a brace stands alone; write {column} for a column and {{ or }} for a brace")
        if match["column"] is not None:
            if not match["column"].strip():
                raise ValueError("a column's name is missing between the braces")
            parts.append(("", match["column"]))
        else:
            parts.append((match["brace"][0] if match["brace"] else match["text"], None))
    return parts


def standard_names(object_type: ObjectType) -> tuple[str, ...]:
    """The standard fields that `fields` can fill, in the order in which a line holds them."""
    return ("url", *STANDARD_FIELDS[object_type])


def as_block(spec: str | FieldBlock) -> FieldBlock:
    """Return the block that a field's short form stands for."""
    return FieldBlock(column=spec) if isinstance(spec, str) else spec


def bindings_of(object_type: ObjectType, source: EntitySource, place: Place) -> tuple[Binding, ...]:
    """Return the source's bindings in the order of lines, whatever order the file has them in.

    For `rows`, every standard field that a row names is bound to itself, unless `fields` says otherwise.
    """
    own: Mapping[str, str | FieldBlock] = source.fields
    if source.rows is not None:
        own = {name: name for row in source.rows for name in row} | dict(source.fields)
    bound = [
        Binding(name, standard_kind(name), as_block(own[name]), (*place, "fields", name), name == "url")
        for name in standard_names(object_type)
        if name in own
    ]
    additional = sorted(enumerate(source.additional_fields), key=lambda entry: entry[1].name)
    return (*bound, *(_additional(field, (*place, "additional_fields", index)) for index, field in additional))


def _additional(field: AdditionalField, place: Place) -> Binding:
    field_type = FieldType(field.type)
    return Binding(field.name, additional_kind(field_type), field, place, field_type is FieldType.URL)
