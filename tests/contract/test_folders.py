"""What every storage of folders does (FILE-13)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from collab.errors import Exists, Malformed, NotFound

if TYPE_CHECKING:
    from folders import Outside, OutsideCloud
LIMIT = 2**20


async def tree(outside: Outside, path: str = "") -> list[str]:
    """Every path that is shown."""
    found = []
    for entry in await outside.files.list(path):
        found += [entry.path, *(await tree(outside, entry.path) if entry.folder else [])]
    return found


async def test_a_folder_is_made_where_nothing_is(outside: Outside) -> None:
    outside.put("a.md", b"one")
    made = await outside.folders.make("new")
    assert (made.path, made.folder, made.id, made.type) == ("new", True, "", "inode/directory")
    assert (await outside.folders.make("new/deeper é")).path == "new/deeper é"
    assert (await outside.files.write("new/deeper é/x.md", b"x", if_match=None)).stat.size == 1
    for taken in ("new", "a.md", "new/deeper é"):
        with pytest.raises(Exists):
            await outside.folders.make(taken)
    for nowhere in ("none/x", "a.md/x"):
        with pytest.raises(NotFound):
            await outside.folders.make(nowhere)
    assert await tree(outside) == ["a.md", "new", "new/deeper é", "new/deeper é/x.md"]


@pytest.mark.parametrize("name", ["", ".hidden", "a/../b", "/a", "a//b", "x" * 256, "id:" + "z" * 26, "a\0b", ".collab-bin"])
async def test_a_name_that_can_be_none_makes_no_folder(outside: Outside, name: str) -> None:
    outside.put("sub/a.md", b"one")
    with pytest.raises(Malformed):
        await outside.folders.make(name)
    with pytest.raises(Malformed):
        await outside.folders.move("sub", name)
    assert await tree(outside) == ["sub", "sub/a.md"]


async def test_all_that_is_in_a_folder_moves_with_it_and_keeps_its_ids(outside: Outside) -> None:
    for path in ("sub/a.md", "sub/deep/b.md", "subway/c.md", "sub0.md", "other/x.md"):
        outside.put(path, path.encode())
    known = {path: (await outside.files.stat(path)).id for path in ("sub/a.md", "sub/deep/b.md", "subway/c.md", "sub0.md")}
    moved = await outside.folders.move("sub", "other/new")
    assert (moved.path, moved.folder) == ("other/new", True)
    assert await tree(outside) == [
        *("other", "other/new", "other/new/a.md", "other/new/deep", "other/new/deep/b.md", "other/x.md"),
        *("sub0.md", "subway", "subway/c.md"),
    ]
    after = {path: (await outside.files.stat(identity)).path for path, identity in known.items()}
    assert after == {
        "sub/a.md": "other/new/a.md",
        "sub/deep/b.md": "other/new/deep/b.md",
        "subway/c.md": "subway/c.md",
        "sub0.md": "sub0.md",
    }
    outside.restart()
    assert (await outside.files.stat("other/new/a.md")).id == known["sub/a.md"]
    outside.put("sub/a.md", b"another")
    assert (await outside.files.stat("sub/a.md")).id not in known.values()


async def test_a_file_that_nobody_looked_at_moves_with_its_folder_too(outside: Outside) -> None:
    outside.put("sub/a.md", b"one")
    await outside.folders.move("sub", "new")
    assert (await outside.files.read("new/a.md", limit=LIMIT)).body == b"one"


async def test_what_a_write_displaced_is_still_held_when_its_folder_moved(folder: Outside) -> None:
    folder.put("sub/a.md", b"one")
    late = folder.writer("sub/a.md")
    displaced = (await folder.files.write("sub/a.md", b"two", if_match=sha256(b"one").hexdigest())).displaced
    await folder.folders.move("sub", "new")
    assert displaced is not None
    late(b"one and more")
    assert await displaced.reread() == b"one and more"
    await displaced.discard()
    folder.restart()
    assert (await folder.files.read("new/a.md", limit=LIMIT)).leftovers == ()


async def test_a_folder_does_not_go_where_a_document_in_it_would_have_too_long_a_path(outside: Outside) -> None:
    inside = "/".join(["sub", *["x" * 200] * 4, "a.md"])
    outside.put(inside, b"one")
    await outside.folders.make("y" * 250)
    known = (await outside.files.stat(inside)).id
    with pytest.raises(Malformed):
        await outside.folders.move("sub", "y" * 250 + "/sub")
    assert (await outside.files.stat(known)).path == inside


async def test_a_folder_does_not_come_back_where_a_document_in_it_would_have_too_long_a_path(folder: Outside) -> None:
    """What is in a deleted folder, a cloud does not tell."""
    inside = "/".join(["sub", *["x" * 200] * 4, "a.md"])
    folder.put(inside, b"one")
    await folder.folders.make("y" * 250)
    known = (await folder.files.stat(inside)).id
    entry = await folder.bin.discard("sub", if_match=None, by="Ann", now=1.0)
    with pytest.raises(Malformed):
        await folder.bin.restore(entry.key, "y" * 250 + "/sub")
    await folder.bin.restore(entry.key, None)
    assert (await folder.files.stat(inside)).id == known


async def test_a_folder_takes_nobodys_place(outside: Outside) -> None:
    for path in ("sub/a.md", "other/b.md", "c.md"):
        outside.put(path, b"one")
    await outside.folders.make("empty")
    for taken in ("other", "c.md", "empty", "other/b.md"):
        with pytest.raises(Exists):
            await outside.folders.move("sub", taken)
    for nowhere in ("none/sub", "c.md/sub"):
        with pytest.raises(NotFound):
            await outside.folders.move("sub", nowhere)
    assert await tree(outside) == ["c.md", "empty", "other", "other/b.md", "sub", "sub/a.md"]


async def test_a_folder_is_not_moved_into_itself(outside: Outside) -> None:
    outside.put("sub/a.md", b"one")
    for inside in ("sub/new", "sub/deep/er"):
        with pytest.raises(Malformed):
            await outside.folders.move("sub", inside)
    with pytest.raises(Malformed):
        await outside.folders.move("", "new")
    assert (await outside.folders.move("sub", "sub")).path == "sub"
    assert (await outside.folders.move("sub", "subway")).path == "subway"


async def test_a_file_is_no_folder(outside: Outside) -> None:
    outside.put("a.md", b"one")
    for name in ("a.md", "none", ".hidden"):
        with pytest.raises(NotFound):
            await outside.folders.move(name, "new")


async def test_a_document_that_vanished_unseen_does_not_keep_its_place_from_one_that_is_moved_there(outside: Outside) -> None:
    outside.put("sub/a.md", b"one")
    outside.put("new/a.md", b"two")
    one, two = await outside.files.stat("sub/a.md"), await outside.files.stat("new/a.md")
    outside.rename("new", "old")
    await outside.folders.move("sub", "new")
    assert (await outside.files.stat("new/a.md")).id == one.id
    outside.time.pass_(2.1)
    assert (await outside.files.stat(one.id)).path == "new/a.md"
    assert (await outside.files.stat("old/a.md")).id == two.id


# --- ids of folders


async def test_a_folder_has_an_id_that_survives_renames_by_us_and_by_others(outside: Outside) -> None:
    for path in ("sub/deep/a.md", "other/b.md", "subway/c.md"):
        outside.put(path, b"one")
    paths = ["", "sub", "sub/deep", "other", "subway"]
    root, sub, deep, other, subway = await outside.folders.identify(paths)
    assert root == ""
    assert len({sub, deep, other, subway}) == 4
    assert all(re.fullmatch("id:[a-z]{26}", each) for each in (sub, deep, other, subway))
    assert await outside.folders.identify(paths) == [root, sub, deep, other, subway]
    await outside.folders.move("sub", "other/new")
    assert await outside.folders.identify(["other/new", "other/new/deep", "subway"]) == [sub, deep, subway]
    outside.restart()
    outside.rename("other", "elsewhere")
    found = {each: (await outside.folders.find(each)).path for each in (root, sub, deep, other, subway)}
    assert found == {root: "", sub: "elsewhere/new", deep: "elsewhere/new/deep", other: "elsewhere", subway: "subway"}
    assert await outside.folders.identify(["elsewhere/new", "elsewhere"]) == [sub, other]
    assert (await outside.folders.find(sub)).folder


async def test_a_folder_that_takes_anothers_place_is_not_that_one(outside: Outside) -> None:
    for path in ("sub/a.md", "other/b.md"):
        outside.put(path, b"one")
    sub, other = await outside.folders.identify(["sub", "other"])
    outside.rename("sub", "old")
    outside.rename("other", "sub")
    assert await outside.folders.identify(["sub", "old"]) == [other, sub]
    outside.put("other/c.md", b"one")
    assert await outside.folders.identify(["other"]) != [other]
    outside.rename("old", "older")
    outside.put("old/c.md", b"one")
    assert (await outside.folders.identify(["old"]))[0] not in {sub, other}
    assert (await outside.folders.find(sub)).path == "older"


async def test_a_folder_that_was_made_anew_in_its_place_is_the_same(folder: Outside) -> None:
    await folder.folders.make("sub")
    (sub,) = await folder.folders.identify(["sub"])
    entry = await folder.bin.discard("sub", if_match=None, by="Ann", now=1.0)
    await folder.bin.purge(entry.key)
    with pytest.raises(NotFound):
        await folder.folders.find(sub)
    folder.put("x/a.md", b"one")
    (before,) = await folder.folders.identify(["x"])
    folder.clear("x")
    with pytest.raises(NotFound):
        await folder.folders.find(before)
    folder.put("x/a.md", b"one")
    assert await folder.folders.identify(["x"]) == [before]
    assert (await folder.folders.find(before)).path == "x"


async def test_a_folder_of_a_cloud_that_was_made_anew_in_its_place_is_another(cloud: OutsideCloud) -> None:
    """CS3-2."""
    cloud.put("x/a.md", b"one")
    (before,) = await cloud.folders.identify(["x"])
    cloud.clear("x")
    with pytest.raises(NotFound):
        await cloud.folders.find(before)
    cloud.put("x/a.md", b"one")
    assert await cloud.folders.identify(["x"]) != [before]
    with pytest.raises(NotFound):
        await cloud.folders.find(before)


async def test_a_folder_in_the_bin_is_not_found_and_keeps_its_id(outside: Outside) -> None:
    outside.put("sub/deep/a.md", b"one")
    sub, deep = await outside.folders.identify(["sub", "sub/deep"])
    entry = await outside.bin.discard("sub", if_match=None, by="Ann", now=1.0)
    for gone in (sub, deep):
        with pytest.raises(NotFound):
            await outside.folders.find(gone)
    outside.put("sub/b.md", b"two")
    assert (await outside.folders.identify(["sub"]))[0] not in {sub, deep}
    with pytest.raises(NotFound):
        await outside.folders.find(sub)
    await outside.bin.restore(entry.key, "back")
    assert [(await outside.folders.find(each)).path for each in (sub, deep)] == ["back", "back/deep"]


async def test_what_is_no_folder_has_no_id(outside: Outside) -> None:
    outside.put("a.md", b"one")
    for name in ("a.md", "none", ".collab-bin", "a.md/x"):
        with pytest.raises(NotFound):
            await outside.folders.identify([name])
    for identity in ((await outside.files.stat("a.md")).id, "id:" + "z" * 26, "sub", "x\ud800"):
        with pytest.raises(NotFound):
            await outside.folders.find(identity)
    outside.put("sub/a.md", b"one")
    (sub,) = await outside.folders.identify(["sub"])
    outside.rename("sub", "gone")
    outside.put("sub", b"a file")
    assert (await outside.folders.find(sub)).path == "gone"
    outside.clear("gone")
    with pytest.raises(NotFound):
        await outside.folders.find(sub)
