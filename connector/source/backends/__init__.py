"""Picks what a database needs of its own; every other database goes the generic way."""

from connector.source.backends.base import Backend
from connector.source.backends.duckdb import DuckDB
from connector.source.backends.mssql import SQLServer
from connector.source.backends.mysql import MySQL
from connector.source.backends.postgresql import PostgreSQL
from connector.source.backends.sqlite import SQLite

BACKENDS: dict[str, type[Backend]] = {
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
    "sqlite": SQLite,
    "duckdb": DuckDB,
    "mssql": SQLServer,
}

__all__ = ["BACKENDS", "Backend", "DuckDB", "MySQL", "PostgreSQL", "SQLServer", "SQLite"]
