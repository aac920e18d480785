"""Text form of stamps and keys in a cursor: exact, self-describing, comparable with a bound."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from connector.errors import FatalError

FIRST_KEY = ""
"""Key of a position that stands before every row of its stamp."""
FIRST_STAMP = ""
"""Stamp of a position that stands before every row."""


def encode(value: object) -> str:
    """Return a stamp or key as text that `decode` turns back into the same value.

    Raises:
        TypeError: for a value that no column used for ordering can hold.
    """
    match value:
        case bool() | int():
            return f"int:{int(value)}"
        case str():
            return f"text:{value}"
        case datetime() if value.tzinfo is not None:
            return f"utc:{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}"
        case datetime():
            return f"local:{value.isoformat(' ')}"
        case date():
            return f"date:{value.isoformat()}"
        case Decimal():
            return f"decimal:{value}"
        case float():
            return f"real:{value!r}"
        case UUID():
            return f"uuid:{value}"
        case bytes():
            return f"hex:{value.hex()}"
        case _:
            raise TypeError(f"rows cannot be ordered by a {type(value).__name__}")


def decode(text: str) -> object:
    """Return the value that `encode` was given.

    Raises:
        FatalError: the text was not made by this module (a ledger edited by hand, say).
    """
    kind, colon, rest = text.partition(":")
    try:
        match kind:
            case "int":
                return int(rest)
            case "text" if colon:
                return rest
            case "utc":
                return datetime.fromisoformat(rest).replace(tzinfo=UTC)
            case "local":
                return datetime.fromisoformat(rest)
            case "date":
                return date.fromisoformat(rest)
            case "decimal":
                return Decimal(rest)
            case "real":
                return float(rest)
            case "uuid":
                return UUID(rest)
            case "hex":
                return bytes.fromhex(rest)
    except (ValueError, ArithmeticError):
        pass
    raise FatalError(f"The stored cursor is not one of this source's: it starts with {kind[:20]!r}.")


def encode_key(value: object) -> str:
    """Return a key's text; FIRST_KEY for bytes, whose order among texts cannot be asked for again.

    That is text which is not valid UTF-8, or a binary key: reading on from there repeats rows, it loses none.
    """
    return FIRST_KEY if isinstance(value, bytes) else encode(value)
