"""A cloud's page opens a file in ours, in a frame of another origin, and what is typed there is in the cloud (APP-1 to APP-5, CLOUD-1 and on)."""

from __future__ import annotations

import html
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
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
PATIENCE = 20_000.0


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
        await expect(frame.locator("body")).to_contain_text("words", timeout=PATIENCE)
        here.cloud.unshare("ann", "notes.md", "bob")
        await expect(frame.locator("body")).to_contain_text("access", ignore_case=True, timeout=PATIENCE)
        await page.screenshot(path=tmp_path / "ended.png")
        await type_in(owner, hers, " and on")
        await until(lambda: here.body() == "start\nwords and on", saying=here.body)


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
