"""Up to when the source's rows can be known: what is still open there may commit rows with stamps from its start on.

A row whose stamp was set by the database carries the time at which its transaction (PostgreSQL's `now()`) or its
statement (`NOW()` elsewhere) began, and is seen when the transaction commits, any time later. So the cursor must not
pass the start of the oldest transaction or statement that is still open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connector.clock import Clock
from connector.model import Holder
from connector.source.faults import Fault

if TYPE_CHECKING:
    from connector.source.engines import Session

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs a SELECT of ours and gives its rows."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a database shows of its open transactions."""

    holders: Sequence[Holder] = ()
    stay: bool = False
    """Among them are some whose start it does not say (prepared transactions)."""
    up_to: datetime | None = None
    """Nothing later than this has arrived here (a standby)."""
    lacking: str | None = None
    """Why not all are shown, and what to do: for these, only the overlap counts."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The moment before which no stamp can still appear, as far as the database tells."""

    now: datetime
    """The source's time, read before anything else."""
    at: datetime
    holder: Holder | None
    stay: bool
    lacking: str | None


def read(session: "Session", clock: Clock) -> Horizon:
    """Return the source's horizon. The session is of no use for anything else afterwards.

    The time is read first: a transaction that is not found open afterwards began later, or has committed and is seen
    by the reading that follows.
    """
    now = source_now(session, clock)
    return combine(now, _opened(session))


def combine(now: datetime, opened: Opened) -> Horizon:
    """Return the horizon of what is open."""
    holder = min(opened.holders, key=lambda one: one.since, default=None)
    at = [now] if opened.up_to is None else [now, opened.up_to]
    if holder is not None:
        at.append(datetime.fromtimestamp(holder.since, UTC))
    return Horizon(now, min(at), holder, opened.stay, opened.lacking)


def source_now(session: "Session", clock: Clock) -> datetime:
    """Return the time of the source's host, aware, in UTC.

    A server is asked; SQLite runs on this host, and of other databases the host's clock is taken as theirs
    (the overlap covers the difference).
    """
    if session.backend.now_sql is None:
        return datetime.fromtimestamp(clock.now(), UTC)
    return session.backend.server_time(session.ask(session.backend.now_sql))


def _opened(session: "Session") -> Opened:
    """Ask the database; where it does not let us look, or has nothing of the kind, the overlap has to do."""
    backend = session.backend
    try:
        return backend.opened(session.query)
    except Exception as error:
        module: Any = backend.dialect.loaded_dbapi
        if not isinstance(error, module.Error) or backend.classify(error) not in _NOT_SHOWN:
            raise
        session.spoiled = False  # the statement was turned down, which the connection bears
        return Opened(lacking=backend.unseen)


_NOT_SHOWN = (Fault.DENIED, Fault.MISSING, Fault.SQL)
