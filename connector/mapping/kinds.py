"""What kind of value each of Gong's fields holds, and which fields Gong or its users miss when empty."""

from enum import StrEnum
from typing import Final

from connector.object_types import FieldType, ObjectType


class Kind(StrEnum):
    """The kinds of value that a field of a line can hold; the text is how a message calls one."""

    TEXT = "text"
    REFERENCE = "the id of another object"
    DATETIME = "a date and time"
    DATE = "a date"
    NUMBER = "a number"
    POSITION = "an integer from 1"
    BOOLEAN = "true or false"
    DOMAINS = "a list of domains"
    STATUS = "OPEN, WON or LOST"
    WEB_ADDRESS = "a full http or https address"
    CHOICE = "one of a list"


_SPECIAL: Final = {
    "url": Kind.WEB_ADDRESS,
    "isActive": Kind.BOOLEAN,
    "sortOrder": Kind.POSITION,
    "domains": Kind.DOMAINS,
    "accountId": Kind.REFERENCE,
    "ownerId": Kind.REFERENCE,
    "stage": Kind.REFERENCE,
    "internalName": Kind.REFERENCE,
    "convertedToDealId": Kind.REFERENCE,
    "convertedToContactId": Kind.REFERENCE,
    "convertedToAccountId": Kind.REFERENCE,
    "createdDate": Kind.DATETIME,
    "closeDate": Kind.DATE,
    "status": Kind.STATUS,
    "isOpen": Kind.BOOLEAN,
    "isWon": Kind.BOOLEAN,
    "amount": Kind.NUMBER,
}

_ADDITIONAL: Final = {
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.PICKLIST: Kind.CHOICE,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.PERCENT: Kind.NUMBER,
    FieldType.CURRENCY: Kind.NUMBER,
    FieldType.PHONENUMBER: Kind.TEXT,
    FieldType.EMAILADDRESS: Kind.TEXT,
    FieldType.URL: Kind.TEXT,
    FieldType.STRING: Kind.TEXT,
    FieldType.ID: Kind.TEXT,
    FieldType.REFERENCE: Kind.REFERENCE,
}

DEMANDED: Final = {ObjectType.BUSINESS_USER: "emailAddress", ObjectType.STAGE: "name"}
"""The field without which Gong refuses a line (current reference)."""

_OLDER = "empty, though Gong's older reference demands it"
_HIDDEN = "empty: Gong does not show the {} without it"

ACCOUNT_OF: Final = {
    ObjectType.CONTACT: "accountId",
    ObjectType.DEAL: "accountId",
    ObjectType.LEAD: "convertedToAccountId",
}
"""The field in which an object names its account."""
EXPECTED: Final[dict[ObjectType, dict[str, str]]] = {
    ObjectType.BUSINESS_USER: {},
    ObjectType.STAGE: {"sortOrder": _OLDER},
    ObjectType.ACCOUNT: {"name": _OLDER, "domains": _OLDER},
    ObjectType.CONTACT: {
        "accountId": _HIDDEN.format("contact"),
        "emailAddress": _OLDER,
        "firstName": _OLDER,
        "lastName": _OLDER,
    },
    ObjectType.DEAL: {
        "accountId": _HIDDEN.format("deal"),
        "ownerId": "empty: the deal is not on Gong's deal board without it",
        "name": _OLDER,
        "createdDate": _OLDER,
        "closeDate": "empty: the deal is not on Gong's deal board without it",
        "status": _OLDER,
        "stage": _OLDER,
        "amount": _OLDER,
    },
    ObjectType.LEAD: {"emailAddress": _OLDER, "firstName": _OLDER, "lastName": _OLDER},
}
"""Fields whose lack Gong takes, but may not show the object for, with the reason (GONG_API, "Object types")."""


def standard_kind(field: str) -> Kind:
    """Return the kind of a standard field."""
    return _SPECIAL.get(field, Kind.TEXT)


def additional_kind(field_type: FieldType) -> Kind:
    """Return the kind of an additional field of that type (GONG_API, "Schema of additional fields")."""
    return _ADDITIONAL[field_type]
