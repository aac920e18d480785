"""Every failpoint that the code has, read from the code itself, so that none is left untried or unnamed in the docs."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_AROUND: Final = {"writing": "ledger.", "_update_batch": "ledger.", "_ask": "", "_call": ""}
"""Functions whose first argument names a step with a failpoint on either side, and what is put before the name."""
_SIDES: Final = ("before", "after")


def failpoints() -> dict[str, Path]:
    """Return where each failpoint stands, by its name; the file's path is relative to the repository."""
    found: dict[str, Path] = {}
    for path in sorted((_ROOT / "connector").rglob("*.py")):
        if path.name == "failpoints.py":
            continue
        for name in _named(ast.parse(path.read_text())):
            found[name] = path.relative_to(_ROOT)
    return dict(sorted(found.items()))


def steps() -> dict[str, Path]:
    """Return the failpoints without their side: those on both sides of a step are one."""
    return {name.removesuffix(".before").removesuffix(".after"): path for name, path in failpoints().items()}


def _named(module: ast.Module) -> Iterator[str]:
    for call in ast.walk(module):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        first = call.args[0]
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue  # the name is handed on: whoever gave it is found
        if call.func.attr == "hit":
            yield first.value
        elif call.func.attr in _AROUND:
            yield from (f"{_AROUND[call.func.attr]}{first.value}.{side}" for side in _SIDES)
