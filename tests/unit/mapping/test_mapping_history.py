"""The past of an object, from a log of its fields or from recorded versions."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigProblems
from connector.mapping import CompiledMapping, History, compile_mapping, load
from connector.mapping.history import typed
from connector.model import Column, ColumnKind, Past, Row

NOW = 1_800_000_000
T0 = 1_700_000_000

DEALS = {
    "id": ColumnKind.INTEGER,
    "name": ColumnKind.TEXT,
    "amount": ColumnKind.DECIMAL,
    "stage": ColumnKind.TEXT,
    "closes": ColumnKind.DATE,
    "born": ColumnKind.DATETIME,
    "updated": ColumnKind.DATETIME,
}
LOG = dict.fromkeys(("deal", "what", "old", "new", "at"), ColumnKind.TEXT) | {"seq": ColumnKind.INTEGER}
VERSIONS = dict.fromkeys(("id", "stage", "since"), ColumnKind.TEXT) | {"gone": ColumnKind.INTEGER}

FIELD_LOG = """{kind: field_log, table: log, key: deal, field: what, before: old, after: new, changed_at: at,
             names: {Stage: stage, Amount: amount, Name: name, Close date: closes}%s}"""
RECORDED = "{kind: versions, table: past, changed_at: since, deleted: gone = 1%s}"


def compiled(directory: Path, history: str, catalog: dict[str, ColumnKind] = LOG) -> CompiledMapping:
    path = directory / "mapping.yaml"
    path.write_text(f"""
version: 1
integration: {{name: A, owner_email: a@b.example}}
entities:
  DEAL:
    table: deals
    key: id
    modified: updated
    fields: {{name: {{column: name, convert: html_unescape}}, amount: amount, stage: stage, closeDate: closes}}
    history: {history}
""")
    relations = {"DEAL": DEALS, "DEAL.history": catalog}
    columns = {
        relation: {name: Column(name, kind) for name, kind in kinds.items()} for relation, kinds in relations.items()
    }
    file = load(path)
    return compile_mapping(file, columns, file.picklists())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> History:
    return compiled(tmp_path_factory.mktemp("log"), FIELD_LOG % "").histories["DEAL"]


@pytest.fixture(scope="module")
def log_from_birth(tmp_path_factory: pytest.TempPathFactory) -> History:
    return compiled(tmp_path_factory.mktemp("log"), FIELD_LOG % ", created: born").histories["DEAL"]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, UTC)


def row_of(history: History, updated: float = 1000, **values: Any) -> Row:
    relation = history.encoder.relation
    assert relation is not None
    return (7, at(updated), 0, *(values.get(column) for column in relation.columns))


def change(seconds: float, field: str, before: Any, after: Any) -> Row:
    return ("7", at(seconds), 0, field, before, after)


def seen(past: Past, *fields: str) -> list[tuple[int, ...]]:
    """The versions, each by its time since the beginning and some fields."""
    return [
        (version.stamp - T0, *(json.loads(version.line.body + b"}").get(field) for field in fields))
        for version in past.versions
    ]


def test_versions_are_rebuilt_from_the_present_row(log_from_birth: History) -> None:
    present = row_of(log_from_birth, name="Big", stage="won", amount=5, born=at(0))
    rows = [
        change(10, "Stage", "new", "open"),
        change(20, "Amount", "1.50", "5"),
        change(30, "Stage", "open", "won"),
        change(40, "Colour", "red", "blue"),
    ]
    past = log_from_birth.past("7", present, rows, NOW)
    assert seen(past, "name", "stage", "amount") == [
        (0, "Big", "new", 1.5),
        (10, "Big", "open", 1.5),
        (20, "Big", "open", 5),
        (30, "Big", "won", 5),
    ]
    assert past.gaps == []


def test_what_was_told_of_the_present_is_left_out(log: History) -> None:
    present = row_of(log, updated=30, stage="won")
    past = log.past("7", present, [change(10, "Stage", "new", "open"), change(30, "Stage", "open", "won")], NOW)
    assert seen(past, "stage") == [(10, "open")]


def test_a_change_logged_in_the_presents_second_is_the_present(log: History) -> None:
    """Gong was told of the present row with that second's time: the state before would hide it."""
    present = row_of(log, updated=30, stage="won", amount=5)
    rows = [change(10, "Stage", "new", "open"), change(30, "Stage", "open", "lost")]
    assert seen(log.past("7", present, rows, NOW), "stage") == [(10, "open")]


def test_a_present_that_a_version_hides_is_sent_as_a_version_too(log: History) -> None:
    """Its time was moved by something that the log dates later: without the last version, `open` would be shown."""
    present = row_of(log, updated=30, stage="won")
    rows = [change(31, "Stage", "new", "open"), change(33, "Stage", "open", "won")]
    assert seen(log.past("7", present, rows, NOW), "stage") == [(31, "open"), (33, "won")]
    assert seen(log.past("7", present, rows[1:], NOW), "stage") == []


def test_changes_of_one_second_are_put_in_order_by_their_values(log: History) -> None:
    rows = [
        change(10, "Stage", "c", "d"),
        change(10, "Stage", "a", "b"),
        change(10, "Stage", "b", "c"),
        change(20, "Stage", "d", "e"),
    ]
    past = log.past("7", row_of(log, stage="e"), rows, NOW)
    assert (seen(past, "stage"), past.gaps) == ([(10, "d"), (20, "e")], [])


def test_a_sequence_orders_changes_of_one_second(tmp_path: Path) -> None:
    history = compiled(tmp_path, FIELD_LOG % ", sequence: seq").histories["DEAL"]
    rows = [(*change(10, "Stage", "a", "b"), 11), (*change(10, "Stage", "b", "a"), 9)]
    past = history.past("7", row_of(history, stage="b"), rows, NOW)
    assert seen(past, "stage") == [(10, "b")]


def test_what_changes_nothing_that_is_sent_is_no_version(log: History) -> None:
    rows = [
        change(10, "Name", "Smith &amp; Sons", "Smith & Sons"),
        change(20, "Amount", "5.00", "5"),
        change(30, "Stage", "", "new"),
    ]
    past = log.past("7", row_of(log, name="Smith & Sons", amount=5, stage="new"), rows, NOW)
    assert seen(past, "name", "amount", "stage") == [(10, "Smith & Sons", 5, None), (30, "Smith & Sons", 5, "new")]
    assert past.gaps == []


def test_a_chain_that_does_not_meet_is_used_and_reported(log: History) -> None:
    rows = [change(10, "Stage", "a", "b"), change(20, "Stage", "c", "d")]
    past = log.past("7", row_of(log, stage="e"), rows, NOW)
    assert seen(past, "stage") == [(10, "b"), (20, "d")]
    assert [(gap.stamp - T0, gap.field, gap.kind) for gap in past.gaps] == [
        (20, "stage", "step"),
        (20, "stage", "present"),
    ]


@pytest.mark.parametrize("deleted", [None, 1])
def test_of_an_object_without_a_row_nothing_is_sent(log: History, deleted: int | None) -> None:
    present = None if deleted is None else (7, at(50), 1, *row_of(log, stage="b")[3:])
    past = log.past("7", present, [change(10, "Stage", "a", "b")], NOW)
    assert (past.absent, past.versions) == (True, ())


def test_an_unfit_version_is_refused_and_the_others_go(log: History) -> None:
    rows = [change(10, "Amount", "1", "many"), change(20, "Amount", "many", "3")]
    past = log.past("7", row_of(log, amount=3), rows, NOW)
    assert seen(past, "amount") == [(20, 3)]
    assert [(stamp - T0, refusal.field) for stamp, refusal in past.refused] == [(10, "amount")]


def test_versions_of_the_future_are_left_out(log: History) -> None:
    rows = [change(10, "Stage", "a", "b"), change(NOW, "Stage", "b", "c")]
    assert seen(log.past("7", row_of(log, stage="c"), rows, NOW), "stage") == [(10, "b")]


def test_recorded_versions_with_tombstones(tmp_path: Path) -> None:
    history = compiled(tmp_path, RECORDED % "", VERSIONS).histories["DEAL"]
    assert history.relation.columns == ("stage",)
    present = row_of(history, name="Big", stage="won")
    rows = [("7", at(0), 0, "new"), ("7", at(10), 1, "new"), ("7", at(20), 0, "early"), ("7", at(20.9), 0, "open")]
    past = history.past("7", present, rows, NOW)
    assert [version.line.deleted for version in past.versions] == [False, True, False]
    assert seen(past, "name", "stage") == [(0, "Big", "new"), (10, None, None), (20, "Big", "open")]


def test_a_last_version_that_is_not_the_present_row_is_reported(tmp_path: Path) -> None:
    history = compiled(tmp_path, RECORDED % "", VERSIONS).histories["DEAL"]
    present = row_of(history, name="Big", stage="won")
    kept = [history.past("7", present, [("7", at(5), 0, stage)], NOW).gaps for stage in ("won", "open")]
    assert [[(gap.stamp - T0, gap.kind) for gap in gaps] for gaps in kept] == [[], [(5, "present")]]


def test_versions_of_one_second_are_ordered_by_their_sequence(tmp_path: Path) -> None:
    history = compiled(tmp_path, RECORDED % ", sequence: seq", VERSIONS | {"seq": ColumnKind.INTEGER}).histories["DEAL"]
    rows = [("7", at(5), 0, "second", 2), ("7", at(5), 0, "first", 1)]
    assert seen(history.past("7", row_of(history, stage="won"), rows, NOW), "stage") == [(5, "second")]


def test_fields_that_the_history_does_not_know_may_be_left_out(tmp_path: Path) -> None:
    history = compiled(tmp_path, RECORDED % ", unknown: leave_out", VERSIONS).histories["DEAL"]
    past = history.past("7", row_of(history, name="Big", stage="won"), [("7", at(0), 0, "new")], NOW)
    assert [json.loads(version.line.body + b"}") for version in past.versions] == [{"objectId": "7", "stage": "new"}]


@pytest.mark.parametrize(
    ("history", "complaint"),
    [
        ("{kind: diary, table: t, changed_at: a}", "history.kind: versions or field_log is meant here"),
        (
            "{kind: field_log, table: t, changed_at: at, field: what, before: old, after: new}",
            "`names` is missing: a field_log needs field, before, after, names",
        ),
        ("{kind: versions, table: t, changed_at: at, created: born}", "has a meaning for `kind: field_log` only"),
        ("{kind: versions, changed_at: at}", "exactly one of `table` and `query` is meant here; given: none"),
        (FIELD_LOG.replace("before: old", "before: odl") % "", "has no column 'odl'. Did you mean 'old'?"),
        (FIELD_LOG.replace("Stage: stage", "Stage: stag") % "", "no field of DEAL is made of a column 'stag'"),
        (FIELD_LOG % ", created: bron", "has no column 'bron'. Did you mean 'born'?"),
    ],
)
def test_what_is_wrong_with_a_history(tmp_path: Path, history: str, complaint: str) -> None:
    with pytest.raises(ConfigProblems) as wrong:
        compiled(tmp_path, history)
    assert complaint in str(wrong.value)


def test_a_history_leaves_the_fingerprint_as_it_was(tmp_path: Path) -> None:
    prints = {
        compiled(tmp_path, history).entities[0].fingerprint
        for history in (FIELD_LOG % "", FIELD_LOG % ", created: born")
    }
    assert len(prints) == 1


VALUES = {
    "Stage": ("stage", ["new", "open", "won", "", None]),
    "Amount": ("amount", ["1", "2.50", "3", None]),
    "Close date": ("closes", ["2026-01-01", "2026-01-02", None]),
}


@st.composite
def lives(draw: st.DrawFn) -> tuple[dict[str, Any], list[tuple[int, str, Any, Any]]]:
    """The first state of a deal, and its changes: (second, field, before, after) in their true order."""
    first = {name: draw(st.sampled_from(values)) for name, (_, values) in VALUES.items()}
    state, second, changes = dict(first), 0, []
    for _ in range(draw(st.integers(0, 8))):
        second += draw(st.sampled_from([0, 0, 1, 5]))
        name = draw(st.sampled_from(list(VALUES)))
        value = draw(st.sampled_from(VALUES[name][1]))
        changes.append((max(second, 1), name, state[name], value))
        state[name] = value
    return first, changes


def _typed(state: dict[str, Any]) -> dict[str, Any]:
    return {column: typed(state[name], DEALS[column]) for name, (column, _) in VALUES.items()}


@given(lives(), st.randoms(use_true_random=False))
def test_whatever_happened_is_rebuilt_second_by_second(
    log_from_birth: History, life: tuple[dict[str, Any], list[tuple[int, str, Any, Any]]], chance: Any
) -> None:
    first, changes = life
    state, truth = dict(first), {0: dict(first)}
    for second, name, _, after in changes:
        state = truth[second] = {**state, name: after}
    present = row_of(log_from_birth, born=at(0), **_typed(state))
    order = sorted(changes, key=lambda step: (step[0], chance.random()))  # a random key decides within a second
    rows = [change(second, name, before, after) for second, name, before, after in order]
    past = log_from_birth.past("7", present, rows, NOW)

    assert past.gaps == []
    versions = {version.stamp - T0: version.line.body for version in past.versions}
    assert list(versions) == sorted(versions)
    shown = b""
    for second in range(max(truth) + 1):
        shown = versions.get(second, shown)
        true = truth[max(known for known in truth if known <= second)]
        expected = log_from_birth.encoder.encode([row_of(log_from_birth, **_typed(true))], NOW).lines[0].body
        assert shown == expected
