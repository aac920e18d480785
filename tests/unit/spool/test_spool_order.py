"""Lines of a file ascend by time, equal times in order of adding, and each line's number is known."""

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import ids

from connector.spool import Spool
from connector.spool import writer as writer_module


def seal(directory: Path, times: list[int], pad: int = 0):
    spool = Spool(directory, 10**9)
    with spool.begin("f") as writer:
        for index, time in enumerate(times):
            line = b'{"objectId":"%d","t":%d,"pad":"%s"}\n' % (index, time, b"x" * pad)
            assert writer.add(line, time) == index
        return spool, writer.seal()


def test_ties_keep_their_order(tmp_path):
    spool, file = seal(tmp_path, [5, 3, 5, 3, 4])
    assert ids(spool, file) == [(1, "1"), (2, "3"), (3, "4"), (4, "0"), (5, "2")]
    assert list(file.order) == [4, 1, 5, 2, 3]


def test_lines_in_order_need_no_mapping(tmp_path):
    _, file = seal(tmp_path, [1, 1, 2])
    assert file.order is None


@given(times=st.lists(st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40))
def test_any_times_come_out_ascending_stable_and_found_again(times):
    with tempfile.TemporaryDirectory() as directory:
        spool, file = seal(Path(directory), times)
        spool.verify(file)
        indexes = [int(object_id) for _, object_id in ids(spool, file)]
        assert indexes == sorted(range(len(times)), key=lambda index: (times[index], index))
        assert [indexes[file.line_number(index) - 1] for index in range(len(times))] == list(range(len(times)))
        assert file.lines == len(times)


@pytest.mark.parametrize("piece", [1, 50, 64])
def test_lines_longer_than_a_piece_stay_whole(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(writer_module, "PIECE", piece)
    spool, file = seal(tmp_path, [3, 1, 2, 4, 5, 0], pad=100)
    spool.verify(file)
    assert [object_id for _, object_id in ids(spool, file)] == ["5", "1", "2", "0", "3", "4"]


def test_sorting_a_large_file_holds_little_of_it_in_memory(tmp_path):
    tracemalloc.start()
    try:
        _, file = seal(tmp_path, [*range(1000, 31_000), *range(1000)], pad=1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.bytes > 30_000_000
    assert file.order is not None
    assert peak < 8_000_000
