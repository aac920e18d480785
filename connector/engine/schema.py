"""Keeps Gong's schema of additional fields equal to the mapping: adds by itself, destroys only when told."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.engine.binding import PICKLISTS, SCHEMA
from connector.engine.observe import Observer
from connector.errors import FatalError
from connector.gong import GongClient
from connector.ledger.lease import Lease
from connector.ledger.records import Priority
from connector.ledger.store import Store
from connector.model import SchemaField
from connector.object_types import COMMON_FIELDS, STANDARD_FIELDS, ObjectType


class Change(StrEnum):
    """What happens to one additional field."""

    ADD = "add"
    UPDATE = "update"
    """Label, picklist values or reference: no data is lost."""
    RETYPE = "retype"
    """A new type: Gong drops the field's data (GONG_API: "Schema of additional fields")."""
    REMOVE = "remove"
    """Only when asked for: Gong drops the field and its data."""
    KEEP = "keep"
    """In Gong and not in the mapping: left as it is, and repeated in each upload, as Gong demands."""


DESTRUCTIVE = (Change.RETYPE, Change.REMOVE)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One line of a schema plan."""

    change: Change
    wanted: SchemaField | None
    present: SchemaField | None

    @property
    def name(self) -> str:
        """The field's unique name."""
        field = self.wanted or self.present
        assert field is not None, "a change is of a field"
        return field.unique_name


class SchemaConflict(FatalError):
    """Gong's schema differs in a way that only destroying data could mend; the type is not uploaded."""


def difference(
    wanted: Sequence[SchemaField], present: Mapping[str, SchemaField], standard: Sequence[str]
) -> list[FieldChange]:
    """Return what tells Gong's schema from the mapping, standard fields aside. Unchanged fields are left out."""
    changes: list[FieldChange] = []
    for field in wanted:
        there = present.get(field.unique_name)
        if there is None:
            changes.append(FieldChange(Change.ADD, field, None))
        elif there.type != field.type:
            changes.append(FieldChange(Change.RETYPE, field, there))
        elif there != (grown := _with_those_of(there, field)):
            changes.append(FieldChange(Change.UPDATE, grown, there))
    names = {field.unique_name for field in wanted}
    changes += [
        FieldChange(Change.KEEP, None, field)
        for name, field in sorted(present.items())
        if name not in names and name not in standard and field.type != "STRINGARRAY"
    ]
    return changes


def _with_those_of(there: SchemaField, field: SchemaField) -> SchemaField:
    """Return the field with the values that Gong's list has and ours lacks, where ours only ever grows."""
    if not field.grows or field.values is None:
        return field
    return replace(field, values=tuple(dict.fromkeys((*field.values, *(there.values or ())))))


class SchemaKeeper:
    """Compares and uploads additional fields. Raises what GongClient raises."""

    def __init__(
        self,
        client: GongClient,
        integration_id: int,
        fields: Callable[[ObjectType], Sequence[SchemaField]],
        store: Store,
        lease: Lease,
        observer: Observer,
    ) -> None:
        """Note what to work with; `fields` tells a type's additional fields as they should be now."""
        self._client = client
        self._integration_id = integration_id
        self._fields = fields
        self._store = store
        self._lease = lease
        self._observer = observer

    def plan(self, object_type: ObjectType) -> list[FieldChange]:
        """Ask Gong for its schema and return the difference."""
        return self._plan(object_type, self._wanted(object_type))

    def apply(self, object_type: ObjectType, *, destructive: bool = False) -> list[FieldChange]:
        """Make Gong's schema hold what the mapping says, and return what was changed.

        Args:
            object_type: whose fields.
            destructive: also retype fields and remove those that the mapping does not have; their data is lost.

        Raises:
            SchemaConflict: a field's type differs and `destructive` is not given.
        """
        return self._apply(object_type, self._wanted(object_type), destructive=destructive)

    def waiting(self, object_type: ObjectType) -> list[str]:
        """Return the picklists that Gong gets once their first value occurs."""
        return [field.unique_name for field in self._fields(object_type) if field.values == ()]

    def _wanted(self, object_type: ObjectType) -> Sequence[SchemaField]:
        """Return what the mapping wants: a picklist waits for its first value, for Gong takes none without."""
        return [field for field in self._fields(object_type) if field.values != ()]

    def _plan(self, object_type: ObjectType, wanted: Sequence[SchemaField]) -> list[FieldChange]:
        present = self._client.schema(self._integration_id, object_type, priority=Priority.INCREMENTAL)
        return difference(wanted, present, (*COMMON_FIELDS, *STANDARD_FIELDS[object_type]))

    def _apply(self, object_type: ObjectType, wanted: Sequence[SchemaField], *, destructive: bool) -> list[FieldChange]:
        changes = self._plan(object_type, wanted)
        if destructive:
            changes = [
                FieldChange(Change.REMOVE, None, change.present) if change.change is Change.KEEP else change
                for change in changes
            ]
        retyped = [change for change in changes if change.change is Change.RETYPE]
        if retyped and not destructive:
            raise SchemaConflict(
                f"{object_type.value}: in Gong "
                + ", ".join(
                    f"{change.name} is a {change.present.type} and the mapping says {change.wanted.type}"
                    for change in retyped
                    if change.present and change.wanted
                )
                + ". Change the mapping, or run `gong-connector schema apply --allow-destructive`, "
                "which drops the data that Gong has in such fields"
            )
        effective = [change for change in changes if change.change is not Change.KEEP]
        if effective:
            kept = [change.present for change in changes if change.change is Change.KEEP and change.present]
            gone = [change.present for change in changes if change.change is Change.REMOVE and change.present]
            self._lease.renew()
            told = {change.name: change.wanted for change in changes if change.wanted is not None}
            self._client.put_schema(
                self._integration_id,
                object_type,
                [*(told.get(field.unique_name, field) for field in wanted), *kept],
                gone,
                priority=Priority.INCREMENTAL,
            )
            self._observer.event("schema.applied", type=object_type.value, changes=len(effective))
        self._remember(object_type, wanted)
        return effective

    def _remember(self, object_type: ObjectType, wanted: Sequence[SchemaField]) -> None:
        """Note what Gong has, so that neither its schema nor the rows are to be asked for it again."""
        grown = {field.unique_name: field.values for field in wanted if field.grows}
        if grown:
            self._store.set_meta(PICKLISTS + object_type.value, json.dumps(grown))
        self._store.set_meta(SCHEMA + object_type.value, _fingerprint(wanted))

    def ensure(self, object_type: ObjectType) -> None:
        """Make sure, before lines of a type are spooled, that Gong's schema holds the mapped fields.

        Costs a call only when the mapping's fields changed since Gong's schema was last seen to hold them.

        Raises:
            SchemaConflict: only destroying data could make it so.
        """
        wanted = self._wanted(object_type)
        if wanted and self._store.meta(SCHEMA + object_type.value) != _fingerprint(wanted):
            self._apply(object_type, wanted, destructive=False)


def _fingerprint(wanted: Sequence[SchemaField]) -> str:
    described = [
        [field.unique_name, field.label, field.type, field.reference_to, field.values]
        for field in sorted(wanted, key=lambda field: field.unique_name)
    ]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()
