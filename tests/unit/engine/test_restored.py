"""The ledger restored from a backup, or another one than before: found by the mark beside the spool, and mended."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from company import Company, Fault, FaultKind, ObjectType
from databases import postgres_database
from pydantic import SecretStr


def backup(company: Company) -> Callable[[], None]:
    """Take a backup of the ledger; return what puts it back, as the operator would with the process stopped: both as
    docs/operating.md says.
    """
    copy = company.directory / "backup"
    state = company.settings.state_url.get_secret_value()
    if state.startswith("postgresql"):
        return backup_of_postgresql(company, state, copy)
    ledger = company.directory / "ledger.db"
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore() -> None:
        company.wiring.__exit__(None, None, None)
        for leftover in company.directory.glob("ledger.db*"):
            leftover.unlink()
        shutil.copy(copy, ledger)
        company.restart()

    return restore


def backup_of_postgresql(company: Company, url: str, copy: Path) -> Callable[[], None]:
    if not shutil.which("pg_dump") or not shutil.which("psql"):
        pytest.skip("PostgreSQL's command line clients are not here")
    subprocess.run(["pg_dump", "--clean", "--if-exists", f"--file={copy}", url], check=True)

    def restore() -> None:
        company.wiring.__exit__(None, None, None)
        options = ["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={copy}"]
        subprocess.run(["psql", *options, url], check=True, capture_output=True)
        company.restart()

    return restore


def accounts(company: Company) -> dict[str, object]:
    """What Gong holds, by id."""
    return {key: line["name"] for key, line in company.world.objects(ObjectType.ACCOUNT).items()}


def filled(company: Company, accounts: int) -> Company:
    """So many accounts and two users in Gong."""
    for number in range(1, accounts + 1):
        company.put("accounts", id=number, name=f"Account {number}")
    company.put("users", id="u1", email="one@acme.example")
    company.put("users", id="u2", email="two@acme.example")
    company.sync()
    company.clock.advance(10_000)
    return company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Ten accounts in Gong."""
    return filled(Company(tmp_path), 10)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Iterator[dict[str, SecretStr]]:
    """Where the ledger is, if not in SQLite."""
    if request.param == "sqlite":
        yield {}
        return
    with postgres_database() as url:
        yield {"state_url": SecretStr(url.set(drivername="postgresql").render_as_string(hide_password=False))}


@pytest.fixture
def on_either(tmp_path: Path, settings: dict[str, SecretStr]) -> Company:
    """The same, with a ledger in SQLite or PostgreSQL."""
    return filled(Company(tmp_path, **settings), 10)


def doubted(company: Company) -> bool:
    return company.wiring.queries.doubted_since() is not None


def test_what_changed_and_changed_back_after_the_backup_is_told_again(
    on_either: Company,
) -> None:
    company = on_either
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


def test_a_comparison_that_comes_first_does_not_take_the_cursor_past_what_was_told_since(company: Company) -> None:
    restore = backup(company)
    company.put("accounts", id=1, name="Meanwhile")
    company.sync()
    company.put("accounts", id=1, name="Account 1")
    restore()
    company.reconcile(ObjectType.ACCOUNT)
    company.sync()
    assert accounts(company)["1"] == "Account 1"
    assert not doubted(company)
    company.close()


def test_users_that_swapped_addresses_and_back_are_deleted_before_they_are_told_again(
    on_either: Company,
) -> None:
    company = on_either
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


@pytest.mark.parametrize("softly", [False, True])
def test_many_deletions_that_a_restored_ledger_finds_need_a_person(
    tmp_path: Path, settings: dict[str, SecretStr], softly: bool
) -> None:
    company = filled(Company(tmp_path, **settings), 30)
    restore = backup(company)
    company.put("accounts", id=1, name="Meanwhile")
    company.sync()
    for number in range(11, 23):
        if softly:
            company.put("accounts", id=number, name="", gone=1)
        else:
            company.crm.execute("DELETE FROM accounts WHERE id = ?", [number])
    restore()
    company.sync()
    assert len(company.notes.named("ledger.restored")) == 1
    assert len(accounts(company)) == 30
    assert [(hold.type, hold.objects) for hold in company.wiring.queries.holds()] == [(ObjectType.ACCOUNT, 12)]
    assert not doubted(company), "waiting for a person keeps nothing else in doubt"
    assert company.approve() == 12
    assert len(accounts(company)) == 18
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


def test_a_file_that_gong_works_on_for_hours_is_waited_for_with_few_calls(company: Company) -> None:
    restore = backup(company)
    company.during(Fault(kind=FaultKind.STUCK, seconds=5 * 3600.0))
    company.put("accounts", id=1, name="Meanwhile")
    company.sync(timeout=60)
    restore()
    before, began = company.wiring.budget.used(), company.clock.now()
    company.sync()
    assert company.clock.now() - began > 4 * 3600
    assert company.wiring.budget.used() - before < 100
    assert accounts(company)["1"] == "Meanwhile"
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


def test_a_row_that_was_unfit_when_the_ledger_was_restored_is_told_again_as_it_was_at_the_backup(
    company: Company,
) -> None:
    company.put("deals", id=1, name="Deal", account=1, amount=5)
    company.sync()
    restore = backup(company)
    company.put("deals", id=1, name="Deal", account=1, amount=6)
    company.sync()
    company.put("deals", id=1, name="Deal", account=1, amount="much")
    restore()
    company.sync()
    assert not doubted(company)
    company.put("deals", id=1, name="Deal", account=1, amount=5)
    company.sync()
    assert company.world.objects(ObjectType.DEAL)["1"]["amount"] == 5
    company.close()


def test_an_object_that_waited_all_through_the_doubt_is_dated_later_than_what_gong_was_told_of_it(
    company: Company,
) -> None:
    restore = backup(company)
    company.put("deals", id=1, name="Deal", account=1, amount=5)
    company.sync()
    company.clock.advance(100)
    company.crm.execute("UPDATE deals SET amount = 6")
    company.reconcile(ObjectType.DEAL)  # no stamp tells of the change: its line is dated by the time of the call
    company.crm.execute("UPDATE deals SET account = 99")
    restore()
    company.sync()
    assert not doubted(company)
    company.put("accounts", id=99, name="Account 99")
    company.sync()
    moments = [version.modified for version in company.world.versions(ObjectType.DEAL, "1")]
    assert len(moments) == 3
    assert moments == sorted(set(moments))
    company.close()


def test_an_object_that_waited_all_through_the_doubt_and_goes_is_deleted(company: Company) -> None:
    company.put("deals", id=2, name="Another", account=1, amount=5)
    company.sync()
    restore = backup(company)
    company.put("deals", id=1, name="Deal", account=1, amount=5)
    company.sync()
    company.put("deals", id=1, name="Deal", account=99, amount=5)
    restore()
    company.sync()
    assert not doubted(company)
    company.crm.execute("DELETE FROM deals WHERE id = 1")
    company.reconcile(ObjectType.DEAL)
    assert company.world.objects(ObjectType.DEAL).keys() == {"2"}
    company.close()


def test_a_comparison_does_not_believe_a_line_that_was_on_its_way_at_the_backup(company: Company) -> None:
    company.during(Fault(kind=FaultKind.SLOW, seconds=600.0))
    company.put("accounts", id=1, name="Once")
    company.sync(timeout=60)
    restore = backup(company)
    company.sync()
    company.put("accounts", id=1, name="Meanwhile")
    company.sync()
    assert accounts(company)["1"] == "Meanwhile"
    company.put("accounts", id=1, name="Once")
    restore()
    for entity in company.wiring.rounds.mapping.entities:
        company.wiring.rounds.read(entity)
    company.reconcile(ObjectType.ACCOUNT)  # the file is still on its way, as far as the ledger knows
    company.sync()
    assert accounts(company)["1"] == "Once"
    assert not doubted(company)
    company.close()
