"""What the page says, whom it lets in, and that nothing of the CRM's can make it do anything."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from connector.cli import status
from connector.cli.exits import Status
from connector.clock import FakeClock
from connector.engine.judgement import State
from connector.engine.overview import Overview, Postponed
from connector.errors import LedgerInUse, LedgerUnavailable
from connector.ledger.records import Pending
from connector.object_types import ObjectType
from connector.settings import Settings, shown
from connector.web.answers import WHY
from connector.web.app import create_app
from connector.web.guard import HEADERS
from connector.web.lookout import Lookout, Sources
from connector.web.rendering import code, long, plain
from connector.words import size
from tests.browser.states import HOSTILE, STATES, filled, serve, site
from tests.unit.engine.company import Company, Fault, FaultKind, Operation

PAGES = ("/", "/refused", "/waiting", "/object", "/object?id=1", "/audit", "/configuration", "/charts.json")
SAID = {
    "loading": ("The first load is under way", "120,000 rows read"),
    "well": ("All is well", "DEAL"),
    "refused": ("Something is held", "their account is not in Gong"),
    "budget": ("Changes reach Gong late", "can be made before"),
    "source": ("Stopped: a source cannot be read", "DEAL: the last pass failed"),
    "gong": ("Stopped: Gong takes nothing", "ACCOUNT file, "),
    "guard": ("Something is held", "gong-connector approve 1"),
    "mapping": ("Something is held", "The mapping file on disk is not in use since"),
    "stopped": ("Stopped: no process is at work", "No process is at work"),
}


def visit(company: Company, password: str | None = None, postponed: Postponed | None = None) -> TestClient:
    return TestClient(create_app(site(company, password, postponed)), "http://127.0.0.1:8080")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.put("users", id="u1", email="ann@acme.example")
    made.put("accounts", id=1, name="Initech")
    made.put("deals", id=1, name="Paper", account=1, amount=5)
    made.sync()
    serve(made)
    yield made
    made.close()


class _Read(HTMLParser):
    """What a browser would make of a page: its elements, and the text that shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("state", STATES)
def test_the_answer_comes_first_in_every_main_state(state: str, tmp_path: Path) -> None:
    made = STATES[state](tmp_path)
    page = visit(made).get("/")
    made.close()
    answer, words = SAID[state]
    assert page.status_code == 200
    assert f"<title>{answer} · gong-connector</title>" in page.text
    assert words in _Read(page.text).text
    assert page.text.index(answer) < page.text.index("<h2")


def test_status_of_a_ledger_that_nobody_is_at_work_on_does_not_end_well(tmp_path: Path) -> None:
    company = STATES["stopped"](tmp_path)
    assert status._status(company.wiring.overview()) is Status.UNSETTLED
    serve(company)
    assert status._status(company.wiring.overview()) is Status.WELL
    company.close()


def test_nothing_of_the_crm_is_ever_taken_for_markup(tmp_path: Path) -> None:
    made = STATES["refused"](tmp_path)
    client = visit(made)
    for path, hostile in product(("/", "/refused", "/object"), HOSTILE):
        page = client.get(path, params={"id": hostile} if path == "/object" else {})
        read = _Read(page.text)
        assert page.status_code == 200
        assert [attrs.get("src", "").partition("?")[0] for tag, attrs in read.elements if tag == "script"] == [
            "/static/uPlot.iife.min.js",
            "/static/page.js",
        ]
        assert not [tag for tag, attrs in read.elements if tag == "img" or any(name[:2] == "on" for name in attrs)]
        assert not [tag for tag, attrs in read.elements if "style" in attrs or tag == "style"]
        assert plain(hostile)[:64] in read.text
        assert "\u202e" not in read.text
    made.close()


def test_the_spool_and_the_search_for_bad_lines_are_shown(company: Company) -> None:
    company.during(Fault(kind=FaultKind.DROP_BEFORE, operation=Operation.UPLOAD, times=100))
    company.put("deals", id=2, name="Spooled", account=1)
    company.sync(timeout=1)
    with company.wiring.database.writing("test") as connection:
        connection.exec_driver_sql("INSERT INTO isolations VALUES (7, 'DEAL', 40, 2, 0)")
        connection.exec_driver_sql(
            "UPDATE objects SET pending = 'suspect', isolation = 7 WHERE type = 'DEAL' AND object_id = '1'"
        )
    held = company.wiring.spool.used()
    assert held
    words = " ".join(_Read(visit(company).get("/").text).text.split())
    assert f"The spool holds {size(held)} of 5.0 GB." in words
    assert "Bad lines of a file of DEAL that Gong did not list are looked for in smaller files: round 2, 1" in words
    assert "1 line waits." in words

    shutil.rmtree(company.settings.spool_dir)
    words = _Read(visit(company).get("/").text).text
    assert "The spool cannot be looked at." in words


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/readyz", "/metrics", "/static/page.css", "/nothing"])
def test_every_answer_has_the_strict_headers_and_only_reading_is_possible(company: Company, path: str) -> None:
    client = visit(company)
    answer = client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.status_code == (404 if path == "/nothing" else 200)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, path).status_code in (404, 405)


def test_a_password_is_asked_for_but_by_supervisors(company: Company) -> None:
    client = visit(company, password="só-secret:x")

    def status(path: str, given: str | None, scheme: str = "Basic") -> int:
        token = "" if given is None else base64.b64encode(f"anyone:{given}".encode()).decode()
        headers = {} if given is None else {"Authorization": f"{scheme} {token}"}
        return client.get(path, headers=headers).status_code

    for path in (*PAGES, "/metrics", "/static/page.css"):
        assert status(path, None) == 401
        assert status(path, "só-secret:y") == 401
        assert status(path, "só-secret:x") == 200
    assert client.get("/", headers={"Authorization": "Basic ???"}).status_code == 401
    assert client.get("/").headers["www-authenticate"].startswith("Basic")
    assert status("/healthz", None) == status("/readyz", None) == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("evil.example", 421), ("", 421)],
)
def test_without_a_password_the_page_answers_to_this_machines_names_only(
    company: Company, host: str, status: int
) -> None:
    assert visit(company).get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [("/refused?type=X", 400), ("/refused?from=-1", 400), ("/object?id=a%00b", 400), ("/x", 404)],
)
def test_what_makes_no_sense_is_said_in_words(company: Company, path: str, status: int) -> None:
    page = visit(company).get(path)
    assert page.status_code == status
    assert "Traceback" not in page.text
    assert "<h1>" in page.text


def test_lists_are_shown_a_page_at_a_time(company: Company) -> None:
    for number in range(130):
        company.put("users", id=f"bad{number:03}", email=None)
    company.sync()
    client = visit(company)
    first = client.get("/refused?type=BUSINESS_USER").text
    second = client.get("/refused?type=BUSINESS_USER&from=100").text
    assert first.count("/object?") == 100
    assert second.count("/object?") == 30
    assert "/refused?from=100&amp;type=BUSINESS_USER" in first


def test_an_object_is_found_and_it_is_said_whether_gong_has_it(company: Company) -> None:
    company.put("deals", id=2, name="Orphan", account=77, amount=1)
    company.put("users", id="u2", email=None)
    company.put("users", id="u1", email=None)
    company.sync(timeout=100)
    client = visit(company)

    def said(object_id: str, kind: str = "") -> str:
        return " ".join(_Read(client.get("/object", params={"id": object_id, "type": kind}).text).text.split())

    assert "Yes: Gong has it as it was last read." in said("1", "DEAL")
    assert "It waits (account 77): the account that it names is not in Gong" in said("2")
    assert "Its account, 77 The connector has not met it" in said("2")
    assert "Not yet. It was refused by the connector, before sending: emailAddress is empty" in said("u2")
    assert "An earlier version of it is in Gong, the latest is not yet." in said("u1")
    assert "No: the connector has not met it" in said("nobody")
    assert "DEAL 1" in said("1")
    assert "ACCOUNT 1" in said("1"), "without a type, all that have the id"


def test_a_deleted_object_and_one_on_its_way_are_told_apart(company: Company) -> None:
    company.put("accounts", id=2, name="Globex", gone=0)
    company.sync()
    company.put("accounts", id=2, name="Globex", gone=1)
    company.sync()
    company.put("accounts", id=1, name="Renamed")
    company.during(Fault(kind=FaultKind.STUCK))
    company.sync(timeout=10)
    client = visit(company)
    assert "Gong was told to delete it" in client.get("/object?id=2&type=ACCOUNT").text
    assert "It is on its way" in client.get("/object?id=1&type=ACCOUNT").text


def test_every_reason_to_wait_has_words_for_one_object() -> None:
    assert set(WHY) == set(Pending)


def test_a_ledger_that_cannot_be_read_is_the_answer_then(company: Company) -> None:
    def lost() -> Overview:
        raise LedgerUnavailable("the ledger (x) is <locked>")

    made = site(company)
    wiring = company.wiring
    sources = Sources(lost, lambda: wiring.charts, lambda: wiring.finder, wiring.queries.approvals, wiring.spool.used)
    made = replace(made, lookout=Lookout(sources, company.clock))
    client = TestClient(create_app(made), "http://127.0.0.1")
    page = client.get("/")
    assert page.status_code == 503
    assert "the ledger (x) is &lt;locked&gt;" in page.text
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "ledger: NOT OK, it cannot be read\n")
    assert "gong_connector_ledger_readable 0.0" in client.get("/metrics").text
    assert client.get("/healthz").text == "alive\n"


def test_a_new_version_that_waits_for_the_earlier_one_is_ready_to_take_over(company: Company) -> None:
    def in_use() -> Overview:
        raise LedgerInUse("the ledger is of an earlier version")

    wiring = company.wiring
    sources = Sources(in_use, lambda: wiring.charts, lambda: wiring.finder, wiring.queries.approvals, wiring.spool.used)
    made = replace(site(company), lookout=Lookout(sources, company.clock))
    ready = TestClient(create_app(made), "http://127.0.0.1").get("/readyz")
    assert (ready.status_code, ready.text.partition(",")[0]) == (200, "ledger: ok")


def test_ready_means_ledger_source_and_lease(company: Company) -> None:
    assert visit(company).get("/readyz").status_code == 200
    company.wiring.lease.release()
    no_lease = visit(company).get("/readyz")
    assert no_lease.status_code == 503
    assert "lease: NOT OK, no process is at work" in no_lease.text
    serve(company)
    postponed = visit(company, postponed=Postponed("no route to crm.acme.example", 0.0)).get("/readyz")
    assert postponed.status_code == 503
    assert "source: NOT OK" in postponed.text
    assert "acme" not in postponed.text, "whoever may not see the page learns no names"


def test_the_configuration_is_shown_without_its_secrets(company: Company) -> None:
    page = _Read(visit(company).get("/configuration").text).text
    assert "CONNECTOR_GONG_ACCESS_KEY_SECRET" in page
    assert "(hidden)" in page
    assert "owner@acme.example" in page, "the mapping file is shown"
    values = {one.name: one.value for one in shown(company.settings)}
    assert values["CONNECTOR_GONG_ACCESS_KEY"] == values["CONNECTOR_GONG_ACCESS_KEY_SECRET"] == "(hidden)"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://reader:pa@ss?w/ord@db.example:5433/crm?sslmode=require", "postgresql://(hidden)"),
        ("postgresql://reader:pa@ss@db.example:5433/crm?sslmode=x", "postgresql://(hidden)@db.example:5433/crm"),
        ("postgresql://db.example/crm?password=s@t", "postgresql://(hidden)"),
        ("sqlite:////var/lib/crm.db", "sqlite:////var/lib/crm.db"),
    ],
)
def test_of_a_url_no_part_of_a_password_is_shown(url: str, said: str) -> None:
    settings = Settings(_env_file=None, source_url=url)  # type: ignore[call-arg, arg-type]
    assert next(one.value for one in shown(settings) if one.name == "CONNECTOR_SOURCE_URL") == said


def test_many_viewers_share_a_look(company: Company) -> None:
    looks: list[int] = []

    def overview() -> Overview:
        looks.append(1)
        return company.wiring.overview()

    clock = FakeClock(0.0)
    wiring = company.wiring
    lookout = Lookout(
        Sources(overview, lambda: wiring.charts, lambda: wiring.finder, wiring.queries.approvals, wiring.spool.used),
        clock,
    )
    for _ in range(10):
        lookout.look()
    assert len(looks) == 1
    clock.advance(5)
    lookout.look()
    assert len(looks) == 2


def test_since_when_all_is_well_is_what_was_watched(company: Company) -> None:
    lookout = site(company).lookout
    first = lookout.look().verdict.since
    company.clock.advance(300)
    company.wiring.lease.renew()
    assert lookout.look().verdict.since == first == company.clock.now() - 300
    company.put("users", id="u2", email=None)
    company.sync()
    refused = lookout.look().verdict
    assert refused.state is State.REFUSED
    company.put("users", id="u2", email="bob@acme.example")
    company.sync()
    assert lookout.look().verdict.since == company.clock.now(), "well again, from now on"


def test_the_mapping_types_can_all_be_chosen(company: Company) -> None:
    page = visit(company).get("/object").text
    assert all(f"<option>{kind}</option>" in page for kind in ObjectType)


def test_words_durations_and_code() -> None:
    assert [long(0.4), long(119), long(120), long(7300), long(200_000), long(None)] == [
        "0 s", "119 s", "2 min", "2 h", "2 days", "–",
    ]  # fmt: skip
    assert code("run `a <b>` now") == "run <code>a &lt;b&gt;</code> now"
    assert code("one ` alone <i>") == "one ` alone &lt;i&gt;"
    assert plain("a\u202eb\x00c") == "a\\u202eb\\u0000c"


def test_a_busy_day_reads_well(tmp_path: Path) -> None:
    made = filled(tmp_path)
    document = visit(made).get("/charts.json").json()
    made.close()
    assert sum(document["lines"][1]) == 60 + 10 + 13
    assert {len(one) for one in document["calls"]} == {len(document["calls"][0])}
    assert 90 <= max(lag for lag in document["lag"][1] if lag is not None) <= 200
