"""Writes a proposal as a mapping file, with its reasons as comments. Pure."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from connector.facts import COUNTED
from connector.mapping.proposing.drafts import Draft
from connector.mapping.proposing.proposal import Proposal
from connector.model import ColumnKind
from connector.object_types import SCHEMA_TYPES, ObjectType
from connector.words import count

_WIDTH: Final = 100
_PLAIN: Final = re.compile(r"[A-Za-z_][\w./ +@-]*[\w/+-]|[A-Za-z_]|-?(?:0|[1-9]\d*)(?:\.\d+)?")
_SPECIAL: Final = frozenset({"null", "~", "true", "false"})
_PATHS: Final = {
    ObjectType.ACCOUNT: "accounts",
    ObjectType.CONTACT: "contacts",
    ObjectType.DEAL: "deals",
    ObjectType.LEAD: "leads",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What the file says besides the entities."""

    name: str
    owner_email: str
    timezone: str
    source: str
    """What the proposal was made from, without password."""


def written(proposal: Proposal, head: Head) -> str:
    """Return the text of the mapping file."""
    return "\n".join(_lines(proposal, head)) + "\n"


def needs_zone(proposal: Proposal) -> str | None:
    """Return a column, as `table.column`, whose times carry no offset, so that their zone must be known."""
    for draft in proposal.drafts.values():
        for name, column in draft.table.columns.items():
            stamped = draft.modified is not None and name == draft.modified[0]
            if (stamped or name in draft.used) and column.kind in (ColumnKind.DATETIME, ColumnKind.TEXT):
                if column.kind is ColumnKind.TEXT and not stamped:
                    continue
                return f"{draft.table.name}.{name}"
    return None


def _lines(proposal: Proposal, head: Head) -> Iterator[str]:
    yield f"# Proposed by `gong-connector init` from {head.source}. The comments say why each thing is proposed."
    yield "# Names and samples are all that it went by: read it through, then `gong-connector check`, and look at what"
    yield "# would be sent with `gong-connector preview DEAL` and `gong-connector validate`. docs/mapping.md explains"
    yield "# every key."
    yield "version: 1"
    yield f"integration: {flow({'name': head.name, 'owner_email': head.owner_email})}"
    yield "source:"
    zone = needs_zone(proposal)
    why = f"  # of times without offset, such as {zone}" if zone is not None else ""
    yield f"  timezone: {scalar(head.timezone)}{why}"
    yield ""
    yield "entities:"
    for object_type in ObjectType:
        if object_type in proposal.drafts:
            yield from _entity(proposal.drafts[object_type])
            yield ""
        elif object_type in proposal.absent:
            yield from _comment(f"No {object_type}: {proposal.absent[object_type]}.", 2)
            yield ""


def _entity(draft: Draft) -> Iterator[str]:
    rows = "" if draft.table.rows is None else f", {_rows(draft.table.rows)}"
    yield from _comment(f"From {draft.table.name}{'' if draft.rows else rows}: {draft.reason}.", 2)
    for remark in draft.remarks:
        yield from _comment(remark, 2)
    yield f"  {draft.type}:"
    if draft.rows:
        yield "    rows:"
        yield from (f"      - {flow(row)}" for row in draft.rows)
        return
    yield from _place(draft)
    yield from _said("key", draft.key[0], draft.key[1])
    if draft.modified is not None:
        yield from _said("modified", *draft.modified)
    if draft.deleted is not None:
        yield from _said("deleted", *draft.deleted[:2])
    if draft.changes:
        yield "    changes:"
        yield from (f"      - {flow(change)}" for change in draft.changes)
    yield "    fields:"
    for one in draft.fields:
        yield from _said(one.name, one.block, one.reason, 6)
    if draft.type in _PATHS:
        address = f"https://crm.example.com/{_PATHS[draft.type]}/{{{draft.key[0]}}}"
        yield from _comment("Where it is found in the CRM, so that Gong links there; the address is an example:", 6)
        yield f"      # url: {flow({'template': address})}"
    if draft.others and draft.type in SCHEMA_TYPES:
        yield from _comment("Not sent. Take the # away from this line and from what Gong should have:", 4)
        yield "    # additional_fields:"
        yield from (f"    #   - {flow(other)}" for other in draft.others)


def _place(draft: Draft) -> Iterator[str]:
    if not draft.computed:
        yield f"    table: {scalar(draft.table.name)}"
        return
    yield "    query: |"
    yield "      SELECT t.*,"
    for place, (sql, alias) in enumerate(draft.computed, start=1):
        comma = "," if place < len(draft.computed) else ""
        first, *rest = sql.split("\n")
        yield from (f"             {line}" for line in [first, *(f" {line}" for line in rest)][:-1])
        last = f" {rest[-1]}" if rest else first
        yield f"             {last} AS {alias}{comma}"
    yield f"      FROM {draft.table.sql} t"


def _said(name: str, value: Any, reason: str, indent: int = 4) -> Iterator[str]:
    """Write a key with its reason behind it, or above it where that would be too wide."""
    line = f"{' ' * indent}{name}: {flow(value)}"
    if len(line) + len(reason) + 4 <= _WIDTH:
        yield f"{line}  # {reason}"
        return
    yield from _comment(reason[:1].upper() + reason[1:] + ":", indent)
    yield line


def _comment(text: str, indent: int) -> Iterator[str]:
    before = " " * indent + "# "
    plain = re.sub(r"\s+", " ", text)
    yield from textwrap.wrap(
        plain, _WIDTH, initial_indent=before, subsequent_indent=before, break_long_words=False, break_on_hyphens=False
    )


def _rows(number: int) -> str:
    return f"more than {COUNTED:,} rows" if number > COUNTED else count(number, "row")


def flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return scalar(str(value))


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, quoted where it must be."""
    if _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL and "  " not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in escaped)
    return f'"{escaped}"'
