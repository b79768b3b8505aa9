"""LOAD-3, LOAD-4, LOAD-5, LOAD-6, WIRE-5: crowds, floods, peers that do not read, nothing at all, and for how long."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from typing import TYPE_CHECKING

from crowd import Typist
from interop.pycrdt_peer import PycrdtPeer
from measured import check_stalls, descriptors, memory, numbers, threads, ticks
from scale import scale
from serving import Served, serving

from collab.runtime.rooms import ROOM

if TYPE_CHECKING:
    from pathlib import Path

MANY = {"COLLAB_LIMIT_CONNECTIONS": "30000", "COLLAB_ROOM_IDLE": "600"}
PER_CONNECTION = 16 * 1024
"""Bytes of memory for one connection that says nothing, at most: 10 KB is the goal."""

PATIENCE = 240.0
"""Seconds in which what comes by a clock has come: six hundred looks take twelve seconds, and far longer on a busy machine."""


def more_descriptors() -> None:
    """As many as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def entered(server: Served, rooms: list[str], count: int, first: int = 1) -> list[Typist]:
    """So many connections, in turn in these rooms, fifty at a time."""
    token = server.token()
    addresses = [server.room(name, token) for name in rooms]
    found: list[Typist] = []
    while len(found) < count:
        some = range(len(found), min(len(found) + 50, count))
        found += await asyncio.gather(*(Typist(addresses[number % len(addresses)], first + number).enter() for number in some))
    return found


async def test_connections_on_which_nothing_is_said_cost_little_memory_and_next_to_no_time(tmp_path: Path) -> None:
    """WIRE-5."""
    more_descriptors()
    count = scale(400, 10_000)
    with serving(tmp_path, **MANY) as server:
        names = [f"{number}.md" for number in range(20)]
        for name in names:
            server.write(name, "text\n")
        first = await entered(server, names, 20)
        before = memory(server.pid)
        crowd = await entered(server, names, count, 1000)
        each = (memory(server.pid) - before) / count
        print(f"{each:.0f} bytes for a connection")
        assert each < PER_CONNECTION
        beat = asyncio.Event()
        crowd[-1].on_data = lambda _: beat.set()
        # From one keep-alive to the next, when nobody looks at the loop any more.
        await until_rest(server)
        beat.clear()
        await asyncio.wait_for(beat.wait(), PATIENCE)
        spent, looks = ticks(server.pid), (await numbers(server))["collab_event_loop_stall_seconds_count",]
        beat.clear()
        await asyncio.wait_for(beat.wait(), PATIENCE)
        spent = ticks(server.pid) - spent
        print(f"{spent:.2f} s of the processor for one keep-alive of {count}")
        assert spent < 0.1 + 3 * 60e-6 * count
        assert (await numbers(server))["collab_event_loop_stall_seconds_count",] == looks
        await check_stalls(server)
        for typist in first + crowd:
            typist.transport.abort()


async def until_rest(server: Served) -> None:
    """Until nothing has happened for so long that nobody looks."""
    looks = -1.0
    start = time.monotonic()
    while looks != (looks := (await numbers(server))["collab_event_loop_stall_seconds_count",]):
        assert time.monotonic() - start < PATIENCE
        await asyncio.sleep(0.3)  # ten looks at the loop; there is no event for nothing


async def test_rooms_that_were_opened_and_left_leave_memory_by_its_budget(tmp_path: Path) -> None:
    """LOAD-3."""
    count = scale(300, 10_000)
    budget = count * 8 * 1024
    with serving(tmp_path, **MANY, COLLAB_ROOM_MEMORY=str(budget)) as server:
        names = [f"{number:05}.md" for number in range(count)]
        for name in names:
            server.write(name, "text\n")
        before = memory(server.pid)
        for start in range(0, count, 50):
            crowd = await entered(server, names[start : start + 50], 50)
            await asyncio.gather(*(typist.leave() for typist in crowd))
        told = await numbers(server)
        print(f"{told['collab_rooms',]:.0f} of {count} rooms, {(memory(server.pid) - before) / told['collab_rooms',]:.0f} bytes for each")
        # A moment's rooms may be there beside them.
        await until_told(server, "collab_documents_bytes", budget + 4 * ROOM)
        assert count // 5 < (await numbers(server))["collab_rooms",] < count // 2
        await check_stalls(server)


async def until_told(server: Served, name: str, most: float) -> None:
    start = time.monotonic()
    while (told := (await numbers(server))[name,]) > most:
        # For half a minute after a save it is looked whether another program still wrote into the old file.
        assert time.monotonic() - start < 90, told
        await asyncio.sleep(0.2)


async def test_a_hundred_peers_that_do_not_read_cost_the_others_nothing_and_the_server_no_memory(server: Served) -> None:
    """LOAD-5."""
    server.write("big.md", "")
    room = server.room("big.md", server.token())
    async with PycrdtPeer(room) as ann, PycrdtPeer(room) as bob:
        deaf = await entered(server, ["big.md"], 100)
        for typist in deaf:
            typist.deaf()
        line = "coral reef water depth sample probe station summer light salt wind\n" * 100
        before, text = memory(server.pid), ""
        for number in range(scale(150, 600)):
            ann.content.insert(0, line)
            text = line + text
            if number % 10 == 9:
                await bob.reads(text)
        grown = memory(server.pid) - before
        # 256 KiB may wait for each of them, and the text itself is there a few times.
        print(f"grown by {grown / 2**20:.1f} MB for {len(text) / 2**20:.1f} MB of text")
        assert grown < 100 * 2 * 256 * 1024 + 12 * len(text)
        for typist in deaf:
            typist.transport.abort()
    await check_stalls(server)


async def test_a_flood_is_slowed_and_somebody_else_types_on(tmp_path: Path) -> None:
    """LOAD-4."""
    with serving(tmp_path, COLLAB_RATE_MESSAGES="1000", COLLAB_RATE_BYTES="100KiB", COLLAB_LIMIT_FRAME="1MiB") as server:
        server.write("flood.md", "")
        server.write("calm.md", "")
        (flooder,) = await entered(server, ["flood.md"], 1)
        async with PycrdtPeer(server.room("calm.md", server.token())) as ann, PycrdtPeer(server.room("calm.md", server.token())) as bob:
            for _ in range(30_000):
                flooder.type()
            text = ""
            for number in range(50):
                ann.content.insert(0, f"{number}\n")
                text = f"{number}\n" + text
                await bob.reads(text)
            start = time.monotonic()
            while not (told := await numbers(server))["collab_slowed_total",]:
                assert time.monotonic() - start < PATIENCE
                await asyncio.sleep(0.05)
            assert told["collab_connections",] == 3
            assert not flooder.over.done()
        await check_stalls(server)
        await flooder.leave()


async def test_a_room_that_many_flood_at_once_keeps_no_other_room_waiting(tmp_path: Path) -> None:
    """LOAD-6."""
    many, letters = scale(20, 60), scale(3_000, 5_000)
    with serving(tmp_path) as server:
        server.write("flood.md", "")
        server.write("calm.md", "")
        flooders = await entered(server, ["flood.md"], many)
        floods = [flooder.letters(letters, 1 + number % 2 * 200) for number, flooder in enumerate(flooders)]
        async with PycrdtPeer(server.room("calm.md", server.token())) as ann, PycrdtPeer(server.room("calm.md", server.token())) as bob:
            for flooder, flood in zip(flooders, floods, strict=True):
                flooder.transport.write(flood)
            text = ""
            for number in range(3):
                ann.content.insert(0, f"{number}\n")
                text = f"{number}\n" + text
                await bob.reads(text)
            taken = (await numbers(server))["collab_edits_total",]
        print(f"{taken:.0f} of {many * letters} letters were taken meanwhile")
        assert taken < many * letters
        await check_stalls(server)
        assert not any(flooder.over.done() for flooder in flooders)
        for flooder in flooders:
            await flooder.leave()


async def test_people_come_type_and_go_for_long_and_nothing_stays_behind(tmp_path: Path) -> None:
    count, rooms, seconds = scale(60, 1_000), scale(12, 200), scale(8, 120)
    more_descriptors()
    dice = random.Random(5)
    with serving(tmp_path, COLLAB_LIMIT_CONNECTIONS="30000", COLLAB_ROOM_IDLE="1", COLLAB_SAVE_DELAY="0.5") as server:
        names = [f"{number}.md" for number in range(rooms)]
        for name in names:
            server.write(name, "")
        for typist in await entered(server, names[:10], 20, 10**6):
            await typist.leave()
        await until_told(server, "collab_rooms", 0)
        before = await counts(server)
        clients = iter(range(1, 10**6))
        crowd = [(number, typist) for number, typist in enumerate(await entered(server, names, count, 2 * 10**6))]
        warm, start = 0, time.monotonic()
        while time.monotonic() - start < seconds:
            for place in dice.sample(range(count), count // 10):
                number, typist = crowd[place]
                if dice.random() < 0.2:
                    await typist.leave()
                    number = dice.randrange(rooms)
                    crowd[place] = number, await Typist(server.room(names[number % rooms], server.token()), next(clients)).enter()
                else:
                    typist.type()
            await asyncio.sleep(0.1)  # people do not type all the time
            if not warm and time.monotonic() - start > seconds / 3:
                warm = memory(server.pid)
        grown = memory(server.pid) - warm
        await asyncio.gather(*(typist.leave() for _, typist in crowd))
        await until_told(server, "collab_rooms", 0)
        await check_stalls(server)
        after = await counts(server)
        print(f"memory {warm / 2**20:.1f} MB, grown by {grown / 2**20:.2f} MB; before {before}, after {after}")
        assert grown < max(8 * 2**20, warm / 4)
        # Pools of threads, and their connections to databases, are filled by the first saves.
        assert all(late <= early + more for early, late, more in zip(before, after, (2, 12, 24), strict=True)), (before, after)


async def counts(server: Served) -> tuple[int, int, int]:
    """Tasks, threads and descriptors."""
    told = await numbers(server)
    return int(told["collab_tasks",]), threads(server.pid), descriptors(server.pid)
