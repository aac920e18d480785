"""SQL for what happens to objects when a file is settled or lost, or when they are to be sent again."""

from collections.abc import Sequence

from sqlalchemy import Connection

from connector.ledger.bulk import id_list, in_list
from connector.ledger.objects import HELD_SQL, LIVE_SQL, REFUSED_AGAIN, UNSETTLED_SQL, list_refusals
from connector.ledger.records import ALIKE, SAME_KEY, Pending, Tries, Verdict
from connector.ledger.statement import text
from connector.object_types import ObjectType


def release_after_done(
    connection: Connection, object_type: ObjectType, batch_id: int, now: float, account_wait: float
) -> None:
    """Make due what waited for this batch: newer changes of its objects, and lines that name its accounts."""
    connection.execute(
        text(
            "UPDATE objects SET pending_due = :now WHERE type = :type AND pending IN ('in_flight', 'address', 'gone')"
            " AND batch_id = :batch"
        ),
        {"now": now, "type": object_type, "batch": batch_id},
    )
    if object_type is ObjectType.BUSINESS_USER:
        connection.execute(
            text("UPDATE objects SET pending_due = :now WHERE type = 'BUSINESS_USER' AND pending = 'address'"),
            {"now": now},
        )
    if object_type in (ObjectType.CONTACT, ObjectType.DEAL, ObjectType.LEAD):
        connection.execute(
            text(
                "UPDATE objects SET pending_due = :now"
                " WHERE pending IS NOT NULL AND type = 'ACCOUNT' AND pending_due > :now AND pending = 'gone'"
            ),
            {"now": now},
        )
    if object_type is ObjectType.ACCOUNT:
        connection.execute(
            text(
                "UPDATE objects SET pending_due = (SELECT CASE WHEN a.told_digest IS NULL"
                " THEN CAST(:later AS double precision) ELSE :now END"
                " FROM objects a WHERE a.type = 'ACCOUNT' AND a.object_id = objects.account_id)"
                # Each account is looked up by its key. An EXISTS, which PostgreSQL may turn into a join, made it read
                # the whole table for each account of the file, as long as it knew nothing of a ledger just filled.
                " WHERE pending IN ('account', 'dependency') AND :batch ="
                # A line that Gong refused although it had the account does not depend on that.
                " (SELECT CASE WHEN objects.pending = 'account' OR a.told_digest IS NULL OR a.told_deleted"
                " THEN a.batch_id END FROM objects a WHERE a.type = 'ACCOUNT' AND a.object_id = objects.account_id)"
            ),
            {"now": now, "later": now + account_wait, "batch": batch_id},
        )


_CHANGED = "COALESCE(pending, '') IN ('in_flight', 'related')"
"""The row of an object in flight is known to have changed since: it waits for nothing that befell the older line."""
_ELSEWHERE = f"(COALESCE(pending, '') IN ('gone', 'silent', 'history') OR COALESCE(pending, '') IN {HELD_SQL})"
"""What is to become of an object in flight is decided already, whatever befalls its line."""


def book_refused(connection: Connection, object_type: ObjectType, batch_id: int, verdict: Verdict, now: float) -> None:
    """Book the lines of a failed batch that Gong listed."""
    content = [refusal for refusal in verdict.refused if refusal.kind != "dependency"]
    dependent = [refusal for refusal in verdict.refused if refusal.kind == "dependency"]
    if content:
        connection.execute(
            text(
                # Refused already: while the line was in flight, its row changed and could not be mapped any more.
                # It is read anew, so that not the older line's fault is what stays listed.
                "UPDATE objects SET refused_digest = sent_digest, sent_digest = NULL,"
                " pending = CASE WHEN pending IS NULL AND refused_digest IS NOT NULL THEN :again ELSE pending END,"
                " pending_since = CASE WHEN pending IS NULL AND refused_digest IS NOT NULL THEN :now"
                "                      ELSE pending_since END,"
                " pending_due = CASE WHEN pending IS NULL AND refused_digest IS NULL THEN NULL"
                f"                    WHEN pending = '{Pending.HISTORY}' THEN pending_due ELSE :now END"
                " WHERE type = :type AND object_id = :id AND batch_id = :batch"
            ),
            [
                {
                    "type": object_type.value,
                    "id": refusal.object_id,
                    "batch": batch_id,
                    "now": now,
                    "again": Pending.RESEND.value,
                }
                for refusal in content
            ],
        )
    if dependent:
        connection.execute(
            text(
                "UPDATE objects SET refused_digest = sent_digest, sent_digest = NULL, pending = :reason,"
                f" pending_since = :now, pending_due = CASE WHEN {_CHANGED} THEN :now ELSE :due END, tries = tries + 1"
                " WHERE type = :type AND object_id = :id AND batch_id = :batch"
            ),
            [
                {
                    "type": object_type.value,
                    "id": refusal.object_id,
                    "batch": batch_id,
                    "now": now,
                    "due": verdict.dependency_due,
                    "reason": Pending.DEPENDENCY.value,
                }
                for refusal in dependent
            ],
        )
    list_refusals(connection, object_type, "gong", verdict.refused, now, batch_id)


def rest_is_good(connection: Connection, object_type: ObjectType, batch_id: int, now: float) -> None:
    """Book that Gong kept the lines of a failed batch that it did not refuse."""
    connection.execute(
        text(
            "UPDATE objects SET pending_due = :now WHERE type = :type AND batch_id = :batch"
            f" AND sent_digest IS NOT NULL AND pending IS NOT NULL AND pending <> '{Pending.HISTORY}'"
        ),
        {"now": now, "type": object_type, "batch": batch_id},
    )


def rest_again(
    connection: Connection,
    object_type: ObjectType,
    batch_id: int,
    verdict: Verdict,
    due: float,
    isolation: int | None,
    now: float,
) -> None:
    """Book that the lines of a failed or lost batch which are not refused must go again, and when."""
    assert verdict.rest is not None, "there is a rest that goes again"
    connection.execute(
        text(
            "UPDATE objects SET told_unsure = true, pending_since = :now,"
            f" pending = CASE WHEN {_CHANGED} THEN 'resend' WHEN {_ELSEWHERE} THEN pending ELSE :reason END,"
            f" pending_due = CASE WHEN {_CHANGED} OR pending IN ('gone', 'silent') THEN :now"
            f"                    WHEN {_ELSEWHERE} THEN pending_due ELSE :due END,"
            f" refused_digest = CASE WHEN :remember > 0 AND NOT {_CHANGED} AND NOT {_ELSEWHERE}"
            "                       THEN sent_digest ELSE refused_digest END,"
            " sent_digest = NULL, isolation = :isolation, piece = CASE WHEN line <= :believed THEN 0 END,"
            " tries = tries + CASE WHEN line <= :believed THEN 1 ELSE :more END"
            " WHERE type = :type AND batch_id = :batch AND sent_digest IS NOT NULL"
        ),
        {
            "type": object_type,
            "batch": batch_id,
            "reason": verdict.rest.value,
            "now": now,
            "due": due,
            "remember": int(verdict.rest in (Pending.GENERAL, Pending.SUSPECT)),
            "isolation": isolation,
            "believed": verdict.believed_until,
            "more": int(verdict.rest is not Pending.SUSPECT),
        },
    )


def give_up(
    connection: Connection, object_type: ObjectType, batch_id: int, most_tries: int, reason: str, now: float
) -> int:
    """List the lines that went down with their whole file too often as refused; return how many."""
    lines = f"type = :type AND batch_id = :batch AND pending = '{Pending.GENERAL}' AND tries >= :most"
    values = {"type": object_type, "batch": batch_id, "most": most_tries, "reason": reason, "now": now}
    if not most_tries:
        return 0
    connection.execute(
        text(
            "INSERT INTO refusals (type, object_id, origin, kind, field, reason, batch_id, line, first_at, last_at,"
            " times) SELECT type, object_id, 'gong', 'general', '', CAST(:reason AS TEXT), batch_id, line,"
            " CAST(:now AS DOUBLE PRECISION), CAST(:now AS DOUBLE PRECISION), 1"
            f" FROM objects WHERE {lines} {REFUSED_AGAIN}"
        ),
        values,
    )
    return connection.execute(
        text(f"UPDATE objects SET pending = NULL, pending_since = NULL, pending_due = NULL WHERE {lines}"), values
    ).rowcount


def tries(connection: Connection, object_type: ObjectType, batch_id: int) -> Tries:
    """Return how often the lines of an unsettled batch were in vain before."""
    least, most = connection.execute(
        text(
            "SELECT COALESCE(min(tries), 0), COALESCE(max(tries), 0) FROM objects"
            " WHERE type = :type AND batch_id = :batch AND sent_digest IS NOT NULL"
        ),
        {"type": object_type, "batch": batch_id},
    ).one()
    return Tries(least, most)


def retry(connection: Connection, object_type: ObjectType | None, object_id: str | None, now: float) -> int:
    """Make refused objects pending at once, all or some of them, but those that a row alone does not tell about."""
    chosen = "refused_digest NOT IN (:same_key, :alike)"
    if object_type is not None:
        chosen += " AND type = :type"
    if object_id is not None:
        chosen += " AND object_id = :id"
    changed = connection.execute(
        text(
            "UPDATE objects SET refused_digest = NULL, pending = :reason, pending_since = :now,"
            f" pending_due = :now, tries = 0 WHERE {chosen}"
        ),
        {
            "now": now,
            "type": object_type,
            "id": object_id,
            "reason": Pending.RETRY.value,
            "same_key": SAME_KEY,
            "alike": ALIKE,
        },
    ).rowcount
    return int(changed)


def resend(connection: Connection, object_type: ObjectType, ids: Sequence[str] | None, now: float) -> int:
    """Make objects that are not in flight pending, and what they were told too doubtful to skip a line for."""
    chosen = "" if ids is None else f" AND {in_list(connection, 'object_id')}"
    changed = connection.execute(
        text(
            "UPDATE objects SET told_digest = COALESCE(sent_digest, told_digest),"
            " told_modified = CASE WHEN sent_digest IS NULL THEN told_modified ELSE last_modified END,"
            " told_deleted = CASE WHEN sent_digest IS NULL THEN told_deleted ELSE sent_deleted END,"
            " sent_digest = NULL, told_unsure = true, pending = :reason, pending_since = :now, pending_due = :now"
            " WHERE refused_digest IS NULL"
            f" AND (pending IS NULL OR pending <> '{Pending.HISTORY}' AND pending NOT IN {HELD_SQL}) AND"
            f" {LIVE_SQL} AND (batch_id IS NULL OR batch_id NOT IN"
            f" (SELECT id FROM batches WHERE state IN {UNSETTLED_SQL})){chosen}"
        ),
        {"reason": Pending.ASKED.value, "now": now, "type": object_type}
        | ({} if ids is None else {"ids": id_list(connection, ids)}),
    ).rowcount
    return int(changed)


def delay(connection: Connection, object_type: ObjectType, now: float, until: float) -> None:
    """Put off the due pending objects of a type: their rows cannot be read now."""
    connection.execute(
        text(
            "UPDATE objects SET pending_due = :until WHERE pending IS NOT NULL AND type = :type AND pending_due <= :now"
        ),
        {"until": until, "type": object_type, "now": now},
    )


def refused_and_deleted(connection: Connection, object_type: ObjectType) -> list[str]:
    """Return the objects of a type of which Gong settled the deletion, and a later line is refused."""
    statement = text(
        "SELECT object_id FROM objects WHERE type = :type AND refused_digest IS NOT NULL AND pending IS NULL"
        " AND sent_digest IS NULL AND told_deleted AND NOT told_unsure"
    )
    found = connection.execute(statement, {"type": object_type})
    return [object_id for (object_id,) in found]


def forget_refusals(connection: Connection, object_type: ObjectType, before: float, gone: Sequence[str]) -> None:
    """Forget refused rows of a type that a whole comparison begun at `before` did not meet again, and what is refused
    of those that are `gone` and deleted in Gong; keys that collide are not forgotten here.
    """
    if gone:
        lines = f"type = :type AND {in_list(connection, 'object_id')}"
        one = {"type": object_type, "ids": id_list(connection, gone)}
        connection.execute(text(f"DELETE FROM refusals WHERE {lines}"), one)
        connection.execute(text(f"UPDATE objects SET refused_digest = NULL WHERE {lines}"), one)
    values = {"type": object_type, "before": before, "same_key": SAME_KEY, "alike": ALIKE}
    stale = (
        "type = :type AND origin = 'connector' AND last_at < :before AND NOT EXISTS (SELECT 1 FROM objects o"
        " WHERE o.type = refusals.type AND o.object_id = refusals.object_id"
        " AND o.refused_digest IN (:same_key, :alike))"
    )
    connection.execute(
        text(
            "UPDATE objects SET refused_digest = NULL WHERE type = :type AND refused_digest IS NOT NULL"
            f" AND object_id IN (SELECT object_id FROM refusals WHERE {stale})"
        ),
        values,
    )
    connection.execute(text(f"DELETE FROM refusals WHERE {stale}"), values)


def ids_of_lines(
    connection: Connection, object_type: ObjectType, batch_id: int, lines: Sequence[int]
) -> dict[int, str]:
    """Return the objects that stand on these lines of a batch's file."""
    if not lines:
        return {}
    rows = connection.execute(
        text(
            "SELECT line, object_id FROM objects WHERE type = :type AND batch_id = :batch"
            f" AND sent_digest IS NOT NULL AND {in_list(connection, 'line')}"
        ),
        {"type": object_type, "batch": batch_id, "ids": id_list(connection, lines)},
    )
    return {line: object_id for line, object_id in rows}  # noqa: C416 - a row is no pair to the type checker
