"""What every bin does (FILE-11, FILE-12)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from collab.errors import Changed, CollabError, Denied, Exists, Malformed, NotFound

if TYPE_CHECKING:
    from folders import Outside, OutsideCloud

    from collab.ports import Binned

LIMIT = 2**20


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


async def discard(outside: Outside, name: str, *, if_match: str | None = None, now: float = 1000.0) -> Binned:
    return await outside.bin.discard(name, if_match=if_match, by="Ann", now=now)


async def shown(outside: Outside, path: str = "") -> list[str]:
    return [entry.path for entry in await outside.files.list(path)]


# Into the bin


async def test_a_file_in_the_bin_is_not_found_and_is_listed_there(outside: Outside) -> None:
    outside.put("notes/a.md", b"one")
    stat = await outside.files.stat("notes/a.md")
    binned = await discard(outside, stat.id, if_match=stat.etag, now=1234.5)
    assert (binned.path, binned.type, binned.size, binned.deleted, binned.by) == ("notes/a.md", "text/markdown", 3, 1234.5, "Ann")
    assert (binned.documents, binned.folder) == ((stat.id,), False)
    assert await outside.bin.entries() == [binned]
    for seconds in (0.0, 3.0, 3.0):
        outside.time.pass_(seconds)
        for name in ("notes/a.md", stat.id):
            with pytest.raises(NotFound):
                await outside.files.stat(name)
            with pytest.raises(NotFound):
                await outside.files.write(name, b"two", if_match=stat.etag)
            with pytest.raises(NotFound):
                await discard(outside, name)
    assert await shown(outside, "notes") == []
    assert await shown(outside) == ["notes"]


async def test_nothing_in_the_bin_can_be_named(outside: Outside) -> None:
    outside.put("a.md", b"one")
    binned = await discard(outside, "a.md")
    for name in (".collab-bin", f".collab-bin/{binned.key}", f".collab-bin/{binned.key}/a.md"):
        with pytest.raises(NotFound):
            await outside.files.stat(name)
        with pytest.raises(NotFound):
            await outside.files.list(name)
        with pytest.raises(NotFound):
            await discard(outside, name)
        with pytest.raises(NotFound):
            await outside.folders.move(name, "mine")
    assert await outside.bin.entries() == [binned]


async def test_only_the_expected_file_goes_into_the_bin(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.put("b.md", b"one")
    outside.protect("b.md")
    with pytest.raises(Changed):
        await discard(outside, "a.md", if_match=etag(b"other"))
    with pytest.raises(Denied):
        await discard(outside, "b.md")
    with pytest.raises(Malformed):
        await discard(outside, "")
    for name in ("none.md", ".hidden", "id:" + "z" * 26):
        with pytest.raises(NotFound):
            await discard(outside, name)
    assert await outside.bin.entries() == []
    assert await shown(outside) == ["a.md", "b.md"]


async def test_a_folder_is_one_entry_with_all_in_it(outside: Outside) -> None:
    for path in ("sub/a.md", "sub/deep/b.md", "subway/c.md"):
        outside.put(path, b"one")
    ids = [(await outside.files.stat(path)).id for path in ("sub/a.md", "sub/deep/b.md")]
    binned = await discard(outside, "sub")
    assert (binned.path, binned.type, binned.size, binned.folder) == ("sub", "inode/directory", 0, True)
    assert sorted(binned.documents) == sorted(ids)
    assert await outside.bin.entries() == [binned]
    assert await shown(outside) == ["subway"]
    for name in ("sub", "sub/a.md", *ids):
        with pytest.raises(NotFound):
            await outside.files.stat(name)


async def test_the_newest_is_first_and_the_same_path_may_be_there_often(folder: Outside) -> None:
    keys = []
    for now in (30.0, 10.0, 20.0):
        folder.put("a.md", b"%d" % now)
        keys.append((await discard(folder, "a.md", now=now)).key)
    folder.restart()
    assert [entry.key for entry in await folder.bin.entries()] == [keys[0], keys[2], keys[1]]
    assert [entry.deleted for entry in await folder.bin.entries()] == [30.0, 20.0, 10.0]
    assert len(set(keys)) == 3


async def test_the_newest_in_the_bin_of_a_cloud_is_first_by_its_own_clock_and_the_same_path_may_be_there_often(cloud: OutsideCloud) -> None:
    keys = []
    for number in range(3):
        cloud.put("a.md", b"%d" % number)
        keys.append((await discard(cloud, "a.md", now=cloud.time.now)).key)
        cloud.time.pass_(10.0)
    assert [(entry.key, entry.by) for entry in await cloud.bin.entries()] == [(key, "Ann") for key in reversed(keys)]
    cloud.restart()
    # Who it was, a cloud does not tell.
    assert [(entry.key, entry.by) for entry in await cloud.bin.entries()] == [(key, "") for key in reversed(keys)]
    assert len(set(keys)) == 3


async def test_what_is_made_in_the_old_place_is_another_document(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    binned = await discard(outside, "a.md")
    made = (await outside.files.write("a.md", b"one", if_match=None)).stat
    assert made.id != stat.id
    with pytest.raises(Exists):
        await outside.bin.restore(binned.key, None)
    restored = await outside.bin.restore(binned.key, "old a.md")
    assert (restored.id, restored.path) == (stat.id, "old a.md")
    assert (await outside.files.stat("a.md")).id == made.id


async def test_a_file_whose_name_reads_like_an_id_comes_back_under_another(outside: Outside) -> None:
    outside.put("id:" + "z" * 26, b"one")
    (stat,) = await outside.files.list("")
    entry = await discard(outside, stat.id)
    assert await outside.bin.entries() == [entry]
    with pytest.raises(Malformed):
        await outside.bin.restore(entry.key, None)
    assert (await outside.bin.restore(entry.key, "a.md")).id == stat.id


# Out of the bin


@pytest.mark.parametrize("restart", [True, False])
async def test_a_restored_file_is_the_same_document_in_its_place(outside: Outside, *, restart: bool) -> None:
    outside.put("notes/a.md", b"one")
    stat = await outside.files.stat("notes/a.md")
    binned = await discard(outside, "notes/a.md")
    if restart:
        outside.restart()
    restored = await outside.bin.restore(binned.key, None)
    assert (restored.id, restored.path, restored.etag, restored.size) == (stat.id, "notes/a.md", stat.etag, 3)
    assert await outside.files.stat(stat.id) == restored
    assert outside.body("notes/a.md") == b"one"
    assert await outside.bin.entries() == []
    with pytest.raises(NotFound):
        await outside.bin.restore(binned.key, None)


async def test_a_document_is_itself_though_it_was_in_the_bin_for_a_year(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    binned = await discard(outside, "a.md")
    outside.time.pass_(365 * 86400.0)
    outside.restart()
    with pytest.raises(NotFound):
        await outside.files.stat(stat.id)
    assert (await outside.bin.restore(binned.key, None)).id == stat.id


async def test_a_restored_folder_has_everything_in_its_place(outside: Outside) -> None:
    for path in ("sub/a.md", "sub/deep/b.md"):
        outside.put(path, path.encode())
    known = {path: (await outside.files.stat(path)).id for path in ("sub/a.md", "sub/deep/b.md")}
    binned = await discard(outside, "sub")
    restored = await outside.bin.restore(binned.key, None)
    assert (restored.path, restored.folder) == ("sub", True)
    assert {path: (await outside.files.stat(identity)).path for path, identity in known.items()} == {path: path for path in known}
    assert outside.body("sub/deep/b.md") == b"sub/deep/b.md"
    again = await discard(outside, "sub")
    await outside.bin.restore(again.key, "elsewhere/new")
    assert (await outside.files.stat(known["sub/deep/b.md"])).path == "elsewhere/new/deep/b.md"


async def test_missing_folders_around_what_is_restored_are_made_again(outside: Outside) -> None:
    outside.put("one/two/a.md", b"one")
    binned, folder = await discard(outside, "one/two/a.md", now=1.0), await discard(outside, "one", now=2.0)
    assert (await outside.bin.restore(binned.key, None)).path == "one/two/a.md"
    with pytest.raises(Exists):
        await outside.bin.restore(folder.key, None)
    assert (await outside.bin.restore(folder.key, "three/four/one")).path == "three/four/one"
    assert await shown(outside, "three/four/one") == ["three/four/one/two"]


async def test_what_is_restored_takes_nobodys_place(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.put("sub/x.md", b"x")
    binned = await discard(outside, "a.md")
    outside.put("a.md", b"two")
    for path in (None, "a.md", "sub", "sub/x.md"):
        with pytest.raises(Exists):
            await outside.bin.restore(binned.key, path)
    for path in ("", ".hidden", "a/../b", "id:" + "z" * 26):
        with pytest.raises(Malformed):
            await outside.bin.restore(binned.key, path)
    with pytest.raises(NotFound):
        await outside.bin.restore(binned.key, "sub/x.md/below")
    assert await outside.bin.entries() == [binned]
    assert outside.body("a.md") == b"two"


@pytest.mark.parametrize("key", ["", "x", "z" * 26, "..", "../x", "Z" * 26, "a\0b", "é"])
async def test_a_key_of_nothing_is_not_found(outside: Outside, key: str) -> None:
    outside.put("a.md", b"one")
    await discard(outside, "a.md")
    with pytest.raises(NotFound):
        await outside.bin.restore(key, None)
    with pytest.raises(NotFound):
        await outside.bin.purge(key)
    assert len(await outside.bin.entries()) == 1


async def test_what_a_write_displaced_goes_along_and_comes_back(folder: Outside) -> None:
    folder.put("a.md", b"one")
    await folder.files.write("a.md", b"two", if_match=etag(b"one"))
    binned = await discard(folder, "a.md")
    folder.restart()
    await folder.bin.restore(binned.key, "sub/b.md")
    assert [leftover.body for leftover in (await folder.files.read("sub/b.md", limit=LIMIT)).leftovers] == [b"one"]


async def test_what_a_write_displaced_is_still_held_while_its_file_is_in_the_bin(folder: Outside) -> None:
    folder.put("a.md", b"one")
    late = folder.writer("a.md")
    displaced = (await folder.files.write("a.md", b"two", if_match=etag(b"one"))).displaced
    binned = await discard(folder, "a.md")
    assert displaced is not None
    late(b"one and more")
    assert await displaced.reread() == b"one and more"
    await displaced.discard()
    await folder.bin.restore(binned.key, None)
    folder.restart()
    assert (await folder.files.read("a.md", limit=LIMIT)).leftovers == ()


# Gone


async def test_what_is_purged_is_gone_for_good(outside: Outside) -> None:
    for path in ("a.md", "sub/b.md", "sub/deep/c.md", "kept.md"):
        outside.put(path, path.encode())
    ids = {path: (await outside.files.stat(path)).id for path in ("a.md", "sub/b.md", "sub/deep/c.md", "kept.md")}
    kept, file, folder = await discard(outside, "kept.md", now=1.0), await discard(outside, "a.md"), await discard(outside, "sub")
    assert await outside.bin.purge(file.key) == [ids["a.md"]]
    assert sorted(await outside.bin.purge(folder.key)) == sorted([ids["sub/b.md"], ids["sub/deep/c.md"]])
    assert await outside.bin.entries() == [kept]
    for key in (file.key, folder.key):
        with pytest.raises(NotFound):
            await outside.bin.restore(key, None)
        with pytest.raises(NotFound):
            await outside.bin.purge(key)
    outside.put("a.md", b"a.md")
    assert (await outside.files.stat("a.md")).id not in ids.values()
    with pytest.raises(NotFound):
        await outside.files.stat(ids["a.md"])
    assert (await outside.bin.restore(kept.key, None)).id == ids["kept.md"]


# Somebody else in the bin


async def test_a_file_that_somebody_takes_out_of_the_bin_is_the_same_document_wherever_it_is(folder: Outside) -> None:
    folder.put("a.md", b"one")
    folder.put("sub/x.md", b"x")
    stat = await folder.files.stat("a.md")
    binned = await discard(folder, "a.md")
    folder.rename(f".collab-bin/{binned.key}/a.md", "sub/back.md")
    assert (await folder.files.stat("sub/back.md")).id == stat.id
    folder.time.pass_(2.1)
    assert (await folder.files.stat("sub/back.md")).id == stat.id
    assert (await folder.files.stat(stat.id)).path == "sub/back.md"
    assert await folder.bin.entries() == []
    for act in (folder.bin.restore(binned.key, None), folder.bin.purge(binned.key)):
        with pytest.raises(NotFound):
            await act
    assert await folder.bin.mend() == []
    assert (await folder.files.stat(stat.id)).path == "sub/back.md"


async def test_a_file_that_somebody_takes_out_of_a_deleted_folder_stays_when_the_folder_is_purged(folder: Outside) -> None:
    for path in ("sub/a.md", "sub/b.md"):
        folder.put(path, b"one")
    a, b = await folder.files.stat("sub/a.md"), await folder.files.stat("sub/b.md")
    binned = await discard(folder, "sub")
    folder.rename(f".collab-bin/{binned.key}/sub/a.md", "a.md")
    assert await folder.bin.purge(binned.key) == [b.id]
    assert (await folder.files.stat("a.md")).id == a.id


async def test_an_entry_that_somebody_removed_is_not_listed(folder: Outside) -> None:
    folder.put("a.md", b"one")
    stat = await folder.files.stat("a.md")
    binned = await discard(folder, "a.md")
    folder.remove(f".collab-bin/{binned.key}/a.md")
    assert await folder.bin.entries() == []
    for seconds in (0.0, 2.1, 2.1):
        folder.time.pass_(seconds)
        with pytest.raises(NotFound):
            await folder.files.stat(stat.id)


async def test_what_somebody_takes_out_of_the_bin_of_a_cloud_is_the_same_document(cloud: OutsideCloud) -> None:
    cloud.put("a.md", b"one")
    cloud.put("b.md", b"two")
    stat = await cloud.files.stat("a.md")
    binned, other = await discard(cloud, "a.md"), await discard(cloud, "b.md")
    space = cloud.cloud.space("ann")
    cloud.cloud.restore(space, stat_key(cloud, "a.md"), space.root, "back.md")
    cloud.cloud.purge(space, stat_key(cloud, "b.md"))
    assert (await cloud.files.stat(stat.id)).path == "back.md"
    assert await cloud.bin.entries() == []
    for key in (binned.key, other.key):
        with pytest.raises(NotFound):
            await cloud.bin.restore(key, None)
        with pytest.raises(NotFound):
            await cloud.bin.purge(key)


def stat_key(cloud: OutsideCloud, path: str) -> str:
    """As the cloud calls what is in its bin."""
    return next(key for key, each in cloud.cloud.space("ann").bin.items() if each.path == path)


async def test_mending_a_bin_that_is_whole_changes_nothing(outside: Outside) -> None:
    assert await outside.bin.mend() == []
    outside.put("a.md", b"one")
    outside.put("sub/b.md", b"one")
    stat = await outside.files.stat("sub/b.md")
    binned = [await discard(outside, "a.md", now=2.0), await discard(outside, "sub", now=1.0)]
    assert await outside.bin.mend() == []
    assert await outside.bin.entries() == binned
    with pytest.raises(NotFound):
        await outside.files.stat(stat.id)
    await outside.bin.restore(binned[1].key, None)
    assert (await outside.files.stat("sub/b.md")).id == stat.id


async def test_every_error_is_one_of_ours(outside: Outside) -> None:
    outside.put("a.md", b"one")
    binned = await discard(outside, "a.md")
    for name in ("/etc/passwd", "a\0b", "a\ud800", "x" * 300, "/".join(["d" * 100] * 11)):
        for act in (discard(outside, name), outside.bin.restore(binned.key, name), outside.folders.make(name)):
            with pytest.raises(CollabError):
                await act
