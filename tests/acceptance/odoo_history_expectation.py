"""What Gong should show of Odoo's past: every tracked value laid over today's rows, in plain Python.

Written apart from the connector and from config/odoo.yaml, like odoo_expectation, whose records these are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from odoo_expectation import Crm, account, contact, deal, is_account, is_contact, lead, put_away
from past import FieldLog, Past, Pasts, Record
from psycopg.rows import dict_row

TRACKED = """
    SELECT m.model, m.res_id, m.date, f.name, f.ttype, v.old_value_integer, v.new_value_integer, v.old_value_float,
           v.new_value_float, v.old_value_char, v.new_value_char
    FROM mail_tracking_value v
    JOIN mail_message m ON m.id = v.mail_message_id
    JOIN ir_model_fields f ON f.id = v.field_id
    ORDER BY v.id
"""


def expected_pasts(conninfo: str) -> tuple[dict[str, Pasts], int]:
    """Return the past of every account, contact, deal and lead by its id, and how often what is tracked has a gap."""
    crm = Crm(conninfo)
    with psycopg.connect(conninfo, row_factory=dict_row) as database:
        tracked = database.execute(TRACKED).fetchall()
    of_partner, of_lead = _changes(tracked, "res.partner"), _changes(tracked, "crm.lead")
    leads = [row for row in crm.leads.values() if not put_away(crm, row)]
    gaps: list[int] = []

    def pasts(rows: Iterable[Record], changes: _Changes, record: _Make, since: str) -> Pasts:
        return {
            str(row["id"]): _past(crm, row, changes[row["id"]], record, row[since] or row["create_date"], gaps)
            for row in rows
        }

    partners = crm.partners.values()
    found = {
        "ACCOUNT": pasts([row for row in partners if is_account(crm, row)], of_partner, account, "create_date"),
        "CONTACT": pasts([row for row in partners if is_contact(crm, row)], of_partner, contact, "create_date"),
        "DEAL": pasts([row for row in leads if row["type"] == "opportunity"], of_lead, deal, "date_conversion"),
        "LEAD": pasts([row for row in leads if row["type"] == "lead"], of_lead, lead, "create_date"),
    }
    return found, sum(gaps)


_Make = Callable[[Crm, Record], Record]
_Changes = dict[int, dict[str, list[tuple[int, Any, Any]]]]
"""By record and field: (second, before, after)."""


def _changes(tracked: list[Record], model: str) -> _Changes:
    found: _Changes = defaultdict(lambda: defaultdict(list))
    for row in tracked:
        if row["model"] == model:
            found[row["res_id"]][row["name"]].append((_second(row["date"]), _value(row, "old"), _value(row, "new")))
    return found


def _value(row: Record, side: str) -> Any:
    match row["ttype"]:
        case "many2one":
            return row[f"{side}_value_integer"] or None
        case "boolean":
            return bool(row[f"{side}_value_integer"])
        case "monetary" | "float":
            return Decimal(str(row[f"{side}_value_float"] or 0))
    return row[f"{side}_value_char"] or None


def _past(
    crm: Crm,
    row: Record,
    changes: dict[str, list[tuple[int, Any, Any]]],
    record: _Make,
    since: datetime,
    gaps: list[int],
) -> Past:
    begin = _second(since)
    logs = {
        name: FieldLog([change for change in mine if record is not deal or change[0] >= begin], row[name])
        for name, mine in changes.items()
        if name in row and name != "type"
    }
    gaps += [log.gaps for log in logs.values()]
    stamps = [stamp for log in logs.values() for stamp in log.stamps]

    def at(second: int) -> Record | None:
        if second < min([begin, *stamps]):
            return None
        if second >= _second(row["write_date"]):
            return record(crm, row)
        return record(crm, row | {name: log.at(second) for name, log in logs.items()})

    return Past([begin, *stamps], at)


def _second(stamp: datetime) -> int:
    """Odoo keeps UTC, with microseconds."""
    return int(stamp.replace(tzinfo=UTC).timestamp())
