"""What one prefers takes effect at once, stays after a reload, and holds in other tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Editor, Person
    from playwright.async_api import Page
    from serving import Served


async def opened(person: Person, served: Served, document: str, text: str = "start\n") -> tuple[Editor, Page]:
    """A document with the settings in front of it."""
    served.write(document, text)
    editor = await person.open(document)
    await show(editor.page)
    return editor, editor.page


async def show(page: Page) -> None:
    await page.locator("#more").click()
    await page.locator('#menu [data-act="editor.menu.settings"]').click()
    await page.locator("dialog.settings").wait_for()


async def choose(page: Page, name: str, value: str) -> None:
    await page.locator(f'.settings input[name="{name}"][value="{value}"]').check()


PAPER = "getComputedStyle(document.querySelector('.cm-editor')).backgroundColor"


async def test_the_theme_changes_at_once_and_stays(shared_server: Served, company: Company) -> None:
    editor, page = await opened(await company.join("Ann", shared_server, color_scheme="light"), shared_server, "theme.md")
    light = await page.evaluate(PAPER)

    await choose(page, "theme", "dark")

    dark = await page.evaluate(PAPER)
    assert dark != light
    await page.reload()
    await editor.ready()
    assert await page.evaluate(PAPER) == dark


async def test_another_tab_follows_at_once(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server, color_scheme="light")
    shared_server.write("theme-other.md", "start\n")
    other = (await ann.open("theme-other.md")).page
    _, page = await opened(ann, shared_server, "theme-one.md")

    await choose(page, "theme", "dark")

    await expect(other.locator("html")).to_have_attribute("data-theme", "dark")


async def test_the_size_of_the_text_is_that_of_the_editor(shared_server: Served, company: Company) -> None:
    _, page = await opened(await company.join("Ann", shared_server), shared_server, "size.md")

    await page.locator("#settings-fontSize").select_option("22")

    await expect(page.locator(".cm-scroller")).to_have_css("font-size", "22px")


async def test_long_lines_are_wrapped_or_not(shared_server: Served, company: Company) -> None:
    _, page = await opened(await company.join("Ann", shared_server), shared_server, "wrap.txt", "word " * 400)
    wide = "document.querySelector('.cm-scroller').scrollWidth > document.querySelector('.cm-scroller').clientWidth"
    assert not await page.evaluate(wide)

    await page.get_by_label("Wrap long lines").uncheck()

    await expect(page.locator(".cm-lineWrapping")).to_have_count(0)
    assert await page.evaluate(wide)


async def test_spelling_is_checked_or_not(shared_server: Served, company: Company) -> None:
    editor, page = await opened(await company.join("Ann", shared_server), shared_server, "spelling.md")
    await expect(editor.content).to_have_attribute("spellcheck", "true")

    await page.get_by_label("Check spelling").uncheck()

    await expect(editor.content).to_have_attribute("spellcheck", "false")


@pytest.mark.parametrize(("value", "count"), [("on", 1), ("off", 0)])
async def test_line_numbers_are_there_or_not(shared_server: Served, company: Company, value: str, count: int) -> None:
    _, page = await opened(await company.join("Ann", shared_server), shared_server, f"numbers-{value}.md")

    await choose(page, "lineNumbers", value)

    await expect(page.locator(".cm-lineNumbers")).to_have_count(count)


async def test_the_keys_of_vim_and_of_emacs(shared_server: Served, company: Company) -> None:
    editor, page = await opened(await company.join("Ann", shared_server), shared_server, "keys.txt", "one two\n")

    await choose(page, "keys", "vim")
    await page.locator(".cm-vimMode, .cm-fat-cursor").first.wait_for(state="attached")
    await page.keyboard.press("Escape")
    await editor.caret_to(0)
    await page.keyboard.type("dw")
    await editor.reads("two\n")
    await show(page)
    await choose(page, "keys", "emacs")
    await page.keyboard.press("Escape")
    await expect(page.locator(".cm-vimMode")).to_have_count(0)
    await editor.caret_to(0)
    await page.keyboard.press("Control+k")

    await editor.reads("\n")


async def test_documents_open_as_one_likes(shared_server: Served, company: Company) -> None:
    editor, page = await opened(await company.join("Ann", shared_server), shared_server, "mode.md", "# Title\n")

    await choose(page, "mode", "preview")
    await page.reload()

    await page.locator("#preview h1").wait_for()
    await expect(editor.content).to_be_hidden()


async def test_a_name_that_the_operator_did_not_give_can_be_changed_and_others_see_it(server: Served, company: Company) -> None:
    owner, bob = await company.join("Owner", server, None), await company.join("Bob", server)
    page = await owner.new_page()
    await page.goto(server.address)
    await page.locator("#me button").first.wait_for()
    editor, settings = await opened(owner, server, "named.md")
    other = await bob.open("named.md")

    await settings.locator("#settings-name").fill("Zoë")
    await settings.keyboard.press("Enter")
    await expect(settings.locator(".settings output").first).to_contain_text("Zoë")
    await settings.keyboard.press("Escape")
    await editor.type("x")

    await other.sees("Bob", "Zoë")
    await other.sees_caret_of("Zoë")


async def test_everything_can_be_as_it_was(shared_server: Served, company: Company) -> None:
    _, page = await opened(await company.join("Ann", shared_server), shared_server, "reset.md")
    await choose(page, "theme", "dark")

    await page.get_by_role("button", name="Reset everything").click()

    await expect(page.locator('.settings input[name="theme"][value="system"]')).to_be_checked()
    await expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
