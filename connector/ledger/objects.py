"""SQL over the `objects` and `refusals` tables, always for many rows at once.

A line is in flight while `sent_digest` is set and its batch is unsettled, and told when it is set and its
batch is settled: DONE needs no write here. A failure moves or clears `sent_digest`; sending the next line
first saves the settled one in `told_*`.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from connector.ledger.bulk import id_list, in_list, upsert
from connector.ledger.records import (
    ALIKE,
    SAME_KEY,
    UNSETTLED,
    AccountState,
    Child,
    Clear,
    Due,
    Group,
    ObjectState,
    Pend,
    Pending,
    Refuse,
    Send,
)
from connector.ledger.statement import text
from connector.object_types import ObjectType

HELD_SQL = f"('{Pending.HELD_DELETION}', '{Pending.HELD_CHANGE}')"
UNSETTLED_SQL = "(" + ", ".join(f"'{state.value}'" for state in UNSETTLED) + ")"

_SENT = ("object_id", "sent_digest", "sent_deleted", "last_modified", "line", "account_id", "address")
"""As the fields of `Send`."""
_PLAIN = tuple(name for name in _SENT if name not in ("sent_deleted", "address"))
_PENDING = ("type", "object_id", "source", "pending", "pending_since", "pending_due", "tries", "account_id")
_LISTED = (
    "type", "object_id", "origin", "kind", "field", "reason", "batch_id", "line", "first_at", "last_at", "times",
)  # fmt: skip

_AFTER_SEND = """
ON CONFLICT (type, object_id) DO UPDATE SET
    told_digest = COALESCE(objects.sent_digest, objects.told_digest),
    told_modified = CASE WHEN objects.sent_digest IS NULL THEN objects.told_modified ELSE objects.last_modified END,
    told_deleted = CASE WHEN objects.sent_digest IS NULL THEN objects.told_deleted ELSE objects.sent_deleted END,
    told_unsure = CASE WHEN objects.sent_digest IS NULL THEN objects.told_unsure ELSE false END,
    tries = CASE WHEN objects.sent_digest IS NULL AND COALESCE(objects.pending, '') NOT IN ('account', 'address')
                 THEN objects.tries ELSE 0 END,
    source = excluded.source, sent_digest = excluded.sent_digest, sent_deleted = excluded.sent_deleted,
    last_modified = excluded.last_modified, batch_id = excluded.batch_id, line = excluded.line,
    account_id = CASE WHEN excluded.sent_deleted THEN COALESCE(excluded.account_id, objects.account_id)
                      ELSE excluded.account_id END,
    address = excluded.address,
    refused_digest = NULL, pending = NULL, pending_since = NULL, pending_due = NULL
"""

REMEMBERING_SQL = f"('{Pending.GENERAL}', '{Pending.SUSPECT}')"
"""Reasons to be pending with which `refused_digest` is that of a line which is not refused for itself."""

# A failure booked since this decision was made is not written over, and news from another table changes no reason, but
# explains a change that seemed to have none.
_KEPT = (
    f"(objects.pending = '{Pending.RESEND}' AND excluded.pending = '{Pending.IN_FLIGHT}'"
    f" OR objects.pending IS NOT NULL AND objects.pending <> '{Pending.HELD_CHANGE}'"
    f" AND excluded.pending = '{Pending.RELATED}')"
)

_AFTER_PEND = f"""
ON CONFLICT (type, object_id) DO UPDATE SET
    source = excluded.source,
    pending_since = CASE WHEN objects.pending IS NULL THEN excluded.pending_since ELSE objects.pending_since END,
    pending_due = CASE WHEN {_KEPT} AND (excluded.pending <> '{Pending.RELATED}'
                                         OR objects.pending = '{Pending.HELD_DELETION}')
                       THEN objects.pending_due ELSE excluded.pending_due END,
    tries = CASE WHEN {_KEPT} THEN objects.tries ELSE excluded.tries END,
    refused_digest = CASE WHEN objects.pending IN {REMEMBERING_SQL} AND NOT {_KEPT}
                           AND excluded.pending <> objects.pending
                          THEN NULL ELSE objects.refused_digest END,
    pending = CASE WHEN {_KEPT} THEN objects.pending ELSE excluded.pending END,
    account_id = COALESCE(excluded.account_id, objects.account_id)
    WHERE objects.pending IS NULL OR objects.pending <> '{Pending.HISTORY}'
"""

_AFTER_REFUSE = f"""
ON CONFLICT (type, object_id) DO UPDATE SET
    source = excluded.source, refused_digest = excluded.refused_digest,
    pending = CASE WHEN objects.pending = '{Pending.HISTORY}' THEN objects.pending END,
    pending_since = CASE WHEN objects.pending = '{Pending.HISTORY}' THEN objects.pending_since END,
    pending_due = CASE WHEN objects.pending = '{Pending.HISTORY}' THEN objects.pending_due END
"""

REFUSED_AGAIN = """
ON CONFLICT (type, object_id) DO UPDATE SET
    origin = excluded.origin, kind = excluded.kind, field = excluded.field,
    reason = excluded.reason, batch_id = excluded.batch_id, line = excluded.line, last_at = excluded.last_at,
    times = refusals.times + 1
"""

_LOOKUP = """
SELECT o.object_id, o.told_digest, o.told_deleted, o.told_unsure, o.sent_digest, o.sent_deleted,
       o.batch_id, o.refused_digest, o.pending, o.pending_due, o.tries, o.last_modified, o.address, o.source
FROM objects o WHERE o.type = :type AND {ids}
"""

_KNOWN = """
SELECT object_id, sent_digest FROM objects
WHERE type = :type AND source = :source AND sent_digest IS NOT NULL AND pending IS NULL AND refused_digest IS NULL
  AND {ids}
"""

_ACCOUNTS = """
SELECT o.object_id, o.told_digest, o.told_deleted, o.sent_digest, o.sent_deleted, b.state, b.settled_at
FROM objects o LEFT JOIN batches b ON b.id = o.batch_id
WHERE o.type = 'ACCOUNT' AND {ids}
"""

_HOLDERS = f"""
SELECT o.object_id FROM objects o LEFT JOIN batches b ON b.id = o.batch_id
WHERE o.type = 'BUSINESS_USER' AND o.address = :address AND o.last_modified IS NOT NULL AND NOT (
    o.sent_digest IS NULL AND (o.told_deleted OR o.told_digest IS NULL) AND NOT o.told_unsure
    OR o.sent_digest IS NOT NULL AND o.sent_deleted AND (b.state IS NULL OR b.state NOT IN {UNSETTLED_SQL})
)
"""  # an address is free once the deletion of its holder is settled, and where Gong took no line of the holder


def is_empty(connection: Connection, object_type: ObjectType) -> bool:
    """Tell whether no object of a type is known."""
    found = connection.execute(text("SELECT 1 FROM objects WHERE type = :type LIMIT 1"), {"type": object_type})
    return found.first() is None


def lookup(connection: Connection, object_type: ObjectType, ids: Sequence[str]) -> dict[str, ObjectState]:
    """Return what is known of these objects; unknown ones are absent."""
    unsettled = set(connection.exec_driver_sql(f"SELECT id FROM batches WHERE state IN {UNSETTLED_SQL}").scalars())
    rows = connection.execute(
        text(_LOOKUP.format(ids=in_list(connection, "o.object_id"))),
        {"type": object_type, "ids": id_list(connection, ids)},
    )
    found: dict[str, ObjectState] = {}
    for (
        object_id, told, told_deleted, unsure, sent, sent_deleted,
        batch, refused, pending, due_at, tries, modified, address, source,
    ) in rows:  # fmt: skip
        in_flight = sent if batch in unsettled else None
        settled = sent is not None and in_flight is None
        found[object_id] = ObjectState(
            told=sent if settled else (None if unsure else told),
            told_deleted=bool(sent_deleted if settled else told_deleted),
            in_flight=in_flight,
            refused=refused,
            pending=None if pending is None else Pending(pending),
            pending_due=due_at,
            tries=0 if settled and pending is None else tries,
            last_modified=modified,
            address=address,
            source=source,
            deleting=bool(sent is None and sent_deleted and unsure),
            batch=batch,
        )
    return found


def known(connection: Connection, object_type: ObjectType, source: int, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the digest of the latest line of those objects of a source that are neither refused nor pending."""
    rows = connection.execute(
        text(_KNOWN.format(ids=in_list(connection, "object_id"))),
        {"type": object_type, "source": source, "ids": id_list(connection, ids)},
    )
    return dict(rows.cursor.fetchall())  # the driver's own rows: there are a million


def accounts(connection: Connection, ids: Sequence[str]) -> dict[str, AccountState]:
    """Return how these accounts stand with Gong; accounts that the ledger does not know are absent."""
    rows = connection.execute(
        text(_ACCOUNTS.format(ids=in_list(connection, "o.object_id"))), {"ids": id_list(connection, ids)}
    )
    found: dict[str, AccountState] = {}
    for object_id, told, told_deleted, sent, sent_deleted, state, settled_at in rows.cursor.fetchall():
        if sent is not None and state not in UNSETTLED:
            found[object_id] = AccountState(not sent_deleted, settled_at if told is None else None)
        else:
            found[object_id] = AccountState(told is not None and not told_deleted, None)
    return found


def holders(connection: Connection, addresses: Sequence[bytes]) -> dict[bytes, set[str]]:
    """Return which business users hold these addresses in Gong, or may."""
    found: dict[bytes, set[str]] = {}
    for address in set(addresses):
        ids = set(connection.execute(text(_HOLDERS), {"address": address}).scalars())
        if ids:
            found[address] = ids
    return found


def book_sends(
    connection: Connection, object_type: ObjectType, source: int, batch_id: int, sends: Sequence[Send]
) -> None:
    """Book written lines as in flight; what was settled before is saved as told."""
    fixed: dict[str, str | int | bool | None] = {"type": object_type.value, "source": source, "batch_id": batch_id}
    columns: tuple[str, ...] = _SENT
    # Neighbours in the index; no two writers lock in different orders.
    rows: Iterable[tuple[Any, ...]] = sorted(sends, key=itemgetter(0))
    if not any(send.deleted or send.address for send in sends):  # as in all files but a few: two values less to bind
        fixed |= {"sent_deleted": False, "address": None}
        columns, rows = _PLAIN, map(itemgetter(0, 1, 3, 4, 5), rows)
    upsert(connection, "objects", columns, rows, _AFTER_SEND, fixed)
    connection.execute(
        text(
            # One look by key for each refusal: as an EXISTS, PostgreSQL may read all objects instead.
            "DELETE FROM refusals WHERE type = :type AND :batch = (SELECT o.batch_id FROM objects o"
            " WHERE o.type = refusals.type AND o.object_id = refusals.object_id)"
        ),
        {"type": object_type, "batch": batch_id},
    )


def book_pends(connection: Connection, object_type: ObjectType, source: int, pends: Sequence[Pend], now: float) -> None:
    """Book objects as pending. The oldest waiting time of an object is kept."""
    kind = object_type.value
    upsert(
        connection,
        "objects",
        _PENDING,
        (
            (kind, object_id, source, reason.value, now, due, tries, account_id)
            for object_id, reason, due, tries, account_id in pends
        ),
        _AFTER_PEND,
    )


def book_row_refusals(
    connection: Connection, object_type: ObjectType, source: int, refusals: Sequence[Refuse], now: float
) -> None:
    """Book rows that could not be mapped, with their reasons."""
    upsert(
        connection,
        "objects",
        ("type", "object_id", "source", "refused_digest"),
        [(object_type.value, refusal.object_id, source, refusal.digest) for refusal in refusals if refusal.identified],
        _AFTER_REFUSE,
    )
    list_refusals(connection, object_type, "connector", refusals, now, None)


def list_refusals(
    connection: Connection,
    object_type: ObjectType,
    origin: str,
    refusals: Sequence[Refuse],
    now: float,
    batch_id: int | None,
) -> None:
    """List objects as refused, with their reasons; `origin` is `connector` or `gong`."""
    upsert(
        connection,
        "refusals",
        _LISTED,
        (
            (
                object_type.value,
                _storable(refusal.object_id),
                origin,
                refusal.kind,
                refusal.field,
                _storable(refusal.reason),
                batch_id,
                refusal.line,
                now,
                now,
                1,
            )
            for refusal in refusals
        ),
        REFUSED_AGAIN,
    )


def book_clears(connection: Connection, object_type: ObjectType, clears: Sequence[Clear]) -> None:
    """Forget that objects were pending (for the reason that was seen) or refused."""
    waiting = [
        {"type": object_type.value, "id": clear.object_id, "seen": clear.pending.value}
        for clear in clears
        if clear.pending is not None
    ]
    if waiting:
        connection.execute(
            text(
                "UPDATE objects SET pending = NULL, pending_since = NULL, pending_due = NULL"
                " WHERE type = :type AND object_id = :id AND pending = :seen"
            ),
            waiting,
        )
    mended = [{"type": object_type.value, "id": clear.object_id} for clear in clears if clear.refusal]
    if mended:
        connection.execute(
            text("UPDATE objects SET refused_digest = NULL WHERE type = :type AND object_id = :id"), mended
        )
        connection.execute(text("DELETE FROM refusals WHERE type = :type AND object_id = :id"), mended)


LIVE_SQL = (
    "type = :type AND last_modified IS NOT NULL"
    " AND NOT (CASE WHEN sent_digest IS NOT NULL THEN sent_deleted ELSE told_deleted AND NOT told_unsure END)"
)


# Held deletions, and those of a paused type, may never go: nothing waits for them. The other reasons to be pending that
# are not named here are waits of their own, whose rows say something else than that they are deleted.
_CHILDREN = f"""
SELECT type, object_id, source, account_id, deleting, refused_digest FROM (
    SELECT type, object_id, source, account_id, refused_digest, pending,
           COALESCE(pending, '') = 'gone'
           OR sent_digest IS NOT NULL AND sent_deleted AND batch_id IN
              (SELECT id FROM batches WHERE state IN {UNSETTLED_SQL})
           OR sent_digest IS NULL AND sent_deleted AND told_unsure
              AND COALESCE(pending, '') IN ('{Pending.RESEND}', '{Pending.SUSPECT}') AS deleting,
           NOT (CASE WHEN sent_digest IS NOT NULL THEN sent_deleted ELSE told_deleted AND NOT told_unsure END) AS live
    FROM objects
    WHERE type IN ('CONTACT', 'DEAL', 'LEAD') AND type NOT IN (SELECT type FROM pauses)
      AND last_modified IS NOT NULL AND {{ids}}
) AS found
WHERE deleting OR live AND (pending IS NULL OR pending IN
      ('{Pending.RELATED}', '{Pending.IN_FLIGHT}', '{Pending.RESEND}', '{Pending.RETRY}', '{Pending.ASKED}',
       '{Pending.SILENT}'))
"""


def children(connection: Connection, account_ids: Sequence[str]) -> list[Child]:
    """Return the contacts, deals and leads of some accounts that Gong has, or may have."""
    rows = connection.execute(
        text(_CHILDREN.format(ids=in_list(connection, "account_id"))), {"ids": id_list(connection, account_ids)}
    )
    return [
        Child(ObjectType(kind), object_id, source, account_id, bool(deleting), refused)
        for kind, object_id, source, account_id, deleting, refused in rows
    ]


def relate(connection: Connection, object_type: ObjectType, ids: Sequence[str], now: float) -> None:
    """Have the rows of objects that wait for nothing be read by key."""
    connection.execute(
        text(
            f"UPDATE objects SET pending = '{Pending.RELATED}', pending_since = :now, pending_due = :now"
            f" WHERE pending IS NULL AND type = :type AND {in_list(connection, 'object_id')}"
        ),
        {"type": object_type, "now": now, "ids": id_list(connection, ids)},
    )


def colliding(connection: Connection, object_type: ObjectType) -> list[str]:
    """Return the objects of a type that are refused because of another row's key."""
    statement = text("SELECT object_id FROM objects WHERE type = :type AND refused_digest IN (:same_key, :alike)")
    values = {"type": object_type, "same_key": SAME_KEY, "alike": ALIKE}
    return list(connection.execute(statement, values).scalars())


def has_live(connection: Connection, object_type: ObjectType, source: int) -> bool:
    """Tell whether Gong has, or may have, an object of that source of a type."""
    statement = text(f"SELECT 1 FROM objects WHERE {LIVE_SQL} AND source = :source LIMIT 1")
    return connection.execute(statement, {"type": object_type, "source": source}).first() is not None


def next_due(connection: Connection) -> float | None:
    """Return when the next pending object of a type that is not paused is due; None when nothing is pending."""
    due: float | None = connection.exec_driver_sql(
        "SELECT min(pending_due) FROM objects WHERE pending IS NOT NULL AND type NOT IN (SELECT type FROM pauses)"
    ).scalar()
    return due


def due_types(connection: Connection, now: float) -> set[ObjectType]:
    """Return the types of which pending objects' time has come, or an isolation is under way: one look for all, since
    a daemon looks each second and mostly finds nothing.
    """
    due = (
        f"SELECT '{kind}' WHERE EXISTS (SELECT 1 FROM objects WHERE pending IS NOT NULL AND type = '{kind}'"
        " AND pending_due <= :now)"
        for kind in ObjectType
    )
    rows = connection.execute(text(f"SELECT type FROM isolations UNION {' UNION '.join(due)}"), {"now": now})
    return {ObjectType(kind) for (kind,) in rows}


def due_groups(connection: Connection, object_type: ObjectType, now: float) -> list[Group]:
    """Return which pending objects of a type go together now, those of no isolation first."""
    rows = connection.execute(
        text(
            f"SELECT DISTINCT source, CASE WHEN pending = '{Pending.SUSPECT}' THEN isolation END,"
            f" CASE WHEN pending = '{Pending.SUSPECT}' THEN piece END FROM objects"
            " WHERE pending IS NOT NULL AND type = :type AND pending_due <= :now"
            f" AND (pending <> '{Pending.SUSPECT}' OR piece > 0)"
        ),
        {"type": object_type, "now": now},
    )
    return sorted((Group(*row) for row in rows), key=lambda group: (group.isolation or 0, group.piece or 0, group))


def due(
    connection: Connection,
    object_type: ObjectType,
    now: float,
    limit: int,
    group: Group | None = None,
    after: Due | None = None,
) -> list[Due]:
    """Return pending objects of a type whose time has come, the longest due first, those of one group only, or what
    comes `after` one of them.
    """
    where = "pending IS NOT NULL AND type = :type AND pending_due <= :now"
    if group is not None:
        where += " AND source = :source AND "
        in_piece = f"pending = '{Pending.SUSPECT}' AND isolation = :isolation AND piece = :piece"
        where += f"pending <> '{Pending.SUSPECT}'" if group.isolation is None else in_piece
    if after is not None:
        where += " AND (pending_due, object_id) > (:after_due, :after_id)"
    rows = connection.execute(
        text(
            f"SELECT object_id, source, pending, pending_due FROM objects WHERE {where}"
            " ORDER BY pending_due, object_id LIMIT :limit"
        ),
        {
            "type": object_type,
            "now": now,
            "limit": limit,
            **({} if group is None else group._asdict()),
            "after_due": None if after is None else after.due,
            "after_id": None if after is None else after.object_id,
        },
    )
    return [Due(object_id, source, Pending(reason), due_at) for object_id, source, reason, due_at in rows]


def _storable(value: str) -> str:
    """Make a text fit for every ledger: PostgreSQL takes neither NUL nor lone surrogates."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
