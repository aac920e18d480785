"""How the engine says what it does: to the log, and to a terminal's progress bars."""

from collections.abc import Mapping
from typing import Final, Protocol

Fact = str | int | float | bool | None

EVENTS: Final[Mapping[str, str]] = {
    "daemon.started": "this process is the active one, and begins",
    "daemon.standby": "another process is active; this one waits for its turn",
    "daemon.stopped": "it ended; `rested`: nothing was under way any more",
    "start.postponed": "something that is needed to begin is out of reach; tried again every five seconds",
    "lease.taken": "this process is the active one",
    "lease.lost": "another process took the ledger's lease, or the ledger is gone: this one ends",
    "mapping.taken": "the daemon read its mapping file again, and goes by it",
    "mapping.unchanged": "it did, and the file says nothing new",
    "mapping.refused": "it did, and the file is wrong or cannot be held against the source: the one in use stays",
    "settings.changed": "a file names another host or database in this URL: it takes effect at the next start",
    "clock.jumped": "the host's clock was set, by so many seconds",
    "round.failed": "a round of the daemon failed, so many `times` since it was said last; it comes again",
    "upkeep.ended": "what is old was forgotten: settled `batches`, requests, spool files that nothing needs",
    "thread.failed": "a fault of the connector ended one of its threads; please report it",
    "object.failed": "a fault of the connector; please report it",
    "web.started": "the status page can be seen",
    "web.failed": "the status page cannot be shown",
    "pass.started": "a source is read",
    "pass.progress": "so far, with each file that is full",
    "pass.ended": "it was read to its `end`, with what became of the rows",
    "pass.failed": "a source could not be read; the next pass tries again",
    "again.failed": "pending objects of a type could not be read; they are put off by a minute",
    "source.changed": "a table or column that was there at the first load is gone",
    "cursor.held": "a session of the source is open for long, and holds the cursor",
    "keys.collide": "objects are refused since their keys are too much like others'",
    "reconcile.started": "a type is compared whole",
    "reconcile.ended": "it was, with what was found",
    "reconcile.empty": "a source that has objects in Gong gave no row at all",
    "reconcile.failed": "a type could not be compared",
    "guard.held": "deletions or changes are held, for they are too many",
    "batch.spooled": "a data file was sealed and booked",
    "batch.accepted": "Gong took the file, to process it",
    "batch.sent": "whether Gong has the file is not known: it is asked",
    "batch.processing": "Gong is not finished with it",
    "batch.done": "Gong has every line",
    "batch.failed": "Gong refused lines, or the whole file",
    "batch.resolved": "what is to become of each line of a failed file, or of a lost one, is booked",
    "batch.stuck": "Gong is at work on a file for far longer than usual",
    "batch.rejected": "Gong does not take the file as it is",
    "batch.denied": "Gong turns the key, its scope or this machine away",
    "batch.throttled": "no call may be made now",
    "batch.ambiguous": "an answer that says neither yes nor no",
    "batch.unreachable": "Gong could not be reached; nothing left",
    "batch.unknown": "Gong does not know the file (yet)",
    "batch.forgotten": "Gong does not know a file that it took",
    "isolation.cut": "the rest of a failed file is cut into pieces, to find its bad lines",
    "isolation.ended": "its good lines go",
    "schema.applied": "Gong's additional fields were made equal to the mapping's",
    "login.renewed": "the OAuth token was renewed, for so many `hours`",
    "login.postponed": "the token could not be renewed; it is tried again",
    "login.refused": "Gong does not renew the token: log in anew",
    "integration.gone": "somebody deleted the integration in Gong",
    "integration.back": "it is there again",
    "unregistered": "Gong deletes the integration, and the ledger has forgotten it",
    "ledger.restored": "the ledger is older than what Gong was told: it catches up",
    "ledger.replaced": "the spool is of another ledger: what its files said is read again",
    "ledger.unmarked": "the spool's mark could not be written; a restored ledger may not be noticed",
    "ledger.awaits": "a file that a restored ledger does not know is waited for",
    "ledger.believed": "a restored ledger has caught up",
    "backfill.started": "the history of a source is read",
    "backfill.progress": "so far",
    "backfill.staged": "it was read whole, and goes in `waves`",
    "backfill.staging_lost": "what was read of a history is gone, and is read again",
    "backfill.wave": "a wave begins: one version of each object",
    "backfill.ended": "the history is sent, or was stopped",
    "request.started": "what a command asked for is carried out",
    "request.ended": "it was, with its `outcome`",
    "validate.started": "a source is tried; nothing is sent",
    "validate.progress": "so far",
    "validate.ended": "it was tried whole",
    "verify.progress": "objects read back from Gong so far",
    "alert.sent": "the webhook took the news of an incident",
    "alert.failed": "it did not; tried `again_in` so many seconds",
}
"""What is said, and what it means. Names stay; new ones may come."""


class Observer(Protocol):
    """Is told of every step. Facts hold counts, types, ids of batches and passes, never a record's values."""

    def event(self, name: str, **facts: Fact) -> None:
        """Take note of a step: one of EVENTS. `alarm` is a fact of its own: a person should look."""
        ...


class Silent:
    """Takes no notice."""

    def event(self, name: str, **facts: Fact) -> None:
        pass
