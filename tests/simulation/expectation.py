"""What Gong should hold for each row of the simulated CRM: plain Python, knowing nothing of the mapping code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

Line = dict[str, Any]
"""A line without its modifiedDate."""

INDUSTRIES: Final = ("Mining", "Farming", "Retail")
LISTED_STAGES: Final = (("s-1", "First"), ("s-2", "Second"), ("s-3", "Third"))
LONGEST_ID: Final = 64
_STATUSES: Final = {"open": "OPEN", "won": "WON", "lost": "LOST"}
_DEMANDED: Final = {
    "STAGE": ("name", "internalName", "isActive", "sortOrder"),
    "ACCOUNT": ("name", "domains"),
    "CONTACT": ("accountId", "emailAddress", "firstName", "lastName"),
    "LEAD": ("emailAddress", "firstName", "lastName"),
    "DEAL": ("accountId", "ownerId", "name", "createdDate", "closeDate", "isOpen", "isWon", "stage", "amount"),
}
"""What Gong demands under the older reference, where the current one does not."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The row cannot be told to Gong."""

    why: str
    by_size: bool = False
    """It is the line that is too long, not a value that is wrong."""


class _Bad(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Expectation:
    """Computes lines under one state of the mapping file."""

    zone: ZoneInfo
    version: int
    """1, then 2: the user edited the mapping file."""
    max_file_bytes: int

    def line(self, kind: str, row: Mapping[str, Any]) -> Line | Unfit:
        """Return what Gong should be told of a row."""
        if kind == "STAGE":
            return self._fits(_stage, row)
        object_id = row["id"] if isinstance(row["id"], str) else str(row["id"])
        if len(object_id) > LONGEST_ID:
            return Unfit("the key is too long")
        if kind == "BUSINESS_USER":
            return {"objectId": object_id, "isDeleted": True} if row["gone"] else self._fits(_user, row)
        if row["is_deleted"]:
            return {"objectId": object_id, "isDeleted": True}
        makers = {"ACCOUNT": self._account, "CONTACT": _contact, "DEAL": self._deal, "LEAD": _lead}
        return self._fits(makers[kind], row)

    def listed_stages(self) -> list[Line]:
        """Return the stages that the mapping file itself lists."""
        return [
            {"objectId": code, "name": name, "internalName": code, "isActive": True, "sortOrder": place}
            for place, (code, name) in enumerate(LISTED_STAGES, start=1)
        ]

    def gong_refuses(self, kind: str, line: Line, *, older_reference: bool) -> bool:
        """Tell whether Gong's own rules, which the connector leaves to Gong, are against the line."""
        if line.get("isDeleted"):
            return False
        if line.get("discount") is not None and not 0 <= line["discount"] <= 100:
            return True
        return older_reference and any(line.get(name) in (None, "", []) for name in _DEMANDED.get(kind, ()))

    def _fits(self, make: Any, row: Mapping[str, Any]) -> Line | Unfit:
        try:
            line: Line = make(row)
        except _Bad as bad:
            return Unfit(str(bad))
        texts = sum(len(value.encode()) for value in line.values() if isinstance(value, str))
        if texts > self.max_file_bytes - 900:
            return Unfit("the line is longer than a file may be", by_size=True)
        return line

    def _account(self, row: Mapping[str, Any]) -> Line:
        sites = _text(row["sites"])
        domains = None if sites is None else list(dict.fromkeys(s.strip() for s in sites.split(",") if s.strip()))
        industry = _text(row["industry"])
        industry = None if industry is None or not industry.strip() else industry
        if industry is not None and industry not in INDUSTRIES:
            raise _Bad("not a value of the list")
        line = {
            "objectId": str(row["id"]),
            "url": f"https://crm.example/v{self.version}/{row['id']}",
            "name": _text(row["name"]),
            "domains": domains,
            "industry": industry,
            "revenue": _number(row["revenue"]),
        }
        if self.version > 1:
            line["region"] = _text(row["region"])
        return line

    def _deal(self, row: Mapping[str, Any]) -> Line:
        state = _text(row["state"])
        if state is not None and state not in _STATUSES:
            raise _Bad("the state is not in the map")
        status = None if state is None else _STATUSES[state]
        title = _text(row["title"])
        return {
            "objectId": str(row["id"]),
            "accountId": _reference(row["account_id"]),
            "ownerId": _reference(row["owner_id"]),
            "name": None if title == "-" else title,
            "createdDate": self._moment(row["created_at"]),
            "closeDate": _day(row["close_on"]),
            "status": status,
            "isOpen": None if status is None else status == "OPEN",
            "isWon": None if status is None else status == "WON",
            "stage": _reference(row["stage_code"]),
            "amount": _number(row["amount"]),
            "discount": _number(row["discount"]),
            "next_call": self._moment(row["next_call"]),
        }

    def _moment(self, value: Any) -> str | None:
        text = _text(value)
        if text is None:
            return None
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            raise _Bad("not a date and time") from None
        moment = (read if read.tzinfo else read.replace(tzinfo=self.zone)).astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def deletion(kind: str, object_id: str) -> Line:
    """Return what Gong should be told once the row is no more."""
    if kind == "STAGE":
        return {"objectId": object_id, "name": object_id, "isActive": False}
    return {"objectId": object_id, "isDeleted": True}


def address_of(line: Line | Unfit | None) -> str | None:
    """Return the address that a business user's line holds, in the form in which two of them are compared."""
    if not isinstance(line, dict) or line.get("emailAddress") is None:
        return None
    address: str = line["emailAddress"]
    return address.strip().lower()


def is_gone(line: Line) -> bool:
    """Tell whether a line says that the object is deleted, or retired where it is a stage."""
    return bool(line.get("isDeleted")) or line.get("isActive") is False


def _user(row: Mapping[str, Any]) -> Line:
    email = _text(row["email"])
    if email is None or not email.strip():
        raise _Bad("a user without an address")
    return {"objectId": row["id"], "emailAddress": email}


def _stage(row: Mapping[str, Any]) -> Line:
    label = _text(row["label"])
    if label is None or not label.strip():
        raise _Bad("a stage without a name")
    place = _number(row["place"])
    if place is not None and (place < 1 or place != int(place)):
        raise _Bad("not a position")
    return {
        "objectId": row["code"],
        "name": label,
        "internalName": row["code"],
        "isActive": not row["retired"],
        "sortOrder": None if place is None else int(place),
    }


def _contact(row: Mapping[str, Any]) -> Line:
    return {
        "objectId": row["id"],
        "url": f"https://crm.example/contacts/{row['id']}",
        "accountId": _reference(row["account_id"]),
        "emailAddress": _text(row["email"]),
        "firstName": _text(row["first"]),
        "lastName": _text(row["last"]),
        "title": _text(row["job"]) if row["job"] is not None else "unknown",
        "phoneNumber": _text(row["phone"]),
    }


def _lead(row: Mapping[str, Any]) -> Line:
    hot = row["hot"]
    if hot not in (None, 0, 1):
        raise _Bad("neither true nor false")
    return {
        "objectId": row["id"],
        "emailAddress": _text(row["email"]),
        "firstName": _text(row["first"]),
        "lastName": _text(row["last"]),
        "title": _text(row["job"]),
        "convertedToDealId": _reference(row["deal_ref"]),
        "convertedToContactId": _reference(row["contact_ref"]),
        "convertedToAccountId": _reference(row["account_ref"]),
        "score": _number(row["score"]),
        "hot": None if hot is None else bool(hot),
        "origin": "CRM",
    }


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        raise _Bad("not UTF-8")
    return None if value is None else str(value)


def _number(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    raise _Bad("not a number")


def _reference(value: Any) -> str | None:
    return None if value is None else str(value)


def _day(value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Bad("not a date") from None
