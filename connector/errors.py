"""Errors, by what the caller does next: stop and tell the user, try again later, or put the row aside.

Messages are written for the user: they name the file, key, setting or row, and what to do. They never
hold a secret or a record's values.
"""

from dataclasses import dataclass


class ConnectorError(Exception):
    """Base of every error that the connector raises on purpose; its text is fit to be shown."""

    pass_id: int | None = None
    """The pass that it ended; None where it ended none."""


class FatalError(ConnectorError):
    """Nothing the connector can do will help; a person must change something."""


class ConfigError(FatalError):
    """A setting, the mapping file or the command line is wrong. Exit status 2."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration: where, what, and what to do."""

    where: str
    """Place as a user finds it: `config/mapping.yaml:12 entities.DEAL.fields.amount`, or a setting's name."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigProblems(ConfigError):
    """Several things wrong at once, so that a user mends them in one go."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class RetriableError(ConnectorError):
    """The same step may succeed later (database or Gong unreachable, busy, locked)."""


class SourceUnavailable(RetriableError):
    """The CRM's database could not be reached, or broke off while reading."""


class SourceChanged(FatalError):
    """The source no longer has a table or column that the mapping names; the type pauses."""


class BudgetSpent(RetriableError):
    """No call to Gong may be made before `until` (seconds since 1970 UTC): quota spent, or Gong said to wait."""

    def __init__(self, until: float, message: str) -> None:
        self.until = until
        super().__init__(message)


class LedgerUnavailable(RetriableError):
    """The ledger's database could not be reached or stayed locked."""


class LedgerInUse(LedgerUnavailable):
    """The ledger's tables are of an earlier version, and a process of that version is at work on them."""


class GongDenied(FatalError):
    """Gong answered 401 or 403 (key, scope or address), or the integration is gone. Never retried in a loop."""


class LeaseLost(FatalError):
    """Another process is the active one now; this one must stop writing at once."""


class LedgerLost(LeaseLost):
    """The ledger's file is gone or damaged, and the lease in it with it; this process must stop writing at once."""
