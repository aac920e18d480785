"""SQL Server: stamps to the last of their seven digits, and what is open. Its statements are tested as text only."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from connector.model import Column, ColumnKind, Holder, Relation
from connector.source.backends.base import Backend
from connector.source.horizon import Ask, Opened
from connector.source.statements import Bind

_OPENED = """
SELECT s.session_id, s.login_name, s.program_name, s.status,
DATEADD(second, -1 - DATEDIFF(second, o.began, SYSDATETIME()), SYSUTCDATETIME())
FROM (
SELECT x.session_id, t.transaction_begin_time AS began FROM sys.dm_tran_session_transactions x
JOIN sys.dm_tran_active_transactions t ON t.transaction_id = x.transaction_id
UNION ALL
SELECT r.session_id, r.start_time FROM sys.dm_exec_requests r
) AS o JOIN sys.dm_exec_sessions s ON s.session_id = o.session_id
WHERE s.is_user_process = 1 AND s.session_id <> @@SPID
"""
"""Starts are told in the server's local time; they come as UTC, a second early, for times are in whole ones."""


class SQLServer(Backend):
    """SQL Server, through pyodbc. Its datetime2 and datetimeoffset hold 100 ns, Python's datetime does not: such stamps
    are read and compared as text.
    """

    now_sql = "SELECT SYSUTCDATETIME()"

    def quote(self, name: str) -> str:
        return self.always_quote(name)

    def always_quote(self, name: str) -> str:
        return f"[{name.replace(']', ']]')}]"

    def server_time(self, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC)

    def stamp(self, column: str, kind: ColumnKind) -> str:
        match kind:
            case ColumnKind.DATETIME:
                return f"CONVERT(VARCHAR(27), CAST({column} AS DATETIME2(7)), 121)"
            case ColumnKind.DATETIME_TZ:
                utc = f"CAST(SWITCHOFFSET({column}, '+00:00') AS DATETIME2(7))"
                return f"CONVERT(VARCHAR(27), {utc}, 121) + '+00:00'"
            case _:
                return column

    def bind_stamp(self, value: object, kind: ColumnKind) -> Bind:
        if kind is ColumnKind.DATETIME:
            return Bind(_text(value), "CAST({} AS DATETIME2(7))")
        if kind is ColumnKind.DATETIME_TZ:
            return Bind(_text(value), "CAST({} AS DATETIMEOFFSET(7))")
        return super().bind_stamp(value, kind)

    @property
    def unseen(self) -> str:
        account = self.always_quote(self.url.username or "the account")
        return f"its account cannot see the transactions of others: GRANT VIEW SERVER STATE TO {account};"

    def opened(self, ask: Ask) -> Opened:
        """Transactions and running requests of other sessions."""
        return Opened([
            Holder(f"session {session}", user, program or "", state, self.server_time(since).timestamp())
            for session, user, program, state, since in ask(_OPENED)
        ])  # fmt: skip

    def catalog_columns(self, connection: Connection, relation: Relation, probed: Sequence[Column]) -> list[Column]:
        found = super().catalog_columns(connection, relation, probed)
        zoned = self.zoned_columns(connection, relation)
        return [
            Column(column.name, ColumnKind.DATETIME_TZ, column.nullable) if column.name in zoned else column
            for column in found
        ]

    def zoned_columns(self, connection: Connection, relation: Relation) -> set[str]:
        """Return the names of a table's columns of type datetimeoffset."""
        assert relation.table is not None, "only tables stand in the catalog"
        table = ".".join(map(self.always_quote, relation.table.split(".")))
        query = (
            "SELECT c.name FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id"
            " WHERE c.object_id = OBJECT_ID(?) AND t.name = 'datetimeoffset'"
        )
        return set(connection.exec_driver_sql(query, (table,)).scalars())


def _text(value: object) -> Any:
    return value.isoformat(" ") if isinstance(value, datetime) else value
