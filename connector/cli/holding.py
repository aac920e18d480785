"""What the guard holds, as JSON."""

from connector.cli.output import moment
from connector.ledger.queries import Hold


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
