"""The API's JSON shapes, read leniently: unknown keys are ignored, only what is needed must be right."""

import re
from collections.abc import Sequence
from typing import Any

from connector.gong.answer import plain
from connector.gong.outcomes import Integration
from connector.model import LineError, Processing, RequestStatus, SchemaField
from connector.object_types import ObjectType

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


class WrongShape(Exception):
    """The answer is not what the API promises; the text says where, without values. Never leaves the package."""


def read_integrations(document: Any) -> list[Integration]:
    """Return the integrations listed by GET /v2/crm/integrations."""
    return [
        Integration(
            _integration_id(_object(item, "an integration")),
            _text(item.get("name")),
            _text(item.get("ownerEmail")),
        )
        for item in _list(_object(document, "the answer").get("integrations", []), "integrations")
    ]


def read_registration(document: Any) -> int:
    """Return the integration id that PUT /v2/crm/integrations assigned."""
    return _integration_id(_object(document, "the answer"))


def read_schema(document: Any, object_type: ObjectType) -> dict[str, SchemaField]:
    """Return the fields of one type by name, as GET /v2/crm/entity-schema lists them, deleted ones left out.

    A field's key is `uniqueName` in one reference and `name` in the other.
    """
    types = _object(_object(document, "the answer").get("objectTypeToSelectedFields"), "the types")
    fields = {}
    for item in _list(types.get(object_type.value) or [], "the fields"):
        field = _object(item, "a field")
        name = field.get("uniqueName") or field.get("name")
        if not isinstance(name, str):
            raise WrongShape("a field has no name")
        if field.get("isDeleted") is not True:
            fields[name] = SchemaField(
                unique_name=name,
                label=_text(field.get("label")),
                type=_text(field.get("type")),
                reference_to=_text(field.get("referenceTo")) or None,
                values=_values(field.get("orderedValueList")),
            )
    return fields


def schema_document(fields: Sequence[SchemaField], deleted: Sequence[SchemaField]) -> list[dict[str, Any]]:
    """Return the body of POST /v2/crm/entity-schema: every field of the type, and those to be removed."""
    return [_field_document(field) for field in fields] + [
        _field_document(field) | {"isDeleted": True} for field in deleted
    ]


def read_request_status(document: Any) -> RequestStatus:
    """Return what GET /v2/crm/request-status says.

    An error that names no line counts as one of the whole file (line 0). Totals that are missing become
    the number of errors listed, and 0.
    """
    answer = _object(document, "the answer")
    try:
        processing = Processing(_text(answer.get("status")))
    except ValueError:
        raise WrongShape("no known status") from None
    listed = answer.get("errors") or []
    errors = tuple(_line_error(item) for item in (listed if isinstance(listed, list) else [listed]))
    return RequestStatus(
        processing,
        errors,
        error_count=_count(answer.get("totalErrorCount"), len(errors)),
        success_count=_count(answer.get("totalSuccessCount"), 0),
    )


def read_objects(document: Any, ids: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """Return the object of each id as GET /v2/crm/entities gives it; None where Gong has none."""
    found = _object(_object(document, "the answer").get("crmObjectsMap"), "the objects")
    return {key: None if found.get(key) is None else _object(found[key], "an object") for key in dict.fromkeys(ids)}


def read_objects_at(document: Any, ids: Sequence[str], moment: str) -> dict[str, dict[str, Any] | None] | None:
    """Return the object of each id as it was at a moment; None where the answer does not say that it is of that."""
    if _object(document, "the answer").get("shownAt") != moment:
        return None
    return read_objects(document, ids)


def _field_document(field: SchemaField) -> dict[str, Any]:
    document: dict[str, Any] = {"uniqueName": field.unique_name, "label": field.label, "type": field.type}
    if field.reference_to is not None:
        document["referenceTo"] = field.reference_to
    if field.values is not None:
        document["orderedValueList"] = list(field.values)
    return document


def _line_error(item: Any) -> LineError:
    if not isinstance(item, dict):
        return LineError(0, plain(item) if isinstance(item, str) else "(an error without words)")
    line = _integer(item.get("line"))
    return LineError(max(line or 0, 0), plain(_text(item.get("description"))) or "(an error without words)")


def _integration_id(item: dict[str, Any]) -> int:
    integration_id = _integer(item.get("integrationId"))
    if integration_id is None:
        raise WrongShape("no integrationId")
    return integration_id


def _integer(value: Any) -> int | None:
    """Return an exact integer from a number or its text; None for all else, floats above all."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return None


def _count(value: Any, otherwise: int) -> int:
    count = _integer(value)
    return otherwise if count is None or count < 0 else count


def _values(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(_text(item) for item in _list(value, "orderedValueList"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongShape(f"{what} is no JSON object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise WrongShape(f"{what}: no JSON array")
    return value
