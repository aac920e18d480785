"""`failures list`, `show` and `retry`: refused objects, and why."""

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, moment, remarks, say, table
from connector.cli.parts import looking, working
from connector.cli.perform import perform
from connector.engine.operations import RETRY, RetryArguments
from connector.engine.wording import TO_DO
from connector.ledger.queries import Failure
from connector.object_types import ObjectType


def list_failures(object_type: ObjectType | None, *, as_json: bool) -> Status:
    """List refused objects, the latest first."""
    with looking() as wiring:
        found = wiring.queries.failures(object_type)
    if as_json:
        write_json([_document(failure) for failure in found])
    elif found:
        table(
            ("Type", "Id", "By", "Field", "Reason", "Last"),
            [(one.type, one.object_id, one.origin, one.field, one.reason, moment(one.last_at)) for one in found],
        )
    else:
        say("Nothing is refused.")
    return Status.WELL


def list_history(object_type: ObjectType | None, *, as_json: bool) -> Status:
    """List the versions that backfills skipped since the connector or Gong refused them, the latest backfill first."""
    with looking() as wiring:
        found = [
            (one, refused)
            for one in wiring.backfills.all()
            if object_type in (None, one.type)
            for refused in wiring.backfills.refusals(one.id)
        ]
    if as_json:
        write_json(
            [
                {
                    "type": one.type,
                    "object_id": refused.object_id,
                    "version_of": moment(refused.modified),
                    "origin": refused.origin,
                    "kind": refused.kind,
                    "field": refused.field,
                    "reason": refused.reason,
                    "backfill_started_at": moment(one.started_at),
                }
                for one, refused in found
            ]
        )
    elif found:
        table(
            ("Type", "Id", "Version of", "By", "Field", "Reason"),
            [
                (one.type, refused.object_id, moment(refused.modified), refused.origin, refused.field, refused.reason)
                for one, refused in found
            ],
        )
    else:
        say("No version of a history is refused.")
    return Status.WELL


def show(object_type: ObjectType, object_id: str) -> Status:
    """Show what is known of one refused object."""
    with looking() as wiring:
        found = wiring.queries.failures(object_type, object_id)
    if not found:
        say(f"{object_type} {object_id} is not refused.", to=remarks)
        return Status.FAILED
    for failure in found:
        who = "Gong" if failure.origin == "gong" else "the connector, before sending"
        say(f"{failure.type} {failure.object_id} was refused by {who}", "bold")
        say(f"  Reason:  {failure.reason}")
        say(f"  Field:   {failure.field or '(the whole row)'}")
        say(f"  First:   {moment(failure.first_at)}")
        say(f"  Last:    {moment(failure.last_at)} ({count(failure.times, 'time')})")
        if failure.request_id is not None:
            say(f"  Upload:  clientRequestId {failure.request_id}, line {failure.line}")
        if failure.kind == "general":
            say("           Its whole file was refused again and again; this line may be good.")
        say(f"  To do:   {TO_DO[failure.origin]}")
        say(f"  Look:    gong-connector preview {failure.type} --id {failure.object_id}")
    return Status.WELL


def retry(object_type: ObjectType | None, object_id: str | None) -> Status:
    """Have refused objects read and sent again."""
    with working() as wiring:
        again = perform(wiring, RETRY, RetryArguments(object_type, object_id))
    if not again:
        what = (
            "nothing" if object_id is None else f"{object_id} is not refused, or its key is unfit or collides: nothing"
        )
        say(f"{what[0].upper()}{what[1:]} to retry.", to=remarks)
        return Status.WELL if object_id is None else Status.FAILED
    say(f"{count(again, 'object')} will be read and sent again by the next `gong-connector sync` or the daemon.")
    return Status.WELL


def _document(failure: Failure) -> dict[str, object]:
    return {
        "type": failure.type,
        "object_id": failure.object_id,
        "origin": failure.origin,
        "kind": failure.kind,
        "field": failure.field,
        "reason": failure.reason,
        "request_id": failure.request_id,
        "line": failure.line,
        "first_at": moment(failure.first_at),
        "last_at": moment(failure.last_at),
        "times": failure.times,
    }
