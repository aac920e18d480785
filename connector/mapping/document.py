"""Reads a YAML file into plain dicts, lists and texts, and remembers the line of every place in it.

Scalars stay the texts that were written (`007`, `yes`, `1.10`), null becomes None: what a text means is for the
mapping's shape to say, so that neither an id nor a map's key is changed by a guess at its type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connector.errors import ConfigProblems, Problem

Tree = dict[str, "Tree"] | list["Tree"] | str | None
Place = tuple[str | int, ...]
"""Where something stands: keys and list indexes from the top."""

_MAX_NODES = 100_000
"""More than any hand can write: aliases of aliases multiply."""

_TAG: Final = "tag:yaml.org,2002:"
_KNOWN_TAGS: Final = {_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}


class _Loader(yaml.SafeLoader):
    """Composes nodes by the rules of YAML 1.2 (`yes`, `12:30` and `2026-01-02` are texts)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the base's own name


_Loader.add_implicit_resolver(_TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_TAG + "bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_TAG + "merge", re.compile(r"^<<$"), ["<"])


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file's content, with the line that each place stands on (counted from 1)."""

    path: Path
    tree: Tree
    lines: Mapping[Place, int]

    def where(self, place: Place) -> str:
        """Name a place for a message: `config/mapping.yaml:12 entities.DEAL.fields.amount`.

        A place that is not in the file has the line of what it belongs to; lists count from 1.
        """
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        dotted = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
        return f"{self.path}:{self.lines.get(known, 1)} {dotted}".rstrip()


class _Reader:
    """Walks the composed nodes once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._nodes = 0
        self._open: set[int] = set()
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def read(self, node: Node, place: Place) -> Tree:
        """Return the node's content; faults go to `problems`."""
        self._nodes += 1
        if self._nodes > _MAX_NODES or id(node) in self._open:
            raise ConfigProblems([self._problem(node, place, "the anchors refer to themselves or multiply too far")])
        self.lines.setdefault(place, _line(node))
        if node.tag not in _KNOWN_TAGS:
            self.problems.append(self._problem(node, place, f"the tag {node.tag} is not known here; leave it out"))
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, place)
            if isinstance(node, SequenceNode):
                return [self.read(item, (*place, index)) for index, item in enumerate(node.value)]
            return _scalar(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Tree]:
        content: dict[str, Tree] = {}
        merged: list[Tree] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged.append(self.read(value_node, place))
                continue
            if not isinstance(key_node, ScalarNode):
                self.problems.append(self._problem(key_node, place, "a key is meant to be a text"))
                continue
            key = _scalar(key_node)
            if key is None:
                self.problems.append(self._problem(key_node, place, "a key is empty"))
                continue
            if key in content:
                message = f"the key '{key}' stands twice, first in line {self.lines[(*place, key)]}"
                self.problems.append(self._problem(key_node, (*place, key), message))
                continue
            self.lines[(*place, key)] = _line(key_node)
            content[key] = self.read(value_node, (*place, key))
        for source in merged:
            for block in source if isinstance(source, list) else [source]:
                if isinstance(block, dict):
                    content = {**block, **content}
        return content

    def _problem(self, node: Node, place: Place, message: str) -> Problem:
        where = Document(self._path, None, {place: _line(node)}).where(place)
        return Problem(where, message)


def _scalar(node: Node) -> str | None:
    if node.tag == _TAG + "null":
        return None
    return str(node.value).lower() if node.tag == _TAG + "bool" else str(node.value)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def read_document(path: Path) -> Document:
    """Read a YAML file. Raises ConfigProblems when it is missing, unreadable or not YAML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _fault(path, "there is no such file: `gong-connector init` writes a first one") from None
    except UnicodeDecodeError:
        raise _fault(path, "the file is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise _fault(path, f"the file cannot be read: {error.strerror}") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _fault(f"{path}:{line}", _syntax_words(error, text, line)) from None
    except RecursionError:
        raise _fault(path, "the file's blocks are nested too deeply") from None
    except yaml.YAMLError:
        raise _fault(path, "the file holds characters that YAML does not allow") from None
    if node is None:
        raise _fault(path, "the file is empty")
    reader = _Reader(path)
    tree = reader.read(node, ())
    if reader.problems:
        raise ConfigProblems(reader.problems)
    return Document(path, tree, reader.lines)


def _fault(where: object, message: str) -> ConfigProblems:
    return ConfigProblems([Problem(str(where), message)])


def _syntax_words(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    written = text.splitlines()[line - 1 : line]
    if written and "\t" in written[0][: len(written[0]) - len(written[0].lstrip())]:
        return "the line is indented with a tab; YAML takes spaces only"
    words = " ".join(part for part in (error.context, error.problem) if part)
    return f"this is not valid YAML: {words}"
