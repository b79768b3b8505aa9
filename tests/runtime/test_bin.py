"""What is deleted while people edit it, and what they find when it comes back (FILE-11, FILE-12, FILE-14)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import PATH, YWEBSOCKET, Guest, Stage, passing, soon

from collab.errors import Denied, Exists, NotFound, Unavailable
from collab.runtime.documents import ANY

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Binned

DAY = 86400.0


async def discard(stage: Stage, name: str = PATH) -> Binned:
    return await stage.trash.discard(name, if_match=ANY, by="Bob")


def in_bin(stage: Stage, entry: Binned) -> str:
    """The text of a deleted file."""
    return stage.file(f".collab-bin/{entry.key}/{entry.path.rpartition('/')[2]}")


async def again(stage: Stage, guest: Guest, path: str = PATH) -> Guest:
    """Somebody comes back with what the page still has."""
    back = stage.on(stage.socket(), path=path)
    back.replica = guest.replica
    back.sign_in(stage.token("Ann"))
    back.step1()
    await soon()
    return back


async def test_people_who_edit_a_document_that_is_deleted_are_told(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET)
    also = stage.on(ann.socket, path="other.md")
    also.sign_in(stage.token("Ann"))
    also.step1()
    ann.append("x")
    await soon()
    await stage.trash.discard(PATH, if_match=ANY, by="Bob")
    await soon()
    assert ann.denied == ["not-found"]
    assert also.synced
    await passing(30)
    assert bob.socket.closed == (4404, "not-found")
    with pytest.raises(KeyError):
        stage.file()
    assert [host.stat.path for host in stage.rooms.hosts] == ["other.md"]
    assert stage.metrics.failures == {}


async def test_who_moved_a_document_out_of_a_folder_before_it_is_deleted_goes_on_in_it(stage: Stage) -> None:
    """FILE-13."""
    for path in ("sub/a.md", "sub/b.md"):
        stage.files.poke(path, b"one\n")
    ann, bob = await stage.page("Ann", path="sub/a.md"), await stage.page("Bob", path="sub/b.md")
    stage.journal.refuse("slow")
    ann.append("x")
    bob.append("y")
    await soon()
    deleting = asyncio.ensure_future(stage.trash.discard_folder("sub", by="Cy"))
    await soon()
    await stage.documents.move("sub/a.md", "a.md", if_match=ANY)
    stage.journal.refuse(None)
    entry = await deleting
    await soon()
    assert len(entry.documents) == 1
    assert (ann.denied, bob.denied) == ([], ["not-found"])
    ann.append("z")
    await passing(15)
    assert stage.file("a.md") == "one\nxz"


async def test_who_comes_back_while_a_document_is_deleted_finds_none(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    stage.journal.refuse("slow")
    ann.append("x")
    await soon()
    deleting = [asyncio.ensure_future(stage.trash.discard(PATH, if_match=ANY, by="Bob")) for _ in range(2)]
    await soon()
    again = stage.on(stage.socket())
    again.sign_in(stage.token("Ann"))
    again.step1()
    await soon()
    stage.journal.refuse(None)
    results = await asyncio.gather(*deleting, return_exceptions=True)
    await soon()
    assert sorted(type(result).__name__ for result in results) == ["Binned", "NotFound"]
    assert stage.rooms.hosts == []
    assert again.denied == ["not-found"]
    await passing(60)
    with pytest.raises(KeyError):
        stage.file()


async def test_a_document_that_nobody_edits_is_deleted_if_it_is_the_one_that_was_read(stage: Stage) -> None:
    stat = await stage.documents.find(PATH)
    await stage.trash.discard(PATH, if_match=stat.etag, by="Bob")
    with pytest.raises(NotFound):
        await stage.documents.find(PATH)


async def test_a_deletion_that_the_storage_refuses_throws_nobody_out(stage: Stage) -> None:
    """SAVE-8."""
    ann = await stage.guest("Ann")
    stage.files.refusals["discard"] = Denied("the folder is read-only")
    with pytest.raises(Denied):
        await stage.trash.discard(PATH, if_match=ANY, by="Bob")
    await soon()
    assert ann.denied == []
    ann.append("x")
    await passing(5)
    assert ann.statuses == [1, 1]
    assert stage.file() == "one\nx"


async def test_who_opens_a_document_while_it_is_deleted_is_told(stage: Stage) -> None:
    """FILE-4: also when the file was read before it was gone, and the room is made after."""
    document = (await stage.documents.find(PATH)).id
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    stage.journal.refuse("slow")
    await soon()
    deleting = asyncio.ensure_future(stage.trash.discard(document, if_match=ANY, by="Bob"))
    await passing(1)
    stage.journal.refuse(None)
    await deleting
    await soon()
    assert ann.denied == ["not-found"]
    assert stage.rooms.hosts == []


# What was typed


async def test_what_was_typed_is_in_the_file_before_it_goes_into_the_bin(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    ann.append("typed just now")
    await soon()
    entry = await discard(stage)
    assert in_bin(stage, entry) == "one\ntyped just now"
    assert (entry.path, entry.by, stage.trash.until(entry)) == (PATH, "Bob", entry.deleted + 30 * DAY)


async def test_a_restored_document_has_each_acknowledged_word_and_its_history(stage: Stage) -> None:
    ann = await stage.page("Ann")
    ann.append("before ")
    await soon()
    binned = await discard(stage)
    await soon()
    assert ann.denied == ["not-found"]
    ann.replica.insert(0, "unsent ")
    was, stat = await stage.trash.restore(binned.key, None)
    assert (was, stat.id, stat.path) == (binned, binned.documents[0], PATH)
    back = await again(stage, ann)
    await passing(15)
    assert back.text == stage.file() == "unsent one\nbefore "
    assert stage.metrics.failures == {}


async def at(stage: Stage, word: str, act: Callable[[], object]) -> None:
    """Do something once, at a step of the storage."""

    async def step(now: str) -> None:
        if now == word:
            stage.before = None
            act()
            await soon()

    stage.before = step


@pytest.mark.parametrize("word", ["noted", "binned"])
async def test_what_is_typed_while_a_document_goes_into_the_bin_is_there_when_it_comes_back(stage: Stage, word: str) -> None:
    ann = await stage.guest("Ann")
    await at(stage, word, lambda: ann.append("late"))
    entry = await discard(stage)
    await soon()
    assert ann.statuses == [1, 1]
    assert in_bin(stage, entry) == "one\n"
    _, stat = await stage.trash.restore(entry.key, "back.md")
    assert (await stage.documents.content("back.md"))[1] == b"one\nlate"
    assert stat.size == len(b"one\nlate")
    await passing(15)
    assert stage.file("back.md") == "one\nlate"


async def test_words_that_the_storage_did_not_take_are_there_when_the_document_comes_back(stage: Stage) -> None:
    """SAVE-8: what cannot be saved can be deleted."""
    ann = await stage.guest("Ann")
    stage.files.refusals["write"] = Unavailable("the disk is full")
    ann.append("stored")
    await passing(5)
    entry = await discard(stage)
    assert in_bin(stage, entry) == "one\n"
    del stage.files.refusals["write"]
    await stage.trash.restore(entry.key, None)
    assert (await stage.documents.content(PATH))[1] == b"one\nstored"
    await passing(15)
    assert stage.file() == "one\nstored"


@pytest.mark.parametrize("word", ["noted", "binned"])
async def test_a_crash_while_a_document_is_deleted_loses_no_word(stage: Stage, word: str) -> None:
    ann = await stage.guest("Ann")
    ann.append("typed")
    await soon()
    stopped = asyncio.Event()

    async def step(now: str) -> None:
        if now == word:
            stopped.set()
            await asyncio.Event().wait()

    stage.before = step
    deleting = asyncio.ensure_future(discard(stage))
    await stopped.wait()
    stage.before = None
    await stage.crash()
    deleting.cancel()
    entries = await stage.trash.entries()
    assert len(entries) == (word == "binned")
    for entry in entries:
        with pytest.raises(NotFound):
            await stage.documents.find(PATH)
        await stage.trash.restore(entry.key, None)
    back = await again(stage, ann)
    assert back.text == "one\ntyped"
    await passing(40)
    assert stage.file() == "one\ntyped"


async def test_a_crash_while_a_document_comes_back_loses_neither_it_nor_its_history(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    entry = await discard(stage)
    stopped = asyncio.Event()

    async def step(now: str) -> None:
        if now == "restored":
            stopped.set()
            await asyncio.Event().wait()

    stage.before = step
    restoring = asyncio.ensure_future(stage.trash.restore(entry.key, None))
    await stopped.wait()
    stage.before = None
    await stage.crash()
    restoring.cancel()
    assert await stage.trash.entries() == []
    assert (await stage.documents.find(PATH)).id == entry.documents[0]
    ann.replica.insert(0, "unsent ")
    assert (await again(stage, ann)).text == "unsent one\n"


async def test_what_was_deleted_and_is_made_anew_is_another_document(stage: Stage) -> None:
    """ID-5: a page of the deleted one is told so, and its words are not merged into the new one."""
    ann = await stage.guest("Ann")
    entry = await discard(stage)
    await soon()
    await stage.documents.create(PATH, b"one\n")
    back = await again(stage, ann)
    assert back.denied == ["lineage"]
    with pytest.raises(Exists):
        await stage.trash.restore(entry.key, None)
    assert (await stage.trash.restore(entry.key, "old.md"))[1].id == entry.documents[0]
    assert (await again(stage, ann, "old.md")).text == "one\n"


# Folders


async def test_everybody_in_a_folder_that_is_deleted_is_told_and_nobody_else(stage: Stage) -> None:
    for path in ("sub/a.md", "sub/deep/b.md"):
        stage.files.poke(path, b"one\n")
    inside = [await stage.guest("Ann", path="sub/a.md"), await stage.guest("Bob", path="sub/deep/b.md")]
    outside = await stage.page("Cy")
    for guest in inside:
        guest.append("typed")
    await soon()
    entry = await stage.trash.discard_folder("sub", by="Cy")
    await soon()
    assert [guest.denied for guest in (*inside, outside)] == [["not-found"], ["not-found"], []]
    assert [host.stat.path for host in stage.rooms.hosts] == [PATH]
    assert len(entry.documents) == len(inside)
    _, stat = await stage.trash.restore(entry.key, None)
    assert (stat.path, stat.folder) == ("sub", True)
    assert stage.file("sub/a.md") == stage.file("sub/deep/b.md") == "one\ntyped"
    assert (await again(stage, inside[1], "sub/deep/b.md")).text == "one\ntyped"


async def test_what_is_typed_while_a_folder_goes_into_the_bin_is_there_when_it_comes_back(stage: Stage) -> None:
    stage.files.poke("sub/a.md", b"one\n")
    ann = await stage.guest("Ann", path="sub/a.md")
    await at(stage, "binned", lambda: ann.append("late"))
    entry = await stage.trash.discard_folder("sub", by="Bob")
    await soon()
    assert ann.statuses == [1, 1]
    await stage.trash.restore(entry.key, "new")
    assert (await stage.documents.content("new/a.md"))[1] == b"one\nlate"


async def test_a_document_is_no_folder_and_a_folder_no_document(stage: Stage) -> None:
    stage.files.poke("sub/a.md", b"one\n")
    with pytest.raises(NotFound):
        await stage.trash.discard_folder(PATH, by="Bob")
    with pytest.raises(NotFound):
        await discard(stage, "sub")
    assert await stage.trash.entries() == []


# Time


async def test_what_has_waited_its_time_goes_for_good_with_its_history(stage: Stage) -> None:
    """FILE-14."""
    await stage.guest("Ann")
    first = await discard(stage)
    await passing(DAY)
    second = await discard(stage, "other.md")
    await passing(29 * DAY - 60)
    await stage.trash.sweep()
    assert await stage.trash.entries() == [second, first]
    assert (await stage.journal.load(first.documents[0])).records
    await passing(60)
    await stage.trash.sweep()
    assert await stage.trash.entries() == [second]
    assert not (await stage.journal.load(first.documents[0])).records
    with pytest.raises(NotFound, match="nothing of this key"):
        await stage.trash.restore(first.key, None)
    assert (await stage.trash.restore(second.key, None))[1].id == second.documents[0]


async def test_the_bin_is_swept_at_the_start_and_every_day(stage: Stage) -> None:
    await discard(stage)
    keeping = asyncio.ensure_future(stage.trash.sweep_loop())
    await passing(29.5 * DAY)
    assert len(await stage.trash.entries()) == 1
    await passing(DAY)
    assert await stage.trash.entries() == []
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_an_entry_that_cannot_be_removed_keeps_no_other_in_the_bin(stage: Stage) -> None:
    for path in (PATH, "other.md"):
        await discard(stage, path)
    await passing(31 * DAY)
    stage.files.refusals["purge"] = Unavailable("the disk does not write")
    await stage.trash.sweep()
    assert len(await stage.trash.entries()) == 2
    stage.files.refusals["entries"] = Unavailable("the disk does not read")
    await stage.trash.sweep()
    stage.files.refusals.clear()
    await stage.trash.sweep()
    assert await stage.trash.entries() == []


async def test_what_is_purged_is_gone_with_its_history(stage: Stage) -> None:
    await stage.guest("Ann")
    entry = await discard(stage)
    assert await stage.trash.purge(entry.key) == entry
    assert not (await stage.journal.load(entry.documents[0])).records
    for act in (stage.trash.purge(entry.key), stage.trash.restore(entry.key, None)):
        with pytest.raises(NotFound):
            await act


async def test_what_is_purged_while_the_archive_is_away_is_forgotten_when_it_is_back(stage: Stage) -> None:
    """FILE-14: nobody can ask for it any more, so it is ours to try again."""
    documents = []
    for name in ("f/a.md", "f/b.md"):
        stage.files.poke(name, b"one\n")
        guest = await stage.guest("Ann", path=name)
        guest.append("two\n")
        await passing(5)
        documents.append(stage.host(name).id)
        guest.leave()
    await passing(60)
    entry = await stage.trash.discard_folder("f", by="Bob")
    stage.archive.refuse("away")
    await stage.trash.purge(entry.key)
    await passing(100)
    stage.archive.refuse(None)
    await passing(3600)
    for document in documents:
        log = await stage.journal.load(document)
        assert (log.checkpoint, log.records) == (None, ())
        assert list(await stage.archive.versions.list(document)) == []
