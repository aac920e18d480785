"""What is to be told of findings: each incident once when it begins, and once when it is over. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from connector.engine.judgement import Finding, Kind
from connector.ledger.incidents import Incident
from connector.words import discreet

DAY_SECONDS: Final = 86_400.0
TITLES: Final = {
    Kind.LEDGER: "The ledger is missing or cannot be read",
    Kind.POSTPONED: "The daemon cannot begin",
    Kind.ROUND: "What the daemon does fails",
    Kind.IDLE: "No process is at work",
    Kind.INTEGRATION: "The integration is gone from Gong",
    Kind.SOURCE: "A source cannot be read",
    Kind.GONG: "Gong takes nothing",
    Kind.LOGIN: "Gong does not renew the authorisation",
    Kind.BUDGET: "Calls to Gong are short",
    Kind.LATE: "Changes reach Gong late",
    Kind.STUCK: "Gong works on a file for long",
    Kind.FILE: "A file does not get on",
    Kind.RESTORED: "The ledger was restored from a backup",
    Kind.MAPPING: "A changed mapping file is not in use",
    Kind.GUARD: "The guard holds something",
    Kind.WAITING: "Objects wait for what may never come",
    Kind.REFUSED: "Objects are refused",
    Kind.CURSOR: "A session of the source holds the cursor",
}
"""What is told, in a few words. The other kinds are no trouble, or a person's own doing."""
PATIENCE: Final = {
    Kind.LEDGER: 180.0,
    Kind.POSTPONED: 180.0,
    Kind.ROUND: 180.0,
    Kind.IDLE: 180.0,
    Kind.SOURCE: 180.0,
    Kind.GONG: 180.0,
    Kind.BUDGET: 900.0,
    Kind.FILE: 300.0,
    Kind.WAITING: 300.0,
}
"""Seconds for which what often passes by itself must last before it is told; the others are told at once."""
CALM_SECONDS: Final = 300.0
"""After so long without it, an incident is over; each time that it begins anew within a day, four times as long."""
MOST_CALM_SECONDS: Final = 6 * 3600.0
GROWTH: Final = 10
"""Told once more when it is about so many times more objects than when it was last told."""

_SEEN_BLIND: Final = (Kind.LEDGER, Kind.ROUND)
"""What is known while the ledger cannot be read: of everything else nobody can say whether it is over."""


class News(StrEnum):
    """What there is to tell of an incident."""

    BEGAN = "began"
    GREW = "grew"
    ENDED = "ended"


def follow(
    incidents: Iterable[Incident], findings: Sequence[Finding], now: float, *, blind: bool = False
) -> list[Incident]:
    """Return the incidents as they are after a look: those that go on, and those that ended within a day.

    Args:
        incidents: as they were after the look before.
        findings: what the judgement found now; while `blind`, what is known all the same.
        now: seconds since 1970 UTC.
        blind: the ledger cannot be read.
    """
    before = {incident.key: incident for incident in incidents}
    found = _weightiest(findings)
    after = []
    for key in dict.fromkeys((*before, *found)):
        incident, finding = before.get(key), found.get(key)
        if finding is not None:
            after.append(_present(incident, finding, now))
        elif incident is not None and blind and incident.kind not in _SEEN_BLIND:
            after.append(incident)
        elif incident is not None and (left := _absent(incident, now)) is not None:
            after.append(left)
    return after


def news(incident: Incident) -> News | None:
    """Return what there is to tell of an incident and was not told yet."""
    if incident.ended_at is not None:
        return News.ENDED if incident.end_told_at is None else None
    if incident.absent_since is not None:
        return None
    if incident.told_at is None:
        return News.BEGAN if incident.lasted else None
    grew = incident.told_objects and incident.objects >= GROWTH * incident.told_objects
    return News.GREW if grew else None


def told(incident: Incident, now: float) -> Incident:
    """Return the incident after its news were told."""
    if incident.ended_at is not None:
        return replace(incident, end_told_at=now)
    return replace(incident, told_at=incident.told_at or now, told_objects=incident.objects)


def _weightiest(findings: Sequence[Finding]) -> Mapping[tuple[str, str], Finding]:
    """Return what is told of, by its key. The weightiest come first; others with the same key are the same incident."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        if finding.kind in TITLES:
            found.setdefault((finding.kind.value, finding.subject), finding)
    return found


def _present(incident: Incident | None, finding: Finding, now: float) -> Incident:
    words, state = discreet(finding.words), finding.state.value
    if incident is None or incident.ended_at is not None:
        times = 1 if incident is None else incident.times + 1
        since = now if finding.since is None else min(finding.since, now)
        incident = Incident(finding.kind.value, finding.subject, state, words, since, times=times)
    lasted = incident.lasted or now - incident.since >= PATIENCE.get(finding.kind, 0.0)
    return replace(incident, state=state, words=words, objects=finding.objects, lasted=lasted, absent_since=None)


def _absent(incident: Incident, now: float) -> Incident | None:
    """Return an incident that is not seen, as long as it is to be remembered."""
    if incident.ended_at is not None:
        return incident if now - incident.ended_at < DAY_SECONDS else None
    since = now if incident.absent_since is None else incident.absent_since
    if now - since < _calm(incident.times):
        return replace(incident, absent_since=since)
    if not incident.lasted:
        return None  # it was nothing to speak of
    return replace(incident, absent_since=since, ended_at=since)


def _calm(times: int) -> float:
    return min(CALM_SECONDS * 4.0 ** min(times - 1, 10), MOST_CALM_SECONDS)


def due(incidents: Iterable[Incident]) -> Iterator[tuple[Incident, News]]:
    """Yield the incidents of which there is something to tell, and what."""
    for incident in incidents:
        if (what := news(incident)) is not None:
            yield incident, what
