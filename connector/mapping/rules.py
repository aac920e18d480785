"""What must hold of one entity source beyond its shape, as far as the file alone can tell."""

from collections.abc import Iterable, Iterator
from datetime import UTC

from connector.mapping.bindings import Binding, bindings_of, standard_names, template_parts
from connector.mapping.converters import converter
from connector.mapping.document import Place
from connector.mapping.kinds import DEMANDED, EXPECTED, Kind
from connector.mapping.nearest import suggestion
from connector.mapping.picklists import MOST_VALUES
from connector.mapping.shape import AdditionalField, EntitySource
from connector.mapping.unfit import Unfit
from connector.mapping.values import object_id_of, reader, to_json
from connector.model import ColumnKind
from connector.object_types import (
    COMMON_FIELDS,
    REFERENCE_TARGETS,
    SCHEMA_TYPES,
    STANDARD_FIELDS,
    FieldType,
    ObjectType,
)

Fault = tuple[Place, str]

_SAID_ELSEWHERE = {
    "objectId": "the objectId is the row's key; say `key: <column>`",
    "modifiedDate": "the time of the last change is not a field; say `modified: <column>`",
    "isDeleted": "deletion is not a field; say `deleted: <SQL condition>`",
}


def faults(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    """Yield everything that is wrong with a source of well-formed shape."""
    found = [
        *_origin(object_type, source, place),
        *unknown_fields(object_type, source.fields, place),
        *_demanded(object_type, source, place),
        *_additional_fields(object_type, source, place),
    ]
    if all(field.type in list(FieldType) for field in source.additional_fields):
        for binding in bindings_of(object_type, source, place):
            found.extend(_block(binding))
    yield from found
    if source.rows is not None and not found:
        yield from _rows(object_type, source, place)


def _origin(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    given = [name for name in ("table", "query", "rows") if getattr(source, name) is not None]
    if len(given) != 1:
        stated = " and ".join(f"`{name}`" for name in given) or "none"
        yield place, f"exactly one of `table`, `query` and `rows` is meant here; given: {stated}"
    if source.rows == []:
        yield (*place, "rows"), "the list is empty"
    if given == ["rows"]:
        for name in ("where", "key", "modified", "deleted", "interval_seconds", "changes", "history"):
            if getattr(source, name) is not None:
                yield (*place, name), "has no meaning with `rows`; leave it out"
        return
    if source.key is None:
        yield place, "`key` is missing: the column that identifies a row, and becomes the objectId"
    yield from _changes(source, place)
    yield from _history(object_type, source, place)
    if not source.fields:
        wanted = [*EXPECTED[object_type]]
        demanded = DEMANDED.get(object_type)
        wanted = [demanded, *wanted] if demanded else wanted
        yield place, f"`fields` is missing: say which columns hold Gong's fields, at least {', '.join(wanted)}"


def _changes(source: EntitySource, place: Place) -> Iterator[Fault]:
    if source.changes is None:
        return
    if not source.changes:
        yield (*place, "changes"), "the list is empty"
    if source.modified is None:
        message = "has a meaning together with `modified` only: a source without it is read whole in every pass"
        yield (*place, "changes"), message
    for index, feed in enumerate(source.changes):
        given = [name for name in ("table", "query") if getattr(feed, name) is not None]
        if len(given) != 1:
            stated = " and ".join(f"`{name}`" for name in given) or "none"
            here = (*place, "changes", index)
            yield here, f"exactly one of `table` and `query` is meant here; given: {stated}"


_OF_A_LOG = ("field", "before", "after", "names")


def _history(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    history, here = source.history, (*place, "history")
    if history is None:
        return
    if object_type not in SCHEMA_TYPES:
        yield here, f"Gong keeps no history of {object_type}; only of {', '.join(SCHEMA_TYPES)}"
    given = [name for name in ("table", "query") if getattr(history, name) is not None]
    if len(given) != 1:
        stated = " and ".join(f"`{name}`" for name in given) or "none"
        yield here, f"exactly one of `table` and `query` is meant here; given: {stated}"
    if history.kind == "field_log":
        for name in _OF_A_LOG:
            if not getattr(history, name):
                yield here, f"`{name}` is missing: a field_log needs {', '.join(_OF_A_LOG)}"
        if history.deleted is not None:
            yield (*here, "deleted"), "has a meaning for `kind: versions` only"
        return
    for name in (*_OF_A_LOG, "created"):
        if getattr(history, name) is not None:
            yield (*here, name), "has a meaning for `kind: field_log` only"


def unknown_fields(object_type: ObjectType, names: Iterable[str], place: Place) -> Iterator[Fault]:
    """Yield the names under `fields` that are not standard fields of the type."""
    known = standard_names(object_type)
    for name in names:
        if name in known:
            continue
        if name in _SAID_ELSEWHERE:
            yield (*place, "fields", name), _SAID_ELSEWHERE[name]
        else:
            more = " Fields of your own go to `additional_fields`." if object_type in SCHEMA_TYPES else ""
            message = f"{object_type} has no such field. {suggestion(name, known)}{more}"
            yield (*place, "fields", name), message


def _demanded(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    demanded = DEMANDED.get(object_type)
    given = {*source.fields, *(name for row in source.rows or () for name in row)}
    if demanded and given and demanded not in given:
        where = (*place, "fields" if source.rows is None else "rows")
        yield where, f"`{demanded}` is missing: Gong refuses a {object_type} without it"


def _additional_fields(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    if source.additional_fields and object_type not in SCHEMA_TYPES:
        yield (*place, "additional_fields"), f"Gong takes none for {object_type}; only for {', '.join(SCHEMA_TYPES)}"
        return
    seen: set[str] = set()
    for index, field in enumerate(source.additional_fields):
        here = (*place, "additional_fields", index)
        if field.name in (*STANDARD_FIELDS[object_type], *COMMON_FIELDS):
            yield (*here, "name"), f"'{field.name}' is a standard field of Gong's; map it under `fields`"
        if field.name in seen:
            yield (*here, "name"), f"the additional field '{field.name}' stands twice"
        seen.add(field.name)
        yield from _additional_type(field, here)


def _additional_type(field: AdditionalField, here: Place) -> Iterator[Fault]:
    types = [member.value for member in FieldType]
    if field.type not in types:
        yield (*here, "type"), f"'{field.type}' is not a type of Gong's. {suggestion(field.type, types)}"
        return
    yield from _picklist(field, here)
    targets = ", ".join(REFERENCE_TARGETS)
    if field.type == FieldType.REFERENCE and field.reference_to is None:
        yield here, f"a REFERENCE needs `reference_to`: one of {targets}"
    if field.type != FieldType.REFERENCE and field.reference_to is not None:
        yield (*here, "reference_to"), "has a meaning for REFERENCE only"
    elif field.reference_to is not None and field.reference_to not in REFERENCE_TARGETS:
        hint = suggestion(field.reference_to, REFERENCE_TARGETS)
        yield (*here, "reference_to"), f"'{field.reference_to}' is not something to refer to. {hint}"


def _picklist(field: AdditionalField, here: Place) -> Iterator[Fault]:
    if field.type != FieldType.PICKLIST:
        for name in ("values", "unlisted"):
            if name in field.model_fields_set:
                yield (*here, name), "has a meaning for PICKLIST only"
        return
    if field.values is None and field.unlisted in ("refuse", "null"):
        message = "has a meaning together with `values` only: without them the list is what occurs"
        yield (*here, "unlisted"), message
    if not isinstance(field.values, list):
        return
    listed = set(field.values)
    if not listed:
        yield (*here, "values"), "is empty; leave `values` out to have the values that occur"
    if len(listed) < len(field.values):
        yield (*here, "values"), "a value stands twice"
    if len(listed) > MOST_VALUES:
        yield (*here, "values"), f"more than {MOST_VALUES:,} values make no list to pick from: make the field a STRING"
    if field.unlisted == "add" or not listed:
        return
    said: list[tuple[Place, str | None]] = [
        (("default",), field.default),
        *((("value",), text) for text in field.constants),
    ]
    said += [(("map", key), text) for key, text in (field.map or {}).items()]
    for place, text in said:
        if text is not None and text.strip() and text not in listed:
            yield (*here, *place), f"'{text}' is not among the field's `values`. {suggestion(text, field.values)}"


def _block(binding: Binding) -> Iterator[Fault]:
    block, place = binding.block, binding.place
    given = [name for name in ("column", "value", "template") if name in block.model_fields_set]
    if len(given) != 1:
        stated = " and ".join(f"`{name}`" for name in given) or "none"
        yield place, f"exactly one of `column`, `value` and `template` is meant here; given: {stated}"
    if given == ["value"]:
        for name in ("null_if", "split", "convert", "unreadable", "map", "default"):
            if name in block.model_fields_set:
                yield (*place, name), "has no meaning for a constant; leave it out"
    if block.template is not None:
        try:
            template_parts(block.template)
        except ValueError as error:
            yield (*place, "template"), str(error)
    if block.split is not None and binding.kind is not Kind.DOMAINS:
        yield (*place, "split"), f"makes a list, and {binding.field} holds no list; only domains does"
    yield from _converters(binding)
    if block.map is not None and not block.map:
        yield (*place, "map"), "is empty"
    yield from _constants(binding)


def _converters(binding: Binding) -> Iterator[Fault]:
    block, place = binding.block, (*binding.place, "convert")
    for index, (name, argument) in enumerate(block.converters):
        try:
            converter(name, argument)
        except ValueError as error:
            yield (*place, index) if isinstance(block.convert, list) else place, str(error)
    if "unreadable" in block.model_fields_set and block.convert is None and "value" not in block.model_fields_set:
        yield (*binding.place, "unreadable"), "has a meaning together with `convert` only"


def _constants(binding: Binding) -> Iterator[Fault]:
    block, place = binding.block, binding.place
    if isinstance(block.value, list) and binding.kind is not Kind.DOMAINS:
        yield (*place, "value"), f"a list is meant for domains only, and {binding.field} holds {binding.kind}"
        return
    constants: list[tuple[Place, str | None]] = [((*place, "value"), text) for text in block.constants]
    constants.extend(((*place, "map", key), text) for key, text in (block.map or {}).items())
    constants.append(((*place, "default"), block.default))
    read = reader(binding.kind, ColumnKind.TEXT, UTC)
    for where, text in constants:
        if text is None:
            continue
        try:
            to_json(read(text))
        except Unfit as unfit:
            yield where, f"'{text}' does not fit {binding.field}: it {unfit.reason}"


def _rows(object_type: ObjectType, source: EntitySource, place: Place) -> Iterator[Fault]:
    assert source.rows is not None
    columns = {column for binding in bindings_of(object_type, source, place) for column in binding.columns}
    known = ("objectId", *standard_names(object_type), *sorted(columns))
    seen: set[str] = set()
    for index, row in enumerate(source.rows):
        here = (*place, "rows", index)
        for name in row:
            if name not in known:
                yield (*here, name), f"{object_type} has no such field. {suggestion(name, dict.fromkeys(known))}"
        key = row.get("objectId")
        try:
            object_id = object_id_of(key)
        except Unfit as unfit:
            yield (*here, "objectId") if key else here, f"the objectId {'is missing' if not key else unfit.reason}"
            continue
        if object_id in seen:
            yield (*here, "objectId"), f"the objectId '{object_id}' stands twice"
        seen.add(object_id)
