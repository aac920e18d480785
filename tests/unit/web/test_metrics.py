"""What Prometheus is told is what is; the dashboard and the alert rules ask for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.web.app import create_app
from connector.web.metrics import Counting
from tests.browser.states import serve, site
from tests.unit.engine.company import Company

MONITORING = Path(__file__).resolve().parents[3] / "deploy" / "monitoring"
METRIC = re.compile(r"\bgong_connector_\w+")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.put("users", id="u1", email="ann@acme.example")
    made.put("users", id="u2", email=None)
    made.put("accounts", id=1, name="Initech")
    made.sync()
    made.clock.advance(60)
    made.put("accounts", id=1, name="Initrode")
    made.sync()
    serve(made)
    yield made
    made.close()


def scraped(company: Company, registry: CollectorRegistry) -> dict[str, dict[tuple[str, ...], float]]:
    made = site(company, registry=registry)
    answer = TestClient(create_app(made), "http://127.0.0.1").get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_a_scrape_tells_how_everything_stands(company: Company) -> None:
    told = scraped(company, CollectorRegistry())
    assert told["gong_connector_state"][("refused",)] == 1
    assert sum(told["gong_connector_state"].values()) == 1
    assert told["gong_connector_findings"][("refused",)] == 1
    assert told["gong_connector_objects"][("ACCOUNT",)] == 1
    assert told["gong_connector_objects_refused"][("BUSINESS_USER",)] == 1
    assert told["gong_connector_lease_held"] == {(): 1}
    assert told["gong_connector_batches_unsettled"][("spooled",)] == 0
    assert 60 <= told["gong_connector_lag_seconds"][("ACCOUNT",)] < 200
    assert told["gong_connector_calls_left"][()] == 9000 - told["gong_connector_calls_used"][()]
    assert told["gong_connector_horizon_age_seconds"][("ACCOUNT",)] >= 300
    assert told["process_open_fds"][()] > 0


def test_what_the_engine_does_is_counted_and_timed(company: Company) -> None:
    registry, clock = CollectorRegistry(), FakeClock(0.0)
    counting = Counting(Silent(), registry, clock)
    counting.event("pass.started", entity="DEAL", kind="incremental", pass_id=1)
    clock.advance(3)
    numbers = {"rows": 9, "lines": 5, "skipped": 3, "refused": 1}
    counting.event("pass.ended", entity="DEAL", kind="incremental", pass_id=1, end="finished", **numbers)
    counting.event("batch.spooled", type="DEAL", request_id="r", lines=5, bytes=10)
    clock.advance(7)
    counting.event("batch.done", type="DEAL", request_id="r", lines=5, outcome="done", batch=1, alarm=False)
    counting.event("batch.resolved", type="DEAL", refused=2, batch=2, errors=2, lines=9, alarm=True)
    counting.event("pass.failed", entity="DEAL", error="gone", alarm=True)
    told = scraped(company, registry)
    assert told["gong_connector_passes_total"] == {("finished", "incremental", "DEAL"): 1}
    assert told["gong_connector_passes_failed_total"] == {("DEAL",): 1}
    assert told["gong_connector_rows_total"][("read", "DEAL")] == 9
    assert told["gong_connector_pass_duration_seconds_sum"] == {("incremental", "DEAL"): 3}
    assert told["gong_connector_batch_duration_seconds_sum"] == {("DEAL",): 7}
    assert told["gong_connector_lines_total"] == {("DEAL",): 5}
    assert told["gong_connector_refusals_total"] == {("DEAL",): 2}
    assert told["gong_connector_alarms_total"] == {("batch.resolved",): 1, ("pass.failed",): 1}


def test_what_the_engine_really_says_is_what_is_counted(company: Company) -> None:
    """The names and facts of events are the engine's; a company at work must move every counter."""
    registry = CollectorRegistry()
    counting = Counting(Silent(), registry, company.clock)
    for name, facts in company.notes.events:
        counting.event(name, **facts)
    told = scraped(company, registry)
    assert sum(told["gong_connector_passes_total"].values()) > 0
    assert told["gong_connector_rows_total"][("refused", "BUSINESS_USER")] > 0
    assert told["gong_connector_lines_total"][("ACCOUNT",)] == 2
    assert told["gong_connector_batch_duration_seconds_count"][("ACCOUNT",)] == 2


def names(company: Company) -> set[str]:
    """Every series that there is, those that nothing has moved yet included."""
    company.put("deals", id=9, name="Orphan", account=77)
    company.sync(timeout=10)
    registry = CollectorRegistry()
    counting = Counting(Silent(), registry, company.clock)
    for name, facts in company.notes.events:
        counting.event(name, **facts)
    counting.event("batch.resolved", type="DEAL", refused=1, batch=2, alarm=True)
    counting.event("pass.failed", entity="DEAL", error="gone", alarm=True)
    return set(scraped(company, registry)) | {"up"}


def test_the_dashboard_asks_for_metrics_that_exist(company: Company) -> None:
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 10
    assert {name for expression in asked for name in METRIC.findall(expression)} <= names(company)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_alert_rules_ask_for_metrics_that_exist_and_say_what_to_do(company: Company) -> None:
    rules = yaml.safe_load((MONITORING / "prometheus-alerts.yml").read_text())
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    assert {name for rule in found for name in METRIC.findall(rule["expr"])} <= names(company)
    for rule in found:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description"} <= set(rule["annotations"])
    operating = (MONITORING.parents[1] / "docs" / "operating.md").read_text()
    assert all(f"`{rule['alert']}`" in operating for rule in found), "the operating page says what to do for each"
