"""The parts of the docs that are made from the code: `make docs` writes them anew.

They stand between `<!-- from the code: NAME -->` and `<!-- end -->`.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from connector.engine.lifecycle import TRANSITIONS
from connector.engine.observe import EVENTS
from connector.mapping.bindings import standard_names
from connector.mapping.converters import CONVERTERS
from connector.mapping.kinds import DEMANDED, EXPECTED, standard_kind
from connector.object_types import ObjectType
from tests import failpoint_names
from tests.breaking.breaks import BREAKS
from tests.docs import reference
from tests.simulation.mutations import MUTATIONS
from tests.simulation.promises import Stated

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- from the code: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def transitions() -> Iterator[str]:
    """The batch lifecycle as a table, a row for each pair of state and outcome."""
    yield "| State | Outcome | Next state | Next step | A person should look |"
    yield "|---|---|---|---|---|"
    for state, ways in TRANSITIONS.items():
        for outcome, way in ways.items():
            alarm = "yes" if way.alarm else ""
            yield f"| {state.value} | {outcome.value} | {way.state.value} | {way.step.value} | {alarm} |"


def diagram() -> Iterator[str]:
    """The same as a state diagram, the outcomes that lead from one state to another on one arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, ways in TRANSITIONS.items():
        for outcome, way in ways.items():
            arrows.setdefault((state.value, way.state.value), []).append(outcome.value)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> spooled: sealed and booked"
    for (here, there), outcomes in arrows.items():
        yield f"    {here} --> {there}: {', '.join(outcomes)}"
    for end in sorted({there for _, there in arrows} - {here for here, _ in arrows}):
        yield f"    {end} --> [*]"
    yield "```"


def modules() -> Iterator[str]:
    """Every module with its one reason to exist: the first line of its docstring."""
    folders = sorted({path.parent for path in (ROOT / "connector").rglob("*.py")})
    for folder in folders:
        named = {path.name: _first_line(path) for path in sorted(folder.glob("*.py"))}
        about = named.pop("__init__.py", "")
        yield f"**{folder.relative_to(ROOT)}/**" + (f" {about}" if about else "")
        yield ""
        yield from (f"- `{name}` {line}" for name, line in named.items() if line)
        yield ""


def failpoints() -> Iterator[str]:
    """Every step around which a crash is tried, with the files that make it."""
    steps: dict[str, set[str]] = {}
    for step, path in failpoint_names.steps().items():
        kind, _, name = step.partition(".")
        steps.setdefault(f"`{kind}.` ({path})", set()).add(name)
    for place, names in sorted(steps.items()):
        yield f"- {place}: {', '.join(f'`{name}`' for name in sorted(names))}"


def events() -> Iterator[str]:
    """Every event of the log."""
    yield "| Event | Says that |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items())


def breaks() -> Iterator[str]:
    """What was broken on purpose, promise by promise, and what notices."""
    yield "| Promise | Broken on purpose | Noticed by |"
    yield "|---|---|---|"
    for promise in Stated:
        for mutation in MUTATIONS:
            if mutation.promise is promise:
                yield f"| {promise.value} | {mutation.name} | the simulation |"
        for broken in BREAKS:
            if broken.promise is promise:
                file, _, test = broken.test.rpartition("/")[2].partition("::")
                yield f"| {promise.value} | {broken.name} | `{test.partition('[')[0]}` in `{file}` |"


def converters() -> Iterator[str]:
    """What `convert` can do."""
    yield "| Converter | Gives |"
    yield "|---|---|"
    for recipe in CONVERTERS.values():
        yield f"| {' or '.join(f'`{form}`' for form in recipe.forms)} | {recipe.about} |"


def fields() -> Iterator[str]:
    """Gong's standard fields and what each holds."""
    yield "| Type | Field | Holds | Where it is empty |"
    yield "|---|---|---|---|"
    for object_type in ObjectType:
        for name in standard_names(object_type):
            demanded = DEMANDED.get(object_type) == name
            lack = "the row is refused: Gong demands it" if demanded else EXPECTED[object_type].get(name, "")
            lack = lack.removeprefix("empty, though ").removeprefix("empty: ")
            yield f"| {object_type} | `{name}` | {standard_kind(name)} | {lack} |"


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "transitions": transitions,
    "diagram": diagram,
    "breaks": breaks,
    "modules": modules,
    "events": events,
    "failpoints": failpoints,
    "fields": fields,
    "converters": converters,
    "file keys": lambda: reference.keys("file"),
    "source keys": lambda: reference.keys("ACCOUNT"),
    "change keys": lambda: reference.keys("Feed"),
    "history keys": lambda: reference.keys("History"),
    "field keys": lambda: reference.keys("FieldBlock"),
    "additional field keys": lambda: reference.keys("AdditionalField"),
    "picklist keys": lambda: reference.keys("PicklistQuery"),
    "commands": reference.commands,
    "settings": reference.settings,
}


def refreshed(text: str) -> str:
    """Return a page with its generated parts made anew."""

    def anew(block: re.Match[str]) -> str:
        content = "\n".join(PARTS[block["name"]]()).strip("\n")
        return f"{block[1]}\n{content}\n\n{block[3]}"

    return BLOCK.sub(anew, text)


def pages() -> list[Path]:
    """The pages of the documentation."""
    return sorted((ROOT / "docs").glob("*.md"))


def main(arguments: list[str]) -> int:
    """Write the pages anew; with `--check` only say which of them are not up to date."""
    old = [(page, after) for page in pages() if (after := refreshed(page.read_text())) != page.read_text()]
    for page, after in old:
        if "--check" not in arguments:
            page.write_text(after)
        said = "is not up to date: run make docs" if "--check" in arguments else "is written anew"
        sys.stdout.write(f"{page.relative_to(ROOT)} {said}\n")
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
