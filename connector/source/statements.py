"""Builds every SELECT that is sent to the source, as text and bound values apart."""

# ruff: noqa: S608 - the texts are the user's own SQL, on purpose, and quoted names; values are bound

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.errors import ConfigError
from connector.model import FIRST_COLUMN, MODIFIED, Relation

SUBQUERY = "src"
"""Alias of a relation's query in the FROM clause."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A value that travels apart from the SQL text. `cast` wraps the placeholder: `CAST({} AS TEXT)`."""

    value: object
    cast: str = "{}"


Part = str | Bind


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its values in place, independent of how a driver marks them."""

    parts: tuple[Part, ...]
    texts: frozenset[int] = frozenset()
    """Places of the result whose values may come as the database writes them."""

    def render(self, paramstyle: str) -> tuple[str, Sequence[object] | Mapping[str, object]]:
        """Return text and parameters for a driver of that DB-API paramstyle.

        Percent signs of the SQL are doubled where the driver formats with them; the user's text reaches the
        database unchanged.
        """
        percent = paramstyle in ("format", "pyformat")
        text: list[str] = []
        values: list[object] = []
        for part in self.parts:
            if isinstance(part, Bind):
                values.append(part.value)
                text.append(part.cast.format(_placeholder(paramstyle, len(values))))
            else:
                text.append(part.replace("%", "%%") if percent else part)
        if paramstyle == "named":
            return "".join(text), {f"p{number}": value for number, value in enumerate(values, 1)}
        return "".join(text), tuple(values)


def _placeholder(paramstyle: str, number: int) -> str:
    match paramstyle:
        case "qmark":
            return "?"
        case "numeric":
            return f":{number}"
        case "numeric_dollar":
            return f"${number}"
        case "named":
            return f":p{number}"
        case _:
            return "%s"


def raw(sql: str) -> Statement:
    """Return the user's own query as a statement, without the semicolon it may end with."""
    return Statement((strip_query(sql),))


def strip_query(sql: str) -> str:
    """Return the query without trailing white space and semicolons, so that it can stand in parentheses."""
    return sql.strip().rstrip("; \t\r\n")


@dataclass(frozen=True, slots=True)
class Keyset:
    """Where `changes` goes on: bound values of the last stamp and, unless None, of the last key."""

    modified: Bind
    key: Bind | None


class Selects:
    """The SELECTs of one relation.

    `quote` quotes one identifier for the database. `absent_below` is the literal under which a stamp counts
    as absent (zero dates), None where only NULL does. `nullable_modified` and `nullable_key` tell whether
    rows without a place in the order (modified, key) can exist. `stamp` gives how the modified column is selected.
    `as_text` holds, by name, what is put around a column so that it comes as text: `CAST({} AS TEXT)`. With
    `stamp_as_text` the modified column may come so as well.
    """

    def __init__(
        self,
        relation: Relation,
        quote: Callable[[str], str],
        *,
        absent_below: str | None = None,
        nullable_modified: bool = True,
        nullable_key: bool = True,
        stamp: Callable[[str], str] = lambda column: column,
        as_text: Mapping[str, str] | None = None,
        stamp_as_text: bool = False,
    ) -> None:
        _refuse_nul(relation)
        self._relation = relation
        self._quote = quote
        self._absent_below = absent_below
        self._nullable_modified = nullable_modified
        self._nullable_key = nullable_key
        self._stamp = stamp
        self._as_text = as_text or {}
        self._stamp_as_text = stamp_as_text
        if relation.table is not None:
            names = [quote(part) for part in relation.table.split(".")]
            self._from, self._owner = ".".join(names), names[-1]
        else:
            assert relation.query is not None, "a relation has a table or a query"
            self._owner = quote(SUBQUERY)
            self._from = f"(\n{strip_query(relation.query)}\n) AS {self._owner}"

    def column(self, name: str) -> str:
        """Return the qualified, quoted column: never mistaken for a text (SQLite does that to a bare "x")."""
        return f"{self._owner}.{self._quote(name)}"

    @property
    def key(self) -> str:
        return self.column(self._relation.key)

    @property
    def modified(self) -> str:
        if self._relation.modified is None:
            raise ValueError(f"{self._relation.name} has no modified column")
        return self.column(self._relation.modified)

    def probe(self) -> Statement:
        """No rows, but every column and every condition of the user: tells whether the database takes them."""
        return Statement((f"SELECT {self._owner}.*, {self._deleted()} FROM {self._from}", *self._where("1 = 0")))

    def everything(self) -> Statement:
        return self._rows(*self._where())

    def changes(self, after: Keyset | None) -> Statement:
        """Rows with a stamp and a key in their order, from `after` on.

        The row at `after` itself is in it (`>=`): keys that a collation holds equal to it must not be lost;
        the caller drops the one row that it has seen.
        """
        order = f" ORDER BY {self.modified}, {self.key}"
        if after is None:
            return self._rows(*self._where(*self._placed()), order)
        present = [f"{self.key} IS NOT NULL"] if self._nullable_key else []
        conditions: list[Part] = [f"{self.modified} >= ", after.modified]
        if after.key is not None:
            conditions += [
                f" AND ({self.modified} > ", after.modified, f" OR ({self.modified} = ", after.modified,
                f" AND {self.key} >= ", after.key, "))",
            ]  # fmt: skip
        return self._rows(*self._where(*present, conditions), order)

    def count(self, since: Bind | None) -> Statement:
        """How many rows there are, or have a stamp from `since` on."""
        conditions: list[list[Part]] = [] if since is None else [[f"{self.modified} >= ", since]]
        return Statement((f"SELECT COUNT(*) FROM {self._from}", *self._where(*conditions)))

    def by_object(self) -> Statement:
        """Rows with a stamp and a key, those of one key together, each key's by their stamps."""
        return self._rows(*self._where(*self._placed()), f" ORDER BY {self.key}, {self.modified}")

    def placeless(self) -> Statement | None:
        """Rows that have no place in the order (modified, key); None where there cannot be any."""
        absent = []
        if self._nullable_modified:
            absent.append(f"{self.modified} IS NULL")
        if self._absent_below is not None:
            absent.append(f"{self.modified} < {self._absent_below}")
        if self._nullable_key:
            absent.append(f"{self.key} IS NULL")
        if not absent:
            return None
        return self._rows(*self._where(f"({' OR '.join(absent)})"))

    def by_key(self, comparable: str, values: Sequence[Bind], *, by_time: bool = False) -> Statement:
        """Rows whose key is one of `values`; `comparable` is the key's column, cast where it must be.

        `by_time`: only those that have a stamp, in the order of their stamps.
        """
        named: list[Part] = [f"{comparable} IN (", *_commas(values), ")"]
        if not by_time:
            return self._rows(*self._where(named))
        return self._rows(*self._where(*self._placed(), named), f" ORDER BY {self.modified}")

    def extremes(self, readable: str | None) -> Statement:
        """Least and greatest stamp, each by a SELECT of its own so that an index answers it at once."""
        least = [f"SELECT MIN({self.modified}) FROM {self._from}", *self._where(*_given(readable))]
        greatest = [f"SELECT MAX({self.modified}) FROM {self._from}", *self._where(*_given(readable))]
        return Statement(("SELECT (", *least, "), (", *greatest, ")"))

    def text_forms(self, since: Bind) -> Statement:
        """How many text stamps from `since` on have a blank between date and time, and an offset not zero."""
        m = self.modified
        offset = f"({m} LIKE '%+__:__' OR {m} LIKE '%-__:__' OR {m} LIKE '%+____') AND {m} NOT LIKE '%00:00'"
        blanks = f"SUM(CASE WHEN {m} LIKE '__________ %' THEN 1 ELSE 0 END)"
        offsets = f"SUM(CASE WHEN {offset} THEN 1 ELSE 0 END)"
        return Statement((f"SELECT {blanks}, {offsets} FROM {self._from}", *self._where([f"{m} >= ", since])))

    def _placed(self) -> list[str]:
        """The conditions under which a row has a key and a stamp."""
        present = [f"{self.key} IS NOT NULL"] if self._nullable_key else []
        if self._absent_below is not None:
            present.append(f"{self.modified} >= {self._absent_below}")
        elif self._nullable_modified:
            present.append(f"{self.modified} IS NOT NULL")
        return present

    def _deleted(self) -> str:
        if self._relation.deleted is None:
            return "0"
        return f"CASE WHEN (\n{self._relation.deleted}\n) THEN 1 ELSE 0 END"

    def _rows(self, *rest: Part) -> Statement:
        """Return the statement that gives the relation's rows, those that the rest of it says."""
        texts = {place for place, name in enumerate(self._relation.columns, FIRST_COLUMN) if name in self._as_text}
        return Statement((self._head(), *rest), frozenset(texts | {MODIFIED} if self._stamp_as_text else texts))

    def _head(self) -> str:
        modified = self._stamp(self.modified) if self._relation.modified is not None else "NULL"
        named = [self._as_text.get(name, "{}").replace("{}", self.column(name)) for name in self._relation.columns]
        columns = [self.key, modified, self._deleted(), *named]
        return f"SELECT {', '.join(columns)} FROM {self._from}"

    def _where(self, *conditions: str | Sequence[Part]) -> list[Part]:
        """Join the user's condition and ours with AND. The line break ends a comment in the user's text."""
        terms: list[Sequence[Part]] = []
        if self._relation.where is not None:
            terms.append([f"(\n{self._relation.where}\n)"])
        terms += [[condition] if isinstance(condition, str) else condition for condition in conditions]
        parts: list[Part] = []
        for term in terms:
            parts += [" AND " if parts else " WHERE ", *term]
        return parts


def _commas(values: Iterable[Bind]) -> Iterable[Part]:
    for number, value in enumerate(values):
        if number:
            yield ", "
        yield value


def _given(condition: str | None) -> list[str]:
    return [] if condition is None else [condition]


def _refuse_nul(relation: Relation) -> None:
    texts = (relation.table, relation.query, relation.where, relation.deleted, relation.key, relation.modified)
    if any("\0" in text for text in (*texts, *relation.columns) if text is not None):
        raise ConfigError(f"{relation.name}: a name or condition holds a NUL character; remove it.")
