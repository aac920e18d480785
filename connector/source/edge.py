"""The one edge where drivers' and SQLAlchemy's exceptions become the connector's, in words for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from sqlalchemy import exc

from connector.errors import ConfigError, ConnectorError, FatalError, SourceChanged, SourceUnavailable
from connector.model import Relation
from connector.source.backends import Backend
from connector.source.faults import Fault


class SourceDenied(FatalError):
    """The source's account may not log in or may not read what the mapping names."""


class Doing(StrEnum):
    """What was tried: the same fault is a mistake in the mapping at first, and a change of the source later."""

    DESCRIBE = "describe"
    """No rows are read, so that the database's words hold none of their values."""
    LIST = "list"
    """A user's list of values is read: the SQL is new, the values are not for messages."""
    READ = "read"


@contextmanager
def translated(backend: Backend, doing: Doing, relation: Relation | None = None) -> Iterator[None]:
    """Raise every foreign exception of the block as a ConnectorError.

    The original is not chained: its text may hold values of rows.
    """
    module: Any = backend.dialect.loaded_dbapi
    try:
        yield
    except ConnectorError:
        raise
    except (exc.SQLAlchemyError, module.Error, OSError, UnicodeError) as error:
        raise translate(error, backend, doing, relation) from None


def translate(error: BaseException, backend: Backend, doing: Doing, relation: Relation | None) -> ConnectorError:
    """Return the connector's exception for one of the driver's, of SQLAlchemy's or of the system's."""
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    fault, words = _diagnosis(error, backend)
    where = _where(relation)
    match fault:
        case Fault.UNAVAILABLE:
            return SourceUnavailable(f"The source database cannot be read{_at(relation)}: {words}")
        case Fault.LOGIN:
            return SourceDenied(f"The source database refuses the account of CONNECTOR_SOURCE_URL: {words}")
        case Fault.NO_DATABASE:
            return ConfigError(f"CONNECTOR_SOURCE_URL: {words}")
        case Fault.DENIED:
            return SourceDenied(f"{where}{words}. Let the account read it: {backend.grant(relation, words)};")
        case Fault.WRITE:
            return ConfigError(f"{where}the source is opened read-only, and this statement writes: {words}")
        case Fault.MISSING if doing is Doing.READ:
            return SourceChanged(f"{where}{words}. Bring the mapping and the source's tables together again.")
        case Fault.DATA if doing is not Doing.DESCRIBE:
            return ConfigError(
                f"{where}the SQL fails on a row's value (error {backend.code(error)} of the database)."
                " Make the query, `where` or `deleted` bear every value."
            )
        case Fault.SQL if doing is Doing.READ:
            return SourceChanged(
                f"{where}the database no longer takes the statement (error {backend.code(error)})."
                " Bring the mapping and the source's tables together again."
            )
        case _:
            return ConfigError(f"{where}the database does not take this SQL: {words}")


def _diagnosis(error: BaseException, backend: Backend) -> tuple[Fault, str]:
    if isinstance(error, exc.NoSuchTableError):
        return Fault.MISSING, f"there is no table {error}"
    if isinstance(error, exc.TimeoutError):
        return Fault.UNAVAILABLE, "every connection that the connector allows itself is in use"
    if isinstance(error, exc.DBAPIError | exc.DisconnectionError | OSError):
        return Fault.UNAVAILABLE, backend.words(error)
    if isinstance(error, UnicodeError):
        return Fault.DATA, "a name or text is not valid UTF-8"
    if isinstance(error, exc.SQLAlchemyError):
        return Fault.SQL, f"SQLAlchemy reports {type(error).__name__}"
    return backend.classify(error), backend.words(error)


def _where(relation: Relation | None) -> str:
    if relation is None:
        return ""
    return f"{relation.name} ({f'table {relation.table}' if relation.table is not None else 'query'}): "


def _at(relation: Relation | None) -> str:
    return "" if relation is None else f" for {relation.name}"
