"""The integration is deleted once, whatever becomes of the answer, and the ledger forgets what was true of it only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import Behaviour, Company, Fault, FaultKind, ObjectType, Operation
from sqlalchemy import text

from connector.engine.operations import UNREGISTER_IT, UnregisterArguments, Unregistered, carry_out
from connector.errors import ConfigError
from connector.gong import GongUnavailable
from connector.ledger import tables
from connector.ledger.properties import FORGOTTEN

HOUR = 3600
KEPT = {"authorisation", "holds", "meta", "lease", "budget", "calls", "requests", "epoch"}
"""Tables that stay: each new one belongs here or to FORGOTTEN."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path, Behaviour(deletion_seconds=HOUR))
    company.put("accounts", id=1, name="One")
    company.sync()
    company.put("accounts", id=2, name="Two")
    company.wiring.rounds.read(company.wiring.mapping.entities[1])  # its file waits in the spool
    yield company
    company.close()


def unregister(company: Company) -> Unregistered:
    integration_id = int(company.wiring.store.meta("integration_id") or 0)
    return carry_out(company.wiring, UNREGISTER_IT.steps(company.wiring, UnregisterArguments(integration_id)))


def register(company: Company) -> int:
    file = company.wiring.mapping_file
    return company.wiring.binding.register(company.wiring.client, file.integration_name, file.owner_email, adopt=False)[
        0
    ]


@pytest.mark.parametrize("kind", [None, FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE, FaultKind.ERROR_AFTER])
def test_ledger_and_spool_are_as_new_and_register_begins_afresh(company: Company, kind: FaultKind | None) -> None:
    if kind is not None:
        company.during(Fault(kind=kind, operation=Operation.UNREGISTER))
    (company.directory / "spool" / "backfill-1.staging").touch()
    first = unregister(company).integration_id
    for table in FORGOTTEN:
        with company.wiring.database.reading() as connection:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table
    assert [file.name for file in (company.directory / "spool").iterdir()] == ["ledger.mark"]
    with pytest.raises(ConfigError, match="24 hours"):
        register(company)
    company.clock.advance(HOUR + 1)
    assert not company.world.integrations()
    company.restart()
    assert register(company) != first
    company.sync()
    assert len(company.world.objects(ObjectType.ACCOUNT)) == 2, "a first load"


def test_while_gong_gives_no_answer_nothing_is_forgotten_and_it_is_asked_again_under_the_same_id(
    company: Company,
) -> None:
    for _ in range(5):
        company.during(Fault(kind=FaultKind.ERROR_AFTER, operation=Operation.UNREGISTER))
    with pytest.raises(GongUnavailable):
        unregister(company)
    assert company.wiring.store.meta("integration_id") is not None
    asked = company.wiring.store.meta("unregister.request_id")
    assert asked is not None
    unregister(company)
    assert company.wiring.store.meta("integration_id") is None


def test_begun_again_after_a_crash_it_comes_to_the_same_end(company: Company) -> None:
    once = unregister(company)
    again = UNREGISTER_IT.steps(company.wiring, UnregisterArguments(once.integration_id))
    assert carry_out(company.wiring, again) == once


def test_every_table_is_kept_or_forgotten() -> None:
    assert KEPT | set(FORGOTTEN) == set(tables.metadata.tables)
