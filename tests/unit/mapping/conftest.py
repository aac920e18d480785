"""A mapping file in a temporary directory, compiled against columns of chosen kinds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from connector.mapping import CompiledMapping, compile_mapping, load
from connector.model import Column, ColumnKind

HEAD = "version: 1\nintegration: {name: Acme CRM, owner_email: revops@acme.example}\n"

Compile = Callable[..., CompiledMapping]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Compile the text of a mapping file whose columns, unless told otherwise, may hold anything."""

    def run(
        text: str,
        kinds: Mapping[str, ColumnKind] | None = None,
        picklists: Mapping[str, Sequence[str]] | None = None,
    ) -> CompiledMapping:
        path = tmp_path / "mapping.yaml"
        path.write_text(HEAD + text, encoding="utf-8")
        file = load(path)
        catalog = {}
        for relation in file.relations:
            names = {relation.key, *relation.columns} | ({relation.modified} if relation.modified else set())
            catalog[relation.name] = {name: Column(name, (kinds or {}).get(name, ColumnKind.UNKNOWN)) for name in names}
        lists = file.picklists()
        for one in (one for of_type in lists.values() for one in of_type.values()):
            if one.query in (picklists or {}):
                one.relist((picklists or {})[one.query])
        return compile_mapping(file, catalog, lists)

    return run
