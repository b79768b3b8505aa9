"""PEER-1, PEER-2, PEER-3: the steps between a local file and a document of a real server, cut off anywhere."""

from __future__ import annotations

import argparse
import http.client
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import PATIENCE, Served, shared_server

from collab.errors import CollabError, Conflict, Forbidden, Malformed, NotFound, Unauthorized, Unavailable
from collab.remote import commands
from collab.remote.address import Address
from collab.remote.local import LocalFile
from collab.remote.memory import Memory
from collab.remote.server import Body, Remote
from collab.remote.sync import Sync
from collab.remote.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


LOST = 0
"""What is put arrives, and the connection breaks off before the answer."""
CUT = -1
"""The connection breaks off before it arrives."""


class Between(ThreadingHTTPServer):
    """A connection to the real server: what becomes of each body that is put is said by `fate`, a status, LOST or CUT; None: nothing happens."""

    daemon_threads = True

    def __init__(self, server: Served) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.server = server
        self.fate: Callable[[bytes], int | None] = lambda _: None
        self.put: list[bytes] = []
        """What arrived."""

    def fates(self, *each: int | None) -> None:
        """Of what is put next, in turn; then nothing happens any more."""
        left = list(each)
        self.fate = lambda _: left.pop(0) if left else None


class Passing(BaseHTTPRequestHandler):
    server: Between

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fate = self.server.fate(body) if self.command == "PUT" else None
        if fate == CUT:
            return
        if fate:
            self._answer(fate, {}, b"{}")
            return
        there = http.client.HTTPConnection("127.0.0.1", self.server.server.port, timeout=PATIENCE)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        told = answer.read()
        there.close()
        if self.command == "PUT":
            self.server.put.append(body)
        if fate is None:
            self._answer(answer.status, {"ETag": answer.headers.get("ETag", "")}, told)

    def do_PUT(self) -> None:
        self.do_GET()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def over(desk: Desk) -> Iterator[Between]:
    """From now on the desk's connection is this one."""
    between = Between(desk.server)
    thread = threading.Thread(target=between.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        desk.sync.remote.address = Address(f"http://127.0.0.1:{between.server_port}", desk.name)
        yield between
    finally:
        between.shutdown()
        thread.join()
        between.server_close()


def later(desk: Desk) -> None:
    """Another process, over the same connection."""
    address = desk.sync.remote.address
    desk.again()
    desk.sync.remote.address = address


def test_what_is_reworded_while_the_server_is_away_is_there_once(desk: Desk) -> None:
    """PEER-2: what nobody was there to take is not said again."""
    desk.pull()
    here = desk.sync.remote.address
    desk.sync.remote.address = Address("http://127.0.0.1:9", here.name)
    desk.write("one\ntwo\nthree\nA sentence that is said in many words.\n")
    with pytest.raises(Unavailable):
        desk.sync.push()
    desk.write("one\ntwo\nthree\nIn few.\n")
    with over(desk) as between:
        desk.sync.push()
        assert desk.text == document(desk) == "one\ntwo\nthree\nIn few.\n"
    assert between.put == [b"one\ntwo\nthree\nIn few.\n"]


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("fates", [(LOST,), (CUT,), (LOST, CUT), (CUT, None, 423), (LOST, None, CUT)])
def test_what_is_reworded_after_an_answer_was_lost_is_there_once(desk: Desk, fates: tuple[int | None, ...], *, killed: bool) -> None:
    """PEER-2: also when the new words are refused at first, when those before were said again."""
    desk.pull()
    others(desk, "one", "ONE")
    with over(desk) as between:
        between.fates(*fates)
        desk.write("one\ntwo\nthree\nA sentence that is said in many words.\n")
        with pytest.raises(Unavailable):
            desk.sync.push()
        desk.write("one\ntwo\nthree\nIn few.\n")
        for _ in fates[1:]:
            if killed:
                later(desk)
            try:
                desk.sync.push()
                break
            except CollabError:
                desk.now += 60
        if killed:
            later(desk)
        desk.sync.push()
        assert desk.text == document(desk) == "ONE\ntwo\nthree\nIn few.\n"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 423, 429])
def test_what_was_refused_and_is_undone_is_never_published(desk: Desk, status: int) -> None:
    """PEER-2, PEER-4."""
    desk.pull()
    with over(desk) as between:
        between.fates(status)
        desk.write("one\ntwo\nthree\nA secret.\n")
        with pytest.raises(CollabError):
            desk.sync.push()
        desk.write("one\ntwo\nthree\n")
        desk.sync.push()
        desk.write("one\ntwo\nthree\nLater.\n")
        desk.sync.push()
        assert desk.text == document(desk) == "one\ntwo\nthree\nLater.\n"
        assert not [body for body in between.put if b"secret" in body]


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("fate", [LOST, CUT])
def test_what_is_undone_after_its_answer_was_lost_is_undone_in_the_document(desk: Desk, fate: int, *, killed: bool) -> None:
    """PEER-2."""
    desk.pull()
    others(desk, "one", "ONE")
    with over(desk) as between:
        between.fates(fate)
        desk.write("one\ntwo\nthree\nfour\n")
        with pytest.raises(Unavailable):
            desk.sync.push()
        desk.write("one\ntwo\nthree\n")
        if killed:
            later(desk)
        desk.sync.push()
        assert desk.text == document(desk) == "ONE\ntwo\nthree\n"


@pytest.mark.parametrize("status", [403, 409, 423, 429, 507])
@pytest.mark.parametrize("fate", [LOST, CUT])
def test_what_is_undone_and_cannot_be_said_again_keeps_nobody_from_what_others_write(desk: Desk, fate: int, status: int) -> None:
    """PEER-1: a right that was taken back, an office suite that has the document, a full disk."""
    desk.pull()
    with over(desk) as between:
        between.fates(fate)
        desk.write("one\ntwo\nthree\nfour\n")
        with pytest.raises(Unavailable):
            desk.sync.push()
        between.fate = lambda _: status
        desk.write("one\ntwo\nthree\n")
        others(desk, "one", "ONE")
        desk.sync.push()
        newest = desk.sync.remote.read()
        assert newest is not None
        assert desk.sync.pull(newest)
        assert desk.text == document(desk) == "ONE\ntwo\nthree\n" + ("four\n" if fate == LOST else "")


def test_what_is_said_again_and_not_taken_holds_up_nothing(desk: Desk) -> None:
    """PEER-2."""
    desk.pull()
    with over(desk) as between:
        first = b"one\ntwo\nthree\nfour\n"
        between.fate = lambda body: CUT if body == first else None
        desk.file.write_bytes(first)
        with pytest.raises(Unavailable):
            desk.sync.push()
        between.fate = lambda body: 409 if body == first else None
        desk.write("one\ntwo\nthree\nfour\nfive\n")
        desk.sync.push()
        assert desk.text == document(desk) == "one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize("fate", [LOST, CUT, None])
def test_what_a_program_writes_late_bit_by_bit_is_there_once(desk: Desk, fate: int | None) -> None:
    """PEER-1, PEER-3: also when the first bit got no answer."""
    desk.pull()
    watching = Watching(desk.sync, renewable=True)
    desk.sync.displaced = watching._displaced
    others(desk, "one", "ONE")
    with over(desk) as between, desk.file.open("ab", buffering=0) as late:
        desk.pull()
        late.write(b"late\n")
        watching._late[0].dues = [0.0, 0.0, 0.0]
        between.fates(fate)
        with suppress(Unavailable):
            watching._look_late()
        late.write(b"and more\n")
        watching._look_late()
        assert document(desk) == "ONE\ntwo\nthree\nlate\nand more\n"


@pytest.mark.parametrize("status", [403, 423, 409, 507])
def test_a_late_change_that_is_not_taken_holds_up_neither_side(desk: Desk, status: int) -> None:
    """PEER-1, PEER-2: it is kept beside, or said again when there may be room for it."""
    desk.pull()
    watching = Watching(desk.sync, renewable=True)
    desk.sync.displaced = watching._displaced
    others(desk, "one", "ONE")
    with over(desk) as between:
        with desk.file.open("ab") as late:
            desk.pull()
            late.write(b"late\n")
        between.fate = lambda body: status if b"late" in body else None
        watching._late[0].dues = [0.0, 0.0]
        desk.write("ONE\ntwo\nthree of Ann's\n")
        watching._step(None)
        assert document(desk) == "ONE\ntwo\nthree of Ann's\n"
        watching._known = desk.sync.memory.held
        others(desk, "two", "two of Bob's")
        watching._step(desk.sync.remote.read())
        assert desk.text == "ONE\ntwo of Bob's\nthree of Ann's\n"
        between.fates()
        watching._look_late(last=True)
        copies = [path.read_bytes() for path in desk.folder.glob("local (conflict *).md")]
        assert copies == ([] if status == 507 else [b"one\ntwo\nthree\nlate\n"])
        words = ["ONE", "two of Bob's", "three of Ann's", *(["late"] if status == 507 else [])]
        assert document(desk).splitlines() == words


@pytest.mark.parametrize("more", [True, False])
def test_what_is_no_text_and_whose_answer_was_lost_is_no_conflict(desk: Desk, *, more: bool) -> None:
    """PEER-2."""
    desk.server.write(desk.name, "\0 one")
    desk.pull()
    with over(desk) as between:
        between.fates(LOST)
        desk.write("\0 two")
        with pytest.raises(Unavailable):
            desk.sync.push()
        if more:
            desk.write("\0 three")
        desk.sync.push()
        assert desk.text == document(desk) == ("\0 three" if more else "\0 two")
        assert desk.sync.memory.held == sha256(desk.file.read_bytes()).hexdigest()
    assert sorted(path.name for path in desk.folder.iterdir()) == ["local.md", "memory"]
