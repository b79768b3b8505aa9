"""FOLDER-1 to FOLDER-4: somebody who opened a document in a cloud's page goes on in its folder, as the cloud lets them, and nowhere else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import grpc
import httpx
import pytest
from cs3.app.provider.v1beta1 import resources_pb2 as wire
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server
from serving import free_port, until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from collab.gateway.resources import ResourceId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from serving import Served

PORTAL = "https://cloud.example.org"
WRITE, READ, VIEW = wire.VIEW_MODE_READ_WRITE, wire.VIEW_MODE_READ_ONLY, wire.VIEW_MODE_VIEW_ONLY
FILES = {
    "study/a.md": b"alpha\n",
    "study/b.md": b"beta\n",
    "study/deep/c.md": b"gamma\n",
    "private/secret.md": b"secret\n",
    "top.md": b"top\n",
}


@dataclass
class Visit:
    """Somebody's page: its token for the document that was opened, and the one for the folder; empty: there is none."""

    document: str
    folder: str
    path: str
    """Where the folder is."""
    status: int
    """Of the request for the list of files."""


@dataclass
class Here:
    cloud: Cloud
    gateway: CloudGateway
    server: Served
    client: httpx.AsyncClient

    def id(self, path: str, space: str = "ann") -> str:
        return ResourceId(self.cloud.storage, self.cloud.space(space).id, self.cloud.at(space, path).id).document

    async def post(self, address: str, token: str) -> httpx.Response:
        """As a form of the cloud's page, or of ours in its frame, does it."""
        return await self.client.post(address, data={"token": token}, headers={"Origin": PORTAL})

    async def visit(self, token: str, path: str = "study/a.md", mode: int = WRITE) -> Visit:
        node = self.cloud.at("ann", path)
        identity = resources.ResourceId(storage_id=self.cloud.storage, space_id=self.cloud.space("ann").id, opaque_id=node.id)
        request = api.OpenInAppRequest(ref=resources.Reference(resource_id=identity), view_mode=mode, app="Write")
        async with grpc.aio.insecure_channel(self.gateway.target) as channel:
            said: Any = await gateway_api_pb2_grpc.GatewayAPIStub(channel).OpenInApp(request, metadata=(("x-access-token", token),))
        page = await self.post(f"/edit/{self.id(path)}", said.app_url.form_parameters["access_token"])
        assert page.status_code == 200, (said, page.text)
        document = held(page)
        who = await self.ask(document, "GET", "/api/session")
        files = await self.post("/", document)
        return Visit(document, held(files), who.json().get("folder", ""), files.status_code)

    async def ask(self, token: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    async def paths(self, token: str, folder: str) -> list[str]:
        answer = await self.ask(token, "GET", f"/api/documents?path={quote(folder)}")
        assert answer.status_code == 200, answer.text
        return [each["path"] for each in answer.json()["documents"]]

    async def joins(self, token: str, document: str) -> int:
        """The code with which a room's socket closes, 0 when it lets in."""
        try:
            async with connect(f"{self.server.url.replace('http', 'ws')}/ws/{quote(document)}?token={token}", open_timeout=30) as socket:
                await socket.send(b"\0\0\1\0")
                while True:
                    said = await asyncio.wait_for(socket.recv(), 30)
                    if said[:2] == b"\0\1":
                        return 0
                    if said[:1] == b"\2":
                        # Such clients are told in band, and held so that they do not come again at once.
                        return 4403
        except ConnectionClosed as closed:
            return -1 if closed.rcvd is None else closed.rcvd.code
        except InvalidStatus as refused:
            return refused.response.status_code


def held(page: httpx.Response) -> str:
    """The token in a page's memory."""
    found = re.search(r'name="collab-token" content="([^"]*)"', page.text)
    return found[1] if found else ""


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    cloud = Cloud()
    for name in ("ann", "bob", "carl", "dora"):
        cloud.add_user(name)
    for path, body in FILES.items():
        cloud.put("ann", path, body)
    cloud.put("bob", "own.md", b"bob's own\n")
    cloud.share("ann", "study", "bob", "editor")
    cloud.share("ann", "study", "dora", "viewer")
    cloud.share("ann", "study/b.md", "dora", "editor")
    cloud.share("ann", "study/a.md", "carl", "editor")
    async with CloudGateway(cloud) as gateway:
        settings = {
            "COLLAB_FRAME_ANCESTORS": PORTAL,
            "COLLAB_CS3_LIVE": f"127.0.0.1:{free_port()}",
            "COLLAB_CS3_LIVE_NAME": "Write",
            "COLLAB_CS3_ROOT": "",
            "COLLAB_CS3_USER": "",
        }
        async with cloud_server(tmp_path, gateway, **settings) as server:
            await until(lambda: "Write" in gateway.applications)
            async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
                yield Here(cloud, gateway, server, client)


async def test_who_came_goes_on_in_the_folder_and_below(here: Here) -> None:
    """FOLDER-1, FOLDER-2: her own space, and a folder that somebody shared with him, whose space he does not see."""
    for name, top in (("ann", "ann/study"), ("bob", "(shared)/study")):
        visit = await here.visit(here.cloud.token(name))
        assert (visit.status, visit.path) == (200, top)
        token = visit.folder
        assert await here.paths(token, "") == [top]
        assert [each for each in await here.paths(token, top) if "/of " not in each] == [f"{top}/a.md", f"{top}/b.md", f"{top}/deep"]
        assert await here.paths(token, f"{top}/deep") == [f"{top}/deep/c.md"]
        for each in (here.id("study/b.md"), f"{top}/deep/c.md"):
            assert (await here.ask(token, "GET", f"/api/documents/{quote(each, safe='')}/content")).status_code == 200
            # Rooms are told ids, as pages do: paths are other ones in other people's eyes.
            assert await here.joins(token, here.id("study/b.md" if each.startswith("id:") else "study/deep/c.md")) == 0, (name, each)
        wrote = await here.ask(
            token,
            "PUT",
            f"/api/documents/{quote(f'{top}/b.md', safe='')}/content",
            content=f"by {name}\n".encode(),
            headers={"If-Match": "*"},
        )
        assert wrote.status_code == 200, wrote.text
        await until(lambda: here.cloud.body("ann", "study/b.md") == f"by {name}\n".encode())  # noqa: B023 - awaited in the loop
        made = await here.ask(token, "POST", "/api/documents", json={"path": f"{top}/by {name}.md", "content": "new"})
        assert made.status_code == 201, made.text
        assert (await here.ask(token, "POST", "/api/folders", json={"path": f"{top}/of {name}"})).status_code == 201
        moved = await here.ask(
            token, "PATCH", f"/api/documents/{made.json()['id']}", json={"path": f"{top}/of {name}/n.md"}, headers={"If-Match": "*"}
        )
        assert moved.status_code == 200, moved.text
        assert here.cloud.body("ann", f"study/of {name}/n.md") == b"new"
        gone = await here.ask(token, "DELETE", f"/api/documents/{made.json()['id']}", headers={"If-Match": "*"})
        assert gone.status_code == 200, gone.text
        assert here.cloud.find(here.cloud.space("ann"), f"study/of {name}/n.md") is None
        found = await here.ask(token, "GET", "/api/search?q=gamma")
        assert f"{top}/deep/c.md" in found.text
        # Another document of it opens in a page of its own, with a token for that alone.
        page = await here.post(f"/edit/{here.id('study/deep/c.md')}", token)
        assert page.status_code == 200
        other = held(page)
        assert (await here.ask(other, "GET", f"/api/documents/{here.id('study/deep/c.md')}")).status_code == 200
        assert (await here.ask(other, "GET", f"/api/documents/{here.id('study/a.md')}")).status_code == 403
        assert await here.joins(other, here.id("study/deep/c.md")) == 0
        assert await here.joins(other, here.id("study/a.md")) in {403, 4403}


async def test_nothing_outside_of_it_is_reached_by_any_door(here: Here) -> None:
    """FOLDER-3: not what else is in the same space, not another space, though the cloud lets this person."""
    for name, outside in (("ann", here.id("private/secret.md")), ("ann", here.id("top.md")), ("bob", here.id("own.md", "bob"))):
        visit = await here.visit(here.cloud.token(name))
        token, top = visit.folder, visit.path
        # The cloud knows the file, and so does the server.
        space = "ann" if name == "ann" else "bob"
        own = {here.id("private/secret.md"): "private/secret.md", here.id("top.md"): "top.md", here.id("own.md", "bob"): "own.md"}[outside]
        for doc in (outside, quote(f"{space}/{own}", safe="")):
            for method, rest, more in (
                ("GET", "", {}),
                ("GET", "/content", {}),
                ("PUT", "/content", {"content": b"x"}),
                ("PATCH", "", {"json": {"path": f"{top}/taken.md"}}),
                ("DELETE", "", {}),
                ("GET", "/versions", {}),
                ("GET", "/authors", {}),
                ("GET", "/metadata", {}),
                ("PUT", "/metadata", {"json": {"tags": ["x"]}}),
                ("GET", "/storage-versions", {}),
                ("GET", "/office", {}),
                ("POST", "/office", {"json": {"suite": "x", "action": "edit"}}),
                ("PUT", "/star", {}),
                ("PUT", "/visit", {}),
            ):
                answer = await here.ask(token, method, f"/api/documents/{doc}{rest}", headers={"If-Match": "*"}, **more)
                assert answer.status_code in {403, 404}, (name, doc, method, rest, answer.text)
                # The document's own token reaches no more.
                answer = await here.ask(visit.document, method, f"/api/documents/{doc}{rest}", headers={"If-Match": "*"}, **more)
                assert answer.status_code in {403, 404}, (name, doc, method, rest, answer.text)
        assert await here.joins(token, outside) in {403, 404, 4403, 4404}
        assert await here.joins(visit.document, outside) in {403, 4403}
        assert (await here.post(f"/edit/{outside}", token)).status_code in {403, 404}
        for answer in (
            await here.ask(token, "POST", "/api/documents", json={"path": f"{space}/new.md"}),
            await here.ask(
                token, "PUT", f"/api/documents/{quote(f'{space}/new.md', safe='')}/content", content=b"x", headers={"If-None-Match": "*"}
            ),
            await here.ask(token, "POST", "/api/folders", json={"path": f"{space}/new"}),
            await here.ask(token, "PATCH", f"/api/folders/{quote(top, safe='')}", json={"path": f"{space}/elsewhere"}),
            await here.ask(token, "DELETE", f"/api/folders/{quote(top, safe='')}"),
            await here.ask(
                token, "PATCH", f"/api/documents/{here.id('study/b.md')}", json={"path": f"{space}/b.md"}, headers={"If-Match": "*"}
            ),
        ):
            assert answer.status_code in {403, 404}, answer.text
        for folder in ("", space, "private"):
            answer = await here.ask(token, "GET", f"/api/documents?path={quote(folder)}")
            assert answer.status_code != 200 or {each["path"] for each in answer.json()["documents"]} <= {top}
        assert "secret" not in (await here.ask(token, "GET", "/api/search?q=secret")).text.replace("q=secret", "")
        assert (await here.ask(token, "GET", "/api/bin")).json()["entries"] == []
        assert (await here.ask(token, "GET", "/api/conflicts")).json()["conflicts"] == []
    assert here.cloud.body("ann", "private/secret.md") == b"secret\n"
    assert here.cloud.body("ann", "study/b.md") == b"beta\n"


async def test_the_cloud_says_for_each_document_what_may_be_done(here: Here) -> None:
    """FOLDER-2: a folder for reading in which one file may be written, and rights that are taken away."""
    visit = await here.visit(here.cloud.token("dora"), "study/b.md")
    token = visit.folder
    listed = (await here.ask(token, "GET", f"/api/documents?path={quote(visit.path)}")).json()["documents"]
    assert {each["path"].rpartition("/")[2]: each["role"] for each in listed} == {"a.md": "viewer", "b.md": "editor", "deep": "viewer"}
    a, b = (f"/api/documents/{here.id(path)}" for path in ("study/a.md", "study/b.md"))
    assert (await here.ask(token, "PUT", f"{b}/content", content=b"dora\n", headers={"If-Match": "*"})).status_code == 200
    read = await here.ask(token, "GET", f"{a}/content")
    assert read.status_code == 200, read.text
    assert (await here.ask(token, "PUT", f"{a}/content", content=b"x", headers={"If-Match": "*"})).status_code == 403
    assert (await here.ask(token, "POST", "/api/documents", json={"path": f"{visit.path}/new.md"})).status_code == 403
    # A document that was moved away is in the folder no more.
    here.cloud.move(here.cloud.at("ann", "study/a.md"), here.cloud.at("ann", "private"), "a.md")
    assert (await here.ask(token, "GET", a)).status_code in {403, 404}
    here.cloud.unshare("ann", "study", "dora")
    await asyncio.sleep(0)
    assert (await here.ask(token, "GET", f"/api/documents/{here.id('study/deep/c.md')}")).status_code in {403, 404}


async def test_who_was_given_one_file_or_may_look_only_sees_that_alone(here: Here) -> None:
    """FOLDER-4."""
    link = here.cloud.link("ann", "study/a.md", "editor")
    for token, mode in (
        (here.cloud.token("carl"), WRITE),
        (here.cloud.token("ann", link=link.token), WRITE),
        (here.cloud.token("ann"), VIEW),
    ):
        visit = await here.visit(token, mode=mode)
        assert (visit.status, visit.folder, visit.path) == (403, "", "")
        assert (await here.ask(visit.document, "GET", f"/api/documents/{here.id('study/a.md')}")).status_code == 200
        assert (await here.ask(visit.document, "GET", f"/api/documents/{here.id('study/b.md')}")).status_code in {403, 404}
        assert (await here.ask(visit.document, "POST", "/api/documents", json={"path": "ann/study/new.md"})).status_code == 403
        assert await here.joins(visit.document, here.id("study/b.md")) in {403, 404, 4403, 4404}


async def test_a_guest_of_a_link_to_a_folder_sees_what_the_link_covers(here: Here) -> None:
    """FOLDER-3, FOLDER-4: and does what the link allows, whoever made it."""
    for role, status in (("viewer", 403), ("editor", 200)):
        link = here.cloud.link("ann", "study", role)
        visit = await here.visit(here.cloud.token("ann", link=link.token))
        assert (visit.status, visit.path) == (200, "(shared)/study")
        assert await here.paths(visit.folder, "") == ["(shared)/study"]
        assert "(shared)/study/b.md" in await here.paths(visit.folder, "(shared)/study")
        b = f"/api/documents/{here.id('study/b.md')}/content"
        assert (await here.ask(visit.folder, "GET", b)).status_code == 200
        assert (await here.ask(visit.folder, "PUT", b, content=b"guest\n", headers={"If-Match": "*"})).status_code == status
        for path in ("private/secret.md", "top.md"):
            assert (await here.ask(visit.folder, "GET", f"/api/documents/{here.id(path)}")).status_code in {403, 404}
            assert await here.joins(visit.folder, here.id(path)) in {403, 404, 4403, 4404}


async def test_what_was_opened_for_reading_is_for_reading_in_all_of_the_folder(here: Here) -> None:
    """FOLDER-2."""
    visit = await here.visit(here.cloud.token("ann"), mode=READ)
    assert visit.path == "ann/study"
    for answer in (
        await here.ask(visit.folder, "PUT", f"/api/documents/{here.id('study/b.md')}/content", content=b"x", headers={"If-Match": "*"}),
        await here.ask(visit.folder, "POST", "/api/documents", json={"path": "ann/study/new.md"}),
        await here.ask(visit.folder, "POST", "/api/folders", json={"path": "ann/study/new"}),
        await here.ask(visit.folder, "DELETE", f"/api/documents/{here.id('study/b.md')}", headers={"If-Match": "*"}),
    ):
        assert answer.status_code == 403, answer.text


async def test_the_list_of_files_is_for_frames_of_the_cloud_alone(here: Here) -> None:
    """FOLDER-1: as each page in a frame."""
    visit = await here.visit(here.cloud.token("ann"))
    page = await here.post("/", visit.document)
    assert f"frame-ancestors {PORTAL}" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    for origin in ("https://evil.example.org", "null", None):
        answer = await here.client.post("/", data={"token": visit.document}, headers={} if origin is None else {"Origin": origin})
        assert answer.status_code == 403
    assert (await here.post("/", "x")).status_code == 401
    # By itself it opens nothing.
    assert (await here.client.get("/")).status_code == 200
    assert held(await here.client.get("/")) == ""
