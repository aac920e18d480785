"""`schema plan` and `schema apply`: Gong's additional fields beside the mapping's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, remarks, say
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.operations import SCHEMA_APPLY, SchemaArguments, schema_types
from connector.engine.schema import DESTRUCTIVE, Change, FieldChange
from connector.model import SchemaField
from connector.object_types import ObjectType

_SIGNS: Final = {Change.ADD: "+", Change.UPDATE: "~", Change.RETYPE: "!", Change.REMOVE: "-", Change.KEEP: "="}
_COLOURS: Final = {Change.ADD: "green", Change.UPDATE: "", Change.RETYPE: "red", Change.REMOVE: "red", Change.KEEP: ""}
_MOST_SHOWN: Final = 8
"""Values of a picklist that are told by name."""


def plan(*, as_json: bool) -> Status:
    """Show the difference; changes nothing."""
    with working() as wiring:
        changes = {kind: wiring.schema.plan(kind) for kind in schema_types(wiring)}
        waiting = {kind: wiring.schema.waiting(kind) for kind in changes}
        objects = {one.type: one.objects for one in wiring.queries.types(wiring.census.told())}
    if as_json:
        write_json([_document(kind, change) for kind, of_type in changes.items() for change in of_type])
    else:
        _say(changes, waiting, objects)
    return Status.WELL


def _say(
    changes: Mapping[ObjectType, Sequence[FieldChange]],
    waiting: Mapping[ObjectType, Sequence[str]],
    objects: Mapping[ObjectType, int],
) -> None:
    """Write the difference, a type at a time, and what comes of it."""
    for kind, of_type in changes.items():
        if not of_type and not waiting[kind]:
            continue
        heading(kind)
        for change in of_type:
            say(f"{_SIGNS[change.change]} {change.name}: {_difference(change)}", _COLOURS[change.change])
            if change.change in (*DESTRUCTIVE, Change.KEEP):
                say(f"  {_loss(change, objects.get(kind, 0))}")
        for name in waiting[kind]:
            say(f"+ {name}: PICKLIST, once its first value occurs")
    every = [change.change for of_type in changes.values() for change in of_type]
    if not any(change is not Change.KEEP for change in every):
        say("Gong's additional fields are what the mapping says." if not every else "")
    say()
    if Change.ADD in every or Change.UPDATE in every:
        say("What is marked + and ~ loses nothing; the next pass does it by itself, or `schema apply` now.")
    if Change.RETYPE in every:
        say("A type with a field marked ! is not sent before the mapping is changed, or `schema apply` was told to.")


def _loss(change: FieldChange, objects: int) -> str:
    dropped = f"Gong drops its values, of {count(objects, 'object')} at most"
    if change.change is Change.KEEP:
        return (
            f"in Gong and not in the mapping: it stays; with `schema apply --allow-destructive` it goes, and {dropped}"
        )
    return f"with `schema apply --allow-destructive` only: {dropped}"


def _difference(change: FieldChange) -> str:
    before, after = change.present, change.wanted
    if before is None or after is None:
        field = before or after
        assert field is not None, "a change is of a field"
        return _described(field)
    said = []
    if before.type != after.type:
        said.append(f"{before.type} becomes {after.type}")
    if before.label != after.label:
        said.append(f"label {before.label!r} becomes {after.label!r}")
    if before.reference_to != after.reference_to:
        said.append(f"to {before.reference_to} becomes to {after.reference_to}")
    old, new = before.values or (), after.values or ()
    for words, values in (
        ("new values", [value for value in new if value not in old]),
        ("no longer listed", [value for value in old if value not in new]),
    ):
        if values:
            said.append(f"{words}: {_some(values)}")
    return "; ".join(said) or "its values in another order"


def _some(values: Sequence[str]) -> str:
    more = len(values) - _MOST_SHOWN
    return ", ".join(values[:_MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def apply(*, destructive: bool) -> Status:
    """Upload what differs; types that only destroying data could mend are left as they are, and said."""
    with working() as wiring:
        wiring.integration_id()
        applied = perform(wiring, SCHEMA_APPLY, SchemaArguments(destructive))
    for one in applied:
        if one.conflict is None:
            say(f"{one.type}: {_summary(one.changes)}.")
        else:
            say(one.conflict, "red", to=remarks)
    return Status.FAILED if any(one.conflict is not None for one in applied) else Status.WELL


def _summary(changes: Iterable[Change]) -> str:
    done = list(changes)
    words = {Change.ADD: "added", Change.UPDATE: "updated", Change.RETYPE: "retyped", Change.REMOVE: "removed"}
    parts = [f"{count(done.count(change), 'field')} {word}" for change, word in words.items() if change in done]
    return ", ".join(parts) or "nothing to change"


def _described(field: SchemaField) -> str:
    more = f" to {field.reference_to}" if field.reference_to else ""
    values = f": {_some(field.values)}" if field.values else ""
    return f"{field.type}{more} {field.label!r}{values}"


def _document(kind: ObjectType, change: FieldChange) -> dict[str, object]:
    return {
        "type": kind,
        "field": change.name,
        "change": change.change,
        "in_gong": _field(change.present),
        "in_mapping": _field(change.wanted),
    }


def _field(field: SchemaField | None) -> dict[str, object] | None:
    if field is None:
        return None
    return {
        "label": field.label,
        "type": field.type,
        "reference_to": field.reference_to,
        "values": None if field.values is None else list(field.values),
    }
