"""The history in the page: slide through versions, see the words that changed, name, restore and take back (HISTORY-1 to HISTORY-4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from e2e.people import MILLISECONDS, Editor, comes_true
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Locator, Page, Route
    from serving import Served

FIRST = "# Plan\n\nThe quick fox sleeps.\n\nThe end.\n"
HOSTILE = "<img src=x onerror=alert(1)>"
AT = "[collab.view.state.selection.main.head, collab.view.state.doc.toString()]"
IS_VERSION = """
async () => {
  const versions = `/api/documents/${encodeURIComponent(decodeURIComponent(location.pathname.slice('/edit/'.length)))}/versions`
  const [newest] = (await (await fetch(versions)).json()).versions ?? []
  return newest !== undefined && (await (await fetch(`${versions}/${newest.number}/content`)).text()) === collab.text.toString()
}
"""
"""Whether the text is the newest version: it is in the file before that where the archive takes long, or another program wrote it."""


@dataclass(slots=True)
class Past:
    """A page with the history over its document."""

    page: Page

    @property
    def window(self) -> Locator:
        return self.page.locator("dialog.history")

    @property
    def slider(self) -> Locator:
        return self.page.get_by_role("slider", name="Timeline of versions")

    @property
    def rows(self) -> Locator:
        return self.window.locator(".version")

    @property
    def restore(self) -> Locator:
        return self.window.get_by_role("button", name="Restore this version")

    async def ready(self) -> Past:
        await self.page.locator("dialog.history[data-state=ready]").wait_for()
        await self.read()
        return self

    async def read(self) -> None:
        """Until the text of the version is shown."""
        await self.page.locator('dialog.history .leaf[aria-busy="false"]').wait_for()

    async def shows(self, added: list[str], removed: list[str]) -> None:
        """Until exactly these words are marked."""
        await expect(self.window.locator("ins")).to_have_text(added, timeout=MILLISECONDS)
        await expect(self.window.locator("del")).to_have_text(removed, timeout=MILLISECONDS)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def note(self) -> Locator:
        note = self.page.locator('[data-note="history"]')
        await note.wait_for()
        return note


async def past(editor: Editor) -> Past:
    """By its key."""
    await editor.content.focus()
    await editor.page.keyboard.press("Control+Alt+Shift+H")
    return await Past(editor.page).ready()


async def written(editor: Editor, *bodies: str) -> None:
    """Each body is saved, and a version, before the next one."""
    for body in bodies:
        await editor.page.evaluate(
            "(text) => collab.view.dispatch({ changes: { from: 0, to: collab.view.state.doc.length, insert: text } })", body
        )
        await editor.saved()
        await comes_true(editor.page, IS_VERSION)


async def versions(person: Person, document: str) -> list[dict[str, Any]]:
    """Newest first, as the server tells them."""
    address = f"{person.served.url}/api/documents/{quote(document, safe='')}/versions"
    found: list[dict[str, Any]] = (await (await person.context.request.get(address)).json())["versions"]
    return found


async def text_of(person: Person, document: str, number: int) -> bytes:
    address = f"{person.served.url}/api/documents/{quote(document, safe='')}/versions/{number}/content"
    return await (await person.context.request.get(address)).body()


async def test_one_slides_through_the_versions_and_sees_the_words_that_changed(shared_server: Served, company: Company) -> None:
    """HISTORY-1, HISTORY-2."""
    shared_server.write("slide.md", FIRST)
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("slide.md")
    await written(editor, FIRST.replace("quick", "slow brown"), FIRST.replace("quick", "slow brown").replace("The end.\n", ""))
    seen = await past(editor)

    await expect(seen.slider).to_be_focused()
    await seen.shows([], ["The end."])
    await seen.press("ArrowLeft")
    await seen.shows(["slow brown"], ["quick"])
    await expect(seen.window.locator(".counts")).to_have_text("2 words added 1 word removed")
    await expect(seen.window.locator(".cm-content")).to_contain_text("The end.")
    await expect(seen.window.locator(".about")).to_contain_text("Ann")
    number = (await versions(ann, "slide.md"))[1]["number"]
    assert editor.page.url.endswith(f"#version={number}")

    await seen.page.locator("#history-against").select_option("now")
    await seen.shows([], ["The end."])
    await seen.page.locator("#history-against").select_option("none")
    await seen.shows([], [])
    await seen.page.reload()
    await Past(editor.page).ready()
    await seen.shows(["slow brown"], ["quick"])
    await seen.press("ArrowLeft")
    await expect(seen.window.locator(".counts")).to_have_text("The history begins here.")
    await seen.press("Escape")
    await expect(seen.window).to_have_count(0)
    assert "#" not in editor.page.url
    await editor.reads(FIRST.replace("quick", "slow brown").replace("The end.\n", ""))


async def test_versions_are_compared_with_any_other_one(shared_server: Served, company: Company) -> None:
    """HISTORY-2."""
    shared_server.write("any.md", "one\n")
    editor = await (await company.join("Ann", shared_server)).open("any.md")
    await written(editor, "one two\n", "one two three\n")
    seen = await past(editor)

    await seen.press("Home")
    await seen.page.locator("#history-against").select_option("this")
    await seen.slider.focus()
    await seen.press("End")

    await seen.shows([" two three"], [])


async def test_a_version_gets_a_name_where_it_stands_and_markup_is_text(shared_server: Served, company: Company) -> None:
    """HISTORY-4."""
    shared_server.write("name.md", f"{HOSTILE}\n")
    ann, bob = await company.join("Ann", shared_server), await company.join(f"<b>{'Bob'}</b>", shared_server)
    editor = await ann.open("name.md")
    other = await bob.open("name.md")
    # Letter by letter it could be two versions.
    await other.insert(HOSTILE)
    await other.saved()
    await editor.reads(f"{HOSTILE}{HOSTILE}\n")
    await comes_true(editor.page, IS_VERSION)
    seen = await past(editor)
    await expect(seen.rows).to_have_count(2)

    await seen.press("F2")
    await seen.page.keyboard.type("not this")
    await seen.press("Escape")
    await expect(seen.window).to_be_visible()
    await seen.press("F2")
    await seen.page.keyboard.type(f"As sent {HOSTILE}")
    await seen.press("Enter")

    await expect(seen.rows.first.locator("strong")).to_have_text(f"As sent {HOSTILE}")
    await expect(seen.rows.first.locator(".writer")).to_have_text("<b>Bob</b>")
    assert [each["name"] for each in await versions(ann, "name.md")] == [f"As sent {HOSTILE}", ""]
    await expect(seen.window.locator("ins")).to_have_text([HOSTILE])
    assert await seen.window.locator("img, b").count() == 0
    await expect(seen.window.get_by_role("button", name="Rename this version")).to_be_focused()


async def test_restoring_under_somebody_who_types_loses_and_doubles_no_word_and_is_taken_back(server: Served, company: Company) -> None:
    """HISTORY-3."""
    server.write("live.md", FIRST)
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    editor = await ann.open("live.md")
    later = FIRST.replace("quick", "slow") + "More.\n"
    await written(editor, later)
    other = await bob.open("live.md")
    await editor.caret_to(later.index("fox"))
    seen = await past(editor)
    await seen.press("Home")
    await seen.read()
    typed = "".join(f"w{number} " for number in range(30))

    typing = asyncio.create_task(other.type(typed, at="Control+End", pause=30))
    await expect(seen.page.locator("#editor .cm-content")).to_contain_text("w5")
    await seen.restore.click()
    note = await seen.note()
    await typing

    await expect(note).to_contain_text("What was there is kept as a version.")
    await expect(seen.window).to_have_count(0)
    await expect(editor.content).to_be_focused()
    await other.page.wait_for_function("(restored) => collab.text.toString().startsWith(restored)", arg=FIRST)
    live = await other.text()
    rest = live.removeprefix(FIRST)
    assert rest != live
    await editor.reads(live)
    caret, text = await editor.page.evaluate(AT)
    assert text[caret : caret + 3] == "fox"
    all_ = await versions(ann, "live.md")
    restored = next(each for each in all_ if each["source"] == "restore")
    before = next(each for each in all_ if each["number"] < restored["number"])
    former = (await text_of(ann, "live.md", before["number"])).decode().removeprefix(later)
    # Each word is in what was there or in what is there, once.
    assert former + rest == typed

    await note.get_by_role("button", name="Undo").click()
    await expect(note).to_contain_text("What was typed since is still there.")
    everything = "".join(sorted(later + typed))
    # The answer to the press may come before what it changed.
    await editor.page.wait_for_function("(all) => [...collab.text.toString()].sort().join('') === all", arg=everything)
    back = await editor.text()
    assert "".join(sorted(back)) == everything
    await editor.saved()
    await server.shows("live.md", back)


async def test_a_file_with_its_own_marks_and_line_ends_is_restored_byte_for_byte(server: Served, company: Company) -> None:
    """HISTORY-2, HISTORY-3."""
    body = b"\xef\xbb\xbfone\r\ntwo\nthree\r\n"
    (server.root / "form.txt").write_bytes(body)
    ann = await company.join("Ann", server)
    editor = await ann.open("form.txt")
    (server.root / "form.txt").write_bytes(b"one\nfour\n")
    await editor.reads("one\nfour\n")
    await editor.saved()
    await comes_true(editor.page, IS_VERSION)
    seen = await past(editor)
    await expect(seen.rows).to_have_count(2)

    await seen.press("Home")
    await expect(seen.window.locator(".how")).to_have_text(["As it was found", "Changed by another program", "As it was found"])
    await seen.restore.click()
    await seen.note()

    await until(lambda: (server.root / "form.txt").read_bytes() == body, saying=(server.root / "form.txt").read_bytes)
    await editor.reads("one\ntwo\nthree\n")


async def test_a_reader_looks_and_changes_nothing(shared_server: Served, company: Company) -> None:
    """AUTH-2."""
    shared_server.write("read-only.md", FIRST)
    ann, eve = await company.join("Ann", shared_server), await company.join("Eve", shared_server, "viewer")
    await written(await ann.open("read-only.md"), FIRST + "More.\n")
    reader = await eve.visit("read-only.md")
    await reader.content.wait_for(state="attached")
    page = reader.page
    await page.locator("#words-more").click()
    await page.locator("#words-panel").get_by_role("button", name="Show history").click()
    seen = await Past(page).ready()

    await seen.shows(["More."], [])
    await expect(seen.restore).to_be_hidden()
    await seen.press("F2")
    await expect(seen.window.locator("input[name=version]")).to_have_count(0)
    await expect(seen.window.get_by_role("button", name="Name this version")).to_be_hidden()


async def test_saves_appear_while_somebody_types(shared_server: Served, company: Company) -> None:
    """HISTORY-1."""
    shared_server.write("news.md", "start\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    seen = await past(await ann.open("news.md"))
    await expect(seen.rows).to_have_count(1)

    await (await bob.open("news.md")).insert("new ")

    await expect(seen.rows).to_have_count(2, timeout=MILLISECONDS)
    await expect(seen.rows.first).to_contain_text("Bob")
    # What one looks at stays.
    await expect(seen.rows.nth(1)).to_have_attribute("aria-current", "true")
    await expect(seen.restore).to_have_attribute("aria-disabled", "false")


async def test_only_changes_of_a_long_document_are_shown_and_one_goes_from_one_to_the_next(shared_server: Served, company: Company) -> None:
    """HISTORY-2."""
    lines = [f"line {number} of a long text with some words in it\n" for number in range(20_000)]
    shared_server.write("long.txt", "".join(lines))
    editor = await (await company.join("Ann", shared_server)).open("long.txt")
    lines[9_000], lines[18_000] = "another line\n", "and one more\n"
    await written(editor, "".join(lines))
    seen = await past(editor)

    await expect(seen.window.locator("ins").first).to_be_in_viewport()
    assert await seen.window.locator(".cm-line").count() < 300
    await seen.press("F7", "F7")
    await expect(seen.window.locator(".spot")).to_have_text("2 of 2")
    await expect(seen.window.locator(".here").first).to_be_in_viewport()
    await seen.page.get_by_label("Only changes").check()
    await expect(seen.window.locator(".folded")).to_have_text(["8,998 unchanged lines", "8,995 unchanged lines", "1,998 unchanged lines"])
    await seen.window.locator(".folded").first.press("Enter")
    await expect(seen.window.locator(".folded", has_text="8,998")).to_have_count(0)
    await expect(seen.window.locator(".cm-content")).to_be_focused()


async def test_on_a_phone_the_list_lies_over_the_text(shared_server: Served, company: Company) -> None:
    shared_server.write("phone.md", FIRST)
    ann = await company.join("Ann", shared_server, has_touch=True, is_mobile=True)
    editor = await ann.open("phone.md")
    await editor.page.set_viewport_size({"width": 360, "height": 640})
    await written(editor, FIRST + "More.\n")
    await editor.page.locator("#more").tap()
    await editor.page.locator('[data-act="editor.menu.history"]').tap()
    seen = await Past(editor.page).ready()

    await expect(seen.rows.first).to_be_hidden()
    await seen.page.get_by_role("button", name="All versions").tap()
    await expect(seen.rows.first).to_be_focused()
    await seen.press("ArrowDown", "Escape")
    await expect(seen.rows.first).to_be_hidden()
    await expect(seen.window.locator(".counts")).to_have_text("The history begins here.")
    box = await seen.restore.bounding_box()
    assert box is not None
    assert box["height"] >= 32
    assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_without_a_network_the_page_says_so_and_comes_back(shared_server: Served, company: Company) -> None:
    shared_server.write("cut-off.md", FIRST)
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("cut-off.md")
    seen = await past(editor)
    await seen.press("Escape")
    await expect(seen.window).to_have_count(0)
    await ann.context.set_offline(True)
    await editor.content.focus()
    await editor.page.keyboard.press("Control+Alt+Shift+H")

    await expect(editor.page.locator("dialog.history > .state")).to_contain_text("The server does not answer")
    await ann.context.set_offline(False)
    await seen.ready()
    await expect(seen.rows).to_have_count(1)


async def test_a_history_that_is_closed_before_its_versions_came_leaves_no_address(shared_server: Served, company: Company) -> None:
    """Whoever loads the page anew would be in the history again."""
    shared_server.write("history/late.md", "start\n")
    editor = await (await company.join("Ann", shared_server)).open("history/late.md")
    await written(editor, "more\n")
    page = editor.page
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/versions?limit=*", hold)
    await editor.content.focus()
    await page.keyboard.press("Control+Alt+Shift+H")
    await until(lambda: held)
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    async with page.expect_response(held[0].request.url) as answered:
        await held[0].continue_()
    await (await answered.value).finished()
    # What was asked first is taken first.
    await page.evaluate("fetch(location.href).then((page) => page.text())")
    assert await page.evaluate("location.hash") == ""
