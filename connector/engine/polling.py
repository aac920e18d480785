"""When to ask Gong what became of an upload, so that about one question a batch is enough. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connector.ledger.records import Processed

STUCK_SECONDS: Final = 1800.0
"""A batch that Gong works on for longer is worth an alarm, unless its like usually take so long."""
_STUCK_TIMES: Final = 5.0
_QUANTILE: Final = 0.8
"""Of the times seen: a question in vain costs a call, a late one only seconds."""
_LATEST: Final = 20
"""Batches that the usual time is learned from; fewer follow a change sooner, more make an outlier matter less."""
_ALIKE: Final = 8.0
"""Batches with so many times more or fewer lines are of another size."""
_FEW: Final = 5
_LUCKY: Final = 0.9
"""What was there at the first question was there before: each such answer makes the next question this much earlier,
so that the usual time is found from above, too."""
_STEP: Final = 0.25
"""How long after the usual time the second question comes, as a share of it."""
_GROWTH: Final = 1.6


def usual(seen: Sequence[Processed], lines: int) -> float | None:
    """Return how many seconds Gong usually takes for a batch of so many lines; None when nothing is known.

    Args:
        seen: the latest batches of the type, the latest first.
        lines: of the batch; those of its size tell more, where there are a few.
    """
    alike = [one for one in seen if lines / _ALIKE <= one.lines <= lines * _ALIKE]
    known = (alike if len(alike) >= _FEW else seen)[:_LATEST]
    if not known:
        return None
    times = sorted(one.seconds * (_LUCKY if one.polls <= 1 else 1.0) for one in known)
    return times[min(int(len(times) * _QUANTILE), len(times) - 1)]


@dataclass(frozen=True, slots=True)
class Polling:
    """How often request-status is asked, in seconds (POLL_MIN_SECONDS, POLL_MAX_SECONDS)."""

    least: float
    most: float

    def delay(self, polls: int, usual: float | None = None) -> float:
        """Return the seconds until the next question.

        Args:
            polls: questions asked in vain.
            usual: seconds that Gong usually takes; None when that is unknown, or means nothing here.
        """
        if usual is None:
            wait = self.least * _GROWTH ** min(polls, 40)
        elif polls == 0:
            wait = usual
        else:
            wait = max(self.least, usual * _STEP) * _GROWTH ** min(polls - 1, 40)
        return float(min(max(wait, self.least), self.most))


def is_stuck(waited: float, usual: float | None) -> bool:
    """Tell whether Gong has had a batch for so many seconds that a person should know."""
    return waited > max(STUCK_SECONDS, _STUCK_TIMES * (usual or 0.0))
