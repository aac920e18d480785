"""A mapping file that changes while the daemon runs: taken up where it is right, else the one in use stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import MAPPING, Company, ObjectType

from connector.cli.status import _status
from connector.engine.judgement import Kind, State, judge
from connector.engine.observe import Fact
from connector.errors import SourceUnavailable
from connector.model import Relation

OLD = MAPPING % ""
NEW = OLD.replace(
    "fields: {name: name, accountId: account, amount: amount}", "fields: {name: name, accountId: account}"
)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path, mapping_text=OLD, sync_interval_seconds=60)
    made.put("accounts", id=1, name="A")
    made.put("deals", id=1, name="D", account=1, amount=5)
    live(made)
    live(made, 4)
    yield made
    made.close()


def live(company: Company, rounds: int = 1) -> list[tuple[str, dict[str, Fact]]]:
    """Let the daemon work for so many minutes, and return what it said."""
    before = len(company.notes.events)
    daemon = company.daemon
    for _ in range(rounds):
        company.clock.advance(60)
        for work in (daemon.passes, daemon.tend, daemon.deliver):
            work()
            company.clock.advance(1)
    return company.notes.events[before:]


def rewrite(company: Company, text: str) -> None:
    """Change the file as an editor would, and send SIGHUP."""
    company.settings.mapping.write_text(text)
    company.daemon.remapping.asked.set()


def test_a_changed_mapping_is_taken_up_and_starts_one_comparison_of_what_it_changes(company: Company) -> None:
    assert company.world.objects(ObjectType.DEAL)["1"]["amount"] == 5
    rewrite(company, NEW)
    said = live(company)
    assert ("mapping.taken", {}) in said
    kinds = {facts["entity"]: facts["kind"] for name, facts in said if name == "pass.started"}
    assert kinds == {
        "BUSINESS_USER": "comparison", "ACCOUNT": "incremental", "CONTACT": "incremental", "DEAL": "comparison",
    }, "users have no stamps and are always compared"  # fmt: skip
    live(company, 3)
    assert "amount" not in company.world.objects(ObjectType.DEAL)["1"]
    again = live(company)
    assert [facts["kind"] for name, facts in again if name == "pass.started" and facts["entity"] == "DEAL"] == [
        "incremental"
    ]
    assert company.daemon.comparisons is company.wiring.comparisons


def test_layout_and_comments_change_nothing(company: Company) -> None:
    mapping = company.wiring.mapping
    rewrite(company, OLD + "\n# a remark\n")
    assert ("mapping.unchanged", {}) in live(company)
    assert company.wiring.mapping is mapping


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (OLD.replace("amount: amount", "amuont: amount"), "DEAL has no such field. Did you mean 'amount'?"),
        (OLD.replace("amount: amount", "amount: amuont"), "'amuont'"),
        (OLD.replace("table: deals", "table: dales"), "dales"),
        ("version: 1\n  nonsense", "mapping.yaml"),
    ],
    ids=["a rule", "a column of a type that was loaded", "a table", "no YAML"],
)
def test_a_wrong_one_leaves_the_one_in_use_and_is_told_until_it_is_mended(
    company: Company, wrong: str, why: str
) -> None:
    rewrite(company, wrong)
    since = company.clock.now() + 60
    ((_, told),) = [one for one in live(company) if one[0] == "mapping.refused"]
    assert why in str(told["error"])
    assert "\n" not in str(told["error"])
    seen = company.wiring.overview()
    (finding,) = [one for one in judge(seen).findings if one.kind is Kind.MAPPING]
    assert (finding.state, finding.since) == (State.HELD, since)
    assert why in finding.words
    assert _status(seen) == 3

    company.put("deals", id=1, name="Meanwhile", account=1, amount=6)
    live(company, 2)
    deal = company.world.objects(ObjectType.DEAL)["1"]
    assert (deal["name"], deal["amount"]) == ("Meanwhile", 6), "all goes on under the old one"

    rewrite(company, wrong + "\n# still\n")
    live(company)
    assert [one.since for one in judge(company.wiring.overview()).findings if one.kind is Kind.MAPPING] == [since]
    rewrite(company, OLD)
    live(company)
    assert company.wiring.overview().unused is None


def test_a_daemon_that_starts_has_taken_up_the_file_as_it_is(company: Company) -> None:
    rewrite(company, "nonsense")
    live(company)
    company.settings.mapping.write_text(NEW)
    company.restart()
    company.daemon.remapping.begin()
    assert company.wiring.overview().unused is None


def test_while_the_source_is_away_it_is_tried_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_relation: Relation) -> None:
        raise SourceUnavailable("no route")

    rewrite(company, NEW)
    with monkeypatch.context() as patched:
        patched.setattr(company.wiring.source, "describe", unreachable)
        assert "mapping.refused" in [name for name, _ in live(company)]
    assert "mapping.taken" in [name for name, _ in live(company, 2)]
    assert company.wiring.overview().unused is None
