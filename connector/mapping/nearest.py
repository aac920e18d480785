"""The right name that a wrong one was probably meant to be."""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a sentence that helps from `name` to one of `known`: the nearest, else all of them when few."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    if 0 < len(names) <= 20:
        return f"Possible: {', '.join(names)}."
    return "There is nothing of a similar name."
