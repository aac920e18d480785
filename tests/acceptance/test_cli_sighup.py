"""SIGHUP to the real daemon: its mapping file is read again, and it goes on whatever the file says."""

import json
import signal
from pathlib import Path

from cli_site import DEMO_MAPPING, company, eventually
from pages import addresses, page

from connector.object_types import ObjectType


def test_the_daemon_takes_up_a_mapping_that_is_right_and_keeps_the_old_one_else(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    text = DEMO_MAPPING.read_text()
    mapping.write_text(text)
    with company(tmp_path, accounts=4) as site:
        site.environment["CONNECTOR_MAPPING"] = str(mapping)
        site.connector("register")
        with site.started("run") as process:
            eventually(lambda: bool(site.world.objects(ObjectType.CONTACT)), "the first load")
            assert "title" in site.world.objects(ObjectType.CONTACT)["1"]

            mapping.write_text(text.replace("      title: title\n", ""))
            process.send_signal(signal.SIGHUP)
            eventually(lambda: "mapping.taken" in site.printed("run").err, "word of the new mapping")
            eventually(lambda: "title" not in site.world.objects(ObjectType.CONTACT)["1"], "contacts under it")

            mapping.write_text(text.replace("table: contacts", "table: cnotacts"))
            process.send_signal(signal.SIGHUP)
            eventually(lambda: "mapping.refused" in site.printed("run").err, "word of the wrong one")
            said = json.loads(site.connector("status", "--json", status=3).out)
            (finding,) = [one for one in said["findings"] if one["kind"] == "mapping"]
            assert "cnotacts" in finding["words"]
            (address,) = addresses(site.printed("run").err)
            shown = page(address + "configuration")[1]
            assert "table: contacts" in shown, "it shows the mapping that is in use"
            assert "title: title" not in shown
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
