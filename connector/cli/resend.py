"""`resend`: sends again what Gong was already told."""

from collections.abc import Sequence

import click

from connector.cli.ending import Meter, say_cost, say_work
from connector.cli.exits import Status
from connector.cli.output import count, remarks, say
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.operations import RESEND, ResendArguments, chosen_types
from connector.engine.wiring import Wiring
from connector.object_types import ObjectType


def resend(object_type: ObjectType, ids: Sequence[str] | None, *, sure: bool) -> Status:
    """Send objects of a type again (`ids` None: all), follow them until Gong has settled them, and sum it up.

    `sure` says that nobody is to be asked first.
    """
    with working() as wiring:
        wiring.integration_id()
        chosen_types(wiring, [object_type])
        if ids is None and not sure and remarks.is_terminal and not _agreed(wiring, object_type):
            say("Nothing was sent.")
            return Status.FAILED
        meter = Meter(wiring)
        wanted = ResendArguments({object_type: None if ids is None else sorted(set(ids))})
        resent = perform(wiring, RESEND, wanted)
        cost = meter.cost()
    again, work = resent.sent, resent.work
    left = 0 if ids is None else len(set(ids)) - again
    if left:
        say(
            f"{left} of {len(set(ids or ()))} not sent again: Gong was never told of them, or they are refused "
            "(`gong-connector failures retry`), or on their way.",
            "yellow",
        )
    say_cost(cost)
    status = say_work(work, f"{count(again, 'object')} sent again; Gong equals what was read", waited=True)
    return Status.FAILED if ids is not None and not again else Status.UNSETTLED if left else status


def _agreed(wiring: Wiring, object_type: ObjectType) -> bool:
    number = wiring.census.told()[object_type]
    return click.confirm(f"Send all {count(number, 'object')} of {object_type} to Gong again?", err=True)
