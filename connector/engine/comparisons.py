"""When full comparisons are: every so many seconds, or at the times of a cron expression."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from connector.errors import ConfigError

LATE_SECONDS: Final = 3600.0
"""A time of a cron expression that is longer ago has passed: the connector did not run then."""
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Comparisons(Protocol):
    """Tells when types are compared. Times are seconds since 1970 UTC."""

    def due_at(self, compared: float, now: float) -> float:
        """Return when a type that was compared last at `compared` has its next turn. A time that is still to come is
        from before the clock was set back, and tells nothing.
        """

    def joins(self, due_at: float, now: float) -> bool:
        """Tell whether a type may have its turn already now, since another one has."""


@dataclass(frozen=True, slots=True)
class Every:
    """Comparisons so many seconds after the last one; what would come soon joins what comes now."""

    seconds: float

    def due_at(self, compared: float, now: float) -> float:
        return now if compared > now else compared + self.seconds

    def joins(self, due_at: float, now: float) -> bool:
        return due_at <= now + self.seconds / 2


@dataclass(frozen=True, slots=True)
class AtTimes:
    """Comparisons at the times of a cron expression only; one that was missed by more than an hour is left out.

    A time that clocks put forward skip comes an hour later; of one that they repeat, the first counts.
    """

    trigger: CronTrigger
    each_hour: bool
    """It names no hour: both hours count where clocks repeat one."""

    def due_at(self, compared: float, now: float) -> float:
        earliest = now - LATE_SECONDS if compared > now else max(compared + 1, now - LATE_SECONDS)
        fires = self._next(earliest)
        while fires is not None and fires.fold and not self.each_hour:
            fires = self._next(fires.timestamp() + 1)
        return float("inf") if fires is None else fires.timestamp()

    def _next(self, earliest: float) -> datetime | None:
        zone = self.trigger.timezone
        fires: datetime | None = self.trigger.get_next_fire_time(None, datetime.fromtimestamp(earliest, zone))
        return fires

    def joins(self, due_at: float, now: float) -> bool:
        return due_at <= now


def comparisons(setting: float | str, zone: ZoneInfo, name: str) -> Comparisons:
    """Return when comparisons are, by a setting: seconds, or a cron expression in a zone.

    Raises:
        ConfigError: the expression is none, in words that begin with the setting's `name`.
    """
    if not isinstance(setting, str):
        return Every(setting)
    try:
        minute, hour, day, month, days = setting.split()
        trigger = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_days_of_week(days), timezone=zone
        )
    except ValueError as error:
        words = str(error).removesuffix(".")
        raise ConfigError(
            f"{name}: {setting!r} is no cron expression: {words}. Its fields are minute, hour, day of month, month and "
            "day of week: 0 2 * * * is every night at two"
        ) from None
    return AtTimes(trigger, each_hour=hour.startswith("*"))


def _days_of_week(field: str) -> str:
    """Return cron's days of the week by their names: its 0 is Sunday, and so is its 7; the trigger's 0 is Monday."""
    return ",".join(chain.from_iterable(_days(part.lower()) for part in field.split(",")))


def _days(part: str) -> list[str]:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        if not slash:
            return ["*"]
        first, dash, last = "0", "-", "6"
    begin = _day(first)
    end = _day(last) if dash else len(_DAYS) - 1 if slash else begin
    if dash and last == "7":
        end = len(_DAYS)
    if end < begin or (slash and not step.isdigit()) or step == "0":
        raise ValueError(f"{part!r} is no day of the week, 0 to 7 or sun to sat")
    return [_DAYS[day % len(_DAYS)] for day in range(begin, end + 1, int(step or 1))]


def _day(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdigit() and int(text) <= len(_DAYS):
        return int(text)
    raise ValueError(f"{text!r} is no day of the week, 0 to 7 or sun to sat")
