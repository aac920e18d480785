"""`backfill`: the plan of sending a history, its sending, and what came of it."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from connector.cli.ending import Meter, say_cost
from connector.cli.exits import Status
from connector.cli.output import count, heading, moment, remarks, say, size, table
from connector.cli.parts import looking, working
from connector.cli.perform import perform
from connector.engine.backfill import UNFIT, BackfillPlan
from connector.engine.operations import BACKFILL, STOP_BACKFILL, BackfillArguments, histories
from connector.engine.wiring import Wiring
from connector.ledger.backfills import Backfill, BackfillState
from connector.object_types import ObjectType

SHOWN = 20
"""Refused versions that are listed in words."""


def moment_of(text: str) -> int:
    """Return the seconds since 1970 UTC of a date or time as a user writes it; without an offset it is UTC.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a date (2026-01-31) nor a time (2026-01-31T12:00)") from None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def backfill(object_type: ObjectType, since: int | None, until: int | None, *, dry_run: bool) -> Status:
    """Say what the history of a type comes to, and send it unless `dry_run`."""
    if dry_run:
        with looking(long=True) as wiring:
            say_plan(wiring, _plans(wiring, object_type, since, until))
        return Status.WELL
    with working() as wiring:
        wiring.integration_id()
        plans = _plans(wiring, object_type, since, until)
        say_plan(wiring, plans)
        meter = Meter(wiring)
        ended = perform(wiring, BACKFILL, BackfillArguments(object_type, uuid.uuid4().hex, since, until))
        cost = meter.cost()
        refused = [(one, wiring.backfills.refusals(one.id)) for one in ended]
    say_cost(cost)
    for one, versions in refused:
        _say_ended(one, sum(version.kind != UNFIT for version in versions))
    for one, versions in refused:
        if not versions:
            continue
        heading(f"Refused versions of {one.name}")
        rows = [(v.object_id, moment(v.modified), v.origin, v.field, v.reason) for v in versions[:SHOWN]]
        table(("Id", "Version of", "By", "Field", "Reason"), rows)
        if len(versions) > SHOWN:
            say(f"... and {len(versions) - SHOWN:,} more: `gong-connector failures list --history`.")
    well = all(one.state is BackfillState.DONE and not one.refused for one in ended)
    return Status.WELL if well else Status.UNSETTLED


def stop(object_type: ObjectType) -> Status:
    """End the backfill of a type; what is on its way settles first."""
    with working() as wiring:
        ended = perform(wiring, STOP_BACKFILL, object_type)
    if not ended:
        say(f"No backfill of {object_type} is under way.", to=remarks)
        return Status.FAILED
    for one in ended:
        _say_ended(one, one.refused)
    return Status.WELL


def _plans(wiring: Wiring, object_type: ObjectType, since: int | None, until: int | None) -> list[BackfillPlan]:
    return [wiring.backfiller.plan(entity, history, since, until) for entity, history in histories(wiring, object_type)]


def say_plan(wiring: Wiring, plans: Sequence[BackfillPlan]) -> None:
    """Write what would be sent, what it costs of the day's calls, and what is to be known of the history."""
    heading("The history")
    table(
        ("Source", "Objects", "Versions", "Waves", "Files", "Size", "Calls"),
        [(one.name, one.objects, one.versions, one.waves, one.files, size(one.bytes), one.calls) for one in plans],
    )
    calls, a_day = sum(one.calls for one in plans), wiring.settings.calls_per_day
    used = wiring.budget.used()
    days = -(-calls // max(a_day - used, 1)) if calls else 0
    say(
        f"About {calls:,} calls; {used:,} of {a_day:,} were made in the last 24 hours: "
        + ("they fit into what is left." if days <= 1 else f"about {days} days beside the other work.")
    )
    for one in plans:
        if one.waves:
            say(
                f"{one.name}: an object with {count(one.waves, 'version')} may show an old state in Gong until the "
                f"last of them is settled, {count(one.waves, 'upload')} after the first; its present state follows."
            )
        if one.absent:
            say(f"{one.name}: {count(one.absent, 'object')} with a history and without a row: left out.")
        if one.gaps:
            say(
                f"{one.name}: in {count(one.gaps, 'place')} the CRM's own history does not fit together; it is sent as "
                "the CRM wrote it.",
                "yellow",
            )
        if one.refused:
            say(f"{one.name}: {count(one.refused, 'version')} cannot be mapped and will be skipped.", "yellow")


def _say_ended(one: Backfill, skipped: int) -> None:
    """Say what came of a backfill; `skipped`: of the versions that were to be sent, those that were refused."""
    sent = f"{max(one.booked - skipped, 0):,} of {count(one.versions, 'version')} of {count(one.objects, 'object')}"
    if one.state is BackfillState.DONE and one.booked < one.versions:
        left = count(one.versions - one.booked, "version")
        say(f"{one.name}: {left} left out, since Gong does not have their objects (refused, held or deleted).")
    match one.state:
        case BackfillState.DONE if one.refused:
            say(f"{one.name}: {sent} sent; {count(one.refused, 'version')} refused and skipped.", "bold yellow")
        case BackfillState.DONE:
            say(f"{one.name}: its history is in Gong: {sent}.", "bold green")
        case _:
            say(f"{one.name}: stopped; {sent} had been sent.", "yellow")
