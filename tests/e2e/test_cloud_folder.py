"""From a document in a cloud's frame to its folder, to another document, and back (FOLDER-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.test_iframe import Portal, document_in, portal, type_in
from e2e.test_open_in_app import site
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company

__all__ = ["portal"]


async def test_from_a_document_to_its_folder_and_to_another_one(tmp_path: Path, portal: Portal, company: Company) -> None:
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        here.cloud.put("ann", "work/a.md", b"first\n")
        here.cloud.put("ann", "work/b.md", b"second\n")
        ann = await company.join("Ann", here.server, None)
        page = await ann.new_page()
        await here.show(page, "work/a.md", "ann")
        frame = await document_in(page)
        await frame.locator("#back").click()
        inside = page.frame_locator("[name=document]")
        await expect(inside.locator("#rows .open bdi")).to_have_text(["a.md", "b.md"])
        await expect(inside.locator("#views a")).to_have_count(1)
        await page.screenshot(path=tmp_path / "folder.png")
        await inside.locator("#rows .open").nth(1).click()
        await expect(inside.locator(".cm-content")).to_contain_text("second")
        await type_in(page, await document_in(page), "and more")
        await until(lambda: "and more" in here.body("work/b.md"), saying=lambda: here.body("work/b.md"))
        await inside.locator("#back").click()
        await expect(inside.locator("#rows .open bdi")).to_have_text(["a.md", "b.md"])
        assert await ann.context.cookies() == []
