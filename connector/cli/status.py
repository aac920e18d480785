"""`status`: how everything stands, on one screen."""

from typing import Final

from connector.cli.exits import Status
from connector.cli.holding import hold_document
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, moment, say, seconds, table
from connector.cli.parts import looking
from connector.engine.judgement import Finding, Kind, State, Verdict, judge
from connector.engine.overview import Overview
from connector.engine.wording import WAITS, backfill_words, budget_words
from connector.ledger.records import Pass

_COLOURS: Final = {State.WELL: "green", State.LOADING: "", State.STOPPED: "red"}
_TOLD_ABOVE: Final = (Kind.BUDGET, Kind.LEDGER, Kind.UNREGISTERED)


def status(*, as_json: bool) -> Status:
    """Say how everything stands."""
    with looking() as wiring:
        seen = wiring.overview()
    verdict = judge(seen)
    if as_json:
        write_json(_document(seen, verdict))
    else:
        _say(seen, verdict)
    return _status(seen)


def _status(seen: Overview) -> Status:
    if seen.failed or seen.missing:
        return Status.FAILED
    work = seen.work
    waiting = seen.held or seen.paused or seen.doubted_since or seen.unused or seen.login_refused
    idle = any(one.kind is Kind.IDLE for one in judge(seen).findings)
    exceptions = work.refused or work.held or seen.remarks or waiting or idle
    return Status.UNSETTLED if exceptions else Status.WELL


def _say(seen: Overview, verdict: Verdict) -> None:
    since = "" if verdict.since is None else f", since {moment(verdict.since)}"
    say(f"{verdict.answer}{since}.", _COLOURS.get(verdict.state, "yellow"))
    if seen.missing is not None:
        say(f"{seen.missing}.")
    elif seen.integration is None:
        say("Not registered yet: run `gong-connector register` once.")
    else:
        say(f"Integration {seen.integration} at {seen.host}. Active process: {_active(seen) or 'none'}.")
    for words, worth_a_look in budget_words(seen.pacing, seen.now, running=seen.running):
        say(words, "yellow" if worth_a_look else "")
    if seen.types:
        heading("Objects")
        table(
            ("Type", "In Gong", "On the way", "Waiting", "Refused", "Last taken by Gong"),
            [
                (one.type, one.objects, one.in_flight, sum(one.pending.values()), one.refused, moment(one.last_done))
                for one in seen.types
            ],
        )
    if seen.passes:
        heading("Last passes")
        cursors = {one.name: _brief(one.at, seen.now) for one in seen.cursors}
        table(
            ("Source", "Pass", "Begun", "Rows", "Lines", "Ended", "Cursor"),
            [
                (
                    one.name,
                    one.kind,
                    _brief(one.started_at, seen.now),
                    one.counts.rows,
                    one.counts.lines,
                    _end(one, seen.now),
                    cursors.get(one.name),
                )
                for one in seen.passes
            ],
        )
    for one in seen.passes:
        for (name, reason), number in one.counts.warnings.items():
            say(f"{one.name}, {one.kind}: {count(number, 'row')} sent with {name} null or as its default ({reason}).")
    _say_what_waits(seen)
    for asked in seen.requests:
        begun = "not begun yet" if asked.started_at is None else f"begun {moment(asked.started_at)}"
        say(f"Asked for by {asked.asked_by} at {moment(asked.asked_at)}: {asked.operation}; {begun}.")
    for backfill in seen.backfills:
        say(backfill_words(backfill))
    for finding in verdict.findings:
        if finding.kind not in _TOLD_ABOVE:
            say(finding.words, _COLOURS.get(finding.state, "yellow"))
    settled = not (seen.work.unsettled or seen.work.awaited)
    if seen.passes and _status(seen) is Status.WELL and settled:
        say()
        say("All is settled: Gong equals what was read.", "green")


def _say_what_waits(seen: Overview) -> None:
    files = {name: number for name, number in seen.files.items() if number}
    waiting = [(one.type, WAITS[reason], number) for one in seen.types for reason, number in one.pending.items()]
    if waiting or files:
        heading("What waits")
    if files:
        states = ", ".join(f"{number:,} {name}" for name, number in files.items())
        say(f"{count(sum(files.values()), 'file')} not settled: {states}.")
    for object_type, words, number in waiting:
        say(f"{number:,} {object_type}: {words}.")
    since = min((one.oldest_pending for one in seen.types if one.oldest_pending is not None), default=None)
    if since is not None:
        say(f"The longest wait so far is {seconds(max(seen.now - since, 0))}.")


def _active(seen: Overview) -> str | None:
    return None if seen.active is None else seen.active.holder


def _end(one: Pass, now: float) -> str:
    if one.error is not None:
        return "failed"
    return _brief(one.finished_at, now) or "not yet"


def _brief(at: float | None, now: float) -> str | None:
    """Return a moment as short as a narrow terminal needs it: today's without its date."""
    day, _, time = (moment(at) or "").partition("T")
    if not day or str(moment(now)).startswith(day):
        return time or None
    return f"{day} {time[:5]}Z"


def _document(seen: Overview, verdict: Verdict) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    day = seen.pacing.standing
    return {
        "state": verdict.state,
        "since": moment(verdict.since),
        "findings": [_finding(one) for one in verdict.findings],
        "integration_id": seen.integration,
        "gong_host": seen.host,
        "active_process": _active(seen),
        "calls": {
            "last_24_hours": day.used,
            "per_day": day.per_day,
            "last_hour": day.last_hour,
            "forecast": day.forecast,
            "set_interval_seconds": seen.pacing.set_interval,
            "interval_seconds": round(seen.pacing.interval, 1),
            "spent_until": None if day.paused else moment(day.free_at),
            "paused_until": moment(day.free_at) if day.paused else None,
        },
        "types": [
            {
                "type": one.type,
                "in_gong": one.objects,
                "in_flight": one.in_flight,
                "pending": dict(one.pending),
                "oldest_pending_at": moment(one.oldest_pending),
                "refused": one.refused,
                "last_done_at": moment(one.last_done),
            }
            for one in seen.types
        ],
        "files": dict(seen.files),
        "work": {
            "unsettled": seen.work.unsettled,
            "awaited": seen.work.awaited,
            "held": seen.work.held,
            "refused": seen.work.refused,
        },
        "requests": [
            {
                "id": one.id,
                "operation": one.operation,
                "asked_by": one.asked_by,
                "asked_at": moment(one.asked_at),
                "started_at": moment(one.started_at),
            }
            for one in seen.requests
        ],
        "backfills": [
            {
                "source": one.name,
                "type": one.type,
                "state": one.state,
                "started_at": moment(one.started_at),
                "wave": one.wave,
                "waves": one.waves,
                "objects": one.objects,
                "versions": one.versions,
                "booked": one.booked,
                "refused": one.refused,
            }
            for one in seen.backfills
        ],
        "troubles": seen.remarks,
        "paused": {object_type: moment(since) for object_type, since in seen.paused.items()},
        "held": [hold_document(hold) for hold in seen.held],
        "doubted_since": moment(seen.doubted_since),
        "cursors": [
            {
                "source": one.name,
                "at": moment(one.at),
                "held_by": one.held_by,
                "held_since": moment(one.held_since),
            }
            for one in seen.cursors
        ],
        "passes": [
            {
                "source": one.name,
                "kind": one.kind,
                "started_at": moment(one.started_at),
                "finished_at": moment(one.finished_at),
                "rows": one.counts.rows,
                "lines": one.counts.lines,
                "skipped": one.counts.skipped,
                "waiting": one.counts.pended,
                "refused": one.counts.refused,
                "warnings": [
                    {"field": name, "reason": reason, "rows": number}
                    for (name, reason), number in one.counts.warnings.items()
                ],
                "error": one.error,
            }
            for one in seen.passes
        ],
    }


def _finding(one: Finding) -> dict[str, object]:
    return {
        "kind": one.kind,
        "state": one.state,
        "subject": one.subject,
        "since": moment(one.since),
        "words": one.words,
    }
