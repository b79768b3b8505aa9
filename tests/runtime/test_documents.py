"""Documents as REST sees them, while people edit them (JOURNAL-3, HTTP-4)."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest
from runtime.stage import PATH, Stage, passing, soon

from collab.errors import Changed, Exists, NotFound, TooLarge
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
        await stage.trash.discard(PATH, if_match=stat.etag, by="Ann")
    assert (await stage.documents.move(PATH, "moved.md", if_match=ANY)).path == "moved.md"
