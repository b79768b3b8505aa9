"""Two nodes that write one file, each a process; one is stopped in the middle (REDIS-7)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collab.errors import Changed, Fenced, Unavailable
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.fences import Fences
from collab.storage.local import LocalFiles
from collab.storage.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
LIMIT = 2**20

WRITES = """
import asyncio, signal, sys, threading
from pathlib import Path
from collab.errors import CollabError
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.fences import Fences
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.names import Names

folder, fence, stops, act = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]

def stop():
    # To this thread: one that is sent to the process may be taken by another, and this one goes on for a while.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

def step(word):
    if word == stops:
        stop()

async def main():
    database = Database(folder / "state.sqlite", STATE)
    files = LocalFiles(folder / "root", Names(database), fences=Fences(folder / "fences", lambda _: fence), step=step)
    stat = await files.stat("a.md")
    if stops == "before":
        stop()
    try:
        if act == "write":
            await files.write(stat.id, b"of the old one", if_match=stat.etag)
        elif act == "move":
            await files.move(stat.id, "b.md", if_match=stat.etag)
        elif act == "delete":
            await files.delete(stat.id, if_match=stat.etag)
        else:
            await LocalBin(files).discard(stat.id, if_match=stat.etag, by="ann", now=0.0)
        print("written", flush=True)
    except CollabError as error:
        print(error.reason, flush=True)
    await files.close()

asyncio.run(main())
"""


class Folder:
    """A root with one file, as two nodes see it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "root").mkdir()
        self.file = path / "root" / "a.md"
        self.file.write_bytes(b"start")
        self.database = Database(path / "state.sqlite", STATE)
        self.fence: int | None = 6
        self.fences = Fences(path / "fences", lambda _: self.fence, patience=0.2)
        self.files = LocalFiles(path / "root", Names(self.database), fences=self.fences)
        self.others: list[subprocess.Popen[str]] = []

    async def write(self, body: bytes) -> None:
        stat = await self.files.stat("a.md")
        await self.files.write(stat.id, body, if_match=stat.etag)

    def other(self, fence: int, stops: str, act: str = "write") -> subprocess.Popen[str]:
        """A node in a process of its own, until it has stopped itself."""
        arguments = [sys.executable, "-c", WRITES, str(self.path), str(fence), stops, act]
        # A session of its own: who ends in a group whose parents are gone wakes what is stopped in it.
        process = subprocess.Popen(arguments, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.others.append(process)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        return process

    def end(self) -> None:
        """Nobody is left over, also when a test failed: else the collector of garbage finds them during another one."""
        for process in self.others:
            with process:
                process.kill()

    @staticmethod
    def go_on(process: subprocess.Popen[str]) -> str:
        """What it says when it goes on."""
        process.send_signal(signal.SIGCONT)
        return process.communicate(timeout=60)[0].strip()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    with closing(made.database):
        yield made
        made.end()
        asyncio.run(made.files.close())


def test_a_node_that_was_stopped_before_it_writes_does_not_write_over_the_one_that_took_over(folder: Folder) -> None:
    """REDIS-7."""
    process = folder.other(5, "before")
    asyncio.run(folder.write(b"of the new one"))
    assert folder.go_on(process) == "moved"
    assert folder.file.read_bytes() == b"of the new one"


def test_a_node_that_was_stopped_before_it_writes_does_not_write_once_another_one_has_taken_the_document(folder: Folder) -> None:
    """REDIS-7: the other one has looked at the file, and would take what is written now for a program's."""
    process = folder.other(5, "before")
    folder.fences.take(asyncio.run(folder.files.stat("a.md")).id, 6)
    assert folder.go_on(process) == "moved"
    assert folder.file.read_bytes() == b"start"


@pytest.mark.parametrize("act", ["move", "delete", "discard"])
def test_a_node_that_was_stopped_before_it_moves_or_deletes_does_not_once_another_one_has_taken_the_document(
    folder: Folder, act: str
) -> None:
    """REDIS-7."""
    process = folder.other(5, "before", act)
    folder.fences.take(asyncio.run(folder.files.stat("a.md")).id, 6)
    assert folder.go_on(process) == "moved"
    assert folder.file.read_bytes() == b"start"


def test_what_is_open_nowhere_is_moved_and_deleted_by_any_node(folder: Folder) -> None:
    async def moved_and_deleted() -> None:
        stat = await folder.files.stat("a.md")
        folder.fence = None
        await folder.files.move(stat.id, "b.md", if_match=stat.etag)
        await folder.files.delete("b.md", if_match=stat.etag)

    asyncio.run(moved_and_deleted())
    assert not folder.file.exists()


def test_who_takes_a_document_waits_for_who_is_writing_it(folder: Folder) -> None:
    """REDIS-7."""
    process = folder.other(5, "checked")
    document = asyncio.run(folder.files.stat("a.md")).id
    with pytest.raises(Unavailable, match="another server"):
        folder.fences.take(document, 6)
    assert folder.go_on(process) == "written"
    folder.fences.take(document, 6)
    with pytest.raises(Fenced):
        folder.fences.take(document, 5)
    assert folder.file.read_bytes() == b"of the old one"


def test_a_node_that_was_stopped_between_look_and_write_holds_up_the_other_one_and_is_noticed_by_it(folder: Folder) -> None:
    """REDIS-7."""
    process = folder.other(5, "checked")
    with pytest.raises(Unavailable, match="another server"):
        asyncio.run(folder.write(b"of the new one"))
    assert folder.file.read_bytes() == b"start"
    assert folder.go_on(process) == "written"
    stale = "0" * 64
    with pytest.raises(Changed):
        asyncio.run(folder.files.write("a.md", b"of the new one", if_match=stale))
    asyncio.run(folder.write(b"of the new one"))
    assert folder.file.read_bytes() == b"of the new one"


def test_a_node_that_is_killed_between_look_and_write_holds_up_nobody(folder: Folder) -> None:
    process = folder.other(5, "checked")
    process.kill()
    process.communicate(timeout=60)
    asyncio.run(folder.write(b"of the new one"))
    assert folder.file.read_bytes() == b"of the new one"


def test_the_greatest_number_that_wrote_stands_and_who_has_none_writes_nothing(folder: Folder) -> None:
    """REDIS-7."""
    told: list[Any] = []
    for fence in (6, 7, 7, 6, None, 10**15):
        folder.fence = fence
        try:
            asyncio.run(folder.write(b"%d" % (fence or 0)))
        except Fenced:
            told.append(fence)
    assert told == [6, None]
    assert folder.fences.standing(asyncio.run(folder.files.stat("a.md")).id) == 10**15
    assert folder.file.read_bytes() == b"%d" % 10**15
