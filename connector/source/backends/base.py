"""What differs between databases, with the way that suits any SQLAlchemy dialect as the base."""

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Dialect, exc, inspect, types
from sqlalchemy.engine import URL

from connector.model import Column, ColumnKind, Relation
from connector.source.faults import Fault
from connector.source.horizon import Ask, Opened
from connector.source.stamps import LEAST_EPOCH
from connector.source.statements import Bind

_WHOLE = re.compile(r"(?:0|-?[1-9][0-9]{0,69})")

_KINDS: Sequence[tuple[type[types.TypeEngine[Any]], ColumnKind]] = (
    (types.Boolean, ColumnKind.BOOLEAN),
    (types.Integer, ColumnKind.INTEGER),
    (types.Float, ColumnKind.FLOAT),
    (types.Numeric, ColumnKind.DECIMAL),
    (types.DateTime, ColumnKind.DATETIME),
    (types.Date, ColumnKind.DATE),
    (types.Time, ColumnKind.TIME),
    (types.Uuid, ColumnKind.UUID),
    (types.JSON, ColumnKind.JSON),
    (types.ARRAY, ColumnKind.ARRAY),
    (types.LargeBinary, ColumnKind.BINARY),
    (types.BINARY, ColumnKind.BINARY),
    (types.VARBINARY, ColumnKind.BINARY),
    (types.String, ColumnKind.TEXT),
)


class Backend:
    """Any database that SQLAlchemy has a dialect for.

    It cannot make the session read-only or take a snapshot by a common word: give it an account that may
    only read. MySQL, PostgreSQL and SQLite have classes of their own, which do both.
    """

    ping_sql = "SELECT 1"
    now_sql: str | None = None
    """Asks the server for its time in UTC; None: the host's clock is used."""
    absent_below: str | None = None
    """Literal under which a stamp of a date type counts as absent (zero dates)."""
    integers = (-(2**63), 2**63 - 1)
    """Range of integers that the driver and the database take as a key."""
    create_index = "CREATE INDEX"
    """How the statement begins that makes an index; without locking writers out, where the database can."""
    keeps_connections = True
    """Connections are kept open between reads."""
    indexes_serve = True
    """Whether a table's indexes say how fast it is read."""
    as_text: Mapping[ColumnKind, str] = {}
    """What makes a column of a kind come as text, where the driver is slower at making values than texts."""
    stamps_as_text = False
    """The same of the modified column, if it holds moments: `stamp_of` reads them."""
    dynamic = False
    """True where a column may hold values of any type, whatever it was declared as."""

    def __init__(self, dialect: Dialect, url: URL, statement_timeout: float | None) -> None:
        self.dialect = dialect
        self.url = url
        self.statement_timeout = statement_timeout

    def connect_args(self) -> dict[str, Any]:
        """Return arguments for the driver; those that the URL gives are left to it."""
        return {}

    def prepare(self, connection: Any) -> None:
        """Set up a new connection: read-only, UTC, the statement timeout."""

    def begin(self, connection: Any) -> None:
        """Start the transaction whose snapshot everything until the rollback reads."""

    def streaming_cursor(self, connection: Any, texts: Collection[int]) -> Any:  # noqa: ARG002 - PostgreSQL needs them
        """Return a cursor that does not load the whole result. Values at the places `texts` may come as the database
        writes them.
        """
        return self.cursor(connection)

    def cursor(self, connection: Any) -> Any:
        return connection.cursor()

    def abandon(self, cursor: Any) -> bool:
        """Leave a result unread; True when its connection must be thrown away with it."""
        cursor.close()
        return False

    def quote(self, name: str) -> str:
        """Quote where the dialect needs it: some databases hold unquoted names in upper case."""
        plain = self.dialect.identifier_preparer.quote(name) == name
        return name if plain else self.always_quote(name)

    def always_quote(self, name: str) -> str:
        preparer = self.dialect.identifier_preparer
        escaped = name.replace(preparer.escape_quote, preparer.escape_quote * 2)
        return f"{preparer.initial_quote}{escaped}{preparer.final_quote}"

    def bind(self, value: object) -> Bind:
        """Return a stamp or key, as it came from this database, as something the driver takes back."""
        return Bind(value)

    def stamp(self, column: str, kind: ColumnKind) -> str:  # noqa: ARG002 - SQL Server needs it
        """Return how a stamp is selected: as it is, where the driver gives all of its digits."""
        return column

    def stamp_of(self, value: object) -> object:
        """Return a stamp as a place in the order, where it came as text."""
        return value

    def bind_stamp(self, value: object, kind: ColumnKind) -> Bind:  # noqa: ARG002 - SQL Server needs it
        """Return a stamp, or a bound among the stamps, as what it is compared with."""
        return self.bind(value)

    def key_values(self, text: str, kind: ColumnKind) -> list[Bind]:
        """Return the values of the key's type whose text form is `text`: none where it cannot be one."""
        match kind:
            case ColumnKind.INTEGER if _WHOLE.fullmatch(text):
                number = int(text)
                return [Bind(number)] if self.integers[0] <= number <= self.integers[1] else []
            case ColumnKind.DECIMAL if _WHOLE.fullmatch(text):
                return [self.bind(Decimal(text))]
            case ColumnKind.UUID:
                return [self.bind(UUID(text))] if _is_uuid(text) else []
            case ColumnKind.TEXT | ColumnKind.UNKNOWN:
                return [Bind(text)] if self.holds_text(text) else []
            case _:
                return []

    def holds_text(self, text: str) -> bool:
        """Tell whether a text value of this database can equal `text`."""
        return not any("\ud800" <= character <= "\udfff" for character in text)

    def comparable_key(self, column: str, kind: ColumnKind) -> str:  # noqa: ARG002 - others need it
        """Return the key's column as it is compared with the values of `key_values`."""
        return column

    def wider_key(self, column: str, error: Exception) -> str | None:  # noqa: ARG002 - MySQL needs both
        """Return the key's column as it must be compared after `error`; None where that is not the matter."""
        return None

    def readable_stamps(self, column: str, kind: ColumnKind) -> str | None:
        """Condition that leaves out texts and numbers which are no time ('n/a', 0); None where all can be compared."""
        if kind in (ColumnKind.INTEGER, ColumnKind.DECIMAL):
            return f"{column} >= {LEAST_EPOCH}"
        return f"{column} LIKE '____-__-__%'" if kind is ColumnKind.TEXT else None

    def server_time(self, value: Any) -> datetime:
        """Turn the answer to `now_sql` into an aware datetime."""
        raise NotImplementedError

    @property
    def unseen(self) -> str:
        """Why open transactions are not shown, in words, and what to do about it."""
        return "this kind of database does not say which transactions are open"

    def opened(self, ask: Ask) -> Opened:  # noqa: ARG002 - others ask
        """Return what is open in the source besides our own sessions, which only read.

        Raises the driver's error where the account may not look.
        """
        return Opened(lacking=self.unseen)

    def probed_kinds(self, cursor: Any) -> list[ColumnKind]:
        """Return the kinds of a result's columns, as far as the driver tells them."""
        return [ColumnKind.UNKNOWN for _ in cursor.description or ()]

    def catalog_columns(
        self,
        connection: Connection,
        relation: Relation,
        probed: Sequence[Column],  # noqa: ARG002 - others add to it
    ) -> list[Column]:
        """Return a table's columns with what the catalog knows beyond the probe of a SELECT.

        Raises:
            sqlalchemy.exc.NoSuchTableError: there is no such table or view.
        """
        assert relation.table is not None, "only tables stand in the catalog"
        schema, _, table = relation.table.rpartition(".")
        with warnings.catch_warnings():
            # A type that SQLAlchemy does not know is an UNKNOWN column here, not a warning for the user.
            warnings.simplefilter("ignore", exc.SAWarning)
            found = inspect(connection).get_columns(table, schema=schema or None)
        return [Column(c["name"], reflected_kind(c["type"]), bool(c.get("nullable", True))) for c in found]

    def table_names(self, connection: Connection) -> list[str]:
        """Return the names of tables and views that a user may want to map, as the mapping spells them."""
        inspector = inspect(connection)
        return [*inspector.get_table_names(), *inspector.get_view_names()]

    def excess(self, connection: Connection) -> str | None:  # noqa: ARG002 - others ask
        """Return, in words, what the account may do beyond reading; None where it may only read."""
        return "may do what nobody can tell of this kind of database"

    def reader(self, tables: Sequence[str]) -> str:
        """Return statements that make an account which may only read these tables (of the mapping)."""
        names = ", ".join(self._shown(table) for table in tables) or "the tables of its queries"
        return f"GRANT SELECT ON {names} TO gong_connector"

    def _shown(self, table: str) -> str:
        """Return a table's name as one would write it, quoted only where it must be."""
        return ".".join(map(self.dialect.identifier_preparer.quote, table.split(".")))

    def classify(self, error: BaseException) -> Fault:
        """Tell what kind of failure a driver's exception is."""
        module: Any = self.dialect.loaded_dbapi
        if isinstance(error, module.OperationalError | module.InterfaceError | module.InternalError):
            return Fault.UNAVAILABLE
        return Fault.DATA if isinstance(error, module.DataError) else Fault.SQL

    def words(self, error: BaseException) -> str:
        """Return the database's own words: one line, without the details that hold a row's values."""
        return first_line(str(error))

    def code(self, error: BaseException) -> str:
        """Return the database's code for the error, or the exception's name."""
        return type(error).__name__

    def grant(self, relation: Relation | None, words: str) -> str:
        """Return the statement that lets our account read; `words` are the database's refusal."""
        named = re.search(r"\bfor (?:materialized )?(?P<what>\w+) (?P<name>\S+)", words)
        account = self.url.username or "<the account>"
        if named is not None and named["what"] == "schema":
            return f"GRANT USAGE ON SCHEMA {named['name']} TO {account}"
        if relation is not None and relation.table is not None:
            return f"GRANT SELECT ON {relation.table} TO {account}"
        return f"GRANT SELECT ON {named['name'] if named is not None else '<the table>'} TO {account}"


def reflected_kind(kind: types.TypeEngine[Any]) -> ColumnKind:
    """Return the kind of a type that SQLAlchemy found in a catalog."""
    for generic, name in _KINDS:
        if isinstance(kind, generic):
            zoned = name is ColumnKind.DATETIME and getattr(kind, "timezone", False)
            return ColumnKind.DATETIME_TZ if zoned else name
    return ColumnKind.UNKNOWN


def first_line(text: str) -> str:
    """Return the first line that says something, cut to a length fit for a message."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")[:300]


def run(connection: Any, *statements: str) -> None:
    """Execute settings of a session, which return nothing that matters."""
    cursor = connection.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
