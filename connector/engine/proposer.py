"""Makes a first mapping for a source: looks at it, and has a mapping proposed, or takes one that is ready-made."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from connector.errors import ConfigError, ConnectorError, Problem
from connector.facts import Facts
from connector.mapping import check, load
from connector.mapping.proposing import Proposal, ReadyMade, candidates, flow, lists, propose, recognise
from connector.model import Column, Relation
from connector.object_types import ObjectType

LONGEST_STATEMENT_SECONDS: Final = 30.0
"""No look at a table is worth more of the database's time."""
_INTEGRATION: Final = re.compile(r"^integration: \{.*\}$", re.MULTILINE)


class Source(Protocol):
    """What is needed of the CRM's database (connector.source.Source)."""

    def survey(self) -> Facts: ...

    def sample(self, facts: Facts, tables: list[str]) -> Facts: ...

    def with_values(self, facts: Facts, columns: list[tuple[str, str]]) -> Facts: ...

    def describe(self, relation: Relation) -> dict[str, Column]: ...


class Proposer:
    """Proposes a mapping for one source. What was read is kept, so that a changed choice costs no new look."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._facts: Facts | None = None

    @cached_property
    def catalog(self) -> Facts:
        """The source's tables.

        Raises:
            ConfigError: the account sees none.
        """
        facts = self._source.survey()
        if not facts.tables:
            raise ConfigError(
                "CONNECTOR_SOURCE_URL: the database shows this account no table: is it the right database, and may the"
                " account SELECT from its tables (docs/start.md says how to let it)?"
            )
        return facts

    @property
    def ready_made(self) -> ReadyMade | None:
        """The CRM that the source is, where a mapping is shipped for it."""
        return recognise(self.catalog)

    @property
    def unread(self) -> Mapping[str, str]:
        """Tables that could not be looked at, and why."""
        return {} if self._facts is None else self._facts.unread

    def propose(self, tables: Mapping[ObjectType, str | None] | None = None) -> Proposal:
        """Return a proposal, with the tables that a person chose.

        Raises:
            ConfigError: there is no such table.
        """
        chosen = tables or {}
        for object_type, name in chosen.items():
            if name is not None and name not in self.catalog.tables:
                raise ConfigError(f"{object_type}={name}: the source has no table or view of that name")
        facts = self._facts or self.catalog
        wanted = [*candidates(facts), *filter(None, chosen.values())]
        fresh = [name for name in dict.fromkeys(wanted) if facts.tables[name].rows is None and name not in facts.unread]
        facts = self._source.sample(facts, fresh)
        facts = self._source.with_values(facts, lists(propose(facts, chosen)))
        self._facts = facts
        return propose(facts, chosen)

    def check(self, path: Path) -> list[Problem]:
        """Return what is wrong between a mapping file and the source.

        Raises:
            ConfigProblems: the file by itself is wrong.
        """
        file = load(path)
        catalog: dict[str, dict[str, Column]] = {}
        problems: list[Problem] = []
        for relation in file.relations:
            try:
                catalog[relation.name] = self._source.describe(relation)
            except ConnectorError as error:
                problems.append(Problem(str(path), str(error)))
        return [*problems, *check(file, catalog)]


def adapted(text: str, name: str, owner_email: str) -> str:
    """Return a ready-made mapping with the integration's name and owner."""
    head = f"integration: {flow({'name': name, 'owner_email': owner_email})}"
    return _INTEGRATION.sub(lambda _: head, text, count=1)
