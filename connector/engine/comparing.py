"""Compares types one after the other, children first, and delivers what each brought to light: one `reconcile`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.engine.reading import End
from connector.engine.reconciler import Reconciler, Reconciliation
from connector.engine.rounds import Rounds
from connector.engine.sync import Steps, Syncer
from connector.errors import ConnectorError, GongDenied, LeaseLost, LedgerUnavailable
from connector.ledger.queries import Work
from connector.ledger.records import Counts
from connector.object_types import ObjectType


@dataclass(slots=True)
class Compared:
    """What full comparisons of several types found."""

    found: dict[ObjectType, Reconciliation | None] = field(default_factory=dict)
    """None: the type's first load is not over, so that there is nothing to compare with."""
    errors: dict[ObjectType, str] = field(default_factory=dict)
    """Why a type could not be compared; the others do not stop for it."""
    work: Work = field(default_factory=lambda: Work(0, 0, 0, 0))
    """What is left, once Gong has settled what it was sent."""


def compare_all(types: Sequence[ObjectType], rounds: Rounds, reconciler: Reconciler, syncer: Syncer) -> Steps[Compared]:
    """Compare `types` with the ledger, send what differs, and follow it until Gong has settled it.

    Children go first, so that a deleted account's contacts and deals are deleted before it.

    Raises:
        GongDenied, LeaseLost, LedgerUnavailable: nothing can go on; other errors stop one type only.
    """
    compared = Compared()
    for object_type in sorted(types, key=list(ObjectType).index, reverse=True):
        if object_type in rounds.store.pauses():
            compared.found[object_type] = Reconciliation(End.PAUSED, Counts(), 0, 0, 0, 0)
            continue
        try:
            rounds.schema.ensure(object_type)
            compared.found[object_type] = yield from _compare(object_type, reconciler, syncer)
        except (GongDenied, LeaseLost, LedgerUnavailable):
            raise
        except ConnectorError as error:
            compared.errors[object_type] = str(error)
        yield from syncer.steps((), wait=False, timeout=None)
    compared.work = (yield from syncer.steps((), wait=True, timeout=None)).work
    return compared


def _compare(object_type: ObjectType, reconciler: Reconciler, syncer: Syncer) -> Steps[Reconciliation | None]:
    """Compare a type; where the spool is full, begin anew when it is empty: what was sent differs no more."""
    while True:
        found = reconciler.reconcile(object_type)
        if found is None or found.end is not End.SPOOL_FULL:
            return found
        yield from syncer.steps((), wait=True, timeout=None)
