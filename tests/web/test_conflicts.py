"""`GET /api/conflicts`: what office suites sent and no document could take (WOPI-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from standing import ADA, NOW, Site, stand

from collab.access import Person, Role
from collab.wopi.tokens import Pass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COPY = "notes/a (conflict 2027-01-15 08.00).docx"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "root" / "notes").mkdir(parents=True)
    for name in ("a.docx", "b.docx"):
        (tmp_path / "root" / "notes" / name).write_bytes(b"PK")
    async with stand(tmp_path) as site:
        yield site


async def rejected(site: Site, path: str, body: bytes) -> str:
    """An office suite sends this, and it can't be taken; the id of the document."""
    stat = await site.files.stat(path)
    await site.app.rejected.keep(stat, body, "it was locked", Pass(ADA, Role.EDITOR, stat.id, NOW + 1, suite="Collabora"))
    return stat.id


async def test_each_is_told_with_its_copy_which_is_in_the_folder(site: Site) -> None:
    document = await rejected(site, "notes/a.docx", b"mine")
    async with site.of(Role.VIEWER) as ada:
        answer = await ada.get("/api/conflicts")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        (told,) = answer.json()["conflicts"]
        assert told == {
            "document": document,
            "path": "notes/a.docx",
            "copy": COPY,
            "at": "2027-01-15T08:00:00.000Z",
            "reason": "it was locked",
            "by": "Ada",
            "suite": "Collabora",
            "size": 4,
            "count": 1,
        }
    assert (site.root / COPY).read_bytes() == b"mine"


async def test_who_may_see_one_document_is_told_of_that_one_only(site: Site) -> None:
    document = await rejected(site, "notes/a.docx", b"mine")
    await rejected(site, "notes/b.docx", b"another")
    for name, seen in ((document, [document]), ("notes/a.docx", [document]), ("notes/gone.docx", [])):
        async with site.of(Role.VIEWER, name) as ada:
            assert [each["document"] for each in (await ada.get("/api/conflicts")).json()["conflicts"]] == seen
    async with site.of(Role.VIEWER) as ada:
        assert len((await ada.get("/api/conflicts")).json()["conflicts"]) == 2
    async with site.client() as nobody:
        assert (await nobody.get("/api/conflicts")).status_code == 401


async def test_a_conflict_follows_document_and_copy_and_is_gone_with_the_copy(site: Site) -> None:
    document = await rejected(site, "notes/a.docx", b"mine")
    async with site.of() as ada:
        await ada.patch(f"/api/documents/{document}", json={"path": "other.docx"}, headers={"If-Match": "*"})
        copy = (await ada.get("/api/conflicts")).json()["conflicts"][0]["copy"].replace("/", "%2F")
        await ada.patch(f"/api/documents/{copy}", json={"path": "mine.docx"}, headers={"If-Match": "*"})
        (told,) = (await ada.get("/api/conflicts")).json()["conflicts"]
        assert (told["path"], told["copy"]) == ("other.docx", "mine.docx")
        await ada.delete("/api/documents/mine.docx", headers={"If-Match": "*"})
        assert (await ada.get("/api/conflicts")).json() == {"conflicts": []}


async def test_a_person_who_was_erased_is_not_named(site: Site) -> None:
    await rejected(site, "notes/a.docx", b"mine")
    await site.archive.authors.erase(ADA.id)
    async with site.client(site.token(person=Person("name:Bob", "Bob"))) as bob:
        assert [each["by"] for each in (await bob.get("/api/conflicts")).json()["conflicts"]] == [""]


async def test_the_copies_are_counted(site: Site) -> None:
    await rejected(site, "notes/a.docx", b"mine")
    async with site.client() as nobody:
        assert "collab_rejected_bodies_total 1.0" in (await nobody.get("/metrics")).text
