"""Promises broken on purpose, each in one place of the engine: the simulation must notice every one of them."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

from connector.engine import rules
from connector.engine.guard import Guard
from connector.engine.intake import Intake
from connector.engine.reader import Reader
from connector.engine.recovery import Recovery
from connector.engine.verdicts import judge
from connector.gong import GongClient
from connector.ledger import objects
from connector.ledger.backfills import Backfills
from connector.ledger.database import Database
from connector.ledger.holds import Holds
from connector.ledger.lease import Lease
from connector.ledger.queries import Queries
from connector.ledger.records import Booking, Counts, Pending, Verdict
from connector.ledger.store import Store
from tests.simulation.promises import Broken, Stated
from tests.simulation.run import run_seed

MOST_SEEDS: Final = 150


@dataclass(frozen=True, slots=True)
class Mutation:
    """One promise, broken."""

    promise: Stated
    name: str
    apply: Callable[[], AbstractContextManager[Any]]
    once: int = 1
    """The seed that noticed it the last time; tried first."""
    every: int = 1
    """Only every so manyeth seed can notice it: for those whose ledger is restored, the fourth."""


def noticed(mutation: Mutation, seeds: range) -> tuple[int, str] | None:
    """Run seeds with the mutation; return the first that notices it, and its words.

    Raises:
        AssertionError: the seed fails without the mutation, too, or the mutation fails rather than a promise: what it
            takes the place of has changed.
    """
    for seed in seeds:
        try:
            with mutation.apply():
                run_seed(seed)
        except AssertionError as broken:
            if not isinstance(broken.__cause__, Broken):
                raise AssertionError(f"the mutation itself does not work any more: {broken}") from broken
            run_seed(seed)
            return seed, str(broken).splitlines()[0]
    return None


def show(words: str) -> int:
    """Try the mutations whose name holds `words` and say which seed notices each; return the exit status."""
    chosen = [mutation for mutation in MUTATIONS if words in mutation.name]
    missed = 0 if chosen else 1
    for mutation in chosen:
        try:
            once, every = mutation.once, mutation.every
            found = noticed(mutation, range(once, once + 1)) or noticed(mutation, range(every, MOST_SEEDS + 1, every))
            said = found[1] if found else f"not noticed by {MOST_SEEDS} seeds"
        except AssertionError as useless:
            found, said = None, f"proves nothing: {str(useless).splitlines()[0]}"
        missed += found is None
        print(f"{mutation.promise.value}: {mutation.name}: {said}", flush=True)
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


def _nothing_again(*given: Any, **more: Any) -> Verdict:
    return replace(judge(*given, **more), rest=None)


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


def _unfenced() -> AbstractContextManager[Any]:
    stack = ExitStack()
    stack.enter_context(mock.patch.object(Database, "_check_token", _ignore))
    stack.enter_context(mock.patch.object(Lease, "renew", _ignore))
    return stack


_due, _rows = Store.due, Reader._rows


def _no_second_look() -> AbstractContextManager[Any]:
    doomed: set[str] = set()

    def due(store: Store, *given: Any, **more: Any) -> Any:
        found = _due(store, *given, **more)
        doomed.clear()
        doomed.update(item.object_id for item in found if item.reason is Pending.GONE)
        return found

    def rows(reader: Reader, entity: Any, keys: Any) -> Any:
        return _rows(reader, entity, [key for key in keys if key not in doomed])

    stack = ExitStack()
    stack.enter_context(mock.patch.object(Store, "due", due))
    stack.enter_context(mock.patch.object(Reader, "_rows", rows))
    return stack


_failures = Queries.failures


def _some_failures(queries: Queries, *given: Any, **more: Any) -> Any:
    return [failure for failure in _failures(queries, *given, **more) if failure.origin != "connector"]


MUTATIONS: Final = (
    Mutation(
        Stated.NOTHING_LOST,
        "the cursor moves before its file is booked",
        lambda: mock.patch.object(Store, "book", _cursor_first),
        once=33,
    ),
    Mutation(
        Stated.NOTHING_LOST,
        "nothing goes again after a failure",
        lambda: mock.patch("connector.engine.courier.judge", _nothing_again),
    ),
    Mutation(
        Stated.NOTHING_LOST,
        "what Gong was told counts although a failure made it unsure",
        lambda: mock.patch.object(objects, "_LOOKUP", objects._LOOKUP.replace("o.told_unsure", "false")),
        once=6,
    ),
    Mutation(
        Stated.NOTHING_LOST,
        "lines do not wait for their account",
        lambda: mock.patch.object(rules, "_account_wait", return_value=None),
    ),
    Mutation(
        Stated.NOTHING_LOST,
        "what a comparison missed stays in Gong",
        lambda: mock.patch.object(Holds, "let_go", _ignore),
    ),
    Mutation(
        Stated.NOTHING_LOST,
        "news from another table is not followed",
        lambda: mock.patch.object(Intake, "related", _ignore),
        once=28,
    ),
    Mutation(
        Stated.NO_STALE_OVERWRITE,
        "an object in flight is spooled again",
        lambda: mock.patch.object(rules, "_known", _nothing_in_flight),
    ),
    Mutation(
        Stated.NO_STALE_OVERWRITE,
        "modifiedDate is the row's stamp, whatever was sent",
        lambda: mock.patch.object(rules, "modified_date", _own_stamp),
        once=4,
    ),
    Mutation(
        Stated.NO_STALE_OVERWRITE,
        "an address is given away while another user has it",
        lambda: mock.patch.object(Store, "holders", return_value={}),
        once=3,
    ),
    Mutation(Stated.ONE_ID_ONE_FILE, "an ambiguous upload goes again under a new id", _new_ids),
    Mutation(
        Stated.HONEST,
        "what the connector refused is not listed",
        lambda: mock.patch.object(Queries, "failures", _some_failures),
        once=2,
    ),
    Mutation(
        Stated.HONEST,
        "what is held is not shown",
        lambda: mock.patch.object(Queries, "holds", return_value=[]),
        once=3,
    ),
    Mutation(
        Stated.BOUNDED, "settled files stay in the spool", lambda: mock.patch("connector.spool.Spool.remove", _ignore)
    ),
    Mutation(
        Stated.HARMLESS,
        "the guard lets everything go",
        lambda: mock.patch.object(Guard, "holds", return_value=False),
        once=2,
    ),
    Mutation(Stated.HARMLESS, "what a comparison missed is not looked for by key again", _no_second_look, once=2),
    Mutation(Stated.ONE_AT_A_TIME, "a process whose lease is another's goes on", _unfenced, once=28),
    Mutation(
        Stated.QUOTA,
        "Retry-After is not obeyed",
        lambda: mock.patch("connector.ledger.budget.Budget.throttled", _ignore),
        once=2,
    ),
    Mutation(
        Stated.RESTORED,
        "a ledger restored from a backup is believed",
        lambda: mock.patch("connector.engine.intake.distrust", lambda state, _line: state),
        once=104,
        every=4,
    ),
    Mutation(
        Stated.RESTORED,
        "lines that a restored ledger does not know of are not waited for",
        lambda: mock.patch.object(Recovery, "_settle_lost", _ignore),
        once=28,
        every=4,
    ),
    Mutation(
        Stated.HISTORY,
        "a wave does not wait for the one before",
        lambda: mock.patch.object(Backfills, "unsettled", return_value=0),
        once=6,
    ),
)
"""Each is noticed by one of the first MOST_SEEDS seeds."""
