"""Builds the CRM's side of the connector from the settings: the source, and the mapping held against it."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from connector.clock import Clock
from connector.engine.binding import PICKLISTS
from connector.engine.comparisons import Comparisons, comparisons
from connector.engine.ledger_parts import LedgerParts
from connector.engine.observe import Observer
from connector.errors import ConfigError, FatalError
from connector.mapping import CompiledMapping, MappingFile, Picklist, compile_mapping, load, unfit
from connector.model import Column, SchemaField
from connector.object_types import ObjectType
from connector.settings import Settings
from connector.source import Source, open_source

OF_MAPPING: Final = ("mapping_file", "_catalog", "_changed", "mapping", "comparisons")
"""Parts that are made of the mapping file."""


class SourceParts(LedgerParts):
    """What is read of the CRM, and how it is mapped, each part made when it is first needed.

    The ledger says whether a source was ever loaded: what it then does not fit any more is the source's fault.
    """

    def __init__(self, settings: Settings, clock: Clock, observer: Observer, *, looking: bool) -> None:
        """Note what to build from, as LedgerParts does."""
        super().__init__(settings, clock, observer, looking=looking)
        self._strict = False
        """The mapping must fit the source in everything, whatever was loaded before."""

    @cached_property
    def source(self) -> Source:
        """The CRM's database, read-only."""
        url = self.settings.source_url
        if url is None:
            raise ConfigError(
                "CONNECTOR_SOURCE_URL is not set: give the URL of the CRM's database, like postgresql://user@host/crm"
            )
        return open_source(
            url.get_secret_value(),
            self.clock,
            statement_timeout=self.settings.source_statement_timeout_seconds,
            current=lambda: (self.live.now().source_url or url).get_secret_value(),
        )

    @cached_property
    def mapping_file(self) -> MappingFile:
        """The mapping file, checked for its shape."""
        return load(self.settings.mapping)

    @cached_property
    def mapping(self) -> CompiledMapping:
        """The mapping, held against the source's catalog and compiled."""
        return self._compile()

    @cached_property
    def _catalog(self) -> dict[str, dict[str, Column]]:
        """What can be described of what is read.

        Raises:
            ConnectorError: what cannot be was never read, so that it is the mapping that is wrong; or nothing can be.
        """
        catalog: dict[str, dict[str, Column]] = {}
        failed: FatalError | None = None
        for origin in self.mapping_file.origins:
            for relation in origin.relations:
                try:
                    catalog[relation.name] = self.source.describe(relation)
                except FatalError as error:
                    if self._strict or not self._is_loaded(origin.name):
                        raise
                    self.observer.event("source.changed", entity=origin.name, error=str(error), alarm=True)
                    failed = failed or error
        if failed is not None and not catalog:
            raise failed
        return catalog

    @cached_property
    def _changed(self) -> list[str]:
        """Entity sources that do not fit the mapping any more, as they did at their first load: a column that is gone
        stops its type, not the others. One that was never loaded shows that the mapping is wrong.
        """
        if self._strict:
            return []
        return [name for name in unfit(self.mapping_file, self._catalog) if self._is_loaded(name)]

    def _is_loaded(self, entity: str) -> bool:
        cursor = self.store.cursor(entity)
        return cursor is not None and cursor.loaded_at is not None

    def _compile(self) -> CompiledMapping:
        picklists = self.mapping_file.picklists()
        mapping = compile_mapping(self.mapping_file, self._catalog, picklists, self._changed, self.source.describe)
        for object_type, lists in picklists.items():
            self._recall(object_type, lists)
            try:
                self._ask(lists)
            except FatalError as error:
                if self._strict or not self._is_type_loaded(object_type):
                    raise
                self.observer.event("source.changed", entity=object_type.value, error=str(error), alarm=True)
        return mapping

    def _is_type_loaded(self, object_type: ObjectType) -> bool:
        return all(self._is_loaded(origin.name) for origin in self.mapping_file.origins if origin.type is object_type)

    def _recall(self, object_type: ObjectType, lists: Mapping[str, Picklist]) -> None:
        """Have the lists that grow hold what they held before."""
        growing = {name: one for name, one in lists.items() if one.grows}
        known = self.store.meta(PICKLISTS + object_type.value) if growing else None
        for name, values in json.loads(known or "{}").items():
            if name in growing:
                growing[name].add(values)

    def _ask(self, lists: Mapping[str, Picklist]) -> None:
        """Give lists the values that their queries find now.

        Raises:
            ConnectorError: one has none; what it had it keeps.
        """
        for picklist in lists.values():
            if picklist.query is None:
                continue
            try:
                values = self.source.values(picklist.query)
            except ConfigError as error:
                raise ConfigError(f"{picklist.place}: {error}") from None
            picklist.relist(values)

    def _schema_fields(self, object_type: ObjectType) -> Sequence[SchemaField]:
        """Return a type's additional fields as they should be now: picklists that a query fills change with the CRM."""
        self._ask(self.mapping.picklists[object_type])
        return self.mapping.schema_fields.get(object_type, ())

    @cached_property
    def comparisons(self) -> Comparisons:
        """When full comparisons are. Raises ConfigError."""
        zone = ZoneInfo(self.mapping_file.timezone)
        return comparisons(self.settings.reconcile_interval_seconds, zone, "CONNECTOR_RECONCILE_INTERVAL_SECONDS")
