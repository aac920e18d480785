"""What must hold once a company that was struck has come to rest."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from connector.object_types import ObjectType
from connector.sandbox.world import World
from tests.acceptance.cli_site import Site, connected
from tests.crash.trial import Trial

Key = tuple[str, str]


def hold(trial: Trial, *, sent_again: bool = False) -> None:
    """Hold Gong, spool and log against the promises; Gong against one whose connector was never struck.

    `sent_again`: a command was given to send unchanged objects again.
    """
    site = trial.site
    twin_home = site.home / "twin"
    twin_home.mkdir()
    with connected(twin_home, site.database) as twin:
        twin.connector("register")
        twin.connector("sync", status=3)
        refused = _refused(site)
        assert refused == _refused(twin), refused ^ _refused(twin)
        expected = _objects(twin.world, refused)
    assert expected, "there is something to compare"
    found = _objects(site.world, refused)
    different = {key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)}
    assert not different, f"Gong does not hold what the CRM says of {sorted(different)}"
    assert [conflict for conflict in site.world.conflicts() if not conflict.same_bytes] == []
    _in_order(site.world, sent_again=sent_again)
    assert sorted(path.name for path in Path(site.environment["CONNECTOR_SPOOL_DIR"]).glob("*.jsonl*")) == []
    assert trial.lease_is_free()


def _objects(world: World, without: set[Key]) -> dict[Key, dict[str, Any]]:
    return {
        (str(kind), object_id): {name: value for name, value in line.items() if name != "modifiedDate"}
        for kind in ObjectType
        for object_id, line in world.objects(kind).items()
        if (str(kind), object_id) not in without
    }


def _refused(site: Site) -> set[Key]:
    listed = json.loads(site.connector("failures", "list", "--json").out)
    return {(item["type"], item["object_id"]) for item in listed}


def _in_order(world: World, *, sent_again: bool) -> None:
    """Each object's versions ascend, and none came twice but for a file that failed."""
    failed = {upload.client_request_id for upload in world.uploads() if upload.status == "FAILED"}
    for kind in ObjectType:
        for object_id in world.objects(kind, deleted=True):
            versions = world.versions(kind, object_id)
            moments = [version.modified for version in versions]
            assert moments == sorted(moments), f"{kind} {object_id}: {moments}"
            for earlier, later in pairwise(versions):
                same = _content(earlier.line) == _content(later.line)
                needless = same and earlier.client_request_id not in failed and not sent_again
                assert not needless, f"{kind} {object_id} was sent twice"
            lines = defaultdict(int)
            for version in versions:
                lines[version.client_request_id] += 1
            assert max(lines.values()) == 1, f"{kind} {object_id} stands twice in a file"


def _content(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "modifiedDate"}
