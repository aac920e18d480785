"""OAuth: the pair of tokens is renewed in time, by one process, stored before it is used, and never in a loop."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from company import START, Notes
from in_process import SandboxTransport
from pydantic import SecretStr

from connector import failpoints
from connector.cli.exits import Status
from connector.cli.status import _status
from connector.clock import FakeClock
from connector.engine.judgement import Kind, State, judge
from connector.engine.wiring import Wiring
from connector.errors import BudgetSpent, ConfigError, ConnectorError, GongDenied, LedgerUnavailable
from connector.gong import SCOPES, GongUnavailable
from connector.object_types import ObjectType
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import Fault, FaultKind, FaultPlan, Operation
from connector.sandbox.world import World
from connector.settings import Settings

HOUR = 3600.0
DAY = 24 * HOUR
TOKEN = "/oauth2/generate-customer-token"
UNLIMITED = {"calls_per_second": None, "calls_per_day": None}


class Office:
    """A Gong, and processes of the connector that share a ledger."""

    def __init__(self, directory: Path, **switches: object) -> None:
        self.directory = directory
        self.clock = FakeClock(START)
        self.world = World(now=self.clock.now, behaviour=Behaviour(**(UNLIMITED | switches)))  # type: ignore[arg-type]
        self.faults = FaultPlan()
        self.api = SandboxApi(self.world, Credentials(), self.faults)
        self.notes = Notes()
        self.secret = "sandbox-app-secret"
        self.made: list[Wiring] = []
        self.wiring = self.process()

    def process(self, **settings: object) -> Wiring:
        """A process that has just begun."""
        wiring = Wiring(
            Settings(
                _env_file=None,
                source_url=SecretStr(f"sqlite:///{self.directory}/crm.db"),
                state_url=SecretStr(f"sqlite:///{self.directory}/ledger.db"),
                spool_dir=self.directory / "spool",
                **{
                    "gong_oauth_url": "http://localhost",
                    "gong_oauth_client_id": "sandbox-app",
                    "gong_oauth_client_secret": SecretStr(self.secret),
                }
                | settings,  # type: ignore[arg-type]
            ),
            self.clock,
            self.notes,
            transport=SandboxTransport(self.api),
        )
        self.made.append(wiring)
        return wiring

    def login(self, wiring: Wiring | None = None) -> None:
        """Have a person authorise the connector."""
        wiring = wiring or self.wiring
        begun = wiring.gong.login(wiring.store)
        begun.finish(begun.code(self.consent(begun.url)))

    def consent(self, url: str) -> str:
        """Where Gong sends the browser."""
        with httpx.Client(transport=SandboxTransport(self.api)) as browser:
            return browser.get(url).headers["Location"]

    def works(self, wiring: Wiring | None = None) -> bool:
        """Whether Gong can be called."""
        try:
            (wiring or self.wiring).client.integrations()
        except (GongDenied, GongUnavailable):
            return False
        return True

    def exchanges(self) -> int:
        """Calls of the token endpoint."""
        return sum(call.path == TOKEN for call in self.world.calls())

    def close(self) -> None:
        for wiring in self.made:
            wiring.__exit__(None, None, None)
        self.world.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.login()
    yield made
    made.close()


@pytest.fixture
def failing() -> Iterator[Callable[[str, Exception], None]]:
    """Have a failpoint raise, once."""

    def fail(at: str, error: Exception) -> None:
        def hook(name: str) -> None:
            if name == at:
                failpoints.arm(None)
                raise error

        failpoints.arm(hook)

    yield fail
    failpoints.arm(None)


class Killed(BaseException):
    """The process is gone."""


# -- logging in --------------------------------------------------------------------------------------


def test_a_login_asks_for_every_scope_and_finds_the_companys_host(office: Office) -> None:
    url = urlsplit(office.wiring.gong.login(office.wiring.store).url)
    assert (url.netloc, url.path) == ("localhost", "/oauth2/authorize")
    assert all(scope.replace(":", "%3A") in url.query for scope in SCOPES)
    assert office.wiring.gong.base_url == "http://localhost"
    assert office.works()


def test_without_a_login_one_is_told_to_log_in(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with pytest.raises(ConfigError, match="gong-connector login"):
        office.wiring.client.integrations()
    office.close()


def test_a_key_and_an_app_are_one_too_many(office: Office) -> None:
    both = office.process(gong_access_key=SecretStr("k"))
    with pytest.raises(ConfigError, match=r"CLIENT_ID and CONNECTOR_GONG_ACCESS_KEY are both set"):
        both.client.integrations()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:8765/?code=x", "not the address"),
        ("http://127.0.0.1:8765/?code=x&state=other", "not the address"),
        ("http://127.0.0.1:8765/?state={state}&error=access_denied&error_description=No", "did not authorise.*No"),
        ("http://127.0.0.1:8765/?state={state}", "no code"),
        ("http://[half/?code=x&state={state}", "not the address"),
    ],
)
def test_an_address_that_does_not_answer_the_login_is_turned_away(office: Office, address: str, words: str) -> None:
    begun = office.wiring.gong.login(office.wiring.store)
    state = dict(pair.split("=") for pair in urlsplit(begun.url).query.split("&"))["state"]
    with pytest.raises(ConnectorError, match=words):
        begun.code(address.format(state=state))


def test_the_ledger_holds_no_token_that_can_be_read(office: Office) -> None:
    tokens = [row[0] for row in office.world._store._db.execute("SELECT token FROM grants")]
    office.wiring.database.close()
    stored = b"".join(path.read_bytes() for path in office.directory.glob("ledger.db*"))
    assert len(tokens) == 3
    assert not any(token.encode() in stored for token in tokens)


def test_a_missing_scope_is_named_and_nothing_is_renewed_for_it(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.api.credentials = Credentials(app_scopes=frozenset(SCOPES) - {"api:crm:schema"})
    office.login()
    assert office.wiring.gong.authorisation.standing().missing == {"api:crm:schema": "additional fields"}
    office.clock.advance(2 * HOUR)
    for _ in range(3):
        with pytest.raises(GongDenied, match=r"miss the scope api:crm:schema.*`gong-connector login`"):
            office.wiring.client.schema(1, ObjectType.DEAL)
    assert office.exchanges() == 1
    office.close()


# -- renewing ----------------------------------------------------------------------------------------


def test_a_pair_is_renewed_before_it_ends_for_months(office: Office) -> None:
    for _ in range(60):
        office.clock.advance(DAY / 2)
        assert office.works()
    assert office.exchanges() == 1 + 30


def test_a_pair_that_nobody_uses_is_renewed_by_the_daemons_upkeep(office: Office) -> None:
    office.clock.advance(19 * HOUR)
    office.wiring.gong.keep()
    assert office.exchanges() == 2


def test_two_processes_renew_once_and_both_go_on(office: Office) -> None:
    other = office.process()
    assert office.works(other)
    for _ in range(5):
        office.clock.advance(0.8 * DAY)
        assert office.works(other)
        assert office.works()
    assert office.exchanges() == 6


def test_while_another_process_renews_the_present_token_is_used(office: Office) -> None:
    office.clock.advance(20 * HOUR)
    stored, _ = office.wiring.gong.authorisation._read()
    assert office.process().gong.authorisation._store.claim(stored.generation)
    assert office.works()
    assert office.exchanges() == 1


def test_a_token_that_has_ended_is_waited_for_while_another_process_renews_it(office: Office) -> None:
    office.clock.advance(30 * HOUR)
    other = office.process().gong.authorisation
    stored, _ = other._read()
    assert other._store.claim(stored.generation)
    before = office.clock.now()
    assert office.works()  # though the other one died on the way
    assert 59 < office.clock.now() - before < 61
    assert office.exchanges() == 2


def test_the_host_follows_what_gong_says(office: Office) -> None:
    office.wiring.take_lease()
    office.wiring.store.set_meta("gong_host", "localhost")
    office.clock.advance(20 * HOUR)
    assert office.works(office.process(gong_oauth_url="http://127.0.0.1"))
    assert office.works()
    assert office.wiring.store.meta("gong_host") == "127.0.0.1"
    assert office.wiring.gong.base_url == "http://127.0.0.1"


# -- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["gong.token.before", "ledger.claim.before", "ledger.claim.after"])
def test_a_crash_before_gong_was_asked_costs_a_minute(office: Office, failing: Callable[..., None], at: str) -> None:
    office.clock.advance(20 * HOUR)
    failing(at, Killed())
    with pytest.raises(Killed):
        office.wiring.client.integrations()
    later = office.process()
    assert office.works(later)
    office.clock.advance(61)
    assert office.works(later)
    assert office.exchanges() == 2
    office.clock.advance(DAY)
    assert office.works(later)


@pytest.mark.parametrize("at", ["ledger.renewed.after", "ledger.in_vain.before", "ledger.in_vain.after"])
def test_a_crash_once_all_is_stored_or_refused_costs_nothing(
    office: Office, failing: Callable[..., None], at: str
) -> None:
    if "in_vain" in at:
        office.faults.add(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.TOKEN, times=1))
    office.clock.advance(20 * HOUR)
    failing(at, Killed())
    with pytest.raises(Killed):
        office.wiring.client.integrations()
    later = office.process()
    office.clock.advance(61)
    assert office.works(later)
    office.clock.advance(8 * HOUR)
    assert office.works(later)
    assert later.gong.refused() is None


@pytest.mark.parametrize("at", ["gong.token.after", "ledger.renewed.before"])
def test_after_a_crash_between_answer_and_commit_work_goes_on_for_hours_and_says_what_to_do(
    office: Office, failing: Callable[..., None], at: str
) -> None:
    office.clock.advance(20 * HOUR)
    failing(at, Killed())
    with pytest.raises(Killed):
        office.wiring.client.integrations()
    later = office.process()
    office.clock.advance(61)
    assert office.works(later)  # by the access token, which is good for four hours more
    assert office.exchanges() == 3
    for _ in range(10):
        office.clock.advance(1000)
        assert office.works(later)
    assert office.exchanges() == 3, "what Gong refused is not tried again"
    (alarm,) = office.notes.named("login.refused")
    assert "gong-connector login" in str(alarm["error"])
    finding = next(one for one in judge(later.overview()).findings if one.kind is Kind.LOGIN)
    assert (finding.state, "gong-connector login" in finding.words) == (State.HELD, True)
    assert _status(later.overview()) is Status.UNSETTLED
    office.clock.advance(4 * HOUR)
    with pytest.raises(GongDenied, match="gong-connector login"):
        later.client.integrations()
    office.login(later)
    assert office.works(later)
    assert later.gong.refused() is None


@pytest.mark.parametrize("at", ["gong.token.before", "gong.token.after", "ledger.login.before", "ledger.login.after"])
def test_a_login_that_dies_spoils_nothing_and_is_done_again(
    office: Office, failing: Callable[..., None], at: str
) -> None:
    failing(at, Killed())
    with pytest.raises(Killed):
        office.login()
    later = office.process()
    assert office.works(later)
    office.login(later)
    assert office.works(later)


@pytest.mark.parametrize("at", ["ledger.reseal.before", "ledger.reseal.after"])
def test_a_crash_while_the_pair_is_encrypted_anew_costs_a_login_at_most(
    office: Office, failing: Callable[..., None], at: str
) -> None:
    office.works()
    office.secret = "rotated"
    office.api.credentials = Credentials(client_secret="rotated")
    office.wiring.live._settings = office.process().settings
    failing(at, Killed())
    with pytest.raises(Killed):
        office.works()
    later = office.process()
    if at == "ledger.reseal.before":
        with pytest.raises(GongDenied, match="`gong-connector login`"):
            later.client.integrations()
        office.login(later)
    assert office.works(later)


def test_a_pair_that_the_ledger_cannot_take_is_kept_until_it_can(office: Office, failing: Callable[..., None]) -> None:
    office.clock.advance(30 * HOUR)
    failing("ledger.renewed.before", LedgerUnavailable("locked"))
    with pytest.raises(LedgerUnavailable):
        office.wiring.client.integrations()
    assert office.works()
    assert office.exchanges() == 2
    assert office.works(office.process())


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.ERROR_BEFORE, FaultKind.HTML_BEFORE])
def test_a_token_endpoint_out_of_reach_is_asked_once_a_minute(office: Office, kind: FaultKind) -> None:
    office.clock.advance(20 * HOUR)
    office.faults.add(Fault(kind=kind, operation=Operation.TOKEN, times=2))
    for _ in range(30):
        assert office.works()
    assert office.exchanges() == 2
    office.clock.advance(61)
    assert office.works()
    office.clock.advance(61)
    assert office.works()
    assert office.exchanges() == 4
    assert office.notes.named("login.renewed")


def test_when_the_token_has_ended_meanwhile_uploads_wait_as_for_an_unreachable_gong(office: Office) -> None:
    office.clock.advance(30 * HOUR)
    office.faults.add(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.TOKEN, times=1))
    assert office.wiring.client.status(1, "x").result.name == "UNAVAILABLE"
    assert office.wiring.client.status(1, "x").result.name == "UNAVAILABLE"
    assert office.exchanges() == 2
    office.clock.advance(61)
    assert office.wiring.client.status(1, "x").result.name == "UNKNOWN"


def test_a_revoked_authorisation_is_not_renewed_in_a_loop(office: Office) -> None:
    office.world.grants.revoke()
    for _ in range(20):
        assert office.wiring.client.status(1, "x").result.name == "DENIED"
        office.clock.advance(HOUR)
    assert office.exchanges() == 2
    assert office.wiring.client.status(1, "x").detail.count("gong-connector login") == 1


def test_a_token_that_ended_early_is_renewed_and_the_call_made_again(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.login()
    office.clock.advance(2 * HOUR)
    office.world._store._db.execute("UPDATE grants SET used = 1 WHERE kind = 'access'")
    assert office.works()
    assert office.exchanges() == 2
    office.world._store._db.execute("UPDATE grants SET used = 1 WHERE kind = 'access'")
    assert not office.works(), "a token is not renewed in its first hour"
    assert office.exchanges() == 2
    office.close()


def test_a_wrong_client_secret_says_so_and_mends(office: Office) -> None:
    office.api.credentials = Credentials(client_secret="rotated")
    office.clock.advance(20 * HOUR)
    assert office.works()
    assert "CONNECTOR_GONG_OAUTH_CLIENT_ID" in str(office.notes.named("login.postponed")[0]["error"])
    office.api.credentials = Credentials()
    office.clock.advance(901)
    assert office.works()
    assert office.exchanges() == 3
    assert office.wiring.gong.refused() is None


def test_a_client_secret_that_changes_under_way_goes_on_being_read(office: Office) -> None:
    office.works()
    office.secret = "rotated"
    office.api.credentials = Credentials(client_secret="rotated")
    with pytest.raises(GongDenied, match="CLIENT_SECRET"):
        office.process().client.integrations()
    office.wiring.live._settings = office.process().settings
    assert office.works()
    later = office.process()
    assert office.works(later)
    office.clock.advance(DAY)
    assert office.works(later)


def test_a_spent_day_puts_the_renewal_off(office: Office) -> None:
    short = office.process(calls_per_day=5)
    for _ in range(4):
        short.client.integrations()
    office.clock.advance(20 * HOUR)
    with pytest.raises(BudgetSpent):
        short.client.integrations()
    assert office.exchanges() == 1
    office.clock.advance(DAY)
    assert office.works(short)


# -- whose Gong it is --------------------------------------------------------------------------------


def test_a_ledger_of_an_access_key_moves_to_oauth_within_its_company(tmp_path: Path) -> None:
    office = Office(tmp_path)
    keyed = office.process(
        gong_oauth_client_id=None,
        gong_base_url="http://127.0.0.1",
        gong_access_key=SecretStr("sandbox-key"),
        gong_access_key_secret=SecretStr("sandbox-secret"),
    )
    keyed.take_lease()
    integration, _ = keyed.binding.register(keyed.client, "Acme", "a@acme.example", adopt=False)
    keyed.lease.release()
    office.login()
    assert office.wiring.store.meta("gong_host") == "localhost"
    assert office.wiring.integration_id() == integration

    stranger = World(now=office.clock.now, behaviour=Behaviour(**UNLIMITED))  # type: ignore[arg-type]
    stranger.register("Other", "b@other.example", "r")
    office.api.world, mine = stranger, office.api.world
    with pytest.raises(ConfigError, match=f"integration {integration}.*Nothing was changed"):
        office.login()
    office.api.world = mine
    assert office.works()
    stranger.close()
    office.close()
