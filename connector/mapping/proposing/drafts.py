"""A proposal for one type while it is made, and what the proposals for the types share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.facts import Facts, TableFacts
from connector.mapping.proposing.links import Detour
from connector.object_types import ObjectType


@dataclass(slots=True)
class Context:
    """What the proposals for the types share."""

    facts: Facts
    tables: Mapping[ObjectType, TableFacts]
    """The table of each type that has one."""


@dataclass(slots=True)
class Field:
    """What a field is made of."""

    name: str
    block: str | dict[str, Any]
    """A column, or a block as the mapping file has it."""
    reason: str


@dataclass(slots=True)
class Draft:
    """What is proposed for a type."""

    type: ObjectType
    table: TableFacts
    reason: str
    """Why this table."""
    key: tuple[str, str] = ("", "")
    """Column and reason, as of the next two."""
    modified: tuple[str, str] | None = None
    deleted: tuple[str, str, str] | None = None
    """Condition, reason, column."""
    fields: list[Field] = field(default_factory=list)
    computed: list[tuple[str, str]] = field(default_factory=list)
    """What a query adds to the table's columns: SQL and name."""
    changes: list[dict[str, str]] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    """Objects that are listed in the file, in place of a table."""
    remarks: list[str] = field(default_factory=list)
    """What a person should know or do."""
    others: list[dict[str, Any]] = field(default_factory=list)
    """Additional fields that could be sent."""
    listed: list[str] = field(default_factory=list)
    """Columns whose values were mapped one by one."""
    strip: str = ""
    """A word of its columns that says nothing: that of the type, unless another is given."""
    lacks: str | None = None
    """Why it cannot be mapped after all."""

    @property
    def used(self) -> set[str]:
        """The columns that something is made of."""
        blocks = [one.block if isinstance(one.block, dict) else {"column": one.block} for one in self.fields]
        return {self.key[0], *(block["column"] for block in blocks if "column" in block)}

    def keep(self, others: str) -> None:
        """Have rows that are of another type count as deleted; `others` is the SQL condition that they meet."""
        said = "leads and deals are in one table: a row that is of the other type is deleted here"
        if self.deleted is None:
            self.deleted = (others, said, "")
        else:
            condition, reason, column = self.deleted
            self.deleted = (f"({condition}) OR {others}", f"{reason}; {said}", column)

    def add(self, name: str, block: str | dict[str, Any], reason: str) -> None:
        """Propose what a field is made of."""
        self.fields.append(Field(name, block, reason))

    def compute(self, name: str, alias: str, sql: str, reason: str) -> None:
        """Propose that a field is made of a column that a query adds."""
        taken = {column.lower() for column in self.table.columns} | {other for _, other in self.computed}
        alias = f"gong_{alias}" if alias in taken else alias
        self.computed.append((sql, alias))
        self.add(name, alias, reason)

    def detour(self, name: str, alias: str, way: Detour) -> None:
        """Propose that a field comes from another table."""
        self.compute(name, alias, way.sql, way.reason)
        if way.lacks is not None:
            self.remarks.append(
                f"No index of {way.table} begins with {way.lacks}: without one the query may take long."
            )
        if way.changes is not None and self.modified is not None:
            self.changes.append(way.changes)
        else:
            self.remarks.append(f"Changes in {way.table} are found by full comparison: it has no time of change.")
