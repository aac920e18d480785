"""The rules of one line of a data file: JSON, identity, date, and each field's value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from connector.object_types import DEAL_STATUSES, MAX_OBJECT_ID_CHARS, FieldType, ObjectType
from connector.sandbox import jsontext
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.schema import AdditionalField


class LineFault(Exception):
    """The line is refused; the text is the description that request-status lists."""


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A line that keeps all rules of its own."""

    object_id: str
    modified: int
    """modifiedDate in seconds since 1970 UTC."""
    deleted: bool
    fields: dict[str, Any]
    text: str
    """The line as it came, without its newline."""


Check = Callable[[Any], bool]

_OBJECT_ID = re.compile(r"[A-Za-z0-9_.@+-]+")
_STRICT_OBJECT_ID = re.compile(r"[A-Za-z0-9-]+|[^@\s]+@[^@\s]+")
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_CURRENT_MANDATORY: Final = {ObjectType.BUSINESS_USER: ("emailAddress",), ObjectType.STAGE: ("name",)}
_OLDER_MANDATORY: Final = {
    ObjectType.BUSINESS_USER: ("emailAddress",),
    ObjectType.STAGE: ("name", "internalName", "isActive", "sortOrder"),
    ObjectType.ACCOUNT: ("name", "domains"),
    ObjectType.CONTACT: ("accountId", "emailAddress", "firstName", "lastName"),
    ObjectType.LEAD: ("emailAddress", "firstName", "lastName"),
    ObjectType.DEAL: (
        "accountId", "ownerId", "name", "createdDate", "closeDate", "isOpen", "isWon", "stage", "amount",
    ),
}  # fmt: skip


def epoch(text: Any) -> int | None:
    """Return seconds since 1970 UTC of an ISO-8601 datetime with offset or Z and no fraction; else None."""
    if not isinstance(text, str) or not _DATETIME.fullmatch(text):
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_datetime(value: Any) -> bool:
    return epoch(value) is not None


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_percent(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 100


def _is_rank(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or re.search(r"\s", value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_deal_status(value: Any) -> bool:
    return isinstance(value, str) and value in DEAL_STATUSES


_TEXT: Final = (_is_text, "a string")
_STANDARD_CHECKS: Final[dict[str, tuple[Check, str]]] = {
    "url": (_is_url, "a full http or https URL"),
    "domains": (_is_texts, "an array of strings"),
    "amount": (_is_number, "a number"),
    "closeDate": (_is_date, "a date (YYYY-MM-DD)"),
    "createdDate": (_is_datetime, "a datetime (ISO-8601 with offset, no fraction)"),
    "status": (_is_deal_status, f"one of {', '.join(DEAL_STATUSES)}"),
    "isOpen": (_is_boolean, "a boolean"),
    "isWon": (_is_boolean, "a boolean"),
    "isActive": (_is_boolean, "a boolean"),
    "sortOrder": (_is_rank, "an integer from 1"),
}
"""Standard fields that are not plain text."""

_ADDITIONAL_CHECKS: Final[dict[str, tuple[Check, str]]] = {
    FieldType.BOOLEAN: (_is_boolean, "a boolean"),
    FieldType.DATE: (_is_date, "a date (YYYY-MM-DD)"),
    FieldType.DATETIME: (_is_datetime, "a datetime (ISO-8601 with offset, no fraction)"),
    FieldType.NUMBER: (_is_number, "a number"),
    FieldType.CURRENCY: (_is_number, "a number"),
    FieldType.PERCENT: (_is_percent, "a number from 0 to 100"),
}


class LineRules:
    """The rules of one object type's lines under the schema of the moment."""

    def __init__(
        self,
        object_type: ObjectType,
        standard: tuple[str, ...],
        additional: Mapping[str, AdditionalField],
        behaviour: Behaviour,
    ) -> None:
        self._id_pattern = _STRICT_OBJECT_ID if behaviour.strict_object_id else _OBJECT_ID
        mandatory = _OLDER_MANDATORY if behaviour.older_reference else _CURRENT_MANDATORY
        self._mandatory = mandatory.get(object_type, ())
        self._checks = {name: _STANDARD_CHECKS.get(name, _TEXT) for name in ("url", *standard)}
        self._checks |= {name: _additional_check(field) for name, field in additional.items()}

    def parse(self, raw: bytes) -> ParsedLine:
        """Return the line read and checked; raise LineFault with the first thing wrong with it."""
        text, fields = _object(raw)
        object_id = self._object_id(fields.get("objectId"))
        modified = epoch(fields.get("modifiedDate"))
        if modified is None:
            raise LineFault(_date_fault(fields.get("modifiedDate")))
        deleted = fields.get("isDeleted")
        if deleted is not None and not isinstance(deleted, bool):
            raise LineFault("Invalid value for field [isDeleted]: expected a boolean")
        if not deleted:
            for name in self._mandatory:
                if fields.get(name) in (None, "", []):
                    raise LineFault(f"Mandatory field [{name}] is missing or empty")
        for name, value in fields.items():
            if value is not None and name in self._checks:
                passes, expected = self._checks[name]
                if not passes(value):
                    raise LineFault(f"Invalid value for field [{name}]: expected {expected}")
        return ParsedLine(object_id, modified, bool(deleted), fields, text)

    def _object_id(self, value: Any) -> str:
        if value is None or value == "":
            raise LineFault("Mandatory field [objectId] is missing or empty")
        if not isinstance(value, str):
            raise LineFault("Invalid value for field [objectId]: expected a string")
        if len(value) > MAX_OBJECT_ID_CHARS:
            raise LineFault(f"Field [objectId] is longer than {MAX_OBJECT_ID_CHARS} characters")
        if not self._id_pattern.fullmatch(value):
            raise LineFault("Field [objectId] holds characters that are not allowed")
        return value


def _object(raw: bytes) -> tuple[str, dict[str, Any]]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineFault("Line is not valid UTF-8") from error
    try:
        value = jsontext.read(text)
    except ValueError as error:
        raise LineFault("Line is not valid JSON") from error
    if not isinstance(value, dict):
        raise LineFault("Line is not a JSON object")
    return text, value


def _date_fault(value: Any) -> str:
    if value is None or value == "":
        return "Mandatory field [modifiedDate] is missing or empty"
    return "Invalid value for field [modifiedDate]: expected a datetime (ISO-8601 with offset, no fraction)"


def _additional_check(field: AdditionalField) -> tuple[Check, str]:
    if field.type == FieldType.PICKLIST:
        allowed = frozenset(field.values or ())
        return (lambda value: isinstance(value, str) and value in allowed), "a value of its list"
    return _ADDITIONAL_CHECKS.get(field.type, _TEXT)
