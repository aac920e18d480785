"""`validate`: everything read and mapped, and what would be refused or not shown; sends nothing."""

from collections.abc import Sequence

from connector.cli.exits import Status
from connector.cli.output import as_json as write_json
from connector.cli.output import count, heading, remarks, say, table
from connector.cli.parts import looking
from connector.cli.progress import showing
from connector.engine.operations import chosen
from connector.engine.validator import Issue, Kind, Validation
from connector.engine.validator import validate as look
from connector.object_types import ObjectType

_TITLES = {
    Kind.REFUSED: "Would be refused",
    Kind.DUPLICATE: "Keys that stand more than once",
    Kind.NOT_SHOWN: "Gong may not show, or not take",
    Kind.WARNING: "Would be sent as null, or as the default",
}


def validate(types: Sequence[ObjectType], *, as_json: bool) -> Status:
    """Read and map all rows of these types (all when there is none), and say what is the matter with them."""
    with looking(long=True) as wiring:
        entities = chosen(wiring, types)
        with showing(wiring.observer):
            found = look(entities, wiring.source, wiring.clock, wiring.observer)
    if as_json:
        write_json(_document(found))
    else:
        _say(found)
    for name, error in found.errors.items():
        say(f"{name} could not be read: {error}", "red", to=remarks)
    if found.errors:
        return Status.FAILED
    return Status.UNSETTLED if found.refused else Status.WELL


def _say(found: Validation) -> None:
    heading("What was read")
    table(
        ("Type", "Rows", "Lines", "Soft-deleted", "Refused", "Duplicate keys"),
        [(one.type, one.rows, one.lines, one.deleted, one.refused, one.duplicates) for one in found.types],
    )
    for kind, title in _TITLES.items():
        issues = [issue for issue in found.issues if issue.kind is kind]
        if issues:
            heading(title)
            for issue in issues:
                say(f"{issue.count:>9,} {_words(issue)}")
                say(f"{'':9} for example {', '.join(issue.examples)}", "dim")
    say()
    if found.errors:
        say(f"Not everything could be read: {', '.join(found.errors)}.", "bold red")
    elif found.refused:
        say(f"{count(found.refused, 'row')} would be refused; all others would be sent.", "bold yellow")
    else:
        say("Nothing would be refused.", "bold green")


def _words(issue: Issue) -> str:
    match issue.kind:
        case Kind.NOT_SHOWN:
            return f"{issue.type}: {issue.field} is {issue.reason}"
        case Kind.WARNING:
            return f"{issue.type}: {issue.field} {issue.reason}"
        case _:  # these reasons name the field
            return f"{issue.type}: {issue.reason}"


def _document(found: Validation) -> dict[str, object]:
    """Return the stable JSON form; docs/operating.md explains the keys."""
    return {
        "types": [
            {
                "type": one.type,
                "rows": one.rows,
                "lines": one.lines,
                "soft_deleted": one.deleted,
                "refused": one.refused,
                "duplicates": one.duplicates,
            }
            for one in found.types
        ],
        "issues": [
            {
                "kind": issue.kind,
                "type": issue.type,
                "field": issue.field,
                "reason": issue.reason,
                "count": issue.count,
                "examples": list(issue.examples),
            }
            for issue in found.issues
        ],
        "errors": dict(found.errors),
    }
