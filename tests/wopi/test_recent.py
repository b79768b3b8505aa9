"""What is known of documents without asking the archive again."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from collab.archive.memory import MemoryArchive
from collab.errors import Unavailable
from collab.ports import OfficeState
from collab.wopi.recent import REMEMBERED, RecentStates


class Slow:
    """An archive that answers late, in any order, and fails now and then; it may have done what it failed at."""

    def __init__(self, seed: int) -> None:
        self.inner = MemoryArchive().office
        self.random = Random(seed)
        self.asked = 0

    async def get(self, document: str) -> OfficeState | None:
        self.asked += 1
        await self._late()
        found = await self.inner.get(document)
        await self._late()
        return found

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        await self._late()
        if self.random.random() < 0.1:
            raise Unavailable("away")
        stands = await self.inner.put(document, state, before=before)
        if self.random.random() < 0.1:
            raise Unavailable("away")
        await self._late()
        return stands

    async def _late(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_asks_and_puts_at_once_what_is_known_at_rest_is_what_the_archive_has(seed: int) -> None:
    archive, random = Slow(seed), Random(seed)
    recent = RecentStates(archive)

    async def act(number: int) -> None:
        document = random.choice("ab")
        known = await recent.get(document)
        if random.random() < 0.5:
            try:
                await recent.put(document, OfficeState(number, f"{number}", 0.0), before=known)
            except Unavailable:
                return

    await asyncio.gather(*(act(number) for number in range(60)))
    for document in "ab":
        assert await recent.get(document) == await archive.inner.get(document)


async def test_what_was_asked_once_is_not_asked_again_and_the_oldest_is_forgotten() -> None:
    archive = Slow(1)
    recent = RecentStates(archive)
    for number in range(REMEMBERED + 1):
        await recent.get(f"{number}")
    await recent.get(f"{REMEMBERED}")
    assert archive.asked == REMEMBERED + 1
    await recent.get("0")
    assert archive.asked == REMEMBERED + 2
