"""Rows of a history come object by object, each object's by their time, whatever order they were written in."""

import random
from datetime import datetime, timedelta
from itertools import groupby

from crm import Crm, flat, relation

from connector.model import KEY, MODIFIED

LOG = relation(name="DEAL.history", key="id", modified="updated_at", columns=("name",))
START = datetime(2026, 1, 1)  # noqa: DTZ001 - a column without a zone


def test_rows_of_one_object_come_together_by_time(crm: Crm) -> None:
    crm.create("deals", "id INTEGER, updated_at {stamp}, name VARCHAR(50)")
    rows = [(key, START + timedelta(hours=hour), f"{key} {hour}") for key in range(200) for hour in range(5)]
    random.Random(1).shuffle(rows)
    stamps = [(key, str(at) if crm.backend == "sqlite" else at, name) for key, at, name in rows]
    crm.insert("deals", [*stamps, (None, stamps[0][1], "no key"), (3, None, "no time")])
    found = flat(crm.source.by_object(LOG))
    groups = [(key, list(group)) for key, group in groupby(found, key=lambda row: row[KEY])]
    assert sorted(key for key, _ in groups) == list(range(200))
    for key, group in groups:
        assert [row[3] for row in group] == [f"{key} {hour}" for hour in range(5)]
        assert [row[MODIFIED] for row in group] == sorted(row[MODIFIED] for row in group)


def test_rows_of_some_objects_come_by_time(crm: Crm) -> None:
    crm.create("deals", "id INTEGER, updated_at {stamp}, name VARCHAR(50)")
    rows = [(key, START + timedelta(hours=hour), f"{key} {hour}") for key in range(250) for hour in range(4)]
    random.Random(2).shuffle(rows)
    stamps = [(key, str(at) if crm.backend == "sqlite" else at, name) for key, at, name in rows]
    crm.insert("deals", [*stamps, (3, None, "no time")])
    found = crm.source.by_object_of(LOG, [*map(str, range(240)), "4711", "none"])
    assert sorted(map(int, found)) == list(range(240))
    for key, group in found.items():
        assert [row[3] for row in group] == [f"{key} {hour}" for hour in range(4)]
    assert crm.source.by_object_of(LOG, []) == {}
