"""SQL statements, each read once: reading its text anew took longer than most of them take."""

from functools import lru_cache

import sqlalchemy


@lru_cache(maxsize=1024)
def text(sql: str) -> sqlalchemy.TextClause:
    """Return a statement with its `:names` found. It is everybody's: bind values when it is executed, not here."""
    return sqlalchemy.text(sql)
