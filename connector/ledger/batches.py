"""SQL over the `batches` table: one row a data file, changed only from the states that allow it."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, text

from connector.ledger.records import UNSETTLED, Batch, BatchState, NewBatch, PassKind
from connector.model import LineError, Processing, RequestStatus
from connector.object_types import ObjectType


def in_states(connection: Connection, states: Sequence[BatchState]) -> list[Batch]:
    """Return the batches in these states, oldest first."""
    names = ", ".join(f"'{state.value}'" for state in states)
    rows = connection.exec_driver_sql(f"SELECT * FROM batches WHERE state IN ({names}) ORDER BY id").mappings()
    return [_batch(row) for row in rows]


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


def insert(connection: Connection, object_type: ObjectType, batch: NewBatch, now: float) -> int:
    """Book a sealed file, and return its id."""
    inserted: int = connection.execute(
        text(
            "INSERT INTO batches (type, kind, request_id, state, file, lines, bytes, sha256, created_at, due_at,"
            " uploads, polls) VALUES (:type, :kind, :request_id, 'spooled', :file, :lines, :bytes, :sha256, :now,"
            " :now, 0, 0) RETURNING id"
        ),
        {
            "type": object_type,
            "kind": batch.kind,
            "request_id": batch.request_id,
            "file": batch.file,
            "lines": batch.lines,
            "bytes": batch.bytes,
            "sha256": batch.sha256,
            "now": now,
        },
    ).scalar_one()
    return inserted


def _batch(row: RowMapping) -> Batch:
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    values["type"] = ObjectType(values["type"])
    values["kind"] = PassKind(values["kind"])
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
