"""What the page says of one's words is true: only on this page, received, stored, in the file, and why not."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect
from serving import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.people import Company
    from serving import Served


@contextmanager
def busy_journal(served: Served) -> Iterator[None]:
    """Nothing can be stored meanwhile: another program holds the journal's write lock."""
    with closing(sqlite3.connect(served.state / "journal.sqlite", isolation_level=None, timeout=PATIENCE)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def closed_folder(folder: Path) -> Iterator[None]:
    """No file can be replaced in it meanwhile. The server looks at the permission bits, so that they count for root too."""
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


async def test_words_are_stored_first_and_then_in_the_file(shared_server: Served, company: Company) -> None:
    shared_server.write("steps.md", "start\n")
    editor = await (await company.join("Ann", shared_server)).open("steps.md")
    await editor.watch_words()

    await editor.type("x")
    await editor.saved()

    assert shared_server.read("steps.md") == "xstart\n"
    assert await editor.was_told() in (["in-file", "local", "stored", "in-file"], ["in-file", "local", "received", "stored", "in-file"])
    await expect(editor.words).to_contain_text("In the file (")


async def test_while_the_journal_is_held_up_words_are_received_and_not_called_stored(server: Served, company: Company) -> None:
    server.write("held.md", "start\n")
    editor = await (await company.join("Ann", server)).open("held.md")
    await editor.watch_words()

    with busy_journal(server):
        await editor.insert("held ")
        await editor.page.wait_for_function("() => told.includes('received')")
        assert server.read("held.md") == "start\n"

    await editor.saved()
    told = await editor.was_told()
    assert told.index("local") < told.index("received") < told.index("stored") < len(told) - 1
    assert server.read("held.md") == "held start\n"


async def test_while_the_file_cannot_be_written_words_are_stored_and_the_page_says_why(server: Served, company: Company) -> None:
    server.write("shut/kept.md", "start\n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    editor, other = await ann.open("shut/kept.md"), await bob.open("shut/kept.md")

    with closed_folder(server.root / "shut"):
        await editor.type("not yet ")
        await editor.is_told("failed")
        await other.is_told("failed")
        await expect(editor.words).to_contain_text("Stored, not in the file")
        await other.type("and more ", at="Control+Home")
        await editor.reads("and more not yet start\n")
        assert server.read("shut/kept.md") == "start\n"

    await editor.saved()
    await other.saved()
    assert server.read("shut/kept.md") == "and more not yet start\n"


async def test_a_viewer_reads_along_and_cannot_type(shared_server: Served, company: Company) -> None:
    shared_server.write("view.txt", "start\n")
    ann, eve = await company.join("Ann", shared_server), await company.join("Eve", shared_server, "viewer")
    editor, viewer = await ann.open("view.txt"), await eve.visit("view.txt")
    await expect(viewer.page.locator("#read-only")).to_be_visible()
    await expect(viewer.content).to_have_attribute("contenteditable", "false")

    await viewer.content.click()
    await viewer.page.keyboard.type("forged")
    await editor.type("typed ", at="Control+Home")

    await viewer.reads("typed start\n")
    await editor.reads("typed start\n")
    await editor.sees("Ann", "Eve")
    await editor.saved()
    assert shared_server.read("view.txt") == "typed start\n"


async def test_a_viewer_who_gets_round_the_page_is_refused_and_told_so(shared_server: Served, company: Company) -> None:
    shared_server.write("refused.txt", "start\n")
    eve = await company.join("Eve", shared_server, "viewer")
    viewer = await eve.visit("refused.txt")
    await viewer.reads("start\n")

    await viewer.page.evaluate("collab.text.insert(0, 'forged ')")

    await viewer.is_told("refused")
    await expect(viewer.note("loss")).to_contain_text("did not take your last changes")
    editor = await (await company.join("Ann", shared_server)).open("refused.txt")
    await editor.reads("start\n")
    assert shared_server.read("refused.txt") == "start\n"


async def test_a_read_only_file_opens_for_viewing(shared_server: Served, company: Company) -> None:
    shared_server.write("locked.txt", "start\n").chmod(0o444)

    editor = await (await company.join("Ann", shared_server)).visit("locked.txt")

    await expect(editor.page.locator("#read-only")).to_be_visible()
    await expect(editor.content).to_have_attribute("contenteditable", "false")


async def test_the_five_states_are_explained_by_keyboard_pointer_and_touch(shared_server: Served, company: Company) -> None:
    shared_server.write("explained.md", "start\n")
    editor = await (await company.join("Ann", shared_server)).open("explained.md")
    page, panel = editor.page, editor.page.locator("#words-panel")
    await editor.type("x")
    await editor.saved()
    knob = editor.words.get_by_role("button")
    await expect(knob).to_have_accessible_name(re.compile("In the file"))

    await knob.focus()
    await page.keyboard.press("Enter")
    await expect(panel).to_be_visible()
    await expect(knob).to_have_attribute("aria-expanded", "true")
    await expect(panel.locator("li")).to_have_count(5)
    await expect(panel.locator("[aria-current]")).to_contain_text("In the file")
    await expect(panel).to_contain_text("Your last change was stored")
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await page.locator("#title").click()
    await knob.hover()
    await expect(panel).to_be_visible()
    await page.mouse.move(10, 400)
    await expect(panel).to_be_hidden()
    await knob.click()
    await page.mouse.move(10, 400)
    await expect(panel).to_be_visible()
    await knob.click()
    await expect(panel).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_the_state_of_my_words_fits_the_page(width: int, shared_server: Served, company: Company) -> None:
    shared_server.write("narrow.md", "start\n")
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("narrow.md")
    await editor.page.set_viewport_size({"width": width, "height": 700})
    await ann.context.set_offline(offline=True)
    await editor.type("x")
    await editor.is_told("offline")

    knob = editor.words.get_by_role("button")
    await expect(knob).to_have_accessible_name("Offline: 1 change kept on this device")
    await expect(editor.words.locator(".short" if width < 1000 else ".long")).to_be_visible()
    assert await editor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await knob.click()
    box = await editor.page.locator("#words-panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    await ann.context.set_offline(offline=False)
    await editor.saved()


async def test_a_document_that_takes_long_to_come_says_how_big_it_is(shared_server: Served, company: Company) -> None:
    shared_server.write("big.txt", "x" * 3_200_000)
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    await page.route_web_socket("**/collaboration", lambda _: None)

    await page.goto(shared_server.url + "/edit/big.txt")

    await expect(page.locator(".opening")).to_contain_text("Opening… 3.2 MB")
    await expect(page.locator(".opening").get_by_role("progressbar")).to_be_visible()
