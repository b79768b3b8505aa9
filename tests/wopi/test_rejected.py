"""Bodies that no document could take are kept beside it, at most one an hour, and none is lost (WOPI-1)."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from runtime.stage import Stage, soon

from collab.access import Person, Role
from collab.errors import Denied, Unavailable
from collab.ports import Lock
from collab.runtime.documents import ANY
from collab.wopi.rejected import MANY, Conflict, Rejected
from collab.wopi.tokens import Pass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.ports import Stat

START = 1_795_356_300.0
"""2026-11-22 14:05:00 UTC."""
COPY = "work/a (conflict 2026-11-22 14.05).docx"
WHY = "another program wrote the file meanwhile"


class Place:
    """A document, and a clock that stands still."""

    def __init__(self) -> None:
        self.time = START
        self.stage = Stage()
        self.stage.now = lambda: self.time
        self.stage.files.poke("work/a.docx", b"PK the file")

    async def start(self) -> None:
        await self.stage.start()
        stage = self.stage
        archive = stage.archive
        self.rejected = Rejected(
            stage.rooms, stage.files, stage.trash, rejections=archive.rejections, locks=archive.locks, authors=archive.authors
        )

    async def stat(self, path: str = "work/a.docx") -> Stat:
        return await self.stage.files.stat(path)

    async def keep(self, body: bytes, who: str = "Ann", suite: str = "Collabora", why: str = WHY, path: str = "work/a.docx") -> str:
        stat = await self.stat(path)
        granted = Pass(Person(who.lower(), who), Role.EDITOR, stat.id, self.time + 3600, suite=suite)
        return await self.rejected.keep(stat, body, why, granted)

    async def copies(self) -> dict[str, bytes]:
        """What is beside the document."""
        return {stat.path: self.stage.files.peek(stat.path) for stat in await self.stage.files.list("work") if stat.path != "work/a.docx"}

    async def binned(self) -> list[bytes]:
        """The bodies that wait in the bin, oldest first."""
        entries = reversed(await self.stage.trash.entries())
        return [self.stage.files.peek(f".collab-bin/{entry.key}/{entry.path.rpartition('/')[2]}") for entry in entries]

    async def told(self) -> list[Conflict]:
        return [*await self.rejected.conflicts()]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    await made.start()
    yield made
    await made.stage.end()


async def test_a_rejected_body_is_beside_the_document_counted_and_listed(place: Place) -> None:
    assert await place.keep(b"PK mine") == COPY
    assert await place.copies() == {COPY: b"PK mine"}
    assert place.stage.files.peek("work/a.docx") == b"PK the file"
    (told,) = await place.told()
    assert (told.path, told.copy, told.by) == ("work/a.docx", COPY, "Ann")
    assert (told.rejection.reason, told.rejection.suite, told.rejection.size, told.rejection.count) == (WHY, "Collabora", 7, 1)
    assert place.stage.metrics.rejected == 1


async def test_a_body_may_be_one_that_came_in_pieces(place: Place) -> None:
    stat = await place.stat()
    draft = await place.stage.files.draft(stat.id)
    for piece in (b"PK", b" mi", b"ne"):
        await draft.add(piece)
    await place.rejected.keep(stat, draft, WHY, Pass(Person("ann", "Ann"), Role.EDITOR, stat.id, START))
    assert await place.copies() == {COPY: b"PK mine"}


async def test_an_hour_has_one_copy_with_the_last_body_and_the_others_are_in_the_bin(place: Place) -> None:
    for number in range(5):
        assert await place.keep(b"%d" % number) == COPY
        place.time += 600
    assert await place.copies() == {COPY: b"4"}
    assert await place.binned() == [b"0", b"1", b"2", b"3"]
    (told,) = await place.told()
    assert (told.rejection.count, told.rejection.at) == (5, START + 2400)
    place.time = START + 3600
    assert await place.keep(b"5") == "work/a (conflict 2026-11-22 15.05).docx"
    assert sorted((await place.copies()).values()) == [b"4", b"5"]
    assert [told.rejection.count for told in await place.told()] == [1, 5]


async def test_a_suite_that_saves_and_saves_fills_no_disk(place: Place) -> None:
    for number in range(MANY + 20):
        assert await place.keep(b"%d" % number) == COPY
        place.time += 1
    assert await place.copies() == {COPY: b"%d" % (MANY + 19)}
    assert await place.binned() == [b"%d" % number for number in range(MANY)]


async def test_the_last_body_of_each_writer_and_suite_is_not_lost(place: Place) -> None:
    for number in range(MANY + 1):
        await place.keep(b"x%d" % number)
    before = await place.binned()
    for body, who, suite in ((b"a1", "Ann", "X"), (b"a2", "Ann", "X"), (b"b1", "Bob", "X"), (b"b2", "Bob", "X"), (b"b3", "Bob", "Y")):
        await place.keep(body, who, suite)
    assert await place.copies() == {COPY: b"b3"}
    assert sorted(set(await place.binned()) - {*before}) == [b"a2", b"b2", b"x%d" % MANY]


async def test_the_same_body_again_is_counted_and_changes_nothing(place: Place) -> None:
    await place.keep(b"mine")
    before = await place.stat(COPY)
    assert [await place.keep(b"mine"), await place.keep(b"mine", "Bob")] == [COPY] * 2
    assert await place.stat(COPY) == before
    assert await place.binned() == []
    assert [told.rejection.count for told in await place.told()] == [3]


async def test_what_the_document_holds_already_or_has_no_byte_needs_no_copy(place: Place) -> None:
    assert await place.keep(b"PK the file") == "work/a.docx"
    assert await place.keep(b"") == ""
    assert (await place.copies(), await place.told(), place.stage.metrics.rejected) == ({}, [], 2)


@pytest.mark.parametrize("deed", ["changed", "renamed", "locked", "opened"])
async def test_a_copy_that_somebody_looks_after_is_left_alone(place: Place, deed: str) -> None:
    await place.keep(b"first")
    stat = await place.stat(COPY)
    match deed:
        case "changed":
            await place.stage.files.write(stat.id, b"first, and more", if_match=stat.etag)
        case "renamed":
            await place.stage.documents.move(stat.id, "work/Ann's.docx", if_match=ANY)
        case "locked":
            await place.stage.archive.locks.acquire(stat.id, Lock("wopi", "x", "{}", 1800.0))
        case _:
            await place.stage.rooms.open(stat.id)
    left = (await place.stat(stat.id)).path
    held = place.stage.files.peek(left)
    path = await place.keep(b"second")
    assert path not in {COPY, left} or deed == "renamed"
    assert await place.copies() == {left: held, path: b"second"}
    assert await place.binned() == []
    assert {told.copy for told in await place.told()} == {left, path}


async def test_a_copy_that_was_deleted_is_off_the_list_and_another_one_is_made(place: Place) -> None:
    await place.keep(b"first")
    await place.stage.trash.discard(COPY, if_match=ANY, by="Ann")
    assert await place.told() == []
    assert await place.keep(b"second") == COPY
    assert await place.copies() == {COPY: b"second"}


async def test_people_in_the_room_are_told_once_an_hour_whose_words_are_where(place: Place) -> None:
    place.stage.files.poke("notes.md", b"text\n")
    page = await place.stage.page("Cid")
    paths = [await place.keep(body, who, path="notes.md") for body, who in ((b"1", "Ann"), (b"2", "Ann"), (b"3", "Bob"))]
    await soon()
    assert page.notices == [{"kind": "rejected", "path": paths[0], "by": "Ann"}, {"kind": "rejected", "path": paths[0], "by": "Bob"}]


async def test_an_archive_that_is_away_loses_no_body(place: Place) -> None:
    place.stage.archive.refuse("the database does not answer")
    assert [await place.keep(b"1"), await place.keep(b"2")][0] == COPY
    kept = [*(await place.copies()).values(), *await place.binned()]
    assert sorted(kept) == [b"1", b"2"]
    place.stage.archive.refuse(None)
    await place.keep(b"3")
    assert {b"1", b"3"} <= {*(await place.copies()).values(), *await place.binned()}
    assert len(await place.told()) == 1


async def test_a_storage_that_takes_no_copy_is_told_and_nothing_is_said_to_be_kept(place: Place) -> None:
    async def refuse(word: str) -> None:
        if word == "written":
            raise Denied("the folder may not be written")

    place.stage.before = refuse
    with pytest.raises(Denied):
        await place.keep(b"mine")
    assert (await place.copies(), await place.told()) == ({}, [])
    place.stage.before = None
    assert await place.keep(b"mine") == COPY


async def test_bodies_that_come_at_once_are_all_there(place: Place) -> None:
    await asyncio.gather(*(place.keep(b"%d" % number, f"P{number}") for number in range(20)))
    assert len(await place.copies()) == 1
    assert sorted([*(await place.copies()).values(), *await place.binned()]) == sorted(b"%d" % number for number in range(20))


@pytest.mark.parametrize("seed", range(40))
async def test_a_storage_and_an_archive_that_fail_anywhere_lose_no_body_that_was_said_to_be_kept(place: Place, seed: int) -> None:
    """The first body of all, and the last of each writer, are somewhere after each answer."""
    chance = random.Random(seed)

    async def fault(word: str) -> None:
        if not word.startswith("read") and chance.random() < 0.15:
            raise Unavailable("the storage went away")

    first, last = b"", {}
    for number in range(12):
        body, who = b"%d" % number, chance.choice(["Ann", "Bob"])
        place.time += chance.choice([60, 600, 4000])
        place.stage.before = fault
        place.stage.archive.refuse(chance.choice([None, None, "away"]))
        try:
            await place.keep(body, who)
        except Unavailable:
            continue
        finally:
            place.stage.before = None
            place.stage.archive.refuse(None)
        first, last[who] = first or body, body
        there = {*(await place.copies()).values(), *await place.binned()}
        assert {first, *last.values()} <= there, (number, there)
