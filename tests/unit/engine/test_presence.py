"""Somebody deletes the integration in Gong: the work stops with a clear word, burns no calls, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from company import Behaviour, Company, ObjectType
from sqlalchemy import text
from test_unregister import register, unregister

from connector.errors import GongDenied
from connector.gong import GongClient

HOUR = 3600


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path, Behaviour(deletion_seconds=0))
    company.put("accounts", id=1, name="One")
    company.sync()
    yield company
    company.close()


def delete_in_gong(company: Company) -> None:
    """Somebody else deletes the integration."""
    (integration,) = company.world.integrations()
    company.world.unregister(integration.id, "somebody-else", "their-request")
    company.clock.advance(1)
    assert not company.world.integrations()


def calls(company: Company) -> int:
    """Return how many calls were made."""
    with company.wiring.database.reading() as connection:
        return int(connection.execute(text("SELECT COALESCE(sum(count), 0) FROM calls")).scalar_one())


def test_it_stops_says_so_and_asks_once_an_hour(company: Company) -> None:
    delete_in_gong(company)
    for name in ("accounts", "deals"):
        company.put(name, id=2, name="Two")
    before = calls(company)
    with pytest.raises(GongDenied, match="not in Gong any more"):
        company.sync()
    assert calls(company) - before == 2, "the upload and the look"
    assert len(company.notes.named("integration.gone")) == 1
    assert "not in Gong any more" in company.wiring.overview().remarks[0]
    for second in range(3 * HOUR // 10):
        company.clock.advance(10)
        company.wiring.lease.renew()
        if second % 100 == 0:
            company.put("accounts", id=100 + second, name="Another")
            company.wiring.rounds.read(company.wiring.mapping.entities[1])
        company.wiring.rounds.deliver()
    assert calls(company) - before == 2 + 3
    company.restart()
    with pytest.raises(GongDenied, match="gong-connector unregister"):
        company.sync()
    assert calls(company) - before == 2 + 3 + 1, "a new process looks before it uploads"


def test_a_new_registration_begins_afresh_with_everything(company: Company) -> None:
    delete_in_gong(company)
    company.put("accounts", id=2, name="Two")
    with pytest.raises(GongDenied):
        company.sync()
    unregister(company)
    company.restart()
    register(company)
    company.sync()
    assert {"1", "2"} <= set(company.world.objects(ObjectType.ACCOUNT))
    assert company.wiring.overview().remarks == []


def test_one_that_is_there_again_is_gone_on_with(company: Company) -> None:
    company.put("accounts", id=2, name="Two")
    with mock.patch.object(GongClient, "integrations", return_value=[]):
        company.wiring.rounds.presence.look()
        assert company.wiring.rounds.deliver() == []
    company.clock.advance(HOUR)
    company.wiring.lease.renew()
    company.sync()
    assert "2" in company.world.objects(ObjectType.ACCOUNT)
    assert company.notes.named("integration.back")
    assert company.wiring.overview().remarks == []
