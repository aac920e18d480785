"""Every text that the connector can say, as the code writes it, with `…` for what is filled in."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.docs.generated import ROOT

FILLED_IN = "…"


@cache
def messages() -> frozenset[str]:
    """Return the texts of the connector's code, docstrings aside."""
    found: set[str] = set()
    for path in sorted((ROOT / "connector").rglob("*.py")):
        found.update(_texts(ast.parse(path.read_text(encoding="utf-8"))))
    return frozenset(found)


def _texts(tree: ast.AST) -> Iterator[str]:
    docstrings: set[ast.AST] = set()
    for node in ast.walk(tree):  # what holds something comes before it
        match node:
            case ast.Module(body=[ast.Expr(value), *_]) | ast.ClassDef(body=[ast.Expr(value), *_]):
                docstrings.add(value)
            case ast.FunctionDef(body=[ast.Expr(value), *_]):
                docstrings.add(value)
            case ast.Constant(value=str(text)) if node not in docstrings:
                yield text
            case ast.JoinedStr(values=values):
                yield "".join(part.value if isinstance(part, ast.Constant) else FILLED_IN for part in values)
