"""`verify --at`: what Gong shows for a moment of the past, compared with what the history says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, moment, plain, remarks, say, shown, table
from connector.cli.parts import looking
from connector.cli.progress import showing
from connector.engine.operations import chosen_types, histories
from connector.engine.past_verifier import PastVerification, Refusal, Standing, Then
from connector.engine.verifier import VERIFIABLE
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.object_types import ObjectType

SAMPLE: Final = 100
"""Objects of each type that are drawn where the user does not say how many."""
MOST_SHOWN: Final = 20
"""Lines of each table of a type; JSON holds all."""

Found = Mapping[ObjectType, PastVerification]


def verify_at(
    at: int, types: Sequence[ObjectType], ids: Sequence[str] | None, sample: int | None, *, as_json: bool
) -> Status:
    """Compare objects of types (all that have a history when there is none) with what Gong shows for a moment.

    Raises:
        ConfigError: the moment is still to come, or a type has no history, or none has.
    """
    with looking(long=True) as wiring:
        if at > wiring.clock.now():
            raise ConfigError(
                f"--at {moment(at)} is still to come: give a moment of the past, in UTC if without offset"
            )
        wiring.integration_id()
        chosen = _chosen(wiring, types)
        with showing(wiring.observer):
            found: Found = {
                kind: wiring.past_verifier.verify(kind, histories(wiring, kind), at, ids, sample or SAMPLE)
                for kind in chosen
            }
    if as_json:
        write_json(_document(at, found))
    else:
        _say(at, found)
    return _status(found)


def _chosen(wiring: Wiring, types: Sequence[ObjectType]) -> list[ObjectType]:
    if types:
        return chosen_types(wiring, types)  # what has no history is told by name
    with_history = {entity.type for entity in wiring.mapping.entities if entity.name in wiring.mapping.histories}
    chosen: list[ObjectType] = [kind for kind in VERIFIABLE if kind in with_history]
    if not chosen:
        raise ConfigError(
            f"{wiring.settings.mapping} names no history: say under `history` of an entity where the CRM kept it "
            "(docs/history.md)"
        )
    return chosen


def _status(found: Found) -> Status:
    if any(one.differing or one.stopped is not None for one in found.values()):
        return Status.UNSETTLED
    return Status.WELL if all(one.answered for one in found.values()) else Status.FAILED


def _say(at: int, found: Found) -> None:
    answered = all(one.answered for one in found.values())
    if not answered:
        say(
            "Gong cannot be asked how an object was at a moment; only the sandbox can. Nothing was compared: below is "
            "what the history says, and whether the ledger knows it as sent. Look some of them up in Gong.",
            "yellow",
            to=remarks,
        )
    heading(f"As of {moment(at)}")
    if answered:
        table(
            ("Type", "Compared", "Equal", "Differing", "Refused", "Passed over"),
            [
                (kind, one.compared, one.compared - len(one.differing), len(one.differing), len(one.refused),
                 one.passed_over)
                for kind, one in found.items()
            ],
        )  # fmt: skip
    else:
        table(
            ("Type", "Objects", *(standing.value.capitalize() for standing in Standing), "Refused", "Passed over"),
            [
                (kind, len(one.thens), *_counted(one.thens), len(one.refused), one.passed_over)
                for kind, one in found.items()
            ],
        )
    for kind, one in found.items():
        _say_differences(kind, one)
        _say_thens(kind, one.thens)
        _say_refused(kind, one.refused)
    say()
    if any(one.passed_over for one in found.values()):
        say("Passed over: on their way, waiting, refused, not known, changed since they were sent, or undated.")
    for kind, one in found.items():
        if one.stopped is not None:
            say(f"{kind}: stopped after {count(one.compared, 'object')}: {one.stopped}", "yellow", to=remarks)
        if any(then.standing is Standing.UNSENT for then in (*one.differing.values(), *one.thens)):
            say(f"{kind}: no backfill that came to its end covers some of it: `gong-connector backfill {kind}`.")
    if _status(found) is Status.WELL:
        say("What was compared, Gong shows for that moment as the history says.", "bold green")


def _counted(thens: Sequence[Then]) -> list[int]:
    counts = Counter(then.standing for then in thens)
    return [counts[standing] for standing in Standing]


def _say_differences(kind: ObjectType, one: PastVerification) -> None:
    if not one.differing:
        return
    heading(f"{kind}: {count(len(one.differing), 'object')} not shown as the history says")
    table(
        ("Id", "Version of", "Field", "The history says", "Gong shows"),
        [
            (it.object_id, moment(one.differing[it.object_id].stamp), it.field or "(the whole object)",
             shown(it.wanted) if it.field else "", shown(it.found) if it.field else "nothing")
            for it in one.differences[:MOST_SHOWN]
        ],
    )  # fmt: skip
    _say_rest(len(one.differences))


def _say_thens(kind: ObjectType, thens: Sequence[Then]) -> None:
    if not thens:
        return
    heading(f"{kind}: what the history says of the moment")
    table(
        ("Id", "Version of", "By the ledger", "Fields"),
        [
            (then.object_id, moment(then.stamp), then.standing.value, _listed(then.fields or {}))
            for then in thens[:MOST_SHOWN]
        ],
    )
    _say_rest(len(thens))


def _say_refused(kind: ObjectType, refused: Sequence[Refusal]) -> None:
    if not refused:
        return
    heading(f"{kind}: refused, so that the version before is shown")
    table(
        ("Id", "Version of", "Reason"), [(one.object_id, moment(one.stamp), one.reason) for one in refused[:MOST_SHOWN]]
    )
    _say_rest(len(refused))


def _say_rest(number: int) -> None:
    if number > MOST_SHOWN:
        say(f"and {number - MOST_SHOWN:,} more: --json lists all.")


def _listed(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in fields.items() if name != "objectId")


def _document(at: int, found: Found) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    return {
        "at": moment(at),
        "answered": all(one.answered for one in found.values()),
        "types": [
            {
                "type": kind,
                "compared": one.compared,
                "differing": len(one.differing),
                "missing": [difference.object_id for difference in one.differences if not difference.field],
                "passed_over": one.passed_over,
                "stopped": one.stopped,
                "differences": [
                    {
                        "object_id": difference.object_id,
                        "version_of": moment(one.differing[difference.object_id].stamp),
                        "field": difference.field,
                        "in_history": plain(difference.wanted),
                        "in_gong": plain(difference.found),
                    }
                    for difference in one.differences
                    if difference.field
                ],
                "refused": [
                    {"object_id": refusal.object_id, "version_of": moment(refusal.stamp), "reason": refusal.reason}
                    for refusal in one.refused
                ],
                "history": [
                    {
                        "object_id": then.object_id,
                        "version_of": moment(then.stamp),
                        "standing": then.standing,
                        "fields": then.fields,
                    }
                    for then in one.thens
                ],
            }
            for kind, one in found.items()
        ],
    }
