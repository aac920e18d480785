"""The ledger's only writer: every public method that writes is one transaction, fenced by the lease."""

from collections.abc import Callable, Sequence
from typing import Final

from connector.clock import Clock
from connector.ledger import batches, epoch, holds, isolating, objects, passes, properties, settling
from connector.ledger.database import Database
from connector.ledger.records import (
    TRAVELLING,
    AccountState,
    Batch,
    BatchState,
    Booking,
    Child,
    Cursor,
    Due,
    Group,
    HoldKind,
    Isolation,
    Live,
    ObjectState,
    PassKind,
    Pending,
    Processed,
    Tries,
    Verdict,
)
from connector.ledger.statement import text
from connector.model import Bound, RequestStatus
from connector.object_types import ObjectType

CALLS_SECONDS: Final = 3 * 86_400.0
"""How long it is kept what was called, and let go, in which minute: the charts show two days."""


class Store:
    """Reads and writes what the engine must know. Raises LedgerUnavailable and LeaseLost everywhere."""

    def __init__(self, database: Database, clock: Clock, booked: Callable[[int], None] = lambda _counter: None) -> None:
        """Note what to work with; `booked` is told the epoch's counter after each batch that was booked."""
        self._database = database
        self._clock = clock
        self._booked = booked

    # -- what the ledger is bound to -------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return a stored property of the ledger."""
        with self._database.reading() as connection:
            return properties.get(connection, key)

    def set_meta(self, key: str, value: str) -> None:
        """Store a property of the ledger."""
        with self._database.writing("set_meta") as connection:
            properties.put(connection, key, value)

    def forget_gong(self, names: Sequence[str], noted: str) -> None:
        """Forget all that is known of Gong, because the integration is to be deleted: objects, files, cursors, pauses,
        and the ledger's properties of these names and, where a name ends with a dot, of those that begin with it.

        Calls made and requests stay. `noted` is a property that is set to the time.
        """
        with self._database.writing("forget_gong") as connection:
            properties.forget_gong(connection, names)
            properties.put(connection, noted, str(self._clock.now()))

    # -- pauses ----------------------------------------------------------------------------------

    def pauses(self) -> dict[ObjectType, float]:
        """Return the types that are neither read nor uploaded, and since when (seconds since 1970 UTC)."""
        with self._database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT type, since FROM pauses").all()
        return {ObjectType(row.type): row.since for row in rows}

    def pause(self, object_type: ObjectType) -> None:
        """Have a type neither read nor uploaded until `resume`; one that is paused stays so since when it was."""
        with self._database.writing("pause") as connection:
            connection.execute(
                text("INSERT INTO pauses (type, since) VALUES (:type, :now) ON CONFLICT (type) DO NOTHING"),
                {"type": object_type, "now": self._clock.now()},
            )

    def resume(self, object_type: ObjectType) -> None:
        """End a type's pause."""
        with self._database.writing("resume") as connection:
            connection.execute(text("DELETE FROM pauses WHERE type = :type"), {"type": object_type})

    # -- reading: cursors and passes -------------------------------------------------------------

    def cursor(self, name: str) -> Cursor | None:
        """Return where reading of an entity source stands; None when it was never read."""
        with self._database.reading() as connection:
            return passes.cursor(connection, name)

    def begin_pass(self, name: str, kind: PassKind, fingerprint: str, bound: Bound | None) -> int:
        """Book the start of a pass and return its id. `bound` is what the cursor becomes when it is finished.

        A pass of kind AGAIN is only counted: it does not move the source's cursor.
        """
        now = self._clock.now()
        with self._database.writing("begin_pass") as connection:
            pass_id = passes.insert(connection, name, kind, now)
            if kind is not PassKind.AGAIN:
                passes.point_cursor(connection, name, fingerprint, pass_id, bound)
        return pass_id

    def fail_pass(self, pass_id: int, error: str) -> None:
        """Book why a pass stopped; it goes on from its position at the next try."""
        with self._database.writing("fail_pass") as connection:
            passes.fail(connection, pass_id, error)

    def fail_start(self, name: str, kind: PassKind, error: str) -> None:
        """Book that a pass could not even begin, and why."""
        with self._database.writing("fail_start") as connection:
            passes.insert(connection, name, kind, self._clock.now(), error)

    # -- reading: objects ------------------------------------------------------------------------

    def is_empty(self, object_type: ObjectType) -> bool:
        """Tell whether no object of a type is known."""
        with self._database.reading() as connection:
            return objects.is_empty(connection, object_type)

    def lookup(self, object_type: ObjectType, ids: Sequence[str]) -> dict[str, ObjectState]:
        """Return what is known of these objects; unknown ones are absent."""
        with self._database.reading() as connection:
            return objects.lookup(connection, object_type, ids)

    def known(self, object_type: ObjectType, source: int, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digest of the latest line of those objects of a source that are neither refused nor pending."""
        with self._database.reading() as connection:
            return objects.known(connection, object_type, source, ids)

    def accounts(self, ids: Sequence[str]) -> dict[str, AccountState]:
        """Return how these accounts stand with Gong; unknown ones are absent."""
        with self._database.reading() as connection:
            return objects.accounts(connection, ids)

    def children(self, account_ids: Sequence[str]) -> list[Child]:
        """Return the contacts, deals and leads of some accounts that Gong has, or may have, and that wait for nothing
        but their deletion; those of paused types aside.
        """
        with self._database.reading() as connection:
            return objects.children(connection, account_ids)

    def colliding(self, object_type: ObjectType) -> list[str]:
        """Return the objects of a type that are refused because of another row's key."""
        with self._database.reading() as connection:
            return objects.colliding(connection, object_type)

    def relate(self, object_type: ObjectType, ids: Sequence[str]) -> None:
        """Have the rows of objects that wait for nothing be read by key."""
        with self._database.writing("relate") as connection:
            objects.relate(connection, object_type, ids, self._clock.now())

    def holders(self, addresses: Sequence[bytes]) -> dict[bytes, set[str]]:
        """Return which business users hold these addresses in Gong, or may."""
        with self._database.reading() as connection:
            return objects.holders(connection, addresses)

    def due(
        self, object_type: ObjectType, limit: int, *, group: Group | None = None, after: Due | None = None
    ) -> list[Due]:
        """Return pending objects of a type whose time has come, the longest due first: those of one group, if it is
        given, and what comes `after` one of them.
        """
        with self._database.reading() as connection:
            return objects.due(connection, object_type, self._clock.now(), limit, group, after)

    def due_types(self) -> set[ObjectType]:
        """Return the types that have pending objects whose time has come, or an isolation that has not ended."""
        with self._database.reading() as connection:
            return objects.due_types(connection, self._clock.now())

    def due_groups(self, object_type: ObjectType) -> list[Group]:
        """Return which pending objects of a type whose time has come go together, those of no isolation first."""
        with self._database.reading() as connection:
            return objects.due_groups(connection, object_type, self._clock.now())

    def isolations(self, object_type: ObjectType) -> list[Isolation]:
        """Return the isolations of a type that have not ended."""
        with self._database.reading() as connection:
            return isolating.isolations(connection, object_type)

    def isolate(
        self, isolation: int, *, pieces: int, pieces_due: float, due: float, release: bool, ended: bool
    ) -> None:
        """Book the next step of an isolation: `pieces` of what waits (0: nothing does), to be sent from `pieces_due` on
        and waited for until `due`; whether what is believed to be good is released; whether it has ended.
        """
        with self._database.writing("isolate") as connection:
            if release:
                isolating.release(connection, isolation, self._clock.now())
            if pieces:
                isolating.cut(connection, isolation, pieces, pieces_due, due)
            elif ended:
                isolating.end(connection, isolation)
            else:
                isolating.wait(connection, isolation, due)

    def live(self, object_type: ObjectType, after: str, limit: int) -> list[Live]:
        """Return objects of a type that Gong has, or may have, by id after `after`."""
        with self._database.reading() as connection:
            return holds.live_after(connection, object_type, after, limit)

    def has_live(self, object_type: ObjectType, source: int) -> bool:
        """Tell whether Gong has, or may have, an object of that source of a type."""
        with self._database.reading() as connection:
            return objects.has_live(connection, object_type, source)

    def delay(self, object_type: ObjectType, seconds: float) -> None:
        """Put off the due pending objects of a type: their rows cannot be read now."""
        now = self._clock.now()
        with self._database.writing("delay") as connection:
            settling.delay(connection, object_type, now, now + seconds)

    def refused_and_deleted(self, object_type: ObjectType) -> list[str]:
        """Return the objects of a type that are deleted in Gong, and of which a later line is refused."""
        with self._database.reading() as connection:
            return settling.refused_and_deleted(connection, object_type)

    def forget_refusals(self, object_type: ObjectType, before: float, gone: Sequence[str]) -> None:
        """Forget refused rows of a type that a whole comparison begun at `before` did not meet again, and what is
        refused of objects that are `gone`: deleted in Gong, without a row.
        """
        with self._database.writing("forget_refusals") as connection:
            settling.forget_refusals(connection, object_type, before, gone)

    def next_due(self) -> float | None:
        """Return when the next pending object of a type that is not paused is due, or None when nothing is pending."""
        with self._database.reading() as connection:
            return objects.next_due(connection)

    def retry(self, object_type: ObjectType | None, object_id: str | None) -> int:
        """Make refused objects pending at once, all or some of them; return how many.

        Rows without a usable key cannot be read by key, and whether keys still collide a row alone does not tell: the
        next full reading looks at them again.
        """
        with self._database.writing("retry") as connection:
            return settling.retry(connection, object_type, object_id, self._clock.now())

    def resend(self, object_type: ObjectType, ids: Sequence[str] | None) -> int:
        """Make objects that Gong was told of go again although their rows did not change; return how many.

        Objects in flight are left alone: they are going. `ids` None means all of the type.
        """
        with self._database.writing("resend") as connection:
            return settling.resend(connection, object_type, ids, self._clock.now())

    # -- the one transaction of a reading step ---------------------------------------------------

    def book(self, booking: Booking) -> int | None:
        """Book a step of reading: its file, objects, refusals and how far the pass has come, all or nothing.

        Returns:
            The new batch's id; None when the booking has no file.
        """
        now = self._clock.now()
        with self._database.writing("book") as connection:
            batch_id = None
            counter = epoch.count(connection) if booking.batch is not None else None
            if booking.batch is not None:
                batch_id = batches.insert(connection, booking.type, booking.batch, now, _oldest_change(booking))
                objects.book_sends(connection, booking.type, booking.source, batch_id, booking.sends)
            objects.book_pends(connection, booking.type, booking.source, booking.pends, now)
            objects.book_row_refusals(connection, booking.type, booking.source, booking.refusals, now)
            objects.book_clears(connection, booking.type, booking.clears)
            holds.count(connection, booking.type, HoldKind.DELETIONS, booking.let_go, now)
            held = sum(pend.reason is Pending.HELD_DELETION for pend in booking.pends)
            if held:
                holds.refresh(connection, booking.type, HoldKind.DELETIONS, held, now)
            passes.count(connection, booking.pass_id, booking.counts)
            if booking.move is not None:
                passes.move_cursor(connection, booking.pass_id, booking.move, now)
        if counter is not None:
            self._booked(counter)
        return batch_id

    def finish_again(self, pass_id: int) -> None:
        """Book the end of a reading of pending objects."""
        with self._database.writing("finish_again") as connection:
            passes.finish(connection, pass_id, self._clock.now())

    # -- batches ---------------------------------------------------------------------------------

    def batches(self, states: Sequence[BatchState]) -> list[Batch]:
        """Return the batches in these states, oldest first."""
        with self._database.reading() as connection:
            return batches.in_states(connection, states)

    def next_batch(self, states: Sequence[BatchState] = TRAVELLING) -> Batch | None:
        """Return the batch in these states to be sent or asked about next, the most urgent first; None when none is
        due.
        """
        with self._database.reading() as connection:
            return batches.next_due(connection, states, self._clock.now())

    def next_batch_due(self) -> float | None:
        """Return when the next batch is to be sent or asked about (seconds since 1970 UTC)."""
        with self._database.reading() as connection:
            return batches.earliest_due(connection)

    def processed(self, object_type: ObjectType) -> list[Processed]:
        """Return how long Gong took for the latest batches of a type, the latest first."""
        with self._database.reading() as connection:
            return batches.processed(connection, object_type)

    def settlement(self, object_type: ObjectType) -> tuple[float | None, float | None]:
        """Return since when the oldest unsettled batch of a type waits, and when the latest one was settled."""
        with self._database.reading() as connection:
            return batches.settlement(connection, object_type)

    def mark_sending(self, batch: Batch) -> None:
        """Book, before the first byte leaves, that the file may have arrived from now on."""
        self._update_batch(
            "mark_sending",
            batch,
            "state = 'sent', uploads = uploads + 1, sent_at = COALESCE(sent_at, :now)",
            ("spooled", "sent", "accepted"),
        )

    def mark_accepted(self, batch: Batch, due_at: float, note: str | None = None) -> None:
        """Book that Gong has the file; it is asked for the outcome from `due_at` on."""
        self._update_batch(
            "mark_accepted",
            batch,
            "state = 'accepted', accepted_at = COALESCE(accepted_at, :now), due_at = :due, note = :note",
            ("sent", "accepted"),
            due=due_at,
            note=note,
        )

    def doubt(self, batch: Batch, due_at: float, note: str | None) -> None:
        """Book that Gong has no memory of a file that it took: it goes again, with a time of grace of its own."""
        self._update_batch(
            "doubt",
            batch,
            "state = 'sent', accepted_at = NULL, sent_at = :now, due_at = :due, note = :note, polls = polls + 1",
            ("accepted",),
            due=due_at,
            note=note,
        )

    def postpone(self, batch: Batch, state: BatchState, due_at: float, note: str | None, *, polled: bool) -> None:
        """Book when to try again, and what was seen; the state is `sent` or `spooled` or stays `accepted`."""
        self._update_batch(
            "postpone",
            batch,
            "state = :state, due_at = :due, note = :note, polls = polls + :polls",
            ("spooled", "sent", "accepted"),
            state=state.value,
            due=due_at,
            note=note,
            polls=int(polled),
        )

    def mark_done(self, batch: Batch, answer: RequestStatus, account_wait: float) -> None:
        """Book that Gong took every line, and release what waited for it."""
        now = self._clock.now()
        with self._database.writing("mark_done") as connection:
            batches.change(
                connection,
                batch,
                "state = 'done', settled_at = :now, answer = :answer, note = NULL, polls = polls + 1,"
                " accepted_at = COALESCE(accepted_at, :now)",
                ("sent", "accepted"),
                now,
                answer=batches.dump_answer(answer),
            )
            settling.release_after_done(connection, batch.type, batch.id, now, account_wait)

    def mark_failed(self, batch: Batch, answer: RequestStatus) -> None:
        """Book that Gong answered FAILED, with its errors; `resolve` books the lines."""
        self._update_batch(
            "mark_failed",
            batch,
            "state = 'failed', settled_at = :now, answer = :answer, note = NULL, polls = polls + 1,"
            " accepted_at = COALESCE(accepted_at, :now)",
            ("sent", "accepted"),
            answer=batches.dump_answer(answer),
        )

    def resolve(self, batch: Batch, verdict: Verdict, note: str | None = None) -> int:
        """Book what becomes of the lines of a failed or lost batch; return how many were in vain too often, so that
        they are refused now, with `note` as the reason.
        """
        now = self._clock.now()
        with self._database.writing("resolve") as connection:
            batches.change(
                connection,
                batch,
                "state = 'resolved', settled_at = COALESCE(settled_at, :now), note = :note",
                ("spooled", "sent", "accepted", "failed"),
                now,
                note=note,
            )
            settling.book_refused(connection, batch.type, batch.id, verdict, now)
            if verdict.rest is None:
                settling.rest_is_good(connection, batch.type, batch.id, now)
                return 0
            due, isolation = verdict.due, None
            if verdict.rest is Pending.SUSPECT:
                isolation = batch.isolation or batch.id
                due = isolating.add(connection, isolation, batch.type, verdict.hidden, due)
            settling.rest_again(connection, batch.type, batch.id, verdict, due, isolation, now)
            return settling.give_up(connection, batch.type, batch.id, verdict.most_tries, note or "", now)

    def ids_of_lines(self, batch: Batch, lines: Sequence[int]) -> dict[int, str]:
        """Return the objects that stand on these lines of an unsettled batch's file."""
        with self._database.reading() as connection:
            return settling.ids_of_lines(connection, batch.type, batch.id, lines)

    def tries(self, batch: Batch) -> Tries:
        """Return how often the lines of an unsettled batch were in vain before."""
        with self._database.reading() as connection:
            return settling.tries(connection, batch.type, batch.id)

    def prune(self, before: float) -> int:
        """Forget batches settled before that time, and passes and calls that nothing asks for any more; return how many
        batches.
        """
        now = self._clock.now()
        with self._database.writing("prune") as connection:
            gone = batches.prune(connection, before)
            passes.prune(connection, now)
            minute = int((now - CALLS_SECONDS) // 60)
            connection.execute(text("DELETE FROM calls WHERE minute < :minute"), {"minute": minute})
            connection.execute(text("DELETE FROM let_go WHERE minute < :minute"), {"minute": minute})
        return gone

    def _update_batch(
        self, step: str, batch: Batch, assignments: str, allowed: Sequence[str], **values: object
    ) -> None:
        with self._database.writing(step) as connection:
            batches.change(connection, batch, assignments, allowed, self._clock.now(), **values)


def _oldest_change(booking: Booking) -> float | None:
    """Return the earliest change that a pass found, for its lag. What other readings send is not news of the CRM's."""
    if booking.batch is None or booking.batch.kind is not PassKind.INCREMENTAL:
        return None
    return min((float(send.modified) for send in booking.sends), default=None)
