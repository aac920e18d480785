"""SQL for isolations: lines of failed files, cut into pieces until Gong has listed every bad one.

A line belongs to an isolation while its object is pending as `suspect`. Its `piece` is NULL while it waits for
the next pieces, 0 while it is believed to be good, else the piece that it goes in.
"""

from sqlalchemy import Connection

from connector.ledger.objects import UNSETTLED_SQL
from connector.ledger.records import Isolation, Pending
from connector.ledger.statement import text
from connector.object_types import ObjectType

# Lines that lie close together, or at equal distances, are spread evenly over all pieces (Fibonacci hashing).
_PIECE = "1 + CAST(line AS BIGINT) * 2654435761 % 4294967296 * :pieces / 4294967296"
_MEMBERS = f"pending = '{Pending.SUSPECT}' AND isolation = :id"


def add(connection: Connection, isolation: int, object_type: ObjectType, bad: int, due: float) -> float:
    """Add bad lines to an isolation, begun if need be with `due`; return until when it waits for its pieces."""
    until: float = connection.execute(
        text(
            "INSERT INTO isolations (id, type, bad, rounds, due) VALUES (:id, :type, :bad, 0, :due)"
            " ON CONFLICT (id) DO UPDATE SET bad = isolations.bad + excluded.bad RETURNING due"
        ),
        {"id": isolation, "type": object_type, "bad": bad, "due": due},
    ).scalar_one()
    return until


def isolations(connection: Connection, object_type: ObjectType) -> list[Isolation]:
    """Return the isolations of a type that have not ended."""
    rows = connection.execute(
        text(
            "SELECT i.id, i.bad, i.rounds, i.due,"
            f" (SELECT count(*) FROM objects o WHERE o.pending = '{Pending.SUSPECT}' AND o.isolation = i.id"
            "   AND o.piece IS NULL),"
            f" EXISTS (SELECT 1 FROM batches b WHERE b.state IN {UNSETTLED_SQL} AND b.isolation = i.id)"
            f" OR EXISTS (SELECT 1 FROM objects o WHERE o.pending = '{Pending.SUSPECT}' AND o.isolation = i.id"
            "   AND o.piece > 0)"
            " FROM isolations i WHERE i.type = :type ORDER BY i.id"
        ),
        {"type": object_type},
    )
    return [
        Isolation(id_, object_type, bad, waiting, rounds, due, bool(busy))
        for id_, bad, rounds, due, waiting, busy in rows
    ]


def cut(connection: Connection, isolation: int, pieces: int, pieces_due: float, due: float) -> None:
    """Cut the lines that wait into pieces, to be sent from `pieces_due` on, and waited for until `due`."""
    connection.execute(
        text(f"UPDATE objects SET piece = {_PIECE}, pending_due = :start WHERE {_MEMBERS} AND piece IS NULL"),
        {"id": isolation, "pieces": pieces, "start": pieces_due},
    )
    connection.execute(
        text("UPDATE isolations SET bad = 0, rounds = rounds + 1 WHERE id = :id"),
        {"id": isolation},
    )
    wait(connection, isolation, due)


def wait(connection: Connection, isolation: int, due: float) -> None:
    """Have the lines that are in no piece wait until `due`."""
    connection.execute(
        text(f"UPDATE objects SET pending_due = :due WHERE {_MEMBERS} AND (piece IS NULL OR piece = 0)"),
        {"id": isolation, "due": due},
    )
    connection.execute(text("UPDATE isolations SET due = :due WHERE id = :id"), {"id": isolation, "due": due})


def release(connection: Connection, isolation: int, now: float) -> None:
    """Have the lines that are believed to be good sent."""
    connection.execute(
        text(
            f"UPDATE objects SET pending = '{Pending.RESEND}', pending_due = :now, refused_digest = NULL"
            f" WHERE {_MEMBERS} AND piece = 0"
        ),
        {"id": isolation, "now": now},
    )


def end(connection: Connection, isolation: int) -> None:
    """Forget an isolation."""
    connection.execute(text("DELETE FROM isolations WHERE id = :id"), {"id": isolation})
