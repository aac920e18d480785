"""`status`: how everything stands, on one screen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.cli.exits import Status
from connector.cli.holding import hold_document, hold_words
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, moment, say, seconds, table
from connector.cli.parts import looking
from connector.engine.binding import GONG_HOST, INTEGRATION
from connector.engine.pacing import Plan
from connector.engine.reader import HELD_SECONDS
from connector.engine.wiring import Wiring
from connector.ledger.backfills import Backfill, BackfillState
from connector.ledger.queries import Active, Hold, TypeStatus, Work
from connector.ledger.records import UNSETTLED, CursorStatus, Pass
from connector.ledger.requests import Request
from connector.object_types import ObjectType

WAITS: Final = {
    "in_flight": "changed again while an earlier line of them is on its way",
    "account": "their account is not in Gong",
    "account_fresh": "their account reached Gong moments ago",
    "address": "their e-mail address has to be given up by another line first",
    "dependency": "Gong misses something that they refer to",
    "general": "Gong refused the whole file that they were in",
    "resend": "to be sent again: Gong may not have kept their line",
    "suspect": "some of their file are bad, and Gong did not say which; they go again in smaller files",
    "retry": "to be tried again, as asked for",
    "history": "their history is being sent; their present state follows it",
    "related": "another table says that they changed; their rows are read soon",
    "gone": "a full comparison did not find their rows; they are looked for once more before Gong is told",
    "silent": "a full comparison found them changed, though their stamps did not move; they are read once more",
    "held_deletion": "too many deletions to be believed: `gong-connector approve` shows them",
    "held_change": "changed, though their stamps did not move, and too many: `gong-connector approve` shows them",
}
"""Why an object waits, in words."""


@dataclass(frozen=True, slots=True)
class _State:
    """What `status` tells."""

    now: float
    integration: str | None
    host: str | None
    active: Active | None
    pacing: Plan
    types: Sequence[TypeStatus]
    files: Mapping[str, int]
    work: Work
    troubles: Sequence[str]
    passes: Sequence[Pass]
    cursors: Sequence[CursorStatus]
    held: Sequence[Hold]
    paused: Mapping[ObjectType, float]
    requests: Sequence[Request]
    backfills: Sequence[Backfill]
    doubted_since: float | None

    @property
    def failed(self) -> list[Pass]:
        """The sources whose last pass failed."""
        return [one for one in self.passes if one.error is not None]

    @property
    def status(self) -> Status:
        """The exit status."""
        if self.failed:
            return Status.FAILED
        work = self.work
        exceptions = work.refused or work.held or self.troubles or self.held or self.paused or self.doubted_since
        return Status.UNSETTLED if exceptions else Status.WELL


def status(*, as_json: bool) -> Status:
    """Say how everything stands."""
    with looking() as wiring:
        state = _state(wiring)
    if as_json:
        write_json(_document(state))
    else:
        _say(state)
    return state.status


def _state(wiring: Wiring) -> _State:
    now = wiring.clock.now()
    queries = wiring.queries
    states = queries.batch_states()
    return _State(
        now=now,
        integration=wiring.store.meta(INTEGRATION),
        host=wiring.store.meta(GONG_HOST),
        active=queries.active(wiring.lease.now()),
        pacing=wiring.pacer.plan(),
        types=queries.types(),
        files={state: states.get(state, 0) for state in UNSETTLED},
        work=queries.work(now),
        troubles=queries.troubles(),
        passes=queries.last_passes(),
        cursors=queries.cursors(),
        held=queries.holds(),
        paused=wiring.store.pauses(),
        requests=wiring.requests.open(),
        backfills=wiring.backfills.active(),
        doubted_since=queries.doubted_since(),
    )


def _say(state: _State) -> None:
    if state.integration is None:
        say("Not registered yet: run `gong-connector register` once.")
    else:
        say(f"Integration {state.integration} at {state.host}. Active process: {_active(state) or 'none'}.")
    for words, worth_a_look in budget_words(
        state.pacing, state.now, running=state.active is not None and state.active.serves
    ):
        say(words, "yellow" if worth_a_look else "")
    if state.doubted_since is not None:
        say(
            f"Gong was told more than this ledger knows: it was restored from a backup, or another one was in use "
            f"before (found at {moment(state.doubted_since)}). What changed since is sent again, then all is compared.",
            "yellow",
        )
    if state.types:
        heading("Objects")
        table(
            ("Type", "In Gong", "On the way", "Waiting", "Refused", "Last taken by Gong"),
            [
                (one.type, one.objects, one.in_flight, sum(one.pending.values()), one.refused, moment(one.last_done))
                for one in state.types
            ],
        )
    if state.passes:
        heading("Last passes")
        cursors = {one.name: moment(one.at) for one in state.cursors}
        table(
            ("Source", "Pass", "Begun", "Rows", "Lines", "Ended", "Cursor"),
            [
                (
                    one.name,
                    one.kind,
                    moment(one.started_at),
                    one.counts.rows,
                    one.counts.lines,
                    _end(one),
                    cursors.get(one.name),
                )
                for one in state.passes
            ],
        )
    _say_what_waits(state)
    _say_what_holds(state)
    for one in state.failed:
        say(f"{one.name}: the last pass failed: {one.error}", "red")
    for object_type, since in state.paused.items():
        say(f"{object_type} is paused since {moment(since)}: `gong-connector resume {object_type}` ends it.", "yellow")
    for asked in state.requests:
        begun = "not begun yet" if asked.started_at is None else f"begun {moment(asked.started_at)}"
        say(f"Asked for by {asked.asked_by} at {moment(asked.asked_at)}: {asked.operation}; {begun}.")
    for backfill in state.backfills:
        say(backfill_words(backfill))
    for trouble in state.troubles:
        say(trouble, "yellow")
    for hold in state.held:
        say(hold_words(hold), "yellow")
    if state.work.refused:
        say(f"{count(state.work.refused, 'object')} refused: `gong-connector failures list` says why.", "yellow")
    if state.passes and state.status is Status.WELL and not (state.work.unsettled or state.work.awaited):
        say()
        say("All is settled: Gong equals what was read.", "green")


def budget_words(plan: Plan, now: float, *, running: bool) -> Iterator[tuple[str, bool]]:
    """Say how the day's calls stand, and whether a person should look."""
    day = plan.standing
    words = f"Calls to Gong in the last 24 hours: {day.used:,} of {day.per_day:,}"
    over = day.forecast > day.per_day
    if day.last_hour:
        words += f"; at the pace of the last hour a day takes {day.forecast:,}"
    yield f"{words}.", over
    if day.free_at is not None:
        why = "Gong wants no call" if day.paused else "The day's calls are spent: none can be made"
        yield f"{why} before {moment(day.free_at)} (in {seconds(day.free_at - now)}).", True
    if running and plan.stretched:
        yield (
            f"Passes come every {seconds(plan.interval)} instead of every {seconds(plan.set_interval)}: the last one "
            f"cost {count(plan.calls, 'call')}, and at that rate the day's calls would not last.",
            True,
        )


def _say_what_waits(state: _State) -> None:
    files = {name: number for name, number in state.files.items() if number}
    waiting = [(one.type, WAITS[reason], number) for one in state.types for reason, number in one.pending.items()]
    if waiting or files:
        heading("What waits")
    if files:
        states = ", ".join(f"{number:,} {name}" for name, number in files.items())
        say(f"{count(sum(files.values()), 'file')} not settled: {states}.")
    for object_type, words, number in waiting:
        say(f"{number:,} {object_type}: {words}.")
    since = min((one.oldest_pending for one in state.types if one.oldest_pending is not None), default=None)
    if since is not None:
        say(f"The longest wait so far is {seconds(max(state.now - since, 0))}.")


def backfill_words(one: Backfill) -> str:
    """Say how far a history is, and how it goes on."""
    again = f"`gong-connector backfill {one.type}` with the same limits goes on with it where nothing does"
    if one.state is BackfillState.SENDING:
        how = f"wave {one.wave} of {one.waves}, {one.booked:,} of {count(one.versions, 'version')} in files"
    elif one.state is BackfillState.STAGING:
        how = "being read"
    else:
        how, again = "being stopped", f"`gong-connector backfill {one.type} --stop` ends it where nothing does"
    return f"The history of {one.name}, since {moment(one.started_at)}: {how}; {again}."


def _active(state: _State) -> str | None:
    return None if state.active is None else state.active.holder


def _say_what_holds(state: _State) -> None:
    """Name the transactions of the source that hold cursors back."""
    held: dict[tuple[str, float], list[str]] = {}
    for one in state.cursors:
        if one.held_by is not None and one.held_since is not None and state.now - one.held_since >= HELD_SECONDS:
            held.setdefault((one.held_by, one.held_since), []).append(one.name)
    for (holder, since), names in held.items():
        say(
            f"The cursor of {', '.join(names)} is held at {moment(since)} by {holder} of the source. Changes"
            " still come; each pass reads everything since then again until that transaction ends.",
            "yellow",
        )


def _end(one: Pass) -> str:
    if one.error is not None:
        return "failed"
    return moment(one.finished_at) or "not yet"


def _document(state: _State) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    day = state.pacing.standing
    return {
        "integration_id": state.integration,
        "gong_host": state.host,
        "active_process": _active(state),
        "calls": {
            "last_24_hours": day.used,
            "per_day": day.per_day,
            "last_hour": day.last_hour,
            "forecast": day.forecast,
            "set_interval_seconds": state.pacing.set_interval,
            "interval_seconds": round(state.pacing.interval, 1),
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
            for one in state.types
        ],
        "files": dict(state.files),
        "work": {
            "unsettled": state.work.unsettled,
            "awaited": state.work.awaited,
            "held": state.work.held,
            "refused": state.work.refused,
        },
        "requests": [
            {
                "id": one.id,
                "operation": one.operation,
                "asked_by": one.asked_by,
                "asked_at": moment(one.asked_at),
                "started_at": moment(one.started_at),
            }
            for one in state.requests
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
            for one in state.backfills
        ],
        "troubles": list(state.troubles),
        "paused": {object_type: moment(since) for object_type, since in state.paused.items()},
        "held": [hold_document(hold) for hold in state.held],
        "doubted_since": moment(state.doubted_since),
        "cursors": [
            {
                "source": one.name,
                "at": moment(one.at),
                "held_by": one.held_by,
                "held_since": moment(one.held_since),
            }
            for one in state.cursors
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
                "error": one.error,
            }
            for one in state.passes
        ],
    }
