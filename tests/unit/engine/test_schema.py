"""The difference between the mapping's additional fields and Gong's, and what may be done about it."""

from dataclasses import replace

import pytest

from connector.engine.observe import Silent
from connector.engine.schema import Change, SchemaConflict, SchemaKeeper, difference
from connector.model import SchemaField
from connector.object_types import ObjectType

ARR = SchemaField("arr", "ARR", "CURRENCY")
TIER = SchemaField("tier", "Tier", "PICKLIST", None, ("gold", "silver"))
DEAL = ObjectType.DEAL


class FakeGong:
    """Holds a schema, and remembers uploads."""

    def __init__(self, *fields: SchemaField) -> None:
        self.fields = {field.unique_name: field for field in fields}
        self.reads = 0
        self.uploads: list[tuple[list[SchemaField], list[SchemaField]]] = []

    def schema(self, _integration: int, _type: ObjectType, *, priority: int) -> dict[str, SchemaField]:
        self.reads += 1
        return dict(self.fields)

    def put_schema(
        self, _integration: int, _type: ObjectType, fields: list[SchemaField], gone: list[SchemaField], *, priority: int
    ) -> None:
        self.uploads.append((fields, gone))
        self.fields = {field.unique_name: field for field in fields}


class FakeLease:
    def renew(self) -> None:
        pass


class FakeStore:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def meta(self, key: str) -> str | None:
        return self.values.get(key)

    def set_meta(self, key: str, value: str) -> None:
        self.values[key] = value


def keeper(gong: FakeGong, *fields: SchemaField, store: FakeStore | None = None) -> SchemaKeeper:
    return SchemaKeeper(
        gong,  # type: ignore[arg-type]
        1,
        lambda _: fields,
        store or FakeStore(),  # type: ignore[arg-type]
        FakeLease(),  # type: ignore[arg-type]
        Silent(),
    )


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ({}, [("arr", Change.ADD), ("tier", Change.ADD)]),
        ({"arr": ARR, "tier": TIER}, []),
        ({"arr": SchemaField("arr", "Revenue", "CURRENCY"), "tier": TIER}, [("arr", Change.UPDATE)]),
        ({"arr": SchemaField("arr", "ARR", "STRING"), "tier": TIER}, [("arr", Change.RETYPE)]),
        (
            {"arr": ARR, "tier": SchemaField("tier", "Tier", "PICKLIST", None, ("gold",))},
            [("tier", Change.UPDATE)],
        ),
        ({"arr": ARR, "tier": TIER, "old": SchemaField("old", "Old", "STRING")}, [("old", Change.KEEP)]),
        # Gong lists its own fields, too; they are not ours to repeat.
        ({"arr": ARR, "tier": TIER, "name": SchemaField("name", "Name", "STRING")}, []),
        ({"arr": ARR, "tier": TIER, "tags": SchemaField("tags", "Tags", "STRINGARRAY")}, []),
    ],
)
def test_difference(present: dict[str, SchemaField], expected: list[tuple[str, Change]]) -> None:
    assert [(change.name, change.change) for change in difference([ARR, TIER], present, ["name"])] == expected


def test_adding_repeats_every_field_that_gong_has() -> None:
    old = SchemaField("old", "Old", "STRING")
    gong = FakeGong(old)
    keeper(gong, ARR).ensure(DEAL)
    assert gong.uploads == [([ARR, old], [])]


@pytest.mark.parametrize("listed", ["objectId", "modifiedDate", "isDeleted", "url", "amount"])
def test_fields_of_gongs_own_are_never_posted_though_gong_lists_them(listed: str) -> None:
    gong = FakeGong(SchemaField(listed, listed, "STRING"))
    keeper(gong, ARR).ensure(DEAL)
    assert gong.uploads == [([ARR], [])]


GROWING = replace(TIER, values=("gold",), grows=True)


def test_a_list_that_grows_keeps_what_gong_has_and_is_remembered() -> None:
    gong, store = FakeGong(TIER), FakeStore()
    keeper(gong, GROWING, store=store).ensure(DEAL)
    assert gong.uploads == []
    keeper(gong, replace(GROWING, values=("gold", "tin")), store=store).ensure(DEAL)
    assert [field.values for field in gong.uploads[0][0]] == [("gold", "tin", "silver")]
    assert store.meta("picklists.DEAL") == '{"tier": ["gold", "tin"]}'


def test_a_list_without_values_waits_for_its_first_one() -> None:
    gong = FakeGong()
    keep = keeper(gong, ARR, replace(GROWING, values=()))
    keep.ensure(DEAL)
    assert gong.uploads == [([ARR], [])]
    assert keep.waiting(DEAL) == ["tier"]


def test_a_known_schema_costs_no_call_and_a_changed_mapping_one_look() -> None:
    gong, store = FakeGong(), FakeStore()
    for _ in range(3):
        keeper(gong, ARR, store=store).ensure(DEAL)
    assert (gong.reads, len(gong.uploads)) == (1, 1)
    keeper(gong, ARR, TIER, store=store).ensure(DEAL)
    assert (gong.reads, len(gong.uploads)) == (2, 2)
    keeper(FakeGong(), store=store).ensure(DEAL)


def test_data_is_destroyed_only_when_asked() -> None:
    gong = FakeGong(SchemaField("arr", "ARR", "STRING"), SchemaField("old", "Old", "STRING"))
    with pytest.raises(SchemaConflict, match=r"arr is a STRING and the mapping says CURRENCY.*--allow-destructive"):
        keeper(gong, ARR).ensure(DEAL)
    assert gong.uploads == []
    keeper(gong, ARR).apply(DEAL, destructive=True)
    [(fields, gone)] = gong.uploads
    assert fields == [ARR]
    assert [field.unique_name for field in gone] == ["old"]
