"""What Gong should show of SuiteCRM's past: every row of the audit tables laid over today's rows, in plain Python.

Written apart from the connector and from config/suitecrm.yaml, like suitecrm_expectation, whose records these are.
"""

import html
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pymysql
from past import FieldLog, Past, Pasts, Record
from pymysql.cursors import DictCursor
from suitecrm_expectation import Crm, account, contact, deal, lead

Read = Callable[[str], Any]


def _form(value: Any) -> Any:
    """Texts are audited as they came from the form, with entities, and kept without; amounts are kept as floats."""
    if isinstance(value, float):
        return Decimal(str(value))
    return (html.unescape(value).strip() or None) if isinstance(value, str) else value


# How the audited columns that Gong hears of are read; every other audited column is a text.
READ: dict[str, Read] = {
    "date_closed": date.fromisoformat,
    "contract_start_c": date.fromisoformat,
    "amount_usdollar": Decimal,
    "probability": Decimal,
    "seats_c": int,
    "is_renewal_c": int,
    "do_not_call": int,
}


def expected_pasts(database: "pymysql.Connection[DictCursor]") -> tuple[dict[str, Pasts], int]:
    """Return the past of every account, contact, deal and lead by its id, and how often the audit has a gap."""
    crm = Crm(database)
    kinds = (
        ("ACCOUNT", "accounts", crm.accounts, account),
        ("CONTACT", "contacts", crm.contacts, contact),
        ("DEAL", "opportunities", crm.opportunities, deal),
        ("LEAD", "leads", crm.leads, lead),
    )
    pasts: dict[str, Pasts] = {}
    gaps = 0
    for object_type, table, rows, record in kinds:
        with database.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}_audit")
            audit = _by_object(list(cursor.fetchall()))
        pasts[object_type] = {}
        for row in rows:
            logs = _logs(audit.get(row["id"], []), row)
            gaps += sum(log.gaps for log in logs.values())
            pasts[object_type][row["id"]] = _past(crm, row, logs, record)
    return pasts, gaps


def _by_object(rows: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["parent_id"]].append(row)
    return found


def _logs(audit: list[Record], row: Record) -> dict[str, FieldLog]:
    """The changes of each column of a row."""
    found: dict[str, list[tuple[int, Any, Any]]] = defaultdict(list)
    for change in audit:
        name = change["field_name"]
        found[name].append(
            (
                _second(change["date_created"]),
                _typed(name, change["before_value_string"], change["before_value_text"]),
                _typed(name, change["after_value_string"], change["after_value_text"]),
            )
        )
    return {name: FieldLog(changes, row[name], _form) for name, changes in found.items()}


def _typed(name: str, short: str | None, long: str | None) -> Any:
    text = short or long
    return READ[name](text) if text and name in READ else text or None


def _past(crm: Crm, row: Record, logs: dict[str, FieldLog], record: Callable[[Crm, Record], Record]) -> Past:
    stamps = [stamp for log in logs.values() for stamp in log.stamps]
    created = _second(row["date_entered"])

    def at(second: int) -> Record | None:
        if second < min([created, *stamps]):
            return None
        if second >= _second(row["date_modified"]):
            return record(crm, row)
        return record(crm, row | {name: log.at(second) for name, log in logs.items()})

    return Past([created, *stamps], at)


def _second(stamp: datetime) -> int:
    """SuiteCRM keeps UTC."""
    return int(stamp.replace(tzinfo=UTC).timestamp())
