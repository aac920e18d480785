"""Builds the daemon from the connector's parts, with the clerks that carry out what commands ask of it."""

from connector.engine.clerk import Clerk, refuse
from connector.engine.daemon import Daemon
from connector.engine.operations import OPERATIONS
from connector.engine.remapping import Remapping
from connector.engine.sync import Steps
from connector.engine.wiring import Wiring
from connector.ledger.dues import Dues
from connector.ledger.requests import Request


def make_daemon(wiring: Wiring) -> Daemon:
    """Return what makes passes for ever; needs the lease."""

    def remap() -> bool:
        if not wiring.remap():
            return False
        made.reconciler, made.comparisons = wiring.reconciler, wiring.comparisons
        return True

    rounds = wiring.rounds
    wiring.binding.bind_source()
    made = Daemon(
        rounds,
        wiring.lease,
        wiring.store,
        Dues(wiring.database, wiring.clock),
        wiring.clock,
        wiring.pacer,
        wiring.reconciler,
        wiring.comparisons,
        wiring.settings.retention_days,
        wiring.observer,
        wiring.requests,
        _clerk(wiring, quick=False),
        _clerk(wiring, quick=True),
        wiring.recover,
        wiring.gong.keep,
        Remapping(remap, wiring.store, wiring.clock, wiring.observer),
    )
    return made


def _clerk(wiring: Wiring, *, quick: bool) -> Clerk:
    def steps(request: Request) -> Steps[str]:
        operation = OPERATIONS.get(request.operation)
        refuse(operation, request, wiring.mapping_file.fingerprint)
        assert operation is not None, "an unknown one is refused"
        return (yield from operation.stored(wiring, request.arguments))

    def takes(request: Request) -> bool:
        operation = OPERATIONS.get(request.operation)
        return (operation is not None and operation.quick) is quick

    def is_last(request: Request) -> bool:
        operation = OPERATIONS.get(request.operation)
        return operation is not None and operation.last

    return Clerk(wiring.requests, wiring.clock, wiring.observer, steps, takes, is_last)
