"""The shadow run of docs/operating.md: the real source against the sandbox first, then the switch to Gong."""

import time
from pathlib import Path

from cli_site import CREDENTIALS, company, now

from connector.object_types import ObjectType
from connector.sandbox.api import SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World


def test_a_shadow_run_and_the_switch(tmp_path: Path) -> None:
    quick = Behaviour(calls_per_second=None, pending_seconds=0.02, processing_seconds=0.02)
    gong = World(now=time.time, behaviour=quick)
    with company(tmp_path, accounts=4) as site, running(SandboxApi(gong, CREDENTIALS)) as address:
        shadow = {
            "CONNECTOR_STATE_URL": f"sqlite:///{tmp_path}/shadow.db",
            "CONNECTOR_SPOOL_DIR": str(tmp_path / "shadow-spool"),
        }
        site.connector("register", **shadow)
        site.connector("sync", status=3, **shadow)
        site.sql("UPDATE leads SET first_name = 'Shadow', updated_at = ? WHERE id = 1", now())
        site.connector("sync", status=3, **shadow)
        site.connector("verify", "ACCOUNT", "CONTACT", "LEAD", **shadow)
        site.connector("failures", "list", **shadow)

        live = {"CONNECTOR_GONG_BASE_URL": address.replace("127.0.0.1", "localhost")}  # another host by its name
        said = site.connector("sync", status=2, **shadow, **live).err
        assert "this ledger belongs to 127.0.0.1, not to localhost" in said
        assert "CONNECTOR_STATE_URL" in said
        assert gong.calls() == []

        site.connector("register", **live)
        site.connector("sync", status=3, **live)
        for kind in ObjectType:
            assert gong.objects(kind).keys() == site.world.objects(kind).keys()
        assert gong.objects(ObjectType.LEAD)["1"]["firstName"] == "Shadow"
        site.connector("status", status=3, **shadow)
    gong.close()
