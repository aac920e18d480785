"""The rules of additional fields: what a POST of entity-schema may hold and what it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.object_types import COMMON_FIELDS, REFERENCE_TARGETS, STANDARD_FIELDS, FieldType, ObjectType
from connector.sandbox.refusal import Refusal


@dataclass(frozen=True, slots=True)
class AdditionalField:
    """One additional field of an object type."""

    unique_name: str
    label: str
    type: str
    reference_to: str | None = None
    values: tuple[str, ...] | None = None
    last_modified: str | None = None

    def as_json(self, name_key: str = "uniqueName") -> dict[str, Any]:
        """Return the field as the API shows it; `name_key` is the key of its name."""
        shown: dict[str, Any] = {name_key: self.unique_name, "label": self.label, "type": self.type}
        if self.reference_to is not None:
            shown["referenceTo"] = self.reference_to
        if self.values is not None:
            shown["orderedValueList"] = list(self.values)
        if self.last_modified is not None:
            shown["lastModified"] = self.last_modified
        return shown


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What a POST does to a type's additional fields."""

    fields: tuple[AdditionalField, ...]
    """All fields afterwards, in the order of the POST."""
    fresh: frozenset[str]
    """Fields that are new, or new again under another type: only values sent from now on are shown."""
    dropped: frozenset[str]
    """Fields whose stored values are gone: deleted ones and those that changed their type."""


def plan(object_type: ObjectType, existing: Mapping[str, AdditionalField], body: Any) -> SchemaChange:
    """Return what `body` (the JSON of a POST) does to the `existing` fields; raise Refusal (400) for a bad one."""
    posted, deleted = _parse(object_type, body)
    left_out = [name for name in existing if name not in posted and name not in deleted]
    if left_out:
        raise Refusal(400, *(f"Field [{name}] of {object_type} is missing in the schema" for name in left_out))
    retyped = {name for name, field in posted.items() if name in existing and existing[name].type != field.type}
    return SchemaChange(
        fields=tuple(posted.values()),
        fresh=frozenset(posted.keys() - existing.keys() | retyped),
        dropped=frozenset((deleted & existing.keys()) | retyped),
    )


def standard_fields(object_type: ObjectType) -> list[AdditionalField]:
    """Return Gong's own fields as GET entity-schema would list them (types by name, near enough to read)."""
    types = {"domains": "STRINGARRAY", "amount": "CURRENCY", "closeDate": "DATE", "createdDate": "DATETIME"}
    types |= {"modifiedDate": "DATETIME", "isDeleted": "BOOLEAN", "url": "URL", "emailAddress": "EMAILADDRESS"}
    names = (*COMMON_FIELDS, *STANDARD_FIELDS[object_type])
    return [AdditionalField(name, name, types.get(name, "STRING")) for name in names]


def _parse(object_type: ObjectType, body: Any) -> tuple[dict[str, AdditionalField], set[str]]:
    if not isinstance(body, list):
        raise Refusal(400, "The body must be a JSON array of fields")
    posted: dict[str, AdditionalField] = {}
    deleted: set[str] = set()
    for item in body:
        field = _field(object_type, item)
        if field.unique_name in posted or field.unique_name in deleted:
            raise Refusal(400, f"Field [{field.unique_name}] appears more than once")
        if item.get("isDeleted"):
            deleted.add(field.unique_name)
        else:
            posted[field.unique_name] = field
    return posted, deleted


def _field(object_type: ObjectType, item: Any) -> AdditionalField:
    if not isinstance(item, dict):
        raise Refusal(400, "Each field must be a JSON object")
    for key in ("uniqueName", "label", "type"):
        if not isinstance(item.get(key), str) or not item[key]:
            raise Refusal(400, f"Mandatory property [{key}] of a field is missing or empty")
    name, kind = item["uniqueName"], item["type"]
    if name in STANDARD_FIELDS[object_type] or name in COMMON_FIELDS:
        raise Refusal(400, f"Field [{name}] is a standard field of {object_type}")
    if kind == "STRINGARRAY":
        raise Refusal(400, f"Field [{name}]: type STRINGARRAY is reserved")
    if kind not in FieldType.__members__:
        raise Refusal(400, f"Field [{name}]: unknown type [{kind}]")
    if not isinstance(item.get("isDeleted"), bool | None):
        raise Refusal(400, f"Field [{name}]: isDeleted must be a boolean")
    if not isinstance(item.get("lastModified"), str | None):
        raise Refusal(400, f"Field [{name}]: lastModified must be a string")
    gone = item.get("isDeleted") is True
    return AdditionalField(
        unique_name=name,
        label=item["label"],
        type=kind,
        reference_to=_reference_to(name, kind, item.get("referenceTo"), gone),
        values=_values(name, kind, item.get("orderedValueList"), gone),
        last_modified=item.get("lastModified"),
    )


def _reference_to(name: str, kind: str, target: Any, gone: bool) -> str | None:
    if not isinstance(target, str | None):
        raise Refusal(400, f"Field [{name}]: referenceTo must be a string")
    if kind == FieldType.REFERENCE and not gone and target not in REFERENCE_TARGETS:
        raise Refusal(400, f"Field [{name}]: referenceTo must be one of {', '.join(REFERENCE_TARGETS)}")
    return target


def _values(name: str, kind: str, values: Any, gone: bool) -> tuple[str, ...] | None:
    if values is not None and not (isinstance(values, Sequence) and _all_text(values)):
        raise Refusal(400, f"Field [{name}]: orderedValueList must be an array of strings")
    if kind == FieldType.PICKLIST and not gone and not values:
        raise Refusal(400, f"Field [{name}]: orderedValueList is mandatory for a PICKLIST")
    return tuple(values) if values is not None else None


def _all_text(values: Sequence[Any]) -> bool:
    return not isinstance(values, str) and all(isinstance(value, str) for value in values)
