"""Which of a CRM's own states and stages mean that a deal is open, won or lost. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from connector.mapping.proposing.wanted import LOST, OPEN, WON

_NOT: Final = frozenset({"not", "no", "non", "un"})


def state_of(value: str) -> str | None:
    """Return OPEN, WON or LOST as a word of the value says it; None where none does."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", value)
    said = [part.lower() for part in re.findall(r"[^\W\d_]+", spaced)]
    if len(said) > 1:
        said = [part for part in said if len(part) > 1]
    refused = bool(_NOT & set(said))
    if set(said) & LOST or (refused and set(said) & WON):
        return "LOST"
    if set(said) & WON:
        return "WON"
    return "OPEN" if set(said) & OPEN else None


def state_map(values: Mapping[str, str] | Iterable[str]) -> dict[str, str] | None:
    """Return the state of each value; None where none of them says that a deal is won or lost.

    Args:
        values: what the column holds; a mapping says what each stands for.
    """
    meant = dict(values) if isinstance(values, Mapping) else {value: value for value in values}
    found = {value: state_of(text) for value, text in meant.items()}
    if not {"WON", "LOST"} & set(found.values()):
        return None
    return {value: state or "OPEN" for value, state in found.items()}
