"""What every storage does with the locks that applications leave beside files (WOPI-6)."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from folders import Outside, OutsideCloud, OutsideLocal
from gateway.cloud import Lock
from real_cloud import OutsideReal

from collab.errors import Locked, NotFound
from collab.ports import Claim
from collab.storage.habits import Entry, read_lock
from collab.storage.local_claims import LocalClaims
from collab.storage.memory import MemoryFiles
from collab.storage.memory_claims import MemoryClaims
from collab.storage.paths import is_id

if TYPE_CHECKING:
    from pathlib import Path

    from collab.ports import Claims, Stat
    from collab.storage.local import LocalFiles

DAY = 86_400.0
LOCK = "work/.~lock.a.docx#"
BOB = b"Bob,bob,host,29.11.2026 14:05,file:///home/bob;"
OWNER = bytes([3]) + b"Eve" + b"\0" * 50 + b"\x03\0E\0v\0e\0" + b"\0" * 100


class Desk:
    """A folder with a document, and its claims."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        outside.put("work/a.docx", b"PK")

    @property
    def claims(self) -> Claims:
        if isinstance(self.outside, OutsideCloud | OutsideReal):
            return self.outside.claims
        clock = self.outside.time
        if isinstance(self.outside, OutsideLocal):
            return LocalClaims(self.outside.files, clock=lambda: clock.now)
        files = self.outside.files
        assert isinstance(files, MemoryFiles)
        return MemoryClaims(files, clock=lambda: clock.now)

    async def id(self, path: str = "work/a.docx") -> str:
        return (await self.outside.files.stat(path)).id

    def leave(self, path: str, body: bytes) -> None:
        """Somebody outside leaves a file, now."""
        self.outside.put(path, body)
        if isinstance(self.outside, OutsideLocal):
            now = self.outside.time.now
            os.utime(self.outside.root / path, (now, now))

    def there(self, path: str = LOCK) -> Entry | None:
        try:
            return read_lock(self.outside.body(path))
        except (KeyError, FileNotFoundError):
            return None

    def locked(self) -> bool:
        """Whether it bears a lock of ours."""
        if isinstance(self.outside, OutsideReal):
            return self.outside.locked("work/a.docx")
        if not isinstance(self.outside, OutsideCloud):
            return (entry := self.there()) is not None and entry.ours
        lock = self.outside.cloud.lock_of(self.outside.cloud.at("ann", "work/a.docx"))
        return lock is not None and (lock.application, lock.user) == ("Collab", "")

    async def shown(self) -> list[str]:
        return [stat.path for stat in await self.outside.files.list("work")]


@pytest.fixture
def desk(folder: Outside) -> Desk:
    """Where locks are files beside the document."""
    return Desk(folder)


@pytest.fixture
def anywhere(outside: Outside) -> Desk:
    return Desk(outside)


@pytest.fixture
def office(cloud: OutsideCloud) -> Desk:
    """Where a document has one lock, which the storage keeps."""
    return Desk(cloud)


async def test_a_file_that_nobody_has_open_is_nobodys(anywhere: Desk) -> None:
    document = await anywhere.id()
    assert await anywhere.claims.look(document) is None
    assert await anywhere.claims.find(document) == (await anywhere.outside.files.stat(document), None)
    assert await anywhere.claims.held() == {}


async def test_our_lock_is_held_until_it_is_freed(anywhere: Desk) -> None:
    document = await anywhere.id()
    for _ in range(2):
        assert await anywhere.claims.hold(document, "Ann") is None
        assert anywhere.locked()
        assert await anywhere.claims.look(document) is None
        assert list(await anywhere.claims.held()) == [document]
    for _ in range(2):
        await anywhere.claims.free(document)
        assert not anywhere.locked()
        assert await anywhere.claims.held() == {}


@pytest.mark.parametrize("days", [0.0, 3.0])
async def test_a_lock_that_a_crash_left_is_ours_and_is_freed(anywhere: Desk, days: float) -> None:
    document = await anywhere.id()
    await anywhere.claims.hold(document, "Ann")
    anywhere.outside.restart()
    anywhere.outside.time.pass_(days * DAY)
    assert list(await anywhere.claims.held()) == [document]
    assert await anywhere.claims.look(document) is None
    await anywhere.claims.free(document)
    assert not anywhere.locked()
    await anywhere.claims.hold(document, "Ann")
    anywhere.outside.restart()
    assert await anywhere.claims.hold(document, "Ann") is None
    assert anywhere.locked()
    await anywhere.claims.free(document)
    assert (anywhere.locked(), await anywhere.claims.held()) == (False, {})


async def test_a_lock_of_what_is_gone_is_none(anywhere: Desk) -> None:
    document = await anywhere.id()
    await anywhere.claims.hold(document, "Ann")
    await anywhere.outside.bin.discard(document, if_match=None, by="Ann", now=1.0)
    await anywhere.claims.free(document)
    assert await anywhere.claims.held() == {}
    for act in (anywhere.claims.look(document), anywhere.claims.hold(document, "Ann")):
        with pytest.raises(NotFound):
            await act


# In a cloud


async def test_who_has_locked_it_in_a_cloud_is_told_and_keeps_it(office: Desk, cloud: OutsideCloud) -> None:
    """CS3-11."""
    document, node = await office.id(), cloud.cloud.at("ann", "work/a.docx")
    node.lock = theirs = Lock("x", "Collabora", "user-bob", cloud.time.now + 60)
    expected = Claim("user-bob", "Collabora", cloud.time.now)
    assert await office.claims.look(document) == await office.claims.hold(document, "Ann") == expected
    await office.claims.free(document)
    assert node.lock is theirs
    assert await office.claims.held() == {}
    with pytest.raises(Locked, match="Collabora"):
        await cloud.files.write(document, b"two", if_match=sha256(b"PK").hexdigest())
    with pytest.raises(Locked):
        await cloud.files.move(document, "work/b.docx", if_match=None)
    assert cloud.body("work/a.docx") == b"PK"
    cloud.time.pass_(61.0)
    assert await office.claims.hold(document, "Ann") is None


async def test_who_has_which_files_of_a_folder_of_a_cloud_open_is_told_at_once(office: Desk, cloud: OutsideCloud) -> None:
    for name in "bc":
        cloud.put(f"work/{name}.odt", b"PK")
    cloud.cloud.at("ann", "work/b.odt").lock = Lock("x", "Collabora", "user-bob", cloud.time.now + 60)
    await office.claims.hold(await office.id(), "Ann")
    assert await office.claims.beside("work") == {"work/b.odt": Claim("user-bob", "Collabora", cloud.time.now)}
    assert await office.claims.beside("nowhere") == await office.claims.beside("") == {}


async def test_what_we_hold_in_a_cloud_is_saved_moved_and_deleted_under_its_lock(office: Desk, cloud: OutsideCloud) -> None:
    """CS3-11."""
    document, node = await office.id(), cloud.cloud.at("ann", "work/a.docx")
    await office.claims.hold(document, "Ann")
    lock = node.lock
    written = await cloud.files.write(document, b"two", if_match=sha256(b"PK").hexdigest())
    await cloud.files.move(document, "work/b.docx", if_match=written.stat.etag)
    assert (cloud.body("work/b.docx"), node.lock) == (b"two", lock)
    await cloud.folders.move("work", "other")
    assert (await cloud.files.stat(document)).path == "other/b.docx"
    await cloud.files.delete(document, if_match=written.stat.etag)
    assert await cloud.files.list("other") == []


async def test_where_a_cloud_has_no_locks_or_gives_us_none_nobody_is_refused(office: Desk, cloud: OutsideCloud) -> None:
    """CS3-5."""
    document = await office.id()
    cloud.gateway.moods.lacks.add("SetLock")
    assert await office.claims.hold(document, "Ann") is None
    assert await office.claims.held() == {}
    assert (await cloud.files.write(document, b"two", if_match=sha256(b"PK").hexdigest())).displaced is None
    cloud.gateway.moods.lacks.clear()
    cloud.restart()
    cloud.protect("work/a.docx")
    assert await office.claims.hold(document, "Ann") is None
    assert await office.claims.held() == {}


# Beside a file


async def test_who_has_it_open_outside_is_told_and_keeps_it(desk: Desk) -> None:
    document, now = await desk.id(), desk.outside.time.now
    desk.leave(LOCK, BOB)
    expected = Claim("Bob", "LibreOffice", pytest.approx(now))  # type: ignore[arg-type]
    assert await desk.claims.look(document) == expected
    assert await desk.claims.find(document) == (await desk.outside.files.stat(document), expected)
    assert await desk.claims.hold(document, "Ann") == expected
    await desk.claims.free(document)
    assert desk.outside.body(LOCK) == BOB
    assert await desk.claims.held() == {}
    desk.outside.remove(LOCK)
    desk.leave("work/~$a.docx", OWNER)
    assert await desk.claims.look(document) == Claim("Eve", "Microsoft Office", pytest.approx(now))  # type: ignore[arg-type]


async def test_who_has_which_files_of_a_folder_open_is_told_at_once(desk: Desk) -> None:
    assert await desk.claims.beside("work") == {}
    for name in ("b.odt", "c.docx", "Mistress.docx", "deep/d.odt", ".~lock.gone.odt#", "~$none.odt"):
        desk.outside.put(f"work/{name}", b"PK")
    desk.leave(LOCK, BOB)
    desk.leave("work/~$stress.docx", OWNER)
    desk.leave("work/deep/.~lock.d.odt#", BOB)
    desk.leave("work/.~lock.b.odt#", b"Ann,collab,host,29.11.2026 14:05,collab:host;")
    told = {path: claim.by for path, claim in (await desk.claims.beside("work")).items()}
    assert told == {"work/a.docx": "Bob", "work/Mistress.docx": "Eve"}
    assert list(await desk.claims.beside("work/deep")) == ["work/deep/d.odt"]
    assert await desk.claims.beside("") == {}
    desk.outside.put("e.odt", b"PK")
    desk.leave(".~lock.e.odt#", BOB)
    assert list(await desk.claims.beside("")) == ["e.odt"]
    assert await desk.claims.beside("nowhere") == {}


async def test_a_lock_that_cannot_be_read_is_somebodys(desk: Desk) -> None:
    desk.leave(LOCK, b"")
    told = await desk.claims.look(await desk.id())
    assert told is not None
    assert (told.by, told.application) == ("", "LibreOffice")


async def test_what_others_left_a_day_ago_locks_nobody_out_and_stays(desk: Desk) -> None:
    document = await desk.id()
    desk.leave(LOCK, BOB)
    desk.leave("work/~$a.docx", OWNER)
    desk.outside.time.pass_(DAY - 1)
    assert await desk.claims.look(document) is not None
    desk.outside.time.pass_(2)
    assert await desk.claims.look(document) is None
    assert await desk.claims.hold(document, "Ann") is None
    assert desk.outside.body(LOCK) == BOB
    assert await desk.claims.held() == {}


async def test_our_lock_is_one_that_others_understand_and_not_taken_for_anothers(desk: Desk) -> None:
    document = await desk.id()
    assert await desk.claims.hold(document, "Ann (Collabora)") is None
    entry = desk.there()
    assert entry is not None
    assert (entry.name, entry.ours) == ("Ann (Collabora)", True)
    assert await desk.claims.look(document) is None
    assert list(await desk.claims.held()) == [document]
    assert await desk.claims.hold(document, "Bob (Collabora)") is None
    assert desk.there() == entry
    await desk.claims.free(document)
    await desk.claims.free(document)
    assert (desk.there(), await desk.claims.held()) == (None, {})


async def test_our_lock_is_known_again_after_a_crash(desk: Desk) -> None:
    document = await desk.id()
    await desk.claims.hold(document, "Ann")
    desk.outside.restart()
    desk.outside.time.pass_(3 * DAY)
    assert await desk.claims.look(document) is None
    assert list(await desk.claims.held()) == [document]
    assert await desk.claims.hold(document, "Ann") is None
    await desk.claims.free(document)
    assert desk.there() is None


async def test_a_lock_of_ours_that_somebody_removed_or_took_over_is_theirs(desk: Desk) -> None:
    document = await desk.id()
    await desk.claims.hold(document, "Ann")
    desk.outside.remove(LOCK)
    assert await desk.claims.hold(document, "Ann") is None
    assert desk.there() is not None
    desk.leave(LOCK, BOB)
    told = await desk.claims.look(document)
    assert told is not None
    assert told.by == "Bob"
    await desk.claims.free(document)
    assert desk.outside.body(LOCK) == BOB
    assert await desk.claims.held() == {}


async def test_our_lock_goes_where_the_document_goes_and_is_freed_wherever_it_is(desk: Desk) -> None:
    document = await desk.id()
    await desk.claims.hold(document, "Ann")
    await desk.outside.files.move(document, "work/b.docx", if_match=None)
    assert await desk.claims.hold(document, "Ann") is None
    assert (desk.there(), desk.there("work/.~lock.b.docx#") is not None) == (None, True)
    await desk.outside.folders.move("work", "other")
    await desk.claims.free(document)
    assert desk.there("other/.~lock.b.docx#") is None
    assert await desk.claims.held() == {}


async def test_our_lock_is_freed_when_the_document_is_gone(desk: Desk) -> None:
    document = await desk.id()
    await desk.claims.hold(document, "Ann")
    await desk.outside.bin.discard(document, if_match=None, by="Ann", now=1.0)
    await desk.claims.free(document)
    assert (desk.there(), await desk.claims.held()) == (None, {})
    with pytest.raises(NotFound):
        await desk.claims.look(document)
    with pytest.raises(NotFound):
        await desk.claims.hold(document, "Ann")


async def test_locks_and_owner_files_are_no_documents(desk: Desk) -> None:
    await desk.claims.hold(await desk.id(), "Ann")
    desk.leave("work/~$a.docx", OWNER)
    desk.leave("work/.~lock.b.odt#", BOB)
    assert await desk.shown() == ["work/a.docx"]
    for name in ("work/~$a.docx", LOCK):
        with pytest.raises(NotFound):
            await desk.outside.files.stat(name)


async def test_a_name_that_leaves_no_room_for_a_lock_is_not_locked(desk: Desk) -> None:
    path = "work/" + "x" * 248 + ".docx"
    desk.outside.put(path, b"PK")
    document = await desk.id(path)
    assert is_id(document)
    assert await desk.claims.hold(document, "Ann") is None
    assert await desk.claims.held() == {}


async def test_whoever_replaces_a_file_is_told_at_the_last_moment_who_has_it_open(desk: Desk) -> None:
    document = await desk.id()
    stat, nobody = await desk.claims.find(document)
    draft = await desk.outside.files.draft(document)
    await draft.add(b"PK new")
    desk.leave(LOCK, BOB)
    asked: list[tuple[Stat, Claim | None]] = []

    def first(*found: Any) -> None:
        asked.append(found)
        raise Locked("by Bob")

    with pytest.raises(Locked, match="by Bob"):
        await draft.replace(document, if_match=stat.etag, first=first)
    assert asked == [await desk.claims.find(document)]
    assert asked[0][1] != nobody
    desk.outside.remove(LOCK)
    replaced = await draft.replace(document, if_match=stat.etag, first=lambda *found: asked.append(found))
    await draft.discard()
    assert asked[1:] == [(stat, None)]
    assert desk.outside.body("work/a.docx") == b"PK new"
    if replaced.former is not None:
        await replaced.former.end()


async def test_a_folder_cannot_be_claimed(anywhere: Desk) -> None:
    with pytest.raises(NotFound):
        await anywhere.claims.look("work")
    with pytest.raises(NotFound):
        await anywhere.claims.hold("work", "Ann")


async def test_where_no_lock_can_be_left_nobody_is_refused(tmp_path: Path) -> None:
    """The folder is read-only."""
    outside = OutsideLocal(tmp_path)
    desk = Desk(outside)
    document = await desk.id()
    (outside.root / "work").chmod(0o555)
    try:
        files: LocalFiles = outside.files
        assert await LocalClaims(files).hold(document, "Ann") is None
        assert await LocalClaims(files).held() == {}
    finally:
        (outside.root / "work").chmod(0o755)
        await outside.close()
