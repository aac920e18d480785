"""Promises broken on purpose, each in one place of the engine: the simulation must notice every one of them."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

from connector.engine import rules
from connector.engine.guard import Guard
from connector.engine.intake import Intake
from connector.engine.recovery import Recovery
from connector.engine.verdicts import judge
from connector.gong import GongClient
from connector.ledger import objects
from connector.ledger.holds import Holds
from connector.ledger.records import Booking, Counts, Verdict
from connector.ledger.store import Store
from tests.simulation.run import run_seed

MOST_SEEDS: Final = 150


@dataclass(frozen=True, slots=True)
class Mutation:
    """One promise, broken."""

    name: str
    apply: Callable[[], AbstractContextManager[Any]]


def noticed(mutation: Mutation, seeds: range) -> tuple[int, str] | None:
    """Run seeds with the mutation; return the first that notices it, and its words."""
    with mutation.apply():
        for seed in seeds:
            try:
                run_seed(seed)
            except AssertionError as broken:
                return seed, str(broken).splitlines()[0]
    return None


def show(words: str) -> int:
    """Try the mutations whose name holds `words` and say which seed notices each; return the exit status."""
    chosen = [mutation for mutation in MUTATIONS if words in mutation.name]
    missed = 0 if chosen else 1
    for mutation in chosen:
        found = noticed(mutation, range(1, MOST_SEEDS + 1))
        missed += found is None
        print(f"{mutation.name}: " + (found[1] if found else f"not noticed by {MOST_SEEDS} seeds"), flush=True)
    return 1 if missed else 0


_book = Store.book


def _cursor_first(store: Store, booking: Booking) -> int | None:
    if booking.move is not None:
        empty = Booking(booking.type, booking.source, booking.pass_id, Counts(), move=booking.move)
        _book(store, empty)
    return _book(store, replace(booking, move=None))


_known = rules._known


def _nothing_in_flight(line: Any, state: Any, now: float) -> Any:
    return _known(line, state._replace(in_flight=None), now)


def _nothing_again(*given: Any) -> Verdict:
    return replace(judge(*given), rest=None)


def _own_stamp(stamp: int | None, _last: int | None, now: float) -> int:
    return int(now) if stamp is None or stamp > now else stamp


_upload = GongClient.upload


def _new_ids() -> AbstractContextManager[Any]:
    used: set[str] = set()

    def upload(client: Any, integration: int, kind: Any, request_id: str, path: Path, size: int, **more: Any) -> Any:
        name = request_id if request_id not in used else str(uuid.uuid5(uuid.NAMESPACE_OID, f"{request_id}{len(used)}"))
        used.add(name)
        return _upload(client, integration, kind, name, path, size, **more)

    return mock.patch.object(GongClient, "upload", upload)


def _ignore(*_: Any, **__: Any) -> None:
    pass


MUTATIONS: Final = (
    Mutation("the cursor moves before its file is booked", lambda: mock.patch.object(Store, "book", _cursor_first)),
    Mutation("an object in flight is spooled again", lambda: mock.patch.object(rules, "_known", _nothing_in_flight)),
    Mutation(
        "nothing goes again after a failure", lambda: mock.patch("connector.engine.courier.judge", _nothing_again)
    ),
    Mutation("an ambiguous upload goes again under a new id", _new_ids),
    Mutation(
        "modifiedDate is the row's stamp, whatever was sent",
        lambda: mock.patch.object(rules, "modified_date", _own_stamp),
    ),
    Mutation(
        "what Gong was told counts although a failure made it unsure",
        lambda: mock.patch.object(objects, "_LOOKUP", objects._LOOKUP.replace("o.told_unsure", "false")),
    ),
    Mutation(
        "lines do not wait for their account", lambda: mock.patch.object(rules, "_account_wait", return_value=None)
    ),
    Mutation(
        "an address is given away while another user has it",
        lambda: mock.patch.object(Store, "holders", return_value={}),
    ),
    Mutation("Retry-After is not obeyed", lambda: mock.patch("connector.ledger.budget.Budget.throttled", _ignore)),
    Mutation("what a comparison missed stays in Gong", lambda: mock.patch.object(Holds, "let_go", _ignore)),
    Mutation("the guard lets everything go", lambda: mock.patch.object(Guard, "holds", return_value=False)),
    Mutation("news from another table is not followed", lambda: mock.patch.object(Intake, "related", _ignore)),
    Mutation(
        "a ledger restored from a backup is believed",
        lambda: mock.patch("connector.engine.intake.distrust", lambda state, _line: state),
    ),
    Mutation(
        "lines that a restored ledger does not know of are not waited for",
        lambda: mock.patch.object(Recovery, "_settle_lost", _ignore),
    ),
    Mutation("settled files stay in the spool", lambda: mock.patch("connector.spool.Spool.remove", _ignore)),
)
"""Each is noticed by one of the first MOST_SEEDS seeds."""
