"""A cloud's page opens a file in ours, in a frame of another origin, and what is typed there is in the cloud (APP-1 to APP-5, CLOUD-1 and on)."""

from __future__ import annotations

import asyncio
import html
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest
from cs3.app.provider.v1beta1 import resources_pb2 as wire
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from cs3.types.v1beta1 import types_pb2 as types
from e2e.test_iframe import Portal, document_in, portal, type_in
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server
from playwright.async_api import expect
from serving import free_port, until

from collab.gateway.resources import ResourceId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Frame, Page
    from serving import Served

__all__ = ["portal"]

PAGE = """<!doctype html>
<title>Cloud</title>
<form method="post" action="{action}" target="document">{fields}</form>
<iframe name="document" width="900" height="500"></iframe>
<script>document.forms[0].submit()</script>
"""


@dataclass
class Site:
    """A cloud with its page, and our server as an application in it."""

    cloud: Cloud
    gateway: CloudGateway
    portal: Portal
    server: Served

    async def opening(self, path: str, user: str, mode: int = wire.VIEW_MODE_READ_WRITE, token: str = "", language: str = "") -> Any:
        """What the gateway answers to the cloud's page."""
        node = self.cloud.at("ann", path)
        identity = resources.ResourceId(storage_id=self.cloud.storage, space_id=self.cloud.space("ann").id, opaque_id=node.id)
        request = api.OpenInAppRequest(
            ref=resources.Reference(resource_id=identity),
            view_mode=mode,
            app="Write",
            opaque=types.Opaque(map={"lang": types.OpaqueEntry(decoder="plain", value=language.encode())} if language else {}),
        )
        async with grpc.aio.insecure_channel(self.gateway.target) as channel:
            return await gateway_api_pb2_grpc.GatewayAPIStub(channel).OpenInApp(
                request, metadata=(("x-access-token", token or self.cloud.token(user)),)
            )

    async def show(self, page: Page, path: str, user: str, **how: Any) -> Any:
        """The cloud's page opens the file for somebody."""
        answer = await self.opening(path, user, **how)
        assert Code.Name(answer.status.code) == "CODE_OK", answer.status.message
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in answer.app_url.form_parameters.items()
        )
        self.portal.page = PAGE.format(action=html.escape(answer.app_url.app_url), fields=fields)
        await page.goto(self.portal.origin())
        return answer

    def body(self, path: str = "notes.md") -> str:
        return self.cloud.body("ann", path).decode()


@asynccontextmanager
async def site(folder: Path, portal: Portal, **environment: str) -> AsyncIterator[Site]:
    cloud = Cloud()
    cloud.add_user("ann", "Ann of the Lab")
    cloud.add_user("bob", "Bob")
    cloud.put("ann", "notes.md", b"start\n")
    cloud.share("ann", "notes.md", "bob", "editor")
    async with CloudGateway(cloud) as gateway:
        settings = {
            "COLLAB_FRAME_ANCESTORS": portal.origin(),
            "COLLAB_CS3_LIVE": f"127.0.0.1:{free_port()}",
            "COLLAB_CS3_LIVE_NAME": "Write",
            "COLLAB_CS3_ROOT": "",
            "COLLAB_CS3_USER": "",
            "COLLAB_RIGHTS_INTERVAL": "0.5",
            "COLLAB_LOG_LEVEL": "debug",
            "COLLAB_AUDIT": "-",
            **environment,
        }
        async with cloud_server(folder, gateway, **settings) as server:
            await until(lambda: "Write" in gateway.applications)
            yield Site(cloud, gateway, portal, server)


async def readable(page: Page) -> Frame:
    """The frame, when its text can't be typed in: on the screen is what it looks like."""
    await page.frame_locator("[name=document]").locator('.cm-content[contenteditable="false"]').wait_for(state="attached")
    frame = page.frame("document")
    assert frame is not None
    return frame


@pytest.mark.parametrize("secret", ["machine-secret", ""])
async def test_two_people_of_a_cloud_write_in_its_page_and_their_words_are_in_the_cloud(
    tmp_path: Path, portal: Portal, company: Company, secret: str
) -> None:
    """With the secret to act for people, and without."""
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET=secret) as here:
        ann, bob = await company.join("Ann", here.server, None), await company.join("Bob", here.server, None)
        one, two = await ann.new_page(), await bob.new_page()
        await here.show(one, "notes.md", "ann", language="de")
        frame = await document_in(one)
        assert await frame.locator("html").get_attribute("lang") == "de"
        await here.show(two, "notes.md", "bob")
        other = await document_in(two)
        await frame.locator('#people li[data-name="Bob"]').wait_for()
        await other.locator('#people li[data-name="Ann of the Lab"]').wait_for()

        await type_in(one, frame, "typed by Ann")
        await expect(other.locator(".cm-content")).to_contain_text("typed by Ann")
        await type_in(two, other, "\nand by Bob")

        await one.screenshot(path=tmp_path / "cloud.png")
        await until(lambda: here.body() == "start\ntyped by Ann\nand by Bob", saying=here.body)
        assert await ann.context.cookies() == []
        # Of the cloud's tokens nothing has come to a page, an address or a log.
        told = [request.url + (await request.all_headers()).get("referer", "") for request in ann.seen.requests]
        shown = [await one.content(), await frame.content(), here.server.log.read_text(), *told, *(each.url for each in ann.seen.sockets)]
        tokens = [token.rpartition(".")[2] for token in here.gateway.tokens if token]
        assert tokens
        assert [token for token in tokens if any(token in words for words in shown)] == []


async def test_a_right_that_is_taken_away_and_a_file_for_reading(tmp_path: Path, portal: Portal, company: Company) -> None:
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        ann, bob = await company.join("Ann", here.server, None), await company.join("Bob", here.server, None)
        await here.show(owner := await ann.new_page(), "notes.md", "ann")
        hers = await document_in(owner)
        page = await bob.new_page()
        await here.show(page, "notes.md", "bob")
        frame = await document_in(page)
        await type_in(page, frame, "words")
        here.cloud.share("ann", "notes.md", "bob", "viewer")
        await readable(page)
        await here.show(page, "notes.md", "bob", mode=wire.VIEW_MODE_READ_ONLY)
        frame = await readable(page)
        await expect(frame.locator("body")).to_contain_text("words")
        here.cloud.unshare("ann", "notes.md", "bob")
        await expect(frame.locator("body")).to_contain_text("access", ignore_case=True)
        await page.screenshot(path=tmp_path / "ended.png")
        await expect(hers.locator(".cm-content")).to_contain_text("words")
        await type_in(owner, hers, " and on")
        await until(lambda: here.body() == "start\nwords and on", saying=here.body)


async def test_the_page_for_readers_in_the_clouds_page_is_live_until_the_right_is_taken_away(
    tmp_path: Path, portal: Portal, company: Company
) -> None:
    """READ-6: the token that opens the editor there opens this page, too."""
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        ann, bob = await company.join("Ann", here.server, None), await company.join("Bob", here.server, None)
        await here.show(owner := await ann.new_page(), "notes.md", "ann")
        hers = await document_in(owner)
        page = await bob.new_page()
        answer = await here.opening("notes.md", "bob", mode=wire.VIEW_MODE_READ_ONLY)
        (token,) = (value for name, value in answer.app_url.form_parameters.items() if name == "access_token")
        action = answer.app_url.app_url.replace("/edit/", "/v/")
        assert "/v/" in action
        fields = f'<input type="hidden" name="token" value="{html.escape(token)}">'
        portal.page = PAGE.format(action=html.escape(action), fields=fields)
        await page.goto(portal.origin())
        frame = page.frame_locator("[name=document]")
        await expect(frame.locator("#live")).to_have_attribute("data-state", "live")
        await type_in(owner, hers, "words")
        await expect(frame.locator("#body")).to_contain_text("words")

        here.cloud.unshare("ann", "notes.md", "bob")

        await expect(frame.locator("#live")).to_have_attribute("data-state", "over")
        await expect(frame.locator("#live")).to_contain_text("You may not read this document any more")
        await expect(frame.locator("#document")).to_be_empty()
        await page.goto(portal.origin())
        await expect(frame.locator("h1")).to_have_text(re.compile("You may not read this|There is no such document"))
        # Nothing of it was kept here.
        assert await page.frames[1].evaluate("caches.keys()") == []


async def test_a_new_empty_file_and_a_guest_of_a_link(tmp_path: Path, portal: Portal, company: Company) -> None:
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        here.cloud.put("ann", "new.md", b"")
        link = here.cloud.link("ann", "new.md", "editor")
        guest = await company.join("Guest", here.server, None)
        page = await guest.new_page()
        await here.show(page, "new.md", "ann", token=here.cloud.token("ann", link=link.token))
        frame = await document_in(page)
        await type_in(page, frame, "by a guest")
        await until(lambda: here.body("new.md").strip() == "by a guest", saying=lambda: here.body("new.md"))


async def test_what_is_opened_to_look_only_is_not_printed_downloaded_or_copied(tmp_path: Path, portal: Portal, company: Company) -> None:
    """APP-6: in the page as far as a page can, and over REST."""
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        here.cloud.put("ann", "notes.md", b"# Words\n\n```\nthat stay here\n```\n")
        bob = await company.join("Bob", here.server, None)
        page = await bob.new_page()
        answer = await here.show(page, "notes.md", "bob", mode=wire.VIEW_MODE_VIEW_ONLY)
        frame = await readable(page)
        await expect(frame.locator("#read-only")).to_have_text("View only")
        await expect(frame.locator("#preview")).to_contain_text("that stay here")
        assert await frame.locator(".md-copy").count() == 0

        await frame.locator("#more").click()
        items = await frame.locator("#menu button").evaluate_all("rows => rows.map(row => row.dataset.act)")
        assert "editor.menu.find" in items
        assert not {"editor.menu.print", "editor.menu.download", "editor.menu.history", "editor.menu.present"} & set(items)
        await page.keyboard.press("Escape")

        # Neither by selecting, nor by keys, nor by what scripts ask for.
        await frame.evaluate("() => { window.prints = 0; window.print = () => { window.prints += 1 } }")
        await frame.locator("#preview").evaluate("node => getSelection().selectAllChildren(node)")
        assert await frame.locator("#preview h1").evaluate("node => getComputedStyle(node).userSelect") == "none"
        assert await frame.evaluate(
            "() => { let text = ''; addEventListener('copy', event => { text = event.clipboardData?.getData('text/plain') ?? '' }, true);"
            " const event = new ClipboardEvent('copy', { bubbles: true, cancelable: true, clipboardData: new DataTransfer() });"
            " document.querySelector('#preview h1').dispatchEvent(event); return [event.defaultPrevented, text] }"
        ) == [True, ""]
        await frame.locator("#preview h1").click()
        for keys in ("Control+p", "Control+s", "Control+c"):
            await page.keyboard.press(keys)
        assert await frame.evaluate("() => window.prints") == 0
        await expect(frame.locator("body")).to_contain_text("printing, downloading and copying are switched off")
        await page.screenshot(path=tmp_path / "view-only.png")
        await page.emulate_media(media="print")
        assert await frame.evaluate("() => getComputedStyle(document.body).display") == "none"
        await page.emulate_media(media="screen")

        # The form's token, by hand: the document is told, its bytes are not.
        headers = {"Authorization": f"Bearer {answer.app_url.form_parameters['access_token']}"}
        node = here.cloud.at("ann", "notes.md")
        document = ResourceId(here.cloud.storage, here.cloud.space("ann").id, node.id).document
        async with httpx.AsyncClient(base_url=here.server.url, headers=headers, timeout=60, trust_env=False) as client:
            assert (await client.get(f"/api/documents/{document}")).json()["role"] == "viewer"
            assert (await client.get("/api/session")).json()["viewOnly"] is True
            versions = (await client.get(f"/api/documents/{document}/versions")).json()["versions"]
            addresses = [
                f"/api/documents/{document}/content",
                f"/api/documents/{document}/versions/{versions[0]['number']}/content",
                f"/api/documents/{document}/versions/now/difference",
                f"/api/documents/{document}/storage-versions/1/content",
                f"/api/documents/{document}/storage-versions/1/difference",
                "/api/search?q=words",
            ]
            for address in addresses:
                refused = await client.get(address)
                assert (refused.status_code, refused.json()["reason"]) == (403, "forbidden"), address
            # Who signs out is out, also with a token that would be good for longer.
            assert (await client.delete("/api/session")).status_code == 204
            assert (await client.get(f"/api/documents/{document}")).status_code == 401
        await expect(frame.locator("#notes")).to_contain_text("Your access has ended")


async def test_a_save_that_replaced_another_one_is_told_in_the_page_and_to_who_comes_later(
    tmp_path: Path, portal: Portal, company: Company
) -> None:
    """CS3-10: in a cloud that compares no etags, and loses its locks."""
    async with site(tmp_path, portal, COLLAB_CS3_MACHINE_SECRET="machine-secret") as here:
        here.gateway.moods.ignores_if_match, here.gateway.moods.loses_locks = True, 1.0
        ann = await company.join("Ann", here.server, None)
        page = await ann.new_page()
        await here.show(page, "notes.md", "ann")
        frame = await document_in(page)
        held = here.gateway.moods.holds["PUT"] = asyncio.Event()
        puts = here.gateway.calls["PUT"]
        await frame.locator(".cm-content").focus()
        await page.keyboard.press("Control+End")
        await page.keyboard.type("by Ann")
        await until(lambda: here.gateway.calls["PUT"] > puts)
        here.cloud.put("ann", "notes.md", b"by somebody else\nstart\n")
        held.set()
        await expect(frame.locator("#notes")).to_contain_text("Two saves met in the cloud")
        await until(lambda: here.body() == "by somebody else\nstart\nby Ann", saying=here.body)
        await page.screenshot(path=tmp_path / "replaced.png")
        await frame.get_by_role("button", name="Show the history").click()
        await expect(frame.locator("dialog")).to_contain_text("Replaced by a save of the same moment")
        await page.screenshot(path=tmp_path / "replaced-history.png")
