"""Values come exact and raw, and one that cannot be expressed spoils its own row only."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy
from crm import NOW, Crm, flat, relation
from databases import postgres_database

from connector.clock import FakeClock
from connector.mapping.kinds import Kind
from connector.mapping.values import reader, to_json
from connector.model import FIRST_COLUMN, KEY, ColumnKind
from connector.source import open_source
from connector.source.statements import Statement


def _read(crm: Crm, kind: str, value: str) -> Any:
    """Write SQL `value` into a column of `kind` and return what the source gives for it."""
    crm.create("deals", f"id INTEGER PRIMARY KEY, x {kind}")
    crm.execute(f"INSERT INTO deals VALUES (1, {value})")
    (row,) = flat(crm.source.everything(relation(modified=None, columns=("x",))))
    return row[FIRST_COLUMN]


@pytest.mark.parametrize("digits", ["10.10", "0.00", "-1234567890123456789012.34", "99999999999999999999.99"])
@pytest.mark.not_on("sqlite", why="SQLite has no decimals: it keeps what it was given as integer, real or text")
def test_decimals_are_exact(crm: Crm, digits: str) -> None:
    value = _read(crm, "NUMERIC(30,2)", digits)
    assert isinstance(value, Decimal)
    assert str(value) == digits


def test_integers_beyond_doubles_are_exact(crm: Crm) -> None:
    assert _read(crm, "{bigint}", "9007199254740993") == 9007199254740993


def test_floats(crm: Crm) -> None:
    assert _read(crm, "{float}", "0.1") == 0.1


def test_booleans_are_true_in_python(crm: Crm) -> None:
    assert bool(_read(crm, "BOOLEAN", "TRUE")) is True


def test_dates(crm: Crm) -> None:
    value = _read(crm, "DATE", "'2026-02-28'")
    assert value == ("2026-02-28" if crm.backend == "sqlite" else date(2026, 2, 28))


def test_times_of_day(crm: Crm) -> None:
    value = _read(crm, "TIME", "'13:14:15'")
    assert value == ("13:14:15" if crm.backend == "sqlite" else time(13, 14, 15))


def test_times_without_a_zone_stay_without(crm: Crm) -> None:
    value = _read(crm, "{stamp}", "'2026-03-29 02:30:00.123456'")
    expected = datetime.fromisoformat("2026-03-29 02:30:00.123456")
    assert value == (expected.isoformat(" ") if crm.backend == "sqlite" else expected)


@pytest.mark.not_on("sqlite", why="SQLite has no times with a zone")
def test_times_with_a_zone_come_in_utc(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, x {zoned}")
    with crm.owner.begin() as connection:
        zone = "SET time_zone = '+02:00'" if crm.backend == "mysql" else "SET timezone = 'Africa/Johannesburg'"
        connection.exec_driver_sql(zone)
        connection.exec_driver_sql("INSERT INTO deals VALUES (1, '2026-01-05 12:00:00.5')")
    (row,) = flat(crm.source.everything(relation(modified=None, columns=("x",))))
    assert row[FIRST_COLUMN] == datetime(2026, 1, 5, 10, 0, 0, 500000, UTC)
    assert row[FIRST_COLUMN].utcoffset().total_seconds() == 0


def test_json_comes_as_its_text(crm: Crm) -> None:
    value = _read(crm, "{json}", """'{"a": [1, "ü", 1.10000000000000000001]}'""")
    assert isinstance(value, str)
    assert json.loads(value, parse_float=Decimal)["a"] == [1, "ü", Decimal("1.10000000000000000001")]


def test_bytes(crm: Crm) -> None:
    literal = {"postgresql": r"'\x00ff27'", "mysql": "x'00ff27'", "sqlite": "x'00ff27'"}[crm.backend]
    assert _read(crm, "{bytes}", literal) == b"\x00\xff'"


def test_uuids(crm: Crm) -> None:
    text = "0f8fad5b-d9cb-469f-a165-708672895010"
    assert _read(crm, "{uuid}", f"'{text}'") == (UUID(text) if crm.backend == "postgresql" else text)


def test_huge_and_odd_texts(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, name {text}")
    texts = ["x" * 3_000_000, "", "😀 ümlaut \u2028 'quoted' \\ % :x", "line\nbreak\ttab\r", "\ufeffbom", " padded "]
    crm.insert("deals", list(enumerate(texts)))
    rows = flat(crm.source.everything(relation(modified=None)))
    assert [row[FIRST_COLUMN] for row in sorted(rows, key=lambda row: int(row[KEY]))] == texts


@pytest.mark.only_on("sqlite", why="only SQLite stores such text in any database")
def test_text_that_is_not_utf8_comes_as_bytes_and_the_others_as_text(crm: Crm) -> None:
    crm.create("deals", "id INTEGER PRIMARY KEY, name {text}")
    crm.insert("deals", [(1, "good"), (3, "ümlaut")])
    crm.execute("INSERT INTO deals VALUES (2, CAST(x'62ff64' AS TEXT))")
    rows = {row[KEY]: row[FIRST_COLUMN] for row in flat(crm.source.everything(relation(modified=None)))}
    assert rows == {1: "good", 2: b"b\xffd", 3: "ümlaut"}


@pytest.mark.only_on("mysql", why="a session of MySQL or MariaDB can be told to answer in another character set")
def test_text_that_a_server_sends_in_another_encoding_comes_as_bytes(crm: Crm) -> None:
    with crm.source._sessions.snapshot() as session:
        session.ask("SET character_set_results = latin1")
        assert session.rows(Statement(("SELECT 'good' AS a, 'b\u00fcd' AS b, 7 AS c",))) == [("good", b"b\xfcd", 7)]


def test_text_of_any_encoding_in_an_sql_ascii_database() -> None:
    with postgres_database("ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'") as url:
        owner = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args={"client_encoding": "utf8"})
        with owner.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT)")
            connection.exec_driver_sql(r"INSERT INTO deals VALUES (1, 'good'), (2, E'b\xffd'), (3, E'\xc3\xbc')")
        source = open_source(url.render_as_string(hide_password=False), FakeClock(NOW))
        rows = flat(source.everything(relation(modified=None)))
        source.close()
    assert [row[FIRST_COLUMN] for row in rows] == ["good", b"b\xffd", "ü"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("TIMESTAMP", "infinity"),
        ("TIMESTAMPTZ", "-infinity"),
        ("TIMESTAMPTZ", "12026-01-01 00:00:00+00"),
        ("DATE", "infinity"),
        ("DATE", "0044-03-15 BC"),
        ("TIME", "24:00:00"),
        ("INTERVAL", "1 year 2 mons"),
        ("INET", "10.0.0.1/24"),
        ("INT4RANGE", "[1,5)"),
    ],
)
@pytest.mark.only_on("postgresql", why="a type or value of PostgreSQL")
def test_what_python_cannot_express_comes_as_text(crm: Crm, kind: str, text: str) -> None:
    assert _read(crm, kind, f"'{text}'") == text


@pytest.mark.only_on("postgresql", why="only PostgreSQL has arrays")
def test_arrays_come_as_lists(crm: Crm) -> None:
    assert _read(crm, "DATE[]", "'{2026-01-01,infinity,NULL}'") == [
        date(2026, 1, 1),
        "infinity",
        None,
    ]


@pytest.mark.parametrize(("kind", "text"), [("DATETIME", "0000-00-00 00:00:00"), ("DATE", "0000-00-00")])
@pytest.mark.only_on("mysql", why="only MySQL and MariaDB have zero dates")
def test_zero_dates_come_as_none(crm: Crm, kind: str, text: str) -> None:
    crm.create("deals", f"id INTEGER PRIMARY KEY, x {kind}")
    with crm.owner.begin() as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql(f"INSERT INTO deals VALUES (1, '{text}'), (2, '2026-00-00')")
        connection.exec_driver_sql("SET sql_mode = DEFAULT")
    rows = flat(crm.source.everything(relation(modified=None, columns=("x",))))
    assert rows[0][FIRST_COLUMN] is None
    assert rows[1][FIRST_COLUMN].startswith("2026-00-00")


@pytest.mark.only_on("mysql", why="BIT is MySQL's and MariaDB's")
def test_single_bits_come_as_bytes(crm: Crm) -> None:
    assert _read(crm, "BIT(1)", "b'1'") == b"\x01"


_WRITTEN = (
    ("{stamp}", "'2026-03-29 02:30:00.123456'", Kind.DATETIME),
    ("{stamp}", "'2026-03-29 02:30:00'", Kind.DATE),
    ("{zoned}", "'2026-03-29 02:30:00'", Kind.DATETIME),
    ("{zoned}", "'2026-03-29 23:30:00.5'", Kind.DATE),
    ("DATE", "'2026-02-28'", Kind.DATE),
    ("DATE", "'2026-02-28'", Kind.DATETIME),
    ("NUMERIC(30,2)", "-1234567890123456789012.30", Kind.NUMBER),
    ("NUMERIC(30,2)", "0", Kind.NUMBER),
    ("{bigint}", "9007199254740993", Kind.NUMBER),
    ("{float}", "0.1", Kind.NUMBER),
    ("{stamp}", "NULL", Kind.DATETIME),
)


@pytest.mark.parametrize(("kind", "value", "field"), _WRITTEN)
def test_what_may_come_as_text_says_the_same(crm: Crm, kind: str, value: str, field: Kind) -> None:
    plain = _read(crm, kind, value)
    what = relation(modified=None, columns=("x",), as_text=("x",))
    column = crm.source.describe(what)["x"]
    zone = UTC if column.kind is ColumnKind.DATETIME_TZ else ZoneInfo("America/New_York")
    read = reader(field, column.kind, zone)
    for row in (*flat(crm.source.everything(what)), *crm.source.by_key(what, ["1"])):
        written = row[FIRST_COLUMN]
        if plain is None:
            assert written is None
        else:
            assert to_json(read(written)) == to_json(read(plain))
