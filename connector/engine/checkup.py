"""Looks over everything before work: source, mapping, Gong, schema. Reports in words and changes nothing."""

import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.engine.reading import HELD_SECONDS
from connector.engine.schema import DESTRUCTIVE, Change
from connector.engine.wiring import Wiring
from connector.errors import ConfigError, ConfigProblems, ConnectorError, Problem
from connector.mapping import Catalog, CompiledMapping, Entity, MappingFile, check, hints
from connector.model import Column, Relation
from connector.object_types import SCHEMA_TYPES
from connector.webhook import Webhook
from connector.words import size

CLOCK_SECONDS: Final = 5.0
"""Clocks may differ by so much."""
_WHOLE: Final = 100
"""Percent of a type."""
_NEVER: Final = 1_000_000
"""A guard that lets this many deletions pass guards nothing."""


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARN = "warn"
    """Works, but not as one might think; or something is still to be done."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    """`settings`, `source`, `mapping`, `gong`, `schema`, `spool`, `ledger` or `webhook`."""
    text: str
    """What is the case, and what to do where something is."""
    configuration: bool = False
    """The problem is in the settings or the mapping file, not in what they name."""


def examine(wiring: Wiring) -> Iterator[Finding]:
    """Look at everything, each thing as far as those before it allow; calls Gong once, or once a type if registered.

    Nothing is raised: what goes wrong is a finding.
    """
    file = yield from _file(wiring)
    reachable = yield from _source(wiring)
    mapping = None
    if file is not None and reachable:
        mapping = yield from _mapping(wiring, file)
        yield from _rights(wiring, file)
    if mapping is not None:
        yield from _indexes(wiring, mapping)
    registered = yield from _gong(wiring, file)
    if registered and mapping is not None:
        yield from _schema(wiring, mapping)
    yield from _spool(wiring)
    yield from _guard(wiring)
    yield _webhook(wiring)


def _problems(about: str, error: ConnectorError) -> Iterator[Finding]:
    texts = [str(problem) for problem in error.problems] if isinstance(error, ConfigProblems) else [str(error)]
    for text in texts:
        yield Finding(Level.PROBLEM, about, text, configuration=isinstance(error, ConfigError))


def _file(wiring: Wiring) -> Generator[Finding, None, MappingFile | None]:
    try:
        file = wiring.mapping_file
    except ConnectorError as error:
        yield from _problems("mapping", error)
        return None
    try:
        _ = wiring.comparisons
    except ConnectorError as error:
        yield from _problems("settings", error)
    least = wiring.settings.sync_interval_seconds
    for origin in file.origins:
        interval = origin.source.interval_seconds
        if interval is not None and interval < least:
            text = f"{file.where((*origin.place, 'interval_seconds'))}: {interval:g} is less than "
            text += f"CONNECTOR_SYNC_INTERVAL_SECONDS ({least:g}), which is how often {origin.name} is read"
            yield Finding(Level.WARN, "mapping", text)
    return file


def _source(wiring: Wiring) -> Generator[Finding, None, bool]:
    try:
        wiring.source.ping()
    except ConnectorError as error:
        yield from _problems("source", error)
        return False
    yield Finding(Level.OK, "source", "the database answers; it is opened read-only")
    try:
        ahead = wiring.source.clock_difference()
    except ConnectorError as error:
        yield from _problems("source", error)
        return False
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        text = f"its clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} this host's: set both by NTP"
        yield Finding(Level.WARN, "source", text)
    try:
        yield from _horizon(wiring)
    except ConnectorError as error:
        yield from _problems("source", error)
        return False
    return True


def _horizon(wiring: Wiring) -> Iterator[Finding]:
    """Say whether transactions that are open for long are seen, and name one that holds the cursors now."""
    horizon = wiring.source.horizon()
    if horizon.lacking is None:
        yield Finding(Level.OK, "source", "changes that are committed late are found: open transactions are seen")
    else:
        late = (
            f". What is committed more than {wiring.settings.overlap_seconds:g} s"
            " (CONNECTOR_OVERLAP_SECONDS) after its stamp is found by the next full comparison only"
        )
        yield Finding(Level.WARN, "source", horizon.lacking + ("" if horizon.stay else late))
    holder = horizon.holder
    if holder is not None and horizon.now.timestamp() - holder.since >= HELD_SECONDS:
        minutes = (horizon.now.timestamp() - holder.since) / 60
        text = f"{holder} has been open for {minutes:,.0f} min: until it ends, every pass reads what came since again"
        yield Finding(Level.WARN, "source", text)


def _rights(wiring: Wiring, file: MappingFile) -> Iterator[Finding]:
    """Say when the account may do more than it needs."""
    try:
        excess = wiring.source.excess()
    except ConnectorError as error:
        yield from _problems("source", error)
        return
    if excess is None:
        return
    tables = list(dict.fromkeys(relation.table for relation in file.relations if relation.table is not None))
    text = f"its account {excess}. Use an account that may only read: {wiring.source.reader(tables)};"
    if any(relation.query is not None for relation in file.relations):
        text += " and the tables that its queries read, too"
    yield Finding(Level.WARN, "source", text)


def _indexes(wiring: Wiring, mapping: CompiledMapping) -> Iterator[Finding]:
    """Say which indexes the tables lack that a pass reads by."""
    unknown: list[str] = []
    served: dict[tuple[str, str], list[str]] = {}
    for entity in mapping.entities:
        for relation in (entity.relation, *entity.feeds):
            if relation is None:
                continue
            try:
                missing = wiring.source.missing_indexes(relation, by_key=relation is entity.relation)
            except ConnectorError as error:
                yield from _problems("source", error)
                continue
            if missing is None:
                yield from _plan(wiring, relation, unknown)
            for index in missing or ():
                served.setdefault((index.serves, index.statement), []).append(relation.name)
    for (what, statement), names in served.items():
        text = f"{', '.join(names)}: no index serves the reading of {what}: {statement};"
        yield Finding(Level.WARN, "source", text)
    if unknown:
        text = f"whether indexes serve queries and views cannot be judged: {', '.join(unknown)}; EXPLAIN them"
        yield Finding(Level.OK, "source", text)


def _plan(wiring: Wiring, relation: Relation, unknown: list[str]) -> Iterator[Finding]:
    """Say what a query or view reads whole in every pass; note one of which the database does not say it."""
    try:
        whole = wiring.source.read_whole(relation)
    except ConnectorError as error:
        yield from _problems("source", error)
        return
    if whole is None:
        unknown.append(relation.name)
    elif whole:
        text = f"{relation.name}: by the database's plan, every pass reads the whole of {', '.join(whole)}: an index on"
        text += f" the table of {relation.modified!r} that begins with that column would serve it, if the query lets"
        yield Finding(Level.WARN, "source", f"{text} the condition on it through")
    else:
        text = f"{relation.name}: by the database's plan, no large table is read whole to find its changes"
        yield Finding(Level.OK, "source", text)


def _spool(wiring: Wiring) -> Iterator[Finding]:
    """Say whether the spool can be written, and whether its disk holds what it may hold. Nothing is made."""
    folder, most = wiring.settings.spool_dir, wiring.settings.spool_max_bytes
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if not there.is_dir() or not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        text = f"CONNECTOR_SPOOL_DIR: {there} is no directory that user {os.geteuid()} may write to"
        yield Finding(Level.PROBLEM, "spool", text, configuration=True)
        return
    free = shutil.disk_usage(there).free
    if free < most:
        text = f"{size(free)} are free at {folder} (CONNECTOR_SPOOL_DIR), and CONNECTOR_SPOOL_MAX_BYTES lets it grow to"
        yield Finding(Level.WARN, "spool", f"{text} {size(most)}: lower it, or give it more room")
    else:
        yield Finding(Level.OK, "spool", f"{folder} has room for {size(most)}")


def _guard(wiring: Wiring) -> Iterator[Finding]:
    """Say what the guard holds, and whether it ever would."""
    percent, number = wiring.settings.delete_guard_percent, wiring.settings.delete_guard_count
    if percent >= _WHOLE and number >= _NEVER:
        text = f"CONNECTOR_DELETE_GUARD_PERCENT={percent:g} and CONNECTOR_DELETE_GUARD_COUNT={number:,} hold nothing:"
        yield Finding(Level.WARN, "settings", f"{text} a bad query could delete everything in Gong")
    try:
        held = wiring.queries.holds()
    except ConnectorError as error:
        yield from _problems("ledger", error)
        return
    for hold in held:
        text = (
            f"the guard holds {hold.kind} of {hold.type}: {hold.objects} of {hold.live}; see `gong-connector approve`"
        )
        yield Finding(Level.WARN, "ledger", text)


def _webhook(wiring: Wiring) -> Finding:
    """Say who is told when something is wrong; that the address is fit is seen when settings are read."""
    url = wiring.settings.alert_webhook_url
    if url is None:
        text = "none is set (CONNECTOR_ALERT_WEBHOOK_URL): look at `gong-connector status`, the page or the metrics"
        return Finding(Level.OK, "webhook", text)
    webhook = Webhook(url.get_secret_value())
    how = "in Slack's format" if webhook.slack else "as JSON"
    text = f"{webhook.host} is told, {how}, when something is wrong; `gong-connector check --alert` tries it"
    return Finding(Level.OK, "webhook", text)


def _mapping(wiring: Wiring, file: MappingFile) -> Generator[Finding, None, CompiledMapping | None]:
    """Hold the file against the catalog: every fault of it, not only those of the first table that is wrong."""
    catalog: dict[str, dict[str, Column]] = {}
    sound = True
    for origin in file.origins:
        relation = origin.relation
        if relation is None:
            continue
        try:
            catalog[origin.name] = wiring.source.describe(relation)
        except ConnectorError as error:
            sound = False
            place = file.where((*origin.place, "table" if relation.table is not None else "query"))
            wrong = isinstance(error, ConfigError)
            yield Finding(Level.PROBLEM, "mapping", f"{place}: {error}", configuration=wrong)
    faults = _faults(file, catalog)
    yield from faults
    if faults or not sound:
        return None
    try:
        mapping = wiring.mapping
    except ConnectorError as error:
        yield from _problems("mapping", error)
        return None
    yield Finding(Level.OK, "mapping", f"{file.path} fits the source")
    for hint in hints(file):
        yield Finding(Level.WARN, "mapping", str(hint))
    places = {origin.name: file.where(origin.place) for origin in file.origins}
    for entity in mapping.entities:
        yield from _ways(entity, places[entity.name])
    return mapping


def _faults(file: MappingFile, catalog: Catalog) -> list[Finding]:
    found: list[Problem] = check(file, catalog)
    return [Finding(Level.PROBLEM, "mapping", str(problem), configuration=True) for problem in found]


def _ways(entity: Entity, place: str) -> Iterator[Finding]:
    """Say how changes and deletions of an entity source are found; `place` is where the file has it."""
    relation = entity.relation
    if relation is None:
        yield Finding(Level.OK, "mapping", f"{entity.name}: listed in the mapping file")
        return
    if relation.modified is not None:
        found = f"changes are found by {relation.modified}"
    else:
        found = "changes are found by comparing every row in each pass"
    if relation.deleted is not None:
        gone = f"soft deletes by {relation.deleted}"
        yield Finding(Level.OK, "mapping", f"{entity.name}: {found}, {gone}")
    else:
        gone = "rows that vanish are found by full comparison (the daemon's, or `gong-connector reconcile`)"
        yield Finding(Level.WARN, "mapping", f"{place}: {found}; no soft deletes: {gone}, not by `sync`")
    if relation.where is not None:
        text = f"{place}.where: a row that leaves it is deleted in Gong, once a full comparison has found it"
        yield Finding(Level.WARN, "mapping", text)


def _gong(wiring: Wiring, file: MappingFile | None) -> Generator[Finding, None, bool]:
    """Return whether the integration is registered and Gong has it."""
    try:
        present = wiring.client.integrations()
    except ConnectorError as error:
        yield from _problems("gong", error)
        return False
    yield from _authorised(wiring)
    try:
        binding = wiring.binding
    except ConfigError:
        return False  # the source's URL cannot be read, which was said already
    try:
        binding.check()
        known = binding.integration_id
        missing = None if known is not None else wiring.ledger_missing()
    except ConnectorError as error:
        yield from _problems("gong", error)
        return False
    if missing is not None:
        yield Finding(Level.PROBLEM, "ledger", missing, configuration=True)
        return False
    ids = {integration.integration_id: integration for integration in present}
    if known is not None and known in ids:
        yield Finding(Level.OK, "gong", f"registered: integration {known} ({ids[known].name!r})")
        return True
    if known is not None:
        text = "the integration that this ledger belongs to is not in Gong any more: "
        text += "give the new one a ledger of its own (CONNECTOR_STATE_URL)"
        yield Finding(Level.PROBLEM, "gong", text)
    elif not present:
        yield Finding(Level.WARN, "gong", "not registered yet: run `gong-connector register` once")
    elif file is None:
        return False
    elif any(integration.name == file.integration_name for integration in present):
        text = f"Gong has the integration {file.integration_name!r} already: `gong-connector register` takes it over"
        yield Finding(Level.WARN, "gong", text)
    else:
        text = (
            f"Gong has an integration called {present[0].name!r}, and the mapping file says {file.integration_name!r}: "
        )
        text += "correct integration.name, or take it over with `gong-connector register --adopt`"
        yield Finding(Level.PROBLEM, "gong", text, configuration=True)
    return False


def _authorised(wiring: Wiring) -> Iterator[Finding]:
    """Say what Gong took, and which scopes are missing."""
    if not wiring.gong.uses_oauth:
        yield Finding(Level.OK, "gong", "the access key is accepted")
        return
    try:
        standing = wiring.gong.authorisation.standing()
    except ConnectorError as error:
        yield from _problems("gong", error)
        return
    if standing.refused is not None:
        text = f"Gong does not renew the authorisation any more ({standing.refused}): run `gong-connector login`"
        yield Finding(Level.PROBLEM, "gong", text)
    yield Finding(Level.OK, "gong", f"the authorisation is accepted at {standing.host}")
    if standing.missing is None:
        text = "Gong does not say which scopes were granted; a call that lacks one names it"
        yield Finding(Level.OK, "gong", text)
    for scope, use in (standing.missing or {}).items():
        text = f"the scope {scope} is missing ({use}): allow it for the app in Gong, then run `gong-connector login`"
        yield Finding(Level.PROBLEM, "gong", text)


def _schema(wiring: Wiring, mapping: CompiledMapping) -> Iterator[Finding]:
    sent = {entity.type for entity in mapping.entities}
    for kind in SCHEMA_TYPES:
        if kind not in sent:
            continue
        try:
            changes = wiring.schema.plan(kind)
        except ConnectorError as error:
            yield from _problems("schema", error)
            return
        by_change = {change: [one.name for one in changes if one.change is change] for change in Change}
        lossy = [name for change in DESTRUCTIVE for name in by_change[change]]
        if lossy:
            text = f"{kind}: {', '.join(lossy)} of another type in Gong: see `gong-connector schema plan`"
            yield Finding(Level.PROBLEM, "schema", text)
        new = by_change[Change.ADD] + by_change[Change.UPDATE]
        if new:
            text = f"{kind}: to be added or updated before the next pass, by itself: {', '.join(new)}"
            yield Finding(Level.OK, "schema", text)
        elif not lossy:
            yield Finding(Level.OK, "schema", f"{kind}: Gong has the mapping's additional fields")
        if by_change[Change.KEEP]:
            text = f"{kind}: in Gong and not in the mapping, left as they are: {', '.join(by_change[Change.KEEP])}"
            yield Finding(Level.OK, "schema", text)
