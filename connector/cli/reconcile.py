"""`reconcile`: full comparisons of source and ledger, and what they found."""

from collections.abc import Sequence

from connector.cli.ending import Meter, say_cost, say_work
from connector.cli.exits import Status
from connector.cli.output import heading, remarks, say, table
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.comparing import Compared
from connector.engine.operations import RECONCILE, ReconcileArguments, chosen_types
from connector.engine.reading import End
from connector.engine.wording import hold_words
from connector.ledger.queries import Hold
from connector.object_types import ObjectType


def reconcile(types: Sequence[ObjectType]) -> Status:
    """Compare these types (all when there is none) with the ledger, send what differs, and sum it up."""
    with working() as wiring:
        wiring.integration_id()
        chosen_types(wiring, types)
        meter = Meter(wiring)
        compared = perform(wiring, RECONCILE, ReconcileArguments(tuple(types)))
        cost = meter.cost()
        held = [hold for hold in wiring.queries.holds() if compared.found.get(hold.type)]
    _say_found(compared)
    say_cost(cost)
    return _verdict(compared, held)


def _say_found(compared: Compared) -> None:
    rows = [
        (object_type, found.counts.rows, found.changed, found.gone, found.counts.refused, found.held)
        for object_type, found in compared.found.items()
        if found is not None and found.end is not End.PAUSED
    ]
    if rows:
        heading("What was compared")
        table(("Type", "Rows", "Changes", "Gone", "Refused", "Held"), rows)


def _verdict(compared: Compared, held: Sequence[Hold]) -> Status:
    """Say plainly whether Gong equals what was compared, and return the exit status for it."""
    for object_type, error in compared.errors.items():
        say(f"{object_type} could not be compared: {error}", "red", to=remarks)
    for hold in held:
        say(hold_words(hold), "yellow")
    unloaded = [str(object_type) for object_type, found in compared.found.items() if found is None]
    if unloaded:
        names = ", ".join(unloaded)
        say(f"Not compared, for the first load is not over: {names}. Run `gong-connector sync` first.", "yellow")
    paused = [str(kind) for kind, found in compared.found.items() if found is not None and found.end is End.PAUSED]
    if paused:
        say(f"Not compared, for they are paused: {', '.join(paused)}.", "yellow")
    if compared.errors:
        say(f"Gong may not equal the source: {', '.join(compared.errors)} could not be compared.", "bold red")
        return Status.FAILED
    if len(unloaded) + len(paused) == len(compared.found):
        return Status.UNSETTLED
    well = "Gong equals what was compared" + (", what is held aside" if held else "")
    status = say_work(compared.work, well, waited=True)
    return Status.UNSETTLED if held or unloaded or paused else status
