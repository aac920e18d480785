"""SQL over the `passes` and `cursors` tables: where reading stands, and what became of the rows."""

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, RowMapping

from connector.ledger.records import Counts, Cursor, Move, PassKind
from connector.ledger.statement import text
from connector.model import Bound, Position

_CURSOR = "SELECT c.*, p.kind FROM cursors c LEFT JOIN passes p ON p.id = c.pass_id WHERE c.name = :name"
_NEW = (
    "INSERT INTO passes (name, kind, started_at, rows, lines, skipped, pended, refused, error)"
    " VALUES (:name, :kind, :now, 0, 0, 0, 0, 0, :error) RETURNING id"
)

KEPT_SECONDS: Final = 7 * 86_400.0
"""How long passes are kept: there are thousands a day, and nobody asks for more than the last ones."""
FOLLOWED_SQL: Final = "kind NOT IN ('again', 'related')"
"""Passes over a whole source: those whose failure is the source's."""
FIRST_FAILED_SQL: Final = (
    f"SELECT min(p.id) FROM passes p WHERE p.error IS NOT NULL AND p.{FOLLOWED_SQL} AND p.id > COALESCE(("
    f"SELECT max(g.id) FROM passes g WHERE g.name = p.name AND g.finished_at IS NOT NULL AND g.{FOLLOWED_SQL}), 0)"
    " GROUP BY p.name"
)
"""Of each source whose last pass failed, the first of those that failed since it was last read."""


def cursor(connection: Connection, name: str) -> Cursor | None:
    """Return where reading of an entity source stands; None when it was never read."""
    row = connection.execute(text(_CURSOR), {"name": name}).mappings().first()
    return None if row is None else _cursor(row)


def insert(connection: Connection, name: str, kind: PassKind, now: float, error: str | None = None) -> int:
    """Book that a pass begins, or that it could not, and return its id."""
    values = {"name": name, "kind": kind, "now": now, "error": error}
    inserted: int = connection.execute(text(_NEW), values).scalar_one()
    return inserted


def point_cursor(connection: Connection, name: str, fingerprint: str, pass_id: int, bound: Bound | None) -> None:
    """Make a pass the one that an entity source's cursor follows, from its start."""
    holder = None if bound is None else bound.holder
    connection.execute(
        text(
            "INSERT INTO cursors"
            " (name, fingerprint, pass_fingerprint, pass_id, pass_bound, pass_at, held_by, held_since)"
            " VALUES (:name, :fingerprint, :fingerprint, :pass, :bound, :at, :held_by, :held_since)"
            " ON CONFLICT (name) DO UPDATE SET pass_fingerprint = excluded.pass_fingerprint,"
            " pass_id = excluded.pass_id, pass_bound = excluded.pass_bound, pass_at = excluded.pass_at,"
            " held_by = excluded.held_by, held_since = excluded.held_since,"
            " position_modified = NULL, position_key = NULL"
        ),
        {
            "name": name,
            "fingerprint": fingerprint,
            "pass": pass_id,
            "bound": None if bound is None else bound.modified,
            "at": None if bound is None else bound.at,
            "held_by": None if holder is None else str(holder),
            "held_since": None if holder is None else holder.since,
        },
    )


def fail(connection: Connection, pass_id: int, error: str) -> None:
    """Book why a pass stopped."""
    connection.execute(text("UPDATE passes SET error = :error WHERE id = :id"), {"error": error, "id": pass_id})


def finish(connection: Connection, pass_id: int, now: float) -> None:
    """Book the end of a pass."""
    connection.execute(text("UPDATE passes SET finished_at = :now WHERE id = :id"), {"now": now, "id": pass_id})


def prune(connection: Connection, now: float) -> None:
    """Forget passes of more than a week ago; not those that cursors follow, nor the last one of each source, nor the
    first of those that failed since a source was last read.
    """
    connection.execute(
        text(
            "DELETE FROM passes WHERE started_at < :before"
            " AND id NOT IN (SELECT pass_id FROM cursors WHERE pass_id IS NOT NULL)"
            f" AND id NOT IN (SELECT max(id) FROM passes WHERE {FOLLOWED_SQL} GROUP BY name)"
            f" AND id NOT IN ({FIRST_FAILED_SQL})"
        ),
        {"before": now - KEPT_SECONDS},
    )


def count(connection: Connection, pass_id: int, counts: Counts) -> None:
    """Add what became of some rows to their pass."""
    stored = connection.execute(text("SELECT not_shown, warnings FROM passes WHERE id = :id"), {"id": pass_id}).one()
    total = Counts(not_shown=load_counts(stored.not_shown), warnings=load_counts(stored.warnings)).plus(counts)
    connection.execute(
        text(
            "UPDATE passes SET rows = rows + :rows, lines = lines + :lines, skipped = skipped + :skipped,"
            " pended = pended + :pended, refused = refused + :refused, not_shown = :not_shown,"
            " warnings = :warnings, error = NULL WHERE id = :id"
        ),
        {
            "id": pass_id,
            "rows": counts.rows,
            "lines": counts.lines,
            "skipped": counts.skipped,
            "pended": counts.pended,
            "refused": counts.refused,
            "not_shown": _dump_counts(total.not_shown),
            "warnings": _dump_counts(total.warnings),
        },
    )


def _dump_counts(counts: Mapping[tuple[str, str], int]) -> str:
    return json.dumps([[*key, count] for key, count in sorted(counts.items())])


def load_counts(stored: str | None) -> dict[tuple[str, str], int]:
    """Read the stored form of `Counts.not_shown` and `Counts.warnings`."""
    return {(field, reason): count for field, reason, count in json.loads(stored or "[]")}


def move_cursor(connection: Connection, pass_id: int, move: Move, now: float) -> None:
    """Book how far a pass has come, and the cursor when it is finished."""
    if move.position is not None:
        connection.execute(
            text(
                "UPDATE cursors SET position_modified = :modified, position_key = :key"
                " WHERE name = :name AND pass_id = :pass"
            ),
            {
                "modified": move.position.modified,
                "key": move.position.key,
                "name": move.name,
                "pass": pass_id,
            },
        )
    if move.finished:
        connection.execute(
            text(
                "UPDATE cursors SET cursor = pass_bound, cursor_at = pass_at, fingerprint = pass_fingerprint,"
                " loaded_at = COALESCE(loaded_at, :now), pass_id = NULL, pass_fingerprint = NULL,"
                " pass_bound = NULL, pass_at = NULL, position_modified = NULL, position_key = NULL"
                " WHERE name = :name AND pass_id = :pass"
            ),
            {"now": now, "name": move.name, "pass": pass_id},
        )
        finish(connection, pass_id, now)


def _cursor(row: RowMapping) -> Cursor:
    modified, key = row["position_modified"], row["position_key"]
    return Cursor(
        name=row["name"],
        fingerprint=row["fingerprint"],
        cursor=row["cursor"],
        loaded_at=row["loaded_at"],
        pass_id=row["pass_id"],
        pass_kind=None if row["kind"] is None else PassKind(row["kind"]),
        pass_fingerprint=row["pass_fingerprint"],
        pass_bound=row["pass_bound"],
        position=None if modified is None else Position(modified, key),
        cursor_at=row["cursor_at"],
    )
