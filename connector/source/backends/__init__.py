"""Picks what a database needs of its own; every other database goes the generic way."""

from importlib import import_module
from typing import Final

from connector.source.backends.base import Backend
from connector.source.backends.sqlite import SQLite

_BACKENDS: Final = {
    "postgresql": ("postgresql", "PostgreSQL"),
    "mysql": ("mysql", "MySQL"),
    "mariadb": ("mysql", "MySQL"),
    "sqlite": ("sqlite", "SQLite"),
    "duckdb": ("duckdb", "DuckDB"),
    "mssql": ("mssql", "SQLServer"),
}
"""Module and class by SQLAlchemy's name of the database."""


def backend_for(name: str) -> type[Backend]:
    """Return what a database needs, by SQLAlchemy's name of it. Only its driver is imported: each takes a while."""
    if name not in _BACKENDS:
        return Backend
    module, kind = _BACKENDS[name]
    found: type[Backend] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found


__all__ = ["Backend", "SQLite", "backend_for"]
