"""Read models that tell since when something is not as it should be. Nothing here writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from connector.ledger.database import Database
from connector.ledger.objects import HELD_SQL, UNSETTLED_SQL
from connector.ledger.passes import FIRST_FAILED_SQL
from connector.ledger.queries import GOING_SQL
from connector.ledger.records import INTEGRATION_GONE, MAPPING_UNUSED, BatchState, Pending
from connector.ledger.statement import text
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """A file that does not get on, or that Gong refused as a whole. Times are seconds since 1970 UTC."""

    type: ObjectType
    state: BatchState
    note: str
    """What was seen last, in words."""
    since: float
    """When it was accepted, else first sent, else made."""

    @property
    def words(self) -> str:
        """Say which and why."""
        return f"{self.type} file, {self.state}: {self.note}"


@dataclass(frozen=True, slots=True)
class Stranded:
    """Objects of a type that wait for something that may never come: an account, a dependency, a whole file."""

    type: ObjectType
    reason: Pending
    objects: int
    since: float
    """When the first of them began to wait (seconds since 1970 UTC)."""


@dataclass(frozen=True, slots=True)
class Unused:
    """Why the mapping file on disk is not the one in use."""

    words: str
    since: float
    """When the daemon was first told to read it (seconds since 1970 UTC)."""


class Watch:
    """Answers since when. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, now: float) -> dict[ObjectType, float]:
        """Return, for each type with changes on their way to Gong, the time of the oldest. First loads and histories
        aside, and what waits for something that may never come.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    f"SELECT type, min(pending_since) FROM objects WHERE pending IS NOT NULL AND {GOING_SQL}"
                    " GROUP BY type UNION ALL "
                    "SELECT type, min(COALESCE(oldest_change, created_at)) FROM batches"
                    f" WHERE state IN {UNSETTLED_SQL} AND kind NOT IN ('load', 'backfill')"
                    " AND type NOT IN (SELECT type FROM pauses) GROUP BY type"
                ),
                {"now": now},
            ).all()
        found: dict[ObjectType, float] = {}
        for kind, since in rows:
            found[ObjectType(kind)] = min(since, found.get(ObjectType(kind), since))
        return found

    def stranded(self, now: float) -> Sequence[Stranded]:
        """Return what waits for something that may never come; what the guard holds, paused types and histories
        aside.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT type, pending, count(*), min(pending_since) FROM objects WHERE pending IS NOT NULL"
                    f" AND NOT ({GOING_SQL}) AND pending NOT IN {HELD_SQL} AND pending <> '{Pending.HISTORY}'"
                    " AND type NOT IN (SELECT type FROM pauses) GROUP BY type, pending ORDER BY type, pending"
                ),
                {"now": now},
            ).all()
        return [Stranded(ObjectType(kind), Pending(reason), number, since) for kind, reason, number, since in rows]

    def failing(self) -> Mapping[str, float]:
        """Return the entity sources whose last pass failed, each with when the first of the failing passes began."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT name, started_at AS since FROM passes WHERE id IN ({FIRST_FAILED_SQL})"
            ).all()
        return {row.name: row.since for row in rows}

    def files(self) -> Sequence[FileTrouble]:
        """Return the files that do not get on, and whole files that Gong refused, the latest first."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT type, state, note, COALESCE(accepted_at, sent_at, created_at) FROM batches"
                f" WHERE note IS NOT NULL AND (state IN {UNSETTLED_SQL} OR state = 'resolved' AND EXISTS"
                " (SELECT 1 FROM objects o WHERE o.batch_id = batches.id AND o.type = batches.type"
                "   AND o.pending = 'general')) ORDER BY id DESC LIMIT 20"
            ).all()
        return [FileTrouble(ObjectType(kind), BatchState(state), note, since) for kind, state, note, since in rows]

    def integration_gone(self) -> str | None:
        """Return in words that the integration is not in Gong any more; None when it is, as far as is known."""
        return self._noted(INTEGRATION_GONE)

    def mapping_unused(self) -> Unused | None:
        """Return why the mapping file on disk is not the one in use; None when it is, as far as is known."""
        noted = self._noted(MAPPING_UNUSED)
        return None if noted is None else Unused(**orjson.loads(noted))

    def _noted(self, key: str) -> str | None:
        with self._database.reading() as connection:
            value: str | None = connection.execute(
                text("SELECT value FROM meta WHERE key = :key AND value <> ''"), {"key": key}
            ).scalar()
            return value

    def last_taken(self) -> float | None:
        """Return when Gong last took a file, or answered what became of one."""
        with self._database.reading() as connection:
            value: float | None = connection.exec_driver_sql(
                "SELECT max(CASE WHEN settled_at > accepted_at THEN settled_at ELSE accepted_at END) FROM batches"
                " WHERE id > (SELECT max(id) FROM batches) - 500 AND uploads > 0"
            ).scalar()
            return value

    def refused_since(self) -> float | None:
        """Return since when the object that is refused for the longest time is."""
        with self._database.reading() as connection:
            value: float | None = connection.exec_driver_sql("SELECT min(first_at) FROM refusals").scalar()
            return value
