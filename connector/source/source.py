"""The source as the engine sees it: describe, bound, and the reads, each in a snapshot of its own."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.clock import Clock
from connector.errors import ConfigError, SourceChanged, SourceUnavailable
from connector.facts import Facts
from connector.model import KEY, MODIFIED, Bound, Column, ColumnKind, Position, Relation, Row
from connector.source import catalog, doctor, horizon, positions, stamps, survey
from connector.source.doctor import MissingIndex
from connector.source.edge import Doing, translated
from connector.source.engines import Session, Sessions, open_sessions
from connector.source.horizon import Horizon
from connector.source.statements import Bind, Keyset, Selects, Statement, raw

_KEYS_PER_STATEMENT = 400
_OBJECTS_AT_ONCE = 100
"""Objects whose rows are asked for together: a key has at most four forms, so that they are one statement."""
_CALENDAR = (ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.DATETIME_TZ)


def open_source(
    url: str, clock: Clock, *, statement_timeout: float | None = None, current: Callable[[], str] | None = None
) -> "Source":
    """Return the source at a database URL; nothing is connected before the first call.

    `current` tells the URL anew for each connection: only its account and password may have changed.
    `statement_timeout` in seconds: PostgreSQL counts each fetch, MySQL and MariaDB a whole read, SQLite none.

    Raises:
        ConfigError: the URL cannot be read or its driver is missing; the text never holds the URL.
    """
    sessions, identity = open_sessions(url, statement_timeout, current)
    return Source(sessions, identity, clock)


class Source:
    """A CRM's database, read-only. Safe for threads: each read has a connection of its own, three at most.

    Every method may raise SourceUnavailable (try later), SourceDenied (a GRANT is missing) and, where a table
    or column that the mapping names has gone, SourceChanged. No message holds a password or a row's value.
    """

    def __init__(self, sessions: Sessions, identity: str, clock: Clock) -> None:
        self.identity = identity
        """Hash of the database's kind, host, port and name; the same whatever the account and the options."""
        self._sessions = sessions
        self._backend = sessions.backend
        self._clock = clock
        self._described: dict[Relation, dict[str, Column]] = {}

    def ping(self) -> None:
        """Raise SourceUnavailable, in words, unless the database answers."""
        with translated(self._backend, Doing.DESCRIBE), self._sessions.snapshot() as session:
            session.ask(self._backend.ping_sql)

    def tables(self) -> list[str]:
        """Return the tables and views that can be mapped; `schema.table` outside the default schema."""
        return catalog.tables(self._sessions)

    def survey(self) -> Facts:
        """Return what the catalog says of every table and view; no rows are read."""
        return survey.survey(self._sessions)

    def sample(self, facts: Facts, tables: Iterable[str]) -> Facts:
        """Return the facts with row counts and what some rows of these tables look like."""
        return survey.sample(self._sessions, facts, tables)

    def with_values(self, facts: Facts, columns: Collection[tuple[str, str]]) -> Facts:
        """Return the facts with every value of these columns, given as (table, column), that are lists."""
        return survey.with_values(self._sessions, facts, columns)

    def describe(self, relation: Relation) -> dict[str, Column]:
        """Return columns by name of the table, or of the query's result, having tried the user's conditions.

        Raises:
            ConfigError: there is no such table (names the nearest), or the database does not take the query,
                `where` or `deleted` (in its own words).
        """
        self._described.pop(relation, None)
        columns = self._described[relation] = catalog.describe(self._sessions, relation)
        return dict(columns)

    def horizon(self) -> Horizon:
        """Return the moment before which no stamp can still appear, as far as the database tells, and who holds it."""
        with translated(self._backend, Doing.DESCRIBE), self._sessions.snapshot() as session:
            return horizon.read(session, self._clock)

    def cursor_bound(self, relation: Relation, overlap: float) -> Bound:
        """Return (the source's horizon) − `overlap` seconds, rounded down.

        To be asked before the rows: with an empty key, it is where the next pass starts. A row that is
        committed after this call has a stamp that is not below it, if it was set no more than `overlap` seconds
        before its transaction (or statement) began, or before its commit where the database does not show that.

        Raises:
            ConfigError: the modified column does not hold times that can be compared, or the zone is unknown.
        """
        kind = self._column(relation, relation.modified).kind
        zone = _zone(relation)
        found = self.horizon()
        at = found.at - timedelta(seconds=overlap)
        with self._reading(relation):
            try:
                value = stamps.bound(kind, at, zone, *self._samples(relation, kind), dynamic=self._backend.dynamic)
            except stamps.Unfit as unfit:
                raise ConfigError(f"{relation.name}: column {relation.modified!r}: {unfit}") from None
        modified = positions.FIRST_STAMP if value is None else positions.encode(value)
        return Bound(modified, at.timestamp(), found.now.timestamp(), found.holder, found.stay)

    def changes(self, relation: Relation, after: Position | None) -> Iterator[list[Row]]:
        """Yield rows with a stamp and a key, by (modified, key), strictly after `after`, in chunks.

        An empty key stands before every row of its stamp. Keys that the database's collation holds equal to
        the position's may come again. Closing the generator ends the transaction.
        """
        return self._drop(relation, after, self._stream(relation, lambda: self._changes(relation, after)))

    def unstamped(self, relation: Relation) -> Iterator[list[Row]]:
        """Yield the rows that `changes` cannot reach, in any order: modified (or the key) is NULL.

        In MySQL, a zero date counts as NULL.
        """
        return self._stream(relation, lambda: self._selects(relation).placeless())

    def everything(self, relation: Relation) -> Iterator[list[Row]]:
        """Yield every row of the relation, in any order."""
        return self._stream(relation, lambda: self._selects(relation).everything())

    def count(self, relation: Relation, since: str | None = None) -> int:
        """Return how many rows there are, or have a stamp from `since` on (the `modified` of a Position or Bound)."""
        bind = None
        if since is not None and since != positions.FIRST_STAMP:
            kind = self._column(relation, relation.modified).kind
            bind = self._backend.bind_stamp(positions.decode(since), kind)
        with self._reading(relation), self._sessions.snapshot() as session:
            return int(session.rows(self._selects(relation).count(bind))[0][0])

    def by_object(self, relation: Relation) -> Iterator[list[Row]]:
        """Yield the rows that have a stamp and a key in the order (key, stamp): those of one object together.

        Keys that the database's collation holds equal come together, too, mixed with each other.
        """
        return self._stream(relation, lambda: self._selects(relation).by_object())

    def by_key(self, relation: Relation, keys: Sequence[str]) -> list[Row]:
        """Return the rows whose key has one of these text forms, all from one snapshot.

        A text that cannot be of the key's type matches nothing.
        """
        return self._by_key(relation, keys, by_time=False)

    def by_object_of(self, relation: Relation, keys: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows that have a stamp and one of these keys, by the text form of the key, each key's by stamp."""
        found: dict[str, list[Row]] = {}
        for start in range(0, len(keys), _OBJECTS_AT_ONCE):
            for row in self._by_key(relation, keys[start : start + _OBJECTS_AT_ONCE], by_time=True):
                found.setdefault(str(key_text(row[KEY])), []).append(row)
        return found

    def _by_key(self, relation: Relation, keys: Sequence[str], *, by_time: bool) -> list[Row]:
        kind = self._column(relation, relation.key).kind
        selects = self._selects(relation)
        comparable = self._backend.comparable_key(selects.key, kind)
        wanted = set(keys)
        values = [value for key in sorted(wanted) for value in self._backend.key_values(key, kind)]
        found: list[Row] = []
        if not values:
            return found
        with self._reading(relation), self._sessions.snapshot() as session:
            for start in range(0, len(values), _KEYS_PER_STATEMENT):
                rows = self._of_keys(
                    session, selects, comparable, values[start : start + _KEYS_PER_STATEMENT], by_time=by_time
                )
                # A collation may hold more texts equal than were asked for.
                found += [row for row in rows if key_text(row[KEY]) in wanted]
        return found

    def position(self, relation: Relation, row: Row) -> Position:
        """Return the place of a row that came from `changes`, without loss.

        Raises:
            ValueError: the row has no stamp or no key.
        """
        if row[MODIFIED] is None or row[KEY] is None:
            raise ValueError(f"{relation.name}: a row without stamp or key has no position")
        stamp = self._backend.stamp_of(row[MODIFIED]) if self._has_text_stamps(relation) else row[MODIFIED]
        return Position(positions.encode(stamp), positions.encode_key(row[KEY]))

    def values(self, query: str) -> list[str]:
        """Return the first column of a query as texts in the query's order, NULLs left out.

        Raises:
            ConfigError: the database does not take the query, or it gives values that are no text.
        """
        with translated(self._backend, Doing.LIST), self._sessions.snapshot() as session:
            rows = session.rows(raw(query))
        return [_value_text(row[0]) for row in rows if row[0] is not None]

    def excess(self) -> str | None:
        """Return, in words, what the account may do beyond reading; None where it may only read."""
        return doctor.excess(self._sessions)

    def reader(self, tables: Sequence[str]) -> str:
        """Return the SQL that makes an account which may only read these tables."""
        return self._backend.reader(tables)

    def clock_difference(self) -> float | None:
        """Return by how many seconds the source's clock is ahead of this host's; None where it has none of its own."""
        return doctor.clock_difference(self._sessions, self._clock)

    def missing_indexes(self, relation: Relation, *, by_key: bool) -> list[MissingIndex] | None:
        """Return the indexes that a table lacks for being read by its stamps, and by its keys if `by_key`.

        None where nobody can tell from the catalog: of a query, and of a view. Small tables lack none.
        """
        return doctor.missing_indexes(self._sessions, relation, by_key=by_key)

    def read_whole(self, relation: Relation) -> list[str] | None:
        """Return the tables of a query or view that are read from end to end to find the changes of a moment, by the
        database's own plan; None where it is not asked for one.
        """
        if relation.modified is None:
            return []
        bound = self.cursor_bound(relation, 0.0)
        with self._reading(relation):
            return doctor.read_whole(self._sessions, self._changes(relation, Position(bound.modified, "")))

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._sessions.close()

    def _changes(self, relation: Relation, after: Position | None) -> Statement:
        selects = self._selects(relation)
        if after is None or after.modified == positions.FIRST_STAMP:
            return selects.changes(None)
        kind = self._column(relation, relation.modified).kind
        key = None if after.key == positions.FIRST_KEY else self._backend.bind(positions.decode(after.key))
        return selects.changes(Keyset(self._backend.bind_stamp(positions.decode(after.modified), kind), key))

    def _drop(self, relation: Relation, after: Position | None, chunks: Iterator[list[Row]]) -> Iterator[list[Row]]:
        """Leave out the row at `after` itself, which the statement includes and which comes first."""
        seen = after
        for chunk in chunks:
            rest = chunk if seen is None else [row for row in chunk if self.position(relation, row) != seen]
            seen = None
            if rest:
                yield rest

    def _stream(self, relation: Relation, build: Callable[[], Statement | None]) -> Iterator[list[Row]]:
        statement = build()
        if statement is None:
            return
        with self._reading(relation), self._sessions.snapshot() as session:
            yield from session.stream(statement)

    def _of_keys(
        self, session: Session, selects: Selects, comparable: str, values: Sequence[Bind], *, by_time: bool
    ) -> Sequence[Row]:
        try:
            return session.rows(selects.by_key(comparable, values, by_time=by_time))
        except Exception as error:
            wider = self._backend.wider_key(selects.key, error)
            if wider is None:
                raise
        return session.rows(selects.by_key(wider, values, by_time=by_time))

    def _samples(
        self, relation: Relation, kind: ColumnKind
    ) -> tuple[Callable[[], tuple[object, object]], Callable[[str], stamps.Forms]]:
        selects = self._selects(relation)

        def extremes() -> tuple[object, object]:
            readable = self._backend.readable_stamps(selects.modified, kind)
            with self._sessions.snapshot() as session:
                least, greatest = session.rows(selects.extremes(readable))[0]
                if greatest is None and readable is not None:  # empty, or nothing but texts that are no time
                    least, greatest = session.rows(selects.extremes(None))[0]
            return least, greatest

        def forms(since: str) -> stamps.Forms:
            with self._sessions.snapshot() as session:
                blanks, offsets = session.rows(selects.text_forms(self._backend.bind(since)))[0]
            return stamps.Forms(bool(blanks), bool(offsets))

        return extremes, forms

    def _selects(self, relation: Relation) -> Selects:
        key = self._column(relation, relation.key)
        modified = self._column(relation, relation.modified) if relation.modified is not None else None
        zero_dates = modified is not None and modified.kind in _CALENDAR
        return Selects(
            relation,
            self._backend.quote,
            absent_below=self._backend.absent_below if zero_dates else None,
            nullable_modified=modified is not None and modified.nullable,
            nullable_key=key.nullable,
            stamp=lambda column: self._backend.stamp(column, modified.kind) if modified is not None else column,
            as_text={
                name: cast
                for name in relation.as_text
                if (cast := self._backend.as_text.get(self._column(relation, name).kind)) is not None
            },
            stamp_as_text=self._has_text_stamps(relation),
        )

    def _has_text_stamps(self, relation: Relation) -> bool:
        """Tell whether moments of the modified column come as text."""
        if relation.modified not in relation.as_text or not self._backend.stamps_as_text:
            return False
        return self._column(relation, relation.modified).kind in (ColumnKind.DATETIME, ColumnKind.DATETIME_TZ)

    def _column(self, relation: Relation, name: str | None) -> Column:
        if name is None:
            raise ValueError(f"{relation.name} has no modified column")
        if relation not in self._described:
            try:
                self.describe(relation)
            except ConfigError as error:
                raise SourceChanged(str(error)) from None
        columns = self._described[relation]
        # Where the database does not mind the case of names, neither do we.
        column = columns.get(name) or next((c for c in columns.values() if c.name.lower() == name.lower()), None)
        if column is None:
            del self._described[relation]  # it may be back at the next try
            raise SourceChanged(f"{relation.name}: the source has no column {name!r} any more; mend the mapping.")
        return column

    @contextmanager
    def _reading(self, relation: Relation) -> Iterator[None]:
        """Translate errors of a read; what is known of the relation is asked anew after one."""
        try:
            with translated(self._backend, Doing.READ, relation):
                yield
        except SourceUnavailable:
            raise
        except Exception:
            self._described.pop(relation, None)
            raise


def key_text(value: object) -> str | None:
    """Return a key's text form: as it is, a whole number's digits, a UUID's usual form; None for no key."""
    match value:
        case bool():
            return None
        case str():
            return value
        case int() | UUID():
            return str(value)
        case Decimal() if value.is_finite() and value == value.to_integral_value():
            return str(int(value))
        case _:
            return None


def _value_text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | UUID():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case date() | datetime() | time():
            return value.isoformat()
        case _:
            raise ConfigError(f"A query for a list of values gives {type(value).__name__}; make it give text.")


def _zone(relation: Relation) -> ZoneInfo:
    try:
        return ZoneInfo(relation.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"source.timezone: {relation.timezone!r} is no time zone; write one such as Europe/Paris or UTC."
        ) from None
