"""The CRMs that a ready-made mapping is shipped for, and the tables by which each is known. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.facts import Facts


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A CRM that a mapping is shipped for."""

    name: str
    file: str
    """In config/."""
    columns: Mapping[str, frozenset[str]]
    """Tables that it has, with columns that no other CRM has in this way."""


READY_MADE: Final = (
    ReadyMade(
        "SuiteCRM 7",
        "suitecrm.yaml",
        {
            "email_addr_bean_rel": frozenset({"bean_id", "bean_module", "primary_address"}),
            "opportunities": frozenset({"sales_stage", "amount_usdollar", "date_closed"}),
            "accounts_opportunities": frozenset({"account_id", "opportunity_id", "deleted"}),
        },
    ),
    ReadyMade(
        "Odoo 17",
        "odoo.yaml",
        {
            "res_partner": frozenset({"commercial_partner_id", "is_company", "write_date"}),
            "crm_lead": frozenset({"lost_reason_id", "expected_revenue", "type"}),
            "crm_stage": frozenset({"is_won", "sequence"}),
        },
    ),
    ReadyMade(
        "DjangoCRM",
        "djangocrm.yaml",
        {
            "crm_deal": frozenset({"stages_dates", "win_closing_date", "company_id"}),
            "crm_company": frozenset({"update_date"}),
            "crm_closingreason": frozenset({"success_reason"}),
        },
    ),
)


def recognise(facts: Facts) -> ReadyMade | None:
    """Return the CRM whose database it is; None where it is none that a mapping is shipped for."""
    for one in READY_MADE:
        if all(
            table in facts.tables and columns <= set(facts.tables[table].columns)
            for table, columns in one.columns.items()
        ):
            return one
    return None
