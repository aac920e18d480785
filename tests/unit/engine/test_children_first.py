"""The deletion of an account reaches Gong after those of its contacts, deals and leads, however they are found."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from company import Company, Fault, FaultKind, ObjectType

from connector.clock import FakeClock
from connector.engine.comparisons import Every
from connector.engine.daemon import Daemon
from connector.engine.observe import Silent

MAPPING = """
version: 1
integration: {name: Test CRM, owner_email: owner@acme.example}
entities:
  ACCOUNT:
    {table: accounts, key: id, modified: updated, deleted: gone = 1, fields: {name: name}}
  CONTACT:
    table: people
    where: kind = 'contact'
    key: id
    modified: updated
    deleted: gone = 1
    fields: {lastName: last, emailAddress: {value: person@acme.example}, accountId: account}
  LEAD:
    table: people
    where: kind = 'lead'
    key: id
    modified: updated
    deleted: gone = 1
    fields: {lastName: last, emailAddress: {value: person@acme.example}, convertedToAccountId: account}
  DEAL:
    {table: deals, key: id, modified: updated, fields: {name: name, accountId: account, amount: amount}}
"""
PEOPLE = """
CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, last TEXT, account INTEGER, gone INTEGER, updated TEXT)
"""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Two accounts with a contact and a deal each; a lead became the first account."""
    made = Company(tmp_path, mapping_text=MAPPING)
    made.crm.execute(PEOPLE)
    for account in (1, 2):
        made.put("accounts", id=account, name=f"Account {account}")
        made.put("people", id=account, kind="contact", last="Doe", account=account, gone=0)
        made.put("deals", id=account, name="Deal", account=account, amount=1)
    made.put("people", id=9, kind="lead", last="Roe", account=1, gone=0)
    made.sync()
    assert len(made.world.objects(ObjectType.LEAD)) == 1, "a lead waits for no account"
    yield made
    made.close()


def deleted_types(company: Company, since: int) -> list[str]:
    return [kind for kind, _ in company.uploads(since)]


def test_what_the_rows_say_is_deleted_goes_children_first(company: Company) -> None:
    before = len(company.uploads())
    company.put("accounts", id=1, name="Account 1", gone=1)
    company.put("people", id=1, kind="contact", last="Doe", account=1, gone=1)
    company.put("people", id=9, kind="lead", last="Roe", account=1, gone=1)
    company.sync()
    went = deleted_types(company, before)
    assert went[-1] == "ACCOUNT"
    assert sorted(went[:-1]) == ["CONTACT", "LEAD"]
    assert set(company.world.objects(ObjectType.ACCOUNT)) == {"2"}


def test_an_account_waits_for_the_files_of_its_children_not_only_for_their_upload(company: Company) -> None:
    before = len(company.uploads())
    company.put("accounts", id=1, name="Account 1", gone=1)
    company.put("people", id=1, kind="contact", last="Doe", account=1, gone=1)
    company.during(Fault(kind=FaultKind.STUCK, seconds=300))
    company.sync(timeout=120)
    assert deleted_types(company, before) == ["CONTACT"]
    company.sync()
    assert deleted_types(company, before) == ["CONTACT", "ACCOUNT"]


def test_an_account_is_deleted_without_its_living_children(company: Company) -> None:
    before = len(company.uploads())
    company.put("accounts", id=1, name="Account 1", gone=1)
    company.sync()
    assert deleted_types(company, before) == ["ACCOUNT"]
    assert set(company.world.objects(ObjectType.CONTACT)) == {"1", "2"}


@pytest.mark.parametrize("wait", ["held", "paused"])
def test_an_account_waits_for_nobody_who_may_never_go(tmp_path: Path, wait: str) -> None:
    company = Company(tmp_path, mapping_text=MAPPING, delete_guard_count=0 if wait == "held" else 100)
    company.crm.execute(PEOPLE)
    company.put("accounts", id=1, name="Account 1")
    company.put("people", id=1, kind="contact", last="Doe", account=1, gone=0)
    company.sync()
    company.put("people", id=1, kind="contact", last="Doe", account=1, gone=1)
    if wait == "paused":
        company.wiring.store.pause(ObjectType.CONTACT)
    company.sync()
    company.put("accounts", id=1, name="Account 1", gone=1)
    company.sync()
    for hold in company.wiring.queries.holds():
        if hold.type is ObjectType.ACCOUNT:
            company.wiring.holds.approve(hold.id, "somebody")
    company.sync()
    assert company.world.objects(ObjectType.ACCOUNT) == {}
    assert set(company.world.objects(ObjectType.CONTACT)) == {"1"}
    company.close()


def test_the_daemon_compares_children_before_accounts_whichever_is_due(company: Company) -> None:
    compared: list[str] = []
    clock = FakeClock(company.clock.now())
    due = {ObjectType.ACCOUNT: 0.0, ObjectType.CONTACT: 100.0, ObjectType.DEAL: 3000.0}
    reconciler: Any = SimpleNamespace(
        compared_at=lambda kind: clock.now() + due[kind] - 3600 if kind in due else None,
        reconcile=lambda kind: compared.append(kind.value),
    )
    rounds: Any = SimpleNamespace(tend=lambda: None)
    clerk: Any = SimpleNamespace(tick=lambda: None, last=None)
    store: Any = SimpleNamespace(pauses=dict)
    nothing: Any = None
    daemon = Daemon(
        rounds=rounds,
        lease=nothing,
        store=store,
        dues=nothing,
        clock=clock,
        pacer=nothing,
        reconciler=reconciler,
        comparisons=Every(3600.0),
        retention_days=90,
        observer=Silent(),
        requests=nothing,
        clerk=clerk,
        quick_clerk=clerk,
        recover=lambda: None,
        keep_access=lambda: None,
        remapping=nothing,
    )
    daemon.compare()
    assert compared == ["CONTACT", "ACCOUNT"], "deals were compared not long ago"


def test_removed_rows_go_children_first_though_gong_is_slow(company: Company) -> None:
    before = len(company.uploads())
    for table in ("accounts", "people", "deals"):
        company.crm.execute(f"DELETE FROM {table} WHERE id = 1")
    for object_type in (ObjectType.DEAL, ObjectType.CONTACT, ObjectType.ACCOUNT):
        company.wiring.reconciler.reconcile(object_type)
        company.wiring.rounds.tend()  # as the daemon does; its deliveries come later
    company.sync()
    assert deleted_types(company, before)[-1] == "ACCOUNT"
    assert sorted(deleted_types(company, before)[:-1]) == ["CONTACT", "DEAL"]
