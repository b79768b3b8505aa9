"""The window for sharing: somebody is invited by a link, writes as a guest on a phone, and is sent off while they type."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from e2e.browsing import Files
from e2e.people import Editor, comes_true
from e2e.test_attachments import png, until_shown
from e2e.test_reading import is_kept
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import BrowserContext, Keyboard, Locator, Page
    from serving import Served

AXE = Path(__file__).parents[2] / "static/node_modules/axe-core/axe.min.js"


async def sharing(page: Page) -> Locator:
    """The window, from the menu of a document's page."""
    await page.locator("#more").press("Enter")
    await page.locator('#menu [data-act="sharing.menu"]').press("Enter")
    window = page.locator("dialog.sharing")
    await expect(window.locator(".body")).not_to_have_attribute("aria-busy", "true")
    return window


async def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run('dialog', { resultTypes: ['violations'] })")
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]


async def tab_to(place: Locator) -> None:
    """With the Tab key alone, from where the focus is."""
    for _ in range(20):
        if await place.evaluate("(each) => each === document.activeElement"):
            return
        await place.page.keyboard.press("Tab")
        assert await place.page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus has left the window"
    raise AssertionError("the Tab key does not lead there")


@dataclass(slots=True)
class Visit:
    """Ann has a document, and Gus a phone."""

    served: Served
    hers: Editor
    page: Page
    pictures: Path
    """A folder for pictures of each step."""

    @property
    def keys(self) -> Keyboard:
        """Ann's: all that is done in the window is done with it."""
        return self.hers.page.keyboard

    @property
    def link(self) -> Locator:
        return self.hers.page.locator("dialog.sharing [data-kind=link]")

    async def picture(self, page: Page, name: str) -> None:
        await page.screenshot(path=str(self.pictures / f"{name}.png"))

    async def invite(self) -> str:
        """The address of a link to write."""
        window = await sharing(self.hers.page)
        await expect(window.get_by_role("heading", name="Share plan.md")).to_be_visible()
        await expect(window.locator(".here li")).to_have_text(["AAnn (you)"])
        role = window.get_by_label("Whoever has the link may")
        await tab_to(role)
        await self.keys.press("ArrowDown")
        await expect(role).to_have_value("editor")
        await tab_to(window.get_by_role("button", name="Make a link"))
        await self.keys.press("Enter")
        address = await window.get_by_label("Address of the link").input_value()
        assert address.startswith(f"{self.served.url}/s/")
        await tab_to(window.get_by_role("button", name="Picture for a phone"))
        await self.keys.press("Enter")
        await expect(window.get_by_role("img", name="The link as a QR code")).to_be_in_viewport(ratio=0.99)
        await expect(self.link).to_have_count(1)
        assert await faults(self.hers.page) == []
        await self.picture(self.hers.page, "1-link")
        return address

    async def write(self, address: str, before: str) -> Editor:
        """As a guest with a name."""
        await self.page.goto(address)
        await self.picture(self.page, "2-name")
        await self.page.get_by_label("Your name").fill("Gus")
        await self.page.get_by_role("button", name="Open").click()
        guest = await Editor(self.page).ready()
        await guest.type("Words of a guest. ", at="Control+End")
        await self.hers.reads(before + "Words of a guest. ")
        await guest.saved()
        await expect(self.hers.page.locator("dialog.sharing .here li")).to_have_count(2)
        await self.picture(self.page, "3-guest")
        return guest

    async def only_read(self, guest: Editor) -> str:
        """From the middle of a word on; what was stored."""
        typing = asyncio.create_task(guest.type("and more and more and more and more and more and more and more", pause=30))
        await self.hers.page.wait_for_function("() => collab.text.toString().includes('and more')")
        await tab_to(self.link.get_by_role("combobox"))
        await self.keys.press("ArrowUp")
        await expect(guest.note("access")).to_contain_text("You may only read this document now")
        await expect(guest.content).to_have_attribute("contenteditable", "false")
        await typing
        await self.picture(self.page, "4-reader")
        kept = await self.hers.text()
        # What was on its way then is still to be seen there, and nowhere else.
        assert (await guest.text()).startswith(kept)
        return kept

    async def read_offline(self, address: str, context: BrowserContext) -> None:
        """By the same link, which leads to the page for readers now; on the way without a network."""
        page, live = self.page, self.page.locator("#live")
        await page.goto(address)
        await page.get_by_role("button", name="Open").click()
        await expect(live).to_have_attribute("data-state", "live")
        assert "/v/" in page.url
        await until_shown(page.locator("#body img"))
        await is_kept(page, "/v/shared/plan.md")
        await comes_true(page, "async () => (await caches.match(document.querySelector('#body img').src)) !== undefined")
        await context.set_offline(offline=True)
        await expect(live).to_have_attribute("data-state", "offline")
        await self.keys.press("Escape")
        await expect(self.hers.page.locator("dialog.sharing")).to_have_count(0)
        await self.hers.type("Written meanwhile.", at="Control+End")
        await page.reload()
        await expect(live).to_contain_text("Kept on this device")
        await expect(page.locator("#body")).to_contain_text("Words of a guest.")
        await until_shown(page.locator("#body img"))
        await self.picture(page, "5-offline")
        await context.set_offline(offline=False)
        await expect(live).to_have_attribute("data-state", "live")
        await expect(page.locator("#body")).to_contain_text("Written meanwhile.")
        await self.picture(page, "6-back")

    async def send_off(self, address: str) -> None:
        """The link is taken back for good, which is asked twice."""
        await sharing(self.hers.page)
        back = self.link.get_by_role("button", name="Take back")
        await tab_to(back)
        await self.keys.press("Enter")
        await expect(back).to_have_text("Take back for good")
        await expect(back).to_have_accessible_name(re.compile("^Take back for good: Anybody with the link, made "))
        assert await faults(self.hers.page) == []
        await self.keys.press("Enter")
        await expect(self.link).to_have_count(0)
        await expect(self.page.locator("#live")).to_have_attribute("data-state", "over")
        await expect(self.page.locator("#body img")).to_have_count(0)
        await self.picture(self.page, "7-over")
        await self.page.goto(address)
        await expect(self.page.get_by_role("heading")).to_have_text("This link opens nothing any more")
        await self.picture(self.page, "8-nothing")


async def test_somebody_is_invited_by_a_link_writes_as_a_guest_may_only_read_reads_offline_and_is_sent_off(
    shared_server: Served, company: Company, tmp_path: Path
) -> None:
    """SHARE-1, ATTACH-5, READ-7: the whole way of a guest with a phone."""
    before = "# Plan\n\n![A logo](plan.md.assets/logo.png)\n\n"
    shared_server.write("shared/plan.md", before)
    (shared_server.root / "shared/plan.md.assets").mkdir()
    (shared_server.root / "shared/plan.md.assets/logo.png").write_bytes(png(64, 47))
    ann = await company.join("Ann", shared_server, "owner")
    gus = await company.join("Gus", shared_server, None, has_touch=True, is_mobile=True, locale="en")
    hers, page = await (await ann.visit("shared/plan.md")).ready(), await gus.new_page()
    await page.set_viewport_size({"width": 360, "height": 740})
    visit = Visit(shared_server, hers, page, tmp_path)
    address = await visit.invite()
    kept = await visit.only_read(await visit.write(address, before))
    assert kept.startswith(before + "Words of a guest. and more")
    await visit.read_offline(address, gus.context)
    whole = await hers.text()
    assert whole.startswith(kept)
    await shared_server.shows("shared/plan.md", whole)
    await visit.send_off(address)


async def test_a_folder_is_shared_from_the_list_and_what_cannot_be_is_said(shared_server: Served, company: Company) -> None:
    shared_server.write("team/notes.md", "x")
    ann, bob = await company.join("Ann", shared_server, "owner"), await company.join("Bob", shared_server, "editor")
    files = await Files.of(ann)
    await files.menu("team", "Share…")
    window = files.page.locator("dialog.sharing")
    await window.get_by_text("Password, last day, how often").click()
    await window.get_by_label("Password").fill("open sesame")
    await window.get_by_label("How many people at most").fill("2")
    await window.get_by_role("button", name="Make a link").click()
    await expect(window.locator("[data-kind=link]")).to_contain_text("Anybody with the link and its password")
    await expect(window.locator("[data-kind=link]")).to_contain_text(re.compile("made .+ · for 2 more people"))
    day = window.locator("[data-kind=link] .until")
    await day.fill("2020-02-02")
    await day.press("Shift+Tab")
    await expect(window.get_by_role("status").first).to_contain_text("Value must be")
    await files.press("Escape")

    inside = await Files.folder(ann, "team")
    await inside.menu("notes.md", "Share…")
    await expect(inside.page.locator("dialog.sharing [data-kind=link]")).to_contain_text("by the folder “team”")

    his = await Files.folder(bob, "team")
    await his.menu("notes.md", "Share…")
    await expect(his.page.locator("dialog.sharing")).to_contain_text("Only its owner may share this")


NO_SOCKETS = """
const Real = WebSocket
window.WebSocket = class extends Real { constructor(url) { super(url.replace('/collaboration', '/healthz')) } }
"""
"""A network that lets no WebSocket through."""


@pytest.mark.parametrize("way", ["a socket", "plain HTTP", "the page for readers"])
async def test_a_page_that_was_sent_off_asks_for_nothing_more(way: str, shared_server: Served, company: Company) -> None:
    """SHARE-3, WIRE-11: in the next ten minutes, by the page's own clock."""
    name = f"sent off {way}.md"
    shared_server.write(name, "# Plan\n")
    role = "viewer" if way == "the page for readers" else "editor"
    async with httpx.AsyncClient(
        base_url=shared_server.url, headers={"Authorization": f"Bearer {shared_server.token('Op', role='owner')}"}, timeout=60
    ) as op:
        shares = f"/api/documents/{quote(name, safe='')}/shares"
        made = (await op.post(shares, json={"kind": "link", "role": role})).json()
        gus = await company.join("Gus", shared_server, None)
        page = await gus.new_page()
        await page.clock.install()
        if way == "plain HTTP":
            await page.add_init_script(NO_SOCKETS)
        await page.goto(made["address"])
        await page.get_by_label("Your name").fill("Gus")
        await page.get_by_role("button", name="Open").click()
        if way == "the page for readers":
            await page.locator("#live[data-state=live]").wait_for()
        else:
            guest = await Editor(page).ready()
            await guest.type("Words of a guest.\n", at="Control+End")
            await guest.saved()
            assert await page.locator("#words-way").is_visible() is (way == "plain HTTP")

        assert (await op.delete(f"{shares}/{made['id']}")).status_code == 204
        gone = "#live[data-state=over]" if way == "the page for readers" else "[data-note=refusal]"
        await page.locator(gone).wait_for()
        asked, sockets = len(gus.seen.requests), len(gus.seen.sockets)
        await page.clock.run_for(600_000)
        late = [f"{each.method} {each.url.partition(str(shared_server.port))[2]}" for each in gus.seen.requests[asked:]]
        # Whoever has no WebSocket looks now and then for one, which says nothing and opens no document.
        assert [each for each in late if not each.startswith("DELETE /transport/")] == []
        assert len(gus.seen.sockets) - sockets <= (2 if way == "plain HTTP" else 0)
        assert await page.locator(gone).is_visible()


async def test_the_button_in_the_bar_is_there_for_whoever_may_share_and_moves_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("shared/bar.md", "# Bar\n")
    ann = await company.join("Ann", shared_server, "owner")
    page = (await (await ann.visit("shared/bar.md")).ready()).page
    share, bar = page.locator("#share"), page.locator(".bar")
    high = await bar.evaluate("bar => [bar.offsetHeight, (bar.querySelector('#share').hidden = true, bar.offsetHeight)]")
    assert high[0] == high[1]
    await page.evaluate("document.getElementById('share').hidden = false")
    await share.press("Enter")
    await expect(page.locator("dialog.sharing").get_by_role("heading", name="Share bar.md")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(share).to_be_focused()

    bob = await company.join("Bob", shared_server, "viewer")
    read = (await bob.visit("shared/bar.md")).page
    await expect(read.locator("#read-only")).to_be_visible()
    await expect(read.locator("#share")).to_be_hidden()
