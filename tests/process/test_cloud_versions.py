"""HISTORY-6, HISTORY-7: the cloud's own versions beside ours, on a server as an operator starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server
from process.test_cloud_people import came
from serving import until

from collab.gateway.resources import ResourceId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    Ask = Callable[..., Coroutine[Any, Any, httpx.Response]]

NOTES, PICTURE = "notes.md", "picture.bin"


class Here:
    """A cloud with a file of Ann's that Bob may read, and a server."""

    def __init__(self, cloud: Cloud, gateway: CloudGateway, client: httpx.AsyncClient, tokens: dict[str, str]) -> None:
        self.cloud, self.gateway, self._client, self._tokens = cloud, gateway, client, tokens

    async def ask(self, name: str, method: str, rest: str = "", path: str = NOTES, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._tokens[f'{name} {path}']}", "If-Match": "*"}
        return await self._client.request(method, f"/api/documents/{path}{rest}", headers=headers, **more)

    async def listed(self, name: str = "ann", path: str = NOTES) -> dict[str, Any]:
        answer = await self.ask(name, "GET", "/storage-versions", path)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    cloud = Cloud()
    for name in ("ann", "bob"):
        cloud.add_user(name)
    for body in (b"one\n", b"one\ntwo\n", b"one\ntwo\nthree\n"):
        node = cloud.put("ann", NOTES, body)
    for body in (b"\0first", b"\0second"):
        picture = cloud.put("ann", PICTURE, body)
    cloud.share("ann", NOTES, "bob", "viewer")
    documents = {
        path: ResourceId(cloud.storage, cloud.space("ann").id, each.id).document for path, each in ((NOTES, node), (PICTURE, picture))
    }
    async with CloudGateway(cloud) as gateway, cloud_server(tmp_path, gateway, COLLAB_CS3_USER="", COLLAB_CS3_MACHINE_SECRET="") as served:
        tokens = {}
        for name, path in (("ann", NOTES), ("bob", NOTES), ("ann", PICTURE)):
            tokens[f"{name} {path}"], _ = await came(served, cloud, name, documents[path])
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
            yield Here(cloud, gateway, client, tokens)


async def test_they_are_listed_looked_at_and_brought_back_by_an_edit(here: Here) -> None:
    """HISTORY-6, HISTORY-7."""
    found = await here.listed()
    assert (found["kept"], found["may_restore"], found["reason"], found["more"]) == (True, True, "", False)
    second, first = found["versions"]
    assert (first["size"], second["size"]) == (4, 8)
    one, two = (f"/storage-versions/{quote(each['key'], safe='')}" for each in (first, second))
    content = await here.ask("ann", "GET", f"{one}/content")
    assert content.text == "one\n"
    assert content.headers["content-security-policy"] == "sandbox; default-src 'none'"

    async def changes(address: str, against: str = "") -> list[tuple[str, str]]:
        answer = await here.ask("ann", "GET", f"{address}/difference{f'?against={against}' if against else ''}")
        assert answer.status_code == 200, answer.text
        return [(each["kind"], each["text"]) for each in answer.json()["changes"]]

    assert await changes(two) == [("same", "one\n"), ("added", "two\n")]
    assert await changes(one) == [("added", "one\n")]
    assert await changes(two, "now") == [("same", "one\ntwo\n"), ("added", "three\n")]
    assert await changes(two, "none") == [("same", "one\ntwo\n")]
    assert (await here.ask("ann", "GET", f"{two}/difference?against=x")).status_code == 400

    # Somebody types something that no save has written yet; then the version is the text, and all that was there is a version.
    await here.ask("ann", "PUT", "/content", content=b"one\ntwo\nthree\nfour\n")
    restored = await here.ask("ann", "POST", f"{two}/restoration")
    assert restored.status_code == 200, restored.text
    assert (await here.ask("ann", "GET", "/content")).text == "one\ntwo\n"
    await until(lambda: here.cloud.body("ann", NOTES) == b"one\ntwo\n")
    assert here.gateway.calls["RestoreFileVersion"] == 0
    before = restored.json()["before"]
    assert (await here.ask("ann", "GET", f"/versions/{before}/content")).text == "one\ntwo\nthree\nfour\n"
    # Taken back as any restoration.
    undone = await here.ask("ann", "POST", f"/versions/{before}/restoration?over={restored.json()['version']}")
    assert undone.status_code == 200
    assert (await here.ask("ann", "GET", "/content")).text == "one\ntwo\nthree\nfour\n"


async def test_who_may_not_see_them_is_told_so_and_keys_of_other_files_are_none(here: Here) -> None:
    """HISTORY-6: `viewer` of a share may not list versions in this cloud."""
    told = await here.listed("bob")
    assert (told["kept"], told["versions"], told["may_restore"], told["reason"]) == (True, [], False, "denied")
    assert "does not let you see" in told["detail"]
    ours, theirs = (await here.listed())["versions"][0]["key"], (await here.listed(path=PICTURE))["versions"][0]["key"]
    for name, key, status in (("bob", ours, 403), ("ann", theirs, 404), ("ann", "x", 404), ("ann", here.cloud.at("ann", PICTURE).id, 404)):
        for method, what in (("GET", "content"), ("GET", "difference"), ("POST", "restoration")):
            answer = await here.ask(name, method, f"/storage-versions/{quote(key, safe='')}/{what}")
            assert answer.status_code == (403 if name == "bob" else status), (name, key, what, answer.text)
    # A token for one document reaches no other's versions.
    tokens = dict(here._tokens)
    here._tokens[f"ann {NOTES}"] = tokens[f"ann {PICTURE}"]
    assert (await here.ask("ann", "GET", "/storage-versions")).status_code == 403
    here._tokens.update(tokens)
    here.gateway.moods.lacks.add("ListFileVersions")
    assert "keeps no versions" in (await here.listed())["detail"]


async def test_what_is_no_text_is_replaced_and_what_was_there_is_a_version(here: Here) -> None:
    """HISTORY-7."""
    (former,) = (await here.listed(path=PICTURE))["versions"]
    address = f"/storage-versions/{quote(former['key'], safe='')}"
    assert (await here.ask("ann", "GET", f"{address}/difference", PICTURE)).status_code == 415
    restored = await here.ask("ann", "POST", f"{address}/restoration", PICTURE)
    assert restored.status_code == 200, restored.text
    assert here.cloud.body("ann", PICTURE) == b"\0first"
    assert [each.body for each in here.cloud.at("ann", PICTURE).versions] == [b"\0first", b"\0second"]
