"""The ledger restored from a backup, or another one than before: found by the mark beside the spool, and mended."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from company import Company, ObjectType


def backup(company: Company) -> Callable[[], None]:
    """Take a backup of the ledger; return what puts it back, as the operator would with the process stopped."""
    ledger, copy = company.directory / "ledger.db", company.directory / "backup.db"
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore() -> None:
        company.wiring.__exit__(None, None, None)
        for leftover in company.directory.glob("ledger.db*"):
            leftover.unlink()
        shutil.copy(copy, ledger)
        company.restart()

    return restore


def accounts(company: Company) -> dict[str, object]:
    """What Gong holds, by id."""
    return {key: line["name"] for key, line in company.world.objects(ObjectType.ACCOUNT).items()}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Ten accounts in Gong."""
    company = Company(tmp_path)
    for number in range(1, 11):
        company.put("accounts", id=number, name=f"Account {number}")
    company.put("users", id="u1", email="one@acme.example")
    company.put("users", id="u2", email="two@acme.example")
    company.sync()
    company.clock.advance(10_000)
    return company


def doubted(company: Company) -> bool:
    return company.wiring.queries.doubted_since() is not None


def test_what_changed_and_changed_back_after_the_backup_is_told_again(company: Company) -> None:
    restore = backup(company)
    company.put("accounts", id=1, name="Meanwhile")
    company.put("accounts", id=11, name="New")
    company.put("accounts", id=12, name="New, and deleted softly")
    company.crm.execute("DELETE FROM accounts WHERE id = 9")
    company.sync()
    company.reconcile(ObjectType.ACCOUNT)
    company.put("accounts", id=12, name="", gone=1)
    company.put("accounts", id=1, name="Account 1")
    assert accounts(company)["1"] == "Meanwhile"
    assert accounts(company)["12"].startswith("New")
    restore()
    report = company.sync()
    assert not report.work.unsettled
    assert accounts(company) == {str(n): f"Account {n}" for n in range(1, 11) if n != 9} | {"11": "New"}
    assert not doubted(company)
    assert company.notes.named("ledger.restored") == [{"alarm": True}]
    assert len(company.notes.named("ledger.believed")) == 1
    before = len(company.uploads())
    company.sync()
    assert len(company.uploads()) == before, "and from then on all is as ever"
    company.close()


def test_users_that_swapped_addresses_and_back_are_deleted_before_they_are_told_again(company: Company) -> None:
    restore = backup(company)
    for one, two in (("x@acme.example", "one@acme.example"), ("two@acme.example", "one@acme.example")):
        company.put("users", id="u1", email=one)
        company.put("users", id="u2", email=two)
        company.sync()
        company.sync()
    restore()
    company.put("users", id="u1", email="one@acme.example")
    company.put("users", id="u2", email="two@acme.example")
    company.sync()
    users = company.world.objects(ObjectType.BUSINESS_USER)
    assert {key: line["emailAddress"] for key, line in users.items()} == {
        "u1": "one@acme.example",
        "u2": "two@acme.example",
    }
    company.close()


def test_a_ledger_that_is_not_behind_is_believed(company: Company) -> None:
    backup(company)()
    before = len(company.uploads())
    company.sync()
    assert company.notes.named("ledger.restored") == []
    assert len(company.uploads()) == before
    company.close()


def test_without_a_mark_nothing_is_concluded(company: Company) -> None:
    restore = backup(company)
    company.put("accounts", id=1, name="Meanwhile")
    company.sync()
    (company.directory / "spool" / "ledger.mark").write_text("")
    restore()
    company.sync()
    assert company.notes.named("ledger.restored") == []
    company.close()


def test_a_new_ledger_beside_the_spool_of_another_loads_all_again_and_never_uploads_its_files(
    company: Company,
) -> None:
    company.put("accounts", id=1, name="Account 1, told late")
    company.wiring.rounds.read(next(e for e in company.wiring.mapping.entities if e.type is ObjectType.ACCOUNT))
    lost = [path.name for path in (company.directory / "spool").glob("*.jsonl")]
    assert len(lost) == 1
    company.wiring.__exit__(None, None, None)
    for file in company.directory.glob("ledger.db*"):
        file.unlink()
    company.restart()
    file = company.wiring.mapping_file
    company.wiring.binding.register(company.wiring.client, file.integration_name, file.owner_email, adopt=False)
    company.sync()
    assert accounts(company)["1"] == "Account 1, told late"
    assert len(company.notes.named("ledger.replaced")) == 1
    assert lost[0].removesuffix(".jsonl") not in {str(upload.client_request_id) for upload in company.world.uploads()}
    assert list((company.directory / "spool").glob("*.jsonl*")) == []
    assert not doubted(company)
    company.close()


def test_a_crash_at_any_place_of_the_recovery_ends_in_the_same(company: Company) -> None:
    restore = backup(company)
    company.put("accounts", id=1, name="Meanwhile")
    company.sync()
    company.put("accounts", id=1, name="Account 1")
    restore()
    company.wiring.recovery.begin()
    assert doubted(company)
    company.restart()
    company.wiring.recovery.begin()
    assert doubted(company)
    assert len(company.notes.named("ledger.restored")) == 1
    company.sync()
    assert accounts(company)["1"] == "Account 1"
    assert not doubted(company)
    company.close()
