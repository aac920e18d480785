"""What the source holds: tables, columns and their kinds, and the nearest right name for a wrong one."""

import difflib
from collections import Counter

from connector.errors import ConfigError, ConnectorError
from connector.model import Column, Relation
from connector.source.edge import Doing, translated
from connector.source.engines import Sessions
from connector.source.statements import Selects


def tables(sessions: Sessions) -> list[str]:
    """Return names of tables and views, those outside the usual schema as `schema.table`."""
    with translated(sessions.backend, Doing.DESCRIBE), sessions.catalog() as connection:
        return sessions.backend.table_names(connection)


def describe(sessions: Sessions, relation: Relation) -> dict[str, Column]:
    """Return the columns of a table or of a query's result by name; the user's conditions are tried too.

    Raises:
        ConfigError: the table does not exist, or the database does not take the query, `where` or `deleted`.
        SourceDenied: the account may not read it.
        SourceUnavailable: the database cannot be reached.
    """
    backend = sessions.backend
    try:
        with translated(backend, Doing.DESCRIBE, relation):
            with sessions.snapshot() as session:
                *columns, _deleted = session.probe(Selects(relation, backend.quote).probe())
            if relation.table is not None:
                with sessions.catalog() as connection:
                    columns = backend.catalog_columns(connection, relation, columns)
    except ConfigError as error:
        raise _missing_table(sessions, relation) or error from None
    twice = [name for name, times in Counter(column.name for column in columns).items() if times > 1]
    if twice:
        raise ConfigError(
            f"{relation.name}: the query has {len(twice)} column names twice ({', '.join(twice[:5])})."
            " Give each its own name with AS."
        )
    return {column.name: column for column in columns}


def _missing_table(sessions: Sessions, relation: Relation) -> ConfigError | None:
    """Return an error that names the nearest table, when it is the table that is missing."""
    if relation.table is None:
        return None
    try:
        names = tables(sessions)
    except ConnectorError:
        return None
    wanted = relation.table
    if any(wanted.casefold() in (name.casefold(), name.rpartition(".")[2].casefold()) for name in names):
        return None
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else " Name a table or view that the account may read."
    return ConfigError(f"{relation.name}: the source has no table {wanted!r}.{hint}")
