"""Documents as REST sees them, while people edit them (JOURNAL-3, HTTP-4)."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest
from runtime.stage import PATH, YWEBSOCKET, Stage, passing, soon

from collab.errors import Changed, Denied, Exists, NotFound, TooLarge
from collab.runtime.documents import ANY
from collab.session import Limits


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


async def test_a_document_that_nobody_edits_is_its_file(stage: Stage) -> None:
    stat = await stage.documents.find(PATH)
    assert (stat.size, stat.etag) == (4, etag(b"one\n"))
    assert await stage.documents.content(PATH) == (stat, b"one\n")
    assert stage.rooms.hosts == []


async def test_a_document_ahead_of_its_file_is_the_live_text(stage: Stage) -> None:
    stage.files.poke(PATH, b"\xef\xbb\xbfone\r\n")
    ann = await stage.guest("Ann")
    ann.append("é\n")
    await soon()
    body = "\ufeffone\r\né\r\n".encode()
    assert (await stage.documents.find(PATH)).etag == etag(body)
    assert [(stat.size, stat.etag) for stat in await stage.documents.list("") if stat.path == PATH] == [(len(body), etag(body))]
    stat, given = await stage.documents.content(PATH)
    assert (given, stat.etag, stat.size) == (body, etag(body), len(body))
    await passing(10)
    assert stage.files.peek(PATH) == body
    assert (await stage.documents.find(PATH)).etag == etag(body)


async def test_a_download_waits_until_the_journal_has_what_is_in_it(stage: Stage) -> None:
    """JOURNAL-3."""
    ann = await stage.guest("Ann")
    stage.journal.refuse("the disk is full")
    ann.append("word ")
    asked = asyncio.ensure_future(stage.documents.content(PATH))
    await passing(30)
    assert not asked.done()
    assert stage.file() == "one\n"
    stage.journal.refuse(None)
    await soon()
    assert (await asked)[1] == b"one\nword "


async def test_a_file_that_is_no_text_is_given_as_it_is(stage: Stage) -> None:
    """TEXT-4."""
    stage.files.poke("picture.png", b"\x89PNG\0\xff")
    assert (await stage.documents.content("picture.png"))[1] == b"\x89PNG\0\xff"


async def test_a_folder_has_no_content(stage: Stage) -> None:
    stage.files.poke("folder/a.md", b"")
    with pytest.raises(NotFound):
        await stage.documents.content("folder")


async def test_a_document_is_made_where_none_is(stage: Stage) -> None:
    stage.rooms.limits = Limits(text=10)
    stat = await stage.documents.create("new.md", b"new\n")
    assert (stat.path, stat.size) == ("new.md", 4)
    assert (await stage.guest("Ann", path="new.md")).text == "new\n"
    with pytest.raises(Exists):
        await stage.documents.create("new.md", b"")
    with pytest.raises(TooLarge):
        await stage.documents.create("long.md", b"x" * 11)


async def test_people_who_edit_go_on_when_their_document_is_moved(stage: Stage) -> None:
    """FILE-5."""
    ann = await stage.page("Ann")
    ann.append("before ")
    await soon()
    stat = await stage.documents.find(PATH)
    moved = await stage.documents.move(PATH, "moved.md", if_match=stat.etag)
    assert (moved.id, moved.path, moved.etag) == (stat.id, "moved.md", stat.etag)
    ann.append("after ")
    await passing(15)
    assert ann.states[-1]["path"] == "moved.md"
    assert ann.file() == "saved"
    assert stage.file("moved.md") == "one\nbefore after "
    assert PATH not in {stat.path for stat in await stage.documents.list("")}


async def test_a_document_that_nobody_edits_is_moved_too(stage: Stage) -> None:
    stat = await stage.documents.find(PATH)
    assert (await stage.documents.move(stat.id, "moved.md", if_match=stat.etag)).id == stat.id
    assert stage.file("moved.md") == "one\n"


@pytest.mark.parametrize("live", [True, False])
async def test_what_was_changed_since_it_was_read_is_neither_moved_nor_deleted(stage: Stage, *, live: bool) -> None:
    """HTTP-4: the live text counts."""
    stat = await stage.documents.find(PATH)
    if live:
        (await stage.guest("Ann")).append("x")
        await soon()
    else:
        stage.files.poke(PATH, b"two\n")
    with pytest.raises(Changed):
        await stage.documents.move(PATH, "moved.md", if_match=stat.etag)
    with pytest.raises(Changed):
        await stage.documents.delete(PATH, if_match=stat.etag)
    assert (await stage.documents.move(PATH, "moved.md", if_match=ANY)).path == "moved.md"


async def test_people_who_edit_a_document_that_is_deleted_are_told(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET)
    also = stage.on(ann.socket, path="other.md")
    also.sign_in(stage.token("Ann"))
    also.step1()
    ann.append("x")
    await soon()
    await stage.documents.delete(PATH, if_match=ANY)
    await soon()
    assert ann.denied == ["not-found"]
    assert also.synced
    await passing(30)
    assert bob.socket.closed == (4404, "not-found")
    with pytest.raises(KeyError):
        stage.file()
    assert [host.stat.path for host in stage.rooms.hosts] == ["other.md"]
    assert stage.metrics.failures == {}


async def test_who_comes_back_while_a_document_is_deleted_finds_none(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    stage.journal.refuse("slow")
    ann.append("x")
    await soon()
    deleting = [asyncio.ensure_future(stage.documents.delete(PATH, if_match=ANY)) for _ in range(2)]
    await soon()
    again = stage.on(stage.socket())
    again.sign_in(stage.token("Ann"))
    again.step1()
    await soon()
    stage.journal.refuse(None)
    results = await asyncio.gather(*deleting, return_exceptions=True)
    await soon()
    assert results.count(None) == 1
    assert [type(result) for result in results if result is not None] == [NotFound]
    assert stage.rooms.hosts == []
    assert again.denied == ["not-found"]
    await passing(60)
    with pytest.raises(KeyError):
        stage.file()


async def test_a_document_that_nobody_edits_is_deleted_if_it_is_the_one_that_was_read(stage: Stage) -> None:
    stat = await stage.documents.find(PATH)
    await stage.documents.delete(PATH, if_match=stat.etag)
    with pytest.raises(NotFound):
        await stage.documents.find(PATH)


async def test_a_deletion_that_the_storage_refuses_throws_nobody_out(stage: Stage) -> None:
    """SAVE-8."""
    ann = await stage.guest("Ann")
    stage.files.refusals["delete"] = Denied("the folder is read-only")
    with pytest.raises(Denied):
        await stage.documents.delete(PATH, if_match=ANY)
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
    deleting = asyncio.ensure_future(stage.documents.delete(document, if_match=ANY))
    await passing(1)
    stage.journal.refuse(None)
    await deleting
    await soon()
    assert ann.denied == ["not-found"]
    assert stage.rooms.hosts == []
