"""A storage that is full, dies or is changed by others between any two requests of an office suite, and within them: no words are lost (WOPI-23)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

import pytest
from standing import ADA, NOW, SECRET, Site, stand

from collab.access import Role
from collab.archive.memory import MemoryArchive
from collab.errors import Unavailable
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

STEPS = 40
REFUSED = {404, 409, 500, 503, 507}
FOREIGN = b"Bob,bob,host,29.11.2026 14:05,file:///home/bob;"


class PowerCut(BaseException):
    """The process is gone in the middle of a step of the storage."""


class World:
    """A folder, an archive that outlives crashes, a suite with one document, and somebody outside."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.file = self.root / "a.docx"
        self.file.write_bytes(b"PK first")
        self.chance = Random(seed)
        self.archive = MemoryArchive()
        self.stack = AsyncExitStack()
        self.troubled = False
        self.well = True
        """Nothing is wrong with the storage."""
        self.time = NOW
        self.number = 0
        self.stamp = ""
        """The LastModifiedTime that the suite knows."""
        self.pending: bytes | None = None
        """What the suite has, and nobody has said that it is stored or kept."""
        self.safe: dict[str, bytes] = {}
        """Bodies that must be somewhere, by whose they are."""

    def trouble(self, word: str) -> None:
        """At each step of the storage."""
        if not self.troubled or self.well:
            return
        roll = self.chance.random()
        if roll < 0.05:
            raise Unavailable(f"the disk is full ({word})")
        if roll < 0.10:
            raise PowerCut(word)

    async def start(self) -> None:
        self.site: Site = await self.stack.enter_async_context(stand(self.folder, archive=self.archive, step=self.trouble))
        self.site.time[0] = self.time
        self.document = (await self.site.files.stat("a.docx")).id

    async def restart(self) -> None:
        await self.stack.aclose()
        self.stack = AsyncExitStack()
        await self.start()

    async def ask(self, method: str, rest: str = "", body: bytes = b"", **headers: str) -> httpx.Response | None:
        """One request; None: the server died under it, and stands again."""
        self.site.time[0] = self.time = self.time + 1
        sealed = seal(Pass(ADA, Role.EDITOR, self.document, self.time + 60), SECRET, now=self.time)
        address = f"/wopi/files/{key_of(self.document)}{rest}"
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        self.troubled = True
        try:
            async with self.site.client(**named) as client:
                answer = await client.request(method, address, params={"access_token": sealed}, content=body)
        except PowerCut:
            self.troubled = False
            await self.restart()
            return None
        finally:
            self.troubled = False
        if answer.status_code != 200:
            assert answer.status_code in REFUSED, answer.text
            assert answer.json()["detail"]
            assert "Traceback" not in answer.text
        return answer

    # --- what happens

    async def open(self) -> None:
        """The suite reads the document, and what it had is the user's business (it is safe, or still pending)."""
        info, got = await self.ask("GET"), await self.ask("GET", "/contents")
        if info is not None and got is not None and info.status_code == got.status_code == 200:
            self.stamp = info.json()["LastModifiedTime"]
            self.safe.pop("outside", None)

    async def lock(self) -> None:
        await self.ask("POST", X_WOPI_Override="LOCK", X_WOPI_Lock="mine")

    async def unlock(self) -> None:
        await self.ask("POST", X_WOPI_Override="UNLOCK", X_WOPI_Lock="mine")

    async def put(self) -> None:
        if self.pending is None:
            self.number += 1
            self.pending = b"PK suite %d" % self.number
        body = self.pending
        answer = await self.ask("POST", "/contents", body, X_WOPI_Override="PUT", X_WOPI_Lock="mine", X_COOL_WOPI_Timestamp=self.stamp)
        if answer is not None and answer.status_code == 200:
            assert self.file.read_bytes() == body
            self.stamp, self.pending = answer.json()["LastModifiedTime"], None
            self.safe["stored"] = body
        elif answer is not None and answer.status_code == 409:
            self.pending = None
            self.safe["kept"] = body
            await self.open()

    async def outside(self) -> None:
        """Somebody writes the file whole; what the suite had stored is that somebody's business then."""
        self.number += 1
        body = b"PK outside %d" % self.number
        aside = self.root / ".aside"
        aside.write_bytes(body)
        aside.replace(self.file)
        self.safe.pop("stored", None)
        self.safe["outside"] = body

    async def desktop(self) -> None:
        """Somebody opens the file in a desktop application, or closes it."""
        lock = self.root / ".~lock.a.docx#"
        if lock.exists() and lock.read_bytes() == FOREIGN:
            lock.unlink()
        else:
            lock.write_bytes(FOREIGN)

    def check(self) -> None:
        there = {path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
        assert set(self.safe.values()) <= there, (self.safe, there)


@pytest.mark.parametrize("seed", range(60))
async def test_no_words_are_lost_whatever_the_storage_does_between_and_within_requests(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    await world.start()
    try:
        await world.open()
        world.well = False
        for _ in range(STEPS):
            acts = [world.open, world.lock, world.put, world.put, world.put, world.unlock, world.outside, world.desktop, world.restart]
            await world.chance.choices(acts, [3, 4, 4, 4, 4, 1, 2, 1, 1])[0]()
            world.check()
        world.well = True
        await world.restart()
        while world.pending is not None:
            await world.lock()
            await world.put()
        world.check()
    finally:
        await world.stack.aclose()
