"""Documents that cannot be edited here say why in words, and hand over what they can; the file is never harmed."""

from __future__ import annotations

import asyncio
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Editor, Person
    from playwright.async_api import Locator
    from serving import Served

BINARY = b"PK\x03\x04\x00\xff\xfe\r\n\x00 no text"


async def saved_copy(editor: Editor, control: Locator) -> bytes:
    """What the control lets one keep."""
    async with editor.page.expect_download() as downloading:
        await control.click()
    kept = await (await downloading.value).path()
    return await asyncio.to_thread(kept.read_bytes)


async def refusals(person: Person, reason: str) -> int:
    """How often the server refused somebody for this reason."""
    metrics = await (await person.context.request.get(person.served.url + "/metrics")).text()
    counts = re.findall(rf'^collab_refus\w*{{[^}}]*reason="{reason}"[^}}]*}} (\S+)', metrics, re.MULTILINE)
    return sum(int(float(count)) for count in counts)


async def test_a_file_that_is_not_text_is_refused_in_words_and_offered_as_a_download(shared_server: Served, company: Company) -> None:
    (shared_server.root / "archive.zip").write_bytes(BINARY)
    editor = await (await company.join("Ann", shared_server)).visit("archive.zip")

    note = await editor.refused("This file is not text")

    await expect(editor.content).to_have_count(0)
    assert await saved_copy(editor, note.get_by_role("link", name="Download the file")) == BINARY
    assert (shared_server.root / "archive.zip").read_bytes() == BINARY


async def test_a_text_over_the_limit_is_refused_in_words_and_offered_as_a_download(server: Served, company: Company) -> None:
    server.environment["COLLAB_LIMIT_TEXT"] = "1KiB"
    await asyncio.to_thread(server.restart)
    body = "x" * 2000
    server.write("long.txt", body)
    editor = await (await company.join("Ann", server)).visit("long.txt")

    note = await editor.refused("too large")

    assert await saved_copy(editor, note.get_by_role("link", name="Download the file")) == body.encode()


@pytest.mark.parametrize("left", ["names", "nothing"])
async def test_a_server_that_forgot_the_history_takes_no_old_words_and_the_page_lets_one_keep_them(
    left: str, server: Served, company: Company
) -> None:
    server.write("other.md", "start\n")
    ann = await company.join("Ann", server)
    editor = await ann.open("other.md")
    await asyncio.to_thread(server.stop)
    await editor.is_told("offline")
    await editor.type("unsent ", at="Control+Home")
    # Forgotten is the journal, or all but what Ann's cookie is signed with.
    if left == "names":
        for path in server.state.glob("journal.sqlite*"):
            path.unlink()
    else:
        secret = server.secret()
        shutil.rmtree(server.state)
        server.state.mkdir(0o700)
        (server.state / "secret").write_bytes(secret)
        (server.state / "secret").chmod(0o600)
    connections = len(ann.seen.sockets)
    await asyncio.to_thread(server.start)

    note = await editor.refused("has another history now")

    await editor.is_told("refused")
    await expect(editor.content).to_have_attribute("contenteditable", "false")
    assert await saved_copy(editor, note.get_by_role("button", name="Save a copy of my text")) == b"unsent start\n"
    bob = await (await company.join("Bob", server)).open("other.md")
    await bob.type("Bob writes on. ", at="Control+Home", pause=5)
    await bob.saved()
    assert server.read("other.md") == "Bob writes on. start\n"
    # Refused once, and no storm of attempts while Bob wrote; what fails to connect while the server starts is none.
    assert await refusals(ann, "lineage") == 1
    refused = len(ann.seen.sockets)
    assert refused - connections < 20
    editor.page.on("dialog", lambda dialog: dialog.accept())
    await note.get_by_role("button", name="Reload").click()
    await editor.ready()
    await editor.reads("Bob writes on. start\n")
    assert len(ann.seen.sockets) == refused + 1


async def test_a_document_deleted_under_its_editors_says_so_and_lets_them_keep_their_text(shared_server: Served, company: Company) -> None:
    shared_server.write("doomed.md", "start\n")
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("doomed.md")
    await editor.type("typed ", at="Control+Home")
    await editor.saved()
    found = await ann.context.request.get(shared_server.url + "/api/documents/doomed.md")
    document = await found.json()

    answer = await ann.context.request.delete(
        f"{shared_server.url}/api/documents/{document['id']}",
        headers={"If-Match": f'"{document["etag"]}"', "Origin": shared_server.url},
    )

    assert answer.ok, await answer.text()
    note = await editor.refused("There is no such document")
    assert await saved_copy(editor, note.get_by_role("button", name="Save a copy of my text")) == b"typed start\n"
    assert not (shared_server.root / "doomed.md").exists()
