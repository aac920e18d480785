"""Gong shows each of DjangoCRM's deals for any moment in the stage it was in then, once its stages were sent."""

import gzip
import os
import shutil
from pathlib import Path

import cli_site
import databases
from crm_site import CONFIG
from djangocrm_history_expectation import expected_pasts
from past import amid, assert_shown

from connector.object_types import ObjectType

GAPS = 86
"""Deals that are in another stage than the last that was noted: the first stage is replaced without a note."""


def test_every_deal_is_shown_for_any_moment_as_it_was(tmp_path: Path) -> None:
    folder = os.environ.get("CRM_DUMPS")
    if not folder:
        databases.unavailable("CRM_DUMPS is not set: it must name the folder with django-crm.sqlite3.gz")
    crm = tmp_path / "crm.sqlite3"
    with gzip.open(Path(folder) / "django-crm.sqlite3.gz") as packed, crm.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    with cli_site.connected(tmp_path, crm) as site:
        site.environment["CONNECTOR_MAPPING"] = str(CONFIG / "djangocrm.yaml")
        site.connector("register")
        site.connector("sync", status=3)  # a user without address
        site.connector("backfill", "DEAL")
        pasts, gaps = expected_pasts(crm)
        assert gaps == GAPS
        assert assert_shown(site.world, ObjectType.DEAL, pasts) > 1000
        site.connector("verify", "--at", amid(pasts))
