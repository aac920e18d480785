"""Whether the connector is fit for work, for whatever supervises it. Pure."""

from typing import NamedTuple

from connector.engine.judgement import Kind
from connector.web.lookout import Sight


class Part(NamedTuple):
    """One thing that must be there."""

    name: str
    well: bool
    words: str


def parts(sight: Sight) -> list[Part]:
    """Return how source and lease are, as of the last pass. Words name no host and no record: there is no password."""
    active = sight.overview.active
    kinds = {finding.kind for finding in sight.verdict.findings}
    failed = Kind.SOURCE in kinds or Kind.POSTPONED in kinds
    return [
        Part("ledger", True, "it can be read"),
        Part("source", not failed, "the last pass failed, or none can begin" if failed else "it could be read"),
        Part("lease", active is not None, "a process is at work" if active else "no process is at work"),
    ]


def words(found: list[Part]) -> str:
    """Return a line for each."""
    return "".join(f"{part.name}: {'ok' if part.well else 'NOT OK'}, {part.words}\n" for part in found)
