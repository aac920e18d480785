"""Which command comes to which step, and what has to be so that it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from connector.object_types import ObjectType
from connector.sandbox.faults import Fault, FaultKind, Operation
from tests.acceptance.cli_site import now
from tests.crash.launcher import FILL_DISK, TERMINATE, Strike
from tests.crash.trial import LOST_ANSWER, Trial

_FULL_DISK: Final = Strike("spool.write.before", FILL_DISK, times=1000)


@dataclass(frozen=True, slots=True)
class Part:
    """A command, struck once on either side of each of these steps."""

    arguments: tuple[str, ...]
    steps: tuple[str, ...]
    prepare: Callable[[Trial], None]
    """Sees to it that the command, started next, comes to all of them."""
    besides: tuple[Strike, ...] = ()
    often: bool = False
    """The command comes to each step several times, so that it can be struck at a later one."""


def _nothing(_trial: Trial) -> None:
    """Everything is there already."""


def _work(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong()


def _lost_answer(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong(LOST_ANSWER)


def _throttled(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong(Fault(kind=FaultKind.THROTTLE, operation=Operation.UPLOAD, retry_after="0"))


def _new_picklist(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong()
    trial.site.sql("INSERT INTO industries VALUES (?, ?)", f"Industry {trial.worked}", 1000 + trial.worked)


def _schema_in_vain(trial: Trial) -> None:
    _new_picklist(trial)
    trial.goes_wrong(Fault(kind=FaultKind.ERROR_BEFORE, operation=Operation.PUT_SCHEMA))


def _hidden_errors(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong(
        Fault(kind=FaultKind.LINE_ERRORS, object_type=ObjectType.DEAL, lines=(1,)),
        Fault(kind=FaultKind.WRONG_TOTALS, object_type=ObjectType.DEAL, error_offset=1),
    )


def _pending(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong()
    trial.killed("sync", at="ledger.mark_failed.after")


def _row_gone(trial: Trial) -> None:
    trial.work()
    trial.goes_wrong()
    trial.site.sql("DELETE FROM contacts WHERE id = (SELECT min(id) FROM contacts WHERE NOT is_deleted)")


def _family_gone(trial: Trial) -> None:
    """An account, its contacts and its deals are marked as deleted at once: the account goes last."""
    trial.work()
    trial.goes_wrong()
    mark = "is_deleted = 1, updated_at = ? WHERE"
    family = (
        "SELECT c.account_id FROM contacts c JOIN accounts a ON a.id = c.account_id WHERE NOT c.is_deleted"
        " AND NOT a.is_deleted AND a.id NOT IN (SELECT account_id FROM deals WHERE id <= 3) LIMIT 1"
    )
    trial.site.sql(f"UPDATE accounts SET {mark} id = ({family})", now())
    gone = "account_id IN (SELECT id FROM accounts WHERE is_deleted)"
    trial.site.sql(f"UPDATE contacts SET {mark} {gone}", now())
    trial.site.sql(f"UPDATE deals SET {mark} {gone}", now())


REGISTER: Final = (
    Part(("register",), ("ledger.migrate", "ledger.lease", "gong.integrations", "gong.register"), _nothing),
    Part(("register",), ("ledger.set_meta", "ledger.release"), _nothing),
)
"""On nothing at all, in this order."""

SYNC: Final = (
    Part(("sync",), ("gong.schema", "gong.put_schema"), _new_picklist),
    Part(
        ("sync",),
        (
            "ledger.begin_pass",
            "spool.write",
            "spool.rename",
            "spool.sealed",
            "ledger.book",
            "ledger.renew",
            "ledger.budget",
            "ledger.mark_sending",
            "gong.upload",
            "ledger.budget_finished",
            "ledger.mark_accepted",
            "gong.status",
            "ledger.mark_done",
            "spool.remove",
        ),
        _work,
        often=True,
    ),
    Part(
        ("sync",), ("ledger.request", "ledger.request_give_up", "ledger.request_start", "ledger.request_finish"), _work
    ),
    Part(("sync",), ("ledger.mark_failed", "ledger.resolve", "ledger.finish_again", "ledger.release"), _work),
    Part(("sync",), ("ledger.postpone",), _lost_answer),
    Part(("sync",), ("ledger.isolate",), _hidden_errors),
)

TROUBLE: Final = (
    Part(("sync",), ("ledger.throttled",), _throttled),
    Part(("sync",), ("ledger.fail_start",), _schema_in_vain),
    Part(("sync",), ("ledger.fail_pass",), _work, (_FULL_DISK,)),
    Part(("sync",), ("ledger.delay",), _pending, (_FULL_DISK,)),
    Part(("reconcile",), ("ledger.let_go", "ledger.show_hold", "ledger.forget_refusals"), _row_gone),
    Part(("failures", "retry", "--all"), ("ledger.retry",), _work),
)

AGAIN: Final = (
    Part(("resend", "STAGE", "--all", "--yes"), ("ledger.resend",), _work),
    Part(("verify", "ACCOUNT"), ("gong.objects",), _nothing),
    Part(("sync",), ("ledger.relate",), _family_gone),
)

RUN: Final = (
    Part(
        ("run",),
        ("ledger.book", "spool.rename", "ledger.mark_sending", "gong.upload", "gong.status", "ledger.mark_done"),
        _work,
        often=True,
    ),
    Part(
        ("run",),
        ("ledger.lease", "ledger.prune", "ledger.request_prune", "ledger.mark_failed", "ledger.resolve"),
        _work,
    ),
    Part(("run",), ("ledger.release",), _nothing, (Strike("ledger.prune.after", TERMINATE),)),
)

ALERTS: Final = (Part(("run",), ("ledger.incidents",), _nothing),)
"""With a webhook, while something is wrong."""

ELSEWHERE: Final = {
    **dict.fromkeys(
        ("gong.token", "ledger.login", "ledger.claim", "ledger.renewed", "ledger.reseal", "ledger.in_vain"),
        "only with OAuth: tests/unit/engine/test_authorisation.py",
    ),
    **dict.fromkeys(
        ("ledger.disbelieve", "ledger.recovery", "ledger.believe"),
        "only with a ledger restored from a backup: tests/simulation",
    ),
    "ledger.doubt": "takes a quarter of an hour to come to: tests/unit/engine/test_ambiguity.py",
    "gong.unregister": "ends everything; its answer is lost in tests/unit/engine/test_unregister.py",
    "ledger.forget_gong": "ends everything; begun again in tests/unit/engine/test_unregister.py",
    "ledger.set_back": "needs a clock that is set back: tests/unit/engine/test_schedule.py",
    "ledger.pause": "holds a type back on purpose: tests/unit/engine/test_pauses.py",
    "ledger.resume": "as ledger.pause",
    "ledger.backfill_begin": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_hold": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_staged": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_again": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_book": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_refuse": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_release": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_wave": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_stop": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_finish": "tests/unit/engine/test_backfill.py",
    "ledger.backfill_resolve": "tests/unit/engine/test_backfill.py",
    "ledger.hold": "needs a mass of deletions: tests/simulation",
    "ledger.release_hold": "needs a comparison that finds unstamped changes: tests/simulation",
    "ledger.approve": "needs a hold: tests/simulation",
}
"""Steps that no process is struck at here, and where a crash at them is tried."""
