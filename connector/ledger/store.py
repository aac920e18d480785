"""The ledger's only writer: every public method that writes is one transaction, fenced by the lease."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, text

from connector.clock import Clock
from connector.ledger import objects
from connector.ledger.database import Database
from connector.ledger.records import (
    UNSETTLED,
    AccountState,
    Batch,
    BatchState,
    Booking,
    Counts,
    Cursor,
    Due,
    Move,
    NewBatch,
    ObjectState,
    PassKind,
    Pending,
    Verdict,
)
from connector.model import LineError, Position, Processing, RequestStatus
from connector.object_types import ObjectType

_CURSOR = "SELECT c.*, p.kind FROM cursors c LEFT JOIN passes p ON p.id = c.pass_id WHERE c.name = :name"


class Store:
    """Reads and writes what the engine must know. Raises LedgerUnavailable and LeaseLost everywhere."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # -- what the ledger is bound to -------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return a stored property of the ledger."""
        with self._database.reading() as connection:
            value: str | None = connection.execute(
                text("SELECT value FROM meta WHERE key = :key"), {"key": key}
            ).scalar()
            return value

    def set_meta(self, key: str, value: str) -> None:
        """Store a property of the ledger."""
        with self._database.writing() as connection:
            connection.execute(
                text(
                    "INSERT INTO meta (key, value) VALUES (:key, :value)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                ),
                {"key": key, "value": value},
            )

    # -- reading: cursors and passes -------------------------------------------------------------

    def cursor(self, name: str) -> Cursor | None:
        """Return where reading of an entity source stands; None when it was never read."""
        with self._database.reading() as connection:
            row = connection.execute(text(_CURSOR), {"name": name}).mappings().first()
        return None if row is None else _cursor(row)

    def begin_pass(self, name: str, kind: PassKind, fingerprint: str, bound: str | None) -> int:
        """Book the start of a pass and return its id. `bound` is what the cursor becomes when it is finished.

        A pass of kind AGAIN is only counted: it does not move the source's cursor.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            pass_id: int = connection.execute(
                text(
                    "INSERT INTO passes (name, kind, started_at, rows, lines, skipped, pended, refused)"
                    " VALUES (:name, :kind, :now, 0, 0, 0, 0, 0) RETURNING id"
                ),
                {"name": name, "kind": kind, "now": now},
            ).scalar_one()
            if kind is not PassKind.AGAIN:
                connection.execute(
                    text(
                        "INSERT INTO cursors (name, fingerprint, pass_id, pass_bound)"
                        " VALUES (:name, :fingerprint, :pass, :bound)"
                        " ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint,"
                        " pass_id = excluded.pass_id, pass_bound = excluded.pass_bound,"
                        " position_modified = NULL, position_key = NULL"
                    ),
                    {"name": name, "fingerprint": fingerprint, "pass": pass_id, "bound": bound},
                )
        return pass_id

    def fail_pass(self, pass_id: int, error: str) -> None:
        """Book why a pass stopped; it goes on from its position at the next try."""
        with self._database.writing() as connection:
            connection.execute(text("UPDATE passes SET error = :error WHERE id = :id"), {"error": error, "id": pass_id})

    def fail_start(self, name: str, kind: PassKind, error: str) -> None:
        """Book that a pass could not even begin, and why."""
        with self._database.writing() as connection:
            connection.execute(
                text(
                    "INSERT INTO passes (name, kind, started_at, rows, lines, skipped, pended, refused, error)"
                    " VALUES (:name, :kind, :now, 0, 0, 0, 0, 0, :error)"
                ),
                {"name": name, "kind": kind, "now": self._clock.now(), "error": error},
            )

    # -- reading: objects ------------------------------------------------------------------------

    def lookup(self, object_type: ObjectType, ids: Sequence[str]) -> dict[str, ObjectState]:
        """Return what is known of these objects; unknown ones are absent."""
        with self._database.reading() as connection:
            return objects.lookup(connection, object_type, ids)

    def accounts(self, ids: Sequence[str]) -> dict[str, AccountState]:
        """Return how these accounts stand with Gong; unknown ones are absent."""
        with self._database.reading() as connection:
            return objects.accounts(connection, ids)

    def holders(self, addresses: Sequence[bytes]) -> dict[bytes, set[str]]:
        """Return which business users hold these addresses in Gong, or may."""
        with self._database.reading() as connection:
            return objects.holders(connection, addresses)

    def due(self, object_type: ObjectType, limit: int) -> list[Due]:
        """Return pending objects of a type whose time has come, the longest due first."""
        with self._database.reading() as connection:
            return objects.due(connection, object_type, self._clock.now(), limit)

    def live(self, object_type: ObjectType, after: str, limit: int) -> list[str]:
        """Return objects of a type that Gong has, or may have, by id after `after`."""
        with self._database.reading() as connection:
            return objects.live(connection, object_type, after, limit)

    def mark_gone(self, object_type: ObjectType, ids: Sequence[str]) -> None:
        """Book that a whole comparison did not find these objects: they are looked for by key, then deleted."""
        now = self._clock.now()
        with self._database.writing() as connection:
            objects.mark_gone(connection, object_type, ids, now)

    def next_due(self) -> float | None:
        """Return when the next pending object is due, or None when nothing is pending."""
        with self._database.reading() as connection:
            value: float | None = connection.execute(
                text("SELECT min(pending_due) FROM objects WHERE pending IS NOT NULL")
            ).scalar()
            return value

    def retry(self, object_type: ObjectType | None, object_id: str | None) -> int:
        """Make refused objects pending at once, all or some of them; return how many.

        Rows without a usable key cannot be read by key: the next full reading looks at them again.
        """
        now = self._clock.now()
        chosen = "refused_digest IS NOT NULL"
        if object_type is not None:
            chosen += " AND type = :type"
        if object_id is not None:
            chosen += " AND object_id = :id"
        values = {"now": now, "type": object_type, "id": object_id, "reason": Pending.RETRY.value}
        with self._database.writing() as connection:
            waiting = connection.execute(
                text(
                    "UPDATE objects SET pending_due = :now WHERE pending = 'dependency' AND "
                    + chosen.replace("refused_digest IS NOT NULL", "true")
                ),
                values,
            ).rowcount
            refused = connection.execute(
                text(
                    "UPDATE objects SET refused_digest = NULL, pending = :reason, pending_since = :now,"
                    f" pending_due = :now WHERE {chosen}"
                ),
                values,
            ).rowcount
        return int(waiting) + int(refused)

    def resend(self, object_type: ObjectType, ids: Sequence[str] | None) -> int:
        """Make objects that Gong was told of go again although their rows did not change; return how many.

        Objects in flight are left alone: they are going. `ids` None means all of the type.
        """
        with self._database.writing() as connection:
            return objects.resend(connection, object_type, ids, self._clock.now())

    # -- the one transaction of a reading step ---------------------------------------------------

    def book(self, booking: Booking) -> int | None:
        """Book a step of reading: its file, objects, refusals and how far the pass has come, all or nothing.

        Returns:
            The new batch's id; None when the booking has no file.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            batch_id = None
            if booking.batch is not None:
                batch_id = _insert_batch(connection, booking.type, booking.batch, now)
                objects.book_sends(connection, booking.type, booking.source, batch_id, booking.sends)
            objects.book_pends(connection, booking.type, booking.source, booking.pends, now)
            objects.book_row_refusals(connection, booking.type, booking.source, booking.refusals, now)
            objects.book_clears(connection, booking.type, booking.clears)
            _count(connection, booking.pass_id, booking.counts)
            if booking.move is not None:
                _move(connection, booking.pass_id, booking.move, now)
        return batch_id

    def finish_again(self, pass_id: int) -> None:
        """Book the end of a reading of pending objects."""
        with self._database.writing() as connection:
            connection.execute(
                text("UPDATE passes SET finished_at = :now WHERE id = :id"),
                {"now": self._clock.now(), "id": pass_id},
            )

    # -- batches ---------------------------------------------------------------------------------

    def batches(self, states: Sequence[BatchState]) -> list[Batch]:
        """Return the batches in these states, oldest first."""
        names = ", ".join(f"'{state.value}'" for state in states)
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(f"SELECT * FROM batches WHERE state IN ({names}) ORDER BY id").mappings()
            return [_batch(row) for row in rows]

    def settlement(self, object_type: ObjectType) -> tuple[float | None, float | None]:
        """Return since when the oldest unsettled batch of a type waits, and when the latest one was settled."""
        states = ", ".join(f"'{state.value}'" for state in UNSETTLED)
        with self._database.reading() as connection:
            row = connection.execute(
                text(
                    f"SELECT min(CASE WHEN state IN ({states}) THEN created_at END), max(settled_at) FROM batches"
                    " WHERE type = :type"
                ),
                {"type": object_type},
            ).one()
            return row[0], row[1]

    def mark_sending(self, batch: Batch) -> None:
        """Book, before the first byte leaves, that the file may have arrived from now on."""
        self._update_batch(
            batch,
            "state = 'sent', uploads = uploads + 1, sent_at = COALESCE(sent_at, :now)",
            ("spooled", "sent", "accepted"),
        )

    def mark_accepted(self, batch: Batch, due_at: float, note: str | None = None) -> None:
        """Book that Gong has the file; it is asked for the outcome from `due_at` on."""
        self._update_batch(
            batch,
            "state = 'accepted', accepted_at = COALESCE(accepted_at, :now), due_at = :due, note = :note",
            ("sent", "accepted"),
            due=due_at,
            note=note,
        )

    def postpone(self, batch: Batch, state: BatchState, due_at: float, note: str | None, *, polled: bool) -> None:
        """Book when to try again, and what was seen; the state is `sent` or `spooled` or stays `accepted`."""
        self._update_batch(
            batch,
            "state = :state, due_at = :due, note = :note, polls = polls + :polls",
            ("spooled", "sent", "accepted"),
            state=state.value,
            due=due_at,
            note=note,
            polls=int(polled),
        )

    def mark_done(self, batch: Batch, answer: RequestStatus, account_wait: float) -> None:
        """Book that Gong took every line, and release what waited for it."""
        now = self._clock.now()
        with self._database.writing() as connection:
            self._change(
                connection,
                batch,
                "state = 'done', settled_at = :now, answer = :answer, note = NULL, polls = polls + 1,"
                " accepted_at = COALESCE(accepted_at, :now)",
                ("sent", "accepted"),
                answer=_dump(answer),
            )
            objects.release_after_done(connection, batch.type, batch.id, now, account_wait)

    def mark_failed(self, batch: Batch, answer: RequestStatus) -> None:
        """Book that Gong answered FAILED, with its errors; `resolve` books the lines."""
        self._update_batch(
            batch,
            "state = 'failed', settled_at = :now, answer = :answer, note = NULL, polls = polls + 1,"
            " accepted_at = COALESCE(accepted_at, :now)",
            ("sent", "accepted"),
            answer=_dump(answer),
        )

    def resolve(self, batch: Batch, verdict: Verdict, note: str | None = None) -> None:
        """Book what becomes of the lines of a failed or lost batch."""
        with self._database.writing() as connection:
            self._change(
                connection,
                batch,
                "state = 'resolved', settled_at = COALESCE(settled_at, :now), note = :note",
                ("spooled", "sent", "accepted", "failed"),
                note=note,
            )
            objects.resolve(connection, batch.type, batch.id, verdict, self._clock.now())

    def ids_of_lines(self, batch: Batch, lines: Sequence[int]) -> dict[int, str]:
        """Return the objects that stand on these lines of an unsettled batch's file."""
        with self._database.reading() as connection:
            return objects.ids_of_lines(connection, batch.type, batch.id, lines)

    def tries(self, batch: Batch) -> int:
        """Return how often the unluckiest line of an unsettled batch was tried in vain before."""
        with self._database.reading() as connection:
            value: int | None = connection.execute(
                text(
                    "SELECT max(tries) FROM objects WHERE type = :type AND batch_id = :batch"
                    " AND sent_digest IS NOT NULL"
                ),
                {"type": batch.type, "batch": batch.id},
            ).scalar()
            return value or 0

    def prune(self, before: float) -> int:
        """Forget settled batches, passes and calls from before that time; return how many batches."""
        with self._database.writing() as connection:
            gone = connection.execute(
                text("DELETE FROM batches WHERE state IN ('done', 'resolved') AND settled_at < :before"),
                {"before": before},
            ).rowcount
            connection.execute(
                text(
                    "DELETE FROM passes WHERE started_at < :before"
                    " AND id NOT IN (SELECT pass_id FROM cursors WHERE pass_id IS NOT NULL)"
                ),
                {"before": before},
            )
            connection.execute(text("DELETE FROM calls WHERE minute < :minute"), {"minute": int(before // 60)})
        return int(gone)

    def _update_batch(self, batch: Batch, change: str, allowed: Sequence[str], **values: object) -> None:
        with self._database.writing() as connection:
            self._change(connection, batch, change, allowed, **values)

    def _change(
        self, connection: Connection, batch: Batch, change: str, allowed: Sequence[str], **values: object
    ) -> None:
        states = ", ".join(f"'{state}'" for state in allowed)
        changed = connection.execute(
            text(f"UPDATE batches SET {change} WHERE id = :id AND state IN ({states})"),
            {"id": batch.id, "now": self._clock.now(), **values},
        ).rowcount
        if changed != 1:
            raise AssertionError(f"batch {batch.id} is in no state for this step ({change})")


def _insert_batch(connection: Connection, object_type: ObjectType, batch: NewBatch, now: float) -> int:
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


def _count(connection: Connection, pass_id: int, counts: Counts) -> None:
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


def _move(connection: Connection, pass_id: int, move: Move, now: float) -> None:
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
                "UPDATE cursors SET cursor = pass_bound, loaded_at = COALESCE(loaded_at, :now), pass_id = NULL,"
                " pass_bound = NULL, position_modified = NULL, position_key = NULL"
                " WHERE name = :name AND pass_id = :pass"
            ),
            {"now": now, "name": move.name, "pass": pass_id},
        )
        connection.execute(text("UPDATE passes SET finished_at = :now WHERE id = :id"), {"now": now, "id": pass_id})


def _cursor(row: RowMapping) -> Cursor:
    modified, key = row["position_modified"], row["position_key"]
    return Cursor(
        name=row["name"],
        fingerprint=row["fingerprint"],
        cursor=row["cursor"],
        loaded_at=row["loaded_at"],
        pass_id=row["pass_id"],
        pass_kind=None if row["kind"] is None else PassKind(row["kind"]),
        pass_bound=row["pass_bound"],
        position=None if modified is None else Position(modified, key),
    )


def _batch(row: RowMapping) -> Batch:
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    values["type"] = ObjectType(values["type"])
    values["kind"] = PassKind(values["kind"])
    values["state"] = BatchState(values["state"])
    values["answer"] = None if values["answer"] is None else _load(values["answer"])
    return Batch(**values)


def _dump(status: RequestStatus) -> str:
    return orjson.dumps(status).decode()


def _load(stored: str) -> RequestStatus:
    data = orjson.loads(stored)
    return RequestStatus(
        Processing(data["processing"]),
        tuple(LineError(error["line"], error["description"]) for error in data["errors"]),
        data["error_count"],
        data["success_count"],
    )
