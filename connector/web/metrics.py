"""What Prometheus is told: counts and durations of this process's work, and at each scrape how everything stands."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.clock import Clock
from connector.engine.judgement import Kind, State
from connector.engine.observe import Fact, Observer
from connector.engine.overview import Overview
from connector.errors import ConnectorError
from connector.web.lookout import Sight
from connector.web.series import lags

PREFIX: Final = "gong_connector_"
_PASS_SECONDS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
_FILE_SECONDS: Final = (1, 2, 5, 15, 30, 60, 120, 300, 900, 3600)


disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter, which nothing here asks for


class Counting:
    """Counts what the engine says that it does, and passes it on (an engine.observe.Observer)."""

    def __init__(self, told: Observer, registry: CollectorRegistry, clock: Clock) -> None:
        self._told = told
        self._clock = clock
        self._begun: dict[Fact, float] = {}
        self._spooled: dict[Fact, float] = {}
        self._passes = Counter(PREFIX + "passes", "Passes that ended.", ("source", "kind", "end"), registry=registry)
        self._failed = Counter(
            PREFIX + "passes_failed", "Passes that failed or could not begin.", ("source",), registry=registry
        )
        self._rows = Counter(
            PREFIX + "rows", "Rows read by passes, by what became of them.", ("source", "became"), registry=registry
        )
        self._batches = Counter(
            PREFIX + "batches", "What became of data files, step by step.", ("type", "outcome"), registry=registry
        )
        self._lines = Counter(PREFIX + "lines", "Lines of files that Gong took.", ("type",), registry=registry)
        self._refusals = Counter(PREFIX + "refusals", "Lines that Gong refused.", ("type",), registry=registry)
        self._alarms = Counter(
            PREFIX + "alarms", "Steps that a person should look at, by event.", ("event",), registry=registry
        )
        self._alerts = Counter(
            PREFIX + "alerts", "Messages' incidents, by whether the webhook took them.", ("outcome",), registry=registry
        )
        self._pass_seconds = Histogram(
            PREFIX + "pass_duration_seconds",
            "How long passes took to read.",
            ("source", "kind"),
            buckets=_PASS_SECONDS,
            registry=registry,
        )
        self._file_seconds = Histogram(
            PREFIX + "batch_duration_seconds",
            "From the file that was made to Gong's answer.",
            ("type",),
            buckets=_FILE_SECONDS,
            registry=registry,
        )

    def event(self, name: str, **facts: Fact) -> None:
        """Count a step."""
        if facts.get("alarm"):
            self._alarms.labels(name).inc()
        if name == "pass.failed":
            self._failed.labels(facts.get("entity")).inc()
        elif name == "pass.started":
            self._begun[facts.get("entity")] = self._clock.monotonic()
        elif name == "pass.ended":
            self._ended(facts)
        elif name.startswith("alert."):
            self._alerts.labels(name.partition(".")[2]).inc()
        elif name.startswith("batch."):
            self._batch(name, facts)
        self._told.event(name, **facts)

    def _ended(self, facts: dict[str, Fact]) -> None:
        source, kind = facts.get("entity"), facts.get("kind")
        self._passes.labels(source, kind, facts.get("end")).inc()
        for became in ("rows", "lines", "skipped", "refused"):
            self._rows.labels(source, "read" if became == "rows" else became).inc(int(facts.get(became) or 0))
        began = self._begun.pop(source, None)
        if began is not None:
            self._pass_seconds.labels(source, kind).observe(self._clock.monotonic() - began)

    def _batch(self, name: str, facts: dict[str, Fact]) -> None:
        kind, request, now = facts.get("type"), facts.get("request_id"), self._clock.monotonic()
        self._batches.labels(kind, name.partition(".")[2]).inc()
        if name == "batch.spooled":
            self._spooled[request] = now
        elif name in ("batch.done", "batch.failed"):
            began = self._spooled.pop(request, None)
            if began is not None:
                self._file_seconds.labels(kind).observe(now - began)
            if name == "batch.done":
                self._lines.labels(kind).inc(int(facts.get("lines") or 0))
        elif name == "batch.resolved":
            self._spooled.pop(request, None)
            self._refusals.labels(kind).inc(int(facts.get("refused") or 0))


class Standing(Collector):
    """How everything stands, from the ledger, at the time of the scrape."""

    def __init__(self, look: Callable[[], Sight]) -> None:
        self._look = look

    def describe(self) -> list[Metric]:
        """Return nothing: the ledger is not looked at before somebody asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; while the ledger cannot be read, only that it cannot."""
        info = InfoMetricFamily(PREFIX + "build", "The connector's version.")
        info.add_metric([], {"version": version("gong-connector")})
        yield info
        try:
            sight = self._look()
        except ConnectorError:
            yield _gauge("ledger_readable", "1 while the ledger can be read.", 0)
            return
        yield _gauge("ledger_readable", "1 while the ledger can be read.", 1)
        yield from _judged(sight)
        yield from _of_types(sight)
        yield from _of_files(sight)
        yield from _of_calls(sight.overview)
        yield from _of_reading(sight.overview)


def registry_for(look: Callable[[], Sight], registry: CollectorRegistry) -> CollectorRegistry:
    """Make a registry whole that counts already: with how everything stands, and what is known of the process."""
    registry.register(Standing(look))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, meaning, value=value)


def _judged(sight: Sight) -> Iterator[Metric]:
    state = GaugeMetricFamily(PREFIX + "state", "1 for the state that everything is in.", labels=("state",))
    for one in State:
        state.add_metric((one.value,), float(sight.verdict.state is one))
    yield state
    found = GaugeMetricFamily(PREFIX + "findings", "Things worth a word, by kind.", labels=("kind",))
    for kind in Kind:
        found.add_metric((kind.value,), sum(finding.kind is kind for finding in sight.verdict.findings))
    yield found
    active = sight.overview.active
    yield _gauge("lease_held", "1 while a process is at work on this ledger.", float(active is not None))


def _of_types(sight: Sight) -> Iterator[Metric]:
    objects = GaugeMetricFamily(PREFIX + "objects", "Objects that Gong has.", labels=("type",))
    flying = GaugeMetricFamily(PREFIX + "objects_in_flight", "Objects on their way.", labels=("type",))
    refused = GaugeMetricFamily(PREFIX + "objects_refused", "Objects whose latest line is refused.", labels=("type",))
    pending = GaugeMetricFamily(
        PREFIX + "objects_pending", "Objects to be read again, by reason.", labels=("type", "reason")
    )
    for one in sight.overview.types:
        objects.add_metric((one.type,), one.objects)
        flying.add_metric((one.type,), one.in_flight)
        refused.add_metric((one.type,), one.refused)
        for reason, number in one.pending.items():
            pending.add_metric((one.type, reason), number)
    yield from (objects, flying, refused, pending)
    lag = GaugeMetricFamily(
        PREFIX + "lag_seconds", "From a change in the CRM to Gong's DONE, latest file.", labels=("type",)
    )
    for kind, seen in lags(sight.settled).items():
        lag.add_metric((kind,), seen.last)
    yield lag
    oldest = GaugeMetricFamily(
        PREFIX + "oldest_waiting_change_seconds", "Age of the oldest change on its way.", labels=("type",)
    )
    for one in sight.overview.types:
        since = sight.overview.waiting.get(one.type)
        oldest.add_metric((one.type,), 0.0 if since is None else max(sight.overview.now - since, 0.0))
    yield oldest


def _of_files(sight: Sight) -> Iterator[Metric]:
    seen = sight.overview
    files = GaugeMetricFamily(PREFIX + "batches_unsettled", "Data files that are not settled.", labels=("state",))
    for state, number in seen.files.items():
        files.add_metric((str(state),), number)
    yield files
    if sight.spooled is not None:
        yield _gauge("spool_bytes", "Bytes that the spool holds.", sight.spooled)
    yield _gauge("held_objects", "Objects that the guard holds.", sum(hold.objects for hold in seen.held))
    yield _gauge("paused_types", "Types that are paused.", len(seen.paused))
    yield _gauge("open_requests", "Requests that are not finished.", len(seen.requests))


def _of_calls(seen: Overview) -> Iterator[Metric]:
    day = seen.pacing.standing
    yield _gauge("calls_used", "Calls to Gong in the last 24 hours.", day.used)
    yield _gauge("calls_per_day", "Calls that may be made in 24 hours.", day.per_day)
    yield _gauge("calls_left", "Calls that are left of them.", max(day.per_day - day.used, 0))
    yield _gauge("calls_forecast", "Calls that a day takes at the pace of the last hour.", day.forecast)
    yield _gauge("pass_interval_seconds", "Seconds between passes that are in force.", seen.pacing.interval)


def _of_reading(seen: Overview) -> Iterator[Metric]:
    last = GaugeMetricFamily(PREFIX + "last_pass_timestamp_seconds", "When the last pass began.", labels=("source",))
    failing = GaugeMetricFamily(PREFIX + "source_failing", "1 while a source's last pass failed.", labels=("source",))
    for one in seen.passes:
        last.add_metric((one.name,), one.started_at)
        failing.add_metric((one.name,), float(one.error is not None))
    horizon = GaugeMetricFamily(
        PREFIX + "horizon_age_seconds", "Age of the time up to which changes are accounted for.", labels=("source",)
    )
    for cursor in seen.cursors:
        if cursor.at is not None:
            horizon.add_metric((cursor.name,), max(seen.now - cursor.at, 0.0))
    yield from (last, failing, horizon)
