"""Streams the past of one entity source's objects: its history's rows by object, each with its present row."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from connector.clock import Clock
from connector.engine.seen import Seen
from connector.mapping import Entity, History
from connector.model import DELETED, KEY, Past, Relation, Row
from connector.source import key_text

OBJECTS_AT_ONCE: Final = 500
"""Objects whose present rows are read by key at a time."""
ROWS_AT_ONCE: Final = 20_000
"""Rows of history held at a time, but for an object that alone has more."""

MARGIN_SECONDS: Final = 3600
"""Rows stamped so long before the reading of a log began may have been committed after it began."""


class HistorySource(Protocol):
    """What is needed of the CRM's database (connector.source.Source)."""

    def by_object(self, relation: Relation) -> Iterator[list[Row]]: ...
    def everything(self, relation: Relation) -> Iterator[list[Row]]: ...
    def by_key(self, relation: Relation, keys: Sequence[str]) -> list[Row]: ...
    def by_object_of(self, relation: Relation, keys: Sequence[str]) -> dict[str, list[Row]]: ...


def pasts(
    source: HistorySource,
    entity: Entity,
    history: History,
    clock: Clock,
    since: int | None = None,
    until: int | None = None,
) -> Iterator[Past]:
    """Yield what is known of the past of each object, each once; memory does not grow with the history's length.

    Those that the history names come first; where it tells since when objects exist, all others follow, which were
    from their creation what they are now.

    Args:
        source: the CRM's database.
        entity: whose objects.
        history: what the CRM kept of them.
        clock: the time; versions from the future are left out.
        since: seconds since 1970 UTC; of the versions before, only the one that was true then is given.
        until: versions that came later are left out.

    Raises:
        ConnectorError: the source could not be read.
    """
    for past in _whole(source, entity, history, clock):
        yield _between(past, since, until)


def _whole(source: HistorySource, entity: Entity, history: History, clock: Clock) -> Iterator[Past]:
    relation = entity.relation
    assert relation is not None, "only what is read from the source has a history"
    named = Seen()
    late = _Late(history, int(clock.now()) - MARGIN_SECONDS)
    waiting: dict[str, list[Row]] = {}
    rows = 0
    for object_id, group in _by_object(source.by_object(history.relation)):
        waiting[object_id] = group
        named.add([object_id])
        rows += len(group)
        if len(waiting) >= OBJECTS_AT_ONCE or rows >= ROWS_AT_ONCE:
            yield from _with_rows(source, relation, history, waiting, late, int(clock.now()))
            waiting, rows = {}, 0
    if waiting:
        yield from _with_rows(source, relation, history, waiting, late, int(clock.now()))
    if history.from_creation:
        for chunk in source.everything(relation):
            yield from _unchanged(history, chunk, named, late, int(clock.now()))
    for start in range(0, len(late.ids), OBJECTS_AT_ONCE):
        ids = late.ids[start : start + OBJECTS_AT_ONCE]
        present = source.by_key(relation, ids)  # first: what changes from here on is in the log with its value before
        changes = source.by_object_of(history.relation, ids)
        rows_now = {key_text(row[KEY]): row for row in present}
        for object_id in ids:
            yield history.past(object_id, rows_now.get(object_id), changes.get(object_id, ()), int(clock.now()))


class _Late:
    """Objects that may have changed since their log was read: their rows now say what the log does not know of, and
    what an unlogged field holds now would be told of the past. Row and log are read once more, in this order.
    """

    def __init__(self, history: History, since: int) -> None:
        self.ids: list[str] = []
        self._history = history
        self._since = since

    def takes(self, object_id: str, present: Row | None) -> bool:
        """Note an object whose row changed lately, and tell whether it did."""
        if self._history.log is None or present is None or not self._history.changed_since(present, self._since):
            return False
        self.ids.append(object_id)
        return True


def _by_object(chunks: Iterator[list[Row]]) -> Iterator[tuple[str, list[Row]]]:
    """Gather the rows of each object. Keys that are equal but for case and blanks may come mixed."""
    run: dict[str, list[Row]] = {}
    alike = ""
    for chunk in chunks:
        for row in chunk:
            object_id = key_text(row[KEY])
            if object_id is None:
                continue
            folded = object_id.casefold().rstrip()
            if folded != alike:
                yield from run.items()
                run, alike = {}, folded
            run.setdefault(object_id, []).append(row)
    yield from run.items()


def _with_rows(
    source: HistorySource,
    relation: Relation,
    history: History,
    waiting: dict[str, list[Row]],
    late: "_Late",
    now: int,
) -> Iterator[Past]:
    present = {key_text(row[KEY]): row for row in source.by_key(relation, list(waiting))}
    for object_id, rows in waiting.items():
        if not late.takes(object_id, present.get(object_id)):
            yield history.past(object_id, present.get(object_id), rows, now)


def _unchanged(history: History, rows: Sequence[Row], named: Seen, late: "_Late", now: int) -> Iterator[Past]:
    for row in rows:
        object_id = key_text(row[KEY])
        if object_id is None or row[DELETED] or object_id in named:
            continue
        if not late.takes(object_id, row):
            yield history.past(object_id, row, (), now)


def _between(past: Past, since: int | None, until: int | None) -> Past:
    versions = list(past.versions)
    if until is not None:
        versions = [version for version in versions if version.stamp <= until]
    if since is not None:
        earlier = sum(version.stamp <= since for version in versions)
        versions = versions[max(earlier - 1, 0) :]
    return replace(past, versions=versions)
