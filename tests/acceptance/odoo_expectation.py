"""What Gong should hold of Odoo's database, worked out with plain psycopg and plain Python.

Written apart from the connector and from config/odoo.yaml: nothing of either is imported or read, tables are
read whole and joined here, so that a mistake of the mapping cannot hide in its own expectation.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

Record = dict[str, Any]
Objects = dict[str, Record]

SITE = "https://odoo.example.com/web"
PRIORITIES = ("Low", "Medium", "High", "Very high")

ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def expected(conninfo: str) -> dict[str, Objects]:
    """Every object of every type, by its id, as the JSON object that Gong should hold.

    Fields without a value are there as None. `modifiedDate` is the row's `write_date` as a first load tells it;
    stages lack the key, since theirs is the time of the call. Amounts are Decimal.
    """
    crm = Crm(conninfo)
    leads = crm.leads.values()
    return {
        "BUSINESS_USER": _by_id(_user(crm, row) for row in _salespeople(crm) if _user_address(crm, row)),
        "STAGE": _by_id(_stages(crm)),
        "ACCOUNT": _by_id(account(crm, row) for row in crm.partners.values() if is_account(crm, row)),
        "CONTACT": _by_id(contact(crm, row) for row in crm.partners.values() if is_contact(crm, row)),
        "DEAL": _by_id(deal(crm, row) for row in leads if row["type"] == "opportunity" and not put_away(crm, row)),
        "LEAD": _by_id(lead(crm, row) for row in leads if row["type"] == "lead" and not put_away(crm, row)),
    }


def expected_refusals(conninfo: str) -> dict[tuple[str, str], str]:
    """(object type, object id) → the field at fault, of every row that is not fit for Gong."""
    crm = Crm(conninfo)
    unfit = (row for row in _salespeople(crm) if not _user_address(crm, row))
    return {("BUSINESS_USER", str(row["id"])): "emailAddress" for row in unfit}


class Crm:
    """The tables that matter, each as rows by primary key."""

    def __init__(self, conninfo: str) -> None:
        with psycopg.connect(conninfo, row_factory=dict_row) as database:

            def rows(name: str) -> list[Record]:
                return database.execute(f"SELECT * FROM {name}").fetchall()

            def table(name: str) -> dict[int, Record]:
                return {row["id"]: row for row in rows(name)}

            self.users = table("res_users")
            self.partners = table("res_partner")
            self.leads = table("crm_lead")
            self.stages = table("crm_stage")
            self.countries = table("res_country")
            self.industries = table("res_partner_industry")
            self.teams = table("crm_team")
            self.lost_reasons = table("crm_lost_reason")
            self.sources = table("utm_source")
            self.media = table("utm_medium")
            self.campaigns = table("utm_campaign")
            self.tags = _joined(rows("crm_tag_rel"), "lead_id", "tag_id", table("crm_tag"))
            self.categories = _joined(
                rows("res_partner_res_partner_category_rel"),
                "partner_id",
                "category_id",
                table("res_partner_category"),
            )
            self.our_companies = {row["partner_id"] for row in rows("res_company")}
        self.users_of: dict[int, list[Record]] = defaultdict(list)
        for user in self.users.values():
            self.users_of[user["partner_id"]].append(user)


def _joined(links: list[Record], owner: str, other: str, names: dict[int, Record]) -> dict[int, str]:
    """The English names behind a many-to-many table, in alphabetical order, as one text for each owner."""
    found: dict[int, list[str]] = defaultdict(list)
    for link in links:
        found[link[owner]].append(names[link[other]]["name"]["en_US"])
    return {key: "; ".join(sorted(texts)) for key, texts in found.items()}


def _by_id(records: Iterable[Record]) -> Objects:
    return {record["objectId"]: record for record in records}


def _salespeople(crm: Crm) -> list[Record]:
    """Users who are employees: no portal or public users, no robot, no template."""
    return [user for user in crm.users.values() if not user["share"] and user["id"] != 1 and user["login"] != "default"]


def _user_address(crm: Crm, row: Record) -> str | None:
    address = _address(crm.partners[row["partner_id"]]["email"])
    return address.lower() if address else _address(row["login"])


def _user(crm: Crm, row: Record) -> Record:
    return {
        "objectId": str(row["id"]),
        "modifiedDate": _seconds(row["write_date"]),
        "emailAddress": _user_address(crm, row),
    }


def _stages(crm: Crm) -> Iterable[Record]:
    in_order = sorted(crm.stages.values(), key=lambda row: (row["sequence"], row["name"]["en_US"]))
    for position, row in enumerate(in_order, start=1):
        yield {
            "objectId": str(row["id"]),
            "name": row["name"]["en_US"],
            "internalName": str(row["id"]),
            "isActive": True,
            "sortOrder": position,
        }


def _head(crm: Crm, partner: Record) -> Record:
    """The commercial entity by going up: the first company, or the topmost person."""
    while not partner["is_company"] and partner["parent_id"] is not None:
        partner = crm.partners[partner["parent_id"]]
    return partner


def _is_ours(crm: Crm, partner: Record) -> bool:
    """Our own company, who stands under it, and whoever is a user but no customer with a portal."""
    if _head(crm, partner)["id"] in crm.our_companies:
        return True
    users = crm.users_of.get(partner["id"], [])
    return any(not user["share"] for user in users) or bool(users and not partner["active"])


def is_account(crm: Crm, partner: Record) -> bool:
    return _head(crm, partner) is partner and not _is_ours(crm, partner)


def is_contact(crm: Crm, partner: Record) -> bool:
    an_address = partner["parent_id"] is not None and partner["type"] in ("invoice", "delivery", "other")
    return bool(partner["active"]) and not partner["is_company"] and not an_address and not _is_ours(crm, partner)


def _account_of(crm: Crm, partner_id: int | None) -> str | None:
    """The account of a partner; of one that is no more, as the past may name, nothing is known."""
    return _account_of_row(crm, crm.partners[partner_id]) if partner_id in crm.partners else None


def _account_of_row(crm: Crm, partner: Record) -> str | None:
    if partner["parent_id"] is not None and partner["parent_id"] not in crm.partners:
        return None
    head = _head(crm, partner)
    return str(head["id"]) if is_account(crm, crm.partners[head["id"]]) else None


def account(crm: Crm, row: Record) -> Record:
    return {
        **_partner(crm, row),
        "name": row["name"],
        "domains": [_domain(row["website"])] if row["website"] else None,
        "is_company": bool(row["is_company"]),
        "active": bool(row["active"]),
        "parent_account": _account_of(crm, row["parent_id"]),
        "industry": _english(crm.industries, row["industry_id"]),
        "tags": crm.categories.get(row["id"]),
        "website": row["website"],
        "phone": row["phone"],
        "email": _address(row["email"]),
        "vat": row["vat"],
    }


def contact(crm: Crm, row: Record) -> Record:
    return {
        **_partner(crm, row),
        **_names(row["name"]),
        "accountId": _account_of_row(crm, row),
        "emailAddress": _address(row["email"]),
        "title": row["function"],
        "phoneNumber": row["phone"] or row["mobile"],
        "mobile": row["mobile"],
        "bounced": row["message_bounce"],
    }


def _partner(crm: Crm, row: Record) -> Record:
    """What accounts and contacts have in common."""
    return {
        "objectId": str(row["id"]),
        "modifiedDate": _seconds(row["write_date"]),
        "url": f"{SITE}#id={row['id']}&model=res.partner&view_type=form",
        "owner": _owner(row),
        "country": _english(crm.countries, row["country_id"]),
        "city": row["city"],
        "crm_created": _seconds(row["create_date"]),
    }


def deal(crm: Crm, row: Record) -> Record:
    status = _status(crm, row)
    return {
        **_opportunity(crm, row),
        "accountId": _account_of(crm, row["partner_id"]),
        "ownerId": _owner(row),
        "name": row["name"],
        "createdDate": _seconds(row["create_date"]),
        "closeDate": _day((status != "OPEN" and row["date_closed"]) or row["date_deadline"]),
        "status": status,
        "isOpen": status == "OPEN",
        "isWon": status == "WON",
        "stage": str(row["stage_id"]),
        "amount": row["expected_revenue"],
        "prorated_revenue": row["prorated_revenue"],
        "monthly_revenue": row["recurring_revenue_monthly"],
        "contact": _contact_of(crm, row["partner_id"]),
        "converted_at": _seconds(row["date_conversion"]),
        "stage_since": _seconds(row["date_last_stage_update"]),
        "days_to_close": row["day_close"],
    }


def lead(crm: Crm, row: Record) -> Record:
    return {
        **_opportunity(crm, row),
        **_names(row["contact_name"]),
        "emailAddress": _address(row["email_from"]),
        "title": row["function"],
        "phoneNumber": row["phone"] or row["mobile"],
        "subject": row["name"],
        "company": row["partner_name"],
        "customer": _account_of(crm, row["partner_id"]),
        "owner": _owner(row),
        "lost": not row["active"],
        "expected_revenue": row["expected_revenue"],
        "country": _english(crm.countries, row["country_id"]),
        "city": row["city"],
        "website": row["website"],
        "email_cc": _address(row["email_cc"]),
        "mobile": row["mobile"],
        "crm_created": _seconds(row["create_date"]),
    }


def _opportunity(crm: Crm, row: Record) -> Record:
    """What deals and leads have in common."""
    return {
        "objectId": str(row["id"]),
        "modifiedDate": _seconds(row["write_date"]),
        "url": f"{SITE}#id={row['id']}&model=crm.lead&view_type=form",
        "probability": row["probability"],
        "priority": PRIORITIES[int(row["priority"])],
        "lost_reason": _english(crm.lost_reasons, row["lost_reason_id"]),
        "team": _english(crm.teams, row["team_id"]),
        "source": _name(crm.sources, row["source_id"]),
        "medium": _name(crm.media, row["medium_id"]),
        "campaign": crm.campaigns[row["campaign_id"]]["title"]["en_US"] if row["campaign_id"] else None,
        "tags": crm.tags.get(row["id"]),
        "expected_closing": _day(row["date_deadline"]),
        "assigned_at": _seconds(row["date_open"]),
    }


def _status(crm: Crm, row: Record) -> str:
    in_won_stage = row["stage_id"] is not None and bool(crm.stages[row["stage_id"]]["is_won"])
    if row["active"]:
        return "WON" if in_won_stage else "OPEN"
    return "WON" if row["probability"] and in_won_stage else "LOST"


def put_away(crm: Crm, row: Record) -> bool:
    """Archived without being lost (Odoo sets the probability of what is lost to 0) or won."""
    archived_alive = not row["active"] and bool(row["probability"])
    return archived_alive and not (row["type"] == "opportunity" and _status(crm, row) == "WON")


def _contact_of(crm: Crm, partner_id: int | None) -> str | None:
    if partner_id not in crm.partners or not is_contact(crm, crm.partners[partner_id]):
        return None
    return str(partner_id)


def _owner(row: Record) -> str | None:
    return None if row["user_id"] in (None, 1) else str(row["user_id"])


def _names(name: str | None) -> Record:
    first, _, last = (name or "").strip().partition(" ")
    return {"firstName": first if last else None, "lastName": last or first or None}


def _seconds(stamp: datetime | None) -> str | None:
    """Odoo's stamp (UTC, without offset, microseconds) as Gong wants it: whole seconds, cut."""
    return None if stamp is None else stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(day: date | datetime | None) -> str | None:
    return None if day is None else day.strftime("%Y-%m-%d")


def _name(table: dict[int, Record], key: int | None) -> str | None:
    return None if key is None else table[key]["name"]


def _english(table: dict[int, Record], key: int | None) -> str | None:
    return None if key is None else table[key]["name"]["en_US"]


def _address(text: str | None) -> str | None:
    found = ADDRESS.search(text or "")
    return found.group() if found else None


def _domain(website: str) -> str:
    """`http://www.Acme.example` and `https://acme.example/` are both the domain `acme.example`."""
    host = re.sub(r"^[a-z]+://", "", website.lower()).split("/")[0]
    return host.removeprefix("www.")
