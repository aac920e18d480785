"""What Gong should hold of DjangoCRM's database, worked out with plain sqlite3 or psycopg and plain Python.

Written apart from the connector and from config/djangocrm.yaml: nothing of either is imported or read, tables
are read whole and joined here, so that a mistake of the mapping cannot hide in its own expectation.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

Record = dict[str, Any]
Objects = dict[str, Record]
Rows = Callable[[str], list[Record]]
"""Gives the rows of a table by its name, with times and dates as the texts that SQLite holds."""

SITE = "https://crm.example.com/en/123/crm"

ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def expected(database: Path | str) -> dict[str, Objects]:
    """Every object of every type, by its id, as the JSON object that Gong should hold.

    `database` is SQLite's file, or PostgreSQL's address for psycopg.
    Fields without a value are there as None. `modifiedDate` is the row's `update_date`; objects of tables
    without such a column lack the key, since theirs is the time of the call. Amounts are Decimal.
    """
    crm = crm_of(database)
    return {
        "BUSINESS_USER": _by_id(_user(row) for row in crm.users.values() if row["email"]),
        "STAGE": _by_id(_stage(crm, row) for row in crm.stages.values()),
        "ACCOUNT": _by_id(_account(crm, row) for row in crm.companies.values()),
        "CONTACT": _by_id(_contact(crm, row) for row in crm.contacts.values()),
        "DEAL": _by_id(deal(crm, row) for row in crm.deals.values()),
        "LEAD": _by_id(_lead(crm, row) for row in crm.leads.values()),
    }


def expected_refusals(database: Path | str) -> dict[tuple[str, str], str]:
    """(object type, object id) → the field at fault, of every row that is not fit for Gong."""
    users = crm_of(database).users.values()
    return {("BUSINESS_USER", str(row["id"])): "emailAddress" for row in users if not row["email"]}


class Crm:
    """The tables that matter, each as rows by primary key."""

    def __init__(self, rows: Rows) -> None:
        def table(name: str) -> dict[int, Record]:
            return {row["id"]: row for row in rows(name)}

        self.users = table("auth_user")
        self.groups = table("auth_group")
        self.stages = table("crm_stage")
        self.companies = table("crm_company")
        self.contacts = table("crm_contact")
        self.deals = table("crm_deal")
        self.leads = table("crm_lead")
        self.client_types = table("crm_clienttype")
        self.lead_sources = table("crm_leadsource")
        self.countries = table("crm_country")
        self.currencies = table("crm_currency")
        self.closing_reasons = table("crm_closingreason")
        self.industries: dict[int, list[str]] = defaultdict(list)
        names = table("crm_industry")
        for link in table("crm_company_industry").values():
            self.industries[link["company_id"]].append(names[link["industry_id"]]["name"])


def crm_of(database: Path | str) -> Crm:
    with _sqlite(database) if isinstance(database, Path) else _postgresql(database) as rows:
        return Crm(rows)


@contextmanager
def _sqlite(path: Path) -> Iterator[Rows]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        yield lambda name: [dict(row) for row in database.execute(f"SELECT * FROM {name}")]


@contextmanager
def _postgresql(conninfo: str) -> Iterator[Rows]:
    with psycopg.connect(conninfo, row_factory=dict_row) as database:
        yield lambda name: [
            {column: _as_sqlite_holds(value) for column, value in row.items()}
            for row in database.execute(f"SELECT * FROM {name}")
        ]


def _as_sqlite_holds(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value


def _by_id(records: Iterable[Record]) -> Objects:
    return {record["objectId"]: record for record in records}


def _user(row: Record) -> Record:
    return {"objectId": str(row["id"]), "emailAddress": row["email"]}


def _stage(crm: Crm, row: Record) -> Record:
    department = crm.groups[row["department_id"]]
    return {
        "objectId": str(row["id"]),
        "name": f"{row['name']} ({department['name']})",
        "internalName": str(row["id"]),
        "isActive": True,
        "sortOrder": int(f"{department['id']}{row['index_number']:03}"),
    }


def _account(crm: Crm, row: Record) -> Record:
    website = row["website"]
    return {
        **_common(row, "company"),
        "name": row["full_name"],
        "domains": [_domain(website)] if website else None,
        "client_type": _name(crm.client_types, row["type_id"]),
        "lead_source": _name(crm.lead_sources, row["lead_source_id"]),
        "country": _name(crm.countries, row["country_id"]),
        "industries": "; ".join(sorted(crm.industries[row["id"]])) or None,
        "city": row["city_name"] or None,
        "website": _web_address(website),
        "phone": row["phone"] or None,
        "email": _address(row["email"]),
        "owner": _reference(row["owner_id"]),
        "active": bool(row["active"]),
        "disqualified": bool(row["disqualified"]),
        "was_in_touch": row["was_in_touch"],
        "crm_created": _seconds(row["creation_date"]),
    }


def _contact(crm: Crm, row: Record) -> Record:
    return {
        **_common(row, "contact"),
        **_person(crm, row),
        "accountId": _reference(row["company_id"]),
        "secondary_email": _address(row["secondary_email"]),
        "mobile": row["mobile"] or None,
    }


def _lead(crm: Crm, row: Record) -> Record:
    return {
        **_common(row, "lead"),
        **_person(crm, row),
        "company": row["company_name"] or None,
        "company_email": _address(row["company_email"]),
        "company_phone": row["company_phone"] or None,
        "website": _web_address(row["website"]),
    }


def _person(crm: Crm, row: Record) -> Record:
    """What contacts and leads have in common."""
    return {
        "emailAddress": _address(row["email"] or row["secondary_email"]),
        "firstName": row["first_name"] or None,
        "lastName": row["last_name"] or None,
        "title": row["title"] or None,
        "phoneNumber": row["phone"] or row["mobile"] or row["other_phone"] or None,
        "middle_name": row["middle_name"] or None,
        "lead_source": _name(crm.lead_sources, row["lead_source_id"]),
        "country": _name(crm.countries, row["country_id"]),
        "owner": _reference(row["owner_id"]),
        "disqualified": bool(row["disqualified"]),
        "was_in_touch": row["was_in_touch"],
        "crm_created": _seconds(row["creation_date"]),
    }


def deal(crm: Crm, row: Record) -> Record:
    status = _status(crm, row)
    return {
        **_common(row, "deal"),
        "accountId": _reference(row["company_id"]),
        "ownerId": _reference(row["owner_id"]),
        "name": row["name"],
        "createdDate": _seconds(row["creation_date"]),
        "closeDate": row["closing_date"] or _day_of_success(crm, row),
        "status": status,
        "isOpen": status == "OPEN",
        "isWon": status == "WON",
        "stage": _reference(row["stage_id"]),
        "amount": _in_company_currency(crm, row),
        "pipeline": _name(crm.groups, row["department_id"]),
        "closing_reason": _name(crm.closing_reasons, row["closing_reason_id"]),
        "currency": _name(crm.currencies, row["currency_id"]),
        "original_amount": None if row["amount"] is None else Decimal(str(row["amount"])),
        "probability": row["probability"],
        "next_step": row["next_step"] or None,
        "next_step_date": row["next_step_date"],
        "won_at": _seconds(row["win_closing_date"]),
        "relevant": bool(row["relevant"]),
        "important": bool(row["important"]),
        "contact": _reference(row["contact_id"]),
        "lead": _reference(row["lead_id"]),
        "co_owner": _reference(row["co_owner_id"]),
        "ticket": row["ticket"] or None,
    }


def _status(crm: Crm, row: Record) -> str:
    reason = crm.closing_reasons.get(row["closing_reason_id"])
    if reason is not None:
        return "WON" if reason["success_reason"] else "LOST"
    if _in_success_stage(crm, row):
        return "WON"
    return "OPEN" if row["active"] else "LOST"


def _in_success_stage(crm: Crm, row: Record) -> bool:
    return row["stage_id"] is not None and bool(crm.stages[row["stage_id"]]["success_stage"])


def _day_of_success(crm: Crm, row: Record) -> str | None:
    won_at: str | None = row["win_closing_date"]
    return won_at[:10] if won_at and _in_success_stage(crm, row) else None


def _in_company_currency(crm: Crm, row: Record) -> Decimal | None:
    if row["amount"] is None:
        return None
    currency = crm.currencies.get(row["currency_id"])
    rate = Decimal(str(currency["rate_to_marketing_currency"])) if currency else Decimal(1)
    return (Decimal(str(row["amount"])) * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _common(row: Record, page: str) -> Record:
    return {
        "objectId": str(row["id"]),
        "modifiedDate": _seconds(row["update_date"]),
        "url": f"{SITE}/{page}/{row['id']}/change/",
    }


def _seconds(stamp: str | None) -> str | None:
    """The CRM's stamp (UTC, with or without a fraction) as Gong wants it: whole seconds, cut."""
    if stamp is None:
        return None
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(table: dict[int, Record], key: int | None) -> str | None:
    return None if key is None else table[key]["name"]


def _reference(key: int | None) -> str | None:
    return None if key is None else str(key)


def _address(text: str) -> str | None:
    found = ADDRESS.search(text)
    return found.group() if found else None


def _domain(website: str) -> str:
    """`www.Acme.example` and `https://acme.example/` are both the domain `acme.example`."""
    host = re.sub(r"^[a-z]+://", "", website.lower()).split("/")[0]
    return host.removeprefix("www.")


def _web_address(website: str) -> str | None:
    if not website:
        return None
    return website if "://" in website else f"https://{website}"
