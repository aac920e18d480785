"""JSON read strictly and written exactly: numbers with a fraction stay decimals both ways."""

import json
from decimal import Decimal
from typing import Any, NoReturn


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def read(text: str) -> Any:
    """Return the value of a JSON text; raise ValueError for anything that RFC 8259 does not allow.

    Refused too: NaN and infinities, and escapes that are half a surrogate pair (no UTF-8 can hold them).
    """
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def write(value: Any) -> str:
    """Return the JSON text of dicts, lists, strings, numbers (Decimal: its very digits), booleans and None."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value)
