"""The docs say what the code does: generated parts are up to date, examples run, nothing that must be named lacks."""

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from generated import ROOT, pages, refreshed

from connector.clock import FakeClock
from connector.engine.history import pasts
from connector.engine.incidents import PATIENCE, TITLES
from connector.engine.judgement import Kind, State
from connector.engine.lifecycle import TRANSITIONS
from connector.engine.observe import EVENTS
from connector.errors import ConfigProblems, Problem
from connector.ledger.records import Pending
from connector.mapping import CompiledMapping, compile_mapping, hints, load
from connector.model import KEY
from connector.source import open_source
from tests.docs.blocks import blocks, whole_file

TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
NOW = 1_780_000_000.0
LINK = re.compile(r"\]\((?!https?://)(?P<target>[^)#]+)(?:#[^)]*)?\)")


@dataclass
class Example:
    """A mapping in docs/mapping.md with what stands below it: tables, and the lines or words that come of it."""

    mapping: str
    sql: str = ""
    expected: list[str] = field(default_factory=list)


def examples(page: str) -> list[Example]:
    found: list[Example] = []
    for block in blocks(ROOT / "docs" / page):
        match block.kind:
            case "yaml":
                found.append(Example(block.text))
            case "sql":
                found[-1].sql += block.text
            case "json" | "text":
                found[-1].expected += block.text.splitlines()
    return found


def compiled(example: Example, folder: Path) -> CompiledMapping:
    mapping = folder / "mapping.yaml"
    mapping.write_text(whole_file(example.mapping))
    file = load(mapping)
    source = open_source(f"sqlite:///{folder / 'crm.db'}", FakeClock(NOW))
    try:
        catalog = {relation.name: source.describe(relation) for relation in file.relations}
        lists = file.picklists()
        for one in (one for of_type in lists.values() for one in of_type.values()):
            if one.query is not None:
                one.relist(source.values(one.query))
        return compile_mapping(file, catalog, lists)
    finally:
        source.close()


def said(problem: Problem) -> str:
    return problem.where.partition(" ")[2] + ": " + problem.message


def outcome(example: Example, folder: Path) -> Iterator[str]:
    """Yield the lines without their modifiedDate, refused rows, warnings, or what is wrong with the mapping."""
    with sqlite3.connect(folder / "crm.db") as connection:
        connection.executescript(example.sql)
    try:
        mapping = compiled(example, folder)
        yield from (said(hint) for hint in hints(load(folder / "mapping.yaml")))
    except ConfigProblems as error:
        yield from map(said, error.problems)
        return
    source = open_source(f"sqlite:///{folder / 'crm.db'}", FakeClock(NOW))
    for entity in mapping.entities:
        rows = [*entity.static_rows]
        for chunk in source.everything(entity.relation) if entity.relation else ():
            rows += chunk
        made = entity.encode(rows, int(NOW))
        yield from (line.body.decode() + "}" for line in made.lines)
        yield from (f"refused: {entity.type} {refusal.object_id}: {refusal.reason}" for refusal in made.refusals)
        warnings = sorted(made.warnings.items())
        yield from (f"warning: {entity.type}: {field} {reason}: {number}" for (field, reason), number in warnings)
        for feed in entity.feeds:
            keys = dict.fromkeys(str(row[KEY]) for chunk in source.changes(feed, None) for row in chunk)
            yield from (f"changed through {feed.name}: {key}" for key in keys)
    source.close()


@pytest.mark.parametrize("example", examples("mapping.md"), ids=lambda example: example.mapping.split("\n")[0])
def test_examples_of_the_mapping_page_do_what_they_say(example: Example, tmp_path: Path) -> None:
    def readable(lines: list[str]) -> list[object]:
        return [json.loads(line) if line.startswith("{") else line for line in lines]

    assert example.expected, "an example says what comes of it"
    assert readable(list(outcome(example, tmp_path))) == readable(example.expected)


@pytest.mark.parametrize("example", examples("history.md"), ids=["versions", "field_log"])
def test_examples_of_the_history_page_give_the_versions_that_it_shows(example: Example, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.executescript(example.sql)
    mapping = compiled(example, tmp_path)
    (entity,) = mapping.entities
    source = open_source(f"sqlite:///{tmp_path / 'crm.db'}", FakeClock(NOW))
    shown = []
    for past in pasts(source, entity, mapping.histories[entity.name], FakeClock(NOW)):
        for version in past.versions:
            fields = json.loads(version.line.body + b"}")
            since = datetime.fromtimestamp(version.stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            shown.append(
                f"{past.object_id} from {since}: "
                + ", ".join(f"{name} {fields[name]}" for name in ("name", "stage", "amount"))
            )
    source.close()
    assert shown == example.expected


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_is_made_from_the_code_is_up_to_date(page: Path) -> None:
    text = page.read_text()
    assert refreshed(text) == text, "run: make docs"


@pytest.mark.parametrize("page", [*pages(), *TOP], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        found["target"] for found in LINK.finditer(page.read_text()) if not (page.parent / found["target"]).exists()
    ]
    assert not missing


def test_the_operating_page_explains_every_reason_to_wait() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE))
    assert {reason.value for reason in Pending} <= explained


def test_the_operating_page_names_every_state_and_kind_of_finding() -> None:
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operating.md").read_text()))
    assert {one.value for one in (*State, *Kind)} <= named


def test_every_event_that_the_code_can_say_has_its_meaning() -> None:
    said = {"validate.started", "validate.progress", "validate.ended", "thread.failed", "object.failed"}  # handed on
    for state, ways in TRANSITIONS.items():
        for outcome, way in ways.items():
            said.add(f"batch.{(outcome if way.state is state else way.state).value}")
    for path in (ROOT / "connector").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "event":
                first = call.args[0]
                names = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                said |= {name.value for name in names if isinstance(name, ast.Constant)}
    assert said == EVENTS.keys()


def test_the_operating_page_says_of_each_alert_what_it_means_and_when_it_is_told() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    told = {
        kind: (title, after) for kind, title, after in re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .", page, re.M)
    }
    for kind, title in TITLES.items():
        patience = PATIENCE.get(kind, 0.0)
        after = f"{patience / 60:g} min" if patience else "at once"
        assert told[kind.value][0] == title
        assert told[kind.value][1].startswith(after), kind


@pytest.mark.parametrize("command", ["status", "failures", "validate", "verify", "verify_at"])
def test_the_operating_page_explains_every_key_of_the_json(command: str) -> None:
    tree = ast.parse((ROOT / "connector" / "cli" / f"{command}.py").read_text())
    document = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_document")
    keys = {
        key.value
        for node in ast.walk(document)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operating.md").read_text()))
    assert keys
    assert keys <= explained
