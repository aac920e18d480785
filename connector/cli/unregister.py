"""`unregister`: the integration and everything that Gong knows from it, deleted."""

import sys

import click

from connector.cli.exits import Status
from connector.cli.output import count, remarks, say
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.binding import GONG_HOST
from connector.engine.operations import UNREGISTER_IT, UnregisterArguments
from connector.engine.wiring import Wiring


def unregister(*, sure: bool) -> Status:
    """Say what will be lost, ask unless `sure`, and have Gong delete the integration.

    Raises:
        UsageError: nobody can be asked.
    """
    with working() as wiring:
        integration_id = wiring.integration_id()
        _say_what_is_lost(wiring, integration_id)
        if not sure:
            if not (sys.stdin.isatty() and remarks.is_terminal):
                raise click.UsageError("unregister asks first, and there is no terminal: --yes answers")
            if not click.confirm("Delete all this from Gong?", err=True):
                say("Nothing was deleted.")
                return Status.FAILED
        perform(wiring, UNREGISTER_IT, UnregisterArguments(integration_id))
    say(f"Gong was asked to delete integration {integration_id}; that takes it up to 24 hours.")
    say("The ledger is as new. `gong-connector register` begins afresh once Gong is through.")
    return Status.WELL


def _say_what_is_lost(wiring: Wiring, integration_id: int) -> None:
    host = wiring.store.meta(GONG_HOST)
    known = [f"{number:,} {kind}" for kind, number in wiring.census.told().items() if number]
    say(f"Integration {integration_id} at {host} is deleted from Gong with everything in it, for good:", to=remarks)
    say(f"  objects: {', '.join(known) or 'none'}", to=remarks)
    say("  their history, and the additional fields with their values", to=remarks)
    unsettled = wiring.queries.work(wiring.clock.now()).unsettled
    if unsettled:
        say(f"  and {count(unsettled, 'file')} on the way", to=remarks)
    say("The ledger forgets what Gong was told; the CRM is not touched. A running daemon ends.", to=remarks)
