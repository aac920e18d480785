"""What the guard holds, in words and as JSON."""

from connector.cli.output import moment
from connector.ledger.queries import Hold
from connector.ledger.records import HoldKind

_WHAT = {
    HoldKind.DELETIONS: "deletions are held, too many to be believed",
    HoldKind.CHANGES: "changes are held that moved no stamp, too many to be believed",
}


def hold_words(hold: Hold) -> str:
    """Say what is held, and what to do."""
    return (
        f"{hold.type}: {_WHAT[hold.kind]}: {hold.objects:,} of {hold.live:,}. "
        f"If they are right: `gong-connector approve {hold.id}`"
    )


def hold_document(hold: Hold) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    return {
        "id": hold.id,
        "type": hold.type,
        "kind": hold.kind,
        "objects": hold.objects,
        "of": hold.live,
        "since": moment(hold.since),
        "sample": list(hold.sample),
    }
