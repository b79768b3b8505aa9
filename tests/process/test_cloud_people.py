"""CLOUD-1 to CLOUD-4: a server on a cloud that acts for whoever came from it, as an operator starts it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server
from serving import until

from collab.access import Grant, Person, Role, sign
from collab.archive.store import Archive
from collab.gateway.identity import expires
from collab.gateway.resources import ResourceId
from collab.ports import CloudSession

if TYPE_CHECKING:
    from pathlib import Path

    from serving import Served

NOTES = "notes.md"


async def came(served: Served, cloud: Cloud, name: str, document: str) -> tuple[str, str]:
    """A token of ours for somebody who opened the file in the cloud's page, and the cloud's own."""
    theirs = cloud.token(name)
    now, end = time.time(), expires(theirs)
    assert end is not None
    archive = Archive(f"sqlite:///{served.state / 'archive.sqlite'}")
    await archive.sessions(served.secret()).put(
        CloudSession(f"session of {name}", document, f"cs3:{name}", f"user-{name}", name, theirs, end, end, "editor")
    )
    await archive.close()
    grant = Grant(Person(f"cs3:{name}", name), Role.EDITOR, document, end, f"session of {name}").lease(now)
    return sign(grant, served.secret(), now=now), theirs


async def test_people_read_and_write_in_their_own_name_and_what_they_lose_is_lost_at_once(tmp_path: Path) -> None:
    cloud = Cloud()
    for name in ("ann", "bob"):
        cloud.add_user(name)
    node = cloud.put("ann", NOTES, b"one\n")
    cloud.share("ann", NOTES, "bob", "editor")
    document = ResourceId(cloud.storage, cloud.space("ann").id, node.id).document
    async with CloudGateway(cloud) as gateway, cloud_server(tmp_path, gateway, COLLAB_CS3_USER="", COLLAB_CS3_MACHINE_SECRET="") as served:
        ann, first = await came(served, cloud, "ann", document)
        bob, second = await came(served, cloud, "bob", document)
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:

            async def ask(token: str, method: str, body: bytes | None = None) -> httpx.Response:
                headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
                return await client.request(method, f"/api/documents/{NOTES}/content", headers=headers, content=body)

            assert (await ask(ann, "GET")).text == "one\n"
            assert (await ask(bob, "PUT", b"one\ntwo\n")).status_code == 200
            await until(lambda: cloud.body("ann", NOTES) == b"one\ntwo\n")
            lock = cloud.lock_of(node)
            assert lock is not None
            assert (lock.application, lock.user) == ("Collab", "")
            cloud.share("ann", NOTES, "bob", "viewer")
            assert (await ask(bob, "PUT", b"three\n")).status_code == 403
            assert (await ask(bob, "GET")).text == "one\ntwo\n"
            cloud.unshare("ann", NOTES, "bob")
            assert (await ask(bob, "GET")).status_code in {403, 404}
            assert (await ask(ann, "PUT", b"one\ntwo\nthree\n")).status_code == 200
            await until(lambda: cloud.body("ann", NOTES) == b"one\ntwo\nthree\n")
            archive = Archive(f"sqlite:///{served.state / 'archive.sqlite'}")
            await archive.sessions(served.secret()).end("session of ann")
            await archive.close()
            # Known for some seconds at each node.
            nobody = sign(
                Grant(Person("cs3:eve", "Eve"), Role.EDITOR, document, time.time() + 600, "none"), served.secret(), now=time.time()
            )
            assert (await ask(nobody, "GET")).status_code == 401
        log = await asyncio.to_thread(served.log.read_text)
        assert first not in log
        assert second not in log
