"""How the engine says what it does: to the log, and to a terminal's progress bars."""

from typing import Protocol

Fact = str | int | float | bool | None


class Observer(Protocol):
    """Is told of every step. Facts hold counts, types, ids of batches and passes, never a record's values."""

    def event(self, name: str, **facts: Fact) -> None:
        """Take note of a step: `pass.started`, `pass.progress`, `batch.sent`, `batch.failed` and so on."""
        ...


class Silent:
    """Takes no notice."""

    def event(self, name: str, **facts: Fact) -> None:
        pass
