"""The history that the simulated CRM keeps of one type, and what was true of its objects at any second."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.crm import Table

Row = dict[str, Any]

_VERSIONS: Final = """\
    history:
      kind: versions
      table: kept
      key: {key}
      changed_at: at
      sequence: seq
      deleted: {gone} = 1
"""
_FIELD_LOG: Final = """\
    history:
      kind: field_log
      table: kept
      key: record
      field: field
      before: old
      after: new
      changed_at: at
      sequence: seq
      names: [{names}]
"""


class Kept:
    """Writes the history as triggers would, row by row, and remembers the truth.

    A log knows nothing of an object's first state nor of deletions, and goes on where a row comes back.
    """

    def __init__(
        self,
        table: "Table",
        shape: str,
        database: sqlite3.Connection,
        stamp: Callable[[float], Any],
    ) -> None:
        self.states: dict[str, list[tuple[int, Row]]] = defaultdict(list)
        """By object: since which second (from 1970 UTC) its row was so."""
        self.is_log = shape == "field_log"
        self._table = table
        self._database = database
        self._stamp = stamp
        self._last: dict[Any, Row] = {}

    def create(self, columns: str) -> None:
        """Make the table: with the columns of the type's own table (their SQL), or with those of a log."""
        if self.is_log:
            columns = "record, field TEXT, old TEXT, new TEXT"
        self._database.execute(f"CREATE TABLE kept (seq INTEGER PRIMARY KEY, at, {columns})")

    def mapping(self, unmapped: Collection[str]) -> str:
        """Return what the mapping file says of the history; of `unmapped` columns it says nothing yet."""
        if not self.is_log:
            return _VERSIONS.format(key=self._table.key, gone=self._table.gone)
        return _FIELD_LOG.format(names=", ".join(name for name in self._table.columns if name not in unmapped))

    def note(self, key: Any, row: Row, at: float) -> None:
        """Write down how a row is from now on, or was from an earlier moment on (seconds since 1970 UTC)."""
        before, self._last[key] = self._last.get(key), row
        names = (*self._table.columns, self._table.gone)
        changed = names if before is None else [name for name in names if _written(before[name]) != _written(row[name])]
        if not changed:
            return
        if not self.is_log:
            self._insert({name: row[name] for name in (self._table.key, *names)}, at)
            self.states[str(key)].append((int(at), row))
            return
        for name in changed:
            if before is not None and name != self._table.gone:
                texts = {"old": _written(before[name]), "new": _written(row[name])}
                self._insert({"record": key, "field": name} | texts, at)
        self.states[str(key)].append((int(at), row | {self._table.gone: 0}))

    def _insert(self, values: Mapping[str, Any], at: float) -> None:
        marks = ["CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for value in values.values()]
        self._database.execute(
            f"INSERT INTO kept (at, {', '.join(values)}) VALUES (?, {', '.join(marks)})",
            (self._stamp(at), *values.values()),
        )


def _written(value: Any) -> Any:
    """A value as a log writes it: text."""
    return value if value is None or isinstance(value, bytes) else str(value)
