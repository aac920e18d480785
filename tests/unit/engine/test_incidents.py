"""What is told of findings: each incident once, and once that it is over, however it comes and goes."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.engine.incidents import (
    CALM_SECONDS,
    DAY_SECONDS,
    PATIENCE,
    TITLES,
    News,
    due,
    follow,
    told,
)
from connector.engine.judgement import Finding, Kind, State
from connector.ledger.incidents import Incident

NOW = 1_800_000_000.0
MINUTE = 60.0
REFUSED = Finding(Kind.REFUSED, State.REFUSED, "3 objects refused.", NOW, objects=3)
SOURCE = Finding(Kind.SOURCE, State.STOPPED, "DEAL: the last pass failed: no such table", None, "DEAL")
LEDGER = Finding(Kind.LEDGER, State.STOPPED, "The ledger cannot be read: locked")


class Teller:
    """Looks every so many seconds, and tells a webhook that takes everything while `works`."""

    def __init__(self, seconds: float = MINUTE) -> None:
        self.seconds = seconds
        self.now = NOW
        self.incidents: list[Incident] = []
        self.said: list[tuple[str, News]] = []
        self.works = True

    def look(self, *findings: Finding, times: int = 1, blind: bool = False) -> list[tuple[str, News]]:
        """Look so often; return what was told."""
        before = len(self.said)
        for _ in range(times):
            self.incidents = follow(self.incidents, findings, self.now, blind=blind)
            fresh = {incident.key: what for incident, what in due(self.incidents)}
            if self.works:
                self.incidents = [told(one, self.now) if one.key in fresh else one for one in self.incidents]
                self.said += [(kind, what) for (kind, _), what in fresh.items()]
            self.now += self.seconds
        return self.said[before:]


@pytest.fixture
def teller() -> Teller:
    return Teller()


def test_it_is_told_once_when_it_begins_and_once_when_it_is_over(teller: Teller) -> None:
    assert teller.look(REFUSED, times=600) == [("refused", News.BEGAN)]
    assert teller.look(times=600) == [("refused", News.ENDED)]
    (ended,) = teller.incidents
    assert ended.ended_at == NOW + 600 * MINUTE, "it was over when it was first not seen, not when that was believed"
    assert teller.look(times=24 * 60) == []
    assert teller.incidents == [], "a day later it is forgotten"


def test_what_often_passes_by_itself_must_last_before_it_is_told(teller: Teller) -> None:
    assert teller.look(SOURCE, times=3) == []
    assert teller.look(times=10) == []
    assert teller.incidents == []
    assert teller.look(SOURCE, times=4) == [("source", News.BEGAN)]


def test_what_began_before_the_process_is_told_by_its_own_time(teller: Teller) -> None:
    assert teller.look(replace(SOURCE, since=NOW - 3600)) == [("source", News.BEGAN)]
    assert teller.incidents[0].since == NOW - 3600


def test_a_time_in_the_future_counts_as_now(teller: Teller) -> None:
    teller.look(replace(REFUSED, since=NOW + 1e6))
    assert teller.incidents[0].since == NOW


def test_a_short_pause_is_no_end(teller: Teller) -> None:
    teller.look(REFUSED)
    pause = int(CALM_SECONDS / MINUTE) - 1
    for _ in range(20):
        assert teller.look(times=pause) == []
        assert teller.look(REFUSED) == []


def test_who_comes_back_within_a_day_is_believed_to_be_over_ever_later(teller: Teller) -> None:
    teller.look(REFUSED)
    waits = []
    for _ in range(4):
        wait = 0
        while not teller.look():
            wait += 1
        waits.append(wait)
        assert teller.look(REFUSED) == [("refused", News.BEGAN)]
    assert waits == [5, 20, 80, 320]
    assert teller.incidents[0].times == 5


def test_it_is_told_again_when_it_has_grown_tenfold(teller: Teller) -> None:
    assert teller.look(REFUSED) == [("refused", News.BEGAN)]
    assert teller.look(replace(REFUSED, objects=29)) == []
    assert teller.look(replace(REFUSED, objects=30)) == [("refused", News.GREW)]
    assert teller.look(replace(REFUSED, objects=4)) == []
    assert teller.look(replace(REFUSED, objects=299)) == []
    assert teller.look(replace(REFUSED, objects=300)) == [("refused", News.GREW)]


def test_two_of_a_kind_are_told_apart_by_their_subject(teller: Teller) -> None:
    teller.look(SOURCE, replace(SOURCE, subject="LEAD"), times=10)
    assert Counter(teller.said) == {("source", News.BEGAN): 2}


def test_several_findings_of_one_key_are_one_incident_and_the_weightiest_speaks(teller: Teller) -> None:
    files = [Finding(Kind.FILE, state, str(state), NOW - 3600, "DEAL") for state in (State.LATE, State.REFUSED)]
    assert teller.look(*files) == [("file", News.BEGAN)]
    assert teller.incidents[0].words == "late"


def test_while_the_ledger_cannot_be_read_nothing_else_is_over(teller: Teller) -> None:
    teller.look(REFUSED)
    assert teller.look(LEDGER, times=60, blind=True) == [("ledger", News.BEGAN)]
    assert teller.look(REFUSED, times=60) == [("ledger", News.ENDED)]


def test_what_the_webhook_did_not_hear_of_is_told_as_over_only(teller: Teller) -> None:
    teller.works = False
    teller.look(REFUSED, times=30)
    teller.look(times=30)
    teller.works = True
    assert teller.look() == [("refused", News.ENDED)]


def test_a_persons_own_doing_is_no_incident(teller: Teller) -> None:
    silent = [kind for kind in Kind if kind not in TITLES]
    assert set(silent) == {Kind.UNREGISTERED, Kind.PAUSE, Kind.LOADING}
    assert teller.look(*(Finding(kind, State.HELD, "x", NOW - 1e6) for kind in silent), times=9) == []


def test_neither_gongs_words_nor_addresses_are_remembered(teller: Teller) -> None:
    teller.look(replace(REFUSED, words="DEAL file: HTTP 400: “Jane Roe owes 5” for rep@acme.example"))
    assert teller.incidents[0].words == "DEAL file: HTTP 400: (see status) for (address)"


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 80)), max_size=40), st.sampled_from(sorted(TITLES)))
def test_whatever_comes_and_goes_a_day_has_few_messages(spells: list[tuple[bool, int]], kind: Kind) -> None:
    teller = Teller(5 * MINUTE)
    finding = Finding(kind, State.STOPPED, "words", None, "DEAL")
    for present, times in spells:
        if teller.now > NOW + DAY_SECONDS:
            break
        teller.look(*([finding] if present else []), times=times)
    said = [what for _, what in teller.said]
    assert said == [News.BEGAN, News.ENDED] * (len(said) // 2) + [News.BEGAN] * (len(said) % 2), "by turns"
    # 5, 20, 80 and 320 minutes without it, then 6 hours each: no more fit into a day and what follows it.
    assert len(said) <= 16


@given(st.sampled_from(sorted(TITLES)), st.integers(0, 30))
def test_what_lasts_is_told_in_time(kind: Kind, minutes: int) -> None:
    teller = Teller()
    said = teller.look(Finding(kind, State.STOPPED, "words"), times=minutes + 1)
    assert bool(said) == (minutes * MINUTE >= PATIENCE.get(kind, 0.0))
