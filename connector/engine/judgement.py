"""Whether all is well: the one judgement that `status`, the page, metrics and alerts go by. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.engine.overview import Overview
from connector.engine.reading import HELD_SECONDS
from connector.engine.wording import WAITS, budget_words, hold_words
from connector.ledger.records import STUCK, BatchState, PassKind
from connector.ledger.watch import FileTrouble
from connector.words import count, moment, seconds

LATE_SECONDS: Final = 900.0
"""A change that is on its way for longer is late, and so is a pass."""
UNREACHED_SECONDS: Final = 60.0
"""After so long without an answer from Gong, no file gets through: a single error is nothing to speak of."""


class State(StrEnum):
    """How everything stands; the later one weighs more."""

    WELL = "well"
    LOADING = "loading"
    """A first load is under way, and nothing is wrong."""
    REFUSED = "refused"
    """All goes on but for lines that were refused."""
    HELD = "held"
    """Something waits for a person, or for what may never come."""
    LATE = "late"
    """Changes reach Gong later than they should."""
    STOPPED = "stopped"
    """Nothing is read, or nothing gets to Gong."""


class Kind(StrEnum):
    """What a finding is about: with its subject, what tells one incident from another."""

    POSTPONED = "postponed"
    ROUND = "round"
    IDLE = "idle"
    LEDGER = "ledger"
    """It is missing; or it cannot be read, so that there is nothing to judge, which alerts tell by this name."""
    UNREGISTERED = "unregistered"
    INTEGRATION = "integration"
    SOURCE = "source"
    GONG = "gong"
    LOGIN = "login"
    BUDGET = "budget"
    LATE = "late"
    STUCK = "stuck"
    FILE = "file"
    RESTORED = "restored"
    MAPPING = "mapping"
    GUARD = "guard"
    PAUSE = "pause"
    WAITING = "waiting"
    REFUSED = "refused"
    CURSOR = "cursor"
    LOADING = "loading"


ANSWERS: Final = {
    State.WELL: "All is well",
    State.LOADING: "The first load is under way",
    State.REFUSED: "Something is refused; all the rest goes on",
    State.HELD: "Something is held",
    State.LATE: "Changes reach Gong late",
    State.STOPPED: "Stopped",
}
"""The answer, in words."""
_STOPPED: Final = {
    Kind.POSTPONED: "the daemon cannot begin",
    Kind.ROUND: "the daemon's work fails",
    Kind.IDLE: "no process is at work",
    Kind.LEDGER: "the ledger is missing",
    Kind.UNREGISTERED: "nothing is registered",
    Kind.INTEGRATION: "the integration is gone",
    Kind.SOURCE: "a source cannot be read",
    Kind.GONG: "Gong takes nothing",
}
_WEIGHT: Final = {state: weight for weight, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is worth a word."""

    kind: Kind
    state: State
    """What it alone makes of the whole; WELL for a remark."""
    words: str
    """What is so, and what to do."""
    since: float | None = None
    """Seconds since 1970 UTC; None where that is not known."""
    subject: str = ""
    """The type, source, or hold that it is about; empty where there is only one."""
    objects: int = 0
    """How many objects it is about, where they are counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and what it rests on."""

    state: State
    since: float | None
    """Since when it is so (seconds since 1970 UTC); None where that is not known, as when all is well."""
    findings: Sequence[Finding]
    """The weightiest first."""

    @property
    def answer(self) -> str:
        """Say it in a few words; of what is stopped, what."""
        if self.state is State.STOPPED and self.findings:
            return f"{ANSWERS[self.state]}: {_STOPPED[self.findings[0].kind]}"
        return ANSWERS[self.state]


def judge(seen: Overview) -> Verdict:
    """Return how everything stands."""
    findings = sorted(_findings(seen), key=lambda one: -_WEIGHT[one.state])
    state = findings[0].state if findings else State.WELL
    since = min((one.since for one in findings if one.state is state and one.since is not None), default=None)
    return Verdict(state, None if state is State.WELL else since, findings)


def _findings(seen: Overview) -> Iterator[Finding]:
    loading = list(_loading(seen))
    yield from _at_work(seen)
    yield from _source(seen)
    yield from _gong(seen)
    if not loading:
        yield from _late(seen)
    yield from _persons(seen)
    yield from _remarks(seen)
    yield from loading


def _at_work(seen: Overview) -> Iterator[Finding]:
    if seen.postponed is not None:
        words = f"This daemon cannot begin yet: {seen.postponed.words}"
        yield Finding(Kind.POSTPONED, State.STOPPED, words, seen.postponed.since)
    if seen.hindered is not None and seen.now - seen.hindered.since >= UNREACHED_SECONDS:
        words = f"What this daemon does fails: {seen.hindered.words}"
        yield Finding(Kind.ROUND, State.STOPPED, words, seen.hindered.since)
    if seen.missing is not None:
        yield Finding(Kind.LEDGER, State.STOPPED, f"{seen.missing}.")
        return
    if seen.integration is None:
        words = "Not registered yet: run `gong-connector register` once."
        yield Finding(Kind.UNREGISTERED, State.STOPPED, words)
        return
    last = max((one.finished_at or one.started_at for one in seen.passes), default=None)
    bound = max(LATE_SECONDS, 3 * seen.pacing.set_interval)
    if seen.active is None and seen.postponed is None and (last is None or seen.now - last > bound):
        yield Finding(
            Kind.IDLE,
            State.STOPPED,
            "No process is at work: nothing is read and nothing sent until `gong-connector run` is started.",
            last,
        )


def _source(seen: Overview) -> Iterator[Finding]:
    for one in seen.failed:
        words = f"{one.name}: the last pass failed: {str(one.error).removeprefix(f'{one.name}: ')}"
        yield Finding(Kind.SOURCE, State.STOPPED, words, seen.failing.get(one.name, one.started_at), one.name)


def _gong(seen: Overview) -> Iterator[Finding]:
    if seen.gone is not None:
        yield Finding(Kind.INTEGRATION, State.STOPPED, seen.gone, seen.last_taken)
    if seen.login_refused is not None:
        why, since = seen.login_refused
        words = (
            f"Gong does not renew the authorisation any more ({why}): run `gong-connector login`. Calls go on until "
            "the access token ends, within hours."
        )
        yield Finding(Kind.LOGIN, State.HELD, words, since)
    used, *short = budget_words(seen.pacing, seen.now, running=seen.running)
    if short:
        yield Finding(Kind.BUDGET, State.LATE, " ".join(words for words, _ in (used, *short)))
    spent = seen.pacing.standing.free_at is not None
    stopped = [] if spent or seen.gone else _unreached(seen)
    for trouble in seen.troubles:
        since = trouble.since
        if trouble.state is BatchState.RESOLVED:
            kind, state = Kind.FILE, State.REFUSED
        elif trouble.note.startswith(STUCK):
            kind, state = Kind.STUCK, State.LATE
        elif spent:
            continue  # the day's calls are why, and that is said
        elif trouble in stopped:
            kind, state, since = Kind.GONG, State.STOPPED, max(since, seen.last_taken or 0.0)
        else:
            kind, state = Kind.FILE, State.LATE
        yield Finding(kind, state, trouble.words, since, trouble.type)


def _unreached(seen: Overview) -> list[FileTrouble]:
    """Return the files that Gong does not take, where it takes none: the latest thing it took is older than all."""
    tried = [one for one in seen.troubles if one.state is not BatchState.RESOLVED and not one.note.startswith(STUCK)]
    if not tried:
        return []
    first = min(one.since for one in tried)
    latest = max(one.since for one in tried)
    since = max(first, seen.last_taken or 0.0)
    taken_since = seen.last_taken is not None and seen.last_taken > latest
    return [] if taken_since or seen.now - since < UNREACHED_SECONDS else tried


def _late(seen: Overview) -> Iterator[Finding]:
    if seen.running and seen.pacing.next_at > 0 and seen.now - seen.pacing.next_at > LATE_SECONDS:
        words = (
            f"A pass was due at {moment(seen.pacing.next_at)} and has not begun: a reading before it takes long, or "
            "the spool is full."
        )
        yield Finding(Kind.LATE, State.LATE, words, seen.pacing.next_at)
    for object_type, since in seen.waiting.items():
        if seen.now - since > LATE_SECONDS:
            words = f"{object_type}: changes are on their way since {moment(since)}, for {seconds(seen.now - since)}."
            yield Finding(Kind.LATE, State.LATE, words, since, object_type)
    if seen.doubted_since is not None:
        words = (
            "Gong was told more than this ledger knows: it was restored from a backup, or another one was in use "
            f"before (found at {moment(seen.doubted_since)}). What changed since is sent again, then all is compared."
        )
        yield Finding(Kind.RESTORED, State.LATE, words, seen.doubted_since)


def _persons(seen: Overview) -> Iterator[Finding]:
    if seen.unused is not None:
        words = (
            f"The mapping file on disk is not in use since {moment(seen.unused.since)}; the one from before stays in "
            f"use. What is wrong: {seen.unused.words.rstrip('.')}. Mend it, and send the daemon SIGHUP again."
        )
        yield Finding(Kind.MAPPING, State.HELD, words, seen.unused.since)
    for hold in seen.held:
        yield Finding(Kind.GUARD, State.HELD, hold_words(hold), hold.since, f"{hold.type} {hold.kind}", hold.objects)
    for object_type, since in seen.paused.items():
        words = f"{object_type} is paused since {moment(since)}: `gong-connector resume {object_type}` ends it."
        yield Finding(Kind.PAUSE, State.HELD, words, since, object_type)
    for one in seen.stranded:
        words = f"{one.objects:,} {one.type} held: {WAITS[one.reason]}."
        yield Finding(Kind.WAITING, State.HELD, words, one.since, f"{one.type} {one.reason}", one.objects)
    if seen.work.refused:
        words = f"{count(seen.work.refused, 'object')} refused: `gong-connector failures list` says why."
        yield Finding(Kind.REFUSED, State.REFUSED, words, seen.refused_since, objects=seen.work.refused)


def _remarks(seen: Overview) -> Iterator[Finding]:
    """Name the transactions of the source that hold cursors back."""
    held: dict[tuple[str, float], list[str]] = {}
    for one in seen.cursors:
        if one.held_by is not None and one.held_since is not None and seen.now - one.held_since >= HELD_SECONDS:
            held.setdefault((one.held_by, one.held_since), []).append(one.name)
    for (holder, since), names in held.items():
        words = (
            f"The cursor of {', '.join(names)} is held at {moment(since)} by {holder} of the source. Changes"
            " still come; each pass reads everything since then again until that transaction ends."
        )
        yield Finding(Kind.CURSOR, State.WELL, words, since)


def _loading(seen: Overview) -> Iterator[Finding]:
    for one in seen.passes:
        if one.kind is PassKind.LOAD and one.finished_at is None and one.error is None:
            words = f"{one.name}: the first load is under way: {count(one.counts.rows, 'row')} read."
            yield Finding(Kind.LOADING, State.LOADING, words, one.started_at, one.name)
