"""CS3-16: people of a cloud share what is theirs there from our page; guests of its links do not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server

from collab.access import Grant, Person, Role, sign
from collab.archive.store import Archive
from collab.gateway.identity import expires
from collab.gateway.resources import ResourceId
from collab.ports import CloudSession

if TYPE_CHECKING:
    from pathlib import Path

    from serving import Served

PAGES = "https://cloud.example/s/"


async def came(served: Served, cloud: Cloud, name: str, document: str, *, guest: bool = False) -> str:
    """A token of ours for somebody who opened the document in the cloud's page, or as the guest of a link of theirs."""
    theirs = cloud.token(name)
    now, end = time.time(), expires(theirs)
    assert end is not None
    session = f"session of {name} {guest}"
    archive = Archive(f"sqlite:///{served.state / 'archive.sqlite'}")
    await archive.sessions(served.secret()).put(
        CloudSession(session, document, f"cs3:{name}", f"user-{name}", name, theirs, end, end, "editor", guest=guest)
    )
    await archive.close()
    return sign(Grant(Person(f"cs3:{name}", name), Role.EDITOR, document, end, session).lease(now), served.secret(), now=now)


async def test_a_document_is_shared_by_the_cloud_in_the_name_of_whoever_shares_it(tmp_path: Path) -> None:
    cloud = Cloud()
    for name in ("ann", "bob"):
        cloud.add_user(name)
    node = cloud.put("ann", "notes.md", b"one\n")
    document = ResourceId(cloud.storage, cloud.space("ann").id, node.id).document
    settings = {"COLLAB_CS3_USER": "", "COLLAB_CS3_MACHINE_SECRET": "", "COLLAB_CS3_LINKS": PAGES}
    async with CloudGateway(cloud) as gateway, cloud_server(tmp_path, gateway, **settings) as served:
        ann, bob = await came(served, cloud, "ann", document), await came(served, cloud, "bob", document)
        guest = await came(served, cloud, "ann", document, guest=True)
        operator = served.token("Op")
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:

            async def ask(token: str, method: str, path: str, body: object = None) -> httpx.Response:
                return await client.request(method, path, headers={"Authorization": f"Bearer {token}"}, json=body)

            assert (await ask(ann, "GET", "/api/documents/notes.md")).json()["id"] == document
            shares = f"/api/documents/{document}/shares"
            (found,) = (await ask(ann, "GET", "/api/people?query=bo")).json()["people"]
            assert (await ask(bob, "GET", f"/api/documents/{document}")).status_code in {403, 404}
            given = await ask(ann, "POST", shares, {"kind": "person", "id": found["id"], "role": "viewer", "expires": None})
            assert given.status_code == 201, given.text
            assert (await ask(bob, "GET", f"/api/documents/{document}")).json()["role"] == "viewer"
            one = f"{shares}/{given.json()['id']}"
            assert (await ask(ann, "PATCH", one, {"role": "editor"})).json()["role"] == "editor"
            assert (await ask(bob, "GET", f"/api/documents/{document}")).json()["role"] == "editor"

            link = (await ask(ann, "POST", shares, {"kind": "link", "role": "viewer", "expires": "2100-01-01T00:00:00Z"})).json()
            (token,) = cloud.links
            assert link["address"] == PAGES + token
            listed = (await ask(ann, "GET", shares)).json()
            assert {each["subject"]["kind"] for each in listed["shares"]} == {"person", "link"}
            assert listed["allowed"]["uses"] is False

            # Editors do not share, guests look like the maker of their link in the cloud's eyes, and an operator's token is nobody's there.
            assert (await ask(bob, "POST", shares, {"kind": "link", "role": "viewer"})).status_code == 403
            for stranger in (guest, operator):
                for method, path, body in (
                    ("GET", "/api/people?query=bo", None),
                    ("GET", shares, None),
                    ("POST", shares, {"kind": "link", "role": "viewer"}),
                    ("DELETE", one, None),
                ):
                    assert (await ask(stranger, method, path, body)).status_code in {401, 403}, (method, path)

            assert (await ask(ann, "DELETE", one)).status_code == 204
            assert (await ask(bob, "GET", f"/api/documents/{document}")).status_code in {403, 404}


async def test_what_is_attached_in_a_cloud_is_read_by_whoever_the_cloud_lets_and_nobody_else(tmp_path: Path) -> None:
    """ATTACH-5, CS3-16: attachments are files of the cloud beside the document, under its rights."""
    cloud = Cloud()
    for name in ("ann", "bob"):
        cloud.add_user(name)
    node = cloud.put("ann", "notes.md", b"one\n")
    other = cloud.put("ann", "other.md", b"two\n")
    document, second = (ResourceId(cloud.storage, cloud.space("ann").id, each.id).document for each in (node, other))
    settings = {"COLLAB_CS3_USER": "", "COLLAB_CS3_MACHINE_SECRET": "", "COLLAB_CS3_LINKS": PAGES}
    async with CloudGateway(cloud) as gateway, cloud_server(tmp_path, gateway, **settings) as served:
        ann, bob = await came(served, cloud, "ann", document), await came(served, cloud, "bob", document)
        elsewhere, operator = await came(served, cloud, "ann", second), served.token("Op")
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:

            async def ask(token: str | None, method: str, path: str, body: bytes | None = None) -> httpx.Response:
                headers = {} if token is None else {"Authorization": f"Bearer {token}"}
                return await client.request(method, path, headers=headers, content=body)

            for token, name, known in ((ann, "notes.md", document), (elsewhere, "other.md", second)):
                there = await ask(token, "GET", f"/api/documents/{name}")
                assert there.json()["id"] == known, there.text
            attached = f"/api/documents/{document}/attachments"
            made = await ask(ann, "POST", f"{attached}?name=plan.txt", b"plan")
            assert made.status_code == 201, made.text
            path = made.json()["path"]
            address = f"/api/documents/{quote(path, safe='')}/content"
            assert (await ask(ann, "GET", address)).content == b"plan"
            # A session for another document, somebody without a share, somebody who is nobody there.
            for stranger in (elsewhere, bob, operator, None):
                for method, asked, body in (("GET", address, None), ("GET", attached, None), ("POST", f"{attached}?name=x.txt", b"x")):
                    assert (await ask(stranger, method, asked, body)).status_code in {401, 403, 404}, (method, asked)

            # The cloud gives what it is asked for: the document, and not what is beside it.
            (found,) = (await ask(ann, "GET", "/api/people?query=bo")).json()["people"]
            share = {"kind": "person", "id": found["id"], "role": "viewer", "expires": None}
            headers = {"Authorization": f"Bearer {ann}"}
            assert (await client.post(f"/api/documents/{document}/shares", headers=headers, json=share)).status_code == 201
            assert (await ask(bob, "GET", f"/api/documents/{document}")).json()["role"] == "viewer"
            assert (await ask(bob, "GET", address)).status_code == 403
            assert (await ask(bob, "GET", attached)).json() == {"attachments": []}
            assert (await ask(bob, "POST", f"{attached}?name=x.txt", b"x")).status_code == 403
