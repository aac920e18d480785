"""What the sandbox holds after uploads: versions, current state, raw and visible, and over a restart."""

import json
from pathlib import Path

import pytest
from sandboxed import Caller, body_of, line

from connector.object_types import ObjectType as T

OLD, NEW = "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z"
ARR = {"uniqueName": "arr", "label": "ARR", "type": "CURRENCY"}


@pytest.mark.parametrize(("latest_by", "name"), [("modified", "new"), ("arrival", "old")])
def test_which_version_counts_is_a_switch(latest_by: str, name: str) -> None:
    caller = Caller(latest_by=latest_by)
    caller.settle(T.ACCOUNT, line("1", NEW, name="new"))
    caller.settle(T.ACCOUNT, line("1", OLD, name="old"))
    assert caller.world.objects(T.ACCOUNT)["1"]["name"] == name
    assert [version.line["name"] for version in caller.world.versions(T.ACCOUNT, "1")] == ["new", "old"]


def test_of_equal_dates_the_later_arrival_counts() -> None:
    caller = Caller()
    caller.settle(T.ACCOUNT, line("1", OLD, name="first"))
    caller.settle(T.ACCOUNT, line("1", OLD, name="second"))
    assert caller.world.objects(T.ACCOUNT)["1"]["name"] == "second"


def test_a_deleted_object_is_gone_but_its_versions_stay() -> None:
    caller = Caller()
    caller.settle(T.ACCOUNT, line("1", OLD))
    caller.settle(T.ACCOUNT, line("1", NEW, isDeleted=True))
    assert caller.world.objects(T.ACCOUNT) == {}
    assert caller.world.objects(T.ACCOUNT, deleted=True)["1"]["isDeleted"] is True
    assert [version.deleted for version in caller.world.versions(T.ACCOUNT, "1")] == [False, True]


def test_contacts_and_deals_show_only_under_an_account() -> None:
    caller = Caller()
    caller.settle(T.CONTACT, line("c1", accountId="a1"), line("c2"))
    assert set(caller.world.objects(T.CONTACT)) == {"c1", "c2"}
    assert caller.world.visible(T.CONTACT) == {}
    caller.settle(T.ACCOUNT, line("a1", OLD))
    assert set(caller.world.visible(T.CONTACT)) == {"c1"}
    caller.settle(T.ACCOUNT, line("a1", NEW, isDeleted=True))
    assert caller.world.visible(T.CONTACT) == {}


def test_a_value_without_a_schema_field_is_stored_and_never_shown() -> None:
    caller = Caller()
    caller.settle(T.ACCOUNT, line("1", arr=5), line("2", arr=6))
    assert caller.put_schema(T.ACCOUNT, ARR).status == 201
    caller.settle(T.ACCOUNT, line("2", NEW, arr=7))
    assert {key: row["arr"] for key, row in caller.world.objects(T.ACCOUNT).items()} == {"1": 5, "2": 7}
    assert {key: row.get("arr") for key, row in caller.world.visible(T.ACCOUNT).items()} == {"1": None, "2": 7}


def test_removing_or_retyping_a_field_drops_its_values() -> None:
    caller = Caller()
    caller.put_schema(T.ACCOUNT, ARR)
    caller.settle(T.ACCOUNT, line("1", arr=5))
    caller.put_schema(T.ACCOUNT, ARR | {"label": "Recurring"})
    assert caller.world.visible(T.ACCOUNT)["1"]["arr"] == 5
    caller.put_schema(T.ACCOUNT, ARR | {"type": "NUMBER"})
    assert "arr" not in caller.world.objects(T.ACCOUNT)["1"]
    caller.settle(T.ACCOUNT, line("1", NEW, arr=8))
    assert caller.world.visible(T.ACCOUNT)["1"]["arr"] == 8
    caller.put_schema(T.ACCOUNT, ARR | {"type": "NUMBER", "isDeleted": True})
    assert "arr" not in caller.world.objects(T.ACCOUNT)["1"]


def test_reading_back_gives_stored_objects_and_null_for_the_rest() -> None:
    caller = Caller()
    caller.settle(T.DEAL, line("1", amount=5, secret="x"), line("2", isDeleted=True))
    query = {"integrationId": caller.integration, "objectType": T.DEAL}
    answer = caller.call("GET", "/v2/crm/entities", query, b'["1","2","3"]')
    assert body_of(answer)["crmObjectsMap"] == {"1": line("1", amount=5), "2": None, "3": None}


def test_reading_back_for_a_moment_gives_what_was_then_and_says_so() -> None:
    caller = Caller()
    caller.put_schema(T.ACCOUNT, ARR)
    caller.settle(T.ACCOUNT, line("1", NEW, name="new", arr=2))
    caller.settle(T.ACCOUNT, line("1", OLD, name="old", arr=1))
    caller.settle(T.ACCOUNT, line("2", OLD))
    caller.settle(T.ACCOUNT, line("2", NEW, isDeleted=True))
    query = {"integrationId": caller.integration, "objectType": T.ACCOUNT}

    def shown(at: str) -> dict[str, object]:
        answer = caller.call("GET", "/v2/crm/entities", query, b'["1", "2"]', x_sandbox_at=at)
        assert (answer.status, body_of(answer)["shownAt"]) == (200, at)
        found = body_of(answer)["crmObjectsMap"]
        return {key: value and (value.get("name"), value.get("arr")) for key, value in found.items()}

    assert shown("2024-12-31T23:59:59Z") == {"1": None, "2": None}
    assert shown(OLD) == {"1": ("old", 1), "2": (None, None)}
    assert shown("2025-06-01T01:59:59+02:00") == {"1": ("old", 1), "2": (None, None)}
    assert shown(NEW) == {"1": ("new", 2), "2": None}
    for wrong in ("yesterday", "2025-06-01"):
        assert caller.call("GET", "/v2/crm/entities", query, b'["1"]', x_sandbox_at=wrong).status == 400


def test_a_server_without_moments_shows_the_present_whatever_is_asked() -> None:
    caller = Caller(answers_for_a_moment=False)
    caller.settle(T.ACCOUNT, line("1", NEW, name="new"))
    query = {"integrationId": caller.integration, "objectType": T.ACCOUNT}
    answer = body_of(caller.call("GET", "/v2/crm/entities", query, b'["1"]', x_sandbox_at=OLD))
    assert (answer["crmObjectsMap"]["1"]["name"], "shownAt" in answer) == ("new", False)


def test_reading_back_answers_the_first_100_ids() -> None:
    caller = Caller()
    query = {"integrationId": caller.integration, "objectType": T.DEAL}
    ids = [str(number) for number in range(150)]
    answer = caller.call("GET", "/v2/crm/entities", query, json.dumps(ids).encode())
    assert list(body_of(answer)["crmObjectsMap"]) == ids[:100]


@pytest.mark.parametrize(
    ("source", "body", "in_query", "status"),
    [
        ("either", b'["1"]', False, 200),
        ("either", b"", True, 200),
        ("either", b"", False, 415),
        ("body", b"", True, 415),
        ("body", b'["1"]', False, 200),
        ("query", b'["1"]', False, 400),
        ("query", b"", True, 200),
        ("either", b'{"1":2}', False, 400),
    ],
)
def test_where_the_ids_are_read_from_is_a_switch(source: str, body: bytes, in_query: bool, status: int) -> None:
    caller = Caller(read_ids_from=source)
    query = {"integrationId": caller.integration, "objectType": T.DEAL}
    answer = caller.call("GET", "/v2/crm/entities", query | ({"objectsCrmIds": "1"} if in_query else {}), body)
    assert answer.status == status
    if status == 200:
        assert body_of(answer)["crmObjectsMap"] == {"1": None}


def test_deleting_the_integration_takes_everything_with_it_later() -> None:
    caller = Caller(deletion_seconds=100)
    caller.put_schema(T.ACCOUNT, ARR)
    caller.settle(T.ACCOUNT, line("1"))
    query = {"integrationId": caller.integration, "clientRequestId": "goodbye"}
    assert caller.call("DELETE", "/v2/crm/integrations", query).status == 201
    assert len(caller.world.objects(T.ACCOUNT)) == 1
    caller.clock.advance(101)
    assert caller.world.integrations() == []
    assert caller.world.objects(T.ACCOUNT) == {}
    first = query["integrationId"]
    assert caller.register() != first
    assert caller.schema(T.ACCOUNT) == []
    assert caller.upload(T.ACCOUNT, line("1"), request_id="goodbye").status == 409


def test_a_file_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    before = Caller(tmp_path / "gong.db", limited=True)
    integration = before.integration
    before.put_schema(T.ACCOUNT, ARR)
    before.upload(T.ACCOUNT, line("1", arr=5), request_id="under-way")
    before.world.close()
    after = Caller(tmp_path / "gong.db", before.clock, limited=True)
    assert after.call("GET", "/v2/crm/integrations").status == 429
    after.clock.advance(60)
    assert after.integration == integration
    assert after.status("under-way")["status"] == "DONE"
    assert after.world.visible(T.ACCOUNT)["1"]["arr"] == 5
    assert after.upload(T.ACCOUNT, line("1"), request_id="under-way").status == 409
    assert list((tmp_path / "gong.db.uploads").iterdir()) == []
    after.world.close()
