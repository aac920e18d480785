"""What Gong should hold of SuiteCRM's database, worked out with plain pymysql and plain Python.

Written apart from the connector and from config/suitecrm.yaml: nothing of either is imported or read, tables
are read whole and joined here, so that a mistake of the mapping cannot hide in its own expectation.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

Record = dict[str, Any]
Objects = dict[str, Record]

SITE = "https://crm.example.com/index.php"
DEFAULT_CURRENCY = "USD"

# The sales stages of SuiteCRM's English language file: what the database holds → (Gong's id, what people see).
STAGES = {
    "Prospecting": ("prospecting", "Prospecting"),
    "Qualification": ("qualification", "Qualification"),
    "Needs Analysis": ("needs-analysis", "Needs Analysis"),
    "Value Proposition": ("value-proposition", "Value Proposition"),
    "Id. Decision Makers": ("id-decision-makers", "Identifying Decision Makers"),
    "Perception Analysis": ("perception-analysis", "Perception Analysis"),
    "Proposal/Price Quote": ("proposal-price-quote", "Proposal/Price Quote"),
    "Negotiation/Review": ("negotiation-review", "Negotiation/Review"),
    "Closed Won": ("closed-won", "Closed Won"),
    "Closed Lost": ("closed-lost", "Closed Lost"),
}


def expected(database: "pymysql.Connection[DictCursor]") -> dict[str, Objects]:
    """Every object of every type that is not deleted, by its id, as the JSON object that Gong should hold.

    Fields without a value are there as None. `modifiedDate` is the row's `date_modified`; stages lack the key,
    since theirs is the time of the call. Numbers that may have a fraction are Decimal.
    """
    crm = Crm(database)
    return {
        "BUSINESS_USER": _by_id(_user(crm, row) for row in crm.users if crm.email("Users", row)),
        "STAGE": _by_id(_stage(place, *stage) for place, stage in enumerate(STAGES.values(), 1)),
        "ACCOUNT": _by_id(account(crm, row) for row in crm.accounts),
        "CONTACT": _by_id(contact(crm, row) for row in crm.contacts),
        "DEAL": _by_id(deal(crm, row) for row in crm.opportunities),
        "LEAD": _by_id(lead(crm, row) for row in crm.leads),
    }


def expected_refusals(database: "pymysql.Connection[DictCursor]") -> dict[tuple[str, str], str]:
    """(object type, object id) → the field at fault, of every row that is not fit for Gong."""
    crm = Crm(database)
    return {("BUSINESS_USER", row["id"]): "emailAddress" for row in crm.users if not crm.email("Users", row)}


class Crm:
    """The tables that matter: their rows that are not deleted, with the custom columns beside the others."""

    def __init__(self, database: "pymysql.Connection[DictCursor]") -> None:
        def table(name: str) -> list[Record]:
            with database.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {name}")
                return list(cursor.fetchall())

        def living(name: str) -> list[Record]:
            return [row for row in table(name) if not row["deleted"]]

        def customised(name: str) -> list[Record]:
            custom = {row["id_c"]: row for row in table(f"{name}_cstm")}
            absent = dict.fromkeys(next(iter(custom.values())))
            return [row | custom.get(row["id"], absent) for row in living(name)]

        self.users = [row for row in living("users") if not row["is_group"]]
        self.accounts = customised("accounts")
        self.contacts = living("contacts")
        self.opportunities = customised("opportunities")
        self.leads = living("leads")
        self.currencies = {row["id"]: row["iso4217"] for row in table("currencies")}
        self.account_of_contact = _latest_account(living("accounts_contacts"), "contact_id")
        self.account_of_deal = _latest_account(living("accounts_opportunities"), "opportunity_id")
        self._emails = _preferred(living("email_addr_bean_rel"), {row["id"]: row for row in living("email_addresses")})

    def email(self, module: str, row: Record) -> str | None:
        found = self._emails.get((module, row["id"]))
        return found["email_address"] if found else None

    def opted_out(self, module: str, row: Record) -> bool | None:
        found = self._emails.get((module, row["id"]))
        return bool(found["opt_out"]) if found else None


def _latest_account(links: list[Record], owner: str) -> dict[str, str]:
    """The account that each object was linked to last; of several in one second, by the smallest id of the link."""
    links.sort(key=lambda link: link["id"], reverse=True)
    links.sort(key=lambda link: link["date_modified"])
    return {link[owner]: link["account_id"] for link in links}


def _preferred(links: list[Record], addresses: dict[str, Record]) -> dict[tuple[str, str], Record]:
    """(module, id) → the primary address; where none is primary the oldest, then the one of the smallest link."""
    owned: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for link in links:
        if link["email_address_id"] in addresses:
            owned[link["bean_module"], link["bean_id"]].append(link)

    def rank(link: Record) -> tuple[bool, datetime, str]:
        return not link["primary_address"], link["date_created"], link["id"]

    return {owner: addresses[min(mine, key=rank)["email_address_id"]] for owner, mine in owned.items()}


def _by_id(records: Iterable[Record]) -> Objects:
    return {record["objectId"]: record for record in records}


def _user(crm: Crm, row: Record) -> Record:
    email = crm.email("Users", row)
    assert email is not None
    return {
        "objectId": row["id"],
        "modifiedDate": _moment(row["date_modified"]),
        "emailAddress": email.lower(),
    }


def _stage(place: int, stage_id: str, name: str) -> Record:
    return {"objectId": stage_id, "internalName": stage_id, "name": name, "isActive": True, "sortOrder": place}


def account(crm: Crm, row: Record) -> Record:
    website = _web_address(row["website"])
    return {
        **_common(row, "Accounts"),
        "name": _text(row["name"]),
        "domains": [_domain(website)] if website else None,
        "account_type": row["account_type"] or None,
        "industry": row["industry"] or None,
        "segment": row["segment_c"] or None,
        "seats": row["seats_c"],
        "annual_revenue": _number(row["annual_revenue"]),
        "employees": row["employees"] or None,
        "website": website,
        "phone": row["phone_office"] or None,
        "email": crm.email("Accounts", row),
        "city": _text(row["billing_address_city"]),
        "country": _text(row["billing_address_country"]),
        "parent": row["parent_id"] or None,
    }


def contact(crm: Crm, row: Record) -> Record:
    return {
        **_common(row, "Contacts"),
        **_person(crm, row, "Contacts"),
        "accountId": crm.account_of_contact.get(row["id"]),
        "country": _text(row["primary_address_country"]),
        "reports_to": row["reports_to_id"] or None,
    }


def lead(crm: Crm, row: Record) -> Record:
    converted = bool(row["converted"])
    return {
        **_common(row, "Leads"),
        **_person(crm, row, "Leads"),
        "convertedToAccountId": (converted and row["account_id"]) or None,
        "convertedToContactId": (converted and row["contact_id"]) or None,
        "convertedToDealId": (converted and row["opportunity_id"]) or None,
        "status": row["status"] or None,
        "company": _text(row["account_name"]),
        "website": _web_address(row["website"]),
        "referred_by": _text(row["refered_by"]),
        "converted": converted,
    }


def _person(crm: Crm, row: Record, module: str) -> Record:
    """What contacts and leads have in common."""
    phones = (row["phone_work"], row["phone_mobile"], row["phone_home"], row["phone_other"])
    return {
        "emailAddress": crm.email(module, row),
        "firstName": _text(row["first_name"]),
        "lastName": _text(row["last_name"]),
        "title": _text(row["title"]),
        "phoneNumber": next((phone for phone in phones if phone), None),
        "salutation": row["salutation"] or None,
        "department": _text(row["department"]),
        "mobile": row["phone_mobile"] or None,
        "lead_source": row["lead_source"] or None,
        "do_not_call": bool(row["do_not_call"]),
        "email_opt_out": crm.opted_out(module, row),
    }


def deal(crm: Crm, row: Record) -> Record:
    status = {"Closed Won": "WON", "Closed Lost": "LOST"}.get(row["sales_stage"], "OPEN")
    record = {
        **_common(row, "Opportunities"),
        "accountId": crm.account_of_deal.get(row["id"]),
        "ownerId": row["assigned_user_id"] or None,
        "name": _text(row["name"]),
        "createdDate": _moment(row["date_entered"]),
        "closeDate": _day(row["date_closed"]),
        "status": status,
        "isOpen": status == "OPEN",
        "isWon": status == "WON",
        "stage": STAGES[row["sales_stage"]][0],
        "amount": _number(row["amount_usdollar"]),
        "opportunity_type": row["opportunity_type"] or None,
        "lead_source": row["lead_source"] or None,
        "probability": _number(row["probability"]),
        "next_step": _text(row["next_step"]),
        "original_amount": _number(row["amount"]),
        "currency": crm.currencies.get(row["currency_id"], DEFAULT_CURRENCY),
        "competitor": _text(row["competitor_c"]),
        "is_renewal": None if row["is_renewal_c"] is None else bool(row["is_renewal_c"]),
        "contract_start": _day(row["contract_start_c"]),
    }
    del record["owner"], record["crm_created"]  # a deal has standard fields for both
    return record


def _common(row: Record, module: str) -> Record:
    return {
        "objectId": row["id"],
        "modifiedDate": _moment(row["date_modified"]),
        "url": f"{SITE}?module={module}&action=DetailView&record={row['id']}",
        "owner": row["assigned_user_id"] or None,
        "crm_created": _moment(row["date_entered"]),
    }


def _moment(stamp: datetime) -> str:
    """SuiteCRM keeps UTC, in whole seconds."""
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: date | str | None) -> str | None:
    """Zero dates come as text."""
    return value.isoformat() if isinstance(value, date) else None


def _text(value: str | None) -> str | None:
    return html.unescape(value or "").strip() or None


def _number(value: float | str | None) -> Decimal | None:
    digits = "" if value is None else str(value).replace(",", "")
    return Decimal(digits) if re.fullmatch(r"\d+(\.\d+)?", digits) else None


def _web_address(website: str | None) -> str | None:
    """What has no dot is none: SuiteCRM fills in `http://` by itself, people fill in `n/a`."""
    if not website or "." not in website:
        return None
    return website if re.match("https?://", website) else f"http://{website}"


def _domain(web_address: str) -> str:
    """`http://www.Acme.example/path` and `https://acme.example:8443/?x` are both the domain `acme.example`."""
    host = re.split("[/:?#]", web_address.split("://")[1])[0]
    return host.lower().removeprefix("www.")
