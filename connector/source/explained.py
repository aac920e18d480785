"""Reads the database's plan of a statement: which tables it reads whole. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

EXPLAIN: Final[Mapping[str, str]] = {
    "postgresql": "EXPLAIN (FORMAT JSON) ",
    "mysql": "EXPLAIN FORMAT=JSON ",
    "mariadb": "EXPLAIN FORMAT=JSON ",
    "sqlite": "EXPLAIN QUERY PLAN ",
}
"""What goes before a statement, by SQLAlchemy's name of the dialect; other databases are not asked."""
_SQLITE_SCAN: Final = re.compile(r"SCAN (?:TABLE )?(?P<name>\S+)(?! USING)")


def read_whole(kind: str, answer: Sequence[Sequence[Any]]) -> list[str]:
    """Return the tables, or what they are called in the statement, that are read from end to end.

    Args:
        kind: the dialect.
        answer: the rows that the database gave for the plan.
    """
    if kind == "sqlite":
        found = [_of_sqlite(str(row[-1])) for row in answer]
    else:
        plan = answer[0][0]
        tree = json.loads(plan) if isinstance(plan, str | bytes) else plan
        found = [_of_node(node) for node in _nodes(tree)]
    return list(dict.fromkeys(name for name in found if name is not None))


def _of_sqlite(step: str) -> str | None:
    match = _SQLITE_SCAN.match(step)
    if match is None or " USING " in step or match["name"].startswith("("):
        return None
    return match["name"]


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for inner in tree.values():
            yield from _nodes(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _nodes(inner)


def _of_node(node: Mapping[str, Any]) -> str | None:
    if node.get("Node Type") in ("Seq Scan", "Parallel Seq Scan"):
        return str(node["Relation Name"])
    name = str(node.get("table_name", ""))
    return name if node.get("access_type") == "ALL" and name and not name.startswith("<") else None
