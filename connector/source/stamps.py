"""Renders a moment as a lower bound in the terms of a modified column, whatever the column holds."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from connector.model import ColumnKind

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:(?P<separator>.)\d{2}:\d{2}(?::\d{2}(?:[.,]\d*)?)?\s*(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE,
)
_UTC_OFFSETS = {"Z", "+00", "+0000", "+00:00", "-00:00"}
LEAST_EPOCH = 10**8
"""Numbers below are no stamps (1973 in seconds); some columns hold 0 or -1 for none."""
_LEAST_MILLIS, _LEAST_MICROS = 10**11, 10**14
_WIDEST_OFFSET = timedelta(hours=12)
"""No zone is further behind UTC: a local time with an offset is at most that much less than UTC's."""
_RECENT = timedelta(days=7)
"""How far back the forms of text stamps are looked at."""


class Unfit(Exception):
    """The column does not hold times in a way that can be compared; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Forms:
    """What stands in a column of text stamps beside its least and greatest."""

    blanks: bool
    """Some have a blank, not a T, between date and time."""
    offsets: bool
    """Some carry an offset other than UTC's."""


def bound(
    kind: ColumnKind,
    at: datetime,
    zone: ZoneInfo,
    extremes: Callable[[], tuple[object, object]],
    forms: Callable[[str], Forms],
    *,
    dynamic: bool,
) -> object:
    """Return the greatest stamp that no row written after `at` (UTC) can be below, or one a little less.

    `extremes` gives the least and the greatest stamp, `forms` the forms of text stamps from a text on; both
    are asked only where the column's kind does not say how it tells time. `dynamic` columns (SQLite) are
    judged by what they hold. None stands below everything: the column is empty or all zero.

    Raises:
        Unfit: the column does not hold times in a way that can be compared; says what to do.
    """
    if not dynamic:
        match kind:
            case ColumnKind.DATETIME_TZ:
                return at.replace(microsecond=0)
            case ColumnKind.DATETIME:
                return local(at, zone)
            case ColumnKind.DATE:
                return local(at, zone).date()
            case ColumnKind.INTEGER | ColumnKind.DECIMAL | ColumnKind.TEXT | ColumnKind.UNKNOWN:
                pass
            case _:
                raise Unfit(f"`modified` is a column of kind {kind}; name one with times.")
    least, greatest = extremes()
    match greatest:
        case None:
            return None
        case bool() | float():
            raise Unfit("`modified` holds fractional numbers (Julian days?); give the time by a query.")
        case int() | Decimal():
            assert isinstance(least, int | Decimal), "numbers are compared with numbers"
            return _epoch(least, greatest, at)
        case str() if isinstance(least, int | float):
            raise Unfit("`modified` holds numbers in some rows and texts in others; use one form.")
        case str():
            return _text(least, greatest, at, zone, forms)
        case datetime():
            return local(at, zone) if greatest.tzinfo is None else at.replace(microsecond=0)
        case date():
            return local(at, zone).date()
        case _:
            raise Unfit("`modified` holds values that are no times; name another column.")


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the least wall-clock time in `zone` from `at` on, in whole seconds, without a zone.

    In the hour before clocks go back, the wall clock will show earlier times again: the bound is put back by
    as much.
    """
    wall = at.astimezone(zone)
    offset, later_offset = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    assert offset is not None, "a zone of the database knows its offset"
    assert later_offset is not None, "a zone of the database knows its offset"
    naive = wall.replace(tzinfo=None, microsecond=0, fold=0)
    back = offset - later_offset if wall.fold == 0 else timedelta()
    return naive - max(back, timedelta())


def _epoch(least: int | Decimal, greatest: int | Decimal, at: datetime) -> int | None:
    """Render as epoch seconds or milliseconds, by the magnitude of the least stamp that can be either.

    The greatest may lie in a far future (a year 9999 in seconds looks like milliseconds of today), and a bound in
    milliseconds would then pass every row in seconds.
    """
    whole = int(at.timestamp())
    if greatest == 0:
        return None
    sample = least if least >= LEAST_EPOCH else greatest
    if LEAST_EPOCH <= sample < _LEAST_MILLIS:
        return whole
    if _LEAST_MILLIS <= sample < _LEAST_MICROS:
        return whole * 1000
    raise Unfit(
        "`modified` holds numbers that are neither seconds nor milliseconds since 1970; name another column or"
        " give the time by a query."
    )


def _text(least: object, greatest: str, at: datetime, zone: ZoneInfo, forms: Callable[[str], Forms]) -> str:
    """Render as text that stands before every later stamp in any of the forms that the column holds."""
    samples = [found for text in (least, greatest) if isinstance(text, str) and (found := _ISO.fullmatch(text))]
    if not samples:
        raise Unfit("`modified` holds texts that do not start with YYYY-MM-DD HH:MM:SS; give the time by a query.")
    recent = forms((at - _RECENT).date().isoformat())
    offsets = {(found["offset"] or "").upper() for found in samples}
    walls = []
    if "" in offsets:
        walls.append(local(at, zone))
    if offsets & _UTC_OFFSETS:
        walls.append(at.replace(tzinfo=None))
    if recent.offsets or offsets - _UTC_OFFSETS - {""}:
        walls.append(at.replace(tzinfo=None) - _WIDEST_OFFSET)
    wall = min(walls)
    separators = {found["separator"] for found in samples}
    if None in separators:
        return wall.date().isoformat()
    separator = " " if recent.blanks else min(separators)
    return wall.replace(microsecond=0).isoformat(separator)
