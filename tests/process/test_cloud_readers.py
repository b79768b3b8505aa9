"""READ-6, READ-8, CLOUD-1: readers of a document in a cloud, each in the cloud's eyes, until they may not read it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server
from process.test_cloud_people import came
from readers import Page, address, following, next_of

from collab.gateway.resources import ResourceId

if TYPE_CHECKING:
    from pathlib import Path

NOTES = "notes.md"
PARENT = "https://cloud.example"


async def test_readers_of_a_cloud_see_what_the_cloud_lets_them_see_for_as_long_as_it_does(tmp_path: Path) -> None:
    cloud = Cloud()
    for name in ("ann", "bob", "eve"):
        cloud.add_user(name)
    node = cloud.put("ann", NOTES, b"# One\n\nfor readers\n")
    cloud.share("ann", NOTES, "bob", "viewer")
    document = ResourceId(cloud.storage, cloud.space("ann").id, node.id).document
    settings = {
        "COLLAB_CS3_USER": "",
        "COLLAB_CS3_MACHINE_SECRET": "",
        "COLLAB_FRAME_ANCESTORS": PARENT,
        "COLLAB_RIGHTS_INTERVAL": "0.5",
    }
    async with CloudGateway(cloud) as gateway, cloud_server(tmp_path, gateway, **settings) as served:
        people = {name: (await came(served, cloud, name, document))[0] for name in ("ann", "bob", "eve")}

        def client(name: str) -> httpx.AsyncClient:
            headers = {"Authorization": f"Bearer {people[name]}", "Accept": "text/html"}
            return httpx.AsyncClient(base_url=served.url, headers=headers, timeout=60, trust_env=False)

        async with client("ann") as ann, client("bob") as bob, client("eve") as eve:
            answers = {name: await who.get(address(NOTES)) for name, who in (("ann", ann), ("bob", bob), ("eve", eve))}
            assert answers["eve"].status_code in {403, 404}
            assert "for readers" not in answers["eve"].text
            assert [(answers[name].status_code, ">Edit<" in answers[name].text) for name in ("ann", "bob")] == [(200, True), (200, False)]
            assert answers["ann"].headers["x-collab-person"] != answers["bob"].headers["x-collab-person"]
            known = {"If-None-Match": answers["bob"].headers["etag"]}
            assert (await bob.get(address(NOTES), headers=known)).status_code == 304

            # Without a room: what another program writes into the cloud.
            page = Page.of(answers["bob"].text)
            async with following(bob, NOTES, page.version) as his, following(ann, NOTES, page.version) as hers:
                await next_of(his, "about")
                cloud.put("ann", NOTES, b"# One\n\nfor readers, anew\n")
                page.apply(await next_of(his, "patch"))
                assert "anew" in page.blocks[1]
                await next_of(hers, "patch")

                # And with one: what people write here.
                content = f"/api/documents/{NOTES}/content"
                put = await ann.put(content, headers={"If-Match": "*"}, content=b"# One\n\nfor readers, by Ann\n")
                assert put.status_code == 200, put.text
                page.apply(await next_of(his, "patch"))
                assert "by Ann" in page.blocks[1]

                cloud.unshare("ann", NOTES, "bob")
                assert (await next_of(his, "ended"))["status"] in {403, 404}
                put = await ann.put(content, headers={"If-Match": "*"}, content=b"not for Bob\n")
                assert put.status_code == 200, put.text
                while "not for Bob" not in str(await next_of(hers, "patch")):
                    pass
                assert [each async for each in his] == []
            for headers in ({}, known, {"Accept": "text/event-stream"}):
                refused = await bob.get(address(NOTES), headers=headers)
                assert refused.status_code in {403, 404}
                assert "x-collab-person" not in refused.headers
            frame = {"Origin": PARENT}
            framed = await ann.post(address(NOTES), data={"token": people["ann"]}, headers=frame)
            assert (framed.status_code, "not for Bob" in framed.text) == (200, True)
            assert (await bob.post(address(NOTES), data={"token": people["bob"]}, headers=frame)).status_code in {403, 404}
