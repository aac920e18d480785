"""What a database's error amounts to, whatever the driver calls it."""

from enum import StrEnum


class Fault(StrEnum):
    """The kinds of failure that the connector answers differently."""

    UNAVAILABLE = "unavailable"
    """Not reachable, broken off, busy, cancelled: the same may succeed later."""
    MISSING = "missing"
    """A table or column that the statement names does not exist."""
    DENIED = "denied"
    """The account may not read this."""
    LOGIN = "login"
    """The server does not let the account in."""
    NO_DATABASE = "no database"
    """The URL names a database that does not exist, or a file that is none."""
    WRITE = "write"
    """The statement would have written."""
    DATA = "data"
    """The statement is right but fails on a value; the database's words may hold that value."""
    SQL = "sql"
    """The database does not accept the statement."""
