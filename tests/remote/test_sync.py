"""PEER-1, PEER-2, PEER-3: the steps between a local file and a document of a real server, cut off anywhere."""

from __future__ import annotations

import argparse
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import PATIENCE, Served, shared_server

from collab.errors import Conflict, Forbidden, Malformed, NotFound, Unauthorized, Unavailable
from collab.remote import commands
from collab.remote.address import Address
from collab.remote.local import LocalFile
from collab.remote.memory import Memory
from collab.remote.server import Body, Remote
from collab.remote.sync import Sync
from collab.remote.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collab.remote.local import Displaced

__all__ = ["shared_server"]


class Cut(Exception):
    """The process is killed here."""


@dataclass
class Desk:
    """A person's folder, with one file, and what is remembered of it."""

    server: Served
    folder: Path
    name: str
    token: str
    lines: list[str] = field(default_factory=list)
    now: float = 1_800_000_000.0
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.begin()

    @property
    def file(self) -> Path:
        return self.folder / "local.md"

    def begin(self) -> None:
        """As a new process does."""
        remote = Remote(Address(self.server.url, self.name), lambda: self.token)
        local = LocalFile(self.file, sleep=lambda _: None)
        self.sync = Sync(local, remote, Memory.open(self.folder / "memory"), self.lines.append, lambda: self.now)

    def again(self) -> None:
        """The process was killed, and there is another one."""
        self.sync.memory.close()
        self.begin()
        self.sync.meet()

    def pull(self) -> bool:
        self.sync.begin(self.sync.remote.find())
        self.sync.meet()
        body = self.sync.remote.read()
        assert body is not None
        return self.sync.pull(body)

    def write(self, text: str) -> None:
        self.file.write_text(text, "utf-8")

    @property
    def text(self) -> str:
        return self.file.read_text("utf-8")


@pytest.fixture
def desk(shared_server: Served, tmp_path: Path) -> Iterator[Desk]:
    name = f"peers/{tmp_path.name} ü.md"
    shared_server.write(name, "one\ntwo\nthree\n")
    desk = Desk(shared_server, tmp_path / "ann", name, shared_server.token("Ann"))
    yield desk
    desk.sync.memory.close()


def others(desk: Desk, old: str, new: str) -> str:
    """Somebody else changes the document; what it is then."""
    with httpx.Client(headers={"Authorization": f"Bearer {desk.server.token('Bob')}"}, timeout=60) as bob:
        url = Address(desk.server.url, desk.name).url + "/content"
        read = bob.get(url)
        body = read.content.decode().replace(old, new)
        assert bob.put(url, content=body.encode(), headers={"If-Match": read.headers["etag"]}).status_code == 200
    return body


def document(desk: Desk) -> str:
    body = desk.sync.remote.read()
    assert body is not None
    return body.content.decode()


def test_both_sides_are_merged_from_what_was_pulled_also_after_days(desk: Desk) -> None:
    """PEER-1."""
    assert desk.pull()
    others(desk, "one", "ONE")
    desk.now += 5 * 86400
    desk.again()
    desk.write("one\ntwo\nTHREE\n")
    assert not desk.pull()
    assert desk.text == "one\ntwo\nTHREE\n"
    desk.sync.push()
    assert desk.text == document(desk) == "ONE\ntwo\nTHREE\n"
    assert desk.lines == [f"pulled {desk.name} (14 bytes)", *desk.lines[1:]]
    assert [line.partition(" ")[0] for line in desk.lines] == ["pulled", "pushed", "pulled"]
    assert desk.sync.push() == desk.sync.memory.held


def test_an_editor_that_saves_what_it_read_before_the_last_changes_takes_nobodys_words(desk: Desk) -> None:
    """PEER-1."""
    desk.pull()
    for old, new in (("one", "one of Bob's"), ("two", "two of Bob's")):
        others(desk, old, new)
        assert desk.pull()
    desk.write("one\ntwo\nthree of Ann's\n")  # read before any of that
    desk.sync.push()
    assert desk.text == document(desk) == "one of Bob's\ntwo of Bob's\nthree of Ann's\n"
    desk.write("one\ntwo\nthree\n")  # the same editor, undone: late, since we changed the file a moment ago
    desk.sync.push()
    assert desk.text == document(desk) == "one of Bob's\ntwo of Bob's\nthree of Ann's\n"
    desk.now += 60
    desk.write("one\ntwo\nthree\n")  # put back on purpose
    desk.sync.push()
    assert desk.text == document(desk) == "one\ntwo\nthree\n"


@pytest.mark.parametrize("step", ["write", "learn", "hold", "read", "replace", "learn 2", "hold 2"])
def test_a_push_that_is_cut_off_anywhere_is_ended_by_the_next_one(desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PEER-2: killed right behind each step; then others write on, before it comes again."""
    desk.pull()
    others(desk, "one", "ONE")
    desk.write("one\ntwo\nthree of Ann's\n")
    word, _, times = step.partition(" ")
    owner = {"write": desk.sync.remote, "read": desk.sync.remote, "replace": desk.sync.local}.get(word, desk.sync.memory)
    real, calls = getattr(type(owner), word), [0]

    def cut(*given: object, **more: object) -> object:
        done = real(*given, **more)
        calls[0] += 1
        if calls[0] == int(times or 1):
            raise Cut
        return done

    monkeypatch.setattr(type(owner), word, cut)
    with pytest.raises(Cut):
        desk.sync.push()
    monkeypatch.setattr(type(owner), word, real)

    others(desk, "two", "two, and more of Bob's")
    desk.again()
    desk.sync.push()
    body = desk.sync.remote.read()
    assert body is not None
    desk.sync.pull(body)
    assert desk.text == document(desk) == "ONE\ntwo, and more of Bob's\nthree of Ann's\n"
    assert sorted(path.name for path in desk.folder.iterdir()) == ["local.md", "memory"]


def test_what_a_program_writes_while_the_file_is_replaced_is_merged(desk: Desk) -> None:
    """PEER-2."""
    desk.pull()
    others(desk, "one", "ONE")
    kept: list[Displaced] = []
    desk.sync.displaced = kept.append
    with desk.file.open("ab") as late:
        assert desk.pull()
        late.write(b"late\n")
    written = kept[0].late()
    assert written == b"one\ntwo\nthree\nlate\n"
    desk.sync.late(written)
    assert desk.pull()
    assert desk.text == document(desk) == "ONE\ntwo\nthree\nlate\n"


def test_what_the_server_does_not_know_any_more_becomes_a_copy_beside(desk: Desk) -> None:
    """PEER-2."""
    desk.pull()
    theirs = others(desk, "one", "ONE")
    mine = "one\ntwo\nthree of Ann's\n"
    desk.sync.memory.bodies = []
    desk.sync.memory.hold(desk.sync.memory.learn(b"never there\n", desk.now))
    desk.write(mine)
    desk.sync.push()
    assert desk.text == document(desk) == theirs
    (copy,) = desk.folder.glob("local (conflict *).md")
    assert copy.read_text() == mine
    assert desk.lines[-2].startswith("conflict: What you had read is not known any more")


def test_a_file_that_is_no_copy_of_the_document_is_left_alone(desk: Desk) -> None:
    """PEER-2."""
    desk.write("something else\n")
    assert not desk.pull()
    assert (desk.text, desk.sync.memory.held) == ("something else\n", "")
    desk.write("one\ntwo\nthree\n")
    assert desk.pull()
    desk.server.write("peers/other.md", "x")
    desk.sync.remote.address = Address(desk.server.url, "peers/other.md")
    with pytest.raises(Conflict, match="another document"):
        desk.pull()


def test_a_new_document_is_made_and_a_deleted_file_deletes_nothing(desk: Desk) -> None:
    desk.sync.remote.address = Address(desk.server.url, f"peers/new {desk.folder.parent.name}.md")
    with pytest.raises(NotFound):
        desk.sync.create()
    desk.write("new 😀\n")
    assert desk.sync.create()
    assert not desk.sync.create()
    assert document(desk) == "new 😀\n"
    desk.file.unlink()
    assert desk.sync.push() is None
    assert document(desk) == "new 😀\n"
    assert desk.pull()
    assert desk.text == "new 😀\n"


def test_refusals_are_told_in_words_and_change_nothing_here(desk: Desk) -> None:
    """PEER-3, PEER-4."""
    desk.pull()
    desk.write("changed\n")
    for token, error in (
        (desk.server.token("Ann", seconds=-1), Unauthorized),
        ("x", Unauthorized),
        (desk.server.token("Vera", role="viewer"), Forbidden),
    ):
        desk.token = token
        with pytest.raises(error):
            desk.sync.push()
    desk.sync.remote.address = Address("http://127.0.0.1:9", "x")
    with pytest.raises(Unavailable, match="cannot be reached: Connection refused"):
        desk.sync.push()
    assert desk.text == "changed\n"


def test_one_process_at_a_time_is_at_work_on_a_file(desk: Desk) -> None:
    with pytest.raises(Conflict, match="at work on this file"):
        Memory.open(desk.folder / "memory")


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("killed", [True, False])
def test_a_push_without_an_answer_is_not_doubled_by_what_is_written_next(
    desk: Desk, *, arrives: bool, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEER-2: the server may have it, and nobody here knows that."""
    desk.pull()
    others(desk, "one", "ONE")
    real = Remote.write

    def lost(remote: Remote, content: bytes, base: str) -> str:
        if arrives:
            real(remote, content, base)
        raise Unavailable("the server cannot be reached: timed out")

    def moved(*_: object) -> str:
        raise Malformed("the server says that it is at another address")

    monkeypatch.setattr(Remote, "write", lost)
    desk.write("one\ntwo\nthree of Ann's\n")
    with pytest.raises(Unavailable):
        desk.sync.push()
    monkeypatch.setattr(Remote, "write", moved)
    with pytest.raises(Malformed):
        desk.sync.push()
    monkeypatch.setattr(Remote, "write", real)
    others(desk, "two", "two of Bob's")
    if killed:
        desk.again()
    desk.write("one\ntwo\nthree of Ann's\nfour of Ann's\n")
    desk.sync.push()
    assert desk.text == document(desk) == "ONE\ntwo of Bob's\nthree of Ann's\nfour of Ann's\n"


def test_what_the_server_told_before_a_push_does_not_take_its_words_out_of_the_file_again(desk: Desk) -> None:
    """PEER-2: others and somebody here write at the same time, and what others wrote is told first."""
    desk.pull()
    watching = Watching(desk.sync, renewable=True)
    listener = threading.Thread(target=watching._listen_there, daemon=True)
    listener.start()
    try:
        others(desk, "one", "ONE")
        told = watching.news.get(timeout=PATIENCE)
        assert isinstance(told, Body)
        desk.write("one\ntwo\nthree of Ann's\n")
        watching._step(told)
        assert desk.text == document(desk) == "ONE\ntwo\nthree of Ann's\n"
    finally:
        watching._stopped.set()
        watching._asked.release()
        listener.join(PATIENCE)


def test_what_is_written_late_while_the_server_is_away_is_merged_when_it_is_back(desk: Desk) -> None:
    """PEER-1, PEER-3."""
    desk.pull()
    watching = Watching(desk.sync, renewable=True)
    desk.sync.displaced = watching._displaced
    here = desk.sync.remote.address
    others(desk, "one", "ONE")
    with desk.file.open("ab") as late:
        assert desk.pull()
        late.write(b"late\n")
    desk.sync.remote.address = Address("http://127.0.0.1:9", here.name)
    with pytest.raises(Unavailable):
        watching._look_late(last=True)
    desk.sync.remote.address = here
    watching._look_late(last=True)
    assert document(desk) == "ONE\ntwo\nthree\nlate\n"
    assert sorted(path.name for path in desk.folder.iterdir()) == ["local.md", "memory"]


def test_what_is_written_late_and_not_taken_is_kept_beside(desk: Desk) -> None:
    """PEER-2."""
    desk.pull()
    watching = Watching(desk.sync, renewable=True)
    desk.sync.displaced = watching._displaced
    others(desk, "one", "ONE")
    with desk.file.open("ab") as late:
        assert desk.pull()
        late.write(b"\0 no text\n")
    watching._look_late(last=True)
    (copy,) = desk.folder.glob("local (conflict *).md")
    assert copy.read_bytes() == b"one\ntwo\nthree\n\0 no text\n"


@pytest.mark.parametrize("killed", [True, False])
def test_a_new_document_whose_answer_was_lost_is_gone_on_with(desk: Desk, *, killed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """PEER-2, PEER-3."""
    desk.name = f"peers/new {desk.folder.parent.name}.md"
    desk.sync.remote.address = Address(desk.server.url, desk.name)
    real = Remote.create

    def lost(remote: Remote, content: bytes) -> None:
        real(remote, content)
        raise Unavailable("the server cannot be reached: timed out")

    monkeypatch.setattr(Remote, "create", lost)
    desk.write("one\n")
    with pytest.raises(Unavailable):
        commands._push(desk.sync, argparse.Namespace())
    monkeypatch.setattr(Remote, "create", real)
    desk.write("one\ntwo\n")
    if killed:
        desk.sync.memory.close()
        desk.begin()
    commands._push(desk.sync, argparse.Namespace())
    assert desk.text == document(desk) == "one\ntwo\n"
