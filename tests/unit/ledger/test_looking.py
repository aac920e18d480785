"""What the page and the judgement ask the ledger, on both of its databases."""

from dataclasses import replace

from ledger_under_test import LedgerUnderTest

from connector.ledger.charts import Charts
from connector.ledger.finder import Finder
from connector.ledger.incidents import Incident, Incidents
from connector.ledger.records import BatchState, PassKind, Pend, Pending, Refuse
from connector.ledger.watch import Watch
from connector.model import Bound
from connector.object_types import ObjectType

A, B = b"a" * 16, b"b" * 16
DEAL = ObjectType.DEAL


def test_a_change_waits_from_its_own_time_until_it_is_settled_and_then_has_a_lag(ledger: LedgerUnderTest) -> None:
    watch, began = Watch(ledger.database), ledger.clock.now()
    batch = ledger.send(("7", A), ("8", B))
    ledger.clock.advance(90)
    assert watch.waiting(ledger.clock.now()) == {DEAL: began}
    assert watch.last_taken() is None
    ledger.settle(batch)
    assert watch.waiting(ledger.clock.now()) == {}
    assert watch.last_taken() == ledger.clock.now()
    (settled,) = Charts(ledger.database).settled(began)
    assert (settled.type, settled.state, settled.lines, settled.lag) == (DEAL, BatchState.DONE, 2, 90.0)
    assert Charts(ledger.database).settled(ledger.clock.now() + 1) == []
    assert Charts(ledger.database).calls(began) == []


def test_a_source_fails_since_the_first_failure_after_its_last_good_pass(ledger: LedgerUnderTest) -> None:
    store, clock, watch = ledger.store, ledger.clock, Watch(ledger.database)
    store.fail_start("DEAL", PassKind.LOAD, "long ago")
    good = store.begin_pass("DEAL", PassKind.INCREMENTAL, "x", Bound("1", 0.0, 0.0))
    store.finish_again(good)
    assert watch.failing() == {}
    clock.advance(100)
    began = clock.now()
    store.fail_start("DEAL", PassKind.INCREMENTAL, "no route")
    clock.advance(100)
    store.fail_pass(store.begin_pass("DEAL", PassKind.INCREMENTAL, "x", None), "no route")
    assert watch.failing() == {"DEAL": began}


def test_what_waits_is_counted_by_reason_and_found_by_its_id(ledger: LedgerUnderTest) -> None:
    now, finder = ledger.clock.now(), Finder(ledger.database)
    ledger.pend(Pend("7", Pending.ACCOUNT, now + 60, 1, "77"), Pend("8", Pending.RETRY, now, 0, None))
    (stranded,) = Watch(ledger.database).stranded(now)
    assert (stranded.type, stranded.reason, stranded.objects, stranded.since) == (DEAL, Pending.ACCOUNT, 1, now)
    assert [(one.object_id, one.account_id) for one in finder.waits(now, 0, 10)] == [("7", "77")]
    assert finder.waits(now, 1, 10) == []
    for kind in (DEAL, None):
        (found,) = finder.find("7", kind)
        assert (found.pending, found.account_id, found.told, found.in_flight) == (Pending.ACCOUNT, "77", False, False)
    assert finder.find("7", ObjectType.LEAD) == []


def test_an_object_is_told_once_its_file_is_settled(ledger: LedgerUnderTest) -> None:
    finder, batch = Finder(ledger.database), ledger.send(("7", A))
    (found,) = finder.find("7")
    assert (found.told, found.in_flight, found.file is not None) == (False, True, True)
    ledger.settle(batch)
    (found,) = finder.find("7")
    assert (found.told, found.in_flight) == (True, False)
    assert found.file is not None
    assert (found.file.state, found.file.line) == (BatchState.DONE, 1)


def test_refused_rows_are_listed_with_and_without_a_usable_key(ledger: LedgerUnderTest) -> None:
    finder, watch = Finder(ledger.database), Watch(ledger.database)
    assert watch.refused_since() is None
    first = ledger.clock.now()
    ledger.book(DEAL, refusals=[Refuse("7", B, "row", "amount", "no number")])
    ledger.clock.advance(10)
    ledger.book(DEAL, refusals=[Refuse("x" * 70, B, "row", "objectId", "too long", identified=False)])
    assert watch.refused_since() == first
    assert [one.field for one in finder.refused(None, 0, 10)] == ["objectId", "amount"]
    assert [one.field for one in finder.refused(DEAL, 1, 10)] == ["amount"]
    assert finder.refused(ObjectType.LEAD, 0, 10) == []
    for object_id in ("7", "x" * 70):
        (found,) = finder.find(object_id)
        assert found.refused is not None


def test_files_that_do_not_get_on_are_told_with_their_words(ledger: LedgerUnderTest) -> None:
    watch = Watch(ledger.database)
    batch = ledger.send(("7", A))
    assert watch.files() == []
    ledger.store.mark_sending(batch)
    tried = ledger.clock.now()
    ledger.clock.advance(50)
    ledger.store.postpone(batch, BatchState.SENT, tried + 60, "no answer", polled=True)
    (trouble,) = watch.files()
    assert (trouble.words, trouble.since) == ("DEAL file, sent: no answer", tried)
    assert watch.integration_gone() is None
    assert Finder(ledger.database).asked(5) == []


def test_incidents_are_kept_whole_and_forgotten_when_they_are_gone(ledger: LedgerUnderTest) -> None:
    incidents = Incidents(ledger.database)
    ledger.lease.release()  # that nobody has it may be what is to be told
    ours = Incident("source", "DEAL", "stopped", "words", 1.5, objects=3, lasted=True, times=2, told_at=2.5)
    other = Incident("refused", "", "refused", "words", 1.0)
    incidents.book([ours, other], [])
    assert incidents.all() == [other, ours]
    incidents.book([replace(ours, absent_since=3.0, ended_at=3.0, end_told_at=4.0)], [other.key])
    (left,) = incidents.all()
    assert (left.key, left.lasted, left.ended_at, left.end_told_at) == (("source", "DEAL"), True, 3.0, 4.0)
