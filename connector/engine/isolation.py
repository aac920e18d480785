"""Finds the bad lines of a file with more errors than Gong lists, in few calls, bytes and rounds. Pure.

Each answer lists 20 errors at most and counts them all. So what is left of a failed file is cut into pieces that hold
a few more bad lines than are listed, all sent in one round; what is left of the pieces is merged and cut again.
Lines that are believed to be good wait and go together, once, in the end.
"""

from dataclasses import dataclass
from typing import Final

from connector.engine.rules import growing
from connector.ledger.records import Isolation

EXPECTED: Final = 25
"""Bad lines that a piece should hold: few pieces then hold less than the 20 that an answer lists, which would cost
calls, and what is left of each is little, which would cost rounds."""
MOST_PIECES: Final = 64
"""Of one round: a fault that spoils very many lines must not use up the day's calls."""
ROUNDS_AT_ONCE: Final = 4
"""Rounds without a pause; later ones come ever more rarely."""
PATIENCE_SECONDS: Final = 900.0
"""How long the rest waits for pieces that are under way; one that Gong never answers holds nothing for ever."""
SMALL_FILE: Final = 200
"""Lines of a file in which all may be bad without being taken for a fault of something else."""
DENSER: Final = 4
"""How much denser the bad lines may lie after the listed ones for the listed ones to pass for the first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with the lines of an isolation that wait."""

    pieces: int
    """Into how many pieces to cut those that hold bad lines; 0: there are none."""
    pieces_due: float
    """When the pieces are sent."""
    due: float
    """Until when to wait for them."""
    release: bool
    """Have the lines that are believed to be good sent."""
    ended: bool
    """Nothing is left to look for."""


def plan(isolation: Isolation, now: float) -> Plan | None:
    """Return what to do next; None while pieces are under way that are worth waiting for."""
    overdue = now >= isolation.due
    if isolation.busy and not overdue:
        return None
    if isolation.waiting:
        extra = isolation.rounds - ROUNDS_AT_ONCE
        start = now + (growing(extra) if extra >= 0 else 0.0)
        cut = pieces(isolation.bad, isolation.waiting)
        return Plan(cut, start, start + PATIENCE_SECONDS, release=overdue, ended=False)
    return Plan(0, now, now + PATIENCE_SECONDS, release=True, ended=not isolation.busy)


def pieces(bad: int, lines: int) -> int:
    """Return into how many pieces to cut `lines` of which `bad` are bad."""
    return min(max(round(bad / EXPECTED), 1), MOST_PIECES, lines)


def believed_until(last_listed: int, listed: int, hidden: int, lines: int) -> int:
    """Return the line up to which all unlisted lines are believed to be good, 0 for none.

    Gong seems to list the first errors of a file, in which case no bad line comes before the last listed one. That is
    documented nowhere, so it is believed only while the hidden ones fit into the rest of the file, not much
    denser than the listed ones lie. A line believed wrongly costs another round, nothing else.
    """
    rest = lines - last_listed
    plausible = hidden <= rest and hidden * last_listed <= DENSER * listed * rest
    return last_listed if plausible else 0


def systematic(lines: int, errors: int) -> bool:
    """Tell whether so many lines were refused that the fault is hardly theirs."""
    return lines > SMALL_FILE and errors * 2 > lines
