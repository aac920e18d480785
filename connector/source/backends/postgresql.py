"""PostgreSQL by psycopg 3: read-only snapshots in UTC, rows streamed, no value that stops a read."""

import select
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.adapt import AdaptersMap, Buffer, Loader, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, inspect, text

from connector.model import Column, ColumnKind, Holder, Relation
from connector.source.backends.base import Backend, first_line, run
from connector.source.faults import Fault
from connector.source.horizon import Ask, Opened
from connector.source.statements import Bind

_TOLERANT = ("timestamp", "timestamptz", "date", "time", "timetz")
"""Types whose values can be beyond Python's; they come as text then."""
_AS_TEXT = (
    "json", "jsonb", "interval", "inet", "cidr", "int4range", "int8range", "numrange", "daterange", "tsrange",
    "tstzrange", "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange",
    "tstzmultirange",
)  # fmt: skip
"""Types that psycopg would turn into objects of its own, or into floats (numbers in JSON)."""
_TEXTS = ("text", "varchar", "bpchar", "name")
_KINDS = {
    "bool": ColumnKind.BOOLEAN, "int2": ColumnKind.INTEGER, "int4": ColumnKind.INTEGER, "int8": ColumnKind.INTEGER,
    "oid": ColumnKind.INTEGER, "numeric": ColumnKind.DECIMAL, "float4": ColumnKind.FLOAT, "float8": ColumnKind.FLOAT,
    "text": ColumnKind.TEXT, "varchar": ColumnKind.TEXT, "bpchar": ColumnKind.TEXT, "name": ColumnKind.TEXT,
    "date": ColumnKind.DATE, "time": ColumnKind.TIME, "timetz": ColumnKind.TIME, "timestamp": ColumnKind.DATETIME,
    "timestamptz": ColumnKind.DATETIME_TZ, "json": ColumnKind.JSON, "jsonb": ColumnKind.JSON,
    "uuid": ColumnKind.UUID, "bytea": ColumnKind.BINARY,
}  # fmt: skip
_STATES = (
    ("42501", Fault.DENIED),
    ("42P01", Fault.MISSING),
    ("42703", Fault.MISSING),
    ("3F000", Fault.MISSING),
    ("3D000", Fault.NO_DATABASE),
    ("25006", Fault.WRITE),
    ("55P03", Fault.UNAVAILABLE),
    ("28", Fault.LOGIN),
    ("22", Fault.DATA),
    ("21", Fault.DATA),
    ("P0", Fault.DATA),
    ("23", Fault.DATA),
    ("08", Fault.UNAVAILABLE),
    ("40", Fault.UNAVAILABLE),
    ("53", Fault.UNAVAILABLE),
    ("55", Fault.UNAVAILABLE),
    ("57", Fault.UNAVAILABLE),
    ("58", Fault.UNAVAILABLE),
    ("XX", Fault.UNAVAILABLE),
)
_LOGIN_WORDS = ("authentication failed", "no password supplied", "no pg_hba.conf entry", "is not permitted to log in")

_TEXT = psycopg.adapters.types["text"].oid
_CANCEL_SECONDS = 10.0

_APPLICATION = "gong-connector"
_READING = "gong-connector reading"
"""Its name within a transaction: no other session can have that, though a pooler may lend others one of ours."""
_STANDING = "SELECT pg_is_in_recovery(), pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
_ACTIVITY = f"""
SELECT pid, usename, application_name, state, xact_start FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
AND backend_type IS DISTINCT FROM 'autovacuum worker'
AND NOT COALESCE(usename = current_user AND application_name = '{_READING}', false)
ORDER BY xact_start LIMIT 1
"""  # noqa: S608 - a constant
_PREPARED = """
SELECT gid, owner, prepared FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
ORDER BY prepared LIMIT 1
"""
_REPLAYED = "SELECT COALESCE(pg_last_xact_replay_timestamp(), (pg_control_checkpoint()).checkpoint_time)"


class PostgreSQL(Backend):
    """PostgreSQL, on a primary or a standby.

    JSON, intervals, ranges and addresses come as text; infinity, years beyond 9999 and BC come as text too.
    """

    now_sql = "SELECT clock_timestamp()"
    create_index = "CREATE INDEX CONCURRENTLY"
    # The server writes texts in any case: the reading leaves them as they are.
    as_text = dict.fromkeys((ColumnKind.DATETIME, ColumnKind.DATETIME_TZ, ColumnKind.DATE, ColumnKind.DECIMAL), "{}")
    stamps_as_text = True

    def connect_args(self) -> dict[str, Any]:
        options = {
            "connect_timeout": 10,
            "application_name": _APPLICATION,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "client_encoding": "utf8",
        }
        options = {name: value for name, value in options.items() if name not in self.url.query}
        return {**options, "prepare_threshold": None}  # prepared statements break poolers and gain nothing here

    def prepare(self, connection: Any) -> None:
        connection.rollback()
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True  # every transaction begins as such
        adapters = connection.adapters
        connection.cursor_factory = _Cursor
        for name in _AS_TEXT:
            adapters.register_loader(name, TextLoader)
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            # Such a database holds bytes of any encoding, and would refuse to send them as UTF-8.
            run(connection, "SET client_encoding = 'SQL_ASCII'")
            connection.commit()
            for name in (*_TEXTS, *_AS_TEXT):
                adapters.register_loader(name, _Utf8)
            adapters.register_loader(0, _Utf8)  # types that the driver does not know

    def begin(self, connection: Any) -> None:
        """Set what holds for the transaction only: behind a pooler (PgBouncer) a session is shared with others."""
        settings = [
            f"SET LOCAL application_name = '{_READING}'",
            "SET LOCAL timezone = 'UTC'",
            "SET LOCAL datestyle = 'ISO'",
            "SET LOCAL max_parallel_workers_per_gather = 0",  # we are one guest among many
        ]
        if self.statement_timeout is not None:
            settings.append(f"SET LOCAL statement_timeout = {max(1, round(self.statement_timeout * 1000))}")
        run(connection, ";".join(settings))

    def streaming_cursor(self, connection: Any, texts: Collection[int]) -> Any:
        """Return a cursor that is given rows as the server makes them; the server waits where we are slower."""
        return _Stream(connection, texts, self.statement_timeout)

    def abandon(self, cursor: Any) -> bool:
        """Have the server stop, so that the connection can be used again."""
        try:
            cursor.close()
        except psycopg.Error:
            return True
        return False

    def stamp_of(self, value: object) -> object:
        """Read a stamp that came as text: it is as exact as the value that the driver would have made of it."""
        try:
            return datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:  # infinity, a year beyond 9999 or BC
            return value

    def quote(self, name: str) -> str:
        return self.always_quote(name)

    def holds_text(self, text: str) -> bool:
        return "\0" not in text and super().holds_text(text)

    def comparable_key(self, column: str, kind: ColumnKind) -> str:
        # Enumerations and other types of the database's own refuse a text that is none of theirs.
        return f"CAST({column} AS TEXT)" if kind is ColumnKind.UNKNOWN else column

    def bind(self, value: object) -> Bind:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return Bind(value.astimezone(UTC))
        return Bind(value)

    def server_time(self, value: datetime) -> datetime:
        return value.astimezone(UTC)

    @property
    def unseen(self) -> str:
        account = self._shown(self.url.username or "the_account")
        return f"its account cannot see when the transactions of others began: GRANT pg_read_all_stats TO {account};"

    def opened(self, ask: Ask) -> Opened:
        """The oldest transaction of any other session, written or not: `now()` is its start.

        Sessions come before prepared transactions: what is prepared in between leaves the ones for the others.
        """
        ((standby, sees_all),) = ask(_STANDING)
        if standby:
            ((replayed,),) = ask(_REPLAYED)
            return Opened(
                up_to=replayed.astimezone(UTC),
                lacking="it is a standby, which does not show the transactions that are open on its primary",
            )
        holders = [
            Holder(f"process {pid}", user or "", application or "", state or "", since.timestamp())
            for pid, user, application, state, since in ask(_ACTIVITY)
        ]
        prepared = [
            Holder(f"prepared transaction {gid!r}", owner, "", "prepared", since.timestamp())
            for gid, owner, since in ask(_PREPARED)
        ]
        lacking = None
        if not sees_all:
            lacking = self.unseen
        return Opened([*holders, *prepared], bool(prepared), lacking=lacking)

    def probed_kinds(self, cursor: Any) -> list[ColumnKind]:
        return [_kind(column[1]) for column in cursor.description or ()]

    def catalog_columns(self, connection: Connection, relation: Relation, probed: Sequence[Column]) -> list[Column]:
        """Add whether a column can be NULL; found by the search path, for views and foreign tables too."""
        assert relation.table is not None, "only tables stand in the catalog"
        query = text(
            "SELECT attname FROM pg_catalog.pg_attribute"
            " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND attnotnull AND NOT attisdropped"
        )
        quoted = ".".join(map(self.quote, relation.table.split(".")))
        filled = set(connection.scalars(query, {"table": quoted}))
        return [Column(column.name, column.kind, column.name not in filled) for column in probed]

    def table_names(self, connection: Connection) -> list[str]:
        inspector = inspect(connection)
        default = inspector.default_schema_name
        names: list[str] = []
        for schema in inspector.get_schema_names():
            if schema == "information_schema" or schema.startswith("pg_"):
                continue
            prefix = "" if schema == default else f"{schema}."
            found = {
                *inspector.get_table_names(schema),
                *inspector.get_view_names(schema),
                *inspector.get_materialized_view_names(schema),
            }
            names += [prefix + name for name in sorted(found)]
        return names

    def excess(self, connection: Connection) -> str | None:
        """A superuser may do everything; others are asked for each table, whatever roles they have it by."""
        if connection.scalar(text("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")):
            return "is a superuser"
        query = text(
            "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'"
            " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1"
        )
        tables = list(connection.scalars(query))
        if not tables:
            return None
        more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
        return f"may write to {', '.join(tables[:3])}{more}"

    def reader(self, tables: Sequence[str]) -> str:
        role = "CREATE ROLE gong_connector LOGIN PASSWORD '...'; GRANT pg_read_all_stats TO gong_connector"
        return f"{role}; {super().reader(tables)}"

    def classify(self, error: BaseException) -> Fault:
        state = getattr(error, "sqlstate", None) or ""
        for prefix, fault in _STATES:
            if state.startswith(prefix):
                return fault
        if state:
            return Fault.SQL
        words = str(error)
        if any(phrase in words for phrase in _LOGIN_WORDS):
            return Fault.LOGIN
        if "FATAL:  database" in words and "does not exist" in words:
            return Fault.NO_DATABASE
        if "FATAL:  role" in words and "does not exist" in words:
            return Fault.LOGIN
        if isinstance(error, errors.DataError):
            return Fault.DATA
        return Fault.SQL if isinstance(error, errors.ProgrammingError) else Fault.UNAVAILABLE

    def words(self, error: BaseException) -> str:
        primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        return first_line(primary or str(error))

    def code(self, error: BaseException) -> str:
        return str(getattr(error, "sqlstate", None) or type(error).__name__)


class _Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Gives the texts of values that Python has none for (infinity, years beyond 9999 and BC).

    The driver's own loaders are in C, and fail at such a value: only then is the result loaded again by those of ours.
    """

    def fetchall(self) -> list[tuple[Any, ...]]:
        try:
            return super().fetchall()
        except psycopg.DataError as error:
            if error.sqlstate is not None or self.pgresult is None:  # it is the server's word
                raise
            again = Transformer(_Tolerant(self.connection))
            again.set_pgresult(self.pgresult)
            return again.load_rows(0, self.pgresult.ntuples, tuple)


class _Tolerant:
    """What psycopg loads a result by, where some values may be beyond Python's."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        for name in _TOLERANT:
            strict = self.adapters.get_loader(self.adapters.types[name].oid, Format.TEXT)
            assert strict is not None, "psycopg loads every standard type"
            self.adapters.register_loader(name, _tolerant(strict))


class _Stream:
    """Rows of one statement, a chunk at a time, as the server makes them: nothing is asked for twice, and only what was
    sent ahead is held. A named cursor would have server and client take turns.

    The statement timeout counts each wait for rows: the server would count all of the reading, our own work included.
    """

    arraysize = 1
    """Rows of a chunk."""

    def __init__(self, connection: Any, texts: Collection[int], timeout: float | None) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._texts = texts
        self._timeout = timeout
        self._transformer: Any = None
        self._under_way = False

    def execute(self, sql: str, parameters: Any) -> None:
        if self._timeout is not None:
            self._connection.execute("SET LOCAL statement_timeout = 0")
        query = psycopg.ClientCursor(self._connection).mogrify(sql, parameters)
        # With parameters, though there are none: then the server takes one statement only.
        self._pgconn.send_query_params(query.encode(self._connection.info.encoding), None)
        self._under_way = True
        while self._pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT)
            self._pgconn.consume_input()
        try:
            self._pgconn.set_chunked_rows_mode(self.arraysize)
        except psycopg.NotSupportedError:  # libpq before 17
            self._pgconn.set_single_row_mode()

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Return the next rows, as many as a chunk has or more; none at the end."""
        rows: list[tuple[Any, ...]] = []
        while len(rows) < size and self._under_way:
            while self._pgconn.is_busy():
                self._wait(select.POLLIN)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                self._under_way = False
            elif result.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result, encoding=self._connection.info.encoding)
            elif result.ntuples:
                rows += self._loaded(result)
        return rows

    def close(self) -> None:
        """Have the server stop where rows are left, and take what it sent until then."""
        if self._under_way:
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
        while self._under_way:
            while self._pgconn.is_busy():
                self._wait(select.POLLIN)
                self._pgconn.consume_input()
            self._under_way = self._pgconn.get_result() is not None

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._pgconn.socket, events)
        if not poll.poll(None if self._timeout is None else self._timeout * 1000):
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
            raise errors.QueryCanceled("no rows came within the statement timeout")

    def _loaded(self, result: PGresult) -> list[tuple[Any, ...]]:
        first = self._transformer is None
        transformer = self._transformer = self._transformer or Transformer(self._connection)
        transformer.set_pgresult(result, set_loaders=False)
        if first:
            transformer.set_loader_types(self._types(result), Format.TEXT)
        try:
            return transformer.load_rows(0, result.ntuples, tuple)
        except psycopg.DataError:
            tolerant = Transformer(_Tolerant(self._connection))
            tolerant.set_pgresult(result, set_loaders=False)
            tolerant.set_loader_types(self._types(result), Format.TEXT)
            return tolerant.load_rows(0, result.ntuples, tuple)

    def _types(self, result: PGresult) -> list[int]:
        return [_TEXT if place in self._texts else result.ftype(place) for place in range(result.nfields)]


def _kind(oid: Any) -> ColumnKind:
    info = psycopg.adapters.types.get(oid)
    if info is None:
        return ColumnKind.UNKNOWN
    if info.array_oid == oid:
        return ColumnKind.ARRAY
    return _KINDS.get(info.name, ColumnKind.TEXT if info.name in _AS_TEXT else ColumnKind.UNKNOWN)


class _Utf8(Loader):
    """Texts whose encoding nobody vouches for: bytes where they are not valid UTF-8."""

    def load(self, data: Buffer) -> Any:
        raw = bytes(data)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw


def _tolerant(strict: type[Any]) -> type[Loader]:
    """Return a loader that gives the text of a value that `strict` refuses."""

    class Tolerant(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._strict.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Tolerant
