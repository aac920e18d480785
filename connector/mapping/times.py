"""Moments and dates out of what databases hold: datetimes with and without offset, texts, epoch numbers.

Moments go to Gong in UTC with the fraction of a second cut off (GONG_API, "The data file"). A datetime that
carries no offset is local time of a named zone: where the clock was set back and the time stands twice, the
earlier is taken; where it was set forward and the time never was, it moves forward by the gap.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from connector.mapping.unfit import Unfit

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TEXT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,][0-9]{1,9})?"
    r" ?(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?)?)?"
)
_SECONDS_BELOW = 10**11
"""Integers below are seconds (up to the year 5138), from there on milliseconds (from 1973 on)."""


def read_iso(text: str) -> datetime | None:
    """Read one of the ISO 8601 forms that databases write; None for a zero date such as 0000-00-00.

    A date alone is its midnight. Raises Unfit for other text.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise Unfit("is not a date and time that can be read")
    if match["date"] == "0000-00-00":
        return None
    offset: tzinfo | None = None
    if match["offset"]:
        parts = timedelta(
            hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0), seconds=int(match["seconds"] or 0)
        )
        if parts >= timedelta(days=1):
            raise Unfit("has an offset from UTC of a day or more")
        offset = timezone(-parts if match["sign"] == "-" else parts)
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}").replace(tzinfo=offset)
    except ValueError:
        raise Unfit("is a date or time that does not exist") from None


def _from_epoch(number: int) -> datetime:
    seconds = number if abs(number) < _SECONDS_BELOW else number // 1000
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise Unfit("is outside the years 1 to 9999") from None


def moment(value: object, zone: tzinfo) -> datetime | None:
    """Return the moment in UTC, cut to the second, that `value` stands for; None for blank or a zero date.

    Takes datetimes, dates (their midnight), texts in ISO form, and integers (seconds or milliseconds since
    1970). `zone` is that of values without offset. Raises Unfit for anything else.
    """
    read: datetime | None
    if isinstance(value, datetime):
        read = value
    elif isinstance(value, date):
        read = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone is put to it below
    elif isinstance(value, str):
        read = read_iso(value) if value.strip() else None
    elif isinstance(value, int) and not isinstance(value, bool):
        read = _from_epoch(value)
    else:
        raise Unfit("is not a date and time")
    if read is None:
        return None
    if read.tzinfo is None:
        read = read.replace(tzinfo=zone, fold=0)
    try:
        return read.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise Unfit("is outside the years 1 to 9999") from None


def day(value: object, zone: tzinfo) -> date | None:
    """Return the date that `value` stands for; None for blank or a zero date.

    A datetime without offset keeps its own date; one with offset has the date of that moment in `zone`.
    Raises Unfit for what is neither a date, a datetime nor such a text.
    """
    if isinstance(value, str):
        if not value.strip():
            return None
        read = read_iso(value)
        if read is None:
            return None
        value = read
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.date()
        try:
            return value.astimezone(zone).date()
        except OverflowError:
            raise Unfit("is outside the years 1 to 9999") from None
    if isinstance(value, date):
        return value
    raise Unfit("is not a date")


def moment_text(value: datetime) -> str:
    """Write a moment in UTC as `2026-01-02T03:04:05Z`."""
    return value.replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def epoch(value: datetime) -> int:
    """Return whole seconds since 1970 UTC, cut towards the past."""
    return (value - EPOCH) // timedelta(seconds=1)
