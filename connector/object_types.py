"""Gong's object types and the names of their standard fields (GONG_API: "Object types and fields").

The only module that the sandbox shares with the connector: names, no behaviour.
"""

from enum import StrEnum
from typing import Final


class ObjectType(StrEnum):
    """The six kinds of object that Gong's CRM API takes, in the order in which they may be sent."""

    BUSINESS_USER = "BUSINESS_USER"
    STAGE = "STAGE"
    ACCOUNT = "ACCOUNT"
    CONTACT = "CONTACT"
    DEAL = "DEAL"
    LEAD = "LEAD"


class FieldType(StrEnum):
    """Types of additional schema fields that a client may define (STRINGARRAY is Gong's own)."""

    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    DATETIME = "DATETIME"
    PICKLIST = "PICKLIST"
    NUMBER = "NUMBER"
    PERCENT = "PERCENT"
    CURRENCY = "CURRENCY"
    PHONENUMBER = "PHONENUMBER"
    EMAILADDRESS = "EMAILADDRESS"
    URL = "URL"
    STRING = "STRING"
    ID = "ID"
    REFERENCE = "REFERENCE"


REFERENCE_TARGETS: Final = ("ACCOUNT", "CONTACT", "DEAL", "LEAD", "USER")

DEAL_STATUSES: Final = ("OPEN", "WON", "LOST")

SCHEMA_TYPES: Final = (ObjectType.ACCOUNT, ObjectType.CONTACT, ObjectType.DEAL, ObjectType.LEAD)
"""The types that may have additional fields."""

COMMON_FIELDS: Final = ("objectId", "modifiedDate", "isDeleted", "url")

STANDARD_FIELDS: Final[dict[ObjectType, tuple[str, ...]]] = {
    ObjectType.BUSINESS_USER: ("emailAddress",),
    ObjectType.STAGE: ("name", "internalName", "isActive", "sortOrder"),
    ObjectType.ACCOUNT: ("name", "domains"),
    ObjectType.CONTACT: ("accountId", "emailAddress", "firstName", "lastName", "title", "phoneNumber"),
    ObjectType.DEAL: (
        "accountId",
        "ownerId",
        "name",
        "createdDate",
        "closeDate",
        "status",
        "isOpen",
        "isWon",
        "stage",
        "amount",
    ),
    ObjectType.LEAD: (
        "emailAddress",
        "firstName",
        "lastName",
        "title",
        "phoneNumber",
        "convertedToDealId",
        "convertedToContactId",
        "convertedToAccountId",
    ),
}
"""Standard fields by type, the common ones aside; both references of the API together."""

MAX_OBJECT_ID_CHARS: Final = 64
