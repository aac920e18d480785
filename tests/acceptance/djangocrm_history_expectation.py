"""What Gong should show of DjangoCRM's past: the stages that each deal's text names laid over today's row.

Written apart from the connector and from config/djangocrm.yaml, like djangocrm_expectation, whose records these are.
"""

from datetime import UTC, datetime
from pathlib import Path

from djangocrm_expectation import Crm, crm_of, deal
from past import Past, Pasts, Record


def expected_pasts(database: Path | str) -> tuple[Pasts, int]:
    """Return the past of every deal by its id, and how many end in another stage than the deal is in."""
    crm = crm_of(database)
    stages = {(row["department_id"], row["name"]): row for row in crm.stages.values()}
    pasts: Pasts = {}
    gaps = 0
    for row in crm.deals.values():
        steps = []
        for line in row["stages_dates"].splitlines():
            day, _, name = line.partition(" - ")
            began = datetime.strptime(day, "%m/%d/%y").replace(tzinfo=UTC)
            created = datetime.fromisoformat(row["creation_date"]).replace(tzinfo=UTC)
            stamp = int(max(began, created).timestamp())
            steps.append((stamp, stages[row["department_id"], name]))
        gaps += steps[-1][1]["id"] != row["stage_id"]
        pasts[str(row["id"])] = _past(crm, row, steps)
    return pasts, gaps


def _past(crm: Crm, row: Record, steps: list[tuple[int, Record]]) -> Past:
    """Of several stages on one day the last counts. A deal that has left the last stage named is shown as it is."""
    modified = int(datetime.fromisoformat(row["update_date"]).replace(tzinfo=UTC).timestamp())

    def at(second: int) -> Record | None:
        begun = [stage for stamp, stage in steps if stamp <= second]
        if not begun or second >= modified:
            return deal(crm, row) if begun else None
        success = bool(begun[-1]["success_stage"])
        return deal(crm, row) | {
            "stage": str(begun[-1]["id"]),
            "status": "WON" if success else "OPEN",
            "isOpen": not success,
            "isWon": success,
        }

    return Past([stamp for stamp, _ in steps], at)
