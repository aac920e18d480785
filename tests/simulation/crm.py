"""The simulated CRM: a SQLite file that other programs write to, and what Gong should have been told, and when."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.simulation.expectation import Expectation, Line, Unfit, address_of
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
    additional_fields:
      - {{name: industry, label: Industry, type: PICKLIST, column: industry, values: [Mining, Farming, Retail]}}
      - {{name: revenue, label: Revenue, type: CURRENCY, column: revenue}}
{region}
  CONTACT:
    query: SELECT c.*, 'https://crm.example/contacts/' || c.id AS page FROM contacts c
    key: id
    modified: changed_at
    deleted: is_deleted = 1
    fields:
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
    additional_fields:
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
    additional_fields:
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
_REGION: Final = "      - {name: region, label: Region, type: STRING, column: region}\n"


class Crm:
    """Holds the rows and remembers, for each object, every line that was due to Gong at some time."""

    def __init__(self, directory: Path, variety: Variety, now: Callable[[], float]) -> None:
        self.path = directory / "crm.db"
        self.mapping_path = directory / "mapping.yaml"
        self.variety = variety
        self.commits = 0
        self.history: dict[Key, list[Line | Unfit]] = {}
        self._now = now
        self._db = sqlite3.connect(self.path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.text_factory = _text
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")  # the file need not outlast this process
        for table in TABLES.values():
            self._db.execute(_create(table, variety))
        self._touched: list[tuple[str, Any]] = []
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
        return [dict(row) for row in self._db.execute(f"SELECT * FROM {table.name} ORDER BY {table.key}")]

    def row(self, kind: str, key: Any) -> Row | None:
        table = TABLES[kind]
        found = self._db.execute(f"SELECT * FROM {table.name} WHERE {table.key} = ?", (key,)).fetchone()
        return None if found is None else dict(found)

    def keys(self, kind: str) -> list[Any]:
        table = TABLES[kind]
        return [row[0] for row in self._db.execute(f"SELECT {table.key} FROM {table.name} ORDER BY {table.key}")]

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
            assert row is not None, "nothing is deleted for good here"
            self._note((kind, object_id(kind, row)), self.expectation.line(kind, row))

    def write(self, kind: str, key: Any, values: Mapping[str, Any]) -> None:
        """Insert or update a row, inside a transaction. Bytes become text that is not valid UTF-8."""
        table = TABLES[kind]
        marks = {name: "CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for name, value in values.items()}
        if self.row(kind, key) is None:
            names = ", ".join([table.key, *values])
            places = ", ".join(["?", *marks.values()])
            self._db.execute(f"INSERT INTO {table.name} ({names}) VALUES ({places})", (key, *values.values()))
        else:
            changes = ", ".join(f"{name} = {mark}" for name, mark in marks.items())
            self._db.execute(f"UPDATE {table.name} SET {changes} WHERE {table.key} = ?", (*values.values(), key))
        self._touched.append((kind, key))

    def stamp(self, kind: str, age: float = 0.0) -> Row:
        """Return the column that says that a row changed `age` seconds ago; none for tables without it."""
        table = TABLES[kind]
        if table.modified is None:
            return {}
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
    numeric = table.name in ("accounts", "deals")
    columns = [f"{table.key} {'INTEGER' if numeric else 'TEXT'} PRIMARY KEY"]
    for name in (*table.columns, table.gone):
        kind = "INTEGER" if name in _INTEGERS else "NUMERIC" if name in _NUMBERS else "TEXT"
        columns.append(f"{name} {kind}" + (" NOT NULL DEFAULT 0" if name == table.gone else ""))
    if table.modified is not None:
        number = variety.stamps[table.name] in ("epoch", "millis")
        columns.append(f"{table.modified} {'INTEGER' if number else 'TEXT'}")
    return f"CREATE TABLE {table.name} ({', '.join(columns)})"


def _text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
