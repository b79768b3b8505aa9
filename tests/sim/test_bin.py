"""As test_schedules, while the document is deleted and restored again and again (FILE-11, FILE-12)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from scale import scale

from collab.dialects import HOCUSPOCUS, YWEBSOCKET
from collab.errors import CollabError
from collab.runtime.bin import Trash
from collab.runtime.documents import ANY, Documents
from collab.storage.memory_bin import MemoryBin
from collab.storage.memory_claims import MemoryClaims
from sim.virtual import run
from sim.world import PATH, START, Client, Refusals, World

if TYPE_CHECKING:
    from collections.abc import Coroutine

SCHEDULES = scale(30, 4_000)
GROUPS = 6


class Yard(World):
    """A world with a bin in it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refused = Refusals(self)
        self.deleted = self.restored = 0
        self._acts: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._end()
        super().start()
        assert self.rooms is not None
        bin_, claims = MemoryBin(self.files), MemoryClaims(self.files, clock=asyncio.get_running_loop().time)
        documents = Documents(self.rooms, self.files, self.archive.versions)
        self.trash = Trash(self.rooms, documents, bin_, self.journal, self.archive.bases, claims=claims, days=1e6)
        self._begin(self.trash.mend())

    def crash(self) -> None:
        self._end()
        super().crash()

    def _end(self) -> None:
        """What a server began it does not finish after its end."""
        for act in self._acts:
            act.cancel()

    def write_outside(self) -> None:
        if PATH.encode() in self.files.disk.nodes:
            super().write_outside()

    def _begin(self, act: Coroutine[object, object, None]) -> None:
        self._acts.append(asyncio.get_running_loop().create_task(act))

    async def discard(self) -> None:
        """Somebody deletes the document, if it is there."""
        try:
            await self.trash.discard(PATH, if_match=ANY, by="peer")
        except CollabError:
            return
        self.deleted += 1

    async def restore(self) -> None:
        """Somebody restores what is in the bin."""
        for entry in await self.trash.entries():
            try:
                await self.trash.restore(entry.key, None)
            except CollabError:
                continue
            self.restored += 1

    async def live(self, seconds: float) -> None:
        meddling = asyncio.ensure_future(self._meddle())
        await super().live(seconds)
        meddling.cancel()

    async def _meddle(self) -> None:
        while True:
            await asyncio.sleep(self.random.random() * 6)
            if self.rooms is not None:
                self._begin(self.discard() if self.random.random() < 0.5 else self.restore())

    async def settle(self) -> None:
        self.calm = True
        await asyncio.sleep(30)
        await self.restore()
        await super().settle()


async def _one(world: Yard) -> None:
    world.files.poke(PATH, START.encode())
    world.clients = [Client(world, f"peer{number}", (HOCUSPOCUS, YWEBSOCKET)[number % 2]) for number in range(world.random.randint(2, 5))]
    world.start()
    await world.live(40.0)
    await world.settle()
    world.check()


@pytest.mark.parametrize("group", range(GROUPS))
def test_nothing_is_lost_or_doubled_when_a_document_is_deleted_and_restored_whatever_crashes_when(group: int) -> None:
    deleted = restored = 0
    for seed in range(group, SCHEDULES, GROUPS):
        try:
            world = Yard(seed)
            run(_one(world))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        deleted, restored = deleted + world.deleted, restored + world.restored
    assert deleted
    assert restored
