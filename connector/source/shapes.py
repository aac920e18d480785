"""Says what sampled values look like, so that nothing else of them is kept. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from connector.facts import MOST_VALUES, Looks, Shape

_LONGEST_VALUE: Final = 64
_REPEATED: Final = 3
"""A list's values come up so often on average."""
_FEW_ROWS: Final = 60
"""In a table this short, values that come up once may be a list, too."""
_EMAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,}")
_WEB: Final = re.compile(r"(?:https?://)?(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def shape_of(values: Sequence[Any], *, whole: bool = False) -> Shape:
    """Return what a column's sampled values look like; with `whole`, the sample is the whole table."""
    filled = [value for value in values if value is not None and not (isinstance(value, str) and not value.strip())]
    texts = [value.strip() if isinstance(value, str) else value for value in filled]
    looks: Counter[Looks] = Counter()
    for text in texts:
        found = _looks(text)
        if found is not None:
            looks[found] += 1
    counted = Counter(map(_plain, texts))
    few = len(counted) <= MOST_VALUES and all(len(text) <= _LONGEST_VALUE for text in counted)
    repeated = len(texts) >= _REPEATED * len(counted) or (whole and len(values) <= _FEW_ROWS)
    numbers = [int(value) for value in texts if isinstance(value, int | Decimal) and not isinstance(value, bool)]
    lists = [between for text in texts if isinstance(text, str) and (between := _separator(text)) is not None]
    return Shape(
        rows=len(values),
        filled=len(filled),
        distinct=len(counted),
        looks=dict(looks),
        values=tuple(text for text, _ in counted.most_common()) if few and repeated and counted else None,
        separator=Counter(lists).most_common(1)[0][0] if lists else None,
        least=min(numbers) if numbers and len(numbers) == len(texts) else None,
    )


def _looks(value: Any) -> Looks | None:
    if not isinstance(value, str):
        if isinstance(value, date):
            return Looks.MOMENT
        return Looks.NUMBER if isinstance(value, int | float | Decimal) else None
    if _EMAIL.search(value):
        return Looks.EMAIL
    for pattern, looks in ((_MOMENT, Looks.MOMENT), (_NUMBER, Looks.NUMBER), (_WEB, Looks.WEB)):
        if pattern.fullmatch(value):
            return looks
    return Looks.WEB if _separator(value) is not None else None


def _separator(text: str) -> str | None:
    """Return what stands between several web addresses; None where the text is something else."""
    for separator in (",", ";"):
        parts = [part.strip() for part in text.split(separator) if part.strip()]
        if len(parts) > 1 and all(map(_WEB.fullmatch, parts)):
            return separator
    return None


def _plain(value: Any) -> str:
    """Return a value as the mapping file compares it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return str(int.from_bytes(value, "big")) if len(value) == 1 else value.hex()
    return str(value)
