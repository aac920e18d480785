"""Loads the mapping file: its shape and rules are checked, and what is to be read from the source is named."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from connector.errors import ConfigProblems, Problem
from connector.mapping import shape
from connector.mapping.bindings import Binding, bindings_of
from connector.mapping.converters import EMAIL_ADDRESS
from connector.mapping.document import Document, Place, Tree, read_document
from connector.mapping.kinds import Kind
from connector.mapping.nearest import suggestion
from connector.mapping.picklists import Picklist, Unlisted
from connector.mapping.rules import faults, unknown_fields
from connector.model import Relation
from connector.object_types import FieldType, ObjectType

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class EntityOrigin:
    """One entity source as the file has it."""

    type: ObjectType
    name: str
    """`DEAL`, or `CONTACT.2` for the second of several."""
    place: Place
    source: shape.EntitySource
    bindings: tuple[Binding, ...]
    relation: Relation | None
    """What to read; None for `rows`."""
    feeds: tuple[Relation, ...]
    """The tables of `changes`: `CONTACT.changes.1` and so on."""
    history: Relation | None
    """What `history` reads: `DEAL.history`. Of versions, the columns are still to be chosen from the catalog."""

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All that is read: its own, its `changes`, its `history`."""
        return tuple(relation for relation in (self.relation, *self.feeds, self.history) if relation is not None)


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file whose shape and rules hold; the source's catalog has not been asked yet."""

    path: Path
    integration_name: str
    owner_email: str
    timezone: str
    """IANA zone of datetimes without offset."""
    origins: tuple[EntityOrigin, ...]
    """The entity sources, in Gong's order of types, then as written."""
    fingerprint: str
    """Changes when anything in the file changes but comments, layout and the order of keys."""
    where: Callable[[Place], str]
    """Names a place in the file for a message."""

    @property
    def relations(self) -> tuple[Relation, ...]:
        """What is read from the source, in the order of `origins`: each one's own, its `changes`, its `history`."""
        return tuple(relation for origin in self.origins for relation in origin.relations)

    def picklists(self) -> dict[ObjectType, dict[str, Picklist]]:
        """Make the picklists of each type by the name of their field; those that a query fills are not known yet."""
        made: dict[ObjectType, dict[str, Picklist]] = {object_type: {} for object_type in ObjectType}
        for origin in self.origins:
            for index, field in enumerate(origin.source.additional_fields):
                if field.type == FieldType.PICKLIST and field.name not in made[origin.type]:
                    place = (*origin.place, "additional_fields", index)
                    made[origin.type][field.name] = _picklist(field, place, self.where)
        return made


def _picklist(field: shape.AdditionalField, place: Place, where: Callable[[Place], str]) -> Picklist:
    query = field.values.query if isinstance(field.values, shape.PicklistQuery) else None
    listed = field.values if isinstance(field.values, list) else ()
    unlisted = Unlisted(field.unlisted or ("add" if field.values is None else "refuse"))
    own = [text for text in (field.default, *field.constants) if text is not None and text.strip()]
    named = where((*place, "values", "query") if query else (*place, "values") if listed else place)
    return Picklist(named, unlisted, query, listed, own)


def load(path: Path) -> MappingFile:
    """Read and check the mapping file. Raises ConfigProblems with everything that is wrong with it."""
    document = read_document(path)
    if not isinstance(document.tree, dict):
        raise ConfigProblems([Problem(document.where(()), "the file is meant to hold `version`, `entities` and so on")])
    problems: list[Problem] = []
    tree = dict(document.tree)
    entities = tree.pop("entities", {})
    head = _shaped(shape.Head, tree, (), document, problems)
    if head is not None:
        problems.extend(_head_problems(head, document))
    timezone = head.source.timezone if head is not None else "UTC"
    origins = _origins(entities, timezone, document, problems)
    problems.extend(_shared_fields(origins, document))
    if problems:
        raise ConfigProblems(in_order(problems, path))
    assert head is not None, "a head that has not its shape is a problem"
    return MappingFile(
        path=path,
        integration_name=head.integration.name,
        owner_email=head.integration.owner_email,
        timezone=timezone,
        origins=origins,
        fingerprint=_hash(document.tree),
        where=document.where,
    )


def _hash(content: Any) -> str:
    written = json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.blake2b(written, digest_size=16).hexdigest()


def in_order(problems: Iterable[Problem], path: Path) -> list[Problem]:
    """Return problems of the file at `path` by line."""
    return sorted(problems, key=lambda problem: int(problem.where.removeprefix(f"{path}:").split(" ")[0]))


def _head_problems(head: shape.Head, document: Document) -> Iterator[Problem]:
    if EMAIL_ADDRESS.fullmatch(head.integration.owner_email) is None:
        place = ("integration", "owner_email")
        yield Problem(document.where(place), "an e-mail address of one of Gong's users is meant here")
    try:
        ZoneInfo(head.source.timezone)
    except (ValueError, OSError, KeyError):
        message = f"'{head.source.timezone}' is not an IANA time zone, such as UTC or Europe/Berlin"
        yield Problem(document.where(("source", "timezone")), message)


def _origins(entities: Tree, timezone: str, document: Document, problems: list[Problem]) -> tuple[EntityOrigin, ...]:
    place: Place = ("entities",)
    if not isinstance(entities, dict) or not entities:
        message = "say what to send: a block for each of " + ", ".join(ObjectType)
        problems.append(Problem(document.where(place), message))
        return ()
    for name in entities:
        if name not in list(ObjectType):
            message = f"is not one of Gong's object types. {suggestion(name, ObjectType)}"
            problems.append(Problem(document.where((*place, name)), message))
    found: list[EntityOrigin] = []
    for object_type in ObjectType:
        if object_type not in entities:
            continue
        content = entities[object_type]
        if content == []:
            problems.append(Problem(document.where((*place, object_type.value)), "the list is empty"))
        several = isinstance(content, list)
        for index, item in enumerate(content if isinstance(content, list) else [content]):
            here: Place = (*place, object_type.value, index) if several else (*place, object_type.value)
            name = f"{object_type}.{index + 1}" if several else str(object_type)
            origin = _origin(object_type, name, item, here, timezone, document, problems)
            if origin is not None:
                found.append(origin)
    return tuple(found)


def _origin(
    object_type: ObjectType,
    name: str,
    content: Tree,
    place: Place,
    timezone: str,
    document: Document,
    problems: list[Problem],
) -> EntityOrigin | None:
    source = _shaped(shape.EntitySource, content, place, document, problems)
    if source is None:
        fields = content.get("fields") if isinstance(content, dict) else None
        named = unknown_fields(object_type, fields if isinstance(fields, dict) else (), place)
        problems.extend(Problem(document.where(where), message) for where, message in named)
        return None
    wrong = [Problem(document.where(where), message) for where, message in faults(object_type, source, place)]
    if wrong:
        problems.extend(wrong)
        return None
    source = _numbered(object_type, source)
    bindings = bindings_of(object_type, source, place)
    relation = None
    if source.rows is None:
        assert source.key is not None, "a rule demands it"
        relation = Relation(
            name=name,
            table=source.table,
            query=source.query,
            where=source.where,
            key=source.key,
            modified=source.modified,
            deleted=source.deleted,
            columns=_columns(source, bindings),
            as_text=_as_text(source, bindings),
            timezone=timezone,
        )
    feeds, history = _feeds(name, source, timezone), _history(name, source, timezone)
    return EntityOrigin(object_type, name, place, source, bindings, relation, feeds, history)


def _columns(source: shape.EntitySource, bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the columns to read: those of the fields, and behind them what only the history needs."""
    columns = dict.fromkeys(column for binding in bindings for column in binding.columns)
    if source.history is not None and source.history.created is not None:
        columns[source.history.created] = None
    return tuple(columns)


_WRITTEN: Final = (Kind.DATETIME, Kind.DATE, Kind.NUMBER)
"""Kinds of field that say the same of a value and of its text."""


def _as_text(source: shape.EntitySource, bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the columns of which only the written form matters: no text field shows it, no condition compares it."""
    if source.history is not None:  # compares what the row holds with what the history says
        return ()
    users: dict[str, list[Binding]] = {}
    for binding in bindings:
        for column in binding.columns:
            users.setdefault(column, []).append(binding)
    if source.modified is not None:
        users.setdefault(source.modified, [])
    return tuple(column for column, using in users.items() if all(map(_only_writes, using)))


def _only_writes(binding: Binding) -> bool:
    block = binding.block
    changes = (block.template, block.null_if, block.split, block.map, block.convert)
    return binding.kind in _WRITTEN and all(change is None for change in changes)


def _history(name: str, source: shape.EntitySource, timezone: str) -> Relation | None:
    history = source.history
    if history is None:
        return None
    assert source.key is not None, "a rule demands it"
    of_a_log = (history.field, history.before, history.after, history.sequence)
    return Relation(
        name=f"{name}.history",
        table=history.table,
        query=history.query,
        where=history.where,
        key=history.key or source.key,
        modified=history.changed_at,
        deleted=history.deleted,
        columns=tuple(column for column in of_a_log if column is not None),
        timezone=timezone,
    )


def _feeds(name: str, source: shape.EntitySource, timezone: str) -> tuple[Relation, ...]:
    return tuple(
        Relation(
            name=f"{name}.changes.{number}",
            table=feed.table,
            query=feed.query,
            where=feed.where,
            key=feed.key,
            modified=feed.modified,
            deleted=None,
            columns=(),
            timezone=timezone,
        )
        for number, feed in enumerate(source.changes or (), start=1)
    )


def _numbered(object_type: ObjectType, source: shape.EntitySource) -> shape.EntitySource:
    """Give stages that are listed in the file, and say nothing of their order, the order of the list."""
    if object_type is not ObjectType.STAGE or source.rows is None or "sortOrder" in source.fields:
        return source
    if any("sortOrder" in row for row in source.rows):
        return source
    rows = [{**row, "sortOrder": str(index)} for index, row in enumerate(source.rows, start=1)]
    return source.model_copy(update={"rows": rows})


def _shared_fields(origins: tuple[EntityOrigin, ...], document: Document) -> Iterator[Problem]:
    """Several sources of one type share Gong's schema: a field of one name must be the same in all."""
    first: dict[tuple[ObjectType, str], tuple[Any, ...]] = {}
    for origin in origins:
        for index, field in enumerate(origin.source.additional_fields):
            said = (field.label or field.name, field.type, field.reference_to, field.values, field.unlisted)
            if first.setdefault((origin.type, field.name), said) != said:
                place = (*origin.place, "additional_fields", index)
                message = f"'{field.name}' is another in an earlier source of {origin.type}; "
                yield Problem(
                    document.where(place), message + "label, type, values, unlisted and reference_to must be equal"
                )


def _shaped(
    model: type[Model], content: Tree, place: Place, document: Document, problems: list[Problem]
) -> Model | None:
    """Return `content` in its shape; None when it has not that shape, which goes to `problems`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            inner = tuple(part for part in detail["loc"] if not (isinstance(part, str) and part[:1] == "<"))
            where, message = _words(detail["type"], (*place, *inner), detail.get("ctx", {}))
            problems.append(Problem(document.where(where), message))
        return None


def _words(fault: str, place: Place, context: Mapping[str, Any]) -> tuple[Place, str]:
    """Say in the user's words what the shape has found."""
    match fault:
        case "extra_forbidden":
            return place, f"unknown key. {suggestion(str(place[-1]), _keys_meant(place))}"
        case "missing":
            return place[:-1], f"`{place[-1]}` is missing"
        case "value_error":
            return place, str(context["error"])
        case "literal_error":
            return place, "1 is meant here, the only version there is"
        case "list_type":
            return place, "a list is meant here"
        case _:
            return place, "a block of `key: value` lines is meant here"


def _keys_meant(place: Place) -> list[str]:
    """Return the keys that can stand where an unknown one was found."""
    model: type[BaseModel]
    match place[:-1]:
        case ():
            return [*shape.Head.model_fields, "entities"]
        case ("integration",):
            model = shape.Integration
        case ("source",):
            model = shape.SourceDefaults
        case (*_, "fields", str()):
            model = shape.FieldBlock
        case (*_, "additional_fields", int()):
            model = shape.AdditionalField
        case (*_, "changes", int()):
            model = shape.Feed
        case (*_, "history"):
            model = shape.History
        case (*_, "additional_fields", int(), "values"):
            model = shape.PicklistQuery
        case _:
            model = shape.EntitySource
    return list(model.model_fields)
