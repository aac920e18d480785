"""Proposes for each of Gong's types a table, and what its key, its times and its fields are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.facts import Facts
from connector.mapping.proposing import entities
from connector.mapping.proposing.drafts import Context, Draft
from connector.mapping.proposing.links import related
from connector.mapping.proposing.tables import Candidate, chosen, kind_of_leads, owners, ranked
from connector.object_types import ObjectType

_LOOKED_AT: Final = 4
"""Tables of each type that are worth a look at their rows."""
_MOST: Final = 80
"""Tables whose rows are looked at."""

_BUILDERS: Final = {
    ObjectType.BUSINESS_USER: entities.business_user,
    ObjectType.ACCOUNT: entities.account,
    ObjectType.CONTACT: entities.contact,
    ObjectType.DEAL: entities.deal,
    ObjectType.LEAD: entities.lead,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping as it is proposed."""

    drafts: Mapping[ObjectType, Draft]
    """In Gong's order."""
    ranking: Mapping[ObjectType, list[Candidate]]
    """The tables that may hold each type, the best first."""
    absent: Mapping[ObjectType, str]
    """Types that nothing is proposed for, and why."""


def candidates(facts: Facts) -> list[str]:
    """Return the tables whose rows are worth a look: what may hold a type, and what is linked to that."""
    ranking = ranked(facts)
    best = {one.table: None for found in ranking.values() for one in found[:_LOOKED_AT]}
    taken = {one.table for one in chosen(ranking).values()}
    near = sorted(related(facts, taken))
    return [*best, *(name for name in near if name not in best)][:_MOST]


def propose(facts: Facts, tables: Mapping[ObjectType, str | None] | None = None) -> Proposal:
    """Return what is proposed.

    Args:
        facts: with the shapes of the tables that `candidates` names, at best.
        tables: the tables that a person chose; None for a type that is not to be sent.
    """
    ranking = ranked(facts)
    picked = _picked(facts, ranking, tables or {})
    context = Context(facts, {kind: facts.tables[one.table] for kind, one in picked.items()})
    drafts: dict[ObjectType, Draft] = {}
    absent: dict[ObjectType, str] = {}
    for object_type, build in _BUILDERS.items():
        if object_type not in picked:
            absent[object_type] = "no table looks like it"
            continue
        drafts[object_type] = build(context, picked[object_type].reason, drafts)
    stage = entities.stage(context, picked.get(ObjectType.STAGE), drafts.get(ObjectType.DEAL))
    if stage is not None:
        drafts[ObjectType.STAGE] = stage
    else:
        absent[ObjectType.STAGE] = "no table or column of the deals names their stages"
    for object_type, draft in list(drafts.items()):
        if draft.lacks is not None:
            absent[object_type] = draft.lacks
            del drafts[object_type]
    return Proposal({kind: drafts[kind] for kind in ObjectType if kind in drafts}, ranking, absent)


def lists(proposal: Proposal) -> list[tuple[str, str]]:
    """Return the columns, as (table, column), of which every value should be known: those whose values are mapped."""
    draft = proposal.drafts.get(ObjectType.DEAL)
    return [] if draft is None else [(draft.table.name, column) for column in draft.listed]


def _picked(
    facts: Facts, ranking: Mapping[ObjectType, list[Candidate]], tables: Mapping[ObjectType, str | None]
) -> dict[ObjectType, Candidate]:
    given = {kind: Candidate(kind, name, 1.0, "as it was asked for") for kind, name in tables.items() if name}
    taken = {one.table for one in given.values()}
    rest = {
        kind: [one for one in found if one.table not in taken] for kind, found in ranking.items() if kind not in tables
    }
    picked = {**chosen(rest), **given}
    deals = picked.get(ObjectType.DEAL)
    if ObjectType.LEAD not in {**picked, **tables} and deals is not None:
        kind = kind_of_leads(facts.tables[deals.table])
        if kind is not None:
            why = f"`{kind.column.name}` says '{kind.value}' of some of its rows"
            picked[ObjectType.LEAD] = Candidate(ObjectType.LEAD, deals.table, deals.score, why)
    if ObjectType.BUSINESS_USER not in {**picked, **tables}:
        users = owners(facts, picked)
        return picked if users is None else {**picked, ObjectType.BUSINESS_USER: users}
    return picked
