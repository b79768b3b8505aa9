"""Tags and a description in the pages (META-1, META-5, META-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.browsing import Files
from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Locator, Page
    from serving import Served


async def about(page: Page) -> Locator:
    """The window, from the menu of a document's page."""
    await page.locator("#more").click()
    await page.locator('#menu [data-act="about.menu"]').click()
    window = page.locator("dialog.about")
    await expect(window.locator(".hint[role=status]")).not_to_have_text("Loading…")
    return window


async def test_people_tag_and_describe_a_document_and_find_it_by_that(shared_server: Served, company: Company) -> None:
    shared_server.write("tagged/study.md", "start\n")
    shared_server.write("tagged/other.md", "start\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    reader = await company.join("Carl", shared_server, "viewer")
    hers, his, theirs = [await each.visit("tagged/study.md") for each in (ann, bob, reader)]
    await hers.ready()
    await his.ready()
    window = await about(hers.page)
    beside = await about(his.page)
    field = window.get_by_role("textbox", name="Tags")
    await expect(field).to_be_focused()
    await hers.page.keyboard.type("Genome,lab notes")
    await hers.page.keyboard.press("Enter")
    await expect(window.locator(".chips li")).to_have_text(["Genome", "lab notes"])
    await window.get_by_label("Description").fill("All about wheat.\nSecond line")
    # Bob adds one in the same moment; both count.
    await beside.get_by_role("textbox", name="Tags").fill("urgent")
    await window.get_by_role("button", name="Save").click()
    await expect(window).to_have_count(0)
    await expect(beside.locator(".chips li")).to_have_text(["Genome", "lab notes"], timeout=MILLISECONDS)
    await expect(beside.get_by_label("Description")).to_have_value("All about wheat.\nSecond line")
    await beside.get_by_role("button", name="Save").click()
    await expect(beside).to_have_count(0)

    await theirs.content.wait_for(state="attached")
    shown = await about(theirs.page)
    await expect(shown.locator(".chips li")).to_have_text(["Genome", "lab notes", "urgent"])
    await expect(shown.locator(".description")).to_have_text("All about wheat.\nSecond line")
    await expect(shown.locator("input, textarea")).to_have_count(0)

    files = await Files.folder(ann, "tagged")
    row = files.row("study.md")
    await expect(row.locator(".chip")).to_have_text(["Genome", "lab notes", "urgent"])
    await files.menu("study.md", "Tags and description")
    await files.window.get_by_role("button", name="Remove the tag “urgent”").click()
    await files.window.get_by_role("button", name="Save").click()
    await expect(row.locator(".chip")).to_have_text(["Genome", "lab notes"])
    await row.locator(".chip").last.click()
    await expect(files.page.locator("#find")).to_have_value('tag:"lab notes"')
    await files.shows("study.md")
    # From above, the server finds it.
    await files.page.goto(shared_server.url)
    await files.loaded()
    await files.page.locator("#find").fill("tag:genome")
    await expect(files.page.locator("#results .found")).to_contain_text("study.md", timeout=MILLISECONDS)
    await expect(shown.locator(".chips li")).to_have_text(["Genome", "lab notes"], timeout=MILLISECONDS)
