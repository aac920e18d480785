"""What was met, and what more than once."""

from collections import Counter
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from connector.engine import seen
from connector.engine.seen import Filter, Met, Seen, fold, folds

IDS = st.lists(st.text("aAbB 1", min_size=1, max_size=3), max_size=40)


@given(IDS, st.integers(1, 5))
def test_it_knows_what_was_met_and_what_more_than_once(ids: list[str], piece: int) -> None:
    with mock.patch.object(seen, "_PIECE", piece):  # so that few ids are sorted in several parts
        met = Seen()
        met.add(ids)
        assert met.repeated() == {hash(one) for one, times in Counter(ids).items() if times > 1}
        assert all(one in met for one in ids)
        assert "never" not in met
        assert len(met) == len(ids)


@given(IDS)
def test_keys_that_differ_by_case_or_trailing_blanks_only_are_found(ids: list[str]) -> None:
    met = Met()
    met.add(ids, ids)
    shared = Counter(fold(one) for one in set(ids))
    alike = {hash(folded) for folded, keys in shared.items() if keys > 1}
    assert alike <= met.alike(1000)
    assert met.alike(1000) <= {hash(fold(one)) for one in ids}


@given(IDS, IDS)
def test_a_filter_misses_nothing_that_it_has_met(ids: list[str], more: list[str]) -> None:
    met = Filter()
    met.add(ids)
    assert set(more) & set(ids) <= set(met.add(more))
    assert met.add([f"never {number}" for number in range(100)]) == []


@given(st.lists(st.text("aAß \t\u2003.1", min_size=1, max_size=3), max_size=5))
def test_keys_are_folded_together_as_each_is(ids: list[str]) -> None:
    assert folds(ids) == list(map(fold, ids))
