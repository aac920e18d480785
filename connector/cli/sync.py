"""`sync`: one pass, and a summary that says plainly whether Gong now equals what was read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from connector.cli.output import count, heading, remarks, say, seconds, size, table
from connector.cli.parts import working
from connector.cli.progress import showing
from connector.cli.running import Status
from connector.engine.reader import End
from connector.engine.sync import SyncReport
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.ledger.queries import Uploads, Work
from connector.mapping import Entity
from connector.object_types import ObjectType


@dataclass(frozen=True, slots=True)
class Synced:
    """A pass and what it cost."""

    entities: Sequence[Entity]
    report: SyncReport
    uploads: Uploads
    calls: int
    calls_per_day: int
    took: float
    """Seconds."""


def sync(types: Sequence[ObjectType], *, wait: bool, timeout: float | None) -> Status:
    """Make a pass over the sources of these types (all when there is none), and sum it up."""
    with working() as wiring:
        wiring.integration_id()
        wiring.take_lease()
        synced = one_pass(wiring, types, wait=wait, timeout=timeout)
    summary(synced)
    return verdict(synced, waited=wait)


def one_pass(wiring: Wiring, types: Sequence[ObjectType], *, wait: bool, timeout: float | None) -> Synced:
    """Make a pass, holding the lease. Raises ConfigError for a type that the mapping file does not have."""
    started = wiring.clock.monotonic()
    entities = _chosen(wiring, types)
    last = wiring.queries.last_batch()
    used = wiring.budget.used()
    with showing(wiring.observer):
        report = wiring.syncer.run(entities, wait=wait, timeout=timeout)
    return Synced(
        entities,
        report,
        wiring.queries.uploads_after(last),
        wiring.budget.used() - used,
        wiring.settings.calls_per_day,
        wiring.clock.monotonic() - started,
    )


def _chosen(wiring: Wiring, types: Sequence[ObjectType]) -> list[Entity]:
    entities = wiring.mapping.entities
    missing = [str(kind) for kind in types if all(entity.type is not kind for entity in entities)]
    if missing:
        raise ConfigError(f"--type {missing[0]}: {wiring.settings.mapping} says nothing of {missing[0]}")
    return [entity for entity in entities if not types or entity.type in types]


def summary(synced: Synced) -> None:
    """Write what was read, sent and refused, and what it cost."""
    rows = []
    for entity in synced.entities:
        reading = synced.report.readings.get(entity.name)
        if reading is not None:
            counts = reading.counts
            rows.append(
                (entity.name, reading.kind, counts.rows, counts.lines, counts.skipped, counts.refused, counts.pended)
            )
    if rows:
        heading("What was read")
        table(("Source", "Pass", "Rows", "Lines", "Skipped", "Refused", "Waiting"), rows)
    for words in not_shown(synced):
        say(words)
    uploads = synced.uploads
    say()
    say(
        f"Uploaded: {count(uploads.files, 'file')}, {count(uploads.lines, 'line')}, {size(uploads.bytes)}. "
        f"Calls to Gong: {synced.calls:,} of {synced.calls_per_day:,} a day. Took {seconds(synced.took)}."
    )


def not_shown(synced: Synced) -> list[str]:
    """Return, in words, which objects Gong takes but will not show, the most frequent first."""
    found: Counter[tuple[str, str, str]] = Counter()
    for entity in synced.entities:
        reading = synced.report.readings.get(entity.name)
        if reading is not None:
            for (field, reason), number in reading.counts.not_shown.items():
                found[entity.type, field, reason] += number
    return [
        f"Gong takes but may not show: {number:,} {object_type} ({field} is {reason})"
        for (object_type, field, reason), number in found.most_common()
    ]


def verdict(synced: Synced, *, waited: bool) -> Status:
    """Say plainly whether Gong equals what was read, and return the exit status for it."""
    report, work = synced.report, synced.report.work
    for name, error in report.errors.items():
        say(f"{name} could not be read: {error}", "red", to=remarks)
    unread = [entity.name for entity in synced.entities if not _read_to_the_end(entity, report)]
    exceptions = _exceptions(work)
    if report.errors:
        say(f"Gong does not equal the source: {', '.join(report.errors)} could not be read.", "bold red")
        _say_exceptions(exceptions)
        return Status.FAILED
    if unread:
        say(f"Stopped before the end: {', '.join(unread)} not read whole. The next pass goes on from there.", "yellow")
    elif work.unsettled or work.awaited:
        left = [f"{count(work.unsettled, 'file')} at Gong"] if work.unsettled else []
        left += [f"{count(work.awaited, 'object')} to be sent again"] if work.awaited else []
        say(f"Not settled yet: {' and '.join(left)}. The next pass or the daemon follows them up.", "yellow")
    elif exceptions:
        say(f"Gong equals what was read, but for {' and '.join(words for words, _ in exceptions)}.", "bold yellow")
    else:
        say("Gong now equals what was read.", "bold green")
    _say_exceptions(exceptions)
    late = bool(unread) or (waited and bool(work.unsettled or work.awaited))
    return Status.UNSETTLED if late or exceptions else Status.WELL


def _read_to_the_end(entity: Entity, report: SyncReport) -> bool:
    reading = report.readings.get(entity.name)
    return entity.name in report.errors or (reading is not None and reading.end is End.FINISHED)


def _exceptions(work: Work) -> list[tuple[str, str]]:
    """Return what keeps Gong from being equal for good, and the command that shows it."""
    found = []
    if work.refused:
        found.append((count(work.refused, "refused object"), "failures list"))
    if work.held:
        found.append((count(work.held, "object held back", "objects held back"), "status"))
    return found


def _say_exceptions(exceptions: Sequence[tuple[str, str]]) -> None:
    for words, command in exceptions:
        say(f"{words}: see `gong-connector {command}`.")
