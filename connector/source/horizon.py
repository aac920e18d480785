"""Up to when the source's rows can be known: today the source's own time."""

from datetime import UTC, datetime

from connector.clock import Clock
from connector.source.engines import Session


def source_now(session: Session, clock: Clock) -> datetime:
    """Return the time of the source's host, aware, in UTC.

    A server is asked; SQLite runs on this host, and of other databases the host's clock is taken as theirs
    (the overlap covers the difference).
    """
    if session.backend.now_sql is None:
        return datetime.fromtimestamp(clock.now(), UTC)
    return session.backend.server_time(session.ask(session.backend.now_sql))
