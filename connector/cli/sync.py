"""`sync`: one pass, and a summary that says plainly whether Gong now equals what was read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.cli.ending import Cost, Meter, exceptions_of, say_cost, say_exceptions, say_work
from connector.cli.exits import Status
from connector.cli.output import heading, remarks, say, table
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.operations import SYNC, SyncArguments, chosen
from connector.engine.reading import End, Reading
from connector.engine.sync import SyncReport
from connector.engine.wiring import Wiring
from connector.ledger.queries import Uploads
from connector.mapping import Entity
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class Synced:
    """A pass and what it cost."""

    entities: Sequence[Entity]
    report: SyncReport
    cost: Cost

    @property
    def uploads(self) -> Uploads:
        """What was uploaded."""
        return self.cost.uploads

    @property
    def calls(self) -> int:
        """Calls to Gong."""
        return self.cost.calls

    @property
    def readings(self) -> Sequence[tuple[Entity, Reading]]:
        """The entity sources that were read, with what became of their rows."""
        found = self.report.readings
        return [(entity, found[entity.name]) for entity in self.entities if entity.name in found]


def sync(types: Sequence[ObjectType], *, wait: bool, timeout: float | None) -> Status:
    """Make a pass over the sources of these types (all when there is none), and sum it up."""
    with working() as wiring:
        wiring.integration_id()
        synced = one_pass(wiring, types, wait=wait, timeout=timeout)
    summary(synced)
    return verdict(synced, waited=wait)


def one_pass(wiring: Wiring, types: Sequence[ObjectType], *, wait: bool, timeout: float | None) -> Synced:
    """Make a pass. Raises ConfigError for a type that the mapping file does not have."""
    meter = Meter(wiring)
    entities = chosen(wiring, types)
    report = perform(wiring, SYNC, SyncArguments(tuple(types), wait, timeout), timeout=timeout)
    return Synced(entities, report, meter.cost())


def summary(synced: Synced) -> None:
    """Write what was read, sent and refused, and what it cost."""
    rows = [
        (entity.name, reading.kind, counts.rows, counts.lines, counts.skipped, counts.refused, counts.pended)
        for entity, reading in synced.readings
        for counts in (reading.counts,)
    ]
    if rows:
        heading("What was read")
        table(("Source", "Pass", "Rows", "Lines", "Skipped", "Refused", "Waiting"), rows)
    for words in remarkable(synced):
        say(words)
    say_cost(synced.cost)


def remarkable(synced: Synced) -> list[str]:
    """Return, in words, what was sent and yet is not as one might think, the most frequent first of each kind."""
    hidden: Counter[tuple[str, str, str]] = Counter()
    unread: Counter[tuple[str, str, str]] = Counter()
    for entity, reading in synced.readings:
        hidden.update(_of_type(entity.type, reading.counts.not_shown))
        unread.update(_of_type(entity.type, reading.counts.warnings))
    return [
        f"Gong takes but may not show: {number:,} {object_type} ({field} is {reason})"
        for (object_type, field, reason), number in hidden.most_common()
    ] + [
        f"Sent as null, or as its default: {number:,} {object_type} {field} ({reason})"
        for (object_type, field, reason), number in unread.most_common()
    ]


def _of_type(object_type: str, counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str, str], int]:
    return {(object_type, field, reason): number for (field, reason), number in counts.items()}


def verdict(synced: Synced, *, waited: bool) -> Status:
    """Say plainly whether Gong equals what was read, and return the exit status for it."""
    report, work = synced.report, synced.report.work
    for name, error in report.errors.items():
        say(f"{name} could not be read: {error}", "red", to=remarks)
    if report.errors:
        say(f"Gong does not equal the source: {', '.join(report.errors)} could not be read.", "bold red")
        say_exceptions(work)
        return Status.FAILED
    paused = [name for name, reading in report.readings.items() if reading.end is End.PAUSED]
    if paused:
        say(f"Paused, so not read to the end: {', '.join(paused)}. `gong-connector status` says since when.", "yellow")
        say_work(work, "Gong equals what was read", waited=waited)
        return Status.UNSETTLED
    unread = [entity.name for entity in synced.entities if not _read_to_the_end(entity, report)]
    if not unread:
        well = "Gong equals what was read" if exceptions_of(work) else "Gong now equals what was read"
        return say_work(work, well, waited=waited)
    say(f"Stopped before the end: {', '.join(unread)} not read whole. The next pass goes on from there.", "yellow")
    say_exceptions(work)
    return Status.UNSETTLED


def _read_to_the_end(entity: Entity, report: SyncReport) -> bool:
    reading = report.readings.get(entity.name)
    return entity.name in report.errors or (reading is not None and reading.end is End.FINISHED)
