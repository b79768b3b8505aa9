"""The folder of this machine: links, races, crashes, permissions (FILE-1, FILE-2, FILE-6, FILE-7, FILE-9, FILE-10, SAVE-5, SAVE-6, SAVE-8)."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from folders import OutsideLocal
from serving import PATIENCE

from collab.errors import Changed, CollabError, Denied, NotFound, Unavailable
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.exchange import Aside, Exchange
from collab.storage.folder import Folder
from collab.storage.local import HASHED, LocalFiles
from collab.storage.names import Names
from collab.storage.refusals import GONE, STORAGE_ERRORS, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CHECKOUT = Path(__file__).parents[2]
LIMIT = 2**20
STEPS = ["written", "named", "checked", "exchanged", "synced"]


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


def refused(code: int) -> Callable[[int, bytes, bytes], None]:
    """An exchange that this kernel or file system does not have."""

    def exchange(_place: int, _one: bytes, _other: bytes) -> None:
        raise OSError(code, os.strerror(code))

    return exchange


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[OutsideLocal]:
    made = OutsideLocal(tmp_path)
    yield made
    await made.close()


class Interference:
    """Does something once, at a step of a write."""

    def __init__(self) -> None:
        self.word = ""
        self.act: Callable[[], object] = lambda: None

    def __call__(self, word: str) -> None:
        if word == self.word:
            self.word = ""
            self.act()


@pytest.fixture(params=["exchange", "link"])
async def raced(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[OutsideLocal, Interference]]:
    interference = Interference()
    options: dict[str, object] = {"step": interference}
    if request.param == "link":
        options["exchange"] = refused(errno.EINVAL)
    made = OutsideLocal(tmp_path, **options)
    yield made, interference
    await made.close()


# Nothing outside the root


async def test_links_are_not_followed_wherever_they_stand_in_a_name(outside: OutsideLocal, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_bytes(b"secret")
    outside.put("sub/a.md", b"one")
    (outside.root / "file.md").symlink_to(secret)
    (outside.root / "out").symlink_to(tmp_path)
    (outside.root / "in").symlink_to(outside.root / "sub")
    (outside.root / "loop").symlink_to("loop")
    (outside.root / "nowhere").symlink_to("missing")
    for name in ("file.md", "out", "out/secret.md", "out/root/sub/a.md", "in/a.md", "loop", "loop/a", "nowhere"):
        with pytest.raises(NotFound):
            await outside.files.stat(name)
        with pytest.raises(NotFound):
            await outside.files.read(name, limit=LIMIT)
        with pytest.raises(NotFound):
            await outside.files.list(name)
        with pytest.raises(NotFound):
            await outside.files.write(name, b"mine", if_match=etag(b"secret"))
        with pytest.raises(NotFound):
            await outside.files.delete(name, if_match=None)
    for name in ("out/new.md", "in/new.md", "nowhere", "file.md"):
        with pytest.raises(CollabError):
            await outside.files.write(name, b"mine", if_match=None)
        with pytest.raises(CollabError):
            await outside.files.move("sub/a.md", name, if_match=None)
    assert [entry.path for entry in await outside.files.list("")] == ["sub"]
    assert secret.read_bytes() == b"secret"
    assert not (tmp_path / "new.md").exists()


async def test_a_document_that_became_a_link_is_gone(outside: OutsideLocal, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_bytes(b"secret")
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.remove("a.md")
    (outside.root / "a.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(NotFound):
        await outside.files.read(stat.id, limit=LIMIT)


async def test_what_is_no_regular_file_is_neither_listed_nor_opened_and_nothing_hangs(outside: OutsideLocal) -> None:
    os.mkfifo(outside.root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        # By descriptor: the path of a socket is at most 107 bytes long.
        place = os.open(outside.root, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{place}/socket")
        os.close(place)
    for name in ("fifo", "socket"):
        with pytest.raises(NotFound):
            await outside.files.read(name, limit=LIMIT)
        with pytest.raises(NotFound):
            await outside.files.write(name, b"", if_match="x")
    assert await outside.files.list("") == []


async def test_a_name_that_is_not_utf8_is_not_listed(outside: OutsideLocal) -> None:
    for name in (b"caf\xe9.md", b"\xff", b"\xed\xa0\x80"):
        outside.put(os.fsdecode(name), b"x")
    assert await outside.files.list("") == []


async def test_the_root_stays_the_folder_that_was_opened(outside: OutsideLocal, tmp_path: Path) -> None:
    outside.put("a.md", b"one")
    outside.root.rename(tmp_path / "moved")
    outside.root.mkdir()
    assert (await outside.files.read("a.md", limit=LIMIT)).body == b"one"


# A write is an exchange, then a look


async def test_bytes_that_come_between_check_and_exchange_are_in_what_was_displaced(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.md", b"one")
    interference.word, interference.act = "checked", lambda: outside.put("a.md", b"theirs")
    written = await outside.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert written.displaced is not None
    assert written.displaced.body == b"theirs"
    assert outside.body("a.md") == b"ours"
    await written.displaced.discard()
    assert outside.hidden() == []


async def test_bytes_that_come_into_the_displaced_file_are_read_again(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.md", b"one")
    late = outside.writer("a.md")
    interference.word, interference.act = "exchanged", lambda: late(b"one, in place")
    written = await outside.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert written.displaced is not None
    assert written.displaced.body == b"one, in place"
    (outside.root / outside.hidden()[0]).write_bytes(b"later still")
    assert await written.displaced.reread() == b"later still"


async def test_a_file_that_vanishes_before_the_exchange_is_not_made_again(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.md", b"one")
    interference.word, interference.act = "checked", lambda: outside.remove("a.md")
    with pytest.raises(NotFound):
        await outside.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert list(outside.root.iterdir()) == []


async def test_a_folder_that_takes_the_name_before_the_exchange_stays_there(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.md", b"one")

    def replace() -> None:
        outside.remove("a.md")
        (outside.root / "a.md").mkdir()

    interference.word, interference.act = "checked", replace
    with pytest.raises(CollabError):
        await outside.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert (outside.root / "a.md").is_dir()
    assert outside.hidden() == []


async def test_a_link_that_takes_the_name_before_the_exchange_is_not_written_through(outside: OutsideLocal, tmp_path: Path) -> None:
    interference = Interference()
    (tmp_path / "other").mkdir()
    other = OutsideLocal(tmp_path / "other", step=interference)
    secret = tmp_path / "secret.md"
    secret.write_bytes(b"secret")
    other.put("a.md", b"one")

    def replace() -> None:
        other.remove("a.md")
        (other.root / "a.md").symlink_to(secret)

    interference.word, interference.act = "checked", replace
    with pytest.raises(NotFound):
        await other.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert secret.read_bytes() == b"secret"
    assert other.hidden() == outside.hidden() == []
    await other.close()


async def test_a_change_before_the_check_leaves_no_trace_of_ours(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.md", b"one")
    interference.word, interference.act = "named", lambda: outside.put("a.md", b"theirs")
    with pytest.raises(Changed):
        await outside.files.write("a.md", b"ours", if_match=etag(b"one"))
    assert outside.body("a.md") == b"theirs"
    assert outside.hidden() == []


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP])
async def test_where_names_cannot_be_exchanged_the_old_file_is_linked_aside(tmp_path: Path, code: int) -> None:
    outside = OutsideLocal(tmp_path, exchange=refused(code))
    outside.put("a.md", b"one")
    written = await outside.files.write("a.md", b"two", if_match=etag(b"one"))
    assert written.displaced is not None
    assert (written.displaced.body, outside.body("a.md"), len(outside.hidden())) == (b"one", b"two", 1)
    await outside.close()


async def test_any_other_failure_of_the_exchange_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path, exchange=refused(errno.EIO))
    outside.put("a.md", b"one")
    with pytest.raises(Unavailable, match="I/O"):
        await outside.files.write("a.md", b"two", if_match=etag(b"one"))
    assert (outside.body("a.md"), outside.hidden()) == (b"one", [])
    await outside.close()


async def test_the_hidden_name_of_a_long_name_fits(outside: OutsideLocal) -> None:
    name = "é" * 127
    outside.put(name, b"one")
    written = await outside.files.write(name, b"two", if_match=etag(b"one"))
    (hidden,) = outside.hidden()
    assert hidden.startswith(".éé")
    assert len(hidden.encode()) <= 255
    outside.restart()
    assert written.displaced is not None
    assert len((await outside.files.read(name, limit=LIMIT)).leftovers) == 1


async def test_permissions_group_and_attributes_stay(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    file = outside.root / "a.md"
    owner, group = os.getuid() or 12345, os.getgid() or 54321
    os.chown(file, owner, group)
    file.chmod(0o664)
    os.setxattr(file, "user.comment", b"kept")
    await outside.files.write("a.md", b"two", if_match=etag(b"one"))
    info = file.stat()
    assert (info.st_mode & 0o7777, info.st_uid, info.st_gid) == (0o664, owner, group)
    assert os.getxattr(file, "user.comment") == b"kept"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
async def test_a_new_file_has_the_mode_that_the_umask_says(outside: OutsideLocal) -> None:
    await outside.files.write("a.md", b"one", if_match=None)
    assert (outside.root / "a.md").stat().st_mode & 0o777 == 0o640


async def test_a_displaced_body_whose_folder_was_renamed_is_left_where_it_is(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    written = await outside.files.write("sub/a.md", b"two", if_match=etag(b"one"))
    outside.rename("sub", "other")
    assert written.displaced is not None
    assert await written.displaced.reread() is None
    await written.displaced.discard()
    assert [leftover.body for leftover in (await outside.files.read("other/a.md", limit=LIMIT)).leftovers] == [b"one"]


async def test_displaced_bodies_outlive_the_close_of_the_files_and_never_raise(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path)
    outside.put("a.md", b"one")
    written = await outside.files.write("a.md", b"two", if_match=etag(b"one"))
    await outside.files.close()
    assert written.displaced is not None
    assert await written.displaced.reread() is None
    await written.displaced.discard()
    with pytest.raises(Unavailable):
        await outside.files.stat("a.md")
    assert len(outside.hidden()) == 1
    await outside.close()


async def test_a_write_is_done_though_the_state_cannot_note_it(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path)
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    # What a full disk does to it.
    outside.database.run_sync(
        lambda c: c.execute("CREATE TEMP TRIGGER full BEFORE UPDATE ON documents BEGIN SELECT raise(ABORT, 'full'); END")
    )
    written = await outside.files.write(stat.id, b"two", if_match=stat.etag)
    assert (written.stat.id, outside.body("a.md")) == (stat.id, b"two")
    assert (await outside.files.stat("a.md")).id == stat.id
    await outside.close()


# Crashes

CRASH = """
import asyncio, os, signal, sys
from pathlib import Path
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage import kernel
from collab.storage.local import LocalFiles
from collab.storage.names import Names

folder, word, how, if_match = sys.argv[1:]

def refused(*_):
    raise OSError(22, "no")

def step(now):
    if now == word:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    exchange = refused if how == "link" else kernel.exchange
    files = LocalFiles(Path(folder, "root"), Names(Database(Path(folder, "state.sqlite"), STATE)), step=step, exchange=exchange)
    await files.write("a.md", b"the new body", if_match=if_match or None)
    print("done")

asyncio.run(main())
"""


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *args], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("how", ["exchange", "link"])
@pytest.mark.parametrize("word", [*STEPS, "linked"])
async def test_a_crash_between_any_two_steps_leaves_a_whole_file_and_whole_leftovers(outside: OutsideLocal, word: str, how: str) -> None:
    outside.put("a.md", b"the old body")
    stat = await outside.files.stat("a.md")
    crashed = run(CRASH, str(outside.root.parent), word, how, stat.etag)
    assert crashed.stdout == ("done\n" if (word, how) == ("linked", "exchange") else ""), crashed.stderr
    content = await outside.files.read("a.md", limit=LIMIT)
    before = word in {"written", "named", "checked"} or (word, how) == ("linked", "link")
    assert content.body == (b"the old body" if before else b"the new body")
    assert content.stat.id == stat.id
    assert {leftover.body for leftover in content.leftovers} <= {b"the old body", b"the new body"}
    if not before:
        assert b"the old body" in {leftover.body for leftover in content.leftovers}
    for leftover in content.leftovers:
        await leftover.discard()
    written = await outside.files.write(stat.id, b"next", if_match=content.stat.etag)
    assert written.displaced is not None
    assert written.displaced.body == content.body


@pytest.mark.parametrize(("word", "there"), [("written", False), ("named", False), ("created", True)])
async def test_a_crash_while_a_file_is_made_leaves_all_of_it_or_none(outside: OutsideLocal, word: str, *, there: bool) -> None:
    run(CRASH, str(outside.root.parent), word, "exchange", "")
    assert [entry.size for entry in await outside.files.list("")] == ([12] if there else [])


async def test_an_unfinished_hidden_file_is_no_leftover_and_is_removed_when_nobody_writes_it(outside: OutsideLocal) -> None:
    """FILE-7: after a crash nothing stays that holds nobody's words; another process may be writing one just now."""
    outside.put("a.md", b"one")
    mark = (await outside.files.stat("a.md")).id[3:11]
    unfinished = outside.root / f".a.md.collab-{mark}-7.new"
    with unfinished.open("wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert (await outside.files.read("a.md", limit=LIMIT)).leftovers == ()
        assert unfinished.exists()
    await outside.files.read("a.md", limit=LIMIT)
    assert not unfinished.exists()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "a.md").write_bytes(b"one")
    with closing(Folder(tmp_path)) as made:
        yield made


def test_what_another_process_is_writing_is_not_removed(tmp_path: Path, folder: Folder) -> None:
    """FILE-7, NODES-6."""
    other, seen = Exchange(folder), []

    def look(word: str) -> None:
        other.leftovers(b"a.md", "abcdefgh", LIMIT)
        seen.append(word)

    Exchange(folder, step=look).create(b"b.md", "abcdefgh", b"two")
    assert "written" in seen
    assert (tmp_path / "b.md").read_bytes() == b"two"


def test_what_was_removed_in_the_moment_before_it_is_locked_is_begun_again(tmp_path: Path, folder: Folder) -> None:
    swept: list[Path] = []

    def lock(descriptor: int, how: int) -> None:
        if not swept:
            swept.extend(tmp_path.glob(".b.md.*.new"))
            swept[0].unlink()
        fcntl.flock(descriptor, how)

    Exchange(folder, lock=lock).create(b"b.md", "abcdefgh", b"two")
    assert (tmp_path / "b.md").read_bytes() == b"two"


def test_what_is_let_go_while_its_folder_moves_does_not_break_the_move_off(tmp_path: Path, folder: Folder) -> None:
    """Whoever has looked at it lets it go on another thread, whatever happens on this one."""
    exchange, asides = Exchange(folder), list[Aside]()

    class Looked(Aside):
        """Lets the others go in the moment in which it is looked at."""

        def __getattribute__(self, name: str) -> object:
            if name == "path" and len(asides) > 1:
                exchange.leave(asides.pop())
            return super().__getattribute__(name)

    (tmp_path / "sub").mkdir()
    for number in range(3):
        (tmp_path / "sub" / f".a.md.collab-abcdefgh-{number}").write_bytes(b"one")
        aside = Looked(b"sub/.a.md.collab-abcdefgh-%d" % number, b"one")
        exchange._hold(aside)
        asides.append(aside)
    kept = asides[0]
    exchange.move_folder(b"sub", b"other")
    assert kept.path == b"other/.a.md.collab-abcdefgh-0"


def test_where_files_cannot_be_locked_an_unfinished_one_is_removed_when_it_is_old(tmp_path: Path, folder: Folder) -> None:
    """As on some network file systems."""

    def lock(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    exchange = Exchange(folder, lock=lock)
    exchange.create(b"b.md", "abcdefgh", b"two")
    assert (tmp_path / "b.md").read_bytes() == b"two"
    unfinished = tmp_path / ".a.md.collab-abcdefgh-7.new"
    unfinished.write_bytes(b"o")
    exchange.leftovers(b"a.md", "abcdefgh", LIMIT)
    assert unfinished.exists()
    os.utime(unfinished, (1.0, 1.0))
    exchange.leftovers(b"a.md", "abcdefgh", LIMIT)
    assert not unfinished.exists()


async def test_a_leftover_over_the_limit_stays_where_it_is(outside: OutsideLocal) -> None:
    outside.put("a.md", b"a long body")
    await outside.files.write("a.md", b"one", if_match=etag(b"a long body"))
    outside.restart()
    assert (await outside.files.read("a.md", limit=5)).leftovers == ()
    assert len((await outside.files.read("a.md", limit=50)).leftovers) == 1


def test_body_and_names_are_synced_in_their_order(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path)
    outside.put("a.md", b"one")
    calls = tmp_path / "calls"
    options = ["-f", "-y", "-o", str(calls), "-e", "trace=fsync,fdatasync,rename,renameat,renameat2"]
    program = [sys.executable, "-c", CRASH.replace("signal.SIGKILL", "0"), str(tmp_path), "none", "exchange", etag(b"one")]
    subprocess.run(["strace", *options, *program], cwd=CHECKOUT, check=True, timeout=60, capture_output=True)
    seen = []
    for line in calls.read_text().splitlines():
        if "fsync(" in line and ".new>" in line:
            seen.append("body")
        elif "rename" in line and '.new"' in line:
            seen.append("named")
        elif "RENAME_EXCHANGE" in line:
            seen.append("exchanged")
        elif "fsync(" in line and line.rstrip().split("<")[-1].startswith(f"{outside.root}>"):
            seen.append("folder")
    assert seen == ["body", "named", "exchanged", "folder"]


# Disks that refuse

LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from collab.errors import Unavailable
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.names import Names

async def main():
    files = LocalFiles(Path(sys.argv[1], "root"), Names(Database(Path(sys.argv[1], "state.sqlite"), STATE)))
    stat = await files.stat("a.md")
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for name, if_match in (("a.md", stat.etag), ("new.md", None)):
        try:
            await files.write(name, b"x" * 300_000, if_match=if_match)
        except Unavailable as error:
            print(error.detail)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await files.write("a.md", b"x" * 300_000, if_match=stat.etag)
    print("done")

asyncio.run(main())
"""


async def test_a_limit_of_file_size_is_told_in_words_and_leaves_the_file_as_it_was(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    limited = run(LIMITED, str(outside.root.parent))
    assert limited.stdout.splitlines() == [
        "the file is larger than the system lets the server write: a.md",
        "the file is larger than the system lets the server write: new.md",
        "done",
    ], limited.stderr
    assert outside.body("a.md") == b"x" * 300_000
    assert len(outside.hidden()) == 1
    assert [entry.path for entry in await outside.files.list("")] == ["a.md"]


async def test_a_file_in_a_read_only_folder_is_read_only(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    (outside.root / "sub").chmod(0o555)
    assert not (await outside.files.stat("sub/a.md")).writable
    assert [entry.writable for entry in await outside.files.list("sub")] == [False]
    for name, if_match in (("sub/a.md", etag(b"one")), ("sub/new.md", None)):
        with pytest.raises(Denied):
            await outside.files.write(name, b"two", if_match=if_match)
    with pytest.raises(Denied):
        await outside.files.move("sub/a.md", "a.md", if_match=None)
    assert outside.hidden() == []


STRANGER = """
import asyncio, os, sys
from pathlib import Path
from collab.errors import CollabError
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.names import Names

async def tried(act):
    try:
        return await act
    except CollabError as error:
        return type(error).__name__

async def main():
    files = LocalFiles(Path(sys.argv[1], "root"), Names(Database(None, STATE)))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    print([(entry.path, entry.writable) for entry in await files.list("")])
    one = await files.stat("theirs.md")
    print(await tried(files.write("theirs.md", b"two", if_match=one.etag)))
    print(await tried(files.read("secret.md", limit=99)), await tried(files.stat("secret.md")))
    print(await tried(files.stat("locked/a.md")), await tried(files.list("locked")))
    print(await tried(files.write("locked/new.md", b"", if_match=None)))
    mine = await files.write("mine.md", b"one", if_match=None)
    print((await files.write("mine.md", b"two", if_match=mine.stat.etag)).stat.writable)

asyncio.run(main())
"""


async def test_what_the_server_may_not_do_is_denied_in_words(outside: OutsideLocal, tmp_path: Path) -> None:
    outside.put("theirs.md", b"one")
    outside.put("secret.md", b"one")
    outside.put("locked/a.md", b"one")
    # Root becomes somebody else; everybody else takes away his own rights.
    (outside.root / "theirs.md").chmod(0o444 if os.getuid() else 0o644)
    (outside.root / "secret.md").chmod(0o000 if os.getuid() else 0o600)
    (outside.root / "locked").chmod(0o000 if os.getuid() else 0o700)
    outside.root.chmod(0o777)
    stranger = run(STRANGER, str(tmp_path))
    assert stranger.stdout.splitlines() == [
        "[('locked', True), ('secret.md', False), ('theirs.md', False)]",
        "Denied",
        "Denied Denied",
        "Denied Denied",
        "Denied",
        "True",
    ], stranger.stderr


@pytest.mark.parametrize("code", sorted({*STORAGE_ERRORS, errno.EBUSY, errno.ENOMEM, 0, 9999}))
def test_every_error_of_the_system_is_an_error_of_ours_in_words(code: int) -> None:
    error = translated(OSError(code, "x"), b"a.md")
    kind = STORAGE_ERRORS.get(code, (Unavailable, ""))[0]
    assert type(error) is kind
    assert (kind is NotFound) is (code in GONE or code == errno.EISDIR)
    assert error.detail.endswith(": a.md")


# Etags


async def stamp(outside: OutsideLocal, name: str) -> str:
    row = Names(outside.database).find((await outside.files.stat(name)).id)
    assert row is not None
    return row.stamp


async def test_a_hash_is_trusted_only_when_the_file_did_not_change_just_before(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    assert await stamp(outside, "a.md") == ""
    # Here an hour passes in no time: within one tick of the kernel's clock the file would have the same times again.
    os.utime(outside.root / "a.md", (outside.time.now - 60, outside.time.now - 60))
    outside.time.pass_(3600)
    assert await stamp(outside, "a.md") != ""
    outside.writer("a.md")(b"two")
    outside.time.now -= 3600
    assert (await outside.files.stat("a.md")).etag == etag(b"two")


async def test_a_file_over_the_hashing_limit_has_a_weaker_etag_that_works(outside: OutsideLocal) -> None:
    outside.put("big.bin", b"")
    os.truncate(outside.root / "big.bin", HASHED + 1)
    stat = await outside.files.stat("big.bin")
    assert stat.etag.startswith("weak-")
    with pytest.raises(Changed):
        await outside.files.delete("big.bin", if_match=etag(b""))
    os.truncate(outside.root / "big.bin", HASHED + 2)
    with pytest.raises(Changed):
        await outside.files.delete("big.bin", if_match=stat.etag)
    moved = await outside.files.move("big.bin", "bigger.bin", if_match=(await outside.files.stat("big.bin")).etag)
    await outside.files.delete("bigger.bin", if_match=moved.etag)


async def test_a_long_list_gives_weaker_etags_that_work_as_well(outside: OutsideLocal) -> None:
    for name in ("a.bin", "b.bin"):
        outside.put(name, b"")
        os.truncate(outside.root / name, HASHED // 2 + 1)
    first, second = await outside.files.list("")
    assert len(first.etag) == 64
    assert second.etag.startswith("weak-")
    await outside.files.delete("b.bin", if_match=second.etag)


# Ids


async def test_a_new_file_with_the_inode_of_a_deleted_one_is_another_document(outside: OutsideLocal) -> None:
    for number in range(20):
        outside.put(f"{number}.md", b"one")
        stat = await outside.files.stat(f"{number}.md")
        outside.remove(f"{number}.md")
        outside.put("new.md", b"one")
        assert (await outside.files.stat("new.md")).id != stat.id
        await outside.files.delete("new.md", if_match=None)


async def test_a_second_name_of_a_file_is_another_document(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    os.link(outside.root / "a.md", outside.root / "b.md")
    assert (await outside.files.stat("b.md")).id != stat.id
    assert (await outside.files.stat("a.md")).id == stat.id


async def test_our_own_write_changes_the_inode_and_a_rename_after_it_is_still_seen(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    outside.put("deep/er/x.md", b"x")
    stat = await outside.files.stat("a.md")
    await outside.files.write("a.md", b"two", if_match=stat.etag)
    outside.rename("a.md", "deep/er/b.md")
    with pytest.raises(NotFound):
        await outside.files.stat(stat.id)
    outside.time.pass_(2.1)
    assert (await outside.files.stat(stat.id)).path == "deep/er/b.md"


@pytest.mark.parametrize("way", ["whole", "stream"])
async def test_a_folder_that_is_moved_and_looked_into_while_a_file_in_it_is_written_keeps_its_document(tmp_path: Path, way: str) -> None:
    """FILE-8: the disk may take its time between the new body and what is written down of it."""
    loop, moved, looked = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    writing: asyncio.Future[object]

    def step(word: str) -> None:
        if word == "exchanged":
            made.rename("sub", "moved")
            loop.call_soon_threadsafe(moved.set)
            assert looked.wait(PATIENCE)

    made = OutsideLocal(tmp_path, step=step)
    made.put("sub/a.md", b"one")
    stat = await made.files.stat("sub/a.md")
    if way == "whole":
        writing = asyncio.ensure_future(made.files.write("sub/a.md", b"two", if_match=stat.etag))
    else:
        draft = await made.files.draft("sub/a.md")
        await draft.add(b"two")
        writing = asyncio.ensure_future(draft.replace("sub/a.md", if_match=stat.etag))
    await moved.wait()
    for _ in range(2):
        assert (await made.files.stat("moved/a.md")).id == stat.id
        assert [entry.id for entry in await made.files.list("moved")] == [stat.id]
        looked.set()
        await writing
    made.time.pass_(2.1)
    assert (await made.files.stat("moved/a.md")).id == stat.id
    assert (await made.files.stat(stat.id)).path == "moved/a.md"
    await made.close()


async def test_the_command_beside_the_server_sees_the_same_ids(outside: OutsideLocal) -> None:
    for number in range(30):
        outside.put(f"{number}.md", b"one")
    beside = Database(outside.root.parent / "state.sqlite", STATE)
    command = LocalFiles(outside.root, Names(beside))
    ids = [((await command.stat(f"{number}.md")).id, (await outside.files.stat(f"{number}.md")).id) for number in range(15)]
    ids += [((await outside.files.stat(f"{number}.md")).id, (await command.stat(f"{number}.md")).id) for number in range(15, 30)]
    assert all(one == other for one, other in ids)
    await command.close()
    beside.close()


async def test_a_file_in_a_folder_that_cannot_be_entered_is_not_believed_to_be_gone(outside: OutsideLocal) -> None:
    names = Names(outside.database)
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    assert names.waiting(stat.id)
    (outside.root / "other").mkdir()
    os.link(outside.root / "a.md", outside.root / "other" / "b.md")
    assert (await outside.files.stat("other/b.md")).id != stat.id


async def test_a_file_too_large_to_be_hashed_is_moved_without_being_read(outside: OutsideLocal) -> None:
    """FILE-5. Nobody else looks or writes meanwhile; this one has a tebibyte of nothing."""
    outside.put("a.bin", b"")
    os.truncate(outside.root / "a.bin", 2**40)
    before = await outside.files.stat("a.bin")
    async with asyncio.timeout(PATIENCE):
        moved = await outside.files.move("a.bin", "b.bin", if_match=before.etag)
    assert (moved.id, moved.path, moved.size) == (before.id, "b.bin", 2**40)
    assert await outside.files.stat("b.bin") == moved


async def test_two_moves_of_a_folder_are_both_made_and_both_told(tmp_path: Path) -> None:
    """FILE-13."""
    begun, going = threading.Event(), threading.Event()

    def step(word: str) -> None:
        if word == "moved" and not begun.is_set():
            begun.set()
            assert going.wait(PATIENCE)

    outside = OutsideLocal(tmp_path, step=step)
    outside.put("one/a.md", b"one")
    first = asyncio.ensure_future(outside.folders.move("one", "two"))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    second = asyncio.ensure_future(outside.folders.move("two", "three"))
    await asyncio.sleep(0)
    going.set()
    assert [moved.path for moved in await asyncio.gather(first, second)] == ["two", "three"]
    assert (await outside.files.stat("three/a.md")).path == "three/a.md"
    await outside.close()
