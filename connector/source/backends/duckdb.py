"""DuckDB: a file opened read-only, and only while something is read. It stands for the generic path in the tests."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, exc, text

from connector.model import Column, ColumnKind, Relation
from connector.source.backends.base import Backend
from connector.source.faults import Fault

_KINDS = {
    "BOOLEAN": ColumnKind.BOOLEAN, "TINYINT": ColumnKind.INTEGER, "SMALLINT": ColumnKind.INTEGER,
    "INTEGER": ColumnKind.INTEGER, "BIGINT": ColumnKind.INTEGER, "HUGEINT": ColumnKind.INTEGER,
    "UTINYINT": ColumnKind.INTEGER, "USMALLINT": ColumnKind.INTEGER, "UINTEGER": ColumnKind.INTEGER,
    "UBIGINT": ColumnKind.INTEGER, "UHUGEINT": ColumnKind.INTEGER, "DECIMAL": ColumnKind.DECIMAL,
    "FLOAT": ColumnKind.FLOAT, "DOUBLE": ColumnKind.FLOAT, "VARCHAR": ColumnKind.TEXT, "DATE": ColumnKind.DATE,
    "TIMESTAMP": ColumnKind.DATETIME, "TIMESTAMP_S": ColumnKind.DATETIME, "TIMESTAMP_MS": ColumnKind.DATETIME,
    "TIMESTAMP_NS": ColumnKind.DATETIME, "TIMESTAMP WITH TIME ZONE": ColumnKind.DATETIME_TZ, "TIME": ColumnKind.TIME,
    "JSON": ColumnKind.JSON, "UUID": ColumnKind.UUID, "BLOB": ColumnKind.BINARY,
}  # fmt: skip
_COLUMNS = """
SELECT column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = COALESCE(:schema, current_schema()) AND lower(table_name) = lower(:table)
AND table_catalog = current_database() ORDER BY ordinal_position
"""
_TABLES = """
SELECT CASE WHEN table_schema = current_schema() THEN table_name ELSE table_schema || '.' || table_name END
FROM information_schema.tables WHERE table_catalog = current_database() ORDER BY 1
"""


class DuckDB(Backend):
    """A DuckDB file. Another process cannot write to it while we have it open, so we leave it between our reads."""

    keeps_connections = False
    indexes_serve = False

    def connect_args(self) -> dict[str, Any]:
        return {"read_only": True}

    def prepare(self, connection: Any) -> None:
        connection.execute("SET TimeZone = 'UTC'")

    def begin(self, connection: Any) -> None:
        connection.execute("BEGIN TRANSACTION")

    def quote(self, name: str) -> str:
        return self.always_quote(name)

    def catalog_columns(
        self,
        connection: Connection,
        relation: Relation,
        probed: Sequence[Column],  # noqa: ARG002 - the catalog knows all
    ) -> list[Column]:
        assert relation.table is not None, "only tables stand in the catalog"
        schema, _, table = relation.table.rpartition(".")
        found = connection.execute(text(_COLUMNS), {"schema": schema or None, "table": table}).all()
        if not found:
            raise exc.NoSuchTableError(relation.table)
        return [Column(name, _kind(kind), nullable == "YES") for name, kind, nullable in found]

    def table_names(self, connection: Connection) -> list[str]:
        return list(connection.scalars(text(_TABLES)))

    def excess(self, connection: Connection) -> str | None:  # noqa: ARG002 - there is nobody to ask
        """There are no accounts, and the file is opened read-only."""
        return None

    def classify(self, error: BaseException) -> Fault:
        match type(error).__name__:
            case "CatalogException" | "BinderException":
                return Fault.MISSING
            case "IOException" | "ConnectionException" | "InterruptException" | "OutOfMemoryException":
                return Fault.UNAVAILABLE
            case "InvalidInputException" if "read-only" in str(error):
                return Fault.WRITE
            case "ConversionException" | "OutOfRangeException" | "InvalidInputException":
                return Fault.DATA
            case _:
                return Fault.SQL


def _kind(name: str) -> ColumnKind:
    if name.endswith("]"):
        return ColumnKind.ARRAY
    return _KINDS.get(name.partition("(")[0], ColumnKind.UNKNOWN)
