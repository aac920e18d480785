"""The published JSON Schema of the mapping file, and the files under config/."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from connector.mapping import json_schema, load

CONFIG = Path(__file__).parents[3] / "config"

HEAD = {"version": 1, "integration": {"name": "A", "owner_email": "a@b.example"}}


def faults(content: Any) -> list[str]:
    """What the schema says against a document (in JSON's terms: a YAML key that is a number becomes a text)."""
    validator = jsonschema_rs.validator_for(json_schema())
    return [fault.message for fault in validator.iter_errors(json.loads(json.dumps(content)))]


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads((CONFIG / "mapping.schema.json").read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: str(path.name))
def test_every_mapping_in_config_is_sound(path: Path) -> None:
    assert faults(yaml.safe_load(path.read_text(encoding="utf-8"))) == []
    assert load(path).origins


@pytest.mark.parametrize(
    "entities",
    [
        {},
        {"DEALS": {"table": "d", "key": "id"}},
        {"DEAL": []},
        {"DEAL": {"tabel": "d"}},
        {"DEAL": {"table": "d", "query": "q"}},
        {"DEAL": {"table": "d", "where": None}},
        {"DEAL": {"table": "d", "fields": {"domains": "x"}}},
        {"DEAL": {"table": "d", "fields": {"name": {"colum": "x"}}}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": "emial"}}}},
        {"DEAL": {"table": "d", "additional_fields": [{"name": "x", "type": "PICKLST", "column": "x"}]}},
        {"STAGE": {"table": "s", "additional_fields": []}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": []}}}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": "json"}}}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": {"trim": "x"}}}}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": {"json": "x", "date": "y"}}}}},
        {"DEAL": {"table": "d", "fields": {"name": {"column": "x", "convert": "trim", "unreadable": "skip"}}}},
        {"DEAL": {"table": "d", "changes": []}},
        {"DEAL": {"table": "d", "changes": [{"table": "t", "key": "k"}]}},
        {"DEAL": {"table": "d", "changes": [{"table": "t", "query": "q", "key": "k", "modified": "m"}]}},
    ],
)
def test_the_schema_refuses_what_the_connector_refuses(entities: dict[str, Any]) -> None:
    assert faults({**HEAD, "entities": entities}) != []


def test_the_schema_takes_short_and_long_forms() -> None:
    long = {"column": "x", "null_if": ["", 0], "split": ",", "convert": "host", "map": {"a": True}, "default": None}
    several = {"column": "x", "convert": ["trim", {"json": "a.b"}, {"date": "%Y%m%d"}, "date"], "unreadable": "refuse"}
    accounts = {
        "table": "a",
        "key": "id",
        "modified": "m",
        "fields": {"name": several, "url": {"column": "x", "convert": {"json": "a"}, "unreadable": None}},
        "additional_fields": [{"name": "d", "type": "DATE", "column": "x", "convert": "date"}],
        "changes": [
            {"table": "t", "key": "k", "modified": "m"},
            {"query": "q", "where": "w", "key": "k", "modified": "m"},
        ],
    }
    assert faults({**HEAD, "entities": {"ACCOUNT": accounts}}) == []
    accounts = {"table": "a", "key": "id", "fields": {"name": "n", "domains": long}}
    assert faults({**HEAD, "entities": {"ACCOUNT": [accounts, accounts]}}) == []
