"""What is said about documents, wherever it is kept: in memory, on SQLite, on PostgreSQL, in a cloud (META-1 to META-4)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from folders import OutsideCloud
from gateway.cloud import Lock
from postgres import Postgres, postgres

from collab.about import About, Change
from collab.archive.memory import MemoryArchive
from collab.archive.store import Archive
from collab.errors import Changed, Denied, Locked, NotFound, Unavailable, Unsupported
from collab.ports import Stat
from collab.storage.cs3.metadata import TRIED, CloudMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collab.ports import Metadata

__all__ = ["postgres"]

A, B = "id:" + "a" * 26, "id:" + "b" * 26
SAID = About(("Genome", "lab notes"), "First line\nsecond, with “quotes” and 🧬")
CHANGE = Change(SAID.tags, SAID.description)
NOTHING = About()


class Place:
    """Where it is kept, and two documents of which nothing is said."""

    def __init__(self, kind: str, metadata: Metadata, documents: tuple[str, str], cloud: OutsideCloud | None, archive: Any) -> None:
        self.kind, self.metadata, self.documents, self.cloud, self.archive = kind, metadata, documents, cloud, archive

    @property
    def one(self) -> str:
        return self.documents[0]

    def stats(self) -> list[Stat]:
        paths = ("work/a.md", "work/b.md")
        found = [Stat(each, path, "text/markdown", 1, "", 0.0) for each, path in zip(self.documents, paths, strict=True)]
        return [*found, Stat("", "work", "inode/directory", 0, "", 0.0, folder=True)]


async def in_cloud() -> Place:
    outside = OutsideCloud()
    await outside.open()
    for path in ("work/a.md", "work/b.md"):
        outside.put(path, b"text")
    documents = ((await outside.files.stat("work/a.md")).id, (await outside.files.stat("work/b.md")).id)
    return Place("cs3", CloudMetadata(outside.adapter, lambda: outside.time.ticks), documents, outside, None)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "cs3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "cs3":
        made = await in_cloud()
        yield made
        assert made.cloud is not None
        await made.cloud.close()
        return
    if request.param == "memory":
        archive: Any = MemoryArchive()
    else:
        server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
        archive = Archive(server.empty() if server is not None else f"sqlite:///{tmp_path / 'archive.sqlite'}")
    yield Place(request.param, archive.metadata, (A, B), None, archive)
    await archive.close()


async def test_what_is_said_is_there_until_something_else_is(place: Place) -> None:
    """META-1."""
    metadata, one = place.metadata, place.one
    assert await metadata.get(one) == NOTHING
    assert await metadata.put(one, CHANGE) == SAID
    assert await metadata.get(one) == SAID
    assert await metadata.get(place.documents[1]) == NOTHING
    assert await metadata.put(one, Change(("other",))) == About(("other",), SAID.description)
    assert await metadata.put(one, Change(description="short")) == About(("other",), "short")
    assert await metadata.put(one, Change()) == About(("other",), "short")
    assert await metadata.put(one, Change((), "")) == NOTHING
    assert await metadata.get(one) == NOTHING


async def test_of_many_it_is_told_at_once_where_there_is_something(place: Place) -> None:
    one, other = place.documents
    assert await place.metadata.of(place.stats()) == {}
    await place.metadata.put(one, CHANGE)
    assert await place.metadata.of(place.stats()) == {one: SAID}
    assert await place.metadata.of(place.stats()[:1]) == {one: SAID}
    await place.metadata.put(other, Change(("x",)))
    assert await place.metadata.of(place.stats()) == {one: SAID, other: About(("x",))}
    assert await place.metadata.of([]) == {}


async def test_a_change_of_what_was_read_before_somebody_else_changed_it_is_refused(place: Place) -> None:
    """META-2."""
    one = place.one
    await place.metadata.put(one, CHANGE, before=NOTHING)
    with pytest.raises(Changed):
        await place.metadata.put(one, Change(("late",)), before=NOTHING)
    assert await place.metadata.get(one) == SAID
    assert await place.metadata.put(one, Change(("next",)), before=SAID) == About(("next",), SAID.description)


async def test_of_two_who_change_different_fields_at_once_both_count(place: Place) -> None:
    """META-2: the last one counts, field by field."""
    one = place.one
    await asyncio.gather(place.metadata.put(one, Change(SAID.tags)), place.metadata.put(one, Change(description=SAID.description)))
    assert await place.metadata.get(one) == SAID


async def test_what_the_archive_forgets_of_a_document_is_forgotten(place: Place) -> None:
    """META-1: what is purged."""
    if place.archive is None:
        assert place.cloud is not None
        place.cloud.remove("work/a.md")
        with pytest.raises(NotFound):
            await place.metadata.get(place.one)
        return
    await place.metadata.put(place.one, CHANGE)
    await place.metadata.put(place.documents[1], CHANGE)
    await place.archive.bases.forget(place.one)
    assert await place.metadata.of(place.stats()) == {place.documents[1]: SAID}


async def test_an_archive_that_is_away_says_so() -> None:
    archive = MemoryArchive()
    archive.refuse("the disk is away")
    with pytest.raises(Unavailable, match="the disk is away"):
        await archive.metadata.get(A)


# In a cloud


@pytest.fixture
async def cloud() -> AsyncIterator[Place]:
    made = await in_cloud()
    yield made
    assert made.cloud is not None
    await made.cloud.close()


def node(place: Place) -> Any:
    assert place.cloud is not None
    return place.cloud.cloud.at("ann", "work/a.md")


async def test_in_a_cloud_it_stands_under_keys_of_ours_and_those_of_others_stay(cloud: Place) -> None:
    """META-3."""
    there = node(cloud)
    there.metadata = {"tags": "theirs", "http://owncloud.org/ns/favorite": "1"}
    assert await cloud.metadata.get(cloud.one) == NOTHING
    await cloud.metadata.put(cloud.one, CHANGE)
    assert there.metadata == {
        "tags": "theirs",
        "http://owncloud.org/ns/favorite": "1",
        "collab.tags": "Genome,lab notes",
        "collab.description": SAID.description,
    }
    await cloud.metadata.put(cloud.one, Change((), ""))
    assert there.metadata == {"tags": "theirs", "http://owncloud.org/ns/favorite": "1"}


async def test_in_a_cloud_it_stays_with_the_file_through_saves_renames_and_the_bin(cloud: Place) -> None:
    """META-1."""
    assert cloud.cloud is not None
    files, trash = cloud.cloud.files, cloud.cloud.bin
    await cloud.metadata.put(cloud.one, CHANGE)
    stat = await files.stat(cloud.one)
    await files.write(cloud.one, b"saved", if_match=stat.etag)
    await files.move(cloud.one, "work/renamed.md", if_match=None)
    assert await cloud.metadata.get(cloud.one) == SAID
    binned = await trash.discard(cloud.one, if_match=None, by="Ann", now=time.time())
    with pytest.raises(NotFound):
        await cloud.metadata.get(cloud.one)
    await trash.restore(binned.key, None)
    assert await cloud.metadata.get(cloud.one) == SAID


async def test_in_a_cloud_what_others_wrote_under_our_keys_is_read_as_far_as_it_goes(cloud: Place) -> None:
    node(cloud).metadata = {"collab.tags": f"a, A ,b\n c,,{'x' * 60},\0", "collab.description": "y" * 2000}
    assert await cloud.metadata.get(cloud.one) == About(("a", "b c"), "y" * 1000)
    node(cloud).metadata = {"collab.tags": "ok", "collab.description": "\0"}
    assert await cloud.metadata.get(cloud.one) == About(("ok",))


@pytest.mark.parametrize("how", ["lacks", "status", "denied", "deaf"])
async def test_a_cloud_that_keeps_nothing_of_the_kind_says_so_and_everything_else_goes_on(cloud: Place, how: str) -> None:
    """META-4."""
    assert cloud.cloud is not None
    moods, time_ = cloud.cloud.gateway.moods, cloud.cloud.time
    if how == "lacks":
        moods.lacks.add("SetArbitraryMetadata")
    elif how == "deaf":
        moods.deaf_metadata = True
    else:
        moods.refuses["SetArbitraryMetadata"] = "UNIMPLEMENTED" if how == "status" else "PERMISSION_DENIED"
    with pytest.raises(Unsupported, match="keeps neither tags nor descriptions"):
        await cloud.metadata.put(cloud.one, CHANGE)
    with pytest.raises(Unsupported):
        await cloud.metadata.get(cloud.one)
    assert await cloud.metadata.of(cloud.stats()[:1]) == {}
    assert (await cloud.cloud.files.stat(cloud.one)).id == cloud.one
    assert (await cloud.cloud.files.read(cloud.one, limit=100)).body == b"text"
    moods.refuses.clear()
    moods.deaf_metadata = False
    time_.pass_(TRIED + 1)
    assert await cloud.metadata.get(cloud.one) == NOTHING
    if how != "lacks":
        assert await cloud.metadata.put(cloud.one, CHANGE) == SAID


async def test_in_a_cloud_a_lock_of_ours_is_no_hindrance_and_another_application_s_is(cloud: Place) -> None:
    """META-4, CS3-11."""
    assert cloud.cloud is not None
    there, adapter = node(cloud), cloud.cloud.adapter
    there.lock = Lock("theirs", "Other", until=cloud.cloud.time.now + 60)
    with pytest.raises(Locked):
        await cloud.metadata.put(cloud.one, CHANGE)
    there.lock = None
    async with adapter.acts(cloud.one) as token:
        assert await adapter.locks.take(token, await adapter.resource(cloud.one), "room") is None
    assert await cloud.metadata.put(cloud.one, CHANGE) == SAID
    assert there.lock is not None


async def test_in_a_cloud_who_may_not_write_changes_nothing(cloud: Place) -> None:
    node(cloud).writable = False
    with pytest.raises(Denied):
        await cloud.metadata.put(cloud.one, CHANGE)
    assert await cloud.metadata.get(cloud.one) == NOTHING
    assert node(cloud).metadata == {}


async def test_of_two_changes_of_the_same_moment_the_second_is_refused_in_a_cloud_too() -> None:
    """META-2: a cloud compares nothing; what one server asks of it comes in turn."""
    place = await in_cloud()
    assert place.cloud is not None
    let = place.cloud.gateway.moods.holds["SetArbitraryMetadata"] = asyncio.Event()
    try:
        changes = [asyncio.ensure_future(place.metadata.put(place.one, Change((tag,), None), before=NOTHING)) for tag in ("Ann's", "Bob's")]
        # Both have looked by now, or the second waits for the first.
        await asyncio.wait(changes, timeout=1)
        let.set()
        first, second = await asyncio.gather(*changes, return_exceptions=True)
        assert isinstance(second, Changed)
        assert first == await place.metadata.get(place.one) == About(("Ann's",))
    finally:
        await place.cloud.close()
