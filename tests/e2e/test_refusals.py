"""Documents that cannot be edited here say why in words, and hand over what they can; the file is never harmed."""

from __future__ import annotations

import asyncio
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from e2e.people import Person, invitation
from e2e.test_words import busy_journal
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.people import Company, Editor
    from playwright.async_api import Locator
    from serving import Served

UNSENT = "Save only what was not sent"
KEPT = "7 changes were not stored yet. They are kept on this device."
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
    stranded = editor.note("stranded-lineage" if left == "names" else "stranded-gone")
    await expect(stranded).to_contain_text("7 changes from ")
    assert await saved_copy(editor, stranded.get_by_role("button", name=UNSENT)) == b"unsent "
    assert server.read("other.md") == "Bob writes on. start\n"


async def test_pages_from_before_a_restored_backup_bring_what_it_forgot_and_nothing_twice(
    server: Served, company: Company, tmp_path: Path
) -> None:
    """RESTORE-2, KEPT-5."""
    server.write("other.md", "start\n")
    ann, bob = await (await company.join("Ann", server)).open("other.md"), await (await company.join("Bob", server)).open("other.md")
    done = await asyncio.to_thread(server.run, "backup", "--to", str(tmp_path / "backup.tar"), "--with-secret")
    assert done.returncode == 0, done.stderr
    await ann.type("since then ", at="Control+Home")
    await bob.reads("since then start\n")
    await ann.saved()
    await asyncio.to_thread(server.stop)
    await ann.is_told("offline")
    await ann.type("unsent ", at="Control+Home")
    shutil.rmtree(server.state)
    (server.root / "other.md").write_text("start\n")
    done = await asyncio.to_thread(server.run, "restore", str(tmp_path / "backup.tar"))
    assert done.returncode == 0, done.stderr
    await asyncio.to_thread(server.start)

    for editor in (ann, bob):
        note = await editor.refused("has another history now")
        await note.get_by_role("button", name="Merge my text into it").click()
        await editor.ready()

    for editor in (ann, bob):
        await editor.reads("unsent since then start\n")
        await expect(editor.page.locator("[data-note^=stranded]")).to_have_count(0)
    await server.shows("other.md", "unsent since then start\n")


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
    note = await editor.refused("This document was deleted")
    assert await saved_copy(editor, note.get_by_role("button", name="Save a copy of my text")) == b"typed start\n"
    assert not (shared_server.root / "doomed.md").exists()


async def away(served: Served, editor: Editor, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Words are typed while the server is gone, and it comes back."""
    await asyncio.to_thread(served.kill)
    meanwhile()
    await editor.is_told("offline")
    await editor.type("unsent ", at="Control+Home")
    await expect(editor.words).to_contain_text("7 changes kept on this device")
    await asyncio.to_thread(served.start)


async def test_who_has_to_sign_in_again_does_so_in_a_window_and_the_page_goes_on_with_the_unsent_words(
    server: Served, company: Company
) -> None:
    server.write("over.md", "start\n")
    ann = await company.join("Ann", server)
    editor = await ann.open("over.md")
    await ann.context.clear_cookies()
    await away(server, editor)
    note = await editor.refused("You are not signed in")
    await expect(note).to_contain_text(KEPT)
    assert await saved_copy(editor, note.get_by_role("button", name="Save a copy of my text")) == b"unsent start\n"
    assert await saved_copy(editor, note.get_by_role("button", name=UNSENT)) == b"unsent "

    async with editor.page.expect_popup() as window:
        await note.get_by_role("button", name="Sign in").click()
    page = await window.value
    await page.get_by_label("Address or secret").fill(invitation(server, "Ann", "editor"))
    await page.get_by_role("button", name="Sign in").click()

    await expect(note).to_have_count(0)
    await editor.saved()
    assert server.read("over.md") == "unsent start\n"
    await editor.sees("Ann")
    await until(page.is_closed)


async def test_unsent_words_are_not_sent_under_the_name_of_somebody_else_who_signs_in(server: Served, company: Company) -> None:
    """ID-10."""
    server.write("other-name.md", "start\n")
    ann = await company.join("Ann", server)
    editor = await ann.open("other-name.md")
    await Person("Bob", server, ann.context).sign_in()
    await away(server, editor)

    note = await editor.refused("Bob is signed in now")
    await expect(note).to_contain_text("words of Ann")
    await expect(note).to_contain_text(KEPT)
    await (await company.join("Eve", server)).open("other-name.md")
    assert server.read("other-name.md") == "start\n"
    async with editor.page.expect_popup():
        await note.get_by_role("button", name="Sign in").click()
    await ann.sign_in()

    await expect(note).to_have_count(0)
    await editor.saved()
    assert server.read("other-name.md") == "unsent start\n"
    await editor.sees("Ann", "Eve")


async def test_who_may_only_read_any_more_is_told_what_was_not_taken_and_goes_on_when_writing_is_allowed_again(
    server: Served, company: Company
) -> None:
    path = server.write("taken.txt", "start\n")
    ann = await company.join("Ann", server)
    editor = await ann.open("taken.txt")
    await away(server, editor, meanwhile=lambda: path.chmod(0o444))

    note = editor.note("loss")
    await expect(note).to_contain_text("You may only read this document now.")
    await expect(note).to_contain_text(KEPT)
    await expect(editor.content).to_have_attribute("contenteditable", "false")
    assert await saved_copy(editor, note.get_by_role("button", name="Save a copy of my text")) == b"unsent start\n"
    assert await saved_copy(editor, note.get_by_role("button", name=UNSENT)) == b"unsent "
    assert server.read("taken.txt") == "start\n"
    path.chmod(0o644)
    await asyncio.to_thread(server.restart)

    await editor.ready()
    await expect(note).to_have_count(0)
    await editor.saved()
    assert server.read("taken.txt") == "unsent start\n"


async def test_a_deleted_document_is_put_back_and_the_unsent_words_go_on_in_it(shared_server: Served, company: Company) -> None:
    shared_server.write("deep/binned.md", "start\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor = await ann.open("deep/binned.md")
    await editor.type("stored ", at="Control+Home")
    await editor.saved()
    await ann.context.set_offline(offline=True)
    await editor.type("unsent ", at="Control+Home")
    await expect(editor.words).to_contain_text("7 changes kept on this device")
    answer = await bob.context.request.delete(
        f"{shared_server.url}/api/documents/deep%2Fbinned.md", headers={"If-Match": "*", "Origin": shared_server.url}
    )
    assert answer.ok, await answer.text()
    await ann.context.set_offline(offline=False)

    note = await editor.refused("This document was deleted")
    await expect(note).to_contain_text("Bob deleted it at ")
    await expect(note).to_contain_text(KEPT)
    await note.get_by_role("button", name="Put it back").click()

    await expect(editor.page.locator(".note")).to_have_count(0)
    await editor.saved()
    assert shared_server.read("deep/binned.md") == "unsent stored start\n"


async def test_words_that_make_a_document_too_large_are_refused_and_kept_and_the_others_go_on(server: Served, company: Company) -> None:
    """LIMIT-1, KEPT-5."""
    server.environment["COLLAB_LIMIT_TEXT"] = "1KiB"
    await asyncio.to_thread(server.restart)
    server.write("grown.txt", "x" * 1000 + "\n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    editor, other = await ann.open("grown.txt"), await bob.open("grown.txt")
    await editor.content.focus()
    await editor.page.keyboard.insert_text("y" * 60)

    note = await editor.refused("Your last changes make the document too large")

    await expect(note).to_contain_text("1 change was not stored yet. It is kept on this device.")
    assert await saved_copy(editor, note.get_by_role("button", name=UNSENT)) == b"y" * 60
    await other.type("z", at="Control+Home")
    await other.saved()
    await note.get_by_role("button", name="Reload").click()
    stranded = editor.note("stranded-refused")
    await expect(stranded).to_contain_text("1 change from ")
    await editor.reads("z" + "x" * 1000 + "\n")
    await other.page.keyboard.press("Control+Home")
    await other.page.keyboard.press("Shift+Control+End")
    await other.page.keyboard.press("Delete")
    await other.saved()
    await stranded.get_by_role("button", name="Send them again").click()
    await editor.reads("y" * 60)
    await server.shows("grown.txt", "y" * 60)
    await expect(stranded).to_have_count(0)


FORGE = """
() => {
  const { text, provider } = collab
  const other = new text.doc.constructor()
  other.clientID = text.doc.clientID
  other.on('update', (update) => provider.documentUpdateHandler(update, null))
  other.getText('content').insert(0, 'forged')
  text.insert(0, 'unsent ')
}
"""
"""What a page would send whose copy contradicts the server's, and a word after it."""


async def test_a_page_that_contradicts_the_server_is_told_and_keeps_what_was_not_stored(shared_server: Served, company: Company) -> None:
    """ID-1, KEPT-5."""
    shared_server.write("contradiction.md", "start\n")
    editor = await (await company.join("Ann", shared_server)).open("contradiction.md")
    await editor.type("typed ", at="Control+Home")
    await editor.saved()

    await editor.page.evaluate(FORGE)

    note = await editor.refused("copy contradicts the server")
    await expect(note).to_contain_text("1 change was not stored yet. It is kept on this device.")
    assert await saved_copy(editor, note.get_by_role("button", name=UNSENT)) == b"unsent "
    await note.get_by_role("button", name="Reload").click()
    await editor.ready()
    await expect(editor.note("stranded-refused")).to_contain_text("1 change from ")


async def test_while_nothing_can_be_stored_the_page_says_why_and_offers_a_copy(server: Served, company: Company) -> None:
    """JOURNAL-5."""
    server.write("full.md", "start\n")
    editor = await (await company.join("Ann", server)).open("full.md")

    with busy_journal(server):
        await editor.type("waiting", at="Control+Home")
        note = editor.note("full")
        await expect(note).to_contain_text("cannot store anything just now")
        await expect(note).to_contain_text("They are kept on this device.")
        await editor.is_told("failed")
        assert await saved_copy(editor, note.get_by_role("button", name=UNSENT)) == b"waiting"

    await expect(note).to_have_count(0)
    await editor.saved()
    assert server.read("full.md") == "waitingstart\n"
