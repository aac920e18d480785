"""`init` proposes the right mapping for CRMs made at home: how much of it is right is counted, and may not get less."""

import contextlib
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import databases
import pytest
from homegrown import OTHERS, TIDY, UGLY, Schema, create
from sqlalchemy import create_engine

from connector.clock import FakeClock
from connector.engine.proposer import Proposer
from connector.mapping import compile_mapping, load
from connector.mapping.proposing import Head, Proposal, written
from connector.source import open_source

sqlite3.register_adapter(datetime.datetime, lambda at: at.isoformat(" "))
sqlite3.register_adapter(datetime.date, lambda day: day.isoformat())
FLOOR = dict.fromkeys((one.name for one in (TIDY, UGLY, *OTHERS)), 1.0)
"""The share of what is to be said that is said right."""


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'crm.db'}"
        return
    made = databases.postgres_database() if kind == "postgresql" else databases.mysql_database()
    with made as url:
        yield url.render_as_string(hide_password=False)


def said(proposal: Proposal) -> set[tuple[str, str, str]]:
    """What is proposed: (type, what, from)."""
    found = set()
    for kind, draft in proposal.drafts.items():
        if draft.rows:
            found.add((str(kind), "table", "rows"))
            continue
        found.add((str(kind), "table", draft.table.name))
        found.add((str(kind), "key", draft.key[0]))
        if draft.modified:
            found.add((str(kind), "modified", draft.modified[0]))
        if draft.deleted:
            found.add((str(kind), "deleted", draft.deleted[0].split()[0].strip('"`')))
        computed = {alias: sql for sql, alias in draft.computed}
        for one in draft.fields:
            column = one.block if isinstance(one.block, str) else one.block["column"]
            if column in computed:
                column = "via " + computed[column].split("FROM ")[1].split()[0].strip('"`')
            found.add((str(kind), one.name, column))
    return found


def right(schema: Schema) -> set[tuple[str, str, str]]:
    found, kind = set(), ""
    for line in schema.right.strip().splitlines():
        if line.startswith(" "):
            name, _, column = line.strip().partition(" ")
            found.add((kind, name, column))
            continue
        kind, *parts = line.split()
        found |= {
            (kind, what, part)
            for what, part in zip(("table", "key", "modified", "deleted"), parts, strict=True)
            if part != "-"
        }
    return found


SERVERS = ("postgresql", "mysql")


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        *((schema, kind) for schema in (TIDY, UGLY) for kind in ("sqlite", "postgresql", "mysql")),
        *((schema, "sqlite") for schema in OTHERS),
        *(pytest.param(schema, kind, marks=pytest.mark.thorough) for schema in OTHERS for kind in SERVERS),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_home_grown_crm_is_mapped_right_and_check_accepts_it(schema: Schema, kind: str, tmp_path: Path) -> None:
    with database(kind, tmp_path) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            create(connection, schema)
        engine.dispose()
        source = open_source(url, FakeClock(1_780_000_000.0))
        proposer = Proposer(source)
        assert proposer.ready_made is None
        proposal = proposer.propose()
        path = tmp_path / "mapping.yaml"
        path.write_text(written(proposal, Head("Acme", "revops@acme.example", "UTC", "test")))
        assert proposer.check(path) == []
        file = load(path)
        mapping = compile_mapping(file, {r.name: source.describe(r) for r in file.relations}, file.picklists())
        for entity in mapping.entities:
            rows = [row for chunk in source.everything(entity.relation) for row in chunk] if entity.relation else []
            assert entity.encode(rows, 1_780_000_000).refusals == []
        source.close()
    wanted, proposed = right(schema), said(proposal)
    score = len(wanted & proposed) / len(wanted | proposed)
    assert score >= FLOOR[schema.name], (
        f"{score:.2f}: missed {sorted(wanted - proposed)}, wrong {sorted(proposed - wanted)}"
    )
