"""Slides: a Markdown document for an audience, while others still write it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from e2e.people import MILLISECONDS
from playwright.async_api import Error, expect

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Locator, Page
    from serving import Served

TALK = """---
title: Words that stay
author: [Ann Example, Bob Muster]
date: 2026-11-22
---

# Why

- one
- two

Note: Say **hello** first.

---

## Picture

```mermaid
flowchart LR
  A --> B
```

---

## Code

```text
---
```

---

# Questions?
"""
PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")


def slide(page: Page) -> Locator:
    return page.locator(".cell.now .sheet")


async def present(person: Person, name: str, at: str = "") -> Page:
    page = await person.new_page()
    await page.goto(f"{person.served.url}/present/{name}{at}")
    await slide(page).locator(":scope :not(.leaf)").first.wait_for()
    return page


async def shows(page: Page, place: str, words: str) -> None:
    """Until this page of so many is there with these words."""
    await expect(page.locator(".controls .place")).to_have_text(place, timeout=MILLISECONDS)
    await expect(slide(page)).to_contain_text(words, timeout=MILLISECONDS)


async def test_a_talk_is_given_with_the_keyboard(shared_server: Served, company: Company) -> None:
    shared_server.write("talk.md", TALK)
    ann = await company.join("Ann", shared_server)

    page = await present(ann, "talk.md")

    await shows(page, "1 / 5", "Words that stay")
    await expect(slide(page)).to_contain_text("Ann Example, Bob Muster")
    keys = [("ArrowRight", "2 / 5", "Why"), ("Space", "3 / 5", "Picture"), ("PageDown", "4 / 5", "---"), ("ArrowLeft", "3 / 5", "Picture")]
    keys += [("End", "5 / 5", "Questions?"), ("Home", "1 / 5", "Words"), ("4", "1 / 5", "Words"), ("Enter", "4 / 5", "Code")]
    for key, place, words in keys:
        await page.keyboard.press(key)
        await shows(page, place, words)
    await expect(page).to_have_url(re.compile(r"/present/talk\.md#4$"))
    await expect(page.locator("#said")).to_have_text("Slide 4 of 5: Code")
    await expect(slide(page).locator("..")).to_have_attribute("aria-roledescription", "slide")
    assert "Note" not in await page.locator("#stage").inner_text()


async def test_the_address_keeps_the_place(shared_server: Served, company: Company) -> None:
    shared_server.write("talk-address.md", TALK)
    ann = await company.join("Ann", shared_server)

    page = await present(ann, "talk-address.md", "#3")
    await shows(page, "3 / 5", "Picture")
    await expect(slide(page).locator("img")).to_be_visible(timeout=MILLISECONDS)

    await page.evaluate("location.hash = '#5'")
    await shows(page, "5 / 5", "Questions?")
    await page.reload()
    await shows(page, "5 / 5", "Questions?")


async def test_overview_black_screen_and_keys_open_and_close(shared_server: Served, company: Company) -> None:
    shared_server.write("talk-views.md", TALK)
    ann = await company.join("Ann", shared_server)
    page = await present(ann, "talk-views.md")

    await page.keyboard.press("o")
    picks = page.locator(".pick")
    await expect(picks).to_have_count(5)
    await expect(picks.first).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(picks.nth(1)).to_be_focused()
    await page.get_by_role("button", name="Slide 4 of 5: Code").click()
    await shows(page, "4 / 5", "Code")
    await expect(picks.first).to_be_hidden()

    await page.keyboard.press("b")
    await expect(page.locator("#black")).to_be_visible()
    await page.keyboard.press("b")
    await expect(page.locator("#black")).to_be_hidden()

    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await shows(page, "4 / 5", "Code")


async def test_escape_goes_back_to_the_editor(shared_server: Served, company: Company) -> None:
    shared_server.write("talk-leave.md", TALK)
    ann = await company.join("Ann", shared_server)
    page = await present(ann, "talk-leave.md")

    await page.keyboard.press("Escape")

    await page.wait_for_url("**/edit/talk-leave.md")


async def test_the_editors_menu_opens_the_slides_and_escape_closes_them(shared_server: Served, company: Company) -> None:
    shared_server.write("talk-menu.md", TALK)
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("talk-menu.md")

    async with editor.page.expect_popup() as opened:
        await editor.page.locator("#more").click()
        await editor.page.get_by_role("button", name="Present as slides").click()
    slides = await opened.value
    ann.seen.watch(slides)
    await shows(slides, "1 / 5", "Words that stay")

    async with slides.expect_event("close"):
        # The page may be gone before it is known that the key was let go.
        with contextlib.suppress(Error):
            await slides.keyboard.press("Escape")


async def test_the_slide_on_the_screen_changes_in_place_and_stays_when_slides_before_it_come_and_go(
    shared_server: Served, company: Company
) -> None:
    shared_server.write("live.md", "# One\n\n---\n\n# Two\n\n- a\n\n---\n\n# Three\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    page = await present(ann, "live.md", "#2")
    await shows(page, "2 / 3", "Two")
    await slide(page).evaluate("(element) => { element.same = true }")
    editor = await bob.open("live.md")
    start = len("# One\n\n---\n\n# Two\n\n- a")

    await editor.caret_to(start)
    await editor.type(" and more")
    await expect(slide(page)).to_contain_text("a and more", timeout=MILLISECONDS)
    await editor.type("Zero\n\n---\n\n", at="Control+Home")
    await shows(page, "3 / 4", "Two")
    await expect(page).to_have_url(re.compile("#3$"))
    assert await slide(page).evaluate("(element) => element.same")

    await editor.page.evaluate("collab.view.dispatch({ changes: { from: 0, to: 'Zero\\n\\n---\\n\\n# One\\n\\n---\\n\\n'.length } })")
    await shows(page, "1 / 2", "Two")
    await expect(slide(page)).to_contain_text("a and more")


async def test_nothing_is_ever_written(shared_server: Served, company: Company) -> None:
    text = "- [ ] one\n\n---\n\n- [ ] two\n"
    path = shared_server.write("ticked.md", text)
    before = path.stat().st_mtime_ns
    ann = await company.join("Ann", shared_server)
    page = await present(ann, "ticked.md")

    await expect(slide(page).get_by_role("checkbox")).to_be_disabled()
    await page.keyboard.type("some words ")
    await page.keyboard.press("Home")
    await shows(page, "1 / 2", "one")

    assert (shared_server.read("ticked.md"), path.stat().st_mtime_ns) == (text, before)


async def test_the_speakers_window_shows_notes_and_the_next_slide_and_both_windows_go_together(
    shared_server: Served, company: Company
) -> None:
    shared_server.write("speaker.md", TALK)
    ann = await company.join("Ann", shared_server)
    page = await present(ann, "speaker.md")

    async with page.expect_popup() as opened:
        await page.keyboard.press("s")
    speaker = await opened.value
    ann.seen.watch(speaker)
    await expect(speaker.locator(".on-screen")).to_contain_text("Words that stay", timeout=MILLISECONDS)
    await expect(speaker.locator(".upcoming")).to_contain_text("Why", timeout=MILLISECONDS)

    await page.keyboard.press("ArrowRight")
    await expect(speaker.locator(".remarks")).to_contain_text("Say hello first.", timeout=MILLISECONDS)
    await expect(speaker.locator(".remarks strong")).to_have_text("hello")
    await expect(speaker.get_by_role("timer", name="Since the start")).to_have_text(re.compile(r"^\d+:\d\d$"))

    await speaker.keyboard.press("End")
    await shows(page, "5 / 5", "Questions?")
    await expect(speaker.locator(".upcoming .end")).to_be_visible()
    await speaker.keyboard.press("b")
    await expect(page.locator("#black")).to_be_visible()

    await page.close()
    await expect(speaker.locator("[data-note=alone]")).to_contain_text("was closed")


async def test_a_long_slide_gets_smaller_letters_and_then_scrolls(shared_server: Served, company: Company) -> None:
    lines = "\n".join(f"- line {number} of a list" for number in range(13))
    many = "\n".join(f"- line {number} of a list" for number in range(80))
    shared_server.write("tall.md", f"# Short\n\n---\n\n# Long\n\n{lines}\n\n---\n\n# Longest\n\n{many}\n")
    ann = await company.join("Ann", shared_server)
    page = await present(ann, "tall.md", "#2")
    whole = "(element) => element.scrollHeight <= element.clientHeight + 1"

    await shows(page, "2 / 3", "line 12")
    assert await slide(page).evaluate(whole)
    assert await slide(page).evaluate("(element) => Number(element.style.getPropertyValue('--fit'))") < 1

    await page.keyboard.press("ArrowRight")
    await shows(page, "3 / 3", "line 79")
    assert not await slide(page).evaluate(whole)
    await page.keyboard.press("ArrowDown")
    await expect(slide(page).get_by_text("line 1 of", exact=False).first).not_to_be_in_viewport()
    await shows(page, "3 / 3", "line 79")


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_slides_are_whole_on_every_screen(width: int, scheme: str, shared_server: Served, company: Company) -> None:
    name = f"screen-{width}-{scheme}.md"
    shared_server.write(name, TALK)
    phone = width == 360
    ann = await company.join("Ann", shared_server, color_scheme=scheme, has_touch=phone, is_mobile=phone)
    page = await ann.new_page()
    await page.set_viewport_size({"width": width, "height": 740 if width == 360 else 900})
    await page.goto(f"{shared_server.url}/present/{name}#2")

    await shows(page, "2 / 5", "Why")

    box = await page.locator(".cell.now .slide").bounding_box()
    assert box is not None
    assert box["x"] >= -1
    assert box["x"] + box["width"] <= width + 1
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    letters = await slide(page).evaluate(
        "(e) => parseFloat(getComputedStyle(e).fontSize) * e.getBoundingClientRect().width / e.offsetWidth"
    )
    assert letters >= 16


async def test_a_finger_turns_the_pages(shared_server: Served, company: Company) -> None:
    shared_server.write("touch.md", TALK)
    ann = await company.join("Ann", shared_server, has_touch=True, is_mobile=True)
    page = await ann.new_page()
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{shared_server.url}/present/touch.md")
    await shows(page, "1 / 5", "Words")

    await page.touchscreen.tap(300, 300)
    await shows(page, "2 / 5", "Why")
    await page.touchscreen.tap(40, 300)
    await shows(page, "1 / 5", "Words")


async def test_without_lines_of_dashes_each_heading_begins_a_slide(shared_server: Served, company: Company) -> None:
    shared_server.write("headings.md", "# A\n\na\n\n## B\n\n### still b\n\nC\n=\n")
    ann = await company.join("Ann", shared_server)

    page = await present(ann, "headings.md", "#2")

    await shows(page, "2 / 3", "still b")


async def test_an_empty_document_says_what_makes_slides(shared_server: Served, company: Company) -> None:
    shared_server.write("none.md", "")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()

    await page.goto(f"{shared_server.url}/present/none.md")

    await expect(page.locator("#empty")).to_contain_text("no slides yet", timeout=MILLISECONDS)


async def test_a_lost_connection_is_said_and_the_slides_stay(server: Served, company: Company) -> None:
    server.write("lost.md", TALK)
    ann = await company.join("Ann", server)
    page = await present(ann, "lost.md", "#2")
    await shows(page, "2 / 5", "Why")

    server.kill()
    await expect(page.locator("#link")).to_contain_text("Not connected", timeout=MILLISECONDS)
    await page.keyboard.press("End")
    await shows(page, "5 / 5", "Questions?")

    server.start()
    await expect(page.locator("#link")).to_have_text("", timeout=3 * MILLISECONDS)
    bob = await company.join("Bob", server)
    await (await bob.open("lost.md")).type("\n---\n\n# More", at="Control+End")
    await expect(page.locator(".controls .place")).to_have_text("5 / 6", timeout=MILLISECONDS)


async def test_a_refusal_says_what_happened(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()

    await page.goto(f"{shared_server.url}/present/nowhere.md")

    note = page.locator("[data-note=refusal]")
    await expect(note).to_contain_text("There is no such document", timeout=MILLISECONDS)
    await expect(note.get_by_role("link", name="All files")).to_be_visible()


async def test_each_slide_is_printed_on_a_page_of_its_own(shared_server: Served, company: Company) -> None:
    shared_server.write("print-slides.md", TALK)
    ann = await company.join("Ann", shared_server, color_scheme="dark")
    page = await present(ann, "print-slides.md", "#2")
    await shows(page, "2 / 5", "Why")
    # All of them are drawn while nobody does anything.
    await expect(page.locator(".slide:not([aria-busy])")).to_have_count(5, timeout=MILLISECONDS)

    pdf = await page.pdf(prefer_css_page_size=True)

    assert len(PAGES.findall(pdf)) == 5
    await shows(page, "2 / 5", "Why")
