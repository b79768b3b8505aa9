"""The bin on a disk: links, permissions, other file systems, and a crash after any step (FILE-1, FILE-11, FILE-12)."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from folders import OutsideLocal

from collab.errors import CollabError, Denied, Exists, NotFound, Unavailable
from collab.storage import kernel
from collab.storage.local_bin import NOTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.ports import Binned

CHECKOUT = Path(__file__).parents[2]
LIMIT = 2**20


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[OutsideLocal]:
    made = OutsideLocal(tmp_path)
    yield made
    await made.close()


async def discard(outside: OutsideLocal, name: str, now: float = 1000.0) -> Binned:
    return await outside.bin.discard(name, if_match=None, by="Ann", now=now)


def home(outside: OutsideLocal, entry: Binned) -> Path:
    return outside.root / ".collab-bin" / entry.key


# What is on the disk


async def test_a_deleted_file_lies_under_its_own_name_beside_a_note_that_an_operator_can_read(outside: OutsideLocal) -> None:
    outside.put("sub/Größe.md", b"one")
    stat = await outside.files.stat("sub/Größe.md")
    entry = await discard(outside, "sub/Größe.md")
    assert (home(outside, entry) / "Größe.md").read_bytes() == b"one"
    note = json.loads((home(outside, entry) / NOTE.decode()).read_bytes())
    assert note == {"path": "sub/Größe.md", "deleted": 1000.0, "by": "Ann", "documents": {"": stat.id}, "to": ""}


async def test_nobody_else_may_look_into_the_bin(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    entry = await discard(outside, "a.md")
    assert [folder.stat().st_mode & 0o777 for folder in (outside.root / ".collab-bin", home(outside, entry))] == [0o700, 0o700]


async def test_nothing_is_left_of_what_came_back_or_is_gone(outside: OutsideLocal) -> None:
    for path in ("a.md", "sub/deep/b.md", "c.md"):
        outside.put(path, b"one")
    entries = [await discard(outside, path) for path in ("a.md", "sub", "c.md")]
    await outside.bin.restore(entries[0].key, None)
    await outside.bin.purge(entries[1].key)
    await outside.bin.purge(entries[2].key)
    assert list((outside.root / ".collab-bin").iterdir()) == []


# Nothing outside the root


@pytest.mark.parametrize("kind", ["link", "file"])
async def test_a_bin_that_is_no_folder_is_not_followed(outside: OutsideLocal, tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    if kind == "link":
        (outside.root / ".collab-bin").symlink_to(tmp_path / "elsewhere")
    else:
        (outside.root / ".collab-bin").write_bytes(b"")
    outside.put("a.md", b"one")
    with pytest.raises(Unavailable, match="no folder"):
        await discard(outside, "a.md")
    assert await outside.bin.entries() == []
    assert await outside.bin.mend() == []
    assert outside.body("a.md") == b"one"
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_a_link_in_the_bin_is_neither_listed_nor_restored(outside: OutsideLocal, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_bytes(b"secret")
    outside.put("a.md", b"one")
    outside.put("b.md", b"one")
    file, key = await discard(outside, "a.md"), await discard(outside, "b.md")
    (home(outside, file) / "a.md").unlink()
    (home(outside, file) / "a.md").symlink_to(tmp_path / "secret.md")
    home(outside, key).rename(tmp_path / "key")
    home(outside, key).symlink_to(tmp_path / "key")
    assert await outside.bin.entries() == []
    for entry in (file, key):
        with pytest.raises(NotFound):
            await outside.bin.restore(entry.key, None)
        with pytest.raises(NotFound):
            await outside.bin.purge(entry.key)
    await outside.bin.mend()
    assert (tmp_path / "secret.md").read_bytes() == b"secret"
    assert (tmp_path / "key" / "b.md").exists()


async def test_a_purge_follows_no_link(outside: OutsideLocal, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x.md").write_bytes(b"x")
    outside.put("sub/a.md", b"one")
    (outside.root / "sub" / "link").symlink_to(tmp_path / "kept")
    await outside.bin.purge((await discard(outside, "sub")).key)
    assert (tmp_path / "kept" / "x.md").exists()


@pytest.mark.parametrize("path", ["../out.md", "/etc/x", ".hidden/x", "a\0b"])
async def test_a_note_that_somebody_changed_leads_nowhere(outside: OutsideLocal, path: str) -> None:
    outside.put("a.md", b"one")
    entry = await discard(outside, "a.md")
    note = home(outside, entry) / NOTE.decode()
    note.write_text(json.dumps({**json.loads(note.read_bytes()), "path": path}))
    (home(outside, entry) / "a.md").rename(home(outside, entry) / "out.md")
    before = sorted(outside.root.parent.rglob("*"))
    with pytest.raises(CollabError):
        await outside.bin.restore(entry.key, None)
    assert sorted(outside.root.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b"\xff", b'{"path": "a.md"}', b'{"path": 1, "deleted": "x", "by": "", "documents": {}}']
)
async def test_what_has_no_note_that_can_be_read_is_left_alone(outside: OutsideLocal, note: bytes) -> None:
    outside.put("a.md", b"one")
    entry = await discard(outside, "a.md")
    (home(outside, entry) / NOTE.decode()).write_bytes(note)
    assert await outside.bin.entries() == []
    assert await outside.bin.mend() == []
    assert (home(outside, entry) / "a.md").read_bytes() == b"one"


# What refuses


async def test_what_is_in_a_read_only_folder_is_not_deleted(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    outside.put("sub/deep/b.md", b"one")
    (outside.root / "sub").chmod(0o555)
    for name in ("sub/a.md", "sub/deep"):
        with pytest.raises(Denied):
            await discard(outside, name)
    assert await outside.bin.entries() == []
    assert list((outside.root / ".collab-bin").iterdir()) == []


async def test_what_cannot_go_back_stays_in_the_bin(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    entry = await discard(outside, "sub/a.md")
    (outside.root / "sub").chmod(0o555)
    for path in (None, "sub/new/a.md"):
        with pytest.raises(Denied):
            await outside.bin.restore(entry.key, path)
    assert await outside.bin.entries() == [entry]
    assert (await outside.bin.restore(entry.key, "a.md")).id == stat.id


async def test_a_link_that_has_the_old_name_is_not_replaced(outside: OutsideLocal) -> None:
    outside.put("a.md", b"one")
    outside.put("sub/b.md", b"one")
    entries = [await discard(outside, path) for path in ("a.md", "sub")]
    for name in ("a.md", "sub"):
        (outside.root / name).symlink_to("nowhere")
    for entry in entries:
        with pytest.raises(Exists):
            await outside.bin.restore(entry.key, None)
    assert await outside.bin.entries() == sorted(entries, key=lambda entry: entry.key)


async def test_where_a_rename_cannot_say_that_the_name_is_free_a_look_does(outside: OutsideLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems without renameat2's flags: everything else is as it was."""

    def refused(*_: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(kernel, "rename_new", refused)
    outside.put("sub/a.md", b"one")
    outside.put("b.md", b"two")
    known = (await outside.files.stat("sub/a.md")).id, (await outside.files.stat("b.md")).id
    entries = [await discard(outside, "sub"), await discard(outside, "b.md")]
    outside.put("sub/a.md", b"new")
    for taken in (None, "sub"):
        with pytest.raises(Exists):
            await outside.bin.restore(entries[0].key, taken)
    await outside.bin.restore(entries[0].key, "old")
    await outside.bin.restore(entries[1].key, None)
    await outside.folders.move("old", "older")
    assert [(await outside.files.stat(each)).path for each in known] == ["older/a.md", "b.md"]


async def test_what_the_state_could_not_note_is_noted_when_it_is_restored(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    outside.database.run_sync(
        lambda c: c.execute("CREATE TEMP TRIGGER full BEFORE UPDATE ON documents BEGIN SELECT raise(ABORT, 'full'); END")
    )
    entry = await discard(outside, "sub")
    with pytest.raises(CollabError):
        await outside.files.stat("sub/a.md")
    assert await outside.bin.entries() == [entry]
    restored = await outside.bin.restore(entry.key, "new")
    assert restored.path == "new"
    assert (await outside.files.stat("new/a.md")).id == stat.id


# Crashes

CRASH = """
import asyncio, os, signal, sys
from pathlib import Path
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.local_folders import LocalFolders
from collab.storage.names import Names

folder, word, act, argument = sys.argv[1:]

def step(now):
    if now == word:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    files = LocalFiles(Path(folder, "root"), Names(Database(Path(folder, "state.sqlite"), STATE)), step=step)
    bin_ = LocalBin(files)
    acts = {
        "discard": lambda: bin_.discard(argument, if_match=None, by="Ann", now=5.0),
        "restore": lambda: bin_.restore(argument, "new/place.md"),
        "purge": lambda: bin_.purge(argument),
        "move": lambda: LocalFolders(files).move(argument, "moved"),
    }
    await acts[act]()
    print("done")

asyncio.run(main())
"""


def crash(outside: OutsideLocal, word: str, act: str, argument: str) -> None:
    """Another server dies at this step."""
    command = [sys.executable, "-c", CRASH, str(outside.root.parent), word, act, argument]
    crashed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert (crashed.stdout, crashed.returncode) == ("", -9), crashed.stderr


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", ["sub/a.md", "sub"])
@pytest.mark.parametrize("word", ["noted", "binned", "shifted"])
async def test_a_crash_while_something_is_deleted_leaves_it_in_its_place_or_in_the_bin(
    outside: OutsideLocal, word: str, name: str, *, waits: bool
) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    await outside.files.write("sub/a.md", b"two", if_match=stat.etag)
    crash(outside, word, "discard", name)
    if waits:
        for seconds in (0.0, 3.0):
            outside.time.pass_(seconds)
            if word != "noted":
                with pytest.raises(NotFound):
                    await outside.files.stat(stat.id)
    outside.restart()
    assert await outside.bin.mend() == []
    entries = await outside.bin.entries()
    assert [(entry.path, entry.documents) for entry in entries] == ([] if word == "noted" else [(name, (stat.id,))])
    for entry in entries:
        with pytest.raises(NotFound):
            await outside.files.stat(stat.id)
        await outside.bin.restore(entry.key, None)
    content = await outside.files.read(stat.id, limit=LIMIT)
    assert (content.stat.path, content.body, [leftover.body for leftover in content.leftovers]) == ("sub/a.md", b"two", [b"one"])
    assert list((outside.root / ".collab-bin").iterdir()) == []


@pytest.mark.parametrize("name", ["sub/a.md", "sub"])
async def test_what_somebody_makes_in_the_old_place_after_a_crash_does_not_get_the_id_of_what_is_in_the_bin(
    outside: OutsideLocal, name: str
) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    crash(outside, "binned", "discard", name)
    outside.put("sub/a.md", b"one")
    outside.restart()
    await outside.bin.mend()
    assert (await outside.files.stat("sub/a.md")).id != stat.id
    (entry,) = await outside.bin.entries()
    await outside.bin.restore(entry.key, "new")
    assert (await outside.files.stat("new" if name == "sub/a.md" else "new/a.md")).id == stat.id


async def test_what_somebody_writes_into_a_place_after_a_crash_that_came_while_it_was_restored_is_the_same_document(
    outside: OutsideLocal,
) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    entry = await discard(outside, "a.md")
    crash(outside, "restored", "restore", entry.key)
    outside.put("new/place.md", b"another body in another inode")
    outside.restart()
    await outside.bin.mend()
    assert (await outside.files.stat("new/place.md")).id == stat.id


async def test_a_restoration_that_failed_leads_nowhere_later(outside: OutsideLocal) -> None:
    outside.put("sub/x.md", b"x")
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    entry = await discard(outside, "a.md")
    (outside.root / "sub").chmod(0o555)
    with pytest.raises(Denied):
        await outside.bin.restore(entry.key, "sub/a.md")
    (outside.root / "sub").chmod(0o755)
    outside.rename(f".collab-bin/{entry.key}/a.md", "b.md")
    outside.put("sub/a.md", b"another")
    outside.restart()
    await outside.bin.mend()
    assert (await outside.files.stat("sub/a.md")).id != stat.id
    assert (await outside.files.stat("b.md")).id == stat.id


@pytest.mark.parametrize("word", ["made", "restored", "shifted", "cleared"])
async def test_a_crash_while_something_comes_back_leaves_it_in_the_bin_or_in_its_place(outside: OutsideLocal, word: str) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    await outside.files.write("sub/a.md", b"two", if_match=stat.etag)
    entry = await discard(outside, "sub/a.md")
    crash(outside, word, "restore", entry.key)
    outside.restart()
    assert await outside.bin.mend() == []
    assert [each.key for each in await outside.bin.entries()] == ([entry.key] if word == "made" else [])
    if word == "made":
        await outside.bin.restore(entry.key, "new/place.md")
    content = await outside.files.read("new/place.md", limit=LIMIT)
    assert (content.stat.id, content.body, [leftover.body for leftover in content.leftovers]) == (stat.id, b"two", [b"one"])
    assert list((outside.root / ".collab-bin").iterdir()) == []


@pytest.mark.parametrize("word", ["purged", "erased"])
async def test_a_crash_while_something_is_purged_is_finished_at_the_start(outside: OutsideLocal, word: str) -> None:
    outside.put("sub/a.md", b"one")
    outside.put("b.md", b"one")
    stat, kept = await outside.files.stat("sub/a.md"), await outside.files.stat("b.md")
    entry, other = await discard(outside, "sub"), await discard(outside, "b.md")
    crash(outside, word, "purge", entry.key)
    outside.restart()
    assert await outside.bin.entries() == [other]
    assert await outside.bin.mend() == ([stat.id] if word == "purged" else [])
    assert [path.name for path in (outside.root / ".collab-bin").iterdir()] == [other.key]
    with pytest.raises(NotFound):
        await outside.files.stat(stat.id)
    assert (await outside.bin.restore(other.key, None)).id == kept.id


@pytest.mark.parametrize("word", ["moved", "shifted"])
async def test_a_crash_while_a_folder_moves_forgets_no_document(outside: OutsideLocal, word: str) -> None:
    """FILE-13."""
    outside.put("sub/deep/a.md", b"one")
    stat = await outside.files.stat("sub/deep/a.md")
    crash(outside, word, "move", "sub")
    outside.restart()
    assert (await outside.files.stat("moved/deep/a.md")).id == stat.id
    outside.time.pass_(2.1)
    assert (await outside.files.stat("moved/deep/a.md")).id == stat.id
    assert (await outside.files.stat(stat.id)).path == "moved/deep/a.md"


async def test_displaced_files_that_a_crash_left_in_the_bin_go_back_to_where_their_document_was(outside: OutsideLocal) -> None:
    outside.put("sub/a.md", b"one")
    stat = await outside.files.stat("sub/a.md")
    await outside.files.write("sub/a.md", b"two", if_match=stat.etag)
    entry = await discard(outside, "sub/a.md")
    outside.rename(f".collab-bin/{entry.key}/a.md", "sub/a.md")
    outside.restart()
    await outside.bin.mend()
    (leftover,) = (await outside.files.read("sub/a.md", limit=LIMIT)).leftovers
    assert leftover.body == b"one"
    assert list((outside.root / ".collab-bin").iterdir()) == []


def test_the_note_and_its_folders_are_synced_before_the_file_moves(tmp_path: Path) -> None:
    outside = OutsideLocal(tmp_path)
    outside.put("a.md", b"one")
    calls = tmp_path / "calls"
    options = ["-f", "-y", "-o", str(calls), "-e", "trace=fsync,fdatasync,renameat2,mkdirat"]
    program = [sys.executable, "-c", CRASH, str(tmp_path), "none", "discard", "a.md"]
    subprocess.run(["strace", *options, *program], cwd=CHECKOUT, check=True, timeout=60, capture_output=True)
    seen = []
    for line in calls.read_text().splitlines():
        if "mkdirat(" in line:
            seen.append("folder made")
        elif "fsync(" in line and ".entry.json.new>" in line:
            seen.append("note")
        elif "RENAME_NOREPLACE" in line:
            seen.append("moved")
        elif "fsync(" in line and f"<{outside.root}" in line:
            seen.append("folder" if "bin" in line else "root")
    assert seen == ["folder made", "root", "folder made", "folder", "note", "folder", "moved", "folder", "root"]


def digest(body: bytes) -> str:
    return sha256(body).hexdigest()


async def test_a_large_file_with_a_weak_etag_is_deleted_if_it_is_the_expected_one(outside: OutsideLocal) -> None:
    outside.put("big.bin", b"")
    os.truncate(outside.root / "big.bin", 64 * 2**20 + 1)
    stat = await outside.files.stat("big.bin")
    assert stat.etag.startswith("weak-")
    with pytest.raises(CollabError):
        await outside.bin.discard("big.bin", if_match=digest(b""), by="Ann", now=0.0)
    assert (await outside.bin.discard("big.bin", if_match=stat.etag, by="Ann", now=0.0)).size == stat.size
