"""`plan`: what the first load, a changed mapping and a day of syncing come to, against the quota."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, remarks, say, seconds, size, table
from connector.cli.parts import looking
from connector.cli.progress import waiting
from connector.engine.forecast import SHARE, advised, calls_a_day
from connector.engine.planner import DAYS, Limits, Plan, Planner, Waits
from connector.engine.wiring import Wiring
from connector.settings import Settings

_MANY_ROWS: Final = 50_000
"""A source of so many rows is not to be compared whole every two minutes."""


def plan(*, as_json: bool) -> Status:
    """Count and sample the sources; say what comes to be sent, what a day costs, and what follows from that."""
    with looking() as wiring:
        settings = wiring.settings
        limits = Limits(
            settings.max_file_bytes,
            settings.calls_per_second,
            settings.account_wait_seconds,
            settings.poll_min_seconds,
        )
        fields = [kind for kind, found in wiring.mapping.schema_fields.items() if found]
        with waiting("Counting ...") as about:
            made = Planner(wiring.source, wiring.store, wiring.clock, limits).plan(
                wiring.mapping.entities, fields, about
            )
        used = wiring.budget.used()
        advice = list(_advice(made, settings, used))
        if as_json:
            write_json(_document(made, settings, used, advice))
        else:
            _say(made, wiring, used, advice)
    for name, error in made.errors.items():
        say(f"{name} could not be counted: {error}", "red", to=remarks)
    return Status.FAILED if made.errors else Status.WELL


def _say(made: Plan, wiring: Wiring, used: int, advice: list[str]) -> None:
    settings = wiring.settings
    heading("The next pass")
    table(
        ("Source", "What", "Rows", "Lines", "Size", "Files", "Calls", "Refused"),
        [
            (one.name, one.waits, one.rows, one.lines, size(one.bytes), one.files, one.calls, one.refused)
            for one in made.sources
        ],
    )
    sampled = [one for one in made.sources if one.sampled < one.rows]
    if sampled:
        say(f"Lines, size and refused are estimated from {max(one.sampled for one in sampled):,} rows of a source.")
    if made.calls:
        say(
            f"{count(made.calls, 'call')}; {used:,} of {settings.calls_per_day:,} were made in the last 24 hours."
            f" It takes {seconds(made.seconds)} at least, and as long as Gong takes for the files beyond that."
        )
    else:
        say("Everything was read under this mapping: only changes are sent.")
    heading("A day of syncing")
    table(
        ("Source", "Changed rows a day"),
        [(one.name, "?" if one.changes_a_day is None else round(one.changes_a_day)) for one in made.sources],
    )
    interval = settings.sync_interval_seconds
    say(
        f"By the last {DAYS} days, passes every {interval:g} s cost about {_calls(made, interval):,} of"
        f" {settings.calls_per_day:,} calls a day. A pass that finds nothing costs none."
    )
    if any(one.changes_a_day is None for one in made.sources):
        say("?: nothing says when these rows changed; each change costs two calls at most.")
    if advice:
        heading("Advice")
        for text in advice:
            say(f"- {text}")


def _calls(made: Plan, interval: float) -> int:
    return round(calls_a_day(made.flows, interval))


def _advice(made: Plan, settings: Settings, used: int) -> Iterator[str]:
    interval, per_day = settings.sync_interval_seconds, settings.calls_per_day
    best = advised(made.flows, per_day, min(interval, 60.0))
    a_day = _calls(made, interval)
    if a_day > SHARE * per_day:
        if best is None:
            yield f"Not even hourly passes fit into {per_day:,} calls a day: ask Gong for a higher quota."
        else:
            yield (
                f"Set CONNECTOR_SYNC_INTERVAL_SECONDS to {best:g}: about {_calls(made, best):,} calls a day. As it is,"
                " the connector stretches the interval by itself when the day's calls run low."
            )
    elif best is not None and best < interval and a_day:
        yield (
            f"CONNECTOR_SYNC_INTERVAL_SECONDS could be {best:g}: about {_calls(made, best):,} calls a day, and changes"
            " are in Gong sooner."
        )
    left = max(per_day - used, 1)
    if made.calls > left:
        yield (
            f"The next pass needs more calls than are left of the day: it takes about {-(-made.calls // left)} days."
            " Begin with `sync --type ACCOUNT`, or with a `where`."
        )
    total = sum(one.bytes for one in made.sources)
    if total > settings.spool_max_bytes:
        yield (
            f"The lines ({size(total)}) are more than the spool may hold (CONNECTOR_SPOOL_MAX_BYTES,"
            f" {size(settings.spool_max_bytes)}): reading pauses until files are settled, and nothing is lost by that."
        )
    for one in made.sources:
        if one.changes_a_day is None and one.rows > _MANY_ROWS and one.interval is None:
            yield (
                f"{one.name}: each pass reads and compares all {one.rows:,} rows: name a `modified` column, or give it"
                " an `interval_seconds` of its own."
            )
        if one.waits is Waits.COMPARISON and one.lines:
            yield f"{one.name}: the mapping changed; about {count(one.lines, 'line')} differ from what Gong was told."
    if any(one.refused for one in made.sources):
        yield "Some rows would be refused: `gong-connector validate` names them."


def _document(made: Plan, settings: Settings, used: int, advice: list[str]) -> dict[str, Any]:
    return {
        "sources": [dataclasses.asdict(one) for one in made.sources],
        "errors": made.errors,
        "next_pass": {"calls": made.calls, "seconds": round(made.seconds, 1)},
        "day": {
            "interval_seconds": settings.sync_interval_seconds,
            "calls": _calls(made, settings.sync_interval_seconds),
            "calls_per_day": settings.calls_per_day,
            "used": used,
        },
        "advice": advice,
    }
