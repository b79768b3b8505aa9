"""Folders and the bin over HTTP (FILE-11, FILE-12, FILE-13, FILE-14)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from serving import until
from standing import ADA, NOW, Site, stand

from collab.access import Person, Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

KEY = re.compile("[a-z]{26}")
DAY = 86400.0
ANY = {"If-Match": "*"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes" / "deep").mkdir(parents=True)
    (root / "a.md").write_bytes(b"# A\r\n")
    (root / "notes" / "Größe 100%.md").write_bytes(b"b")
    (root / "notes" / "deep" / "c.md").write_bytes(b"c")
    async with stand(tmp_path) as site:
        yield site


def problem(answer: httpx.Response, status: int, reason: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == reason
    return str(answer.json()["detail"])


def document(name: str, rest: str = "") -> str:
    return f"/api/documents/{quote(name, safe='')}{rest}"


def folder(path: str) -> str:
    return f"/api/folders/{quote(path, safe='')}"


def paths(site: Site) -> list[str]:
    """All that is in the root, without the bin."""
    return sorted(path.relative_to(site.root).as_posix() for path in site.root.rglob("*") if ".collab-bin" not in path.parts)


async def entries(ada: httpx.AsyncClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await ada.get("/api/bin")).json()["entries"]
    return found


# --- deleted and restored


async def test_a_deleted_document_is_in_the_bin_and_can_be_restored(site: Site) -> None:
    async with site.of() as ada:
        before = (await ada.get(document("a.md"))).json()
        answer = await ada.delete(document("a.md"), headers={"If-Match": f'"{before["etag"]}"'})
        assert answer.status_code == 200
        deleted = answer.json()
        assert (sorted(deleted), deleted["path"]) == (["key", "path", "until"], "a.md")
        assert KEY.fullmatch(deleted["key"])
        problem(await ada.get(document("a.md")), 404, "not-found")
        problem(await ada.get(document(before["id"], "/content")), 404, "not-found")
        listed = await ada.get("/api/bin")
        assert (listed.status_code, listed.headers["cache-control"]) == (200, "no-store")
        assert listed.json() == {
            "entries": [
                {
                    "key": deleted["key"],
                    "path": "a.md",
                    "type": "text/markdown",
                    "size": 5,
                    "deleted": "2027-01-15T08:00:00.000Z",
                    "by": "Ada",
                    "until": "2027-02-14T08:00:00.000Z",
                }
            ]
        }
        assert deleted["until"] == listed.json()["entries"][0]["until"]
        restored = await ada.post(f"/api/bin/{deleted['key']}/restoration", json={})
        assert (restored.status_code, restored.json()) == (201, before)
        assert restored.headers["etag"] == f'"{before["etag"]}"'
        assert (await ada.get(document(before["id"], "/content"))).content == b"# A\r\n"
        assert await entries(ada) == []


async def test_who_deleted_something_is_told_to_others(site: Site) -> None:
    async with site.of() as ada, site.client(site.token(person=Person("name:Bob", "Bob"))) as bob:
        await bob.delete(document("a.md"), headers=ANY)
        site.time[0] += 60
        await ada.delete(document("notes/deep/c.md"), headers=ANY)
        assert [(entry["path"], entry["by"]) for entry in await entries(ada)] == [("notes/deep/c.md", "Ada"), ("a.md", "Bob")]


async def test_a_place_that_is_taken_is_left_alone_and_another_can_be_given(site: Site) -> None:
    async with site.of() as ada:
        deleted = (await ada.delete(document("a.md"), headers=ANY)).json()
        made = (await ada.post("/api/documents", json={"path": "a.md", "content": "new"})).json()
        at = f"/api/bin/{deleted['key']}/restoration"
        problem(await ada.post(at, json={}), 409, "exists")
        problem(await ada.post(at, json={"path": "notes"}), 409, "exists")
        restored = await ada.post(at, json={"path": "old/years/a.md"})
        assert (restored.status_code, restored.json()["path"]) == (201, "old/years/a.md")
        assert restored.json()["id"] != made["id"]
        assert (site.root / "a.md").read_bytes() == b"new"
        problem(await ada.post(at, json={}), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"path": ""}, 400, "malformed"),
        ({"path": "../a.md"}, 400, "malformed"),
        ({"path": ".hidden"}, 400, "malformed"),
        ({"path": 7}, 400, "malformed"),
        ({"path": None}, 400, "malformed"),
        ({"to": "a.md"}, 400, "malformed"),
        ({"path": "n" * 1025}, 413, "too-large"),
    ],
)
async def test_a_place_that_can_be_none_is_refused(site: Site, body: object, status: int, reason: str) -> None:
    async with site.of() as ada:
        deleted = (await ada.delete(document("a.md"), headers=ANY)).json()
        problem(await ada.post(f"/api/bin/{deleted['key']}/restoration", json=body), status, reason)
        assert len(await entries(ada)) == 1


@pytest.mark.parametrize("key", ["x", "z" * 26, "..%2F..%2Fa.md", "%00", "%FF"])
async def test_a_key_of_nothing_is_not_found(site: Site, key: str) -> None:
    async with site.of() as ada:
        problem(await ada.post(f"/api/bin/{key}/restoration", json={}), 404, "not-found")
        problem(await ada.delete(f"/api/bin/{key}"), 404, "not-found")
    assert (site.root / "a.md").exists()


async def test_what_is_purged_is_gone_for_good(site: Site) -> None:
    async with site.of() as ada:
        deleted = (await ada.delete(document("a.md"), headers=ANY)).json()
        answer = await ada.delete(f"/api/bin/{deleted['key']}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert await entries(ada) == []
        problem(await ada.post(f"/api/bin/{deleted['key']}/restoration", json={}), 404, "not-found")
    assert list((site.root / ".collab-bin").iterdir()) == []


async def test_what_has_waited_as_long_as_the_setting_says_is_gone_at_the_next_start(tmp_path: Path) -> None:
    async with stand(tmp_path, bin_days="2") as site, site.of() as ada:
        for path, seconds in (("old.md", 0.0), ("new.md", -DAY)):
            await ada.post("/api/documents", json={"path": path})
            site.time[0] = NOW - 2 * DAY - seconds
            await ada.delete(document(path), headers=ANY)
        assert (await entries(ada))[0]["until"] == "2027-01-16T08:00:00.000Z"
    async with stand(tmp_path, bin_days="2") as site, site.of() as ada:
        await until(lambda: len(list((site.root / ".collab-bin").iterdir())) == 1)
        assert [entry["path"] for entry in await entries(ada)] == ["new.md"]


# --- folders


async def test_a_folder_is_made(site: Site) -> None:
    async with site.of() as ada:
        answer = await ada.post("/api/folders", json={"path": "notes/new é"})
        assert answer.status_code == 201
        made = answer.json()
        assert (made["path"], made["type"], made["id"], made["role"]) == ("notes/new é", "inode/directory", "", "editor")
        assert (site.root / "notes" / "new é").is_dir()
        assert (await ada.post("/api/documents", json={"path": "notes/new é/x.md"})).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"path": "notes"}, 409, "exists"),
        ({"path": "a.md"}, 409, "exists"),
        ({"path": "none/new"}, 404, "not-found"),
        ({"path": "../new"}, 400, "malformed"),
        ({"path": ".new"}, 400, "malformed"),
        ({"path": ""}, 400, "malformed"),
        ({}, 400, "malformed"),
        ({"path": "new", "content": ""}, 400, "malformed"),
        ({"path": "n" * 1025}, 413, "too-large"),
    ],
)
async def test_a_folder_that_cannot_be_made_is_refused(site: Site, body: object, status: int, reason: str) -> None:
    before = paths(site)
    async with site.of() as ada:
        problem(await ada.post("/api/folders", json=body), status, reason)
    assert paths(site) == before


async def test_a_folder_is_moved_with_all_in_it(site: Site) -> None:
    async with site.of() as ada:
        identity = (await ada.get(document("notes/deep/c.md"))).json()["id"]
        answer = await ada.patch(folder("notes"), json={"path": "papers"})
        assert (answer.status_code, answer.json()["path"], answer.json()["type"]) == (200, "papers", "inode/directory")
        assert (await ada.get(document(identity))).json()["path"] == "papers/deep/c.md"
        again = await ada.patch(folder("papers/deep"), json={"path": "deep 100%"})
        assert again.json()["path"] == "deep 100%"
        assert paths(site) == ["a.md", "deep 100%", "deep 100%/c.md", "papers", "papers/Größe 100%.md"]


@pytest.mark.parametrize(
    ("name", "to", "status", "reason"),
    [
        ("notes", "notes/deep/er", 400, "malformed"),
        ("notes", "a.md", 409, "exists"),
        ("notes/deep", "notes", 409, "exists"),
        ("notes", "none/new", 404, "not-found"),
        ("a.md", "new", 404, "not-found"),
        ("none", "new", 404, "not-found"),
        (".collab-bin", "new", 404, "not-found"),
        ("notes", ".new", 400, "malformed"),
    ],
)
async def test_a_folder_that_cannot_be_moved_stays(site: Site, name: str, to: str, status: int, reason: str) -> None:
    before = paths(site)
    async with site.of() as ada:
        problem(await ada.patch(folder(name), json={"path": to}), status, reason)
    assert paths(site) == before


async def test_a_deleted_folder_is_one_entry_and_comes_back_whole(site: Site) -> None:
    before = paths(site)
    async with site.of() as ada:
        identity = (await ada.get(document("notes/deep/c.md"))).json()["id"]
        answer = await ada.delete(folder("notes"))
        assert (answer.status_code, sorted(answer.json())) == (200, ["key", "path", "until"])
        assert paths(site) == ["a.md"]
        problem(await ada.get(document(identity)), 404, "not-found")
        ((path, kind, size),) = [(entry["path"], entry["type"], entry["size"]) for entry in await entries(ada)]
        assert (path, kind, size) == ("notes", "inode/directory", 0)
        restored = await ada.post(f"/api/bin/{answer.json()['key']}/restoration", json={})
        assert (restored.status_code, restored.json()["path"], restored.json()["type"]) == (201, "notes", "inode/directory")
        assert (await ada.get(document(identity))).json()["path"] == "notes/deep/c.md"
        problem(await ada.delete(folder("a.md")), 404, "not-found")
        problem(await ada.delete(document("notes"), headers=ANY), 404, "not-found")
    assert paths(site) == before


# --- who may what


async def requests(client: httpx.AsyncClient, key: str) -> list[httpx.Response]:
    """Everything that folders and the bin can be asked for."""
    return [
        await client.get("/api/bin"),
        await client.post(f"/api/bin/{key}/restoration", json={}),
        await client.delete(f"/api/bin/{key}"),
        await client.post("/api/folders", json={"path": "new"}),
        await client.patch(folder("notes"), json={"path": "new"}),
        await client.delete(folder("notes")),
    ]


@pytest.mark.parametrize(("role", "only"), [(Role.VIEWER, None), (Role.EDITOR, "a.md"), (Role.OWNER, "notes")])
async def test_folders_and_the_bin_are_for_editors_of_everything(site: Site, role: Role, only: str | None) -> None:
    """AUTH-1, AUTH-2."""
    async with site.of() as ada:
        key = (await ada.delete(document("notes/deep/c.md"), headers=ANY)).json()["key"]
    before = paths(site)
    async with site.of(role, only) as somebody:
        for answer in await requests(somebody, key):
            problem(answer, 403, "forbidden")
    async with site.client() as nobody:
        for answer in await requests(nobody, key):
            problem(answer, 401, "unauthorized")
    assert paths(site) == before


async def test_who_may_edit_one_document_may_delete_it(site: Site) -> None:
    async with site.of(Role.EDITOR, "a.md") as bob, site.of() as ada:
        assert (await bob.delete(document("a.md"), headers=ANY)).status_code == 200
        assert [entry["path"] for entry in await entries(ada)] == ["a.md"]


async def test_a_page_of_another_origin_deletes_and_restores_nothing(site: Site) -> None:
    """AUTH-5."""
    async with site.of() as ada:
        key = (await ada.delete(document("a.md"), headers=ANY)).json()["key"]
    before = paths(site)
    async with site.client(site.token(), Origin="http://evil.example") as evil:
        for answer in (await requests(evil, key))[1:]:
            problem(answer, 403, "forbidden")
    assert paths(site) == before


async def test_each_act_is_audited(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """PROC-8."""
    with caplog.at_level("INFO", "collab.audit"):
        async with site.of() as ada:
            identity = (await ada.get(document("a.md"))).json()["id"]
            key = (await ada.delete(document("a.md"), headers=ANY)).json()["key"]
            await ada.post(f"/api/bin/{key}/restoration", json={"path": "b.md"})
            key = (await ada.delete(document("b.md"), headers=ANY)).json()["key"]
            await ada.delete(f"/api/bin/{key}")
            await ada.post("/api/folders", json={"path": "new"})
            await ada.patch(folder("new"), json={"path": "newer"})
            await ada.delete(folder("newer"))
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "collab.audit"]
    assert [(line["event"], line["document"]["id"], line["document"]["path"], line.get("detail")) for line in lines] == [
        ("delete", identity, "a.md", None),
        ("restore", identity, "b.md", "a.md"),
        ("delete", identity, "b.md", None),
        ("purge", identity, "b.md", None),
        ("create", "", "new", None),
        ("rename", "", "newer", "new"),
        ("delete", "", "newer", None),
    ]
    assert {line["person"]["id"] for line in lines} == {ADA.id}
