"""`verify`: objects read back from Gong and compared with their rows; `--repair` sends again what differs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.cli.ending import say_work
from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, plain, remarks, say, shown, table
from connector.cli.parts import looking, working
from connector.cli.perform import perform, refuse_early
from connector.cli.progress import showing
from connector.engine.operations import RESEND, ResendArguments, chosen_types
from connector.engine.verifier import VERIFIABLE, Difference, Verification
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.ledger.queries import Work
from connector.object_types import ObjectType

MOST_SHOWN: Final = 20
"""Differences of a type that the table shows; JSON holds all."""

Found = Mapping[ObjectType, Verification]


@dataclass(frozen=True, slots=True)
class _Repair:
    """What was sent again, and how it stands now."""

    sent: int
    work: Work
    after: Found


def verify(
    types: Sequence[ObjectType], ids: Sequence[str] | None, limit: int | None, *, repair: bool, as_json: bool
) -> Status:
    """Compare types (all that can be when there is none) with Gong, and say what differs.

    Raises:
        ConfigError: none of the types is mapped and can be read back.
        LeaseTaken: --repair, and another command is at work.
    """
    mended = None
    with working() if repair else looking(long=True) as wiring:
        wiring.integration_id()
        mapped = chosen_types(wiring, types)
        chosen: list[ObjectType] = [kind for kind in mapped if kind in VERIFIABLE]
        if not chosen:
            raise ConfigError(f"Gong does not read back {', '.join(mapped)}: only {', '.join(VERIFIABLE)}")
        if repair:
            refuse_early(wiring)
        with showing(wiring.observer):
            found: Found = {kind: wiring.verifier.verify(kind, ids, limit) for kind in chosen}
        if repair and any(one.differing for one in found.values()):
            mended = _repair(wiring, found)
    unreadable = [kind for kind in mapped if kind not in VERIFIABLE]
    if as_json:
        write_json(_document(found, unreadable, mended))
    else:
        _say(found, unreadable)
        _say_repair(mended)
    return _status(found if mended is None else mended.after)


def _repair(wiring: Wiring, found: Found) -> _Repair:
    """Send again what differs, follow it, and compare the same objects once more."""
    differing = {kind: sorted(one.differing) for kind, one in found.items() if one.differing}
    resent = perform(wiring, RESEND, ResendArguments(dict(differing)))
    after = {kind: wiring.verifier.verify(kind, ids, None) for kind, ids in differing.items()}
    stopped = {kind: one for kind, one in found.items() if one.stopped is not None and kind not in after}
    for kind, again in after.items():
        again.stopped = again.stopped or found[kind].stopped
    return _Repair(resent.sent, resent.work, after | stopped)


def _status(found: Found) -> Status:
    differs = any(one.differing or one.stopped is not None for one in found.values())
    return Status.UNSETTLED if differs else Status.WELL


def _say(found: Found, unreadable: Sequence[ObjectType]) -> None:
    table(
        ("Type", "Compared", "Equal", "Differing", "Not in Gong", "Passed over"),
        [
            (kind, one.compared, one.compared - differing, differing, len(_missing(one)), one.unsettled)
            for kind, one in found.items()
            for differing in (len(one.differing),)
        ],
    )
    for kind, one in found.items():
        if one.differing:
            _say_differences(kind, one)
    say()
    if any(one.unsettled for one in found.values()):
        say("Passed over: on their way, waiting, refused or not known, or changed since they were sent.")
    if unreadable:
        say(f"Gong does not read these back, so they cannot be compared: {', '.join(unreadable)}.")
    for kind, one in found.items():
        if one.stopped is not None:
            say(f"{kind}: stopped after {count(one.compared, 'object')}: {one.stopped}", "yellow", to=remarks)
    if not any(one.differing for one in found.values()):
        say("What was compared is in Gong as its rows say.", "bold green")


def _say_differences(kind: ObjectType, one: Verification) -> None:
    heading(f"{kind}: {count(len(one.differing), 'object')} not in Gong as the row says")
    fields = Counter(difference.field for difference in one.differences)
    by_field = ", ".join(f"{name} {number:,}" for name, number in fields.most_common() if name)
    if by_field:
        say(f"By field: {by_field}.")
    first = one.differences[:MOST_SHOWN]
    table(
        ("Id", "Field", "The row says", "Gong has"),
        [
            (it.object_id, it.field, shown(it.wanted), shown(it.found))
            if it.field
            else (it.object_id, "(the whole object)", "", "nothing")
            for it in first
        ],
    )
    if len(one.differences) > len(first):
        say(f"and {len(one.differences) - len(first):,} more: --json lists all.")


def _say_repair(mended: _Repair | None) -> None:
    if mended is None:
        return
    heading("Repair")
    say(f"{count(mended.sent, 'object')} sent again.")
    left = sum(len(one.differing) for one in mended.after.values())
    if left:
        say(f"{count(left, 'object')} still not in Gong as the row says: see `gong-connector failures list`.", "yellow")
    say_work(mended.work, "Sent and settled" if left else "They are in Gong now as their rows say", waited=True)


def _missing(one: Verification) -> list[Difference]:
    return [difference for difference in one.differences if not difference.field]


def _document(found: Found, unreadable: Sequence[ObjectType], mended: _Repair | None) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    return {
        "types": [
            {
                "type": kind,
                "compared": one.compared,
                "differing": len(one.differing),
                "missing": [difference.object_id for difference in _missing(one)],
                "passed_over": one.unsettled,
                "stopped": one.stopped,
                "differences": [
                    {
                        "object_id": difference.object_id,
                        "field": difference.field,
                        "in_crm": plain(difference.wanted),
                        "in_gong": plain(difference.found),
                    }
                    for difference in one.differences
                    if difference.field
                ],
            }
            for kind, one in found.items()
        ],
        "not_read_back": list(unreadable),
        "repair": None
        if mended is None
        else {
            "sent": mended.sent,
            "still_differing": sum(len(one.differing) for one in mended.after.values()),
        },
    }
