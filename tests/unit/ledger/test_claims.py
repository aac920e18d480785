"""The pair of OAuth tokens in the ledger: of processes that would renew it at once, one may."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from ledger_under_test import LedgerUnderTest

from connector.ledger.authorisation import CLAIM_SECONDS, AuthorisationStore


@pytest.fixture
def store(ledger: LedgerUnderTest) -> AuthorisationStore:
    """With the pair of a first login."""
    made = AuthorisationStore(ledger.database, ledger.clock)
    made.login("first", "gong.example")
    return made


def sealed(store: AuthorisationStore) -> tuple[int, str]:
    found = store.read()
    assert found is not None
    return found.generation, found.sealed


def test_of_processes_that_claim_at_once_one_renews(store: AuthorisationStore) -> None:
    with ThreadPoolExecutor(4) as processes:
        assert sorted(processes.map(lambda _: store.claim(1), range(4))) == [False, False, False, True]


def test_a_claim_whose_owner_died_ends(store: AuthorisationStore, ledger: LedgerUnderTest) -> None:
    assert store.claim(1)
    ledger.clock.advance(CLAIM_SECONDS - 1)
    assert not store.claim(1)
    ledger.clock.advance(1)
    assert store.claim(1)


def test_a_claim_does_not_last_longer_when_the_clock_is_set_back(
    store: AuthorisationStore, ledger: LedgerUnderTest
) -> None:
    assert store.claim(1)
    ledger.clock.advance(-86_400)
    assert store.claim(1)


def test_whoever_comes_late_with_a_pair_overwrites_nothing(store: AuthorisationStore) -> None:
    assert store.claim(1)
    assert store.renewed(1, "second", "gong.example")
    assert not store.renewed(1, "of one that slept", "gong.example")
    store.in_vain(1, "of one that slept", 60.0, refused=True)
    store.reseal("first", "anew")
    assert sealed(store) == (2, "second")
    assert not store.claim(1)
    found = store.read()
    assert found is not None
    assert found.refused_at is None


def test_a_login_ends_what_was_refused(store: AuthorisationStore) -> None:
    store.in_vain(1, "revoked", 60.0, refused=True)
    store.login("anew", "gong.example")
    found = store.read()
    assert found is not None
    assert (found.generation, found.sealed, found.note, found.refused_at) == (2, "anew", None, None)
    assert store.claim(2)
