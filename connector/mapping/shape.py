"""The mapping file's shape: which keys stand where, and what kind of thing each holds.

Everything that a scalar can be is a text here (see `document`); what texts mean is judged in `rules`.
"""

import math
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from connector.mapping.converters import CONVERTERS
from connector.mapping.picklists import MOST_VALUES
from connector.object_types import REFERENCE_TARGETS, FieldType

LEAST_INTERVAL_SECONDS: Final = 10


def _text(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("is empty")
    if not isinstance(value, str):
        raise ValueError("a text is meant here, not a list or a block")  # noqa: TRY004 - pydantic collects it
    return value


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("is empty")
    return value


def _constant(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise ValueError("a single value is meant here, not a list or a block")  # noqa: TRY004 - see _text
    return value


def _named(value: Any) -> Any:
    if value is None or value in ([], {}):
        raise ValueError("is empty")
    return {name: name for name in value if isinstance(name, str)} if isinstance(value, list) else value


def _interval(value: Any) -> Any:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not LEAST_INTERVAL_SECONDS <= seconds < math.inf:
        raise ValueError(f"seconds are meant here, {LEAST_INTERVAL_SECONDS} at least")
    return seconds


def _separator(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise ValueError('the text between the items is meant here, such as ","')
    return value


def _converters(value: Any) -> Any:
    written = value if isinstance(value, list) else [value]
    if not written:
        raise ValueError("the list is empty")
    for one in written:
        if isinstance(one, dict) and len(one) != 1:
            raise ValueError("a block holds one converter, such as {json: en_US}; several stand in a list")
        for text in one.values() if isinstance(one, dict) else [one]:
            if not isinstance(text, str) or not text.strip():
                raise ValueError("a converter's name is meant here, or {name: text}, or a list of such")
    return value


def _one_of(*words: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{' or '.join(words)} is meant here")
        return value

    return BeforeValidator(check)


def _unreadable(value: Any) -> Any:
    if value not in (None, "null", "refuse"):
        raise ValueError("null or refuse is meant here")
    return None if value == "null" else value


def _unlisted(value: Any) -> Any:
    if value not in (None, "null", "refuse", "add"):
        raise ValueError("refuse, null or add is meant here")
    return "null" if value is None else value


def _either(**tags: type) -> Any:
    """Return the discriminator that tells the members of a union by the type of what is written."""

    def tag(value: Any) -> str:
        return next((f"<{name}>" for name, kind in tags.items() if isinstance(value, kind)), "<one>")

    return Discriminator(tag)


_SCALAR: Any = {"type": ["string", "number", "boolean", "null"]}
_SECONDS: Any = {"type": "number", "minimum": LEAST_INTERVAL_SECONDS}
_SEPARATOR: Any = {"type": "string", "minLength": 1}
_CONVERTER: Any = {
    "anyOf": [
        {"enum": [name for name, recipe in CONVERTERS.items() if recipe.alone]},
        {
            "type": "object",
            "properties": {
                name: {"type": "string", "minLength": 1, "description": recipe.argument}
                for name, recipe in CONVERTERS.items()
                if recipe.argument
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}
_NAMES: Any = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string"}},
    ]
}
_CONVERTERS: Any = {"anyOf": [*_CONVERTER["anyOf"], {"type": "array", "minItems": 1, "items": _CONVERTER}]}

Text = Annotated[str, BeforeValidator(_text)]
MaybeText = Annotated[str | None, BeforeValidator(_text), WithJsonSchema({"type": "string"})]
"""A text whose key may be left out; written, it must not be empty."""
Constant = Annotated[str | None, BeforeValidator(_constant), WithJsonSchema(_SCALAR)]
ConstantOrList = Annotated[
    Annotated[Constant, Tag("<one>")] | Annotated[list[Constant], Tag("<many>")], _either(many=list)
]


class Shape(BaseModel):
    """A block of the file."""

    # Built when first used: whole, not once for each block that others hold.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Integration(Shape):
    """The integration as Gong shows it."""

    name: Text = Field(description="Name under which the integration is registered in Gong.")
    owner_email: Text = Field(description="E-mail address of the Gong user who owns the integration.")


class SourceDefaults(Shape):
    """What is true of the whole database."""

    timezone: Text = Field(
        default="UTC", description="IANA zone of datetimes that carry no offset, such as America/New_York."
    )


class FieldBlock(Shape):
    """Where a value comes from, and what is done with it.

    In this order: null_if, split, convert (each item), null_if again, map (each item), default.
    """

    column: MaybeText = Field(default=None, description="A column of the table or of the query's result.")
    value: ConstantOrList | None = Field(default=None, description="A constant; for domains a list is possible.")
    template: MaybeText = Field(
        default=None,
        description="Text with columns in braces: https://crm.example.com/accounts/{id}. {{ and }} stand for braces. "
        "Null when one of the columns is. In web addresses the columns' values are percent-encoded.",
    )
    null_if: ConstantOrList | None = Field(
        default=None, description="A value, or a list of values, that stands for nothing."
    )
    split: Annotated[str | None, BeforeValidator(_separator), WithJsonSchema(_SEPARATOR)] = Field(
        default=None,
        description="The text between the items of a list (domains). Items are trimmed, empty ones dropped.",
    )
    convert: Annotated[
        str | dict[str, str] | list[str | dict[str, str]] | None,
        BeforeValidator(_converters),
        WithJsonSchema(_CONVERTERS),
    ] = Field(
        default=None,
        description="A converter, or a list of them that follow each other. "
        + f"There are: {', '.join(form for recipe in CONVERTERS.values() for form in recipe.forms)}.",
    )
    unreadable: Annotated[
        Literal["refuse"] | None, BeforeValidator(_unreadable), WithJsonSchema({"enum": [None, "refuse"]})
    ] = Field(
        default=None,
        description="What becomes of a value that `convert` cannot read. null: it counts as none, with a warning. "
        "refuse: its row is refused.",
    )
    map: Annotated[dict[str, Constant] | None, BeforeValidator(_given)] = Field(
        default=None,
        description="What to send for each value. A value that is not listed takes `default`; without one its row "
        "is refused.",
    )
    default: Constant = Field(
        default=None, description="Sent in place of null, and for values that `map` does not list."
    )

    @property
    def has_default(self) -> bool:
        """True when the file gives a default, be it null."""
        return "default" in self.model_fields_set

    @property
    def converters(self) -> tuple[tuple[str, str | None], ...]:
        """The converters in order, each with its argument."""
        written = [] if self.convert is None else self.convert if isinstance(self.convert, list) else [self.convert]
        return tuple((one, None) if isinstance(one, str) else next(iter(one.items())) for one in written)

    @property
    def constants(self) -> tuple[str | None, ...]:
        """The items of `value`, one or several."""
        return tuple(self.value) if isinstance(self.value, list) else (self.value,)


class PicklistQuery(Shape):
    """A picklist's values from the database."""

    query: Text = Field(description="SELECT whose first column holds the values, in their order.")


FieldSpec = Annotated[Annotated[Text, Tag("<one>")] | Annotated[FieldBlock, Tag("<block>")], _either(block=dict)]
Values = Annotated[
    Annotated[list[Text], Tag("<many>")] | Annotated[PicklistQuery, Tag("<block>")], _either(block=dict, many=object)
]


class AdditionalField(FieldBlock):
    """A field of your own, defined in Gong's schema."""

    name: Text = Field(description="Gong's uniqueName of the field. It must stay the same; not a standard field's.")
    label: MaybeText = Field(default=None, description="What Gong shows; the name by default. May change any time.")
    type: Text = Field(
        description="Gong's type of the field. Changing it drops the field's data in Gong.",
        json_schema_extra={"enum": [member.value for member in FieldType]},
    )
    values: Annotated[Values | None, BeforeValidator(_given)] = Field(
        default=None,
        description=f"PICKLIST: its values in order, or a query for them; left out, they are those that occur, up to "
        f"{MOST_VALUES:,}.",
    )
    unlisted: Annotated[
        Literal["refuse", "null", "add"] | None,
        BeforeValidator(_unlisted),
        WithJsonSchema({"enum": ["refuse", None, "add"]}),
    ] = Field(
        default=None,
        description="PICKLIST: what becomes of a value that `values` does not list. refuse: its row is refused. null: "
        "it counts as none, so that `default` is sent, with a warning. add: Gong's list gets it before the row goes. "
        "refuse by default.",
    )
    reference_to: MaybeText = Field(
        default=None,
        description="REFERENCE: what it points to, by objectId.",
        json_schema_extra={"enum": [*REFERENCE_TARGETS]},
    )


class Feed(Shape):
    """Another table whose rows make objects change."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["table"]}, {"required": ["query"]}]})

    table: MaybeText = Field(default=None, description="A table or view, with its schema where needed.")
    query: MaybeText = Field(default=None, description="A SELECT in its place.")
    where: MaybeText = Field(default=None, description="SQL condition of the rows that count.")
    key: Text = Field(description="Column that holds the key of the object that changes.")
    modified: Text = Field(description="Column of the time of the row's last change; it should have an index.")


class History(Shape):
    """What the CRM kept of earlier times. One of `table` and `query` is given."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["table"]}, {"required": ["query"]}]})

    kind: Annotated[Literal["versions", "field_log"], _one_of("versions", "field_log")] = Field(
        description="versions: each row is the record as it was. field_log: each row is one field's change."
    )
    table: MaybeText = Field(default=None, description="A table or view, with its schema where needed.")
    query: MaybeText = Field(default=None, description="A SELECT in its place: a log may be a join of tables.")
    where: MaybeText = Field(default=None, description="SQL condition of the rows that count.")
    key: MaybeText = Field(
        default=None, description="Column of the object's key; the name of the entity's key by default."
    )
    changed_at: Text = Field(description="Column of the time since when the row is true.")
    deleted: MaybeText = Field(
        default=None, description="versions: SQL condition that is true for rows that say the record was deleted."
    )
    field: MaybeText = Field(default=None, description="field_log: column of the changed field's name.")
    before: MaybeText = Field(default=None, description="field_log: column of the value before the change.")
    after: MaybeText = Field(default=None, description="field_log: column of the value after it.")
    sequence: MaybeText = Field(
        default=None,
        description="Column that tells the order of rows with one time. Without it, the changes of a field_log are put "
        "in the order in which their values meet.",
    )
    names: Annotated[dict[str, Text] | None, BeforeValidator(_named), WithJsonSchema(_NAMES)] = Field(
        default=None,
        description="field_log: for each name in the log that counts, the column of the entity that it is about; "
        "or a list, where the two are the same.",
    )
    created: MaybeText = Field(
        default=None,
        description="field_log: column of the entity with the time of its creation, from which its first version "
        "counts. Without it history starts with the first logged change.",
    )
    unknown: Annotated[Literal["keep", "leave_out"], _one_of("keep", "leave_out")] = Field(
        default="keep",
        description="Fields that the history does not know. keep: they have the earliest known value, which is "
        "today's. leave_out: earlier versions are sent without them.",
    )


class EntitySource(Shape):
    """Where the objects of one type come from. One of `table`, `query` and `rows` is given."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["table"]}, {"required": ["query"]}, {"required": ["rows"]}]}
    )

    table: MaybeText = Field(default=None, description="A table or view, with its schema where needed.")
    query: MaybeText = Field(
        default=None, description="A SELECT. The connector wraps its own WHERE and ORDER BY around it."
    )
    rows: Annotated[list[dict[str, ConstantOrList]] | None, BeforeValidator(_given)] = Field(
        default=None,
        description="The objects themselves: objectId and Gong's field names.",
        json_schema_extra={"minItems": 1},
    )
    where: MaybeText = Field(
        default=None, description="SQL condition. A row that no longer meets it is deleted in Gong."
    )
    key: MaybeText = Field(default=None, description="Column of the objectId: unique, and the same for ever.")
    distinct_keys: Annotated[Literal["folded", "exact"], _one_of("folded", "exact")] = Field(
        default="folded",
        description="folded: keys that differ only by case or trailing blanks are refused but for one, lest Gong take "
        "them for one object. exact: they are objects of their own.",
    )
    modified: MaybeText = Field(
        default=None, description="Column of the last change's time. Without it changes are found by comparison."
    )
    deleted: MaybeText = Field(default=None, description="SQL condition that is true for soft-deleted rows.")
    interval_seconds: Annotated[float | None, BeforeValidator(_interval), WithJsonSchema(_SECONDS)] = Field(
        default=None,
        description="Seconds between two passes of the daemon over this source, where they shall be more than "
        "CONNECTOR_SYNC_INTERVAL_SECONDS.",
    )
    changes: Annotated[list[Feed] | None, BeforeValidator(_given)] = Field(
        default=None,
        description="Other tables whose rows make objects of this source change: links, e-mail addresses.",
        json_schema_extra={"minItems": 1},
    )
    history: Annotated[History | None, BeforeValidator(_given)] = Field(
        default=None, description="Where the CRM kept what its objects were earlier; `backfill` sends it."
    )
    fields: dict[str, FieldSpec] = Field(default={}, description="Gong's standard fields.")
    additional_fields: list[AdditionalField] = Field(default=[], description="Fields of your own in Gong.")


class Head(Shape):
    """The file's top, its entities aside."""

    version: Annotated[Literal["1"], WithJsonSchema({"const": 1})] = Field(description="Version of this format.")
    integration: Integration
    source: SourceDefaults = Field(default=SourceDefaults(), description="What is true of the whole database.")
