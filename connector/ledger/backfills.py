"""The ledger's part in backfills: which objects' history is on its way, and how far it has come.

While an object's history goes, its row in `objects` is pending for that reason, so that nothing else sends it;
what was told of the present is not touched until the history is through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping

from connector.clock import Clock
from connector.ledger import batches
from connector.ledger.bulk import id_list, in_list
from connector.ledger.database import Database
from connector.ledger.objects import LIVE_SQL, UNSETTLED_SQL
from connector.ledger.records import NEVER_DUE, Batch, NewBatch, PassKind, Pending, Refuse
from connector.ledger.statement import text
from connector.object_types import ObjectType

_RELEASE: Final = (
    "UPDATE objects SET told_digest = COALESCE(sent_digest, told_digest),"
    " told_modified = CASE WHEN sent_digest IS NULL THEN told_modified ELSE last_modified END,"
    " told_deleted = CASE WHEN sent_digest IS NULL THEN told_deleted ELSE sent_deleted END,"
    " last_modified = COALESCE((SELECT f.sent_until FROM backfilled f WHERE f.type = objects.type"
    " AND f.object_id = objects.object_id AND f.sent_until > objects.last_modified), last_modified),"
    " sent_digest = NULL, told_unsure = true, pending = :reason, pending_due = :now"
    f" WHERE type = :type AND pending = '{Pending.HISTORY}'"
)
"""The last line that Gong got is an old version: what was told before counts no longer, and the present's modifiedDate
has to be later than the version's, whose time may be from another clock than the row's.
"""


class BackfillState(StrEnum):
    """How far a backfill is."""

    STAGING = "staging"
    """The history is read; nothing is sent yet."""
    SENDING = "sending"
    """Its versions go, wave by wave."""
    STOPPING = "stopping"
    """A person ends it: what is on its way settles first."""
    DONE = "done"
    STOPPED = "stopped"
    """What was not sent stays unsent."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """The history of one entity source on its way. Times are seconds since 1970 UTC."""

    id: int
    type: ObjectType
    name: str
    """The entity source's."""
    asked: str
    """Names the demand that began it: made once more, after a crash, it means this backfill and not another."""
    since: int | None
    until: int | None
    state: BackfillState
    wave: int
    """The one that is being sent, from 1."""
    waves: int
    objects: int
    """Objects that take part."""
    versions: int
    booked: int
    """Versions that were written to files, those that went again counted once."""
    left_out: int
    """Objects with a history that are not in Gong: gone, deleted, refused or held."""
    gaps: int
    """Places where the history itself does not fit together."""
    refused: int
    """Versions that were refused, and skipped."""
    most_lines: int | None
    """Lines of a file at most, while refused lines are looked for."""
    tries: int
    """How often files of the wave failed as a whole."""
    due_at: float
    """Before then no file is made."""
    started_at: float
    finished_at: float | None


class Staged(NamedTuple):
    """What reading a history came to."""

    waves: int
    objects: int
    versions: int
    left_out: int
    gaps: int


class PastLine(NamedTuple):
    """A version that was written to a file."""

    object_id: str
    modified: int
    line: int


class PastRefusal(NamedTuple):
    """A version that is skipped, and why."""

    object_id: str
    modified: int
    origin: str
    kind: str
    field: str
    reason: str


class Backfills:
    """Reads and writes backfills. Every method that writes is one transaction; LedgerUnavailable and LeaseLost."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # -- looking ---------------------------------------------------------------------------------

    def get(self, backfill_id: int) -> Backfill:
        """Return a backfill."""
        with self._database.reading() as connection:
            return _backfill(
                connection.execute(text("SELECT * FROM backfills WHERE id = :id"), {"id": backfill_id}).mappings().one()
            )

    def all(self) -> list[Backfill]:
        """Return every backfill, the latest first."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM backfills ORDER BY id DESC").mappings()
            return [_backfill(row) for row in rows]

    def active(self, name: str | None = None) -> list[Backfill]:
        """Return the backfills that have not ended: of one entity source, or all."""
        return [one for one in self.all() if one.finished_at is None and name in (None, one.name)]

    def refusals(self, backfill_id: int) -> list[PastRefusal]:
        """Return the versions that were refused."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT object_id, modified, origin, kind, field, reason FROM past_refusals"
                    " WHERE backfill_id = :id ORDER BY object_id, modified"
                ),
                {"id": backfill_id},
            )
            return [PastRefusal(*row) for row in rows]

    def unsettled(self, backfill: Backfill) -> int:
        """Return how many of a backfill's files Gong has not answered, or are still to be resolved."""
        with self._database.reading() as connection:
            value: int = connection.execute(
                text(f"SELECT count(*) FROM batches WHERE type = :type AND kind = :kind AND state IN {UNSETTLED_SQL}"),
                {"type": backfill.type, "kind": PassKind.BACKFILL},
            ).scalar_one()
            return value

    def present_on_its_way(self, backfill: Backfill) -> bool:
        """Tell whether a line of some object that takes part, sent before the backfill began, is unsettled."""
        with self._database.reading() as connection:
            found = connection.execute(
                text(
                    "SELECT 1 FROM objects o JOIN batches b ON b.id = o.batch_id"
                    f" WHERE b.type = :type AND b.state IN {UNSETTLED_SQL} AND o.type = :type"
                    " AND o.pending = :history AND o.sent_digest IS NOT NULL LIMIT 1"
                ),
                {"type": backfill.type, "history": Pending.HISTORY},
            ).first()
            return found is not None

    def sent_until(self, backfill: Backfill, ids: Sequence[str]) -> dict[str, int]:
        """Return up to which version some objects were sent already; others are absent."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT object_id, sent_until FROM backfilled WHERE type = :type AND backfill_id = :backfill"
                    f" AND sent_until IS NOT NULL AND {in_list(connection, 'object_id')}"
                ),
                {"type": backfill.type, "backfill": backfill.id, "ids": id_list(connection, ids)},
            )
            return {row[0]: row[1] for row in rows}

    # -- its life --------------------------------------------------------------------------------

    def begin(self, object_type: ObjectType, name: str, asked: str, since: int | None, until: int | None) -> Backfill:
        """Book the start of a backfill."""
        now = self._clock.now()
        with self._database.writing("backfill_begin") as connection:
            row = connection.execute(
                text(
                    "INSERT INTO backfills (type, name, asked, since, until, state, wave, waves, objects, versions,"
                    " booked, left_out, gaps, refused, tries, due_at, started_at) VALUES (:type, :name, :asked,"
                    " :since, :until, 'staging', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, :now) RETURNING *"
                ),
                {"type": object_type, "name": name, "asked": asked, "since": since, "until": until, "now": now},
            )
            return _backfill(row.mappings().one())

    def hold(self, backfill: Backfill, ids: Sequence[str], *, join: bool) -> dict[str, int | None]:
        """Keep objects from being sent by anything else until `release`: those that Gong has, and that are not refused.

        Args:
            backfill: whose objects.
            ids: some of them.
            join: they may begin to take part; else those that do not are left alone.

        Returns:
            Up to which version (its modifiedDate) each that takes part was sent.
        """
        values = {
            "type": backfill.type,
            "backfill": backfill.id,
            "now": self._clock.now(),
            "never": NEVER_DUE,
        }
        part = "EXISTS (SELECT 1 FROM backfilled f WHERE f.type = :type AND f.object_id = objects.object_id"
        part += " AND f.backfill_id = :backfill)"
        with self._database.writing("backfill_hold") as connection:
            values["ids"] = id_list(connection, ids)
            these = in_list(connection, "object_id")
            connection.execute(
                text(
                    f"UPDATE objects SET pending = '{Pending.HISTORY}', pending_since = :now, pending_due = :never,"
                    f" tries = 0 WHERE {LIVE_SQL} AND refused_digest IS NULL AND {these}"
                    f" AND (pending IS NULL OR pending <> '{Pending.HISTORY}')" + ("" if join else f" AND {part}")
                ),
                values,
            )
            if join:
                connection.execute(
                    text(
                        "INSERT INTO backfilled (object_id, type, backfill_id)"
                        " SELECT object_id, type, CAST(:backfill AS bigint) FROM objects"
                        f" WHERE type = :type AND pending = '{Pending.HISTORY}' AND {these}"
                        " ON CONFLICT (object_id, type) DO UPDATE SET backfill_id = excluded.backfill_id,"
                        " sent_until = CASE WHEN backfilled.backfill_id = excluded.backfill_id"
                        "                   THEN backfilled.sent_until END"
                    ),
                    values,
                )
            rows = connection.execute(
                text(
                    "SELECT f.object_id, f.sent_until FROM backfilled f JOIN objects o ON o.type = f.type"
                    f" AND o.object_id = f.object_id AND o.pending = '{Pending.HISTORY}'"
                    f" WHERE f.type = :type AND f.backfill_id = :backfill AND {in_list(connection, 'f.object_id')}"
                ),
                values,
            )
            return {row[0]: row[1] for row in rows}

    def refuse(self, backfill: Backfill, refused: Sequence[PastRefusal]) -> None:
        """Book versions that cannot be mapped; again, if the history is read anew."""
        with self._database.writing("backfill_refuse") as connection:
            _refuse(connection, backfill.id, refused, self._clock.now())

    def staged(self, backfill: Backfill, staged: Staged) -> None:
        """Book that a history is read whole, and what it came to: its first wave can go."""
        with self._database.writing("backfill_staged") as connection:
            connection.execute(
                text(
                    "UPDATE backfills SET state = 'sending', wave = 1, waves = :waves, objects = :objects,"
                    " versions = booked + :versions, left_out = :left_out, gaps = :gaps"
                    " WHERE id = :id AND state = 'staging'"
                ),
                {"id": backfill.id, **staged._asdict()},
            )

    def again(self, backfill: Backfill) -> None:
        """Book that the staging file is lost: the history is read anew, and what was sent of it is skipped."""
        with self._database.writing("backfill_again") as connection:
            connection.execute(
                text("UPDATE backfills SET state = 'staging' WHERE id = :id AND state = 'sending'"), {"id": backfill.id}
            )

    def book(
        self, backfill: Backfill, batch: NewBatch | None, lines: Sequence[PastLine], refused: Sequence[PastRefusal]
    ) -> None:
        """Book a file of a wave, and versions of it that are skipped."""
        now = self._clock.now()
        with self._database.writing("backfill_book") as connection:
            batch_id = None if batch is None else batches.insert(connection, backfill.type, batch, now)
            moved: list[tuple[str, int, int | None]] = [(line.object_id, line.modified, line.line) for line in lines]
            moved += [(one.object_id, one.modified, None) for one in refused]
            if moved:
                connection.execute(
                    text(
                        "UPDATE backfilled SET sent_until = :modified, batch_id = :batch, line = :line"
                        " WHERE type = :type AND object_id = :id"
                    ),
                    [
                        {
                            "type": backfill.type.value,
                            "id": object_id,
                            "modified": modified,
                            "batch": None if line is None else batch_id,
                            "line": line,
                        }
                        for object_id, modified, line in moved
                    ],
                )
            _refuse(connection, backfill.id, refused, now)
            connection.execute(
                text("UPDATE backfills SET booked = booked + :count WHERE id = :id"),
                {"id": backfill.id, "count": len(moved)},
            )

    def release(self, backfill: Backfill, ids: Sequence[str]) -> None:
        """Have the present state of objects sent, whatever it is, for their history is through."""
        now = self._clock.now()
        with self._database.writing("backfill_release") as connection:
            connection.execute(
                text(f"{_RELEASE} AND {in_list(connection, 'object_id')}"),
                {"type": backfill.type, "reason": Pending.RESEND, "now": now, "ids": id_list(connection, ids)},
            )

    def next_wave(self, backfill: Backfill) -> None:
        """Book that a wave is settled and all that it ends is released."""
        with self._database.writing("backfill_wave") as connection:
            connection.execute(
                text("UPDATE backfills SET wave = wave + 1, most_lines = NULL, tries = 0, due_at = 0 WHERE id = :id"),
                {"id": backfill.id},
            )

    def stop(self, backfill: Backfill) -> None:
        """Book that a person ends a backfill: no file of it is made any more."""
        with self._database.writing("backfill_stop") as connection:
            connection.execute(text("UPDATE backfills SET state = 'stopping' WHERE id = :id"), {"id": backfill.id})

    def finish(self, backfill: Backfill, state: BackfillState) -> None:
        """Book the end of a backfill; every object that is still held is released."""
        with self._database.writing("backfill_finish") as connection:
            connection.execute(
                text("UPDATE backfills SET state = :state, finished_at = :now WHERE id = :id"),
                {"id": backfill.id, "state": state, "now": self._clock.now()},
            )
            now = self._clock.now()
            values = {"id": backfill.id, "type": backfill.type, "reason": Pending.RESEND, "now": now}
            part = (
                "EXISTS (SELECT 1 FROM backfilled f WHERE f.type = objects.type"
                " AND f.object_id = objects.object_id AND f.backfill_id = :id"
            )
            connection.execute(text(f"{_RELEASE} AND {part} AND f.sent_until IS NOT NULL)"), values)
            connection.execute(
                text(
                    "UPDATE objects SET pending = :reason, pending_due = :now"
                    f" WHERE type = :type AND pending = '{Pending.HISTORY}' AND {part})"
                ),
                values,
            )
            connection.execute(text("DELETE FROM backfilled WHERE backfill_id = :id"), {"id": backfill.id})

    # -- files that failed -----------------------------------------------------------------------

    def lines(self, batch: Batch, numbers: Sequence[int]) -> dict[int, tuple[str, int]]:
        """Return the (object, modifiedDate) on these lines of a backfill's file."""
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT line, object_id, sent_until FROM backfilled WHERE type = :type AND batch_id = :batch"
                    f" AND {in_list(connection, 'line')}"
                ),
                {"type": batch.type, "batch": batch.id, "ids": id_list(connection, numbers)},
            )
            return {line: (object_id, modified) for line, object_id, modified in rows}

    def tries(self, batch: Batch) -> int:
        """Return how often files of the wave of a backfill's file failed as a whole."""
        with self._database.reading() as connection:
            value: int | None = connection.execute(
                text(
                    "SELECT max(tries) FROM backfills WHERE id IN"
                    " (SELECT backfill_id FROM backfilled WHERE type = :type AND batch_id = :batch)"
                ),
                {"type": batch.type, "batch": batch.id},
            ).scalar()
            return value or 0

    def resolve(
        self,
        batch: Batch,
        refused: Sequence[Refuse],
        stamps: dict[str, int],
        *,
        again: bool,
        most_lines: int | None,
        due_at: float,
        note: str | None,
    ) -> None:
        """Book what becomes of a failed or lost file of a backfill.

        Args:
            batch: the file.
            refused: lines that Gong turned down: these versions are skipped.
            stamps: their modifiedDate, by object.
            again: the other lines go again.
            most_lines: how many lines a file of this wave may have from now on; None as before.
            due_at: before then no file is made.
            note: why the whole file was refused.
        """
        now = self._clock.now()
        skipped = [
            PastRefusal(one.object_id, stamps[one.object_id], "gong", one.kind, one.field, one.reason)
            for one in refused
        ]
        with self._database.writing("backfill_resolve") as connection:
            batches.change(
                connection,
                batch,
                "state = 'resolved', settled_at = COALESCE(settled_at, :now), note = :note",
                ("spooled", "sent", "accepted", "failed"),
                now,
                note=note,
            )
            values = {"type": batch.type, "batch": batch.id}
            backfill_id = connection.execute(
                text("SELECT min(backfill_id) FROM backfilled WHERE type = :type AND batch_id = :batch"), values
            ).scalar()
            if backfill_id is None:
                return  # its backfill was stopped
            _refuse(connection, backfill_id, skipped, now)
            if skipped:
                connection.execute(
                    text("UPDATE backfilled SET batch_id = NULL WHERE type = :type AND object_id = :id"),
                    [{"type": batch.type.value, "id": one.object_id} for one in skipped],
                )
            count = 0
            if again:
                # A second before its own version: that one is the next to be sent.
                count = connection.execute(
                    text(
                        "UPDATE backfilled SET sent_until = sent_until - 1, batch_id = NULL"
                        " WHERE type = :type AND batch_id = :batch"
                    ),
                    values,
                ).rowcount
            connection.execute(
                text(
                    "UPDATE backfills SET booked = booked - :count, tries = tries + :more,"
                    " due_at = CASE WHEN :due > due_at THEN :due ELSE due_at END,"
                    " most_lines = COALESCE(:most, most_lines) WHERE id = :id"
                ),
                {
                    "id": backfill_id,
                    "count": count,
                    "more": int(due_at > now),
                    "due": due_at,
                    "most": most_lines,
                },
            )


def _refuse(connection: Connection, backfill_id: int, refused: Sequence[PastRefusal], now: float) -> None:
    if not refused:
        return
    connection.execute(
        text(
            "INSERT INTO past_refusals (backfill_id, object_id, modified, origin, kind, field, reason, refused_at)"
            " VALUES (:backfill, :object_id, :modified, :origin, :kind, :field, :reason, :now)"
            " ON CONFLICT (backfill_id, object_id, modified) DO NOTHING"
        ),
        [{"backfill": backfill_id, "now": now, **one._asdict()} for one in refused],
    )
    connection.execute(
        text(
            "UPDATE backfills SET refused = (SELECT count(*) FROM past_refusals p WHERE p.backfill_id = backfills.id)"
            " WHERE id = :id"
        ),
        {"id": backfill_id},
    )


def _backfill(row: RowMapping) -> Backfill:
    values = {str(key): value for key, value in row.items()}
    values["type"] = ObjectType(values["type"])
    values["state"] = BackfillState(values["state"])
    return Backfill(**values)
