"""What waits, is held, refused or short, in the words that the terminal and the page share. Pure."""

from collections.abc import Iterator
from typing import Final

from connector.engine.pacing import Plan
from connector.ledger.backfills import Backfill, BackfillState
from connector.ledger.queries import Hold
from connector.ledger.records import HoldKind
from connector.words import count, moment, seconds

WAITS: Final = {
    "in_flight": "changed again while an earlier line of them is on its way",
    "account": "their account is not in Gong (deleted, refused, or without a row)",
    "account_fresh": "their account reached Gong moments ago",
    "address": "their e-mail address has to be given up by another line first",
    "dependency": "Gong misses something that they refer to",
    "general": "Gong refused the whole file that they were in",
    "resend": "to be sent again: Gong may not have kept their line",
    "asked": "to be sent again, as asked for; changes go first",
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

TO_DO: Final = {
    "connector": "Mend the row or the mapping; the next pass looks at it again by itself.",
    "gong": "Mend the row or the mapping: the changed line goes by itself. If it was Gong that changed, have it sent "
    "again with `gong-connector failures retry`.",
}
"""What to do about a refused object, by who refused it."""

_HELD: Final = {
    HoldKind.DELETIONS: "deletions are held, too many to be believed",
    HoldKind.CHANGES: "changes are held that moved no stamp, too many to be believed",
}


def hold_words(hold: Hold) -> str:
    """Say what is held, and what to do."""
    return (
        f"{hold.type}: {_HELD[hold.kind]}: {hold.objects:,} of {hold.live:,}. "
        f"If they are right: `gong-connector approve {hold.id}`"
    )


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
