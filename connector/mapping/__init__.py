"""From the CRM's rows to Gong's objects: the mapping file, its checks, and the encoder made of it."""

from connector.mapping.checks import Catalog, check, hints, unfit
from connector.mapping.compiled import CompiledMapping, compile_mapping
from connector.mapping.encoder import Entity
from connector.mapping.file import MappingFile, load
from connector.mapping.history import History
from connector.mapping.json_schema import json_schema
from connector.mapping.picklists import Picklist

__all__ = [
    "Catalog",
    "CompiledMapping",
    "Entity",
    "History",
    "MappingFile",
    "Picklist",
    "check",
    "compile_mapping",
    "hints",
    "json_schema",
    "load",
    "unfit",
]
