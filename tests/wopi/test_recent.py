"""What is known of documents without asking the archive again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, TypeVar

import pytest

from collab.archive.memory import MemoryArchive
from collab.errors import Changed, Unavailable
from collab.ports import Lock, OfficeState
from collab.wopi.recent import REMEMBERED, RecentLocks, RecentStates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from collab.ports import Within

T = TypeVar("T")


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

    async def put_within(self, document: str, *, before: OfficeState, act: Callable[[Within], Awaitable[T]]) -> T:
        await self._late()

        def failing(put: Within) -> Awaitable[T]:
            def both(state: OfficeState) -> None:
                if self.random.random() < 0.1:
                    raise Unavailable("away")
                put(state)
                if self.random.random() < 0.1:
                    raise Unavailable("away")

            return act(both)

        made = await self.inner.put_within(document, before=before, act=failing)
        await self._late()
        return made

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
        state = OfficeState(number, f"{number}", 0.0)

        async def within(put: Within) -> None:
            await asyncio.sleep(0)
            put(state)
            if random.random() < 0.1:
                raise Unavailable("what it was put within failed")
            await asyncio.sleep(0)

        with suppress(Unavailable, Changed):
            if random.random() < 0.3:
                await recent.put(document, state, before=known)
            elif known is not None and random.random() < 0.3:
                await recent.put_within(document, before=known, act=within)

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


class Counted:
    """The locks of an archive; how often it was asked who holds one."""

    def __init__(self, clock: list[float]) -> None:
        self.inner = MemoryArchive(clock=lambda: clock[0]).locks
        self.asked = 0

    async def get(self, document: str, name: str) -> Lock | None:
        self.asked += 1
        return await self.inner.get(document, name)

    async def acquire(self, document: str, lock: Lock) -> Lock:
        return await self.inner.acquire(document, lock)

    async def refresh(self, document: str, lock: Lock) -> Lock | None:
        return await self.inner.refresh(document, lock)

    async def replace(self, document: str, lock: Lock, old: str) -> Lock | None:
        return await self.inner.replace(document, lock, old)

    async def release(self, document: str, name: str, lock: str) -> Lock | None:
        return await self.inner.release(document, name, lock)

    async def standing(self, name: str) -> Mapping[str, Lock]:
        return await self.inner.standing(name)


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_becomes_of_locks_who_holds_them_is_what_the_archive_would_say(seed: int) -> None:
    random, clock = Random(seed), [1000.0]
    archive = Counted(clock)
    recent = RecentLocks(archive, lambda: clock[0])
    for _ in range(300):
        document, name = random.choice("ab"), random.choice(["wopi", "other"])
        one, other = Lock(name, random.choice("xy"), "somebody", random.choice([0.0, 5.0, 60.0])), random.choice("xy")
        match random.randrange(6):
            case 0:
                await recent.acquire(document, one)
            case 1:
                await recent.refresh(document, one)
            case 2:
                await recent.replace(document, one, other)
            case 3:
                await recent.release(document, name, other)
            case 4:
                clock[0] += random.choice([0.5, 4.5, 30.0])
            case 5:
                assert await recent.standing(name) == await archive.inner.standing(name)
        for each in "ab":
            assert await recent.get(each, name) == await archive.inner.get(each, name)
    assert archive.asked < 300


async def test_who_holds_a_lock_is_not_asked_again_until_it_is_nearly_over() -> None:
    clock = [1000.0]
    archive = Counted(clock)
    recent = RecentLocks(archive, lambda: clock[0])
    assert (await recent.get("a", "wopi"), await recent.get("a", "wopi"), archive.asked) == (None, None, 1)
    await recent.acquire("a", Lock("wopi", "x", "ann", 60.0))
    for past in (0.0, 58.0):
        clock[0] = 1000.0 + past
        assert await recent.get("a", "wopi") == Lock("wopi", "x", "ann", 60.0 - past)
    assert archive.asked == 1
    clock[0] = 1059.5
    assert await recent.get("a", "wopi") == Lock("wopi", "x", "ann", 0.5)
    clock[0] = 1060.0
    assert (await recent.get("a", "wopi"), archive.asked) == (None, 3)
