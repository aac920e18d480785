"""Compiles a mapping file, held against the source's catalog, into encoders and Gong's schema."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from connector.errors import ConfigProblems, Problem, SourceChanged
from connector.mapping.bindings import Binding
from connector.mapping.checks import Catalog, check
from connector.mapping.encoder import Entity, compile_entity, zone_of
from connector.mapping.file import EntityOrigin, MappingFile
from connector.mapping.history import History, Places
from connector.mapping.picklists import Picklist
from connector.mapping.shape import AdditionalField
from connector.model import FIRST_COLUMN, Column, Encoded, Relation, Row, SchemaField
from connector.object_types import SCHEMA_TYPES, ObjectType

_VALUE_RULES: Final = 1
"""Raise it when the rules of values change so that an unchanged row may make another line."""


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A mapping ready for work."""

    entities: tuple[Entity, ...]
    """The entity sources, in Gong's order of types, then as written."""
    additional: Mapping[ObjectType, tuple[AdditionalField, ...]]
    """The additional fields of each type that may have some, in the file's order."""
    picklists: Mapping[ObjectType, Mapping[str, Picklist]]
    """The lists of values of each type, by the name of the field."""
    histories: Mapping[str, History]
    """What the CRM kept of earlier times, by the entity source's name, where the file says so."""

    @property
    def schema_fields(self) -> dict[ObjectType, tuple[SchemaField, ...]]:
        """The additional fields of each type as they are now: picklists change. One that grows may hold nothing yet."""
        return {
            object_type: tuple(_schema_field(field, self.picklists[object_type].get(field.name)) for field in fields)
            for object_type, fields in self.additional.items()
        }


Lookup = Callable[[Relation], Mapping[str, Column]]
"""Returns a relation's columns by name, as they are now; raises ConnectorError."""


def compile_mapping(
    file: MappingFile,
    catalog: Catalog,
    picklists: Mapping[ObjectType, Mapping[str, Picklist]],
    changed: Collection[str] = (),
    lookup: Lookup | None = None,
) -> CompiledMapping:
    """Compile `file` with the picklists that it made. Those that a query fills have to be given their values before
    lines are made.

    Entity sources that are named in `changed` do not fit the catalog any more. They are compiled once they do, when
    their first rows are to become lines: until then `Entity.encode` raises SourceChanged. They have no history.

    Raises ConfigProblems when the mapping does not fit the catalog otherwise, and when an
    object listed in the file is not fit for Gong.
    """
    problems = check(file, catalog, changed)
    if problems:
        raise ConfigProblems(problems)
    entities = tuple(
        _entity(origin, file, catalog, picklists[origin.type])
        if lookup is None or origin.name not in changed
        else _late_entity(origin, file, picklists[origin.type], lookup)
        for origin in file.origins
    )
    for origin, entity in zip(file.origins, entities, strict=True):
        problems.extend(_unfit_rows(origin, entity, file))
    if problems:
        raise ConfigProblems(problems)
    histories = {
        origin.name: _history(origin, origin.history, entity, file, catalog, picklists[origin.type])
        for origin, entity in zip(file.origins, entities, strict=True)
        if origin.history is not None and origin.name not in changed
    }
    return CompiledMapping(entities, _additional(file), picklists, histories)


Lists = Mapping[str, Picklist]


def _entity(
    origin: EntityOrigin,
    file: MappingFile,
    catalog: Catalog,
    picklists: Lists,
    bindings: Sequence[Binding] | None = None,
) -> Entity:
    names = [field.name for field in origin.source.additional_fields]
    return compile_entity(
        object_type=origin.type,
        name=origin.name,
        relation=origin.relation,
        feeds=origin.feeds,
        bindings=origin.bindings if bindings is None else bindings,
        columns=catalog.get(origin.name, {}) if origin.relation else {},
        rows=origin.source.rows or (),
        zone=ZoneInfo(file.timezone),
        made_of=_fingerprint(origin),
        exact_keys=origin.source.distinct_keys == "exact",
        interval=origin.source.interval_seconds,
        picklists={name: picklists[name] for name in names if name in picklists},
    )


def _late_entity(origin: EntityOrigin, file: MappingFile, picklists: Lists, lookup: Lookup) -> Entity:
    """Compile an entity source whose columns changed, again and again until it fits what is there."""
    fitting: list[Entity] = []

    def encode(rows: Sequence[Row], now: int) -> Encoded:
        if not fitting:
            assert origin.relation is not None, "what the file lists itself does not change"
            catalog = {origin.name: lookup(origin.relation)}
            faults = check(replace(file, origins=(origin,)), catalog)
            if faults:
                raise SourceChanged("\n".join(map(str, faults)))
            fitting.append(_entity(origin, file, catalog, picklists))
        return fitting[0].encode(rows, now)

    return replace(_entity(origin, file, {}, picklists), _encode=encode)


def _history(
    origin: EntityOrigin, relation: Relation, entity: Entity, file: MappingFile, catalog: Catalog, picklists: Lists
) -> History:
    """Compile a history; that its columns exist is checked."""
    said = origin.source.history
    assert said is not None
    assert origin.relation is not None
    here, there = catalog[origin.relation.name], catalog[relation.name]
    places = {column: FIRST_COLUMN + index for index, column in enumerate(origin.relation.columns)}
    log, version_places = None, tuple[int, ...]()
    if said.kind == "field_log":
        names = said.names or {}
        known = set(names.values())
        log = Places(
            {name: places[column] for name, column in names.items()},
            {place: (column, here[column].kind) for column, place in places.items()},
            None if said.created is None else places[said.created],
        )
    else:
        known = {column for column in places if column in there}
        shared = tuple(column for column in places if column in known)
        version_places = tuple(places[column] for column in shared)
        relation = replace(relation, columns=(*shared, *relation.columns))
    if said.unknown == "leave_out":
        told = [binding for binding in origin.bindings if set(binding.columns) <= known | {origin.relation.key}]
        entity = _entity(origin, file, catalog, picklists, told)
    zone = zone_of(there[relation.modified or ""], ZoneInfo(file.timezone))
    return History(relation, entity, zone, said.sequence is not None, log, version_places)


def _fingerprint(origin: EntityOrigin) -> str:
    """Hash what decides about lines: what is read, and each field's making; labels and what lists hold have no part."""
    fields = [
        (
            binding.field,
            binding.kind,
            binding.is_web_address,
            binding.block.model_dump(exclude=_SCHEMA_ONLY, exclude_unset=True),
        )
        for binding in origin.bindings
    ]
    used = tuple(dict.fromkeys(column for binding in origin.bindings for column in binding.columns))
    relation = asdict(replace(origin.relation, columns=used, as_text=())) if origin.relation else None
    content = [_VALUE_RULES, origin.type, relation, origin.source.rows, fields]
    written = json.dumps(content, sort_keys=True).encode()
    return hashlib.blake2b(written, digest_size=16).hexdigest()


_SCHEMA_ONLY = set(AdditionalField.model_fields) & {"name", "label", "type", "values", "reference_to"}


def _unfit_rows(origin: EntityOrigin, entity: Entity, file: MappingFile) -> list[Problem]:
    problems: list[Problem] = []
    if any(picklist.unknown for picklist in entity.picklists.values()):
        return problems
    for index, row in enumerate(entity.static_rows):
        refusals = entity.encode([row], 0).refusals
        place = (*origin.place, "rows", index)
        problems.extend(Problem(file.where((*place, refusal.field)), refusal.reason) for refusal in refusals)
    return problems


def _additional(file: MappingFile) -> dict[ObjectType, tuple[AdditionalField, ...]]:
    """Return each type's additional fields once: several sources of a type say the same of a field."""
    found: dict[ObjectType, dict[str, AdditionalField]] = {object_type: {} for object_type in SCHEMA_TYPES}
    for origin in file.origins:
        for field in origin.source.additional_fields:
            found[origin.type].setdefault(field.name, field)
    return {object_type: tuple(fields.values()) for object_type, fields in found.items()}


def _schema_field(field: AdditionalField, picklist: Picklist | None) -> SchemaField:
    values, grows = (None, False) if picklist is None else (picklist.values, picklist.grows)
    return SchemaField(field.name, field.label or field.name, field.type, field.reference_to, values, grows)
