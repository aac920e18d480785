"""How a command that sends ends: what it cost, and whether Gong now equals the source, said plainly."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.cli.exits import Status
from connector.cli.output import count, say, seconds, size
from connector.engine.wiring import Wiring
from connector.ledger.queries import Uploads, Work


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost."""

    uploads: Uploads
    calls: int
    calls_per_day: int
    took: float
    """Seconds."""


class Meter:
    """Measures from its making on."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._started = wiring.clock.monotonic()
        self._last = wiring.queries.last_batch()
        self._used = wiring.budget.used()

    def cost(self) -> Cost:
        """Return what it came to so far."""
        wiring = self._wiring
        return Cost(
            wiring.queries.uploads_after(self._last),
            wiring.budget.used() - self._used,
            wiring.settings.calls_per_day,
            wiring.clock.monotonic() - self._started,
        )


def say_cost(cost: Cost) -> None:
    """Write what was uploaded, and what it cost."""
    uploads = cost.uploads
    say()
    say(
        f"Uploaded: {count(uploads.files, 'file')}, {count(uploads.lines, 'line')}, {size(uploads.bytes)}. "
        f"Calls to Gong: {cost.calls:,} of {cost.calls_per_day:,} a day. Took {seconds(cost.took)}."
    )


def say_work(work: Work, well: str, *, waited: bool) -> Status:
    """Say what is left, or `well` where that is nothing, and return the exit status for it.

    Args:
        work: what the ledger says is left.
        well: one sentence without its stop.
        waited: it was to be waited for, so that what is left counts.
    """
    exceptions = exceptions_of(work)
    unsettled = bool(work.unsettled or work.awaited)
    if unsettled:
        left = [f"{count(work.unsettled, 'file')} at Gong"] if work.unsettled else []
        left += [f"{count(work.awaited, 'object')} to be sent again"] if work.awaited else []
        say(f"Not settled yet: {' and '.join(left)}. The next pass or the daemon follows them up.", "yellow")
    elif exceptions:
        say(f"{well}, but for {' and '.join(words for words, _ in exceptions)}.", "bold yellow")
    else:
        say(f"{well}.", "bold green")
    say_exceptions(work)
    return Status.UNSETTLED if (waited and unsettled) or exceptions else Status.WELL


def exceptions_of(work: Work) -> Sequence[tuple[str, str]]:
    """Return what keeps Gong from being equal for good, in words, and the command that shows it."""
    found = []
    if work.refused:
        found.append((count(work.refused, "refused object"), "failures list"))
    if work.held:
        found.append((count(work.held, "object held back", "objects held back"), "status"))
    return found


def say_exceptions(work: Work) -> None:
    """Name the commands that show what is refused and held."""
    for words, command in exceptions_of(work):
        say(f"{words}: see `gong-connector {command}`.")
