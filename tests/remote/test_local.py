"""The local file: no write of anybody else is lost, and nobody sees half of ours (PEER-2)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from collab.remote.local import BEGUN, REST, LocalFile
from collab.storage import kernel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Time:
    """Time that passes when somebody waits, and what happens then."""

    def __init__(self, *acts: tuple[float, Callable[[], object]]) -> None:
        self.now = 0.0
        self.acts = list(acts)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.acts and self.acts[0][0] <= self.now:
            self.acts.pop(0)[1]()


def local(path: Path, time: Time) -> LocalFile:
    return LocalFile(path, sleep=time.sleep, clock=time)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_did_not_change_is_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"known")
    time = Time()
    assert local(tmp_path / "a.md", time).rested(b"known") == b"known"
    assert time.now == 0.0


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"kno")  # the beginning of what was there
    time = Time((1.0, lambda: path.write_bytes(b"")), (3.0, lambda: path.write_bytes(b"known and more")))
    assert local(path, time).rested(b"known") == b"known and more"
    assert 3.0 + REST <= time.now < 3.5
    path.write_bytes(b"")
    time = Time()
    assert local(path, time).rested(b"known") == b""
    assert BEGUN <= time.now < BEGUN + 1


def test_an_editor_that_takes_the_file_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    time = Time((1.0, lambda: path.write_bytes(b"new")))
    assert local(path, time).rested(b"known") == b"new"


def test_a_file_is_replaced_whole_with_its_mode_and_through_links(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    (tmp_path / "link.md").symlink_to(path)
    displaced = LocalFile(tmp_path / "link.md").replace(b"new", b"old")
    assert displaced is not None
    assert (path.read_bytes(), path.stat().st_mode & 0o777, displaced.body) == (b"new", 0o640, b"old")
    assert (tmp_path / "link.md").is_symlink()
    assert displaced.late() is None
    displaced.drop()
    assert names(tmp_path) == ["a.md", "link.md"]


def test_what_is_not_expected_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"other")
    assert LocalFile(tmp_path / "a.md").replace(b"new", b"old") is None
    assert LocalFile(tmp_path / "none.md").replace(b"new", b"old") is None
    assert names(tmp_path) == ["a.md"]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_write_between_the_look_and_the_exchange_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    real, calls = kernel.exchange, [0]

    def late(folder: int, one: bytes, other: bytes) -> None:
        calls[0] += 1
        if calls[0] == 1:
            path.write_bytes(b"theirs")
        if not exchange:
            raise OSError(errno.ENOSYS, "no")
        real(folder, one, other)

    monkeypatch.setattr(kernel, "exchange", late)
    assert LocalFile(path).replace(b"new", b"old") is None
    bodies = {file.read_bytes() for file in tmp_path.iterdir()}
    assert b"theirs" in bodies
    assert path.read_bytes() == (b"theirs" if exchange else b"new")
    assert len(names(tmp_path)) == (1 if exchange else 2)


def test_what_is_written_late_into_the_replaced_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    with path.open("ab") as writer:
        displaced = LocalFile(path).replace(b"new", b"old")
        assert displaced is not None
        writer.write(b" and late")
        writer.flush()
        for _ in range(2):
            assert displaced.late() == b"old and late"
        displaced.body = b"old and late"
        assert displaced.late() is None


def test_a_file_is_made_only_where_there_is_none_and_copies_beside_have_names_of_their_own(tmp_path: Path) -> None:
    file = LocalFile(tmp_path / "a.md")
    assert file.create(b"one")
    assert not file.create(b"two")
    first, second, again = (file.keep_beside(body, 1_800_000_000.0) for body in (b"x", b"y", b"x"))
    assert (first.name, second.name, again) == ("a (conflict 2027-01-15 08.00).md", "a (conflict 2027-01-15 08.00 2).md", first)
    assert (tmp_path / "a.md").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_a_crash_left_is_found_and_what_was_not_whole_goes(tmp_path: Path) -> None:
    for name in (".a.md.collab-1-1", ".a.md.collab-1-2.new", ".b.md.collab-1-1"):
        (tmp_path / name).write_bytes(b"x")
    assert [left.path.name for left in LocalFile(tmp_path / "a.md").leftovers()] == [".a.md.collab-1-1"]
    assert names(tmp_path) == [".a.md.collab-1-1", ".b.md.collab-1-1"]
