"""What stands in the spool: round trips, damage, leftovers, permissions, names."""

import errno
import hashlib
import os

import pytest
from reading import ids

from connector import failpoints
from connector.errors import ConfigError, ConnectorError, FatalError
from connector.spool import SealedFile, Spool, SpoolDamaged, SpoolFull, SpoolMissing, SpoolUnavailable

LINES = [b'{"objectId":"a","x":1}\n', b'{"x":{"objectId":"no"},"objectId":"\xc3\xa9"}\n', b'{"objectId":"c"}\n']


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", max_bytes=1000)


def sealed(spool, name="batch-1", lines=LINES) -> SealedFile:
    with spool.begin(name) as writer:
        for second, line in enumerate(lines):
            writer.add(line, second)
        return writer.seal()


def files(spool) -> list[str]:
    return sorted(os.listdir(spool.path("x").parent))


def test_round_trip(spool):
    file = sealed(spool)
    data = b"".join(LINES)
    assert file == SealedFile("batch-1", 3, len(data), hashlib.sha256(data).hexdigest())
    assert [file.line_number(index) for index in range(3)] == [1, 2, 3]
    spool.verify(file)
    with spool.open(file) as stream:
        assert stream.read() == data
    assert spool.path("batch-1").read_bytes() == data
    assert files(spool) == ["batch-1.jsonl"]


def test_the_sealed_record_serves_as_well_when_it_comes_back_from_the_ledger(spool):
    file = sealed(spool)
    again = SealedFile(file.name, file.lines, file.bytes, file.sha256)
    spool.verify(again)
    assert ids(spool, again) == [(1, "a"), (2, "é"), (3, "c")]


def test_only_the_owner_may_read(tmp_path):
    previous = os.umask(0)
    try:
        spool = Spool(tmp_path / "spool", 1000)
        with spool.begin("b") as writer:
            writer.add(LINES[0], 2)
            writer.add(LINES[1], 1)
            assert os.stat(tmp_path / "spool" / "b.jsonl.part").st_mode & 0o777 == 0o600
            file = writer.seal()
    finally:
        os.umask(previous)
    assert os.stat(tmp_path / "spool").st_mode & 0o777 == 0o700
    assert os.stat(spool.path(file.name)).st_mode & 0o777 == 0o600


def test_a_directory_open_to_others_is_closed(tmp_path):
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool").chmod(0o755)
    Spool(tmp_path / "spool", 1000)
    assert os.stat(tmp_path / "spool").st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "spool"):
        with pytest.raises(ConfigError, match="SPOOL_DIR"):
            Spool(path, 1000)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: b"",
        lambda data: data.replace(b'"x":1', b'"x":2'),
    ],
)
def test_damage_is_found(spool, damage):
    file = sealed(spool)
    path = spool.path(file.name)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SpoolDamaged, match="batch-1"):
        spool.verify(file)


def test_a_wrong_length_is_found_when_opening(spool):
    file = sealed(spool)
    with spool.path(file.name).open("ab") as stream:
        stream.write(b"{}\n")
    with pytest.raises(SpoolDamaged):
        spool.open(file)


def test_a_missing_file_is_told_from_a_damaged_one(spool):
    file = sealed(spool)
    spool.remove(file.name)
    for use in (spool.verify, spool.open):
        with pytest.raises(SpoolMissing, match="batch-1"):
            use(file)


def test_abandoned_files_are_gone(spool):
    with spool.begin("a") as writer:
        writer.add(LINES[0], 1)
    with pytest.raises(ValueError, match="newline"), spool.begin("b") as writer:
        writer.add(b"no newline", 1)
    writer = spool.begin("c")
    writer.abandon()
    writer.abandon()
    assert files(spool) == []


def test_abandoning_after_the_seal_keeps_the_file(spool):
    with spool.begin("a") as writer:
        writer.add(LINES[0], 1)
        file = writer.seal()
        writer.abandon()
    spool.verify(file)


def test_an_empty_file_or_a_broken_line_is_a_mistake_of_the_caller(spool):
    with spool.begin("a") as writer:
        for line in (b"", b"{}", b"{}\n{}\n", b"\n\n"):
            with pytest.raises(ValueError, match="newline"):
                writer.add(line, 1)
        with pytest.raises(ValueError, match="at least one"):
            writer.seal()


def test_a_name_is_used_once(spool):
    file = sealed(spool, "a")
    with pytest.raises(FatalError, match="a is there already"):
        spool.begin("a")
    spool.verify(file)
    with spool.begin("b"), pytest.raises(FatalError, match="b is there already"):
        spool.begin("b")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a.part", "a\x00", "-a", "é", "a" * 201])
def test_names_that_are_not_plain_are_refused(spool, name):
    file = SealedFile(name, 1, 1, "")
    for use in (
        lambda: spool.begin(name), lambda: spool.remove(name), lambda: spool.open(file), lambda: spool.verify(file),
        lambda: spool.path(name), lambda: ids(spool, file),
    ):  # fmt: skip
        with pytest.raises(FatalError, match="cannot name a spool file"):
            use()


def test_leftovers_of_a_crash_are_found_and_removed_and_other_files_left_alone(spool):
    file = sealed(spool, "kept")
    sealed(spool, "unbooked")
    directory = spool.path("x").parent
    for name in ("crashed.jsonl.part", "sorting.jsonl.part", "sorting.jsonl.sorted.part"):
        (directory / name).write_bytes(b"{")
    foreign = ["connector.db", "notes.part", ".gitkeep", "kept.jsonl.bak", "a b.jsonl", ".jsonl"]
    for name in foreign:
        (directory / name).write_bytes(b"x" * 5000)
    found = spool.leftovers()
    assert found.partial == ["crashed", "sorting"]
    assert found.sealed == ["kept", "unbooked"]
    for name in [*found.partial, "unbooked"]:
        spool.remove(name)
        spool.remove(name)
    assert files(spool) == sorted(["kept.jsonl", *foreign])
    spool.verify(file)


def test_room_counts_sealed_and_partial_files_of_the_spool_only(spool):
    directory = spool.path("x").parent
    assert spool.used() == 0
    (directory / "foreign").write_bytes(b"x" * 5000)
    file = sealed(spool, "a")
    (directory / "b.jsonl.part").write_bytes(b"x" * (999 - file.bytes))
    assert spool.used() == 999
    assert spool.room()
    (directory / "c.jsonl").write_bytes(b"x")
    assert not spool.room()
    spool.remove("a")
    assert spool.room()


def test_a_link_put_in_a_files_place_is_not_followed(spool, tmp_path):
    (spool.path("x").parent / "a.jsonl.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolUnavailable):
        spool.begin("a")
    assert not (tmp_path / "elsewhere").exists()


NO_ROOM = [errno.ENOSPC, errno.EDQUOT]


@pytest.mark.parametrize("code", [*NO_ROOM, errno.EIO])
@pytest.mark.parametrize("step", ["write", "fsync", "fsync of the directory", "rename"])
@pytest.mark.parametrize("ascending", [True, False])
def test_a_failing_disk_leaves_nothing_behind(spool, monkeypatch, code, step, ascending):
    calls = 0

    def fail(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        if step != "fsync of the directory" or calls == 2:
            raise OSError(code, os.strerror(code))

    with spool.begin("a") as writer:
        writer.add(LINES[0], 5)
        writer.add(LINES[1], 6 if ascending else 4)
        with monkeypatch.context() as patch:
            patch.setattr(os, step.split()[0], fail)
            with pytest.raises(SpoolUnavailable, match="a cannot be") as caught:
                writer.seal()
    assert isinstance(caught.value, SpoolFull) == (code in NO_ROOM)
    assert calls
    assert files(spool) == []


def test_a_disk_that_fills_up_while_lines_are_added(spool):
    with spool.begin("a") as writer:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writer._file._fd)
        os.close(full)
        writer.add(LINES[0], 1)
        writer.add(b"x" * 2_000_000 + b"\n", 2)  # written while Python goes on
        with pytest.raises(SpoolFull, match="SPOOL_DIR"):
            writer.seal()
        assert files(spool) == []


def test_a_disk_that_takes_only_part_of_a_write_loses_nothing(spool, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    file = sealed(spool)
    spool.verify(file)
    assert spool.path(file.name).read_bytes() == b"".join(LINES)


class CrashError(BaseException):
    """Stands for the end of the process."""


def test_a_crash_before_or_after_sealing_leaves_what_leftovers_finds(spool):
    def crash_at(point):
        def hook(name):
            if name == point:
                seen.append(files(spool))
                raise CrashError

        failpoints.arm(hook)
        try:
            with pytest.raises(CrashError):
                sealed(spool, "a")
        finally:
            failpoints.arm(None)

    seen: list[list[str]] = []
    crash_at("spool.rename.before")
    assert seen == [["a.jsonl.part"]]
    crash_at("spool.sealed")
    assert seen[1] == ["a.jsonl"]
    assert spool.leftovers().sealed == ["a"]


def test_errors_are_the_connectors_own_when_the_directory_vanishes(spool):
    file = sealed(spool)
    spool.remove(file.name)
    spool.path("x").parent.rmdir()
    for use in (spool.used, spool.leftovers, lambda: spool.begin("b"), lambda: spool.verify(file)):
        with pytest.raises(ConnectorError):
            use()
