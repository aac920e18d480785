"""What becomes of a file of a backfill that failed or is lost: refused versions are skipped, the others go again."""

from connector.engine.isolation import pieces
from connector.engine.verdicts import general_words, judge
from connector.ledger.backfills import Backfills
from connector.ledger.records import Batch, Pending, Tries, Verdict
from connector.model import RequestStatus, Resend


def most_lines(answer: RequestStatus, lines: int, refused: int) -> int | None:
    """Return how many lines a file of the wave may have from now on; None when every refused line is known."""
    unknown = answer.error_count - refused
    if unknown <= 0 or refused == 0:
        return None
    return -(-lines // pieces(unknown, lines))


def resolve_failed(backfills: Backfills, batch: Batch, answer: RequestStatus, resend: Resend, now: float) -> Verdict:
    """Book the lines of a backfill's file that Gong answered FAILED; return what was judged."""
    numbers = [error.line for error in answer.errors if error.line > 0]
    found = backfills.lines(batch, numbers)
    ids = {number: object_id for number, (object_id, _) in found.items()}
    verdict = judge(answer, batch.lines, ids, resend, Tries(0, backfills.tries(batch)), now)
    general = verdict.rest is Pending.GENERAL
    backfills.resolve(
        batch,
        verdict.refused,
        dict(found.values()),
        again=verdict.rest is not None,
        most_lines=most_lines(answer, batch.lines, len(verdict.refused)),
        due_at=verdict.due if general else 0.0,
        note=general_words(answer, batch.lines) if general else None,
    )
    return verdict


def resolve_lost(backfills: Backfills, batch: Batch, detail: str) -> None:
    """Book that a backfill's file is gone: its versions go again."""
    backfills.resolve(batch, (), {}, again=True, most_lines=None, due_at=0.0, note=detail)
