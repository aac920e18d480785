"""What the sandbox knows, in SQLite (memory or a file): the only module with SQL and the upload files."""

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from connector.object_types import ObjectType
from connector.sandbox.faults import Effects
from connector.sandbox.lines import ParsedLine
from connector.sandbox.schema import AdditionalField

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS integrations (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner_email TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, client_request_id TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL,
    integration_id INTEGER NOT NULL, object_type TEXT, accepted REAL NOT NULL, starts REAL NOT NULL,
    ends REAL NOT NULL, state TEXT NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, effects TEXT NOT NULL, errors TEXT NOT NULL DEFAULT '[]',
    error_count INTEGER NOT NULL DEFAULT 0, success_count INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS waiting_requests ON requests (ends, seq) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS conflicts (
    client_request_id TEXT NOT NULL, at REAL NOT NULL, same_bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, object_type TEXT NOT NULL, object_id TEXT NOT NULL,
    modified INTEGER NOT NULL, deleted INTEGER NOT NULL, line TEXT NOT NULL, request INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS versions_of_object ON versions (object_type, object_id, modified, seq);
CREATE TABLE IF NOT EXISTS fields (
    object_type TEXT NOT NULL, place INTEGER NOT NULL, spec TEXT NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (object_type, place));
CREATE TABLE IF NOT EXISTS dropped_values (
    object_type TEXT NOT NULL, unique_name TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    status INTEGER, counted INTEGER NOT NULL DEFAULT 0, over_limit INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS grants (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL, scopes TEXT NOT NULL, ends REAL NOT NULL,
    redirect_uri TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0);
"""

WAITING: Final = "waiting"


@dataclass(frozen=True, slots=True)
class Received:
    """A data file that has come in whole and lies aside."""

    path: Path
    bytes: int
    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """An accepted upload, or the deletion of the integration (`object_type` None)."""

    seq: int
    client_request_id: str
    request_id: str
    integration_id: int
    object_type: ObjectType | None
    accepted: float
    starts: float
    ends: float
    state: str
    """`waiting`, then DONE or FAILED."""
    lines: int
    bytes: int
    sha256: str
    effects: Effects
    errors: tuple[tuple[int, str], ...]
    error_count: int
    success_count: int


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One line that was applied."""

    seq: int
    object_id: str
    modified: int
    deleted: bool
    line: str
    request: int


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One HTTP call; `status` None: it got no answer (yet)."""

    at: float
    method: str
    path: str
    status: int | None
    over_limit: bool


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A code, an access token or a refresh token; those of one authorisation are a family."""

    family: str
    scopes: frozenset[str]
    ends: float
    redirect_uri: str
    used: bool
    """It was used up, or ended."""


class Store:
    """Rows in and out; no rule of Gong's stands here. Not safe for threads without a lock around it."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if path == ":memory:":
            self._temporary = tempfile.TemporaryDirectory(prefix="gong-sandbox-")
            self.directory = Path(self._temporary.name)
        else:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self.directory = Path(f"{path}.uploads")
            self.directory.mkdir(mode=0o700, exist_ok=True)
            for left_over in self.directory.glob("*.part"):
                left_over.unlink()
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the database; data in memory are gone."""
        self._db.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add_call(self, at: float, method: str, path: str) -> int:
        cursor = self._db.execute("INSERT INTO calls (at, method, path) VALUES (?, ?, ?)", (at, method, path))
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def count_call(self, call: int, *, over_limit: bool, counted: bool) -> None:
        self._db.execute("UPDATE calls SET counted = ?, over_limit = ? WHERE id = ?", (counted, over_limit, call))

    def end_call(self, call: int, status: int) -> None:
        self._db.execute("UPDATE calls SET status = ? WHERE id = ?", (status, call))

    def counted_since(self, at: float) -> list[float]:
        rows = self._db.execute("SELECT at FROM calls WHERE counted AND at > ? ORDER BY at", (at,))
        return [row["at"] for row in rows]

    def calls(self) -> list[StoredCall]:
        rows = self._db.execute("SELECT at, method, path, status, over_limit FROM calls ORDER BY id")
        return [
            StoredCall(row["at"], row["method"], row["path"], row["status"], bool(row["over_limit"])) for row in rows
        ]

    def add_grant(
        self, token: str, kind: str, family: str, scopes: frozenset[str], ends: float, redirect_uri: str
    ) -> None:
        self._db.execute(
            "INSERT INTO grants (token, kind, family, scopes, ends, redirect_uri) VALUES (?, ?, ?, ?, ?, ?)",
            (token, kind, family, " ".join(sorted(scopes)), ends, redirect_uri),
        )

    def grant(self, kind: str, token: str) -> StoredGrant | None:
        row = self._db.execute("SELECT * FROM grants WHERE token = ? AND kind = ?", (token, kind)).fetchone()
        if row is None:
            return None
        scopes = frozenset(row["scopes"].split())
        return StoredGrant(row["family"], scopes, row["ends"], row["redirect_uri"], bool(row["used"]))

    def use_grant(self, token: str) -> None:
        self._db.execute("UPDATE grants SET used = 1 WHERE token = ?", (token,))

    def end_grants(self, family: str | None) -> None:
        """End what a family, or every one, still has."""
        self._db.execute("UPDATE grants SET used = 1 WHERE family = ? OR ? IS NULL", (family, family))

    def add_integration(self, integration_id: int, name: str, owner_email: str) -> None:
        self._db.execute("INSERT INTO integrations VALUES (?, ?, ?)", (integration_id, name, owner_email))

    def integrations(self) -> list[tuple[int, str, str]]:
        rows = self._db.execute("SELECT id, name, owner_email FROM integrations ORDER BY rowid")
        return [(row["id"], row["name"], row["owner_email"]) for row in rows]

    def wipe(self) -> None:
        """Forget the integration and its data; requests stay, since their ids are used for ever."""
        for request in self.due(float("inf")):
            self.upload_file(request.seq).unlink(missing_ok=True)
        self._db.execute("UPDATE requests SET state = 'FAILED' WHERE state = 'waiting'")
        for table in ("integrations", "versions", "fields", "dropped_values"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above

    def fields(self, object_type: ObjectType) -> dict[str, tuple[AdditionalField, int]]:
        """Return the type's additional fields in order, each with the last version before it existed."""
        rows = self._db.execute("SELECT spec, since FROM fields WHERE object_type = ? ORDER BY place", (object_type,))
        found = {}
        for row in rows:
            spec = json.loads(row["spec"])
            spec["values"] = None if spec["values"] is None else tuple(spec["values"])
            field = AdditionalField(**spec)
            found[field.unique_name] = (field, int(row["since"]))
        return found

    def set_fields(self, object_type: ObjectType, found: Iterable[tuple[AdditionalField, int]]) -> None:
        self._db.execute("DELETE FROM fields WHERE object_type = ?", (object_type,))
        self._db.executemany(
            "INSERT INTO fields VALUES (?, ?, ?, ?)",
            [(object_type, place, json.dumps(asdict(spec)), since) for place, (spec, since) in enumerate(found)],
        )

    def drop_values(self, object_type: ObjectType, name: str, until: int) -> None:
        self._db.execute("INSERT INTO dropped_values VALUES (?, ?, ?)", (object_type, name, until))

    def dropped_values(self, object_type: ObjectType) -> dict[str, int]:
        """Return, by field, the last version whose value of it is gone."""
        rows = self._db.execute(
            "SELECT unique_name, max(until) AS until FROM dropped_values WHERE object_type = ? GROUP BY 1",
            (object_type,),
        )
        return {row["unique_name"]: row["until"] for row in rows}

    def last_version(self) -> int:
        row = self._db.execute("SELECT coalesce(max(seq), 0) AS seq FROM versions").fetchone()
        return int(row["seq"])

    def upload_file(self, seq: int) -> Path:
        return self.directory / f"{seq}.jsonl"

    def add_request(
        self,
        client_request_id: str,
        request_id: str,
        integration_id: int,
        object_type: ObjectType | None,
        *,
        accepted: float,
        starts: float,
        ends: float,
        received: Received | None = None,
        effects: Effects | None = None,
    ) -> None:
        """Book an upload (its file moves to its place) or the integration's deletion."""
        size, lines, sha256 = (received.bytes, received.lines, received.sha256) if received else (0, 0, "")
        cursor = self._db.execute(
            "INSERT INTO requests (client_request_id, request_id, integration_id, object_type, accepted, starts,"
            " ends, state, lines, bytes, sha256, effects) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (client_request_id, request_id, integration_id, object_type, accepted, starts, ends, WAITING, lines,
             size, sha256, json.dumps(asdict(effects or Effects()))),
        )  # fmt: skip
        assert cursor.lastrowid is not None
        if received is not None:
            received.path.replace(self.upload_file(cursor.lastrowid))

    def request(self, client_request_id: str) -> StoredRequest | None:
        row = self._db.execute("SELECT * FROM requests WHERE client_request_id = ?", (client_request_id,)).fetchone()
        return None if row is None else _request(row)

    def requests(self) -> list[StoredRequest]:
        return [_request(row) for row in self._db.execute("SELECT * FROM requests ORDER BY seq")]

    def due(self, now: float) -> list[StoredRequest]:
        rows = self._db.execute(
            "SELECT * FROM requests WHERE state = 'waiting' AND ends <= ? ORDER BY ends, seq", (now,)
        )
        return [_request(row) for row in rows]

    def busy_until(self, object_type: ObjectType) -> float:
        """Return when the last waiting upload of the type that is not stuck will be through; 0 for none."""
        rows = self._db.execute("SELECT * FROM requests WHERE state = 'waiting' AND object_type = ?", (object_type,))
        return max((request.ends for request in map(_request, rows) if not request.effects.stuck), default=0.0)

    def end_request(
        self, seq: int, state: str, errors: list[tuple[int, str]], error_count: int, success_count: int
    ) -> None:
        self._db.execute(
            "UPDATE requests SET state = ?, errors = ?, error_count = ?, success_count = ? WHERE seq = ?",
            (state, json.dumps(errors), error_count, success_count, seq),
        )

    def add_conflict(self, client_request_id: str, at: float, *, same_bytes: bool) -> None:
        self._db.execute("INSERT INTO conflicts VALUES (?, ?, ?)", (client_request_id, at, same_bytes))

    def conflicts(self) -> list[tuple[str, float, bool]]:
        rows = self._db.execute("SELECT client_request_id, at, same_bytes FROM conflicts ORDER BY rowid")
        return [(row["client_request_id"], row["at"], bool(row["same_bytes"])) for row in rows]

    def add_versions(self, object_type: ObjectType, request: int, lines: Iterable[ParsedLine]) -> None:
        self._db.executemany(
            "INSERT INTO versions (object_type, object_id, modified, deleted, line, request) VALUES (?, ?, ?, ?, ?, ?)",
            ((object_type, line.object_id, line.modified, line.deleted, line.text, request) for line in lines),
        )

    def remove_versions(self, request: int, after: int) -> None:
        """Take back what `request` applied after version `after`."""
        self._db.execute("DELETE FROM versions WHERE seq > ? AND request = ?", (after, request))

    def versions(self, object_type: ObjectType, object_id: str) -> list[StoredVersion]:
        rows = self._db.execute(
            "SELECT * FROM versions WHERE object_type = ? AND object_id = ? ORDER BY seq", (object_type, object_id)
        )
        return [_version(row) for row in rows]

    def current(self, object_type: ObjectType, latest_by: str) -> Iterator[StoredVersion]:
        """Yield the version of each object that counts; `latest_by` as in Behaviour."""
        order = _ORDER[latest_by]
        rows = self._db.execute(
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY object_id ORDER BY "  # noqa: S608 - a constant
            f"{order}) AS place FROM versions WHERE object_type = ?) WHERE place = 1 ORDER BY object_id",
            (object_type,),
        )
        return map(_version, rows)

    def current_of(self, object_type: ObjectType, object_id: str, latest_by: str) -> StoredVersion | None:
        row = self._db.execute(
            "SELECT * FROM versions WHERE object_type = ? AND object_id = ? ORDER BY "  # noqa: S608 - a constant
            f"{_ORDER[latest_by]} LIMIT 1",
            (object_type, object_id),
        ).fetchone()
        return None if row is None else _version(row)

    def version_at(self, object_type: ObjectType, object_id: str, moment: int) -> StoredVersion | None:
        """Return the last version by modifiedDate that is not after the moment; of equal ones the later arrival."""
        row = self._db.execute(
            "SELECT * FROM versions WHERE object_type = ? AND object_id = ? AND modified <= ?"
            " ORDER BY modified DESC, seq DESC LIMIT 1",
            (object_type, object_id, moment),
        ).fetchone()
        return None if row is None else _version(row)


_ORDER: Final = {"modified": "modified DESC, seq DESC", "arrival": "seq DESC"}


def _version(row: sqlite3.Row) -> StoredVersion:
    return StoredVersion(
        row["seq"], row["object_id"], row["modified"], bool(row["deleted"]), row["line"], row["request"]
    )


def _request(row: sqlite3.Row) -> StoredRequest:
    values: dict[str, Any] = dict(row)
    effects: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(row["effects"]).items()
    }
    values["effects"] = Effects(**effects)
    values["errors"] = tuple((line, text) for line, text in json.loads(row["errors"]))
    values["object_type"] = None if row["object_type"] is None else ObjectType(row["object_type"])
    return StoredRequest(**values)
