"""How results look: tables and colours on a terminal, plain lines of whole text elsewhere."""

import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.words import count, moment, seconds, size

__all__ = [
    "as_json",
    "beside",
    "count",
    "heading",
    "moment",
    "plain",
    "remarks",
    "results",
    "say",
    "seconds",
    "shown",
    "size",
    "table",
]

results = Console(highlight=False, markup=False, emoji=False)
"""Where results go (stdout)."""
remarks = Console(stderr=True, highlight=False, markup=False, emoji=False)
"""Where progress and remarks go (stderr)."""


def say(text: str = "", style: str = "", *, to: Console = results) -> None:
    """Write a line; it is wrapped on a terminal only."""
    to.print(Text(text, style=style), soft_wrap=not to.is_terminal)


def beside(firsts: Sequence[str], text: str, style: str = "") -> None:
    """Write short words and a text beside them; on a terminal its further lines stand below its first one."""
    if not results.is_terminal:
        say(" ".join([*firsts, text]), style)
        return
    grid = Table.grid(padding=(0, 1))
    for first in firsts:
        grid.add_column(width=len(first))
    grid.add_column(overflow="fold")
    grid.add_row(*firsts, Text(text), style=style)
    results.print(grid)


def heading(text: str) -> None:
    """Write the title of what follows."""
    say()
    say(text, "bold")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows under their columns; numbers stand to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    right = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(columns))]
    if results.is_terminal:
        drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column, is_number in zip(columns, right, strict=True):
            drawn.add_column(column, justify="right" if is_number else "left", overflow="fold")
        for row in cells:
            drawn.add_row(*(Text(cell) for cell in row))
        results.print(drawn)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        placed = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        ]
        say("  ".join(placed).rstrip())


def as_json(content: Any, *, indent: int | None = 2) -> None:
    """Write a JSON document: text as it is, for people may read it, unless the terminal cannot show it."""
    sys.stdout.write(json.dumps(content, indent=indent, ensure_ascii=not _unicode()) + "\n")


def shown(value: Any) -> str:
    """Return a field's value as people read it."""
    return "null" if value is None else str(value)


def plain(value: Any) -> Any:
    """Return a field's value as JSON can hold it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
