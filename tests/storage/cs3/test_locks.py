"""Our locks in a cloud (CS3-11, CS3-12)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from folders import OutsideCloud
from gateway.cloud import Lock
from serving import until

from collab.errors import Fenced, Locked, Unsupported
from collab.gateway.resources import ResourceId
from collab.storage.cs3.locks import ROOM, Locks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.cloud import Node


class Nodes:
    """A file, and servers of ours."""

    def __init__(self, outside: OutsideCloud) -> None:
        self.outside = outside
        self.node: Node = outside.cloud.put("ann", "a.md", b"one")
        space = outside.cloud.space("ann")
        self.file = ResourceId(outside.cloud.storage, space.id, self.node.id)
        self.token = outside.cloud.token("ann")

    def lose(self) -> None:
        """The cloud forgets the file's lock."""
        self.node.lock = None

    def server(self) -> Locks:
        return Locks(self.outside.adapter.gateway, "Collab", clock=lambda: self.outside.time.now)


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    outside = OutsideCloud()
    await outside.open()
    yield Nodes(outside)
    await outside.close()


async def test_a_room_holds_its_lock_under_our_name_and_no_users(nodes: Nodes) -> None:
    """CS3-11, CS3-12."""
    locks = nodes.server()
    assert await locks.take(nodes.token, nodes.file, "room", 7) is None
    assert nodes.node.lock is not None
    assert (nodes.node.lock.application, nodes.node.lock.user, nodes.node.lock.id.split("-")[2]) == ("Collab", "", "7")
    first = nodes.node.lock.until
    nodes.outside.time.pass_(60.0)
    nodes.outside.cloud.add_user("bob")
    nodes.outside.cloud.share("ann", "a.md", "bob", "editor")
    await locks.refresh(nodes.outside.cloud.token("bob"), nodes.file)
    assert nodes.node.lock.until != first
    await locks.give(nodes.token, nodes.file, "room")
    assert nodes.node.lock is None


async def test_a_lock_for_two_reasons_goes_with_the_last_of_them(nodes: Nodes) -> None:
    locks = nodes.server()
    await locks.take(nodes.token, nodes.file, "office")
    await locks.take(nodes.token, nodes.file, "room", 3)
    await locks.give(nodes.token, nodes.file, "office")
    assert nodes.node.lock is not None
    await locks.give(nodes.token, nodes.file, "room")
    assert nodes.node.lock is None


async def test_a_room_takes_over_what_a_node_with_a_smaller_number_has_and_never_a_greater_one(nodes: Nodes) -> None:
    """CS3-12."""
    before, after = nodes.server(), nodes.server()
    assert await before.take(nodes.token, nodes.file, "room", 7) is None
    assert await after.take(nodes.token, nodes.file, "room", 8) is None
    assert not await before.refresh(nodes.token, nodes.file)
    assert before.id_of(nodes.file) == ""
    assert await after.refresh(nodes.token, nodes.file, 8)
    assert not await after.refresh(nodes.token, nodes.file, 7)
    with pytest.raises(Fenced, match="another server"):
        await before.take(nodes.token, nodes.file, "room", 7)
    assert nodes.node.lock is not None
    assert nodes.node.lock.id == after.id_of(nodes.file)


async def test_a_lock_that_vanished_is_taken_again_and_one_that_is_anothers_now_is_lost(nodes: Nodes) -> None:
    """CS3-12."""
    locks = nodes.server()
    await locks.take(nodes.token, nodes.file, "room", 1)
    nodes.lose()
    await locks.refresh(nodes.token, nodes.file)
    assert nodes.node.lock is not None
    nodes.outside.time.pass_(ROOM + 1)
    await locks.refresh(nodes.token, nodes.file)
    nodes.node.lock = Lock("x", "Collabora")
    with pytest.raises(Locked):
        await locks.refresh(nodes.token, nodes.file)
    foreign = await locks.take(nodes.token, nodes.file, "room", 2)
    assert foreign is not None
    assert foreign.application == "Collabora"
    await locks.give(nodes.token, nodes.file, "room")
    assert nodes.node.lock.id == "x"


async def test_a_write_has_the_file_alone_and_leaves_no_lock(nodes: Nodes) -> None:
    """CS3-11."""
    inside: list[int] = []
    most: list[int] = []

    async def write(number: int) -> None:
        async with nodes.server().writing(nodes.token, nodes.file) as hold:
            assert hold.alone
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0.001)
            inside.remove(number)

    await asyncio.gather(*map(write, range(5)))
    assert max(most) == 1
    assert len(most) == 5
    assert nodes.node.lock is None


async def test_a_write_beside_another_nodes_room_goes_on_under_its_lock_and_is_not_alone(nodes: Nodes) -> None:
    """CS3-11."""
    room = nodes.server()
    await room.take(nodes.token, nodes.file, "room", 4)
    async with nodes.server().writing(nodes.token, nodes.file) as hold:
        assert (hold.id, hold.alone) == (room.id_of(nodes.file), False)
    assert nodes.node.lock is not None
    async with room.writing(nodes.token, nodes.file) as hold:
        assert hold.alone


async def test_a_write_under_anothers_lock_is_refused_in_words(nodes: Nodes) -> None:
    nodes.node.lock = Lock("x", "Collabora")
    with pytest.raises(Locked, match="Collabora has the file locked"):
        async with nodes.server().writing(nodes.token, nodes.file):
            pass


async def test_a_write_lock_that_a_crash_left_is_over_soon(nodes: Nodes) -> None:
    server = nodes.server()
    hold = await server._for_writing(nodes.token, nodes.file)
    assert hold is not None
    nodes.outside.time.pass_(61.0)
    async with nodes.server().writing(nodes.token, nodes.file) as other:
        assert other.alone


async def test_where_there_are_no_locks_a_write_is_not_alone(nodes: Nodes) -> None:
    """CS3-5."""
    nodes.outside.gateway.moods.lacks.add("SetLock")
    async with nodes.server().writing(nodes.token, nodes.file) as hold:
        assert (hold.id, hold.alone) == ("", False)
    with pytest.raises(Unsupported):
        await nodes.server().take(nodes.token, nodes.file, "room")


async def test_a_write_lock_that_a_crash_left_keeps_no_room_from_opening(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """CS3-12: and should that write go on, it is refused."""
    monkeypatch.setattr("collab.storage.cs3.locks.PATIENCE", 0.1)
    left = await nodes.server()._for_writing(nodes.token, nodes.file)
    room = nodes.server()
    assert await room.take(nodes.token, nodes.file, "room", 3) is None
    assert left is not None
    assert nodes.node.lock is not None
    assert nodes.node.lock.id == room.id_of(nodes.file) != left.id


async def test_a_long_write_under_the_lock_of_an_open_document_does_not_outlive_it(nodes: Nodes) -> None:
    """CS3-11: who looks after that lock waits until the write is over."""
    time = nodes.outside.time
    locks = Locks(nodes.outside.adapter.gateway, "Collab", clock=lambda: time.now, room_seconds=3.0)
    await locks.take(nodes.token, nodes.file, "office")

    def ends() -> float:
        assert nodes.node.lock is not None
        return nodes.node.lock.until or 0.0

    async with locks.writing(nodes.token, nodes.file):
        before = ends()
        time.pass_(2.0)
        await until(lambda: ends() > before)
