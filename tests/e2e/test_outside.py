"""The page says what happens to the file outside of it: what it was, what is safe, what one can do (MERGE-1, MERGE-4, MERGE-9, GUARD-1)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from e2e.people import Editor
from e2e.test_accessibility import faults, shot
from e2e.walk import WIDTHS, Look
from playwright.async_api import expect
from serving import until

from collab import __version__

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Page, Route
    from serving import Served

STORY = "".join(f"Line {number} of a story that everybody writes together.\n" for number in range(1, 31))
OTHER = "".join(f"{number * 7919:x} entirely {number:b}\n" for number in range(100))
SAY = "(payload) => collab.provider.emit('stateless', { payload })"


async def test_what_another_program_wrote_is_told_without_moving_the_text(shared_server: Served, company: Company) -> None:
    """MERGE-1."""
    path = shared_server.write("outside/merged.md", STORY)
    page = (await (await company.join("Ann", shared_server)).open("outside/merged.md")).page
    before = await page.locator(".cm-content").bounding_box()

    path.write_text(STORY + "more\n", encoding="utf-8")

    await expect(page.get_by_role("status").filter(has_text="Another program changed the file")).to_be_visible()
    assert await page.locator("#notes > *").count() == 0
    after = await page.locator(".cm-content").bounding_box()
    assert before
    assert after
    assert (before["x"], before["y"]) == (after["x"], after["y"])


async def test_what_happened_is_told_although_the_words_for_it_did_not_come_at_first(shared_server: Served, company: Company) -> None:
    """MERGE-9: a network that is gone for just that moment."""
    shared_server.write("outside/late.txt", STORY)
    editor = await (await company.join("Ann", shared_server)).open("outside/late.txt")
    tries: list[str] = []

    async def lost(route: Route) -> None:
        tries.append(route.request.url)
        await route.abort("internetdisconnected")

    await editor.page.route("**/assets/happenings-*.js", lost, times=1)
    await editor.page.evaluate(SAY, f"collab:notice {json.dumps({'kind': 'conflict', 'path': 'outside/late conflict.txt', 'by': ''})}")
    await expect(editor.page.locator("[data-note^=conflict]")).to_contain_text("late conflict.txt")
    assert len(tries) == 1


async def test_a_file_that_is_back_before_the_words_for_it_came_is_not_called_gone(shared_server: Served, company: Company) -> None:
    """MERGE-9."""
    shared_server.write("outside/blink.txt", STORY)
    editor = await (await company.join("Ann", shared_server)).open("outside/blink.txt")
    report: dict[str, object] = {
        "version": __version__,
        "owed": 0,
        "savedAt": None,
        "detail": "",
        "journal": "",
        "durable": True,
        "writable": True,
    }
    report |= {"why": "", "by": "", "application": "", "kept": "", "path": "outside/blink.txt", "id": None, "person": ""}

    async def lost(route: Route) -> None:
        await route.abort("internetdisconnected")

    await editor.page.route("**/assets/happenings-*.js", lost)
    async with editor.page.expect_event("requestfailed", lambda request: "/happenings-" in request.url):
        await editor.page.evaluate(SAY, f"collab:state {json.dumps(report | {'file': 'gone'})}")
    await editor.page.evaluate(SAY, f"collab:state {json.dumps(report | {'file': 'saved'})}")
    await editor.page.unroute("**/assets/happenings-*.js", lost)
    await editor.page.evaluate(SAY, f"collab:notice {json.dumps({'kind': 'conflict', 'path': 'outside/blink conflict.txt', 'by': ''})}")
    await expect(editor.page.locator("[data-note^=conflict]")).to_contain_text("blink conflict.txt")
    assert await editor.note("gone").count() == 0


async def test_a_file_that_is_deleted_is_put_back_by_one_click_with_all_that_was_typed_since(
    shared_server: Served, company: Company
) -> None:
    """MERGE-9."""
    path = shared_server.write("outside/gone.txt", STORY)
    ann, eve = await company.join("Ann", shared_server), await company.join("Eve", shared_server, "viewer")
    editor, viewer = await ann.open("outside/gone.txt"), await eve.visit("outside/gone.txt")
    await viewer.reads(STORY)

    path.unlink()

    note = editor.note("gone")
    await expect(note).to_contain_text("The text is safe on the server")
    await expect(editor.words).to_contain_text("Stored; the file is gone")
    await expect(viewer.note("gone")).to_contain_text("Somebody who may edit can put it back")
    await expect(viewer.note("gone").get_by_role("button", name="Put it back")).to_have_count(0)
    await editor.type("typed since ", at="Control+Home")
    async with editor.page.expect_download() as saved:
        await note.get_by_role("button", name="Save a copy of my text").click()
    assert (await (await saved.value).path()).read_text(encoding="utf-8") == "typed since " + STORY
    assert not path.exists()
    await editor.page.reload()
    await editor.reads("typed since " + STORY)
    await note.get_by_role("button", name="Put it back").click()

    await expect(editor.page.get_by_role("status").filter(has_text="The file is back")).to_be_visible()
    await expect(note).to_have_count(0)
    await expect(viewer.note("gone")).to_have_count(0)
    await editor.saved()
    assert path.read_text(encoding="utf-8") == "typed since " + STORY


async def test_a_text_that_is_near_to_nothing_is_offered_as_the_file_that_it_is_beside(shared_server: Served, company: Company) -> None:
    """MERGE-4."""
    path = shared_server.write("outside/paper.md", STORY)
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("outside/paper.md")
    await editor.type("typed ", at="Control+Home")

    path.write_text(OTHER, encoding="utf-8")

    note = editor.page.get_by_role("alert").filter(has_text="replaced the file by something else")
    await expect(note).to_be_visible()
    async with ann.context.expect_page() as opened:
        await note.get_by_role("link", name=re.compile(r"Open “paper \(conflict .*\)\.md”")).click()
    await Editor(await opened.value).reads(OTHER)
    await note.get_by_role("button", name="Close").click()
    await expect(note).to_have_count(0)
    await expect(editor.content).to_be_focused()
    await until(lambda: path.read_text(encoding="utf-8") == "typed " + STORY)


async def test_everything_that_may_happen_outside_can_be_read_by_everybody(shared_server: Served, company: Company) -> None:
    """MERGE-4, MERGE-9, GUARD-1: all at once, by phone and at a desk, light and dark, in three languages."""
    path = shared_server.write("outside/all.md", STORY)
    looks = [Look(360, "dark", "de-DE"), Look(1440, "light", "fr-FR"), Look(360, "light"), Look(1440, "dark")]
    pages: list[tuple[Look, Page]] = []
    for number, look in enumerate(looks):
        page = (await (await company.join(f"Ann {number}", shared_server, **look.settings)).open("outside/all.md")).page
        await page.set_viewport_size({"width": look.width, "height": WIDTHS[look.width]})
        pages.append((look, page))
    path.unlink()
    kinds = [{"kind": "conflict", "path": "outside/all (conflict 2026-11-22 14.05).md", "by": ""}, {"kind": "restored", "by": "Bob Stone"}]
    for look, page in pages:
        await page.locator('[data-note="gone"]').wait_for()
        await shot(page, look, "outside gone")
        for kind in [*kinds, {"kind": "kept", "path": "outside/all (kept 2026-11-22 14.05).md"}]:
            await page.evaluate(SAY, "collab:notice " + json.dumps(kind))
        await expect(page.locator(".happened")).to_contain_text("Bob Stone")
        await expect(page.get_by_role("alert")).to_have_count(3)
        await shot(page, look, "outside all")
        assert await faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
