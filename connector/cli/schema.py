"""`schema plan` and `schema apply`: Gong's additional fields beside the mapping's."""

from collections.abc import Iterable

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, remarks, say, table
from connector.cli.parts import working
from connector.cli.perform import perform
from connector.engine.operations import SCHEMA_APPLY, SchemaArguments, schema_types
from connector.engine.schema import Change, FieldChange
from connector.model import SchemaField
from connector.object_types import ObjectType

_WORDS = {
    Change.ADD: "add",
    Change.UPDATE: "update (no data is lost)",
    Change.RETYPE: "retype: Gong drops the field's data; needs --allow-destructive",
    Change.REMOVE: "remove, with the field's data",
    Change.KEEP: "not in the mapping: left as it is",
}


def plan(*, as_json: bool) -> Status:
    """Show the difference; changes nothing."""
    with working() as wiring:
        changes = [(kind, change) for kind in schema_types(wiring) for change in wiring.schema.plan(kind)]
    if as_json:
        write_json([_document(kind, change) for kind, change in changes])
    elif changes:
        table(("Type", "Field", "In Gong", "In the mapping", "What `schema apply` does"), [_row(*it) for it in changes])
    else:
        say("Gong's additional fields are what the mapping says.")
    return Status.WELL


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


def _row(kind: ObjectType, change: FieldChange) -> tuple[str, str, str, str, str]:
    return kind, change.name, _described(change.present), _described(change.wanted), _WORDS[change.change]


def _described(field: SchemaField | None) -> str:
    if field is None:
        return "-"
    more = f" to {field.reference_to}" if field.reference_to else ""
    more += f" of {len(field.values)}" if field.values is not None else ""
    return f"{field.type}{more} {field.label!r}"


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
