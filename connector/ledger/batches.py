"""SQL over the `batches` table: one row a data file, changed only from the states that allow it."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping

from connector.ledger.records import TRAVELLING, UNSETTLED, Batch, BatchState, NewBatch, PassKind, Priority, Processed
from connector.ledger.statement import text
from connector.model import LineError, Processing, RequestStatus
from connector.object_types import ObjectType

_GOING: Final = "(state = 'accepted' OR type NOT IN (SELECT type FROM pauses))"
"""Files of paused types stay, but for those that Gong has: what became of them is asked all the same."""
_RANKS: Final = " ".join(f"WHEN '{object_type}' THEN {rank}" for rank, object_type in enumerate(ObjectType))
_LOOK_BACK: Final = 2000
"""Batches that are looked at for processing times at most, so that a type that seldom changes costs no long search."""
_MOST_PROCESSED: Final = 50


def in_states(connection: Connection, states: Sequence[BatchState]) -> list[Batch]:
    """Return the batches in these states, oldest first."""
    names = ", ".join(f"'{state.value}'" for state in states)
    rows = connection.exec_driver_sql(f"SELECT * FROM batches WHERE state IN ({names}) ORDER BY id").mappings()
    return [_batch(row) for row in rows]


def next_due(connection: Connection, states: Sequence[BatchState], now: float) -> Batch | None:
    """Return the batch in these states to be sent or asked about next: of the most urgent ones a question before an
    upload, then in Gong's order of types, then the oldest. None when the time of none has come.
    """
    names = ", ".join(f"'{state}'" for state in states)
    row = (
        connection.execute(
            text(
                "SELECT * FROM batches WHERE id = (SELECT id FROM batches"
                f" WHERE state IN ({names}) AND due_at <= :now AND {_GOING}"
                f" ORDER BY priority, CASE state WHEN 'accepted' THEN 0 ELSE 1 END, CASE type {_RANKS} END, id LIMIT 1)"
            ),
            {"now": now},
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _batch(row)


def earliest_due(connection: Connection) -> float | None:
    """Return when the next batch is to be sent or asked about."""
    names = ", ".join(f"'{state}'" for state in TRAVELLING)
    due: float | None = connection.exec_driver_sql(
        f"SELECT min(due_at) FROM batches WHERE state IN ({names}) AND {_GOING}"
    ).scalar()
    return due


def processed(connection: Connection, object_type: ObjectType) -> list[Processed]:
    """Return how long Gong took for the latest batches of a type that it answered, the latest first."""
    rows = connection.execute(
        text(
            "SELECT lines, settled_at - accepted_at, polls FROM batches"
            " WHERE id > (SELECT max(id) FROM batches) - :span AND type = :type AND answer IS NOT NULL"
            " AND settled_at > accepted_at ORDER BY id DESC LIMIT :most"
        ),
        {"type": object_type, "span": _LOOK_BACK, "most": _MOST_PROCESSED},
    ).all()
    return [Processed(*row) for row in rows]


def settlement(connection: Connection, object_type: ObjectType) -> tuple[float | None, float | None]:
    """Return since when the oldest unsettled batch of a type waits, and when the latest one was settled."""
    states = ", ".join(f"'{state.value}'" for state in UNSETTLED)
    row = connection.execute(
        text(
            f"SELECT min(CASE WHEN state IN ({states}) THEN created_at END), max(settled_at) FROM batches"
            " WHERE type = :type"
        ),
        {"type": object_type},
    ).one()
    return row[0], row[1]


def change(
    connection: Connection, batch: Batch, assignments: str, allowed: Sequence[str], now: float, **values: object
) -> None:
    """Change a batch that is in one of the `allowed` states; anything else is a fault of ours."""
    states = ", ".join(f"'{state}'" for state in allowed)
    changed = connection.execute(
        text(f"UPDATE batches SET {assignments} WHERE id = :id AND state IN ({states})"),
        {"id": batch.id, "now": now, **values},
    ).rowcount
    if changed != 1:
        raise AssertionError(f"batch {batch.id} is in no state for this step ({assignments})")


def prune(connection: Connection, before: float) -> int:
    """Forget batches settled before that time; return how many."""
    gone = connection.execute(
        text("DELETE FROM batches WHERE state IN ('done', 'resolved') AND settled_at < :before"), {"before": before}
    ).rowcount
    return int(gone)


def insert(
    connection: Connection, object_type: ObjectType, batch: NewBatch, now: float, oldest_change: float | None = None
) -> int:
    """Book a sealed file, and return its id."""
    inserted: int = connection.execute(
        text(
            "INSERT INTO batches (type, kind, priority, request_id, state, file, lines, bytes, sha256, created_at,"
            " due_at, uploads, polls, isolation, oldest_change) VALUES (:type, :kind, :priority, :request_id,"
            " 'spooled', :file, :lines, :bytes, :sha256, :now, :now, 0, 0, :isolation, :oldest_change) RETURNING id"
        ),
        {
            "type": object_type,
            "kind": batch.kind,
            "priority": int(batch.priority),
            "request_id": batch.request_id,
            "file": batch.file,
            "lines": batch.lines,
            "bytes": batch.bytes,
            "sha256": batch.sha256,
            "isolation": batch.isolation,
            "oldest_change": oldest_change,
            "now": now,
        },
    ).scalar_one()
    return inserted


def _batch(row: RowMapping) -> Batch:
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    values["type"] = ObjectType(values["type"])
    values["kind"] = PassKind(values["kind"])
    values["priority"] = Priority(values["priority"])
    values["state"] = BatchState(values["state"])
    values["answer"] = None if values["answer"] is None else _load(values["answer"])
    return Batch(**values)


def dump_answer(status: RequestStatus) -> str:
    """Return an answer of request-status as it is stored."""
    return orjson.dumps(status).decode()


def _load(stored: str) -> RequestStatus:
    data = orjson.loads(stored)
    return RequestStatus(
        Processing(data["processing"]),
        tuple(LineError(error["line"], error["description"]) for error in data["errors"]),
        data["error_count"],
        data["success_count"],
    )
