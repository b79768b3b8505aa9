"""Files that are open in desktop applications and in office suites: each is told of the other (WOPI-6)."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from standing import ADA, NOW, SECRET, Site, stand

from collab.access import Person, Role
from collab.storage.habits import read_lock
from collab.storage.local_claims import LocalClaims
from collab.wopi.addresses import key_of
from collab.wopi.claiming import Claiming
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

LOCK = ".~lock.a.docx#"
BOB = b"Bob Stone,bob,host,29.11.2026 14:05,file:///home/bob;"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.docx").write_bytes(b"PK")
    (root / "notes.md").write_bytes(b"# Notes\n")
    async with stand(tmp_path) as site:
        yield site


async def wopi(site: Site, override: str, path: str = "a.docx", body: bytes | None = None, **headers: str) -> httpx.Response:
    """A request of Ada's suite."""
    stat = await site.files.stat(path)
    sealed = seal(Pass(ADA, Role.EDITOR, stat.id, NOW + 36_000), SECRET, now=NOW)
    address = f"/wopi/files/{key_of(stat.id)}{'' if body is None else '/contents'}"
    async with site.client(**{"X-WOPI-Override": override, **{f"X-WOPI-{name}": value for name, value in headers.items()}}) as suite:
        return await suite.post(address, params={"access_token": sealed}, content=body or b"")


def leave(site: Site, name: str = LOCK, body: bytes = BOB) -> None:
    """Somebody outside opens a file."""
    (site.root / name).write_bytes(body)
    os.utime(site.root / name, (site.time[0], site.time[0]))


def claiming(site: Site) -> Claiming:
    """The server's own, as a server that was started again has it."""
    return Claiming(LocalClaims(site.files, clock=lambda: site.time[0]), site.archive.locks, lambda: site.time[0])


async def shown(site: Site, path: str = "a.docx") -> object:
    async with site.of(Role.VIEWER) as ada:
        return (await ada.get(f"/api/documents/{path}")).json().get("held")


# --- theirs


async def test_who_has_a_document_open_outside_is_told_to_everybody_who_reads_it(site: Site) -> None:
    assert await shown(site) is None
    leave(site)
    assert await shown(site) == {"by": "Bob Stone", "application": "LibreOffice", "since": "2027-01-15T08:00:00.000Z"}
    leave(site, ".~lock.notes.md#")
    assert await shown(site, "notes.md") is not None
    async with site.of() as ada:
        listed = (await ada.get("/api/documents")).json()["documents"]
        assert [(each["path"], each["held"]["by"]) for each in listed] == [("a.docx", "Bob Stone"), ("notes.md", "Bob Stone")]
        await ada.put("/api/documents/a.docx/star")
        assert (await ada.get("/api/shelf")).json()["starred"][0]["held"] == await shown(site)
        (site.root / LOCK).unlink()
        assert ["held" in each for each in (await ada.get("/api/documents")).json()["documents"]] == [False, True]
        assert (await ada.get("/api/documents/.~lock.a.docx%23")).status_code == 404


async def test_a_suite_does_not_take_a_document_that_is_open_outside_and_is_told_who_has_it(site: Site) -> None:
    leave(site)
    refused = await wopi(site, "LOCK", Lock="mine")
    assert refused.status_code == 409
    assert refused.headers["x-wopi-lock"] == ""
    assert refused.headers["x-wopi-lockfailurereason"] == "Bob Stone has the document open in LibreOffice"
    assert (site.root / LOCK).read_bytes() == BOB
    (site.root / LOCK).unlink()
    assert (await wopi(site, "LOCK", Lock="mine")).status_code == 200


async def test_a_lock_that_somebody_left_a_day_ago_refuses_nobody(site: Site) -> None:
    leave(site)
    site.time[0] += 86_401
    stat = await site.files.stat("a.docx")
    assert await shown(site) is None
    assert await claiming(site).find(stat.id) == (stat, None)


async def test_what_a_suite_saves_under_a_desktop_application_is_kept_beside_and_refused(site: Site) -> None:
    """Word knows nothing of our lock: it would write over the file, unread."""
    assert (await wopi(site, "LOCK", Lock="mine")).status_code == 200
    leave(site, "~$a.docx", bytes([3]) + b"Eve" + b"\0" * 50 + b"\x03\0E\0v\0e\0" + b"\0" * 100)
    refused = await wopi(site, "PUT", body=b"PK mine", Lock="mine")
    assert (refused.status_code, refused.headers["x-wopi-lock"]) == (409, "mine")
    assert refused.headers["x-wopi-lockfailurereason"] == "Eve has the document open in Microsoft Office"
    assert (site.root / "a.docx").read_bytes() == b"PK"
    assert (site.root / "a (conflict 2027-01-15 08.00).docx").read_bytes() == b"PK mine"
    assert (await wopi(site, "LOCK", Lock="mine")).status_code == 200
    (site.root / "~$a.docx").unlink()
    assert (await wopi(site, "PUT", body=b"PK more", Lock="mine")).status_code == 200


@pytest.mark.parametrize("path", ["a.docx", "notes.md"])
async def test_a_suite_neither_renames_nor_deletes_nor_replaces_what_is_open_outside_and_is_told_who_has_it(site: Site, path: str) -> None:
    leave(site, f".~lock.{path}#")
    before = (site.root / path).read_bytes()
    refused = [await wopi(site, "RENAME_FILE", path, RequestedName="b"), await wopi(site, "DELETE", path)]
    if path == "a.docx":
        (site.root / "c.docx").write_bytes(b"PK c")
        refused.append(await wopi(site, "PUT_RELATIVE", "c.docx", RelativeTarget=path, OverwriteRelativeTarget="true"))
    for answer in refused:
        assert (answer.status_code, answer.headers["x-wopi-lock"]) == (409, "")
        assert answer.headers["x-wopi-lockfailurereason"] == "Bob Stone has the document open in LibreOffice"
    assert (site.root / path).read_bytes() == before
    assert (site.root / f".~lock.{path}#").read_bytes() == BOB

    (site.root / f".~lock.{path}#").unlink()
    assert (await wopi(site, "RENAME_FILE", path, RequestedName="b")).status_code == 200


async def test_a_suite_whose_lock_stands_does_not_rename_what_a_desktop_application_opened_all_the_same(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    leave(site)
    refused = await wopi(site, "RENAME_FILE", RequestedName="b", Lock="mine")
    assert (refused.status_code, refused.headers["x-wopi-lock"]) == (409, "mine")


async def test_a_live_document_is_never_refused(site: Site) -> None:
    leave(site, ".~lock.notes.md#")
    assert (await wopi(site, "LOCK", "notes.md", Lock="mine")).status_code == 200
    assert (await wopi(site, "PUT", "notes.md", b"# Notes\nmore\n", Lock="mine")).status_code == 200
    assert (site.root / ".~lock.notes.md#").read_bytes() == BOB


# --- ours


async def test_a_suite_that_has_a_document_leaves_a_lock_that_libreoffice_understands(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    entry = read_lock((site.root / LOCK).read_bytes())
    assert (entry.name, entry.ours) == ("Ada (office suite)", True)
    assert await shown(site) is None
    assert (await wopi(site, "PUT", body=b"PK mine", Lock="mine")).status_code == 200
    assert (await wopi(site, "LOCK", Lock="new", OldLock="mine")).status_code == 200
    assert (site.root / LOCK).exists()
    assert (await wopi(site, "UNLOCK", Lock="mine")).status_code == 409
    assert (site.root / LOCK).exists()
    assert (await wopi(site, "UNLOCK", Lock="new")).status_code == 200
    assert not (site.root / LOCK).exists()


async def test_live_documents_get_no_lock_of_ours(site: Site) -> None:
    await wopi(site, "LOCK", "notes.md", Lock="mine")
    assert sorted(path.name for path in site.root.iterdir() if path.name.startswith(".~")) == []


async def test_our_lock_goes_along_with_a_rename(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    assert (await wopi(site, "RENAME_FILE", RequestedName="b", Lock="mine")).json() == {"Name": "b"}
    assert [path.name for path in sorted(site.root.iterdir())] == [".~lock.b.docx#", "b.docx", "notes.md"]
    await wopi(site, "UNLOCK", "b.docx", Lock="mine")
    assert not (site.root / ".~lock.b.docx#").exists()


async def test_our_lock_goes_when_the_suite_is_not_heard_of_any_more(site: Site) -> None:
    """A crash of ours in between changes nothing."""
    document = (await site.files.stat("a.docx")).id
    await wopi(site, "LOCK", Lock="mine")
    after = claiming(site)
    site.time[0] += 61
    await after.sweep()
    assert (site.root / LOCK).exists()
    await site.archive.locks.release(document, "wopi", "mine")
    await after.sweep()
    assert not (site.root / LOCK).exists()


async def test_our_lock_that_is_young_is_not_swept(site: Site) -> None:
    """It comes before the suite's own."""
    document = (await site.files.stat("a.docx")).id
    await LocalClaims(site.files, clock=lambda: site.time[0]).hold(document, "Ada")
    await claiming(site).sweep()
    assert (site.root / LOCK).exists()
    site.time[0] += 60
    await claiming(site).sweep()
    assert not (site.root / LOCK).exists()


async def test_our_lock_follows_a_document_that_somebody_moved_or_deleted(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    async with site.of() as ada:
        await ada.patch("/api/documents/a.docx", json={"path": "c.docx"}, headers={"If-Match": "*"})
        site.time[0] += 61
        await claiming(site).sweep()
        assert [path.name for path in site.root.iterdir() if path.name.startswith(".~")] == [".~lock.c.docx#"]
        await ada.delete("/api/documents/c.docx", headers={"If-Match": "*"})
    site.time[0] += 61
    await claiming(site).sweep()
    assert [path.name for path in site.root.iterdir() if path.name.startswith(".~")] == []


async def test_our_lock_goes_at_once_with_what_is_deleted_and_does_not_come_back_with_it(site: Site) -> None:
    (site.root / "work").mkdir()
    (site.root / "work/b.docx").write_bytes(b"PK b")
    await wopi(site, "LOCK", Lock="mine")
    await wopi(site, "LOCK", "work/b.docx", Lock="mine")
    leave(site, "work/.~lock.c.docx#")
    async with site.of() as ada:
        file = (await ada.delete("/api/documents/a.docx", headers={"If-Match": "*"})).json()
        assert not (site.root / LOCK).exists()
        folder = (await ada.delete("/api/folders/work")).json()
        for deleted in (file, folder):
            restored = await ada.post(f"/api/bin/{deleted['key']}/restoration", json={})
            assert restored.status_code == 201, restored.text
    assert [path.name for path in sorted(site.root.rglob(".~lock*"))] == [".~lock.c.docx#"]
    assert await LocalClaims(site.files).held() == {}


async def test_a_lock_that_a_desktop_application_took_over_is_left_to_it(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    leave(site)
    assert (await wopi(site, "PUT", body=b"PK mine", Lock="mine")).status_code == 409
    assert (await wopi(site, "UNLOCK", Lock="mine")).status_code == 200
    assert (site.root / LOCK).read_bytes() == BOB


async def test_where_no_lock_can_be_left_the_suite_goes_on(site: Site) -> None:
    site.root.chmod(0o555)
    try:
        assert (await wopi(site, "LOCK", Lock="mine")).status_code == 200
    finally:
        site.root.chmod(0o755)


async def test_an_archive_or_a_folder_that_does_not_answer_sweeps_nothing(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    site.time[0] += 61
    site.archive.refuse("the database does not answer")
    await claiming(site).sweep()
    assert (site.root / LOCK).exists()
    site.archive.refuse(None)


async def test_the_second_user_of_a_suite_shares_the_lock(site: Site) -> None:
    await wopi(site, "LOCK", Lock="mine")
    before = (site.root / LOCK).read_bytes()
    stat = await site.files.stat("a.docx")
    sealed = seal(Pass(Person("bob", "Bob"), Role.EDITOR, stat.id, NOW + 60), SECRET, now=NOW)
    async with site.client(**{"X-WOPI-Override": "LOCK", "X-WOPI-Lock": "mine"}) as suite:
        assert (await suite.post(f"/wopi/files/{key_of(stat.id)}", params={"access_token": sealed})).status_code == 200
    assert (site.root / LOCK).read_bytes() == before


class Late(LocalClaims):
    """A disk that takes our lock away when it is let."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.files, clock=lambda: site.time[0])
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def free(self, document: str) -> None:
        self.asked.set()
        await self.let.wait()
        await super().free(document)


async def test_our_lock_of_a_suite_that_comes_just_as_another_one_leaves_stays(site: Site) -> None:
    assert (await wopi(site, "LOCK", Lock="mine")).status_code == 200
    late = site.app.claiming._claims = Late(site)
    leaving = asyncio.ensure_future(wopi(site, "UNLOCK", Lock="mine"))
    await late.asked.wait()
    coming = asyncio.ensure_future(wopi(site, "LOCK", Lock="theirs"))
    # It comes in now, or when the other one is gone.
    await asyncio.wait({coming}, timeout=1)
    late.let.set()
    assert ((await leaving).status_code, (await coming).status_code) == (200, 200)
    assert (site.root / LOCK).exists()
