"""Files of a folder on this machine that come and go in pieces: who comes in between, crashes, memory (FILE-6, FILE-15, FILE-16)."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import mmap
import os
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from folders import OutsideLocal
from serving import PATIENCE, until

from collab.errors import Changed, Denied, NotFound, Unavailable
from collab.state.turn import Turn
from collab.storage.kernel import on_disk
from collab.storage.local import HASHED
from collab.storage.local_streams import AHEAD, ALL_KEPT, KEPT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collab.ports import Draft
    from collab.storage.local import LocalFiles
    from collab.storage.local_streams import LocalReader

CHECKOUT = Path(__file__).parents[2]
LIMIT = 2**23
STEPS = ["written", "named", "checked", "exchanged", "synced"]
BODIES = {"small": b"ours", "large": Random(6).randbytes(KEPT + 7)}


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


async def drafted(outside: OutsideLocal, name: str, body: bytes) -> Draft:
    draft = await outside.files.draft(name)
    await draft.add(body)
    return draft


class Interference:
    """Does something once, at a step of a write."""

    def __init__(self) -> None:
        self.word = ""
        self.act: Callable[[], object] = lambda: None

    def __call__(self, word: str) -> None:
        if word == self.word:
            self.word = ""
            self.act()


def refused(_place: int, _one: bytes, _other: bytes) -> None:
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[OutsideLocal]:
    made = OutsideLocal(tmp_path)
    yield made
    await made.close()


@pytest.fixture(params=["exchange", "link"])
async def raced(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[OutsideLocal, Interference]]:
    interference = Interference()
    options: dict[str, object] = {"step": interference}
    if request.param == "link":
        options["exchange"] = refused
    made = OutsideLocal(tmp_path, **options)
    yield made, interference
    await made.close()


# Who comes in between


@pytest.mark.parametrize("size", BODIES)
@pytest.mark.parametrize("how", ["replaced", "in place", "in place with the same length"])
async def test_what_comes_between_check_and_exchange_stands_and_the_draft_is_refused(
    raced: tuple[OutsideLocal, Interference], size: str, how: str
) -> None:
    outside, interference = raced
    outside.put("a.bin", b"their first")
    draft = await drafted(outside, "a.bin", BODIES[size])
    theirs = {"replaced": b"their last", "in place": b"their next", "in place with the same length": b"their other"}[how]
    change = (lambda: outside.put("a.bin", theirs)) if how == "replaced" else (lambda: outside.writer("a.bin")(theirs))
    interference.word, interference.act = "checked", change
    with pytest.raises(Changed):
        await draft.replace("a.bin", if_match=etag(b"their first"))
    assert outside.body("a.bin") == theirs
    assert (await outside.files.stat("a.bin")).etag == etag(theirs)
    assert (await draft.create("a (beside).bin")).etag == etag(BODIES[size])
    await draft.discard()
    assert outside.hidden() == []


async def test_what_comes_into_the_displaced_file_right_after_the_exchange_has_its_place_again(
    raced: tuple[OutsideLocal, Interference],
) -> None:
    outside, interference = raced
    outside.put("a.bin", b"one")
    late = outside.writer("a.bin")
    draft = await drafted(outside, "a.bin", b"ours")
    interference.word, interference.act = "exchanged", lambda: late(b"one, in place")
    with pytest.raises(Changed):
        await draft.replace("a.bin", if_match=etag(b"one"))
    await draft.discard()
    assert outside.body("a.bin") == b"one, in place"
    assert outside.hidden() == []


async def test_who_takes_the_name_from_us_before_we_take_our_file_back_keeps_it(tmp_path: Path) -> None:
    interference = Interference()
    outside = OutsideLocal(tmp_path, step=interference)
    outside.put("a.bin", b"one")
    draft = await drafted(outside, "a.bin", b"ours")

    def second() -> None:
        outside.put("a.bin", b"second")
        interference.word, interference.act = "exchanged", lambda: outside.put("a.bin", b"third")

    interference.word, interference.act = "checked", second
    with pytest.raises(Changed):
        await draft.replace("a.bin", if_match=etag(b"one"))
    await draft.discard()
    assert outside.body("a.bin") == b"third"
    outside.restart()
    assert [leftover.body for leftover in (await outside.files.read("a.bin", limit=LIMIT)).leftovers] == [b"second"]
    await outside.close()


async def test_a_file_that_vanishes_before_the_exchange_is_not_made_again(raced: tuple[OutsideLocal, Interference]) -> None:
    outside, interference = raced
    outside.put("a.bin", b"one")
    draft = await drafted(outside, "a.bin", b"ours")
    interference.word, interference.act = "checked", lambda: outside.remove("a.bin")
    with pytest.raises(NotFound):
        await draft.replace("a.bin", if_match=etag(b"one"))
    await draft.discard()
    assert list(outside.root.iterdir()) == []


async def test_what_nobody_has_open_for_writing_is_gone_at_once(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    with (outside.root / "a.bin").open("rb"):
        draft = await drafted(outside, "a.bin", b"ours")
        assert (await draft.replace("a.bin", if_match=etag(b"one"))).former is None
    await draft.discard()
    assert outside.hidden() == []


async def test_what_a_program_has_mapped_for_writing_is_kept_for_a_while(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    with (outside.root / "a.bin").open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    draft = await drafted(outside, "a.bin", b"ours")
    replaced = await draft.replace("a.bin", if_match=etag(b"one"))
    await draft.discard()
    assert replaced.former is not None
    assert len(outside.hidden()) == 1
    mapped.close()
    assert not await replaced.former.end()
    assert outside.hidden() == []


# Etags


async def test_our_own_write_is_known_without_reading_it_and_a_change_right_after_it_is_seen(outside: OutsideLocal) -> None:
    for number in range(50):
        outside.put("a.bin", b"one")
        stat = await outside.files.stat("a.bin")
        draft = await drafted(outside, "a.bin", b"our")
        replaced = await draft.replace("a.bin", if_match=stat.etag)
        await draft.discard()
        row = outside.files._places.names.find(stat.id)
        assert row is not None
        assert (row.etag, row.stamp != "") == (replaced.stat.etag, True)
        with (outside.root / "a.bin").open("r+b") as file:
            file.write(b"new")
        assert (await outside.files.stat("a.bin")).etag == etag(b"new"), number


def same_times(path: Path, body: bytes) -> None:
    """Other bytes, with the size and the time of modification of those before."""
    before = path.stat()
    path.write_bytes(body)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def linked(path: Path) -> None:
    """It is renamed, and has its old name besides."""
    os.link(path.rename(path.with_name("d")), path)


@pytest.mark.parametrize(
    ("act", "path", "body", "writable"),
    [
        (lambda work: work.exists(), "work/a.docx", b"ours", True),
        (lambda work: same_times(work / "a.docx", b"else"), "work/a.docx", b"else", True),
        (lambda work: (work / "b").write_bytes(b"other") and (work / "b").rename(work / "a.docx"), "work/a.docx", b"other", True),
        (lambda work: (work / "a.docx").rename(work / "c.docx"), "work/c.docx", b"ours", True),
        (lambda work: work.rename(work.parent / "moved"), "moved/a.docx", b"ours", True),
        (lambda work: (work / "a.docx").chmod(0o444), "work/a.docx", b"ours", False),
        (lambda work: work.chmod(0o555), "work/a.docx", b"ours", False),
        (lambda work: linked(work / "a.docx"), "work/a.docx", b"ours", True),
    ],
    ids=["nothing", "times", "replaced", "renamed", "folder", "read-only", "folder read-only", "linked"],
)
async def test_what_is_known_of_our_own_write_holds_only_as_long_as_the_file_is_as_we_left_it(
    outside: OutsideLocal, act: Callable[[Path], object], path: str, body: bytes, *, writable: bool
) -> None:
    outside.put("work/a.docx", b"one")
    document = (await outside.files.stat("work/a.docx")).id
    draft = await drafted(outside, document, b"ours")
    await draft.replace(document, if_match=etag(b"one"))
    act(outside.root / "work")
    if path != "work/a.docx":
        # A rename is believed after a while.
        with pytest.raises(NotFound):
            await outside.files.stat(document)
        outside.time.pass_(60)
    stat = await outside.files.stat(document)
    assert (stat.id, stat.path, stat.etag, stat.writable) == (document, path, etag(body), writable)
    draft = await drafted(outside, document, b"next")
    if writable:
        assert (await draft.replace(document, if_match=etag(body))).stat.path == path
        assert outside.body(path) == b"next"
    else:
        with pytest.raises(Denied):
            await draft.replace(document, if_match=etag(body))
        (outside.root / "work").chmod(0o755)
        assert outside.body(path) == body


async def test_a_file_over_the_hashing_limit_is_replaced_by_its_weaker_etag_and_by_no_older_one(outside: OutsideLocal) -> None:
    outside.put("big.bin", b"")
    os.truncate(outside.root / "big.bin", HASHED + 1)
    stat = await outside.files.stat("big.bin")
    draft = await drafted(outside, "big.bin", b"x" * KEPT)
    with (outside.root / "big.bin").open("r+b") as file:
        file.write(b"theirs")
    with pytest.raises(Changed):
        await draft.replace("big.bin", if_match=stat.etag)
    replaced = await draft.replace("big.bin", if_match=(await outside.files.stat("big.bin")).etag)
    await draft.discard()
    assert replaced.stat.etag == etag(b"x" * KEPT)
    assert outside.hidden() == []


# Crashes and disks that refuse

CRASH = """
import asyncio, os, signal, sys
from pathlib import Path
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.names import Names

folder, word, size, if_match = sys.argv[1:]

def step(now):
    if now == word:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    files = LocalFiles(Path(folder, "root"), Names(Database(Path(folder, "state.sqlite"), STATE)), step=step)
    draft = await files.draft("a.bin")
    await draft.add(b"n" * int(size))
    await draft.replace("a.bin", if_match=if_match)
    print("done")

asyncio.run(main())
"""


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *args], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("size", [12, 2 * KEPT])
@pytest.mark.parametrize("word", STEPS)
async def test_a_crash_between_any_two_steps_leaves_a_whole_file(outside: OutsideLocal, word: str, size: int) -> None:
    outside.put("a.bin", b"the old body")
    stat = await outside.files.stat("a.bin")
    crashed = run(CRASH, str(outside.root.parent), word, str(size), stat.etag)
    assert crashed.stdout == "", crashed.stderr
    before, after = b"the old body", b"n" * size
    now = await outside.files.stat(stat.id)
    assert outside.body("a.bin") == (before if word in {"written", "named", "checked"} else after)
    assert {leftover.body for leftover in (await outside.files.read("a.bin", limit=LIMIT)).leftovers} <= {before, after}
    draft = await drafted(outside, "a.bin", b"next")
    assert (await draft.replace(stat.id, if_match=now.etag)).stat.etag == etag(b"next")
    await draft.discard()


async def test_what_a_crash_cut_off_is_removed_when_something_is_begun_beside_it(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    cut, held = outside.root / ".a.bin.collab-abcdefgh-1.new", outside.root / ".a.bin.collab-abcdefgh-2.new"
    for file in (cut, held):
        file.write_bytes(b"half")
    with held.open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        draft = await drafted(outside, "a.bin", BODIES["large"])
        assert not cut.exists()
        assert held.exists()
        await draft.discard()
    assert outside.hidden() == [held.name]


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
    stat = await files.stat("a.bin")
    draft = await files.draft("a.bin")
    await draft.add(b"x" * 300_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        await draft.replace("a.bin", if_match=stat.etag)
    except Unavailable as error:
        print(error.detail)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    replaced = await draft.replace("a.bin", if_match=stat.etag)
    await draft.discard()
    print(replaced.stat.size, replaced.stat.etag)

asyncio.run(main())
"""


async def test_a_body_that_did_not_fit_is_told_in_words_and_whole_when_it_fits(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    told = run(LIMITED, str(outside.root.parent)).stdout.splitlines()
    assert told == ["the file is larger than the system lets the server write: a.bin", f"300000 {etag(b'x' * 300_000)}"]
    assert outside.body("a.bin") == b"x" * 300_000
    assert outside.hidden() == []


# Those who give up, and many at once


async def test_who_gives_up_while_a_piece_is_written_leaves_nothing(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    for number in range(20):
        draft = await outside.files.draft("a.bin")
        adding = asyncio.ensure_future(draft.add(bytes([number]) * KEPT))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.gather(adding, return_exceptions=True)
        await draft.discard()
    assert outside.hidden() == []
    assert outside.files.kept == 0
    assert open_files(outside) == 0


class Slow:
    """A hash that takes as long for a piece as the test says."""

    def __init__(self) -> None:
        self.inner = sha256()
        self.begun, self.going = threading.Event(), threading.Event()

    def update(self, piece: bytes) -> None:
        self.inner.update(piece)
        self.begun.set()
        assert self.going.wait(PATIENCE)

    def hexdigest(self) -> str:
        return self.inner.hexdigest()


@pytest.mark.parametrize("way", ["replace", "create"])
async def test_who_gives_up_while_a_body_becomes_a_file_cuts_nothing_off(outside: OutsideLocal, way: str) -> None:
    """It is whole, or it is none."""
    outside.put("a.bin", b"theirs")
    draft = await outside.files.draft("a.bin")
    for piece in (b"one ", b"two ", b"three"):
        await draft.add(piece)
    slow = Slow()
    draft._hash = slow  # type: ignore[assignment]  # which is asked between two pieces
    becoming: asyncio.Future[object] = asyncio.ensure_future(
        draft.replace("a.bin", if_match=etag(b"theirs")) if way == "replace" else draft.create("b.bin")
    )
    await until(slow.begun.is_set)
    becoming.cancel()
    giving_up = asyncio.ensure_future(draft.discard())
    await asyncio.sleep(0)
    slow.going.set()
    await giving_up
    assert {path.name: path.read_bytes() for path in outside.root.iterdir()} in (
        {"a.bin": b"theirs"},
        {"a.bin": b"one two three"} if way == "replace" else {"a.bin": b"theirs", "b.bin": b"one two three"},
    )
    assert (outside.files.kept, open_files(outside)) == (0, 0)


async def test_drafts_do_not_hold_more_than_their_share_of_memory(outside: OutsideLocal) -> None:
    outside.put("a.bin", b"one")
    drafts = [await outside.files.draft("a.bin") for _ in range(ALL_KEPT // KEPT * 2)]
    for _ in range(10):
        for draft in drafts:
            await draft.add(bytes(KEPT // 10))
    assert outside.files.kept <= ALL_KEPT + KEPT
    for draft in drafts:
        await draft.discard()
    assert outside.files.kept == 0
    assert outside.hidden() == []
    assert open_files(outside) == 0


async def test_closed_files_take_nothing_and_raise_in_words(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path)
    outside.put("a.bin", BODIES["large"])
    draft = await drafted(outside, "a.bin", BODIES["large"])
    reader = await outside.files.reader("a.bin")
    await outside.files.close()
    with pytest.raises(Unavailable):
        await draft.replace("a.bin", if_match=etag(BODIES["large"]))
    with pytest.raises(Unavailable):
        await reader.read(AHEAD, 1)
    reader.close()
    await draft.discard()
    assert outside.hidden() == []
    assert open_files(outside) == 0
    await outside.close()


# Without waiting


async def known(tmp_path: Path, body: bytes) -> tuple[OutsideLocal, str]:
    """A folder with a document that was read before, and is no longer new."""
    outside = OutsideLocal(tmp_path)
    outside.put("sub/a.bin", body)
    outside.time.pass_(10)
    name = (await outside.files.stat("sub/a.bin")).id
    for _ in range(2):
        (await outside.files.reader(name)).close()
    return outside, name


def opened_at_once(outside: OutsideLocal, name: str) -> LocalReader | None:
    """The reader, if nobody was waited for."""
    opening = outside.files.reader(name)
    try:
        opening.send(None)
    except StopIteration as done:
        reader: LocalReader = done.value
        return reader
    opening.close()
    return None


@pytest.mark.parametrize("size", ["small", "large"])
async def test_a_document_that_was_read_before_is_opened_without_waiting_for_anybody(tmp_path: Path, size: str) -> None:
    outside, name = await known(tmp_path, BODIES[size])
    reader = opened_at_once(outside, name)
    # Where the file system can say that it would have to wait.
    root = os.open(outside.root, os.O_RDONLY)
    assert (reader is not None) == on_disk(root)
    os.close(root)
    if reader is not None:
        assert reader.stat == await outside.files.stat(name)
        assert await reader.read(0, len(BODIES[size])) == BODIES[size]
        reader.close()
    assert open_files(outside) == 0
    await outside.close()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def link_above(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to(path.parent.with_name("moved"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: path.write_bytes(b"theirs!"),
    "same size": lambda path: path.write_bytes(b"THEY"),
    "touched": os.utime,
    "protected": lambda path: path.chmod(0o444),
    "replaced": lambda path: (path.with_name("new").write_bytes(b"THEY"), path.with_name("new").replace(path)),
    "renamed": lambda path: path.rename(path.with_name("other.bin")),
    "moved": lambda path: path.rename(path.parent.parent / "other.bin"),
    "deleted": lambda path: path.unlink(),
    "hidden": lambda path: path.rename(path.with_name(".hidden")),
    "link": link,
    "link above": link_above,
    "pipe": pipe,
    "folder": folder,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_is_done_to_it_it_is_opened_as_if_nobody_had_read_it_before(tmp_path: Path, change: str) -> None:
    outside, name = await known(tmp_path, BODIES["small"])
    CHANGES[change](outside.root / "sub" / "a.bin")
    other = outside.start()
    assert await outcome(outside.files, name) == await outcome(other, name)
    await other.close()
    outside.time.pass_(10)
    for _ in range(3):
        other = outside.start()
        assert await outcome(outside.files, name) == await outcome(other, name)
        await other.close()
    await outside.close()


async def outcome(files: LocalFiles, name: str) -> tuple[object, bytes]:
    """What becomes of a read of the whole document."""
    try:
        reader = await files.reader(name)
    except (NotFound, Unavailable) as error:
        return type(error), b""
    try:
        return reader.stat, await reader.read(0, reader.stat.size)
    finally:
        reader.close()


async def test_what_is_done_to_it_here_is_seen_at_once(tmp_path: Path) -> None:
    outside, name = await known(tmp_path, BODIES["small"])
    assert (await outside.files.move(name, "b.bin", if_match=None)).id == name
    assert await outcome(outside.files, name) == (await outside.files.stat("b.bin"), BODIES["small"])
    await outside.files.write(name, b"more", if_match=etag(BODIES["small"]))
    assert (await outcome(outside.files, name))[1] == b"more"
    await outside.files.delete(name, if_match=None)
    assert (await outcome(outside.files, name))[0] is NotFound
    await outside.close()


async def test_a_folder_that_is_being_moved_is_before_it_or_behind_it(tmp_path: Path) -> None:
    outside, name = await known(tmp_path, BODIES["small"])
    halfway, seen = threading.Event(), threading.Event()

    def work(_: object) -> None:
        # As a move does it: first on the disk, then in the names.
        (outside.root / "sub").rename(outside.root / "there")
        outside.put("sub/a.bin", b"another")
        halfway.set()
        assert seen.wait(PATIENCE)
        (outside.root / "sub" / "a.bin").unlink()
        (outside.root / "sub").rmdir()
        (outside.root / "there").rename(outside.root / "sub")

    moving = asyncio.ensure_future(outside.files.work(work, alone=True))
    assert await asyncio.to_thread(halfway.wait, PATIENCE)
    assert opened_at_once(outside, name) is None
    seen.set()
    await moving
    assert (await outcome(outside.files, name))[1] == BODIES["small"]
    await outside.close()


async def test_where_several_processes_move_folders_nobody_opens_without_looking(tmp_path: Path) -> None:
    outside, name = await known(tmp_path, BODIES["small"])
    outside.options["turn"] = Turn(tmp_path / "turn")
    await outside.files.close()
    outside.files = outside.start()
    for _ in range(3):
        assert (await outcome(outside.files, name))[1] == BODIES["small"]
    assert opened_at_once(outside, name) is None
    await outside.close()


def open_files(outside: OutsideLocal) -> int:
    """Descriptors that this process has of files in the folder."""
    with os.scandir("/proc/self/fd") as entries:
        return sum(target(entry.path).startswith(f"{outside.root}/") for entry in entries)


def target(link: str) -> str:
    """Where it leads; what another thread has closed meanwhile leads nowhere."""
    try:
        return str(Path(link).readlink())
    except FileNotFoundError:
        return ""
