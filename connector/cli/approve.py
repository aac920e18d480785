"""`approve`: what the guard holds, and letting it through on a person's word."""

from typing import Final

from connector.cli.exits import Status
from connector.cli.holding import hold_document
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, moment, remarks, say, table
from connector.cli.parts import looking, working
from connector.cli.perform import asker, perform
from connector.engine.operations import APPROVE, ApproveArguments
from connector.ledger.queries import Approval, Hold

LATEST: Final = 20
"""Approvals that are listed."""


def list_holds(*, as_json: bool) -> Status:
    """List what is held, and what was let through before."""
    with looking() as wiring:
        held, approved = wiring.queries.holds(), wiring.queries.approvals()
    if as_json:
        write_json({"held": [hold_document(hold) for hold in held], "approved": [_document(one) for one in approved]})
    else:
        _say(held, approved)
    return Status.UNSETTLED if held else Status.WELL


def approve(hold_id: int) -> Status:
    """Let a hold through: its rows are read again, and what is still so is sent."""
    with working() as wiring:
        released = perform(wiring, APPROVE, ApproveArguments(hold_id, asker())).released
    if released is None:
        say(
            f"Nothing is held under {hold_id}: it was let through, fell apart, or grew and has another number. "
            "See `gong-connector approve`.",
            to=remarks,
        )
        return Status.FAILED
    say(
        f"{count(released, 'object')} let through: their rows are looked at once more, and what is still so is sent, "
        "by the next `gong-connector sync` or the daemon."
    )
    return Status.WELL


def _say(held: list[Hold], approved: list[Approval]) -> None:
    if held:
        heading("What is held")
        table(
            ("Id", "Type", "What", "Objects", "Of", "Since", "Among them"),
            [
                (hold.id, hold.type, hold.kind, hold.objects, hold.live, moment(hold.since), ", ".join(hold.sample))
                for hold in held
            ],
        )
        say("Look at the rows of some of them. If they are right: `gong-connector approve ID`.")
    else:
        say("Nothing is held.")
    if approved:
        heading("What was let through")
        table(
            ("Id", "Type", "What", "Objects", "Held since", "Let through", "By"),
            [
                (one.id, one.type, one.kind, one.objects, moment(one.since), moment(one.approved_at), one.approved_by)
                for one in approved[:LATEST]
            ],
        )


def _document(one: Approval) -> dict[str, object]:
    return {
        "id": one.id,
        "type": one.type,
        "kind": one.kind,
        "objects": one.objects,
        "since": moment(one.since),
        "approved_at": moment(one.approved_at),
        "approved_by": one.approved_by,
    }
