"""What the page of a cloud's document shows of the cloud: its versions, and what is said about the file (HISTORY-6, HISTORY-7, META-3, META-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.test_iframe import Portal, document_in, portal
from e2e.test_open_in_app import site
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Frame, Locator

__all__ = ["portal"]


async def menu(frame: Frame, act: str) -> None:
    await frame.locator("#more").click()
    await frame.locator(f'#menu [data-act="{act}"]').click()


async def versions(frame: Frame) -> Locator:
    """The history with its list, which lies over the text in a frame of this size."""
    await menu(frame, "editor.menu.history")
    await frame.locator('dialog.history[data-state="ready"]').wait_for()
    await frame.locator("dialog.history .knob").click()
    return frame.locator("dialog.history")


async def test_versions_of_the_cloud_are_beside_ours_and_its_metadata_are_the_tags(
    tmp_path: Path, portal: Portal, company: Company
) -> None:
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        for body in (b"draft of Monday\n", b"start\n"):
            here.cloud.put("ann", "notes.md", body)
        here.cloud.at("ann", "notes.md").metadata["theirs"] = "stays"
        ann, bob = await company.join("Ann", here.server, None), await company.join("Bob", here.server, None)
        page = await ann.new_page()
        await here.show(page, "notes.md", "ann")
        frame = await document_in(page)

        await menu(frame, "about.menu")
        window = frame.locator("dialog.about")
        await window.get_by_role("textbox", name="Tags").fill("genome")
        await window.get_by_label("Description").fill("What we know")
        await window.get_by_role("button", name="Save").click()
        await expect(window).to_have_count(0)
        assert here.cloud.at("ann", "notes.md").metadata == {
            "theirs": "stays",
            "collab.tags": "genome",
            "collab.description": "What we know",
        }
        here.gateway.moods.refuses["SetArbitraryMetadata"] = "UNIMPLEMENTED"
        await menu(frame, "about.menu")
        await window.get_by_role("textbox", name="Tags").fill("other,")
        await window.get_by_role("button", name="Save").click()
        await expect(window).to_contain_text("keeps neither tags nor descriptions")
        await frame.page.keyboard.press("Escape")

        history = await versions(frame)
        stored = history.locator(".stored")
        await expect(stored.locator(".version")).to_have_count(2)
        await expect(stored).to_contain_text("Of the cloud · 16 B")
        await page.screenshot(path=tmp_path / "list.png")
        await stored.locator(".version").first.click()
        await expect(history.locator(".leaf")).to_contain_text("draft of Monday")
        await page.screenshot(path=tmp_path / "version.png")
        await history.get_by_role("button", name="Restore this version").click()
        await expect(history).to_have_count(0)
        await expect(frame.locator('[data-note="history"]')).to_contain_text("What was there is kept as a version")
        await until(lambda: here.body() == "draft of Monday\n", saying=here.body)
        await frame.locator('[data-note="history"]').get_by_role("button", name="Undo").click()
        await until(lambda: here.body() == "start\n", saying=here.body)

        # Whom the cloud does not let see them, is told.
        here.cloud.share("ann", "notes.md", "bob", "viewer")
        other = await bob.new_page()
        await here.show(other, "notes.md", "bob")
        await other.frame_locator("[name=document]").locator('.cm-content[contenteditable="false"]').wait_for(state="attached")
        his = other.frame("document")
        assert his is not None
        await expect((await versions(his)).locator(".stored")).to_contain_text("does not let you see them")
