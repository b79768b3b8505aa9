"""The lock of an open room, in a cloud (CS3-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folders import OutsideCloud
from gateway.cloud import Lock

from collab.errors import Denied, Fenced, NotFound
from collab.ports import Claim
from collab.storage.cs3 import CloudRoomLocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Door:
    """A document, and the room locks of servers that come one after the other."""

    def __init__(self, outside: OutsideCloud) -> None:
        self.outside = outside
        self.node = outside.cloud.put("ann", "a.md", b"one")

    @property
    def locks(self) -> CloudRoomLocks:
        return CloudRoomLocks(self.outside.adapter)

    async def id(self) -> str:
        return (await self.outside.files.stat("a.md")).id

    def lock(self) -> Lock | None:
        return self.outside.cloud.lock_of(self.node)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    outside = OutsideCloud()
    await outside.open()
    yield Door(outside)
    await outside.close()


async def test_a_lock_is_taken_refreshed_and_given(door: Door) -> None:
    """CS3-12."""
    document = await door.id()
    assert await door.locks.take(document, 3) is None
    assert (held := door.lock()) is not None
    assert held.until == int(door.outside.time.now + CloudRoomLocks.seconds)
    door.outside.time.pass_(200.0)
    assert await door.locks.refresh(document, 3)
    assert not await door.locks.refresh(document, 2)
    door.outside.time.pass_(200.0)
    assert door.lock() is not None
    await door.locks.give(document, 2)
    assert door.lock() is not None
    await door.locks.give(document, 3)
    await door.locks.give(document, 3)
    assert door.lock() is None
    assert not await door.locks.refresh(document, 3)


async def test_what_a_crash_left_is_taken_over_and_a_greater_number_is_not(door: Door) -> None:
    """CS3-12."""
    document = await door.id()
    await door.locks.take(document, 3)
    before = door.lock()
    door.outside.restart()
    assert await door.locks.take(document, 4) is None
    assert before is not None
    assert (after := door.lock()) is not None
    assert after.id != before.id
    door.outside.restart()
    with pytest.raises(Fenced):
        await door.locks.take(document, 3)
    assert door.lock() is after


async def test_anothers_lock_is_told_and_stays(door: Door) -> None:
    """CS3-11."""
    document = await door.id()
    door.node.lock = theirs = Lock("x", "Collabora", "user-bob")
    assert await door.locks.take(document, 3) == Claim("", "Collabora", door.outside.time.now)
    await door.locks.give(document, 3)
    assert door.lock() is theirs


async def test_a_lock_that_another_application_took_is_lost(door: Door) -> None:
    """CS3-12."""
    document = await door.id()
    await door.locks.take(document, 3)
    door.node.lock = Lock("x", "Collabora")
    assert not await door.locks.refresh(document, 3)


async def test_where_there_are_no_locks_everybody_has_one_and_who_may_not_write_has_none(door: Door) -> None:
    """CS3-5."""
    document = await door.id()
    door.outside.gateway.moods.lacks.add("SetLock")
    assert await door.locks.take(document, 3) is None
    assert await door.locks.refresh(document, 3)
    door.outside.gateway.moods.lacks.clear()
    door.outside.restart()
    door.outside.protect("a.md")
    with pytest.raises(Denied):
        await door.locks.take(document, 3)
    door.outside.remove("a.md")
    with pytest.raises(NotFound):
        await door.locks.take(document, 3)
    await door.locks.give(document, 3)
