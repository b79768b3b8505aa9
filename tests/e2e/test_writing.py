"""Writing Markdown: the toolbar and its keys, lists, tables, finding, pictures, the outline, what is counted, and what people prefer."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from e2e.people import MILLISECONDS, Editor
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Locator, Page
    from serving import Served

PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
"""A picture of one pixel, as base64."""
PASTE = """
(data) => {
  const clipboardData = new DataTransfer()
  for (const [type, text] of Object.entries(data.texts ?? {})) clipboardData.setData(type, text)
  for (const { name, type, base64 } of data.files ?? []) {
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))
    clipboardData.items.add(new File([bytes], name, { type }))
  }
  collab.view.contentDOM.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
}
"""
WATCH_TEXT = "() => { window.texts = []; collab.text.observe(() => texts.push(collab.text.toString())) }"
PREFER = """
(wanted) => {
  const stored = JSON.stringify(wanted)
  localStorage.setItem('collab-preferences', stored)
  dispatchEvent(new StorageEvent('storage', { key: 'collab-preferences', newValue: stored }))
}
"""
"""What another tab of the same person does."""
WATCH_SAID = """
() => {
  const words = document.getElementById('words-seen')
  window.said = [words.textContent]
  new MutationObserver(() => said.push(words.textContent)).observe(words, { childList: true, characterData: true, subtree: true })
}
"""
"""From now on remember everything that the page says of one's words."""
IN_TEXT = "collab.view.contentDOM.contains(document.activeElement) || collab.view.contentDOM === document.activeElement"
WIDER = "document.documentElement.scrollWidth > innerWidth"


@pytest_asyncio.fixture(loop_scope="session")
async def ann(shared_server: Served, company: Company) -> Person:
    return await company.join("Ann", shared_server)


async def opened(ann: Person, name: str, text: str, at: str | None = None) -> Editor:
    """Ann's page of a new document, the caret before these words or at the end."""
    ann.served.write(name, text)
    editor = await ann.open(name)
    await editor.caret_to(utf16(text if at is None else text[: text.index(at)]))
    # Marks are found with the help of the language, which comes a moment later.
    await editor.page.locator(".cm-content[data-language]").wait_for()
    return editor


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


async def select(editor: Editor, words: str) -> None:
    """As a double click and a drag would."""
    await editor.content.focus()
    await editor.page.evaluate(
        """(words) => {
          const anchor = collab.view.state.doc.toString().indexOf(words)
          collab.view.dispatch({ selection: { anchor, head: anchor + words.length } })
        }""",
        words,
    )


def tool(page: Page, name: str) -> Locator:
    return page.locator("#tools").get_by_role("button", name=name, exact=True)


async def test_a_button_formats_what_is_selected_and_shows_that_it_is_on(ann: Person) -> None:
    editor = await opened(ann, "button.md", "one two three\n")
    await select(editor, "two")

    await tool(editor.page, "Bold").click()

    await editor.reads("one **two** three\n")
    await expect(tool(editor.page, "Bold")).to_have_attribute("aria-pressed", "true")
    await expect(tool(editor.page, "Italic")).to_have_attribute("aria-pressed", "false")
    assert await editor.page.evaluate(IN_TEXT)
    await tool(editor.page, "Bold").click()
    await editor.reads("one two three\n")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("Control+b", "a **word** b"),
        ("Control+i", "a *word* b"),
        ("Control+e", "a `word` b"),
        ("Control+Shift+x", "a ~~word~~ b"),
        ("Control+k", "a [word]() b"),
        ("Control+Alt+2", "## a word b"),
        ("Control+Shift+7", "1. a word b"),
        ("Control+Shift+8", "- a word b"),
        ("Control+Shift+9", "> a word b"),
    ],
)
async def test_a_key_formats_what_is_selected(key: str, expected: str, ann: Person) -> None:
    editor = await opened(ann, f"key-{key.replace('+', '-')}.md", "a word b")
    await select(editor, "word")

    await editor.page.keyboard.press(key)

    await editor.reads(expected)


async def test_undo_takes_the_formatting_back_and_not_what_was_typed_just_before(ann: Person) -> None:
    editor = await opened(ann, "formats.md", "start\n")
    await editor.type("typed ", at="Control+Home")
    await editor.page.keyboard.press("Control+Shift+ArrowLeft")

    await editor.page.keyboard.press("Control+b")
    await editor.reads("**typed** start\n")
    await tool(editor.page, "Undo my last change").click()

    await editor.reads("typed start\n")
    await tool(editor.page, "Redo").click()
    await editor.reads("**typed** start\n")


async def test_the_undo_button_is_for_ones_own_changes_only(ann: Person, company: Company) -> None:
    editor = await opened(ann, "mine.md", "start\n")
    other = await (await company.join("Bob", ann.served)).open("mine.md")
    undo = tool(editor.page, "Undo my last change")
    await expect(undo).to_have_attribute("aria-disabled", "true")

    await other.type("Bob ", at="Control+Home")
    await editor.reads("Bob start\n")
    await expect(undo).to_have_attribute("aria-disabled", "true")
    await editor.content.press("Control+Home")
    # In one go: of keys that come slowly each is a step to undo.
    await editor.page.keyboard.insert_text("Ann ")
    await expect(undo).to_have_attribute("aria-disabled", "false")
    await undo.click()

    await editor.reads("Bob start\n")
    await expect(undo).to_have_attribute("aria-disabled", "true")
    await expect(tool(editor.page, "Redo")).to_have_attribute("aria-disabled", "false")


async def test_the_toolbar_is_one_stop_of_tab_and_arrows_move_in_it(ann: Person) -> None:
    editor = await opened(ann, "rove.md", "words\n")
    page = editor.page

    await page.keyboard.press("Alt+F10")
    await expect(tool(page, "Undo my last change")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(tool(page, "Find and replace")).to_be_focused()
    await page.keyboard.press("Home")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(tool(page, "Bold")).to_be_focused()
    assert await page.locator('#tools button[tabindex="0"]').count() == 1
    await page.keyboard.press("Escape")

    assert await page.evaluate(IN_TEXT)


async def test_f6_goes_from_part_to_part_and_back(ann: Person) -> None:
    editor = await opened(ann, "parts.md", "# One\n")
    page = editor.page
    where = "['.bar', '#tools', '#outline', '#editor'].find((part) => document.querySelector(part).contains(document.activeElement))"
    await page.keyboard.press("Control+Alt+o")
    await expect(page.locator("#outline").get_by_role("button", name="One")).to_be_focused()

    seen = []
    for _ in range(4):
        await page.keyboard.press("F6")
        seen.append(await page.evaluate(where))
    await page.keyboard.press("Shift+F6")

    assert seen == ["#editor", ".bar", "#tools", "#outline"]
    assert await page.evaluate(where) == "#tools"


async def test_enter_goes_on_with_a_list_and_tab_moves_its_items(ann: Person) -> None:
    editor = await opened(ann, "lists.md", "1. one")
    page = editor.page

    await editor.type("\ntwo\nthree", at="Control+End")
    await editor.reads("1. one\n2. two\n3. three")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Tab")
    await editor.reads("1. one\n   1. two\n2. three")
    await page.keyboard.press("Shift+Tab")
    await editor.reads("1. one\n2. two\n3. three")
    await editor.type("\n\nafter", at="Control+End")

    await editor.reads("1. one\n2. two\n3. three\nafter")


async def test_tab_traps_nobody(ann: Person) -> None:
    editor = await opened(ann, "trap.md", "words\n\n- one\n- two")
    page = editor.page
    await editor.caret_to(0)
    await page.keyboard.press("Tab")
    assert not await page.evaluate(IN_TEXT)

    await editor.content.press("Control+End")
    await page.keyboard.press("Tab")
    assert await page.evaluate(IN_TEXT)
    await editor.reads("words\n\n- one\n  - two")
    # Tab leaves for some seconds, which do not go by now.
    await page.evaluate("() => { const now = Date.now(); Date.now = () => now }")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")

    assert not await page.evaluate(IN_TEXT)
    await editor.reads("words\n\n- one\n  - two")


async def test_a_table_is_filled_with_tab_and_stands_in_line_when_one_leaves_it(ann: Person) -> None:
    editor = await opened(ann, "table.md", "")
    page = editor.page

    await tool(page, "Table").click()
    await page.keyboard.type("Name")
    await page.keyboard.press("Tab")
    await page.keyboard.type("漢字")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Ann")
    await page.keyboard.press("Tab")
    await page.keyboard.type("👩‍👩‍👧 four")
    await page.keyboard.press("Tab")
    await page.keyboard.type("b")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await page.keyboard.type("\nafter")

    await editor.reads("| Name | 漢字    |\n| ---- | ------- |\n| Ann  | 👩‍👩‍👧 four |\n| b    |         |\n\nafter\n")


async def test_rows_and_columns_come_and_go_by_buttons_that_are_there_in_tables_only(ann: Person) -> None:
    editor = await opened(ann, "rows.md", "words\n\n| a | b |\n| - | - |\n| 1 | 2 |\n", "1 | 2")
    page = editor.page
    group = page.get_by_role("group", name="Table")
    await expect(group).to_be_visible()

    await tool(page, "Add a column after").click()
    await page.keyboard.type("x")
    await tool(page, "Add a row below").click()
    await page.keyboard.type("y")
    await editor.content.press("Control+Home")

    await editor.reads("words\n\n| a   |     | b   |\n| --- | --- | --- |\n| 1   | x   | 2   |\n| y   |     |     |\n")
    await expect(group).to_be_hidden()
    await editor.caret_to(utf16("words\n\n| a   |  "))
    await tool(page, "Delete this column").click()
    await editor.reads("words\n\n| a   | b   |\n| --- | --- |\n| 1   | 2   |\n| y   |     |\n")


async def test_find_and_replace_counts_goes_on_and_replaces(ann: Person) -> None:
    editor = await opened(ann, "find.md", "One, one and ONE, once.\n")
    page = editor.page
    await page.keyboard.press("Control+f")
    await page.get_by_role("textbox", name="Find", exact=True).fill("one")
    status = page.locator(".find .found")
    await expect(status).to_have_text("3 matches")

    await page.keyboard.press("Enter")
    await expect(status).to_have_text("1 of 3")
    await page.get_by_role("button", name="Match case").click()
    await expect(status).to_have_text("1 match")
    await page.get_by_role("button", name="Match case").click()
    await page.get_by_role("textbox", name="Replace with").fill("\\two")
    await page.get_by_role("button", name="Replace all").click()

    await editor.reads("\\two, \\two and \\two, once.\n")
    await expect(status).to_have_text("No match")
    await page.keyboard.press("Escape")
    assert await page.evaluate(IN_TEXT)
    await page.keyboard.press("Control+z")
    await editor.reads("One, one and ONE, once.\n")


@pytest.mark.parametrize(("locale", "words"), [("de-DE", "Suchen"), ("fr-FR", "Rechercher")])
async def test_find_and_replace_fits_on_a_phone_in_each_language(locale: str, words: str, shared_server: Served, company: Company) -> None:
    person = await company.join("Ann", shared_server, locale=locale)
    editor = await opened(person, f"phone-{locale}.md", "eins zwei\n")
    await editor.page.set_viewport_size({"width": 360, "height": 640})

    await editor.page.keyboard.press("Control+f")
    await editor.page.get_by_role("textbox", name=words, exact=True).fill("zwei")

    for control in await editor.page.locator(".find button, .find input").all():
        box = await control.bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= 360, box["height"] >= 24) == (True, True, True)
    assert not await editor.page.evaluate(WIDER)
    size = await editor.page.get_by_role("textbox", name=words, exact=True).evaluate(
        "(field) => parseFloat(getComputedStyle(field).fontSize)"
    )
    assert size >= 16


async def test_an_address_pasted_over_words_makes_them_a_link(ann: Person) -> None:
    editor = await opened(ann, "paste-link.md", "see the docs now\n")
    await select(editor, "the docs")

    await editor.page.evaluate(PASTE, {"texts": {"text/plain": "https://example.org/x"}})

    await editor.reads("see [the docs](https://example.org/x) now\n")


async def test_rich_text_is_pasted_as_its_words(ann: Person) -> None:
    editor = await opened(ann, "paste-rich.md", "")

    texts = {"text/html": "<b onclick=alert(1)>bold</b> words", "text/plain": "bold words"}
    await editor.page.evaluate(PASTE, {"texts": texts, "files": [{"name": "x.png", "type": "image/png", "base64": PIXEL}]})

    await editor.reads("bold words")


async def test_a_picture_that_could_not_be_uploaded_leaves_a_word_why_and_nothing_in_the_text(server: Served, company: Company) -> None:
    editor = await opened(await company.join("Ann", server), "not-uploaded.md", "start")
    await asyncio.to_thread(server.stop)

    await editor.page.evaluate(PASTE, {"files": [{"name": "image.png", "type": "image/png", "base64": PIXEL}]})

    await expect(editor.note("upload")).to_contain_text("image.png could not be uploaded: the server does not answer")
    await expect(editor.page.locator(".cm-waiting")).to_have_count(0)
    assert await editor.text() == "start"
    await asyncio.to_thread(server.start)
    await editor.saved()
    await editor.note("upload").get_by_role("button", name="Try again").click()
    await editor.reads("start![](not-uploaded.md.assets/image.png)")


async def test_words_and_characters_are_counted_of_all_and_of_what_is_selected(ann: Person) -> None:
    editor = await opened(ann, "count.md", "Three small words\n\n👩‍👩‍👧 é\n")
    status = editor.page.locator("#status")
    await expect(status).to_contain_text("4 words")
    await expect(status).to_contain_text("20 characters")
    await expect(status).to_contain_text("1 min to read")

    await editor.type("more words ", at="Control+Home")
    await expect(status).to_contain_text("6 words")
    await select(editor, "small words")

    await expect(status).to_contain_text("2 of 6 words selected")
    await expect(status).to_contain_text("11 of 31 characters")
    await expect(status).to_contain_text("Line 1, column 29")


async def test_the_outline_follows_the_text_and_leads_to_each_heading(ann: Person) -> None:
    body = "# Start\n\n```\n# no heading\n```\n\n" + "".join(f"## Part {number}\n\n{'words ' * 60}\n\n" for number in range(30))
    editor = await opened(ann, "outline.md", body)
    page = editor.page
    await page.set_viewport_size({"width": 1280, "height": 700})
    await editor.content.press("Control+Home")
    await page.keyboard.press("Control+Alt+o")
    outline = page.get_by_role("navigation", name="Outline")
    await expect(outline.get_by_role("button", name="Start")).to_have_attribute("aria-current", "location")
    assert await outline.locator("ul ul .heading").count() == 30
    assert await outline.get_by_text("no heading").count() == 0

    await outline.get_by_role("button", name="Part 20", exact=True).click()
    await expect(outline.get_by_role("button", name="Part 20", exact=True)).to_have_attribute("aria-current", "location")
    await page.keyboard.press("End")
    await page.keyboard.type(" of the plan")
    await expect(outline.get_by_role("button", name="Part 20 of the plan")).to_be_visible()
    await editor.type("# A new end", at="Control+End")
    await expect(outline.get_by_role("button", name="A new end")).to_be_visible()
    await page.evaluate("collab.view.scrollDOM.scrollTo(0, 0)")

    await expect(outline.get_by_role("button", name="Start")).to_have_attribute("aria-current", "location")
    await page.keyboard.press("Control+Alt+o")
    await expect(outline).to_be_hidden()


async def test_the_outline_leads_through_the_preview_too(ann: Person) -> None:
    body = f"# Start\n\n{'words ' * 200}\n\n" + "".join(f"## Part {number}\n\n{'words ' * 200}\n\n" for number in range(30))
    editor = await opened(ann, "outline-read.md", body)
    page = editor.page
    await page.set_viewport_size({"width": 1280, "height": 700})
    await editor.content.press("Control+Home")
    await page.locator("#modes [data-mode=preview]").click()
    await page.locator("#preview h1").wait_for()
    await page.keyboard.press("Control+Alt+o")
    outline = page.get_by_role("navigation", name="Outline")
    await expect(outline.get_by_role("button", name="Start")).to_have_attribute("aria-current", "location")

    await outline.get_by_role("button", name="Part 20", exact=True).click()
    await expect(page.locator("#preview h2", has_text="Part 20")).to_be_in_viewport()
    await expect(outline.get_by_role("button", name="Part 20", exact=True)).to_have_attribute("aria-current", "location")
    await page.locator("#preview").hover()
    await page.mouse.wheel(0, -100_000)

    await expect(outline.get_by_role("button", name="Start")).to_have_attribute("aria-current", "location")


async def test_on_a_phone_the_outline_lies_over_the_text_and_goes_when_it_was_used(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server, has_touch=True)
    editor = await opened(ann, "outline-phone.md", "# One\n\ntext\n\n# Two\n")
    page = editor.page
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.locator("#more").click()
    await page.locator("#menu").get_by_role("button", name="Outline").click()
    await expect(page.locator("#outline")).to_have_css("position", "fixed")

    await page.locator("#outline").get_by_role("button", name="Two").tap()

    await expect(page.locator("#outline")).to_be_hidden()
    assert await page.evaluate("collab.view.state.doc.lineAt(collab.view.state.selection.main.head).number") == 5
    await page.keyboard.press("Control+Alt+o")
    await expect(page.locator("#outline")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#outline")).to_be_hidden()


async def test_on_a_phone_the_toolbar_is_at_the_bottom_and_leaves_the_focus_in_the_text(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server, has_touch=True, is_mobile=True)
    editor = await opened(ann, "small.md", "one two\n")
    page = editor.page
    await page.set_viewport_size({"width": 360, "height": 640})
    await select(editor, "two")
    await page.evaluate("() => { window.left = 0; collab.view.contentDOM.addEventListener('blur', () => left++) }")

    await tool(page, "Bold").tap()

    await editor.reads("one **two**\n")
    assert await page.evaluate("left") == 0
    box = await page.locator("#tools").bounding_box()
    assert box is not None
    assert round(box["y"] + box["height"]) == 640
    assert not await page.evaluate(WIDER)
    sizes = await page.evaluate("[...document.querySelectorAll('#tools button')].map((each) => each.getBoundingClientRect().height)")
    assert min(size for size in sizes if size) >= 44
    zoom = await page.locator('meta[name="viewport"]').get_attribute("content")
    assert "user-scalable" not in str(zoom)
    assert "maximum-scale" not in str(zoom)


async def test_what_one_prefers_holds_at_once_in_an_open_editor(ann: Person) -> None:
    editor = await opened(ann, "prefer.md", "# One\n\n" + "long " * 200)
    page = editor.page
    await expect(editor.content).to_have_attribute("spellcheck", "true")
    assert await page.locator(".cm-lineNumbers").count() == 0

    await page.evaluate(PREFER, {"wrap": False, "lineNumbers": "on", "spelling": False, "fontSize": 26})

    await expect(page.locator(".cm-lineNumbers")).to_be_visible()
    await expect(editor.content).to_have_attribute("spellcheck", "false")
    await expect(page.locator(".cm-scroller")).to_have_css("font-size", "26px")
    assert await page.evaluate("collab.view.scrollDOM.scrollWidth > collab.view.scrollDOM.clientWidth")
    await page.evaluate(PREFER, {})
    await expect(page.locator(".cm-lineNumbers")).to_have_count(0)
    assert await page.evaluate("collab.view.scrollDOM.scrollWidth <= collab.view.scrollDOM.clientWidth")


async def test_the_text_tells_its_own_language(ann: Person) -> None:
    editor = await opened(ann, "language.md", "---\ntitle: x\nlang: fr\n---\n\nBonjour\n")
    await expect(editor.content).to_have_attribute("lang", "fr")

    other = await opened(ann, "no-language.md", "Hello\n")
    await expect(other.content).to_have_attribute("lang", "en-US")


async def test_vim_undoes_only_ones_own_and_tells_the_truth_of_writing(ann: Person, company: Company) -> None:
    editor = await opened(ann, "vim.md", "one two\n")
    other = await (await company.join("Bob", ann.served)).open("vim.md")
    page = editor.page
    await page.evaluate(PREFER, {"keys": "vim"})
    await expect(page.locator(".cm-vim-panel")).to_contain_text("NORMAL")
    await editor.caret_to(0)

    await page.keyboard.type("dw")
    await editor.reads("two\n")
    await other.type("Bob ", at="Control+End")
    await editor.reads("two\nBob ")
    await page.keyboard.type("u")
    await editor.reads("one two\nBob ")
    await page.keyboard.press("Control+r")
    await editor.reads("two\nBob ")
    await page.evaluate(WATCH_SAID)

    # It goes after some seconds: where it stands, it is compared.
    shown = page.wait_for_function(
        "() => said.includes(document.querySelector('.cm-vim-panel')?.innerText.split('Saving goes by itself. Now: ')[1])"
    )
    await asyncio.gather(shown, page.keyboard.type(":w\n"))
    await page.keyboard.type("/bob\n")
    await page.keyboard.type("i")
    await page.keyboard.type("I ")
    await page.keyboard.press("Escape")
    await editor.reads("two\nI Bob ")
    await page.evaluate(PREFER, {})
    await expect(page.locator(".cm-vim-panel")).to_have_count(0)


async def test_emacs_moves_kills_yanks_and_undoes(ann: Person) -> None:
    editor = await opened(ann, "emacs.md", "one two\nthree\n")
    page = editor.page
    await editor.caret_to(0)
    async with page.expect_response(lambda response: "/emacs" in response.url):
        await page.evaluate(PREFER, {"keys": "emacs"})
    await page.wait_for_function("() => document.querySelector('.cm-emacsMode, .cm-emacs, .cm-fat-cursor, .cm-cursorLayer') !== null")

    await page.keyboard.press("Control+k")
    await editor.reads("\nthree\n")
    await page.keyboard.press("Control+n")
    await page.keyboard.press("Control+y")
    await editor.reads("\none twothree\n")
    # What was done within half a second is one step.
    await page.keyboard.press("Control+Shift+Minus")
    await page.keyboard.press("Control+Shift+Minus")

    await editor.reads("one two\nthree\n")


async def test_all_keys_are_listed_in_a_window_that_escape_closes(ann: Person) -> None:
    editor = await opened(ann, "keys.md", "words\n")
    page = editor.page

    await page.keyboard.press("Control+Alt+k")

    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_be_visible()
    for words in ("Bold", "Find and replace", "Next part of the page", "Leave the text", "Next cell of the table"):
        await expect(dialog.get_by_text(words, exact=True)).to_have_count(1)
    await expect(dialog.locator("dt", has_text="Bold").locator("+ dd")).to_have_text("Ctrl+B")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert await page.evaluate(IN_TEXT)


async def test_the_next_view_is_a_key_away(ann: Person) -> None:
    editor = await opened(ann, "views.md", "words\n")
    await editor.page.set_viewport_size({"width": 1440, "height": 900})
    before = await editor.page.locator("body").get_attribute("data-mode")

    await editor.page.keyboard.press("Control+Alt+m")

    await expect(editor.page.locator("body")).not_to_have_attribute("data-mode", str(before))


async def test_who_only_reads_has_no_toolbar_and_finds_without_replacing(shared_server: Served, company: Company) -> None:
    shared_server.write("reader.md", "one two\n")
    viewer = await (await company.join("Eve", shared_server, "viewer")).visit("reader.md")
    await expect(viewer.page.locator("#read-only")).to_be_visible()
    await expect(viewer.page.locator("#tools")).to_be_hidden()

    await viewer.page.locator("#more").click()
    await viewer.page.locator("#menu").get_by_role("button", name="Find and replace").click()

    await viewer.page.get_by_role("textbox", name="Find", exact=True).fill("two")
    await expect(viewer.page.locator(".find .found")).to_have_text("1 match")
    await expect(viewer.page.get_by_role("textbox", name="Replace with")).to_be_hidden()


async def test_a_document_of_plain_words_loads_no_parsers_of_other_languages(ann: Person) -> None:
    bodies: list[asyncio.Task[str]] = []
    ann.context.on(
        "response", lambda response: bodies.append(asyncio.ensure_future(response.text())) if "/assets/" in response.url else None
    )
    editor = await opened(ann, "light.md", "# Words\n\nand *more*\n")
    await expect(editor.page.locator(".tok-heading1").first).to_be_visible()
    marker = "JSXElement"
    assert not any(marker in body for body in await asyncio.gather(*bodies))

    await editor.type("\n```js\nconst one = 1\n", at="Control+End")

    await expect(editor.page.locator(".cm-code-line .tok-keyword")).to_have_text("const", timeout=MILLISECONDS)
    assert any(marker in body for body in await asyncio.gather(*bodies))
    assert json.dumps(await editor.text()) == json.dumps("# Words\n\nand *more*\n\n```js\nconst one = 1\n")
