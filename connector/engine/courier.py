"""Takes sealed files to Gong and brings back what became of them. Each method is a tick: one step, one outcome."""

from dataclasses import dataclass
from typing import Final

from connector.clock import Clock
from connector.engine.lifecycle import Outcome, Step, Transition, advance
from connector.engine.observe import Observer
from connector.engine.past_verdicts import resolve_failed, resolve_lost
from connector.engine.polling import Polling, is_stuck, usual
from connector.engine.rules import growing
from connector.engine.verdicts import general_words, judge
from connector.errors import BudgetSpent
from connector.gong import DataFileChanged, GongClient, StatusOutcome, StatusResult, UploadOutcome, UploadResult
from connector.ledger.backfills import Backfills
from connector.ledger.lease import Lease
from connector.ledger.records import STUCK, Batch, BatchState, PassKind, Pending, Priority, Verdict
from connector.ledger.store import Store
from connector.model import Processing, RequestStatus, Resend
from connector.spool import SealedFile, Spool, SpoolDamaged, SpoolMissing, SpoolUnavailable

GRACE_SECONDS: Final = 900.0
"""How long Gong may not know an id that it may have taken, before the same file goes again."""

_UPLOADS: Final = {
    UploadResult.ACCEPTED: Outcome.ACCEPTED,
    UploadResult.CONFLICT: Outcome.CONFLICT,
    UploadResult.REJECTED: Outcome.REJECTED,
    UploadResult.DENIED: Outcome.DENIED,
    UploadResult.THROTTLED: Outcome.THROTTLED,
    UploadResult.AMBIGUOUS: Outcome.AMBIGUOUS,
    UploadResult.UNREACHABLE: Outcome.UNREACHABLE,
}
_ANSWERS: Final = {
    StatusResult.UNKNOWN: Outcome.UNKNOWN,
    StatusResult.DENIED: Outcome.DENIED,
    StatusResult.THROTTLED: Outcome.THROTTLED,
    StatusResult.UNAVAILABLE: Outcome.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Errand:
    """What a tick did with a batch."""

    batch: Batch
    outcome: Outcome
    state: BatchState
    detail: str


class Courier:
    """The ticks that talk to Gong about files, and book the lines of failed ones."""

    def __init__(
        self,
        client: GongClient,
        integration_id: int,
        store: Store,
        backfills: Backfills,
        spool: Spool,
        lease: Lease,
        clock: Clock,
        polling: Polling,
        resend: Resend,
        account_wait: float,
        observer: Observer,
    ) -> None:
        self._client = client
        self._integration_id = integration_id
        self._store = store
        self._backfills = backfills
        self._spool = spool
        self._lease = lease
        self._clock = clock
        self._polling = polling
        self._resend = resend
        self._account_wait = account_wait
        self._observer = observer

    # -- ticks -----------------------------------------------------------------------------------

    def deliver(self) -> Errand | None:
        """Upload the next sealed file whose time has come, or ask what became of one: the most urgent first; files of
        paused types stay.

        Returns:
            None when there is nothing to do yet.
        """
        batch = self._store.next_batch()
        if batch is None:
            return None
        if batch.state is BatchState.SPOOLED:
            return self._upload(batch)
        errand = self._ask(batch)
        if batch.state is BatchState.SENT and errand.outcome in (Outcome.UNKNOWN, Outcome.FORGOTTEN):
            return self._upload(batch)
        return errand

    def resolve(self) -> Batch | None:
        """Book the lines of the next file that Gong answered FAILED."""
        failed = self._store.batches((BatchState.FAILED,))
        if not failed:
            return None
        batch = failed[0]
        assert batch.answer is not None, "a failed batch has its answer"
        if batch.kind is PassKind.BACKFILL:
            verdict = resolve_failed(self._backfills, batch, batch.answer, self._resend, self._clock.now())
            return self._resolved(batch, verdict)
        listed = [error.line for error in batch.answer.errors if error.line > 0]
        ids = self._store.ids_of_lines(batch, listed)
        verdict = judge(
            batch.answer,
            batch.lines,
            ids,
            self._resend,
            self._store.tries(batch),
            self._clock.now(),
            isolated=batch.isolation is not None,
        )
        advance(batch.state, Outcome.BOOKED)
        general = verdict.rest is Pending.GENERAL
        given_up = self._store.resolve(batch, verdict, general_words(batch.answer, batch.lines) if general else None)
        return self._resolved(batch, verdict, given_up)

    def _resolved(self, batch: Batch, verdict: Verdict, given_up: int = 0) -> Batch:
        assert batch.answer is not None
        self._spool.remove(batch.file)
        self._observer.event(
            "batch.resolved",
            batch=batch.id,
            type=batch.type.value,
            refused=len(verdict.refused),
            errors=batch.answer.error_count,
            lines=batch.lines,
            again=verdict.rest is not None,
            given_up=given_up,
            alarm=verdict.rest is Pending.GENERAL,
        )
        return batch

    def has_uploads(self) -> bool:
        """Tell whether a file is due to be uploaded, or to be asked about because it may have arrived."""
        return self._store.next_batch((BatchState.SPOOLED, BatchState.SENT)) is not None

    def next_due(self) -> float | None:
        """Return when the next batch is to be sent or asked about (seconds since 1970 UTC)."""
        return self._store.next_batch_due()

    def tidy(self) -> int:
        """Remove spool files that no unsettled batch needs: a crash left them. Returns how many.

        Only the thread that spools may call it.
        """
        needed = {
            batch.file
            for batch in self._store.batches(
                (BatchState.SPOOLED, BatchState.SENT, BatchState.ACCEPTED, BatchState.FAILED)
            )
        }
        found = self._spool.leftovers()
        gone = (set(found.sealed) - needed) | (set(found.partial) - needed)
        for name in sorted(gone):
            self._spool.remove(name)
        return len(gone)

    # -- one batch -------------------------------------------------------------------------------

    def _upload(self, batch: Batch) -> Errand:
        file = SealedFile(batch.file, batch.lines, batch.bytes, batch.sha256)
        try:
            self._spool.verify(file)
        except (SpoolMissing, SpoolDamaged) as error:
            return self._lost(batch, str(error))
        except SpoolUnavailable as error:  # of this file, perhaps: the others go on
            return self._settle_upload(batch, UploadOutcome(UploadResult.UNREACHABLE, str(error)))
        self._store.mark_sending(batch)
        try:
            answer = self._client.upload(
                self._integration_id,
                batch.type,
                batch.request_id,
                self._spool.path(batch.file),
                batch.bytes,
                priority=batch.priority,
                begin=self._lease.renew,
                keep=self._lease.keep,
            )
        except BudgetSpent as error:
            answer = UploadOutcome(UploadResult.THROTTLED, str(error), error.until)
        except DataFileChanged as error:
            return self._lost(batch, str(error))
        return self._settle_upload(batch, answer)

    def _settle_upload(self, batch: Batch, answer: UploadOutcome) -> Errand:
        outcome = _UPLOADS[answer.result]
        went = advance(batch.state, outcome)
        due = self._due(batch, went, answer.until)
        if went.state is BatchState.ACCEPTED:
            self._store.mark_accepted(batch, due)
        else:
            self._store.postpone(batch, went.state, due, answer.detail, polled=False)
        return self._tell(batch, outcome, went, answer.detail)

    def _ask(self, batch: Batch) -> Errand:
        self._lease.keep()
        try:
            answer = self._client.status(self._integration_id, batch.request_id, priority=Priority.POLL)
        except BudgetSpent as error:
            answer = StatusOutcome(StatusResult.THROTTLED, str(error), until=error.until)
        outcome = self._outcome(batch, answer)
        went = advance(batch.state, outcome)
        if went.state in (BatchState.DONE, BatchState.FAILED) and answer.request is not None:
            self._book_end(batch, went.state, answer.request)
        elif went.step is not Step.UPLOAD or went.state is not batch.state:
            due = self._due(batch, went, answer.until)
            note = self._note(batch, outcome, answer)
            if went.state is BatchState.ACCEPTED and batch.state is not BatchState.ACCEPTED:
                self._store.mark_accepted(batch, due, note)
            elif went.state is BatchState.SENT and batch.state is BatchState.ACCEPTED:
                self._store.doubt(batch, due, answer.detail)
            else:
                polled = outcome is not Outcome.THROTTLED
                self._store.postpone(batch, went.state, due, note, polled=polled)
        return self._tell(batch, outcome, went, answer.detail)

    def _note(self, batch: Batch, outcome: Outcome, answer: StatusOutcome) -> str | None:
        """Return what keeps a batch that was asked about from getting on; the first time that it is stuck is told."""
        told = batch.note is not None and batch.note.startswith(STUCK)
        if outcome is not Outcome.PROCESSING:
            # A question in vain in between does not make it less stuck.
            return batch.note if told and outcome is not Outcome.DENIED else answer.detail
        waited = self._clock.now() - (batch.accepted_at or self._clock.now())
        if not told and not is_stuck(waited, self._usual(batch)):
            return None
        if not told:
            self._observer.event(
                "batch.stuck",
                batch=batch.id,
                type=batch.type.value,
                request_id=batch.request_id,
                seconds=round(waited),
                alarm=True,
            )
        return f"{STUCK}{round(waited / 60)} minutes; it is asked on"

    def _usual(self, batch: Batch) -> float | None:
        return usual(self._store.processed(batch.type), batch.lines)

    def _outcome(self, batch: Batch, answer: StatusOutcome) -> Outcome:
        if answer.result is StatusResult.KNOWN and answer.request is not None:
            return {
                Processing.PENDING: Outcome.PROCESSING,
                Processing.IN_PROGRESS: Outcome.PROCESSING,
                Processing.DONE: Outcome.DONE,
                Processing.FAILED: Outcome.FAILED,
            }[answer.request.processing]
        outcome = _ANSWERS[answer.result]
        since = batch.accepted_at or batch.sent_at or batch.created_at
        if outcome is Outcome.UNKNOWN and self._clock.now() - since > GRACE_SECONDS:
            return Outcome.FORGOTTEN
        return outcome

    def _book_end(self, batch: Batch, state: BatchState, answer: RequestStatus) -> None:
        if state is BatchState.DONE:
            self._store.mark_done(batch, answer, self._account_wait)
            self._spool.remove(batch.file)
        else:
            self._store.mark_failed(batch, answer)

    def _lost(self, batch: Batch, detail: str) -> Errand:
        """The bytes cannot be had again: what they said is read anew, once it is sure that Gong does not have them."""
        sent_at = batch.sent_at
        if sent_at is not None and self._clock.now() - sent_at <= GRACE_SECONDS:
            self._store.postpone(batch, batch.state, sent_at + GRACE_SECONDS + 1, detail, polled=False)
            return Errand(batch, Outcome.FILE_LOST, batch.state, detail)
        went = advance(batch.state, Outcome.FILE_LOST)
        if batch.kind is PassKind.BACKFILL:
            resolve_lost(self._backfills, batch, detail)
        else:
            self._store.resolve(batch, Verdict(rest=Pending.RESEND, due=self._clock.now()), detail)
        self._spool.remove(batch.file)
        return self._tell(batch, Outcome.FILE_LOST, went, detail)

    def _due(self, batch: Batch, went: Transition, until: float | None) -> float:
        # Until the file is there, each try may be in vain; once it is, the answer comes in its usual time.
        there = went.state is BatchState.ACCEPTED
        tries = batch.polls if there else max(batch.uploads, batch.polls)
        usually = self._usual(batch) if there else None
        match went.step:
            case Step.UPLOAD_LATER | Step.ASK_LATER:
                wait = growing(tries) if went.alarm else self._polling.delay(tries + 1, usually)
            case Step.ASK:
                wait = self._polling.delay(0 if there else tries, usually)
            case Step.UPLOAD | Step.RESOLVE | Step.NOTHING:
                wait = 0.0
        return max(self._clock.now() + wait, until or 0.0)

    def _tell(self, batch: Batch, outcome: Outcome, went: Transition, detail: str) -> Errand:
        self._observer.event(
            f"batch.{went.state.value}" if went.state is not batch.state else f"batch.{outcome.value}",
            batch=batch.id,
            type=batch.type.value,
            request_id=batch.request_id,
            lines=batch.lines,
            outcome=outcome.value,
            alarm=went.alarm,
        )
        return Errand(batch, outcome, went.state, detail)
