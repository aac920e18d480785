"""MySQL's and MariaDB's rows, cut out of pieces: the same as PyMySQL reads packet by packet, wherever a piece ends."""

import io
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from databases import mysql_database
from hypothesis import given
from hypothesis import strategies as st
from pymysql.connections import Connection, MySQLResult

from connector.source.backends.mysql_rows import RowCursor, _Rows

_TYPES = [("utf8", None), ("utf8", str.upper), ("ascii", int), (None, None), (None, len)]
_TEXTS = st.one_of(st.text(max_size=20), st.integers(240, 70_000).map(lambda size: "ä" * (size // 2)))
_VALUES: list[st.SearchStrategy[bytes]] = [
    _TEXTS.map(str.encode),
    st.text(max_size=9).map(str.encode),
    st.integers().map(lambda number: str(number).encode()),
    st.binary(max_size=300),
    st.binary(max_size=300),
]


def _length(size: int) -> bytes:
    """Write a length as the protocol does (length-encoded integer)."""
    if size < 251:
        return bytes([size])
    mark, width = (b"\xfc", 2) if size < 2**16 else (b"\xfd", 3) if size < 2**24 else (b"\xfe", 8)
    return mark + size.to_bytes(width, "little")


def _packets(rows: list[list[bytes | None]], number: int) -> bytes:
    contents = [b"".join(b"\xfb" if v is None else _length(len(v)) + v for v in row) for row in rows]
    sent = b""
    for content in [*contents, b"\xfe\x00\x00\x02\x00"]:
        sent += len(content).to_bytes(3, "little") + bytes([number]) + content
        number = (number + 1) % 256
    return sent


class _Wire(Connection):  # type: ignore[type-arg]  # a generic in the stubs only
    """A connection over bytes that came already."""

    def __init__(self, sent: bytes, number: int, piece: int) -> None:
        self._rfile = io.BufferedReader(_Slow(sent, piece))
        self._next_seq_id = number
        self._current_timeout = self._read_timeout = None
        self._result = None
        self._closed = True
        self.encoding = "utf8"

    def _force_close(self) -> None:
        self._rfile.close()


class _Slow(io.RawIOBase):
    """Gives at most `piece` bytes at a time."""

    def __init__(self, content: bytes, piece: int) -> None:
        self._content = io.BytesIO(content)
        self._piece = piece

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._content.read(min(self._piece, len(buffer)))
        buffer[: len(found)] = found
        return len(found)


def _result(sent: bytes, number: int, piece: int) -> MySQLResult:
    result = MySQLResult(_Wire(sent, number, piece))
    result.converters = _TYPES
    result.unbuffered_active = True
    return result


@given(
    st.lists(st.tuples(*(st.none() | value for value in _VALUES)).map(list), max_size=20),
    st.integers(0, 255),
    st.integers(1, 100_000),
    st.integers(1, 7),
)
def test_rows_are_those_that_pymysql_reads(rows: list[list[bytes | None]], number: int, piece: int, count: int) -> None:
    sent = _packets(rows, number)
    theirs = _result(sent, number, piece)
    expected = list(iter(theirs._read_rowdata_packet_unbuffered, None))
    ours = _Rows(_result(sent, number, piece))
    found: list[Any] = []
    while chunk := ours.take(count):
        assert len(chunk) <= count
        found += chunk
    assert found == expected
    assert len(found) == len(rows)


def test_a_row_larger_than_a_packet_and_one_larger_than_a_piece() -> None:
    large = [b"x" * 17_000_000, None, b"7", b"", b"y" * 300_000]
    content = b"".join(b"\xfb" if v is None else _length(len(v)) + v for v in large)
    first, rest = content[: 2**24 - 1], content[2**24 - 1 :]
    sent = b"\xff\xff\xff\x00" + first + len(rest).to_bytes(3, "little") + b"\x01" + rest
    sent += _packets([[b"a", b"b", b"1", b"c", b"d" * 200_000]], 2)
    rows = _Rows(_result(sent, 0, 1_000_000)).take(9)
    assert [[None if v is None else len(str(v)) for v in row] for row in rows] == [
        [17_000_000, None, 1, 3, 6],
        [1, 1, 1, 4, 6],
    ]


def test_a_connection_that_ends_within_a_row_is_lost_not_the_end() -> None:
    sent = _packets([[b"a", None, None, None, None], [b"b" * 200, None, None, None, None]], 0)
    rows = _Rows(_result(sent[:100], 0, 30))
    with pytest.raises(pymysql.err.OperationalError, match="Lost connection"):
        rows.take(9)


@pytest.mark.parametrize(("number", "error"), [(0, pymysql.err.OperationalError), (9, pymysql.err.InternalError)])
def test_a_packet_out_of_order_ends_the_connection(number: int, error: type[Exception]) -> None:
    sent = bytearray(_packets([[b"a", None, None, None, None]], 4))
    sent[3] = number
    result = _result(bytes(sent), 4, 100)
    wire = result.connection
    with pytest.raises(error):
        _Rows(result).take(9)
    assert wire._rfile.closed


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with mysql_database() as url:
        password = url.password or ""
        made = pymysql.connect(
            host=url.host or "127.0.0.1", port=url.port or 3306, user=url.username, password=str(password),
            database=url.database, charset="utf8mb4", cursorclass=RowCursor, autocommit=True,
        )  # fmt: skip
        yield made
        made.close()


def test_what_is_left_of_a_closed_result_does_not_meet_the_next_one(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT seq, REPEAT('x', 200) FROM seq_1_to_20000")
    assert [row[0] for row in cursor.fetchmany(3)] == [1, 2, 3]
    assert cursor.fetchone()[0] == 4
    cursor.close()
    with connection.cursor() as another:
        another.execute("SELECT 'next'")
        assert another.fetchall() == [("next",)]
        assert another.fetchone() is None


def test_an_error_among_the_rows_is_raised_and_the_connection_goes_on(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT seq, REPEAT('x', 200), IF(seq = 19000, (SELECT seq FROM seq_1_to_2), 0) FROM seq_1_to_20000")
    with pytest.raises(pymysql.err.OperationalError, match="more than 1 row"):
        cursor.fetchall()
    cursor.close()
    with connection.cursor() as another:
        another.execute("SELECT 1")
        assert another.fetchone() == (1,)
