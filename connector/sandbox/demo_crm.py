"""A believable CRM in SQLite for the demo: made from a seed, changed a little, and mended where it is unfit."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from connector.sandbox import demo_names as names

_TABLES: Final = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, email TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE stages (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, position INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE industries (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, websites TEXT, industry TEXT REFERENCES industries (name),
    annual_revenue DECIMAL(14, 2), employees INTEGER, is_customer BOOLEAN NOT NULL, renewal_on DATE,
    owner_id INTEGER REFERENCES users (id),
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts (id), first_name TEXT, last_name TEXT,
    email TEXT, title TEXT, phone TEXT, newsletter BOOLEAN NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE deals (
    id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts (id), owner_id INTEGER REFERENCES users (id),
    stage_id TEXT REFERENCES stages (id), name TEXT NOT NULL, state TEXT NOT NULL, amount DECIMAL(12, 2),
    discount_percent DECIMAL(5, 2), close_on DATE, next_call_at TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE leads (
    id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT, title TEXT, phone TEXT, source TEXT,
    score INTEGER, converted_account_id INTEGER REFERENCES accounts (id),
    converted_contact_id INTEGER REFERENCES contacts (id), converted_deal_id INTEGER REFERENCES deals (id),
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE INDEX users_updated ON users (updated_at, id);
CREATE INDEX stages_updated ON stages (updated_at, id);
CREATE INDEX accounts_updated ON accounts (updated_at, id);
CREATE INDEX contacts_updated ON contacts (updated_at, id);
CREATE INDEX deals_updated ON deals (updated_at, id);
CREATE INDEX leads_updated ON leads (updated_at, id);
"""

_USERS: Final = 12
_DAY: Final = 86_400
_HISTORY_DAYS: Final = 900


def create(path: Path, seed: int, now: float, accounts: int = 300) -> None:
    """Write a new CRM: `accounts` accounts, about 3.4 contacts and 1.7 deals for each, half as many leads.

    The same arguments give the same rows. Raises FileExistsError rather than touch a file that is there. Three
    rows are unfit, see `mend`: a user without an address (the connector refuses it), a deal with a discount of
    140 per cent and a lead from a source that is not in the picklist (Gong refuses them).
    """
    path.touch(mode=0o600, exist_ok=False)
    with _open(path) as db:
        db.executescript(_TABLES)
        maker = _Maker(db, Random(seed), now)  # noqa: S311 - a demo that repeats itself, no secret
        maker.users_and_stages()
        for account_id in range(1, accounts + 1):
            maker.account(account_id)
        for _ in range(accounts // 2):
            maker.lead()
        db.execute("UPDATE users SET email = NULL WHERE id = ?", (_USERS,))
        db.execute(
            "UPDATE deals SET discount_percent = 140 WHERE id = (SELECT max(id) FROM deals WHERE state = 'open')"
        )
        db.execute("UPDATE leads SET source = 'Trade show' WHERE id = (SELECT max(id) FROM leads)")


def change(path: Path, seed: int, now: float) -> list[str]:
    """Let the CRM's people work for a moment; return what they did, a sentence each.

    Deals move, are won and corrected, a contact comes and one goes, an account is renamed and one only touched
    (its content stays), a lead is converted. Another seed, other rows. What finds no row any more is left out.
    """
    with _open(path) as db:
        work = _Work(db, Random(seed), now)  # noqa: S311 - as above
        steps: tuple[Callable[[], str], ...] = (
            work.move_deal,
            work.win_deal,
            work.raise_amount,
            work.add_contact,
            work.rename_account,
            work.convert_lead,
            work.delete_contact,
            work.touch_account,
        )
        done = []
        for step in steps:
            with suppress(_NothingToDo):
                done.append(step())
        return done


def mend(path: Path, now: float) -> list[str]:
    """Repair the unfit rows that `create` made; return what was done, a sentence each (none: all were fit)."""
    done = []
    with _open(path) as db:
        stamp = _text(now)
        for row_id, name in db.execute("SELECT id, full_name FROM users WHERE email IS NULL").fetchall():
            db.execute(
                "UPDATE users SET email = ?, updated_at = ? WHERE id = ?", (f"user{row_id}@acme.example", stamp, row_id)
            )
            done.append(f"User {row_id} ({name}) was given an e-mail address.")
        for (row_id,) in db.execute("SELECT id FROM deals WHERE discount_percent > 100").fetchall():
            db.execute("UPDATE deals SET discount_percent = 14, updated_at = ? WHERE id = ?", (stamp, row_id))
            done.append(f"Deal {row_id} now has a discount of 14 per cent instead of 140.")
        for (row_id,) in db.execute("SELECT id FROM leads WHERE source = 'Trade show'").fetchall():
            db.execute("UPDATE leads SET source = 'Partner', updated_at = ? WHERE id = ?", (stamp, row_id))
            done.append(f"Lead {row_id} now has a source that is in the picklist.")
    return done


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        with db:
            yield db


def _text(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _insert(db: sqlite3.Connection, table: str, **values: Any) -> int:
    marks = ", ".join("?" * len(values))
    sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - names from this module
    row_id = db.execute(sql, tuple(values.values())).lastrowid
    assert row_id is not None
    return row_id


class _Maker:
    """Fills the tables of a new CRM."""

    def __init__(self, db: sqlite3.Connection, chance: Random, now: float) -> None:
        self._db = db
        self._chance = chance
        self._now = now
        self._today = datetime.fromtimestamp(now, UTC).date()
        self._companies: set[str] = set()

    def users_and_stages(self) -> None:
        stamps = {"created_at": _text(self._now - _HISTORY_DAYS * _DAY), "updated_at": _text(self._now - 30 * _DAY)}
        for row_id in range(1, _USERS + 1):
            first, last = self._person()
            _insert(self._db, "users", id=row_id, full_name=f"{first} {last}",
                    email=f"user{row_id}@acme.example", **stamps)  # fmt: skip
        for position, (row_key, name) in enumerate(names.STAGES, start=1):
            _insert(self._db, "stages", id=row_key, name=name, position=position, **stamps)
        for position, name in enumerate(names.INDUSTRIES, start=1):
            self._db.execute("INSERT INTO industries VALUES (?, ?)", (name, position))

    def account(self, row_id: int) -> None:
        chance, name = self._chance, self._company()
        customer = chance.random() < 0.4
        _insert(
            self._db, "accounts", id=row_id, name=name, websites=_domain(name),
            industry=chance.choice((*names.INDUSTRIES, None)),
            annual_revenue=self._cents(100_000, 90_000_000), employees=chance.randint(5, 20_000),
            is_customer=customer, renewal_on=self._day(10, 365) if customer else None,
            owner_id=self._owner(), **self._stamps(),
        )  # fmt: skip
        for _ in range(chance.choice((1, 2, 3, 3, 4, 4, 5, 5))):
            self._contact(row_id, name)
        for _ in range(chance.choice((0, 1, 1, 2, 2, 2, 3, 3))):
            self._deal(row_id, name)

    def lead(self) -> None:
        first, last = self._person()
        _insert(
            self._db, "leads", first_name=first, last_name=last, email=_address(first, last, self._company()),
            title=self._chance.choice(names.TITLES), phone=self._phone(),
            source=self._chance.choice(names.LEAD_SOURCES), score=self._chance.randint(0, 100), **self._stamps(),
        )  # fmt: skip

    def _contact(self, account_id: int, company: str) -> None:
        first, last = self._person()
        _insert(
            self._db, "contacts", account_id=account_id, first_name=first, last_name=last,
            email=_address(first, last, company), title=self._chance.choice(names.TITLES),
            phone=self._phone() if self._chance.random() < 0.7 else None,
            newsletter=self._chance.random() < 0.3, **self._stamps(),
        )  # fmt: skip

    def _deal(self, account_id: int, company: str) -> None:
        chance = self._chance
        state = chance.choice(("open", "open", "won", "lost"))
        stages = {"won": ("closed-won",), "lost": ("closed-lost",)}
        open_stages = tuple(key for key, _ in names.STAGES[:-2])
        _insert(
            self._db, "deals", account_id=account_id, owner_id=self._owner(),
            stage_id=chance.choice(stages.get(state, open_stages)),
            name=f"{company}: {chance.choice(names.PROJECTS)}", state=state, amount=self._cents(900, 400_000),
            discount_percent=chance.choice((None, 0, 5, 10, 12.5, 20)),
            close_on=self._day(5, 200) if state == "open" else self._day(-400, -5),
            next_call_at=_text(self._now + chance.randint(1, 20) * 3600) if state == "open" else None,
            **self._stamps(),
        )  # fmt: skip

    def _stamps(self) -> dict[str, str]:
        created = self._now - self._chance.randint(_DAY, _HISTORY_DAYS * _DAY)
        updated = self._chance.randint(int(created), int(self._now) - 3600)
        return {"created_at": _text(created), "updated_at": _text(updated)}

    def _person(self) -> tuple[str, str]:
        return self._chance.choice(names.FIRST_NAMES), self._chance.choice(names.LAST_NAMES)

    def _company(self) -> str:
        """A name that no other company has: a third word tells the later ones apart."""
        name = f"{self._chance.choice(names.COMPANY_FIRST)} {self._chance.choice(names.COMPANY_SECOND)}"
        number, free = 1, name
        while free in self._companies:
            number += 1
            free = f"{name} {number}"
        self._companies.add(free)
        return free

    def _owner(self) -> int:
        return self._chance.randint(1, _USERS)

    def _cents(self, least: int, most: int) -> float:
        return self._chance.randint(least * 100, most * 100) / 100

    def _day(self, first: int, last: int) -> str:
        day: date = self._today + timedelta(days=self._chance.randint(first, last))
        return day.isoformat()

    def _phone(self) -> str:
        return f"+1 555 {self._chance.randint(100, 999)} {self._chance.randint(1000, 9999)}"


def _domain(company: str) -> str:
    return f"{company.lower().replace(' ', '-')}.example"


def _address(first: str, last: str, company: str) -> str:
    local = f"{first}.{last}".lower().encode("ascii", "ignore").decode().replace("'", "")
    return f"{local}@{_domain(company)}"


class _NothingToDo(Exception):
    """No row fits a step of the work."""


class _Work:
    """What people do in a CRM, each a method that changes rows and says so."""

    def __init__(self, db: sqlite3.Connection, chance: Random, now: float) -> None:
        self._db = db
        self._chance = chance
        self._stamp = _text(now)

    def move_deal(self) -> str:
        deal, name, stage = self._pick(
            "SELECT id, name, stage_id FROM deals WHERE state = 'open' AND NOT is_deleted AND stage_id <> 'negotiation'"
        )
        keys = [key for key, _ in names.STAGES]
        following = keys[keys.index(stage) + 1]
        self._update("deals", deal, stage_id=following)
        return f"Deal {deal} ({name}) moved from stage {stage} to {following}."

    def win_deal(self) -> str:
        deal, name = self._pick("SELECT id, name FROM deals WHERE state = 'open' AND NOT is_deleted")
        self._update("deals", deal, state="won", stage_id="closed-won", close_on=self._stamp[:10], next_call_at=None)
        return f"Deal {deal} ({name}) was won."

    def raise_amount(self) -> str:
        deal, name, amount = self._pick("SELECT id, name, amount FROM deals WHERE NOT is_deleted AND state = 'lost'")
        self._update("deals", deal, amount=round(amount + 1250.5, 2))
        return f"The amount of deal {deal} ({name}) was corrected."

    def add_contact(self) -> str:
        account, company = self._pick("SELECT id, name FROM accounts WHERE NOT is_deleted")
        contact = self._new_contact(account, company)
        return f"Contact {contact} was added to account {account} ({company})."

    def rename_account(self) -> str:
        account, name = self._pick("SELECT id, name FROM accounts WHERE NOT is_deleted")
        self._update("accounts", account, name=f"{name} Group")
        return f"Account {account} ({name}) is now called {name} Group."

    def convert_lead(self) -> str:
        lead, first, last = self._pick(
            "SELECT id, first_name, last_name FROM leads WHERE converted_deal_id IS NULL AND NOT is_deleted"
            " AND source <> 'Trade show'"
        )
        account, company = self._pick("SELECT id, name FROM accounts WHERE NOT is_deleted")
        contact = self._new_contact(account, company)
        deal = _insert(
            self._db, "deals", account_id=account, owner_id=1, stage_id="discovery", name=f"{company}: from a lead",
            state="open", amount=5000, close_on=self._stamp[:10], created_at=self._stamp, updated_at=self._stamp,
        )  # fmt: skip
        self._update("leads", lead, converted_account_id=account, converted_contact_id=contact, converted_deal_id=deal)
        return f"Lead {lead} ({first} {last}) became contact {contact} and deal {deal} of account {account}."

    def delete_contact(self) -> str:
        (contact,) = self._pick("SELECT id FROM contacts WHERE NOT is_deleted AND created_at < updated_at")
        self._update("contacts", contact, is_deleted=1)
        return f"Contact {contact} was deleted."

    def touch_account(self) -> str:
        account, name = self._pick("SELECT id, name FROM accounts WHERE NOT is_deleted AND updated_at < ?", self._stamp)
        self._update("accounts", account)
        return f"Account {account} ({name}) was saved again with nothing changed."

    def _new_contact(self, account: int, company: str) -> int:
        first, last = self._chance.choice(names.FIRST_NAMES), self._chance.choice(names.LAST_NAMES)
        return _insert(
            self._db, "contacts", account_id=account, first_name=first, last_name=last,
            email=_address(first, last, company), title=self._chance.choice(names.TITLES), newsletter=0,
            created_at=self._stamp, updated_at=self._stamp,
        )  # fmt: skip

    def _pick(self, sql: str, *parameters: Any) -> tuple[Any, ...]:
        rows = self._db.execute(f"{sql} ORDER BY 1", parameters).fetchall()
        if not rows:
            raise _NothingToDo
        picked: tuple[Any, ...] = self._chance.choice(rows)
        return picked

    def _update(self, table: str, row_id: int, **values: Any) -> None:
        changed = {**values, "updated_at": self._stamp}
        columns = ", ".join(f"{name} = ?" for name in changed)
        sql = f"UPDATE {table} SET {columns} WHERE id = ?"  # noqa: S608 - names from this module
        self._db.execute(sql, (*changed.values(), row_id))
