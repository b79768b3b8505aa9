"""Where the root is: one folder of a cloud, all spaces of the caller, or home on a server without spaces (CS3-14)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from folders import OutsideCloud

from collab.errors import Denied, Malformed, NotFound
from collab.gateway.resources import ResourceId
from collab.storage.cs3.acting import Lost
from collab.storage.cs3.bin import CloudBin
from collab.storage.cs3.cloud import Cloud
from collab.storage.cs3.files import CloudFiles
from collab.storage.cs3.folders import CloudFolders
from collab.storage.cs3.roots import SHARED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 1000


@pytest.fixture
async def outside() -> AsyncIterator[OutsideCloud]:
    made = OutsideCloud()
    await made.open()
    made.put("work/a.md", b"one")
    yield made
    await made.close()


def rooted(outside: OutsideCloud, root: str) -> Cloud:
    """The same user, at another root; connections are those of the first."""
    adapter = outside.adapter
    return Cloud(adapter.gateway, adapter.transfers, adapter.acting, outside.archive.resources, root=root, clock=adapter.clock)


async def test_each_space_is_a_folder_with_a_name_of_its_own(outside: OutsideCloud) -> None:
    """CS3-14."""
    for _ in range(2):
        outside.cloud.add_space("Group", owner="ann")
    outside.cloud.add_user("bob")
    outside.cloud.add_space("Bob's", owner="bob")
    outside.cloud.add_space("Shared", owner="bob", members={"ann": "viewer"})
    outside.cloud.put("Shared", "b.md", b"two")
    cloud = rooted(outside, "")
    files, folders = CloudFiles(cloud), CloudFolders(cloud)
    assert [(entry.path, entry.folder) for entry in await files.list("")] == [
        (name, True) for name in ("Group", "Group (2)", "Shared", "ann")
    ]
    assert (await files.stat("")).folder
    stat = await files.stat("ann/work/a.md")
    assert (await files.stat(stat.id)).path == "ann/work/a.md"
    assert stat.id == (await outside.files.stat("work/a.md")).id
    moved = await files.move(stat.id, "ann/b.md", if_match=stat.etag)
    assert (moved.path, (await files.stat(stat.id)).path) == ("ann/b.md", "ann/b.md")
    assert (await files.write("Group (2)/new.md", b"new", if_match=None)).stat.path == "Group (2)/new.md"
    assert not (await files.stat("Shared/b.md")).writable
    with pytest.raises(Denied):
        await files.write("Shared/b.md", b"x", if_match=sha256(b"two").hexdigest())
    for act in (
        files.write("c.md", b"", if_match=None),
        folders.make("new"),
        CloudBin(cloud).discard("ann", if_match=None, by="", now=1.0),
    ):
        with pytest.raises(Malformed):
            await act
    with pytest.raises(NotFound):
        await files.stat("Bob's")
    assert [(await folders.find(each)).path for each in await folders.identify(["", "ann", "ann/work"])] == ["", "ann", "ann/work"]
    binned = await CloudBin(cloud).discard(stat.id, if_match=None, by="Ann", now=5.0)
    other = await CloudBin(cloud).discard("Group (2)/new.md", if_match=None, by="Ann", now=6.0)
    assert {entry.path for entry in await CloudBin(cloud).entries()} == {"ann/b.md", "Group (2)/new.md"}
    assert (await CloudBin(cloud).restore(binned.key, "ann/sub/c.md")).id == stat.id
    await CloudBin(cloud).purge(other.key)
    assert await CloudBin(cloud).entries() == []


async def test_a_file_that_was_shared_alone_is_reached_by_its_id(outside: OutsideCloud) -> None:
    """CS3-14: somebody was given one file of a space that they do not see."""
    outside.cloud.add_user("bob")
    outside.cloud.put("bob", "deep/b.md", b"two")
    outside.cloud.share("bob", "deep/b.md", "ann", "editor")
    outside.cloud.add_space(SHARED, owner="ann")
    files = CloudFiles(rooted(outside, ""))
    assert [entry.path for entry in await files.list("")] == [f"{SHARED} (2)", "ann"]
    identity = outside.cloud.at("bob", "deep/b.md").id
    document = ResourceId(outside.cloud.storage, outside.cloud.space("bob").id, identity)
    await outside.archive.resources.remember({document.document: str(document)})
    stat = await files.stat(document.document)
    assert (stat.path, stat.writable) == (f"{SHARED}/b.md", True)
    await files.write(stat.id, b"three", if_match=sha256(b"two").hexdigest())
    assert outside.cloud.body("bob", "deep/b.md") == b"three"
    with pytest.raises(NotFound):
        await files.stat(stat.path)
    outside.cloud.unshare("bob", "deep/b.md", "ann")
    with pytest.raises(Lost):
        await files.stat(document.document)


async def test_a_folder_of_a_space_is_a_root_and_nothing_around_it_is_reached(outside: OutsideCloud) -> None:
    """CS3-14."""
    outside.put("other/b.md", b"two")
    node = outside.cloud.at("ann", "work")
    files = CloudFiles(rooted(outside, f"{outside.cloud.storage}${outside.cloud.space('ann').id}!{node.id}"))
    stat = await files.stat("a.md")
    assert (await files.stat(stat.id)).path == "a.md"
    elsewhere = (await outside.files.stat("other/b.md")).id
    for name in (elsewhere, "other/b.md"):
        with pytest.raises(NotFound):
            await files.read(name, limit=LIMIT)
    outside.gateway.moods.refuses["GetPath"] = "PERMISSION_DENIED"
    assert (await files.stat(stat.id)).path == "a.md"
    with pytest.raises(NotFound):
        await files.stat(elsewhere)


async def test_a_server_without_spaces_has_a_home_with_paths(outside: OutsideCloud) -> None:
    """CS3-14."""
    outside.gateway.moods.paths_only = True
    outside.gateway.moods.ignores_if_match = True
    for root, prefix in (("/home", ""), ("", "home/")):
        files = CloudFiles(rooted(outside, root))
        stat = await files.stat(f"{prefix}work/a.md")
        assert (await files.stat(stat.id)).path == f"{prefix}work/a.md"
        before = (await files.read(stat.id, limit=LIMIT)).body
        written = await files.write(stat.id, before + b"!", if_match=stat.etag)
        assert written.displaced is None
        assert (await files.move(stat.id, f"{prefix}b.md", if_match=written.stat.etag)).path == f"{prefix}b.md"
        await files.move(stat.id, f"{prefix}work/a.md", if_match=None)
    assert outside.body("work/a.md") == b"one!!"


async def test_a_hidden_folder_is_not_reached_by_the_id_of_what_is_in_it(outside: OutsideCloud) -> None:
    stat = await outside.files.stat("work/a.md")
    outside.cloud.make(outside.cloud.space("ann").root, ".hidden")
    outside.rename("work/a.md", ".hidden/a.md")
    with pytest.raises(NotFound):
        await outside.files.read(stat.id, limit=LIMIT)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("why", ["UNAVAILABLE", "PERMISSION_DENIED"])
async def test_what_is_deleted_is_in_the_bin_also_when_nobody_can_look_there_just_then(
    outside: OutsideCloud, *, many: bool, why: str
) -> None:
    """CS3-15: it is deleted by then, and whoever has it open must be told so."""
    cloud = rooted(outside, "" if many else outside.cloud.root_id(outside.SPACE))
    (stat,) = await CloudFiles(cloud).list("ann/work" if many else "work")
    outside.gateway.moods.refuses["ListRecycle"] = why
    binned = await CloudBin(cloud).discard(stat.id, if_match=None, by="Ann", now=5.0)
    assert (binned.path, binned.documents) == (stat.path, (stat.id,))
    del outside.gateway.moods.refuses["ListRecycle"]
    assert (await CloudBin(cloud).restore(binned.key, None)).id == stat.id
