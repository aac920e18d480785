"""The simulated CRM: a SQLite file that other programs write to, and what Gong should have been told, and when."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.simulation.expectation import Expectation, Line, Unfit, address_of, deletion
from tests.simulation.kept import Kept
from tests.simulation.variety import Variety

Row = dict[str, Any]
Key = tuple[str, str]
"""(object type, objectId)."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where the objects of one type are."""

    name: str
    key: str
    modified: str | None
    gone: str
    columns: tuple[str, ...]
    """The others, in the order of the table."""


TABLES: Final = {
    "BUSINESS_USER": Table("users", "id", None, "gone", ("email",)),
    "STAGE": Table("stages", "code", None, "retired", ("label", "place")),
    "ACCOUNT": Table(
        "accounts", "id", "updated_at", "is_deleted", ("name", "sites", "industry", "revenue", "region")
    ),
    "CONTACT": Table(
        "contacts", "id", "changed_at", "is_deleted", ("account_id", "email", "first", "last", "job", "phone")
    ),
    "DEAL": Table(
        "deals",
        "id",
        "changed_at",
        "is_deleted",
        (
            "account_id", "owner_id", "title", "created_at", "close_on", "state", "stage_code", "amount", "discount",
            "next_call",
        ),
    ),
    "LEAD": Table(
        "leads",
        "id",
        "changed_at",
        "is_deleted",
        ("email", "first", "last", "job", "account_ref", "contact_ref", "deal_ref", "score", "hot"),
    ),
}  # fmt: skip

_INTEGERS: Final = {"gone", "retired", "is_deleted", "place", "account_id", "account_ref", "deal_ref", "hot"}
_NUMBERS: Final = {"revenue", "amount", "discount", "score"}

_MAPPING: Final = """\
version: 1
integration: {{name: Simulated CRM, owner_email: owner@crm.example}}
source: {{timezone: {zone}}}
entities:
  BUSINESS_USER:
    table: users
    key: id
    deleted: gone = 1
    fields: {{emailAddress: email}}
  STAGE:
{stages}
  ACCOUNT:
    table: accounts
    key: id
    modified: updated_at
    deleted: is_deleted = 1
    fields:
      name: name
      domains: {{column: sites, split: ","}}
      url: {{template: "https://crm.example/v{version}/{{id}}"}}
{ACCOUNT}    additional_fields:
      - {{name: industry, label: Industry, type: PICKLIST, column: industry, values: [Mining, Farming, Retail]}}
      - {{name: revenue, label: Revenue, type: CURRENCY, column: revenue}}
{region}  CONTACT:
    query: SELECT c.*, {mails} 'https://crm.example/contacts/' || c.id AS page FROM contacts c {join}
    key: id
    modified: changed_at
    deleted: is_deleted = 1
{feed}{CONTACT}    fields:
      url: page
      accountId: account_id
      emailAddress: email
      firstName: first
      lastName: last
      title: {{column: job, default: unknown}}
      phoneNumber: phone
  DEAL:
    table: deals
    key: id
    modified: changed_at
    deleted: is_deleted = 1
    fields:
      accountId: account_id
      ownerId: owner_id
      name: {{column: title, null_if: "-"}}
      createdDate: created_at
      closeDate: close_on
      status: {{column: state, map: {{open: OPEN, won: WON, lost: LOST}}}}
      stage: stage_code
      amount: amount
{DEAL}    additional_fields:
      - {{name: discount, label: Discount, type: PERCENT, column: discount}}
      - {{name: next_call, label: Next call, type: DATETIME, column: next_call}}
  LEAD:
    table: leads
    key: id
    modified: changed_at
    deleted: is_deleted = 1
    fields:
      emailAddress: email
      firstName: first
      lastName: last
      title: job
      convertedToDealId: deal_ref
      convertedToContactId: contact_ref
      convertedToAccountId: account_ref
{LEAD}    additional_fields:
      - {{name: score, label: Score, type: NUMBER, column: score}}
      - {{name: hot, label: Hot, type: BOOLEAN, column: hot}}
      - {{name: origin, label: Origin, type: STRING, value: CRM}}
"""

_STAGE_TABLE: Final = """\
    table: stages
    key: code
    deleted: retired = 1
    fields: {name: label, sortOrder: place}
"""
_STAGE_LIST: Final = """\
    rows:
      - {objectId: s-1, name: First}
      - {objectId: s-2, name: Second}
      - {objectId: s-3, name: Third}
"""
_JOIN: Final = "LEFT JOIN emails e ON e.contact_id = c.id"
_FEED: Final = "    changes: [{table: emails, key: contact_id, modified: changed_at}]\n"
_REGION: Final = "      - {name: region, label: Region, type: STRING, column: region}\n"


class _Noted(set[Key]):
    """A set whose new elements are written to others, too."""

    def __init__(self, *noted: set[Key]) -> None:
        super().__init__()
        self._noted = noted

    def add(self, key: Key) -> None:
        super().add(key)
        for noted in self._noted:
            noted.add(key)


class Crm:
    """Holds the rows and remembers, for each object, every line that was due to Gong at some time."""

    def __init__(self, directory: Path, variety: Variety, now: Callable[[], float]) -> None:
        self.path = directory / "crm.db"
        self.mapping_path = directory / "mapping.yaml"
        self.variety = variety
        self.commits = 0
        self.erased = 0
        self.altered: set[Key] = set()
        """Objects of which a change moved no stamp, since somebody cleared this."""
        self.altered_ever: set[Key] = set()
        """The same, over the whole time."""
        self.stamped: set[int] = set()
        """The seconds that rows were ever stamped with (from 1970 UTC)."""
        self.silent = _Noted(self.altered, self.altered_ever)
        """Objects whose last change moved no stamp: only a full comparison has to find it."""
        self.history: dict[Key, list[Line | Unfit]] = {}
        self.noted_age = 0.0
        """Seconds ago that what is committed happened, as the history says."""
        self._now = now
        self._db = sqlite3.connect(self.path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.text_factory = _text
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")  # the file need not outlast this process
        for table in TABLES.values():
            self._db.execute(_create(table, variety))
        if variety.joined_emails:
            kind = _stamp_type(variety.stamps["emails"])
            self._db.execute(f"CREATE TABLE emails (contact_id TEXT PRIMARY KEY, email TEXT, changed_at {kind})")
        self._touched: list[tuple[str, Any]] = []
        self.keeps, shape, style = variety.history or ("", "versions", "seconds")
        """The type that a history is kept of; empty where there is none."""
        self.kept = Kept(TABLES.get(self.keeps, TABLES["DEAL"]), shape, self._db, lambda at: self._stamp(style, at))
        if self.keeps:
            self.kept.create(_columns(TABLES[self.keeps], variety))
        self.map(1)

    def close(self) -> None:
        self._db.close()

    def map(self, version: int) -> None:
        """Write the mapping file, as the user first has it (1), or edited (2)."""
        self.expectation = Expectation(self.variety.zone, version, self.variety.max_file_bytes)
        self.mapping_path.write_text(
            _MAPPING.format(
                zone=self.variety.zone.key,
                version=version,
                stages=_STAGE_LIST if self.variety.listed_stages else _STAGE_TABLE,
                region=_REGION if version > 1 else "",
                mails="e.email," if self.variety.joined_emails else "",
                join=_JOIN if self.variety.joined_emails else "",
                feed=_FEED if self.variety.joined_emails else "",
                **{
                    kind: self.kept.mapping(() if version > 1 else ("region",)) if kind == self.keeps else ""
                    for kind in TABLES
                },
            ),
            encoding="utf-8",
        )
        if self.variety.listed_stages:
            for line in self.expectation.listed_stages():
                self._note(("STAGE", line["objectId"]), line)
        for kind in self.kinds:
            for row in self.rows(kind):
                self._note((kind, object_id(kind, row)), self.expectation.line(kind, row))

    @property
    def kinds(self) -> list[str]:
        """The types whose objects are rows of a table."""
        return [kind for kind in TABLES if kind != "STAGE" or not self.variety.listed_stages]

    def rows(self, kind: str) -> list[Row]:
        table = TABLES[kind]
        found = self._db.execute(f"SELECT * FROM {table.name} ORDER BY {table.key}").fetchall()
        return [self._whole(kind, row) for row in found]

    def row(self, kind: str, key: Any) -> Row | None:
        table = TABLES[kind]
        found = self._db.execute(f"SELECT * FROM {table.name} WHERE {table.key} = ?", (key,)).fetchone()
        return None if found is None else self._whole(kind, found)

    def keys(self, kind: str) -> list[Any]:
        table = TABLES[kind]
        return [row[0] for row in self._db.execute(f"SELECT {table.key} FROM {table.name} ORDER BY {table.key}")]

    def mails(self) -> dict[str, Any]:
        """Return the addresses by contact, where they have a table of their own; contacts may be gone."""
        if not self.variety.joined_emails:
            return {}
        return dict(self._db.execute("SELECT contact_id, email FROM emails ORDER BY contact_id").fetchall())

    def _whole(self, kind: str, row: sqlite3.Row) -> Row:
        whole = dict(row)
        if kind == "CONTACT" and self.variety.joined_emails:
            found = self._db.execute("SELECT email FROM emails WHERE contact_id = ?", (row["id"],)).fetchone()
            whole["email"] = None if found is None else found[0]
        return whole

    def expected(self) -> dict[Key, Line | Unfit]:
        """Return what Gong should hold of every object there is, by the rows as they are now."""
        found: dict[Key, Line | Unfit] = {}
        if self.variety.listed_stages:
            found = {("STAGE", line["objectId"]): line for line in self.expectation.listed_stages()}
        for kind in self.kinds:
            for row in self.rows(kind):
                found[kind, object_id(kind, row)] = self.expectation.line(kind, row)
        return found

    # -- writing ---------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything written inside at once."""
        self._db.execute("BEGIN IMMEDIATE")
        self._touched = []
        yield
        self._db.execute("COMMIT")
        self.commits += 1
        for kind, key in self._touched:
            row = self.row(kind, key)
            if kind == self.keeps and row is not None:
                self.kept.note(key, row, self._now() - self.noted_age)
            line = deletion(kind, str(key)) if row is None else self.expectation.line(kind, row)
            self._note((kind, str(key)), line)

    def write(self, kind: str, key: Any, values: Mapping[str, Any]) -> None:
        """Insert or update a row, inside a transaction. Bytes become text that is not valid UTF-8."""
        table = TABLES[kind]
        columns = dict(values)
        if kind == "CONTACT" and self.variety.joined_emails and "email" in columns:
            self.write_mail(key, columns.pop("email"))
        elif table.modified is not None and table.modified not in values:
            self.silent.add((kind, str(key)))
        if table.modified is None or table.modified in values:
            self.silent.discard((kind, str(key)))
        if columns:
            self._write(table.name, table.key, key, columns)
        self._touched.append((kind, key))

    def write_mail(self, contact: str, email: Any, age: float = 0.0) -> None:
        """Set a contact's address in the table of addresses, be the contact there or not, inside a transaction."""
        stamp = self._stamp(self.variety.stamps["emails"], self._now() - age)
        self._write("emails", "contact_id", contact, {"email": email, "changed_at": stamp})
        if self.row("CONTACT", contact) is not None:  # of an erased one, the address tells nothing
            self.silent.discard(("CONTACT", contact))
            self._touched.append(("CONTACT", contact))

    def erase(self, kind: str, key: Any) -> None:
        """Really delete a row, inside a transaction."""
        table = TABLES[kind]
        self._db.execute(f"DELETE FROM {table.name} WHERE {table.key} = ?", (key,))
        self.erased += 1
        self.silent.add((kind, str(key)))
        self._touched.append((kind, key))

    def erase_mail(self, contact: str) -> None:
        """Really delete a contact's row in the table of addresses, inside a transaction."""
        self._db.execute("DELETE FROM emails WHERE contact_id = ?", (contact,))
        self.silent.add(("CONTACT", contact))
        if self.row("CONTACT", contact) is not None:
            self._touched.append(("CONTACT", contact))

    def _write(self, table: str, key_column: str, key: Any, values: Mapping[str, Any]) -> None:
        marks = {name: "CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for name, value in values.items()}
        if self._db.execute(f"SELECT 1 FROM {table} WHERE {key_column} = ?", (key,)).fetchone() is None:
            names = ", ".join([key_column, *values])
            places = ", ".join(["?", *marks.values()])
            self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", (key, *values.values()))
        else:
            changes = ", ".join(f"{name} = {mark}" for name, mark in marks.items())
            self._db.execute(f"UPDATE {table} SET {changes} WHERE {key_column} = ?", (*values.values(), key))

    def stamp(self, kind: str, age: float = 0.0) -> Row:
        """Return the column that says that a row changed `age` seconds ago; none for tables without it."""
        table = TABLES[kind]
        if table.modified is None:
            return {}
        self.stamped.add(int(self._now() - age))
        return {table.modified: self._stamp(self.variety.stamps[table.name], self._now() - age)}

    def _stamp(self, style: str, at: float) -> Any:
        moment = datetime.fromtimestamp(at, UTC)
        wall = moment.astimezone(self.variety.zone).replace(tzinfo=None)
        match style:
            case "seconds":
                return wall.replace(microsecond=0).isoformat(" ")
            case "micros":
                return wall.isoformat("T", "microseconds")
            case "zulu":
                return moment.replace(tzinfo=None, microsecond=0).isoformat("T") + "Z"
            case "epoch":
                return int(at)
            case _:
                return int(at * 1000)

    def _note(self, key: Key, line: Line | Unfit) -> None:
        told = self.history.setdefault(key, [])
        if told and told[-1] == line:
            return
        last = next((earlier for earlier in reversed(told) if isinstance(earlier, dict)), None)
        if key[0] == "BUSINESS_USER" and _moved(last, line):
            told.append({"objectId": key[1], "isDeleted": True})  # the old address is given up in between
        told.append(line)


def object_id(kind: str, row: Mapping[str, Any]) -> str:
    """Return the objectId of a row."""
    return str(row[TABLES[kind].key])


def _moved(last: Line | None, line: Line | Unfit) -> bool:
    old, new = address_of(last), address_of(line)
    return old is not None and new is not None and old != new


def _create(table: Table, variety: Variety) -> str:
    return f"CREATE TABLE {table.name} ({_columns(table, variety, stamped=True)})"


def _columns(table: Table, variety: Variety, *, stamped: bool = False) -> str:
    """The columns in SQL: `stamped`, as the table has them; else as a history of its rows has them."""
    numeric = table.name in ("accounts", "deals")
    columns = [f"{table.key} {'INTEGER' if numeric else 'TEXT'}" + " PRIMARY KEY" * stamped]
    for name in (*table.columns, table.gone):
        if name == "email" and table.name == "contacts" and variety.joined_emails:
            continue
        kind = "INTEGER" if name in _INTEGERS else "NUMERIC" if name in _NUMBERS else "TEXT"
        columns.append(f"{name} {kind}" + (" NOT NULL DEFAULT 0" if name == table.gone else ""))
    if table.modified is not None and stamped:
        columns.append(f"{table.modified} {_stamp_type(variety.stamps[table.name])}")
    return ", ".join(columns)


def _stamp_type(style: str) -> str:
    return "INTEGER" if style in ("epoch", "millis") else "TEXT"


def _text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
