"""What a webhook is really told, over restarts, its own failures and those of the ledger."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from company import Company, Notes
from webhooks import SECRET_PATH, Chat, webhook

from connector.cli.page import HINDERED_SECONDS, Page
from connector.engine.alerts import MOST_LINES, Alerts
from connector.engine.judgement import Finding, Kind, State, Verdict, judge
from connector.errors import LedgerUnavailable
from connector.ledger.incidents import Incidents
from connector.ledger.queries import Active
from connector.webhook import Webhook, WebhookFailed

ME = "this host (process 1)"
LOCKED = LedgerUnavailable("another program keeps the ledger /var/lib/connector.db locked")


@pytest.fixture
def chat() -> Iterator[Chat]:
    with webhook() as made:
        yield made


class Watching(Company):
    """A company whose daemon alerts."""

    def __init__(self, directory: Path, chat: Chat, path: str = "") -> None:
        super().__init__(directory)
        self.chat = chat
        self.path = path
        self.locked = False
        self.said = Notes()
        self.begin()

    def begin(self) -> None:
        """Start the process that alerts, anew."""

        def ledger() -> tuple[Incidents, str]:
            if self.locked:
                raise LOCKED
            return self.wiring.incidents, ME

        self.alerts = Alerts(Webhook(self.chat.url + self.path), ledger, self.clock, self.said)

    def look(self, *findings: Finding, active: Active | None = None, times: int = 1) -> list[str]:
        """Look once a minute; return the texts that were told."""
        before = len(self.chat.got)
        for _ in range(times):
            self.clock.advance(60)
            seen = replace(self.wiring.overview(), active=active)
            self.alerts.see(seen, Verdict(State.WELL, None, findings))
        return [told["text"] for told in self.chat.got[before:]]

    def look_in_vain(self, times: int = 1) -> list[str]:
        """Look at a ledger that cannot be read."""
        before = len(self.chat.got)
        self.locked = True
        for _ in range(times):
            self.clock.advance(60)
            self.alerts.see_nothing(LOCKED)
        self.locked = False
        return [told["text"] for told in self.chat.got[before:]]


@pytest.fixture
def company(tmp_path: Path, chat: Chat) -> Iterator[Watching]:
    made = Watching(tmp_path, chat)
    yield made
    made.close()


REFUSED = Finding(Kind.REFUSED, State.REFUSED, "3 objects refused: `gong-connector failures list` says why.", objects=3)


def test_what_is_really_wrong_is_told_once_and_then_that_it_is_over(company: Watching, chat: Chat) -> None:
    company.put("users", id="u2", email=None)
    company.sync()
    company.wiring.lease.release()
    seen = company.wiring.overview()
    for _ in range(3):
        company.clock.advance(60)
        company.alerts.see(seen, judge(seen))
    (told,) = chat.got
    assert told["text"].endswith("1 object refused: `gong-connector failures list` says why.")
    assert "Objects are refused since 2026-06-01T12:" in told["text"]
    (incident,) = told["incidents"]
    assert incident.pop("since").startswith("2026-06-01T12:")
    assert incident == {
        "news": "began",
        "kind": "refused",
        "subject": "",
        "state": "refused",
        "words": "1 object refused: `gong-connector failures list` says why.",
        "objects": 1,
        "ended_at": None,
        "lasted_seconds": None,
    }
    assert told["integration_id"] == seen.integration
    assert told["host"]
    company.look(times=8)
    _, over = chat.got
    assert "Over after 3 min" in over["text"] or "Over after 4 min" in over["text"]
    assert over["incidents"][0]["news"] == "ended"
    assert over["incidents"][0]["lasted_seconds"] >= 180
    assert [facts["news"] for facts in company.said.named("alert.sent")] == ["began", "ended"]


def test_a_restart_repeats_nothing_and_forgets_nothing(company: Watching) -> None:
    assert len(company.look(REFUSED)) == 1
    company.begin()
    assert company.look(REFUSED, times=5) == []
    company.begin()
    assert "Over after" in company.look(times=7)[0]
    company.begin()
    assert company.look(times=3) == []


def test_what_begins_at_once_is_one_message(company: Watching, chat: Chat) -> None:
    many = [Finding(Kind.LATE, State.LATE, f"words {n}", None, f"TYPE{n}") for n in range(MOST_LINES + 5)]
    (text,) = company.look(*many)
    assert len(text.splitlines()) == 1 + MOST_LINES + 1
    assert "and 5 more" in text
    assert len(chat.got[0]["incidents"]) == MOST_LINES + 5


def test_a_webhook_that_is_down_is_tried_ever_more_rarely_and_told_in_the_end(company: Watching, chat: Chat) -> None:
    chat.status, chat.says = 503, "out of order"
    assert company.look(REFUSED, times=60) == []
    assert 5 <= chat.tries <= 7
    waits = [facts["again_in"] for facts in company.said.named("alert.failed")]
    assert waits == [60 * 2**n for n in range(len(waits))]
    assert "canary" not in str(company.said.events)
    chat.status = 200
    assert len(company.look(REFUSED, times=60)) == 1
    assert company.look(REFUSED, times=60) == []


def test_the_ledger_itself_may_be_what_is_out_of_reach(company: Watching) -> None:
    assert company.look_in_vain(3) == []
    (text,) = company.look_in_vain(30)
    assert "The ledger is missing or cannot be read since" in text
    assert "/var/lib/connector.db locked" in text
    company.look(times=1)
    company.begin()
    assert "Over after 33 min" in company.look(times=6)[0], "the ledger was told once it could be"
    assert company.look(times=60) == []


def test_what_was_told_before_the_ledger_was_out_of_reach_is_not_told_again(company: Watching) -> None:
    company.look(REFUSED)
    company.look_in_vain(60)
    assert [text for text in company.look(REFUSED, times=10) if "refused" in text] == []


def test_beside_the_active_daemon_one_that_stands_by_is_silent_and_goes_on_when_it_takes_over(
    company: Watching,
) -> None:
    another = Active("elsewhere (process 2)", serves=True)
    assert company.look(REFUSED, active=another, times=5) == []
    assert company.look_in_vain(30) == []
    assert len(company.look(REFUSED, active=Active(ME, serves=True))) == 1
    assert company.look(active=another, times=10) == [], "that it is over is the other's to tell"
    command = Active("elsewhere (process 3)", serves=False)
    assert len(company.look(Finding(Kind.GUARD, State.HELD, "held"), active=command)) == 1


def test_slack_is_told_in_its_own_format(tmp_path: Path, chat: Chat) -> None:
    company = Watching(tmp_path, chat, "/slack")
    company.look(replace(REFUSED, words="a <script> & more"))
    company.close()
    (told,) = chat.got
    assert told.keys() == {"text"}
    assert "a &lt;script&gt; &amp; more" in told["text"]


@pytest.mark.parametrize(
    ("url", "slack"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("https://hooks.slack-gov.com/services/T/B/x", True),
        ("https://discord.com/api/webhooks/1/x/slack", True),
        ("https://chat.example/hooks/x", False),
        ("https://notslack.com/hooks/x", False),
    ],
)
def test_slack_is_known_by_its_address(url: str, slack: bool) -> None:
    assert Webhook(url).slack is slack


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (404, {}, "answered HTTP 404: “no_service”"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, "answered HTTP 302: “no_service”"),
    ],
)
def test_a_refusal_is_said_without_the_address(chat: Chat, status: int, headers: dict[str, str], words: str) -> None:
    chat.status, chat.headers, chat.says = status, headers, "no_service"
    with pytest.raises(WebhookFailed, match=words) as caught:
        Webhook(chat.url).post("text", {})
    assert chat.tries == 1, "a redirect is not followed"
    assert SECRET_PATH not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_webhook_out_of_reach_is_said_without_the_address() -> None:
    with pytest.raises(WebhookFailed, match="cannot be reached: ConnectError") as caught:
        Webhook(f"http://127.0.0.1:1{SECRET_PATH}").post("text", {})
    assert SECRET_PATH not in str(caught.value)


def test_rounds_of_the_daemon_that_fail_are_a_finding_until_they_do_not(company: Watching) -> None:
    page = Page(Notes(), company.clock, str)
    seen = company.wiring.overview()

    def found() -> list[Kind]:
        verdict = judge(replace(seen, now=company.clock.now(), hindered=page.hindered))
        return [finding.kind for finding in verdict.findings if finding.kind is Kind.ROUND]

    page.event("round.failed", round="deliver", error="Gong denies it", alarm=True)
    assert page.hindered is None, "the file itself tells it"
    for _ in range(3):
        page.event("round.failed", round="tend", error="the ledger is locked", alarm=True)
        assert found() == []
        company.clock.advance(25)
    assert found() == [Kind.ROUND]
    company.clock.advance(HINDERED_SECONDS)
    assert found() == []
    assert isinstance(page.observer, Notes)
    assert len(page.observer.events) == 4, "what is heard is passed on"


def test_the_message_is_json_whatever_it_says(company: Watching, chat: Chat) -> None:
    company.look(replace(REFUSED, words='quotes " \\ and \u2028 and 💥'))
    assert json.loads(chat.text)[0]["incidents"][0]["words"] == 'quotes " \\ and \u2028 and 💥'
