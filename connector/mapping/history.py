"""Makes an object's versions of what the CRM kept of its past, through the same encoder as its present row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from connector.mapping.chains import Change, breaks, chained
from connector.mapping.encoder import Entity
from connector.mapping.times import epoch, moment, read_iso
from connector.mapping.unfit import Unfit
from connector.mapping.values import text_of
from connector.model import (
    DELETED,
    FIRST_COLUMN,
    KEY,
    MODIFIED,
    ColumnKind,
    Gap,
    Line,
    Past,
    Relation,
    Row,
    RowRefusal,
    Version,
)

_TRUE: Final = frozenset(("1", "t", "true", "yes", "y"))
_FALSE: Final = frozenset(("0", "f", "false", "no", "n"))
_FIELD, _BEFORE, _AFTER = FIRST_COLUMN, FIRST_COLUMN + 1, FIRST_COLUMN + 2


@dataclass(frozen=True, slots=True)
class Places:
    """Where a log's names stand in the entity's rows."""

    of_names: Mapping[str, int]
    """By the log's name of a field."""
    columns: Mapping[int, tuple[str, ColumnKind]]
    """Name and kind of the entity's columns, by place."""
    created: int | None
    """Place of the time of creation."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of one entity source, compiled."""

    relation: Relation
    """What to read, ordered by object and time."""
    encoder: Entity
    """Makes lines of versions: the entity's own, or one without the fields that the history does not know."""
    zone: tzinfo
    """Of times of change that carry none."""
    sequenced: bool
    """The last of the relation's columns tells the order of rows with one time."""
    log: Places | None
    """Of a log of fields; None for versions."""
    version_places: tuple[int, ...] = ()
    """Of versions: the place in the entity's rows for each column of the relation, a sequence aside."""

    @property
    def from_creation(self) -> bool:
        """Whether it is known since when each object exists, so that those without any change have a past, too."""
        return self.log is not None and self.log.created is not None

    def past(self, object_id: str, present: Row | None, rows: Sequence[Row], now: int) -> Past:
        """Return an object's versions.

        Args:
            object_id: the object.
            present: its row now; None when there is none any more.
            rows: its rows of the history, by ascending time.
            now: seconds since 1970 UTC; what lies behind it is left out.
        """
        if present is None or present[DELETED]:
            return Past(object_id, absent=True)
        if self.sequenced:
            rows = sorted(rows, key=lambda row: (self._stamp(row[MODIFIED]) or 0, _order(row[-1])))
        if self.log is None:
            states, gaps = self._recorded(present, rows)
        else:
            states, gaps = self._rebuilt(self.log, present, rows)
        return self._past(object_id, present, [state for state in states if state[0] <= now], gaps, now)

    def changed_since(self, present: Row, since: int) -> bool:
        """Tell whether a row's own time is not before `since` (seconds since 1970 UTC); false where it has none."""
        stamp = self._stamp(present[MODIFIED])
        return stamp is not None and stamp >= since

    # -- rows of versions ------------------------------------------------------------------------

    def _recorded(self, present: Row, rows: Sequence[Row]) -> tuple[list[tuple[int, Row]], list[Gap]]:
        """Return the states that the rows tell of, and whether the last one is another than the present row."""
        states: dict[int, Row] = {}
        for row in rows:
            stamp = self._stamp(row[MODIFIED])
            if stamp is None:
                continue
            state = list(present)
            state[MODIFIED], state[DELETED] = None, row[DELETED]
            for place, value in zip(self.version_places, row[FIRST_COLUMN:], strict=False):
                state[place] = value
            states[stamp] = state
        ordered = sorted(states.items())
        last = ordered[-1:]
        lines = self.encoder.encode([*(state for _, state in last), (present[KEY], None, *present[DELETED:])], 0).lines
        differ = len(lines) == 2 and lines[0].digest != lines[1].digest
        return ordered, [Gap(stamp, "", "present") for stamp, _ in last if differ]

    # -- rows of changes -------------------------------------------------------------------------

    def _rebuilt(self, log: Places, present: Row, rows: Sequence[Row]) -> tuple[list[tuple[int, Row]], list[Gap]]:
        """Return the states between the changes, and where the changes do not meet."""
        state = list(present)
        state[MODIFIED] = None
        steps: list[tuple[int, int, Any]] = []
        gaps: list[Gap] = []
        for place, changes in self._changes(log, present, rows).items():

            def same(one: Any, other: Any, place: int = place) -> bool:
                return one == other or self._same(present, place, one, other)

            ordered = chained(changes, present[place], same)
            gaps += [Gap(stamp, log.columns[place][0], kind) for stamp, kind in breaks(ordered, present[place], same)]
            state[place] = ordered[0].before
            steps += [(change.stamp, place, change.after) for change in ordered]
        steps.sort(key=lambda step: step[0])  # stable: a field's changes keep their order
        states: dict[int, Row] = {}
        created = None if log.created is None else self._stamp(present[log.created])
        if created is not None and (not steps or created < steps[0][0]):
            states[created] = tuple(state)
        for stamp, place, value in steps:
            state[place] = value
            states[stamp] = tuple(state)
        return list(states.items()), sorted(gaps, key=lambda gap: gap.stamp)

    def _changes(self, log: Places, present: Row, rows: Iterable[Row]) -> dict[int, list[Change]]:
        """Return the changes that count by the place of their field, by ascending time."""
        found: dict[int, list[Change]] = {}
        forms = {
            place: {present[place]: present[place]} for place in log.of_names.values() if _hashable(present[place])
        }
        for index, row in enumerate(rows):
            place = log.of_names.get(_name(row[_FIELD]))
            stamp = self._stamp(row[MODIFIED])
            if place is None or stamp is None:
                continue
            kind = log.columns[place][1]
            before, after = (
                _form(typed(row[column], kind), forms.setdefault(place, {})) for column in (_BEFORE, _AFTER)
            )
            tied = index if self.sequenced else row[MODIFIED]
            found.setdefault(place, []).append(Change(stamp, tied, before, after))
        return found

    def _same(self, present: Row, place: int, one: Any, other: Any) -> bool:
        """Tell whether Gong would be told the same of two values: `Smith &amp; Sons` and `Smith & Sons`, say."""
        states = []
        for value in (one, other):
            state = list(present)
            state[place] = value
            states.append(state)
        lines = self.encoder.encode(states, 0).lines
        return len(lines) == 2 and lines[0].digest == lines[1].digest

    # -- lines -----------------------------------------------------------------------------------

    def _past(
        self, object_id: str, present: Row, states: Sequence[tuple[int, Row]], gaps: Sequence[Gap], now: int
    ) -> Past:
        lines, refused = self._encoded(states)
        versions: list[Version] = []
        for (stamp, _), line in zip(states, lines, strict=True):
            if line is not None and not (versions and versions[-1].line.digest == line.digest):
                versions.append(Version(stamp, line))
        told = self.encoder.encode([present], now).lines
        return Past(object_id, _untold(versions, told[0]) if told else versions, gaps, refused)

    def _encoded(
        self, states: Sequence[tuple[int, Row]]
    ) -> tuple[Sequence[Line | None], Sequence[tuple[int, RowRefusal]]]:
        """Return a line for each state, None for one that cannot be mapped, and why by its stamp."""
        encoded = self.encoder.encode([state for _, state in states], 0)
        if not encoded.refusals:
            return encoded.lines, []
        each = [(stamp, self.encoder.encode([state], 0)) for stamp, state in states]
        made = [one.lines[0] if one.lines else None for _, one in each]
        return made, [(stamp, refusal) for stamp, one in each for refusal in one.refusals]

    def _stamp(self, value: Any) -> int | None:
        try:
            read = None if value is None else moment(value, self.zone)
        except Unfit:
            return None
        return None if read is None else epoch(read)


def typed(value: Any, kind: ColumnKind) -> Any:
    """Return a log's value as a column of that kind would give it; as it is where it cannot be read so."""
    if not isinstance(value, str) or kind in (ColumnKind.TEXT, ColumnKind.UNKNOWN):
        return value
    text = value.strip()
    if not text:
        return None
    try:
        return _read(text, kind)
    except (ValueError, InvalidOperation, Unfit):
        return value


def _read(text: str, kind: ColumnKind) -> Any:
    match kind:
        case ColumnKind.INTEGER:
            number = Decimal(text)
            return int(number) if number == number.to_integral_value() else number
        case ColumnKind.DECIMAL | ColumnKind.FLOAT:
            return Decimal(text)
        case ColumnKind.BOOLEAN:
            word = text.lower()
            return True if word in _TRUE else False if word in _FALSE else text
        case ColumnKind.DATE:
            read = read_iso(text)
            return None if read is None else read.date()
        case ColumnKind.DATETIME | ColumnKind.DATETIME_TZ:
            return read_iso(text)
        case ColumnKind.UUID:
            return UUID(text)
        case ColumnKind.JSON:
            return json.loads(text)
    return text


def _untold(versions: Sequence[Version], present: Line) -> Sequence[Version]:
    """Return the versions without what Gong knows by being told of the present row: all of that row's second, since of
    one second the last state counts, and a last version that says the same, if none between hides the row.
    """
    if present.stamp is None:
        return versions
    left = [version for version in versions if version.stamp != present.stamp]
    later = [version for version in left if version.stamp > present.stamp]
    return left[:-1] if [version.line.digest for version in later] == [present.digest] else left


def _form(value: Any, forms: dict[Any, Any]) -> Any:
    """Return the form in which an equal value was met first, the present row's before others: 5.00 and 5 are one."""
    return forms.setdefault(value, value) if _hashable(value) else value


def _hashable(value: Any) -> bool:
    return not isinstance(value, list | dict)


def _name(value: Any) -> str:
    try:
        return "" if value is None else text_of(value)
    except Unfit:
        return ""


def _order(value: Any) -> tuple[int, Any]:
    """Make values of a sequence comparable: numbers before texts."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return (0, value)
    return (1, "" if value is None else str(value))
