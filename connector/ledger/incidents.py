"""What the webhook is told of, over restarts: one row an incident, until a day after it is over."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from connector.ledger.database import Database
from connector.ledger.statement import text


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is wrong, or was. Times are seconds since 1970 UTC."""

    kind: str
    subject: str
    """With `kind`, what tells it from others."""
    state: str
    """What it alone makes of the whole."""
    words: str
    """What was last said of it; fit to leave this machine."""
    since: float
    objects: int = 0
    """How many objects it is about, where they are counted."""
    lasted: bool = False
    """It was seen for long enough to be told."""
    times: int = 1
    """How often it began, each time within a day of its last end."""
    absent_since: float | None = None
    """Since when it is not seen any more, though it may only have paused."""
    ended_at: float | None = None
    """When it was over: `absent_since`, once that was long enough ago."""
    told_at: float | None = None
    """When the webhook took it."""
    told_objects: int = 0
    """How many objects it was about when it was last told."""
    end_told_at: float | None = None
    """When the webhook took that it is over."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.kind, self.subject


class Incidents:
    """The ledger's incidents. Raises LedgerUnavailable.

    Written without the lease: while no process has it, that is what is to be told.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Incident]:
        """Return what is wrong, and what was until a day ago."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM incidents ORDER BY since, kind, subject").mappings()
            return [
                Incident(**{str(name): value for name, value in row.items()} | {"lasted": bool(row["lasted"])})
                for row in rows
            ]

    def book(self, changed: Iterable[Incident], gone: Iterable[tuple[str, str]]) -> None:
        """Store the changed ones, and forget those that are gone."""
        columns = tuple(Incident.__dataclass_fields__)
        with self._database.writing("incidents", fenced=False) as connection:
            for incident in changed:
                connection.execute(
                    text(
                        f"INSERT INTO incidents ({', '.join(columns)})"
                        f" VALUES ({', '.join(f':{name}' for name in columns)}) ON CONFLICT (kind, subject) DO UPDATE"
                        f" SET {', '.join(f'{name} = excluded.{name}' for name in columns[2:])}"
                    ),
                    asdict(incident),
                )
            for kind, subject in gone:
                connection.execute(
                    text("DELETE FROM incidents WHERE kind = :kind AND subject = :subject"),
                    {"kind": kind, "subject": subject},
                )
