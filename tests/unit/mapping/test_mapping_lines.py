"""The bytes of a line that all steps agree on."""

import json

import pytest

from connector.lines import deletion_body, digest, seal
from connector.object_types import ObjectType


def test_a_sealed_line_is_one_json_object_and_a_newline() -> None:
    line = seal(deletion_body(ObjectType.DEAL, 'é"\u2028'), 1_767_323_045)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert told == {"objectId": 'é"\u2028', "isDeleted": True, "modifiedDate": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("modified", "expected"),
    [(0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (-62_135_596_800, "0001-01-01T00:00:00Z")],
)
def test_the_modified_date_is_in_utc_with_four_digits_of_the_year(modified: int, expected: str) -> None:
    assert json.loads(seal(b'{"objectId":"1"', modified))["modifiedDate"] == expected


def test_a_stage_is_not_deleted_but_becomes_inactive() -> None:
    told = json.loads(deletion_body(ObjectType.STAGE, "7") + b"}")
    assert told == {"objectId": "7", "name": "7", "isActive": False}


def test_a_digest_has_16_bytes_and_tells_bodies_apart() -> None:
    assert len(digest(b"")) == 16
    assert digest(b"a") == digest(b"a")
    assert digest(b"a") != digest(b"b")
