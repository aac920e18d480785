"""MySQL and MariaDB by PyMySQL: read-only session in UTC, unbuffered rows, zero dates as None."""

import math
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pymysql
from pymysql import converters
from pymysql.constants import CLIENT, FIELD_TYPE
from sqlalchemy import Connection, Dialect, inspect, text
from sqlalchemy.engine import URL

from connector.model import Column, ColumnKind, Holder, Relation
from connector.source.backends.base import Backend, first_line, run
from connector.source.backends.mysql_rows import RowCursor
from connector.source.faults import Fault
from connector.source.horizon import Ask, Opened
from connector.source.statements import Bind

_WRITE_TIMEOUT_SECONDS = 600
"""How long the server waits for us to take more rows (its own default of 60 would break a slow reader)."""
_CODES = {
    Fault.MISSING: {1051, 1054, 1109, 1146, 1356},
    Fault.DENIED: {1142, 1143, 1227, 1370},
    Fault.LOGIN: {1044, 1045, 1130, 1698, 1862, 4151},
    Fault.NO_DATABASE: {1046, 1049},
    Fault.WRITE: {1290, 1792, 1836},
    Fault.DATA: {1062, 1242, 1264, 1265, 1292, 1365, 1366, 1367, 1406, 1411, 1690},
    Fault.UNAVAILABLE: {
        1021, 1037, 1038, 1040, 1041, 1042, 1043, 1053, 1077, 1080, 1129, 1152, 1154, 1155, 1156, 1157, 1158, 1159,
        1160, 1161, 1184, 1189, 1190, 1203, 1205, 1206, 1213, 1226, 1317, 1412, 1927, 1969, 3024, 3169, 4031,
    },
}  # fmt: skip
_FAULTS = {code: fault for fault, codes in _CODES.items() for code in codes}
_CHARSETS_DIFFER = (1267, 1270, 1271)
_CLIENT_ERRORS = range(2000, 3000)
_NUMBERS = {
    **dict.fromkeys(
        (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.INT24, FIELD_TYPE.YEAR),
        ColumnKind.INTEGER,
    ),
    **dict.fromkeys((FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE), ColumnKind.FLOAT),
    **dict.fromkeys((FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL), ColumnKind.DECIMAL),
    FIELD_TYPE.DATE: ColumnKind.DATE,
    FIELD_TYPE.NEWDATE: ColumnKind.DATE,
    FIELD_TYPE.DATETIME: ColumnKind.DATETIME,
    FIELD_TYPE.TIMESTAMP: ColumnKind.DATETIME_TZ,
    FIELD_TYPE.TIME: ColumnKind.TIME,
    FIELD_TYPE.JSON: ColumnKind.JSON,
    FIELD_TYPE.BIT: ColumnKind.BINARY,
    FIELD_TYPE.GEOMETRY: ColumnKind.BINARY,
}
_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<where>\S+) TO ")
_RIGHT = re.compile(r"[A-Z][A-Z ]*[A-Z]")
_WRITING = {
    "ALL PRIVILEGES", "ALL", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "TRIGGER", "FILE",
    "SUPER", "CREATE USER", "GRANT OPTION",
}  # fmt: skip
_ZERO_DATE = re.compile(r"0000-00-00([ T]00:00:00(\.0+)?)?")

_STATEMENTS = """
SELECT id, user, command, time, state FROM information_schema.processlist
WHERE id <> CONNECTION_ID() AND command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID')
"""
_UTC_STARTED = "CONVERT_TZ(trx_started, 'SYSTEM', '+00:00')"
_TRANSACTIONS = f"""
SELECT /* {{look}} */ t.trx_query LIKE '%{{look}}%' AND t.trx_mysql_thread_id = CONNECTION_ID(),
t.trx_mysql_thread_id, t.trx_is_read_only, p.user, p.command,
IF(CONVERT_TZ({_UTC_STARTED} - INTERVAL 1 HOUR, '+00:00', 'SYSTEM') = trx_started,
{_UTC_STARTED} - INTERVAL 1 HOUR, {_UTC_STARTED})
FROM information_schema.innodb_trx t LEFT JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
"""  # noqa: S608 - constants
"""Starts are told in the server's local time; where that hour stands twice, the earlier is taken."""
_LOOKS = 5
_STALE_SECONDS = 0.11
"""The server gives the same list of transactions until nobody has asked for 0.1 s, however old it becomes. A list that
holds the very statement which asks for it is new.
"""
_REPLICATION = "system user"


class MySQL(Backend):
    """MySQL and MariaDB. The statement timeout includes the time we take to read the rows.

    TIMESTAMP columns come as aware datetimes in UTC, DATETIME as naive ones, JSON as text, BIT as bytes.
    """

    now_sql = "SELECT UTC_TIMESTAMP(6)"
    absent_below = "'1000-01-01'"
    integers = (-(2**63), 2**64 - 1)
    as_text = dict.fromkeys(
        (ColumnKind.DATETIME, ColumnKind.DATETIME_TZ, ColumnKind.DATE, ColumnKind.DECIMAL), "CAST({} AS CHAR)"
    )

    def __init__(self, dialect: Dialect, url: URL, statement_timeout: float | None) -> None:
        super().__init__(dialect, url, statement_timeout)
        self._begun: dict[tuple[int, datetime | None], float] = {}
        """What ran at the last look: since when, by connection and its transaction's start (None: in none)."""

    def connect_args(self) -> dict[str, Any]:
        options: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": 10}
        if self.statement_timeout is not None:
            options["read_timeout"] = self.statement_timeout + 30
        options = {name: value for name, value in options.items() if name not in self.url.query}
        return {**options, "conv": _DECODERS, "cursorclass": RowCursor, "client_flag": CLIENT.FOUND_ROWS}

    def prepare(self, connection: Any) -> None:
        settings = [
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION READ ONLY",
            "SET SESSION time_zone = '+00:00'",
            f"SET SESSION net_write_timeout = {_WRITE_TIMEOUT_SECONDS}",
        ]
        if self.statement_timeout is not None:
            if "mariadb" in connection.get_server_info().lower():
                settings.append(f"SET SESSION max_statement_time = {self.statement_timeout:f}")
            else:
                settings.append(f"SET SESSION max_execution_time = {max(1, round(self.statement_timeout * 1000))}")
        run(connection, *settings)
        connection.rollback()

    def begin(self, connection: Any) -> None:
        run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def abandon(self, cursor: Any) -> bool:
        """There is no way to stop the server's rows but to leave: the connection goes with the cursor."""
        assert isinstance(cursor, RowCursor), "every cursor of this backend is one"
        cursor.forget()
        return True

    def quote(self, name: str) -> str:
        return self.always_quote(name)

    def bind(self, value: object) -> Bind:
        match value:
            case UUID():
                return Bind(str(value))
            case datetime() if value.tzinfo is not None:
                return Bind(value.astimezone(UTC).replace(tzinfo=None))
            case _:
                return Bind(value)

    def wider_key(self, column: str, error: Exception) -> str | None:
        # A key was asked for that the column's character set cannot express; the index is of no use then.
        return f"CONVERT({column} USING utf8mb4)" if _code(error) in _CHARSETS_DIFFER else None

    def server_time(self, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC)

    @property
    def unseen(self) -> str:
        account = f"'{self.url.username or '<the account>'}'@'%'"
        return f"its account cannot see the transactions of others: GRANT PROCESS ON *.* TO {account};"

    def opened(self, ask: Ask) -> Opened:
        """Running statements, then transactions: a statement has its time before it is in a transaction (it may wait
        for a metadata lock), and what leaves the one list is in the other.

        A transaction whose first statement was found waiting counts from that statement. Prepared transactions that
        no connection holds any more do not tell when they began; nor does a list that is old.
        """
        ((moment,),) = ask(f"{self.now_sql} - INTERVAL 1 SECOND")  # times are in whole seconds
        up_to = self.server_time(moment)
        statements = ask(_STATEMENTS)
        transactions = _transactions(ask)
        if transactions is None:
            # Nothing is known of what began since the latest look: the cursor from then is right, whatever is open.
            words = (
                "its list of open transactions is old: somebody else asks for it all the time; cursors stay meanwhile."
            )
            return Opened(stay=True, lacking=words)
        in_transaction = {thread for thread, *_ in transactions}
        readers = {thread for thread, reads_only, *_ in transactions if reads_only}
        begun: dict[tuple[int, datetime | None], float] = {}
        holders = []
        for thread, user, command, seconds, state in statements:
            if thread not in readers and user != _REPLICATION:
                since = up_to.timestamp() - int(seconds or 0)
                holders.append(Holder(f"connection {thread}", user, "", state or command, since))
                if thread not in in_transaction:
                    begun[thread, None] = since
        for thread, reads_only, user, command, started in transactions:
            if not reads_only:
                waited = self._begun.get((thread, started), self._begun.get((thread, None), math.inf))
                since = min(waited, up_to.timestamp(), self.server_time(started).timestamp())
                begun[thread, started] = since
                state = "open transaction" if command == "Sleep" else str(command or "prepared")
                name = f"connection {thread}" if thread else "an XA transaction"
                holders.append(Holder(name, user or "", "", state, since))
        self._begun = begun
        lacking = None
        if any(user == _REPLICATION for _, user, *_ in statements):
            lacking = "it is a replica or a cluster's node, which does not show what is open on others"
        prepared = any(thread == 0 and not reads_only for thread, reads_only, *_ in transactions)
        return Opened(holders, prepared, up_to, lacking)

    def probed_kinds(self, cursor: Any) -> list[ColumnKind]:
        assert isinstance(cursor, RowCursor), "every cursor of this backend is one"
        return [_kind(field_type, binary) for field_type, binary in cursor.types()]

    def catalog_columns(self, connection: Connection, relation: Relation, probed: Sequence[Column]) -> list[Column]:
        """Add whether a column can be NULL. SHOW CREATE TABLE would need a privilege on views."""
        assert relation.table is not None, "only tables stand in the catalog"
        schema, _, table = relation.table.rpartition(".")
        query = text(
            "SELECT column_name, is_nullable, data_type FROM information_schema.columns"
            " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table"
        )
        known = {row[0]: row for row in connection.execute(query, {"schema": schema or None, "table": table})}
        return [_with_catalog(column, known.get(column.name)) for column in probed]

    def table_names(self, connection: Connection) -> list[str]:
        inspector = inspect(connection)
        return sorted({*inspector.get_table_names(), *inspector.get_view_names()})

    def excess(self, connection: Connection) -> str | None:
        """The account's own grants; those of a role that it does not have by default are none of its session's."""
        for grant in connection.scalars(text("SHOW GRANTS")):
            found = _GRANT.match(grant)
            if found is None:
                continue
            rights = [right for right in _RIGHT.findall(found["rights"]) if right in _WRITING]
            if rights:
                return f"has {', '.join(rights[:3])}{' and more' if len(rights) > 3 else ''} on {found['where']}"
        return None

    def reader(self, tables: Sequence[str]) -> str:
        database = self._shown(self.url.database or "the_database")
        places = sorted({self._shown(table.rpartition(".")[0]) if "." in table else database for table in tables})
        account = "'gong_connector'@'%'"
        sees = f"GRANT PROCESS ON *.* TO {account}"
        grants = "; ".join(f"GRANT SELECT ON {place}.* TO {account}" for place in places or [database])
        return f"CREATE USER {account} IDENTIFIED BY '...'; {sees}; {grants}"

    def classify(self, error: BaseException) -> Fault:
        code = _code(error)
        if code is None or code == 0:
            known = isinstance(error, pymysql.err.ProgrammingError | pymysql.err.DataError)
            return Fault.SQL if known else Fault.UNAVAILABLE
        if code in _CLIENT_ERRORS:
            return Fault.UNAVAILABLE
        return _FAULTS.get(code, Fault.SQL)

    def words(self, error: BaseException) -> str:
        return first_line(str(error.args[1])) if len(error.args) > 1 else first_line(str(error))

    def code(self, error: BaseException) -> str:
        return str(_code(error) or type(error).__name__)


def _transactions(ask: Ask) -> list[tuple[Any, ...]] | None:
    """Return the open transactions of others as they are now; None where only an older list is to be had."""
    for _ in range(_LOOKS):
        found = ask(_TRANSACTIONS.format(look=secrets.token_hex(8)))
        if any(asking for asking, *_ in found):
            return [tuple(one) for asking, *one in found if not asking]
        ask(f"SELECT SLEEP({_STALE_SECONDS})")
    return None


def _kind(field_type: int, binary: bool) -> ColumnKind:
    return _NUMBERS.get(field_type, ColumnKind.BINARY if binary else ColumnKind.TEXT)


def _with_catalog(column: Column, known: Any) -> Column:
    if known is None:
        return column
    kind = ColumnKind.UUID if str(known[2]).lower() == "uuid" else column.kind
    return Column(column.name, kind, str(known[1]).upper() != "NO")


def _code(error: BaseException) -> int | None:
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None


def _datetime(raw: str) -> datetime | date | str | None:
    """Return the time; None for the zero date, the text for a date that the calendar does not have."""
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        return _odd_datetime(raw)


def _odd_datetime(raw: str) -> datetime | date | str | None:
    if _ZERO_DATE.fullmatch(raw):
        return None
    value: datetime | date | str = converters.convert_datetime(raw)
    return value if isinstance(value, datetime) else raw


def _timestamp(raw: str) -> datetime | date | str | None:
    try:
        return datetime.fromisoformat(f"{raw}+00:00")
    except ValueError:
        value = _odd_datetime(raw)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _date(raw: str) -> date | str | None:
    if _ZERO_DATE.fullmatch(raw):
        return None
    value: date | str = converters.convert_date(raw)
    return value


_TIMES: dict[int, Callable[[str], object]] = {
    FIELD_TYPE.DATETIME: _datetime,
    FIELD_TYPE.TIMESTAMP: _timestamp,
    FIELD_TYPE.DATE: _date,
    FIELD_TYPE.NEWDATE: _date,
    FIELD_TYPE.TIME: converters.convert_time,
    FIELD_TYPE.DECIMAL: Decimal,
    FIELD_TYPE.NEWDECIMAL: Decimal,
}
_DECODERS: dict[Any, Any] = {**converters.conversions, **_TIMES}
