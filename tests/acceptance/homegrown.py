"""CRMs that somebody made at home, and what a person who knows them would map.

Each schema is a file of lines: a table, then its columns with type, key or reference, and what its rows hold. What is
right stands below it: for each type the table, key, stamp, soft delete, and the column of each field; `via TABLE` for
what comes from another one.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

MONEY = "DECIMAL(14, 2)"
TYPES = {
    "postgresql": {"int": "INTEGER", "ts": "TIMESTAMP", "bool": "BOOLEAN", "money": MONEY},
    "mysql": {"int": "INTEGER", "ts": "DATETIME", "bool": "TINYINT(1)", "money": MONEY},
    "sqlite": {"int": "INTEGER", "ts": "TIMESTAMP", "bool": "BOOLEAN", "money": MONEY},
}
ROWS = 24
WRITTEN = Path(__file__).parent / "homegrown_schemas"


@dataclass(frozen=True)
class Schema:
    """A CRM, and its right mapping."""

    name: str
    tables: str
    right: str


def _schema(name: str) -> Schema:
    tables, right = (WRITTEN / f"{name}.txt").read_text(encoding="utf-8").split("\n--- right\n")
    return Schema(name, tables, right)


TIDY = _schema("tidy")
UGLY = _schema("ugly")
OTHERS = [_schema(name) for name in ("camel", "german", "joined", "scattered", "legacy", "cases", "kuerzel", "mixed")]


def create(connection: Connection, schema: Schema) -> None:
    """Make the tables, with rows."""
    dice = random.Random(7)
    dialect = connection.dialect.name
    quote = connection.dialect.identifier_preparer.quote
    for name, rows, columns in _tables(schema.tables):
        lines = []
        for column, kind, extra, _ in columns:
            declared = TYPES[dialect].get(kind, "VARCHAR(80)" if kind == "text" else kind.upper())
            line = f"{quote(column)} {declared}"
            if extra == "pk":
                line += " PRIMARY KEY NOT NULL"
            lines.append(line)
        for column, _, extra, _ in columns:
            if extra.startswith("->"):
                target = extra[2:]
                key = next(c for n, _, cs in _tables(schema.tables) if n == target for c, _, e, _ in cs if e == "pk")
                lines.append(f"FOREIGN KEY ({quote(column)}) REFERENCES {quote(target)} ({quote(key)})")
        connection.execute(text(f"CREATE TABLE {quote(name)} ({', '.join(lines)})"))
        names = [column for column, *_ in columns]
        places = ", ".join(f":c{at}" for at in range(len(names)))
        insert = f"INSERT INTO {quote(name)} ({', '.join(map(quote, names))}) VALUES ({places})"
        values = [
            {f"c{at}": _value(how, kind, row, dice) for at, (_, kind, _, how) in enumerate(columns)}
            for row in range(rows)
        ]
        connection.execute(text(insert), values)


def _tables(written: str) -> list[tuple[str, int, list[tuple[str, str, str, str]]]]:
    found: list[tuple[str, int, list[tuple[str, str, str, str]]]] = []
    for line in written.strip().splitlines():
        said, _, how = line.partition(" = ")
        parts = said.split()
        if not line.startswith(" "):
            found.append((parts[0], int(parts[1]) if len(parts) > 1 else ROWS, []))
        else:
            found[-1][2].append((parts[0], parts[1], parts[2] if len(parts) > 2 else "", how))
    return found


def _value(how: str, kind: str, row: int, dice: random.Random) -> object:
    at = datetime(2026, 1, 5, 9) + timedelta(hours=row * 7, seconds=dice.randrange(3600))  # noqa: DTZ001 - as the CRM has it
    name = f"{dice.choice('BDFGKLMNPRST')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{dice.choice('aeo')}{row}"
    made: dict[str, object] = {
        "seq": row + 1,
        "ref": dice.randrange(1, ROWS + 1),
        "ref6": dice.randrange(1, 7),
        "one6": dice.randrange(1, 7),
        "zero": 0,
        "pct": dice.randrange(101),
        "email": f"{name.lower()}@{name.lower()}.example",
        "login": name.lower(),
        "person": f"{name} {name[::-1]}",
        "first": name,
        "last": f"Mc{name}",
        "company": f"{name} Ltd",
        "web": f"https://www.{name.lower()}.example",
        "webs": f"{name.lower()}.example, {name.lower()}.test",
        "epoch": 1_770_000_000 + row * 25_000,
        "phone": f"+49 228 {dice.randrange(10**6)}",
        "words": f"{name} rollout",
        "time": at,
        "day": at.date(),
        "rarely": at if row % 9 == 4 else None,
        "money": dice.randrange(10**6) / 4,
        "true": True,
        "no": False,
    }
    if how in made:
        return made[how]
    choices = how.split("|")
    return choices[row % len(choices)] if kind == "text" else choices[0]
