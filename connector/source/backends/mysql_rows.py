"""Reads rows of MySQL and MariaDB: PyMySQL's connections, with a cursor that cuts rows out of large pieces.

PyMySQL reads each row's packet by itself and calls four methods for each value, which takes longer than all else that
is done with a row. Here the socket is read by the piece, and a function made for the result's columns cuts the values
out, one statement each (protocol: "Text Resultset Row").
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pymysql.connections import MAX_PACKET_LEN
from pymysql.constants import CR
from pymysql.cursors import SSCursor
from pymysql.err import InternalError, OperationalError
from pymysql.protocol import MysqlPacket

_BINARY_CHARSET: Final = 63
_PIECE: Final = 128 * 1024
"""Bytes that are read of the socket at a time, at most."""
_HEAD: Final = 4
"""Bytes before a packet: its length (3) and its number (1)."""
_SPECIAL: Final = 0xFE
"""A packet that begins with this byte or a higher one is no row, but for a row that begins with a very long value."""
_NULL: Final = 251
_WIDTHS: Final = {252: 2, 253: 3, 254: 8}
"""Bytes of a length by the byte that stands before it."""

Converters = Sequence[tuple[str | None, Callable[[Any], object] | None]]
"""For each column: the encoding of its text (None: bytes), and what makes a value of it."""
ReadRow = Callable[[bytes, int], tuple[Any, ...]]
"""Reads the row that begins at a place among bytes."""


class RowCursor(SSCursor):
    """Unbuffered cursor that gives text which is not valid UTF-8 as bytes instead of failing the read."""

    _ahead: "_Rows | None" = None
    """What reads the present result, once `fetchmany` or `fetchall` was called."""

    def _query(self, q: str) -> int:
        self._ahead = None
        affected: int = super()._query(q)  # type: ignore[misc]  # the stubs leave it out
        result = self._unread()
        if result is not None:
            read = careful_reader(result.converters)
            result._read_row_from_packet = lambda packet: read(packet.get_all_data(), 0)
        return affected

    def fetchone(self) -> Any:
        if self._ahead is None:
            return super().fetchone()
        return next(iter(self._ahead.take(1)), None)

    def fetchmany(self, size: int | None = None) -> Any:
        return self._reading().take(self.arraysize if size is None else size)

    def fetchall(self) -> Any:
        rows = self._reading()
        found: list[tuple[Any, ...]] = []
        while chunk := rows.take(1000):
            found += chunk
        return found

    def close(self) -> None:
        """Read the rest of the result, for there is no way to stop it, and let go of the connection."""
        if self.connection is not None and self._ahead is not None:
            while self._ahead.take(1000):
                pass
        super().close()

    __del__ = close

    def types(self) -> list[tuple[int, bool]]:
        """Return each column's protocol type and whether it holds bytes."""
        result = self._unread()
        fields = result.fields if result is not None else []
        return [(field.type_code, field.charsetnr == _BINARY_CHARSET) for field in fields]

    def forget(self) -> None:
        """Do not read the rest of the result when the cursor is closed or collected."""
        result = self._unread()
        if result is not None:
            result.unbuffered_active = False
            result.connection = None
        self._ahead = None
        self.connection = None  # type: ignore[assignment]  # how PyMySQL marks a closed cursor

    def _reading(self) -> "_Rows":
        if self._ahead is None:
            self._check_executed()  # type: ignore[attr-defined]  # the stubs leave it out
            self._ahead = _Rows(self._result)  # type: ignore[attr-defined]
        return self._ahead

    def _unread(self) -> Any:
        result: Any = getattr(self, "_result", None)
        return result if result is not None and result.unbuffered_active else None


class _Rows:
    """The rest of a result. Once it has begun, PyMySQL must not read of the connection before the result's end."""

    def __init__(self, result: Any) -> None:
        self._result = result
        self._connection = result.connection
        self._data = b""
        self._place = 0
        """Where the next packet begins in what was read."""
        if result.unbuffered_active:
            self._read = quick_reader(result.converters)
            self._number = result.connection._next_seq_id

    def take(self, count: int) -> list[tuple[Any, ...]]:
        """Return the next rows, up to `count`; none at the end.

        Raises pymysql's errors: the server's own, or that the connection is lost.
        """
        rows: list[tuple[Any, ...]] = []
        if not self._result.unbuffered_active:
            return rows
        data, place, number, read = self._data, self._place, self._number, self._read
        while len(rows) < count:
            begin = place + _HEAD
            size = int.from_bytes(data[place : place + 3], "little")
            whole = begin + size <= len(data)
            if begin >= len(data) or not (whole or size > _PIECE):
                self._data, place = self._more(data[place:]), 0
                data = self._data
                continue
            if data[place + 3] != number:
                raise self._out_of_order(data[place + 3])
            if data[begin] >= _SPECIAL or not whole:
                self._place, self._number = place, number
                row = self._special()
                if row is None:
                    return rows
                rows.append(row)
                data, place, number = self._data, self._place, self._number
                continue
            rows.append(read(data, begin))
            place = begin + size
            number = (number + 1) & 0xFF
        self._place, self._number = place, number
        return rows

    def _special(self) -> tuple[Any, ...] | None:
        """Read a row that is larger than a piece; or the end, for which None stands."""
        content = self._packet()
        packet = MysqlPacket(content, self._connection.encoding)
        result = self._result
        if packet.is_error_packet():
            result.unbuffered_active = False
            packet.raise_for_error()
        if not result._check_packet_is_eof(packet):
            return self._read(content, 0)
        result.unbuffered_active = False
        result.connection = None
        if self._place != len(self._data):
            raise self._lost("more than the result was sent")
        self._data = b""
        return None

    def _packet(self) -> bytes:
        """Return the content of the next packet, of whatever size: a long one comes in parts."""
        parts = []
        size = MAX_PACKET_LEN
        while size == MAX_PACKET_LEN:
            size = int.from_bytes(self._bytes(3), "little")
            number = self._bytes(1)[0]
            if number != self._number:
                raise self._out_of_order(number)
            self._number = (number + 1) & 0xFF
            parts.append(self._bytes(size))
        return b"".join(parts)

    def _bytes(self, size: int) -> bytes:
        """Return the next bytes, however many."""
        parts = []
        while size:
            if self._place == len(self._data):
                self._data, self._place = self._more(b""), 0
            parts.append(self._data[self._place : self._place + size])
            self._place += len(parts[-1])
            size -= len(parts[-1])
        return b"".join(parts)

    def _more(self, rest: bytes) -> bytes:
        """Return what was not used yet and the next piece. The connection has its timeout from the columns' packets."""
        try:
            piece: bytes = self._connection._rfile.read1(_PIECE)
        except OSError as error:
            raise self._lost(str(error)) from None
        except BaseException:
            self._give_up()
            raise
        if not piece:
            raise self._lost("it was closed")
        return rest + piece if rest else piece

    def _out_of_order(self, number: int) -> Exception:
        if number == 0:  # how MariaDB says that it is being shut down
            return self._lost("the server ends")
        self._give_up()
        return InternalError(f"Packet sequence number wrong - got {number} expected {self._number}")

    def _lost(self, why: str) -> Exception:
        self._give_up()
        return OperationalError(CR.CR_SERVER_LOST, f"Lost connection to MySQL server during query ({why})")

    def _give_up(self) -> None:
        self._connection._force_close()
        self._result.unbuffered_active = False


def careful_reader(converters: Converters) -> ReadRow:
    """Return what reads any row. Text that is not valid UTF-8 comes as bytes."""
    kinds = [(encoding is not None, converter) for encoding, converter in converters]

    def read(data: bytes, place: int) -> tuple[Any, ...]:
        row: list[Any] = []
        for is_text, convert in kinds:
            size = data[place]
            place += 1
            if size == _NULL:
                row.append(None)
                continue
            if size > _NULL:
                width = _WIDTHS[size]
                size = int.from_bytes(data[place : place + width], "little")
                place += width
            value: Any = data[place : place + size]
            place += size
            if is_text:
                try:
                    value = value.decode()
                except UnicodeDecodeError:
                    row.append(value)
                    continue
            row.append(value if convert is None else convert(value))
        return tuple(row)

    return read


def quick_reader(converters: Converters) -> ReadRow:
    """Return what reads rows fast: one statement for each of these columns, and the careful way for odd rows."""
    given: dict[str, Any] = {"careful": careful_reader(converters), "widths": _WIDTHS}
    code = ["def read(data, place):", " first = place", " try:"]
    for number, (encoding, convert) in enumerate(converters):
        made = "data[place:end]"
        if convert is int:
            made = f"int({made})"
        else:
            made = made if encoding is None else f"{made}.decode()"
            made = made if convert is None else f"convert{number}({made})"
            given[f"convert{number}"] = convert
        code += [
            "  size = data[place]; place += 1",
            f"  if size < {_NULL}: end = place + size; value{number} = {made}; place = end",
            f"  elif size == {_NULL}: value{number} = None",
            "  else:",
            "   width = widths[size]; end = place + width + int.from_bytes(data[place:place + width], 'little')",
            f"   place += width; value{number} = {made}; place = end",
        ]
    values = "".join(f"value{number}, " for number in range(len(converters)))
    code += [" except UnicodeDecodeError:", "  return careful(data, first)", f" return ({values})"]
    exec("\n".join(code), given)  # noqa: S102 - made of the columns' number and kinds alone
    found: ReadRow = given["read"]
    return found
