"""Attachments over REST (ATTACH-1 to ATTACH-5)."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from notebooks import cell, notebook, sources
from serving import until
from standing import NOW, ORIGIN, SECRET, Site, stand

from collab.access import Grant, Person, Role, Share, sign, subject
from collab.ports import SignIn
from collab.web.sessions import invite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
OTHER = PNG + b"\0"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LIMIT = 64 * 1024
BOB = Person("name:Bob", "Bob")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "a.md").write_bytes(b"# A\n")
    (root / "b.md").write_bytes(b"# B\n")
    (root / "deep" / "my notes.md").write_bytes(b"# C\n")
    async with stand(tmp_path, attachment_limit=LIMIT) as site:
        yield site


def at(name: str, rest: str = "") -> str:
    return f"/api/documents/{quote(name, safe='')}/attachments{rest}"


def content(path: str) -> str:
    return f"/api/documents/{quote(path, safe='')}/content"


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert answer.json()["detail"]


async def attach(ada: httpx.AsyncClient, document: str, name: str, body: bytes) -> dict[str, object]:
    answer = await ada.post(at(document), params={"name": name}, content=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


async def listed(ada: httpx.AsyncClient, document: str) -> dict[str, bool]:
    return {each["name"]: each["used"] for each in (await ada.get(at(document))).json()["attachments"]}


async def test_a_picture_lies_beside_its_document_once_and_is_listed_until_the_text_names_it(site: Site) -> None:
    """ATTACH-1, ATTACH-3."""
    async with site.of() as ada:
        made = await attach(ada, "deep/my notes.md", "../My plan (1).png", PNG)
        assert made["name"] == "My-plan-(1).png"
        assert made["path"] == "deep/my notes.md.assets/My-plan-(1).png"
        assert made["reference"] == "my%20notes.md.assets/My-plan-%281%29.png"
        assert (made["type"], made["size"]) == ("image/png", len(PNG))
        assert (site.root / "deep/my notes.md.assets/My-plan-(1).png").read_bytes() == PNG
        again = await ada.post(at("deep/my notes.md"), params={"name": "other.png"}, content=PNG)
        assert (again.status_code, again.json()["name"]) == (200, "My-plan-(1).png")
        assert (await attach(ada, "deep/my notes.md", "My plan (1).png", OTHER))["name"] == "My-plan-(1)-2.png"
        assert await listed(ada, "deep/my notes.md") == {"My-plan-(1).png": False, "My-plan-(1)-2.png": False}
        text = f"![]({made['reference']})\n".encode()
        assert (await ada.put(content("deep/my notes.md"), content=text, headers={"If-Match": "*"})).status_code == 200
        assert await listed(ada, "deep/my notes.md") == {"My-plan-(1).png": True, "My-plan-(1)-2.png": False}
        picture = await ada.get(content("deep/my notes.md.assets/My-plan-(1).png"))
        assert picture.content == PNG
        assert picture.headers["content-disposition"].startswith("inline")
        assert "sandbox" in picture.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "body", "stored"),
    [
        ("photo", PNG, "photo.png"),
        ("photo.jpg", PNG, "photo.png"),
        ("photo.JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 50, "photo.JPEG"),
        ("words.txt", b"words", "words.txt"),
        ("picture.svg", SVG, "picture.svg"),
        ("page.html", b"<html><script>alert(1)</script>", "page.html"),
        ("empty.txt", b"", "empty.txt"),
        ("both.png", PNG + b"<script>alert(1)</script>", "both.png"),
        ("both.html", PNG + b"<script>alert(1)</script>", "both.html.png"),
        ("both.gif", b"GIF89a/*\x01\0\x01\0\0\0\0;*/=1;alert(1)//", "both.gif"),
        ("page.xhtml", b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>", "page.xhtml"),
        ("picture.svgz", b"\x1f\x8b" + SVG, "picture.svgz"),
        ("mail.mhtml", b"MIME-Version: 1.0\nContent-Type: text/html\n\n<script>alert(1)</script>", "mail.mhtml"),
        ("paper.pdf", b"%PDF-1.7\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", "paper.pdf"),
        ("code.js", b"alert(1)", "code.js"),
    ],
)
async def test_the_bytes_say_what_a_file_is_and_nothing_ever_runs(site: Site, name: str, body: bytes, stored: str) -> None:
    """ATTACH-2: what is no picture without scripts is only ever a download, in a sandbox."""
    async with site.of() as ada:
        made = await attach(ada, "a.md", name, body)
        assert made["name"] == stored
        answer = await ada.get(content(str(made["path"])))
        assert answer.content == body
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        inline = stored.lower().endswith((".png", ".jpg", ".jpeg", ".gif"))
        assert answer.headers["content-type"].startswith("image/") or not inline
        assert answer.headers["content-disposition"].startswith("inline" if inline else "attachment")


@pytest.mark.parametrize("body", [b"<html><script>alert(1)</script>", SVG, b"words", b"", b"%PDF-1.7\n", b"\0" * 100])
async def test_what_is_named_as_a_picture_and_is_none_is_refused(site: Site, body: bytes) -> None:
    """ATTACH-2."""
    async with site.of() as ada:
        refused(await ada.post(at("a.md"), params={"name": "a.png"}, content=body), 415, "not-text")
        assert not (site.root / "a.md.assets").exists()


async def test_what_is_too_large_or_has_no_name_leaves_nothing(site: Site) -> None:
    """ATTACH-2."""
    async with site.of() as ada:
        refused(await ada.post(at("a.md"), params={"name": "a.bin"}, content=b"x" * (LIMIT + 1)), 413, "too-large")

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 10_000

        refused(await ada.post(at("a.md"), params={"name": "a.bin"}, content=endless()), 413, "too-large")
        refused(await ada.post(at("a.md"), content=b"x"), 400, "malformed")
        refused(await ada.post(at("missing.md"), params={"name": "a.bin"}, content=b"x"), 404, "not-found")
        refused(await ada.post(at("deep"), params={"name": "a.bin"}, content=b"x"), 404, "not-found")
        assert [path.name for path in site.root.rglob("*") if "assets" in path.name] == []


@pytest.mark.parametrize("name", ["..%2F..%2Fb.md", "%2e%2e", "a%2Fb", "%00", "%ff", "..%5Cb.md"])
async def test_no_name_leads_out_of_the_folder(site: Site, name: str) -> None:
    """ATTACH-2."""
    async with site.of() as ada:
        await attach(ada, "a.md", "a.png", PNG)
        answer = await ada.request("DELETE", f"/api/documents/a.md/attachments/{name}")
        assert answer.status_code in {400, 404, 405}
        assert (site.root / "b.md").exists()
        key = (await ada.delete("/api/documents/b.md", headers={"If-Match": "*"})).json()["key"]
        refused(await ada.post(at("a.md", "/b.md/restoration"), json={"key": key}), 404, "not-found")


async def test_who_may_read_a_document_reads_what_is_attached_and_nobody_else(site: Site) -> None:
    """ATTACH-5: a token for one document, a viewer, a share of the document, a share of another one, nobody."""
    async with site.of() as ada:
        path = str((await attach(ada, "a.md", "a.png", PNG))["path"])
        await attach(ada, "b.md", "a.png", PNG)
        ids = {name: (await ada.get(f"/api/documents/{name}")).json()["id"] for name in ("a.md", "b.md")}

    shared = sign(Grant(BOB, Role.EDITOR, expires=NOW + 3600, id="bob", shared=True), SECRET, now=NOW)
    await site.archive.sign_ins.add(SignIn("bob", BOB.id, "Bob", "account", NOW, NOW, NOW + 3600))
    await site.archive.shares.add(Share("one", ids["a.md"], subject("person", BOB.id), Role.VIEWER, NOW))
    tokens = {
        "owner": (site.token(Role.OWNER), 200, True),
        "editor": (site.token(Role.EDITOR), 200, True),
        "viewer": (site.token(Role.VIEWER), 200, False),
        "editor of it": (site.token(Role.EDITOR, "a.md"), 200, True),
        "editor of its id": (site.token(Role.EDITOR, ids["a.md"]), 200, True),
        "editor of another": (site.token(Role.EDITOR, "b.md"), 403, False),
        "by a share to read": (shared, 200, False),
        "nobody": (None, 401, False),
    }
    for who, (token, reading, writing) in tokens.items():
        async with site.client(token) as caller:
            assert (await caller.get(content(path))).status_code == reading, who
            assert (await caller.get(at("a.md"))).status_code == reading, who
            written = await caller.post(at("a.md"), params={"name": f"{who}.txt"}, content=who.encode())
            assert (written.status_code == 201) is writing, (who, written.text)
            if who not in {"owner", "editor"}:
                other = (await caller.get(content("b.md.assets/a.png"))).status_code
                assert (other == 200) is (who in {"viewer", "editor of another"}), who
                # Read, and no more: it is changed by who may change the document.
                assert (await caller.delete(f"/api/documents/{quote(path, safe='')}", headers={"If-Match": "*"})).status_code in {
                    401,
                    403,
                }, who


async def test_who_comes_by_a_link_reads_what_is_attached_as_long_as_the_link_is(site: Site) -> None:
    """ATTACH-5: with a picture of another document there is nothing to be done, and a reader attaches nothing."""
    async with site.of(Role.OWNER) as ada:
        path, other = [str((await attach(ada, name, "a.png", PNG))["path"]) for name in ("a.md", "b.md")]
        links = {
            role: (await ada.post("/api/documents/a.md/shares", json={"kind": "link", "role": role})).json()
            for role in ("viewer", "editor")
        }
    for role, link in links.items():
        async with site.client() as guest, site.of(Role.OWNER) as ada:
            entered = await guest.post(link["address"].removeprefix(ORIGIN), data={"name": "Gus"}, headers={"Origin": ORIGIN})
            assert entered.status_code == 303, entered.text
            assert (await guest.get(content(path))).content == PNG
            assert (await guest.get(at("a.md"))).status_code == 200
            assert (await guest.get(content(other))).status_code == 403
            assert (await guest.get(at("b.md"))).status_code == 403
            assert (await guest.get(content("b.md.assets/none.png"))).status_code == 403
            for document, wanted in (("a.md", 201 if role == "editor" else 403), ("b.md", 403)):
                added = await guest.post(at(document), params={"name": f"{role}.txt"}, content=b"x", headers={"Origin": ORIGIN})
                assert added.status_code == wanted, added.text
            assert (await ada.delete(f"/api/documents/a.md/shares/{link['id']}")).status_code == 204
            for address in (content(path), at("a.md"), "/v/" + quote(path)):
                assert (await guest.get(address)).status_code in {401, 403}, address


async def test_people_who_attach_files_of_one_name_at_once_have_one_each(site: Site) -> None:
    """ATTACH-1, ATTACH-2: also where names differ only by case or by their form in Unicode, which some file systems take for one."""
    names = ["plän.png", "PLÄN.png", "pla\u0308n.png", "plän.png", "plän.PNG"]
    async with site.of() as ada:
        asked = [ada.post(at("a.md"), params={"name": name}, content=PNG + bytes([number])) for number, name in enumerate(names)]
        answers = await asyncio.gather(*asked)
        assert [answer.status_code for answer in answers] == [201] * 5
        found = {each.name: each.read_bytes() for each in (site.root / "a.md.assets").iterdir()}
        assert sorted(found.values()) == [PNG + bytes([number]) for number in range(5)]
        later = await attach(ada, "a.md", "PLÄN.PNG", OTHER + b"1")
        assert str(later["name"]).casefold() not in {name.casefold() for name in found}


async def test_a_long_name_is_shortened_and_one_that_is_too_long_is_refused_in_words(site: Site) -> None:
    """ATTACH-2: whatever the alphabet, the storage takes what is left of it."""
    (site.root / ("d" * 250)).write_bytes(b"d")
    async with site.of() as ada:
        for sign in ("x", "é", "漢", "😀"):
            made = await attach(ada, "a.md", sign * (250 // len(sign.encode())) + ".txt", sign.encode())
            assert str(made["name"]).endswith(sign + ".txt")
        refused(await ada.post(at("d" * 250), params={"name": "a.txt"}, content=b"x"), 400, "malformed")


async def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """ATTACH-2."""
    full = [False]

    def step(_: str) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with stand(tmp_path, step=step, attachment_limit=LIMIT) as site, site.of() as ada:
        (site.root / "a.md").write_bytes(b"# A\n")
        full[0] = True
        refused(await ada.post(at("a.md"), params={"name": "a.png"}, content=PNG), 507, "full")
        full[0] = False
        assert [path for path in site.root.rglob("*") if path.is_file()] == [site.root / "a.md"]
        await attach(ada, "a.md", "a.png", PNG)


async def test_a_page_of_another_origin_attaches_nothing_with_the_browsers_session(site: Site) -> None:
    """ATTACH-5."""
    async with site.client() as browser:
        secret = invite("Ada", Role.EDITOR, SECRET, now=site.time[0], random=os.urandom)
        assert (await browser.post("/api/session", json={"secret": secret}, headers={"Origin": ORIGIN})).status_code == 200
        for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {}):
            refused(await browser.post(at("a.md"), params={"name": "a.png"}, content=PNG, headers=headers), 403, "forbidden")
        assert (await browser.post(at("a.md"), params={"name": "a.png"}, content=PNG, headers={"Origin": ORIGIN})).status_code == 201


async def test_attachments_go_where_their_document_goes(site: Site) -> None:
    """ATTACH-4: renamed, moved, deleted, restored elsewhere, copied; the text names them as they are called then."""
    any_state = {"If-Match": "*"}
    async with site.of(Role.OWNER) as ada:
        reference = (await attach(ada, "a.md", "a.png", PNG))["reference"]
        await ada.put(content("a.md"), content=f"![]({reference})\n".encode(), headers=any_state)
        moved = await ada.patch("/api/documents/a.md", json={"path": "deep/new name.md"}, headers=any_state)
        assert moved.status_code == 200, moved.text
        assert (site.root / "deep/new name.md.assets/a.png").read_bytes() == PNG
        assert not (site.root / "a.md.assets").exists()
        assert (await ada.get(content("deep/new name.md"))).text == "![](new%20name.md.assets/a.png)\n"

        binned = (await ada.delete(f"/api/documents/{quote('deep/new name.md', safe='')}", headers=any_state)).json()
        assert not (site.root / "deep/new name.md.assets").exists()
        entries = (await ada.get("/api/bin")).json()["entries"]
        assert [entry["path"] for entry in entries] == ["deep/new name.md"]
        back = await ada.post(f"/api/bin/{binned['key']}/restoration", json={"path": "back.md"})
        assert back.status_code == 201, back.text
        assert (site.root / "back.md.assets/a.png").read_bytes() == PNG
        assert (await ada.get(content("back.md"))).text == "![](back.md.assets/a.png)\n"
        assert (await ada.get("/api/bin")).json()["entries"] == []

        await ada.put(content("copy.md"), content=b"![](back.md.assets/a.png)\n", headers={"If-None-Match": "*"})
        copied = await ada.post(at("copy.md", "/copies"), json={"from": "back.md"})
        assert (copied.status_code, copied.json()) == (200, {"copied": 1})
        assert (site.root / "copy.md.assets/a.png").read_bytes() == PNG
        assert (await ada.get(content("copy.md"))).text == "![](copy.md.assets/a.png)\n"

        binned = (await ada.delete("/api/documents/back.md", headers=any_state)).json()
        assert (await ada.delete(f"/api/bin/{binned['key']}")).status_code == 204
        assert (await ada.get("/api/bin")).json()["entries"] == []
        assert (site.root / "copy.md.assets/a.png").exists()


async def test_a_notebook_stays_one_whatever_it_is_called(site: Site) -> None:
    """ATTACH-4: what its strings say of its attachments is changed within them."""
    (site.root / "größe.ipynb").write_text(notebook(cell("# A", "a", "markdown")), encoding="ascii")
    async with site.of(Role.OWNER) as ada:
        made = await attach(ada, "größe.ipynb", "plän.png", PNG)
        text = json.dumps(json.loads(notebook(cell(f"\n![]({made['reference']})", "a", "markdown"))), indent=1) + "\n"
        await ada.put(content("größe.ipynb"), content=text.encode("ascii"), headers={"If-Match": "*"})
        assert await listed(ada, "größe.ipynb") == {"plän.png": True}
        moved = await ada.patch(f"/api/documents/{quote('größe.ipynb')}", json={"path": 'a "b" ö.ipynb'}, headers={"If-Match": "*"})
        assert moved.status_code == 200, moved.text
        body = (await ada.get(content('a "b" ö.ipynb'))).text
        assert sources(body) == ["\n![](a%20%22b%22%20ö.ipynb.assets/plän.png)"]
        assert await listed(ada, 'a "b" ö.ipynb') == {"plän.png": True}


async def test_attachments_follow_a_document_that_was_renamed_outside_while_it_is_open(site: Site) -> None:
    """ATTACH-4: also where whoever renamed it took them along."""
    (site.root / "c.md").write_bytes(b"c\n")
    async with site.of(Role.OWNER) as ada:
        for name in ("a.md", "c.md"):
            reference = (await attach(ada, name, "a.png", PNG))["reference"]
            await ada.put(content(name), content=f"![]({reference})\n".encode(), headers={"If-Match": "*"})
        ids = {name: (await ada.get(f"/api/documents/{name}")).json()["id"] for name in ("a.md", "c.md")}
        (site.root / "a.md").rename(site.root / "deep" / "x.md")
        (site.root / "c.md").rename(site.root / "y.md")
        (site.root / "c.md.assets").rename(site.root / "y.md.assets")
        for name, document in ids.items():
            site.app.rooms.noticed(document)
            there = "deep/x.md" if name == "a.md" else "y.md"
            words, file = f"![]({there.rpartition('/')[2]}.assets/a.png)\n", site.root / there
            await until(lambda file=file, words=words: file.read_text() == words)  # type: ignore[misc]  # bound now
            assert (site.root / f"{there}.assets/a.png").read_bytes() == PNG
            assert await listed(ada, there) == {"a.png": True}
        assert not (site.root / "a.md.assets").exists()


async def test_attachments_go_with_a_folder_that_was_renamed_outside(site: Site) -> None:
    """ATTACH-4, ATTACH-5: also for who has the document alone."""
    (site.root / "deep" / "c.md").write_bytes(b"c\n")
    async with site.of(Role.OWNER) as ada:
        made = await attach(ada, "deep/c.md", "a.png", PNG)
        await ada.put(content("deep/c.md"), content=f"![]({made['reference']})\n".encode(), headers={"If-Match": "*"})
        document = (await ada.get("/api/documents/deep%2Fc.md")).json()["id"]
        await until(lambda: "assets" in (site.root / "deep" / "c.md").read_text())
        (site.root / "deep").rename(site.root / "moved")
        for _ in range(600):
            if (await ada.get(at("moved/c.md"))).status_code != 404:
                break
            await asyncio.sleep(0.05)  # a rename is believed after a while, and nobody tells when
        assert await listed(ada, "moved/c.md") == {"a.png": True}
        assert (await ada.get("/api/documents/moved%2Fc.md")).json()["id"] == document
    async with site.of(Role.VIEWER, document) as reader:
        assert (await reader.get(content("moved/c.md.assets/a.png"))).content == PNG
        assert (await reader.get(content("moved/my notes.md"))).status_code == 403


async def test_what_is_deleted_comes_back(site: Site) -> None:
    """ATTACH-3."""
    async with site.of() as ada:
        await attach(ada, "a.md", "größe 1.png", PNG)
        name = quote("größe-1.png")
        key = (await ada.delete(at("a.md", f"/{name}"))).json()["key"]
        assert await listed(ada, "a.md") == {}
        refused(await ada.post(at("b.md", f"/{name}/restoration"), json={"key": key}), 404, "not-found")
        assert (await ada.post(at("a.md", f"/{name}/restoration"), json={"key": key})).status_code == 201
        assert await listed(ada, "a.md") == {"größe-1.png": False}
        refused(await ada.delete(at("a.md", "/missing.png")), 404, "not-found")


async def test_an_older_version_that_names_an_attachment_shows_it_again_also_out_of_the_bin(site: Site) -> None:
    """ATTACH-3: what the text names nowhere is never removed by itself, and what somebody deleted waits in the bin."""
    async with site.of(Role.OWNER) as ada:
        made = await attach(ada, "a.md", "a.png", PNG)
        for text in (f"![]({made['reference']})\n", "no picture\n"):
            answer = await ada.put(content("a.md"), content=text.encode(), headers={"If-Match": "*"})
            assert answer.status_code == 200, answer.text
            await until(lambda text=text: (site.root / "a.md").read_text() == text)  # type: ignore[misc]  # bound now
        assert await listed(ada, "a.md") == {"a.png": False}
        key = (await ada.delete(at("a.md", "/a.png"))).json()["key"]
        assert [(entry["key"], entry["path"]) for entry in (await ada.get("/api/bin")).json()["entries"]] == [(key, "a.md.assets/a.png")]

        versions = (await ada.get("/api/documents/a.md/versions")).json()["versions"]
        with_picture = [each["number"] for each in versions if "a.png" in (await ada.get(version(each["number"]))).text]
        assert (await ada.post(f"/api/documents/a.md/versions/{with_picture[0]}/restoration")).status_code == 200
        assert (await ada.get(content("a.md"))).text == f"![]({made['reference']})\n"
        assert (await ada.get(content(str(made["path"])))).status_code == 404
        assert (await ada.post(f"/api/bin/{key}/restoration", json={})).status_code == 201
        assert (await ada.get(content(str(made["path"])))).content == PNG
        assert await listed(ada, "a.md") == {"a.png": True}


def version(number: int) -> str:
    return f"/api/documents/a.md/versions/{number}/content"
