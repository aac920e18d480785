"""A value that a PICKLIST does not list: refused, counted and left out, or added to the list."""

import pytest
from encoding import NOW, Compile, rows_of

from connector.errors import ConfigProblems, SourceChanged
from connector.mapping import Entity
from connector.mapping.picklists import MOST_VALUES

_LEADS = """  LEAD:
    table: l
    key: id
    fields: {{lastName: n}}
    additional_fields:
      - {{name: tier, type: PICKLIST, column: t, {said}}}
      - {{name: area, type: PICKLIST, column: a, values: [North], unlisted: add}}
"""


def leads(compiled: Compile, said: str, *queried: str) -> Entity:
    answers = {"Q": queried} if queried else {}
    entity: Entity = compiled("entities:\n" + _LEADS.format(said=said), {}, answers).entities[0]
    return entity


def told(entity: Entity, *tiers: str | None, area: str | None = "North") -> list[str]:
    rows = rows_of(entity, *({"key": at, "n": "N", "t": tier, "a": area} for at, tier in enumerate(tiers)))
    made = entity.encode(rows, NOW)
    assert made == entity.plain.encode(rows, NOW)
    lines = [line.body.decode().split('"tier":')[1] for line in made.lines]
    refused = [f"{one.object_id}: {one.reason}" for one in made.refusals]
    return [*lines, *refused, *(f"{field} {reason}: {count}" for (field, reason), count in made.warnings.items())]


def test_a_row_with_an_unlisted_value_is_refused_by_default(compiled: Compile) -> None:
    entity = leads(compiled, "values: [Gold]")
    assert told(entity, "Gold", "Tin", None) == [
        '"Gold"', "null", "1: tier has a value that its list (`values`) does not hold (column 't')",
    ]  # fmt: skip


def test_it_counts_as_none_each_time_and_is_counted_each_time(compiled: Compile) -> None:
    entity = leads(compiled, "values: [Gold, Other], unlisted: null")
    warning = "tier has a value that its list (`values`) does not hold: 2"
    assert told(entity, "Gold", "Tin", "Tin") == ['"Gold"', "null", "null", warning]
    assert told(entity, "Tin", "Tin") == ["null", "null", warning]
    other = leads(compiled, "values: [Gold, Other], unlisted: null, default: Other")
    assert told(other, "Tin", None, "Tin") == ['"Other"', '"Other"', '"Other"', warning]


def test_what_occurs_makes_the_list_where_none_is_given(compiled: Compile) -> None:
    entity = leads(compiled, "null_if: none, map: {1: Zinc}, default: Tin")
    asked = []
    entity.picklists["tier"].on_growth = lambda: asked.append(entity.picklists["tier"].values)
    assert told(entity, "1", "none", "2") == ['"Zinc"', '"Tin"', '"Tin"']
    assert asked == [("Tin", "Zinc")]  # before any line was given away
    assert told(entity, "1", "none") == ['"Zinc"', '"Tin"']
    assert len(asked) == 1


def test_values_are_added_behind_those_that_are_listed_and_several_of_a_row_at_once(compiled: Compile) -> None:
    entity = leads(compiled, "values: [Zinc, Gold], unlisted: add")
    assert told(entity, "Tin", "bronze", area="South") == ['"Tin"', '"bronze"']
    assert entity.picklists["tier"].values == ("Zinc", "Gold", "bronze", "Tin")
    assert entity.picklists["area"].values == ("North", "South")


def test_a_column_of_free_text_is_no_list(compiled: Compile) -> None:
    entity = leads(compiled, "label: Tier")
    words = [f"word {number}" for number in range(MOST_VALUES)]
    told(entity, *words)
    with pytest.raises(
        ConfigProblems, match=r"additional_fields\.1: there are more than 1,000 different values.*STRING"
    ):
        told(entity, "one more")


def test_a_query_s_values_are_those_of_now(compiled: Compile) -> None:
    entity = leads(compiled, "values: {query: Q}", "Gold", "Tin")
    assert told(entity, "Gold", "Tin") == ['"Gold"', '"Tin"']
    entity.picklists["tier"].relist(["Tin"])
    assert told(entity, "Tin", "Gold")[1].startswith("1: tier has a value that its list")


def test_a_default_that_the_query_does_not_give(compiled: Compile) -> None:
    with pytest.raises(
        ConfigProblems, match=r"values\.query: the query does not give 'Tin', which the field has lines s"
    ):
        leads(compiled, "values: {query: Q}, default: Tin", "Gold")


def test_a_query_that_was_not_answered_makes_no_lines(compiled: Compile) -> None:
    entity = leads(compiled, "values: {query: Q}")
    with pytest.raises(SourceChanged, match=r"additional_fields\.1\.values\.query: the query .* could not be answered"):
        told(entity, "Gold")
