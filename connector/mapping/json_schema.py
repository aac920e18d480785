"""The JSON Schema of the mapping file, made from its shape; editors complete and check the file by it.

`python -m connector.mapping > config/mapping.schema.json` writes it anew.
"""

from typing import Any

from pydantic import TypeAdapter

from connector.mapping.bindings import standard_names
from connector.mapping.shape import EntitySource, Head
from connector.object_types import SCHEMA_TYPES, ObjectType


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the mapping file."""
    head = _plain(TypeAdapter(Head).json_schema(ref_template="#/$defs/{model}"))
    entity = _plain(TypeAdapter(EntitySource).json_schema(ref_template="#/$defs/{model}"))
    definitions = {**head.pop("$defs"), **entity.pop("$defs")}
    entities: dict[str, Any] = {}
    for object_type in ObjectType:
        definitions[object_type.value] = _entity_of(object_type, entity)
        one = {"$ref": f"#/$defs/{object_type}"}
        entities[object_type.value] = {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}
    head["properties"]["entities"] = {
        "type": "object",
        "description": "What is sent, by Gong's object types: one source each, or a list of several.",
        "properties": entities,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **head,
        "title": "Mapping file of gong-connector",
        "description": "Which tables and columns of the CRM's database become which objects and fields in Gong.",
        "required": [*head["required"], "entities"],
        "$defs": dict(sorted(definitions.items())),
    }


def _entity_of(object_type: ObjectType, entity: dict[str, Any]) -> dict[str, Any]:
    """Narrow the general entity to one type: its own standard fields, and additional ones where Gong has them."""
    properties = dict(entity["properties"])
    spec = properties["fields"]["additionalProperties"]
    properties["fields"] = {
        "type": "object",
        "description": properties["fields"]["description"],
        "properties": dict.fromkeys(standard_names(object_type), spec),
        "additionalProperties": False,
    }
    if object_type not in SCHEMA_TYPES:
        del properties["additional_fields"]
    return {**entity, "title": object_type.value, "properties": properties}


def _plain(schema: Any) -> Any:
    """Drop what only says that a key may be left out, and generated titles."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value in (None, {}, []))
    }
    options = [option for option in plain.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        del plain["anyOf"]
        plain = {**options[0], **plain}
    return plain
