"""A company that keeps a history of its deals, each row of it the deal as it was."""

from pathlib import Path
from typing import Any

from company import Behaviour, Company

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT: {table: accounts, key: id, modified: updated, deleted: gone = 1, fields: {name: name}}
  DEAL:
    table: deals
    key: id
    modified: updated
    fields: {name: name, accountId: account, amount: amount}
    history: {kind: versions, table: past, key: deal, changed_at: at}
"""


def historic(directory: Path, behaviour: Behaviour | None = None, **settings: Any) -> Company:
    """A company with one account and no deal yet."""
    made = Company(directory, behaviour, mapping_text=MAPPING, **settings)
    made.crm.execute("CREATE TABLE past (deal INTEGER, name TEXT, account INTEGER, amount INTEGER, at TEXT)")
    made.put("accounts", id=1, name="Acme")
    return made


def version(made: Company, number: int, day: int, **values: Any) -> None:
    """A row of the history: the deal as it was from a day of January on, its amount the number of that day."""
    row = {"name": f"deal {number}", "account": 1, "amount": day} | values
    made.crm.execute(
        "INSERT INTO past VALUES (?, ?, ?, ?, ?)",
        (number, row["name"], row["account"], row["amount"], f"2026-01-{day:02} 00:00:00"),
    )
