"""READ-5, READ-10: very many readers of one document while people type in it, and readers who do not read."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx
from interop.pycrdt_peer import PycrdtPeer
from measured import check_stalls, memory, numbers, processes, ticks
from process.test_crowd import more_descriptors
from readers import Listener, address, following, listening, next_of, version_of
from scale import scale
from serving import PATIENCE, serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from serving import Served

RATE = 10
"""Edits a second."""
CURRENT = 1.0
"""Seconds until a reader has what was typed: the goal; it is counted, with slack for machines that do other things."""
PER_READER = 10 * 1024
"""Bytes of memory for one reader, at most."""
CHANGES = 12
"""Of a whole text each: more in all than systems take for who does not read."""
WORD = re.compile(rb"mark(\d+)x")


async def opened(server: Served, name: str, count: int, *, small: bool = False) -> tuple[list[Listener], dict[int, list[float]]]:
    """So many readers, fifty at a time, and when which mark came to each of them."""
    token = server.token("Rae", role="viewer")
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as client:
        version = version_of((await client.get(address(name))).text)
    came: dict[int, list[float]] = {}

    def seen(data: bytes) -> None:
        now = time.monotonic()
        marks = [int(found) for found in WORD.findall(data)]
        if marks:
            came.setdefault(max(marks), []).append(now)

    readers: list[Listener] = []
    while len(readers) < count:
        some = min(50, count - len(readers))
        readers += await asyncio.gather(*(listening(server, name, token, version, seen, small=small) for _ in range(some)))
    return readers, came


async def test_a_crowd_reads_along_while_people_type(tmp_path: Path) -> None:
    """READ-5."""
    more_descriptors()
    count, edits = scale(200, 2_000), scale(30, 100)
    with serving(tmp_path, COLLAB_LIMIT_CONNECTIONS="30000") as server:
        server.write(
            "paper.md",
            "# Paper\n\n" + "\n\n".join(f"Paragraph {number} of some length, which says little." for number in range(200)) + "\n\nend\n",
        )
        few, _ = await opened(server, "paper.md", 20)
        before = memory(server.pid)
        readers, came = await opened(server, "paper.md", count)
        each = (memory(server.pid) - before) / count
        print(f"{each:.0f} bytes for a reader")
        assert each < PER_READER
        rendered = (await numbers(server))["collab_renderings_total",]
        room = server.room("paper.md", server.token())
        async with PycrdtPeer(room) as ann, PycrdtPeer(room) as bob:
            spent, begun = ticks(server.pid), time.monotonic()
            typed: dict[int, float] = {}
            waited: list[float] = []
            for number in range(1, edits + 1):
                start = time.monotonic()
                typed[number] = start
                ann.content.insert(len(ann.text) - 4, f"mark{number}x ")
                await bob.until(lambda: f"mark{number}x" in bob.text)  # noqa: B023 - it is awaited here
                waited.append(time.monotonic() - start)
                await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))  # the pace is the test's matter
            took = time.monotonic() - begun
            await until(lambda: len(came.get(edits, ())) >= count, saying=lambda: len(came.get(edits, ())))
        told = await numbers(server)
        renderings = told["collab_renderings_total",] - rendered
        last = max(came[edits]) - typed[edits]
        # What is in no patch as the last mark, came with a later one.
        late = [
            min(max(came[later]) for later in came if later >= number and len(came[later]) >= count) - typed[number] for number in typed
        ]
        spent = ticks(server.pid) - spent
        print(
            f"{count} readers: {renderings:.0f} renderings for {edits} edits in {took:.1f} s; current after {max(late):.2f} s at most, {last:.2f} s"
        )
        waited.sort()
        print(f"{spent:.2f} s of the processor, {1e6 * spent / renderings / (count + 20):.0f} µs for a reader and rendering")
        print(f"an edit came to other editors after {1000 * waited[len(waited) // 2]:.0f} ms, {1000 * waited[-1]:.0f} ms at most")
        # A few a second, whatever the crowd; and of every change something is seen soon.
        assert renderings <= 4 * took + 2
        # What other editors wait on a busy machine, readers wait as well.
        assert sorted(late)[len(late) // 2] < 3 * (CURRENT + waited[len(waited) // 2])
        # One write for each reader and rendering.
        assert spent < 3 * (took * 0.1 + 25e-6 * count * renderings)
        await check_stalls(server)
        assert told["collab_readers",] == count + 20
        assert len(processes(server.pid)) <= 2
        for reader in few + readers:
            reader.transport.abort()
        await until_readers(server, 0)


async def test_readers_of_any_process_are_told_by_the_one_where_the_document_lives(tmp_path: Path) -> None:
    """READ-5."""
    with serving(tmp_path, COLLAB_WORKERS="2") as server:
        server.write("a.md", "# Title\n\nwords\n")
        headers = {"Authorization": f"Bearer {server.token()}"}
        # Each request has a connection of its own: the kernel deals them out to the processes.
        async with httpx.AsyncClient(
            base_url=server.url, headers=headers, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0)
        ) as client:
            version = version_of((await client.get(address("a.md"))).text)
            async with AsyncExitStack() as stack:
                streams = [await stack.enter_async_context(following(client, "a.md", version)) for _ in range(8)]
                written = await client.put("/api/documents/a.md/content", content=b"# Title\n\nother words\n", headers={"If-Match": "*"})
                assert written.status_code == 200
                patches = [await next_of(stream, "patch") for stream in streams]
                assert all("other words" in str(patch["splices"]) for patch in patches)
                told = [await numbers(server) for _ in range(12)]
    assert {each["collab_readers",] for each in told} <= {0, 8}
    assert max(each["collab_renderings_total",] for each in told) <= 3


async def until_readers(server: Served, count: int) -> None:
    start = time.monotonic()
    while (await numbers(server))["collab_readers",] != count:
        assert time.monotonic() - start < PATIENCE
        await asyncio.sleep(0.1)  # another process has no event to wait for


async def test_readers_who_do_not_read_cost_the_others_nothing_and_get_one_difference_later(server: Served) -> None:
    """READ-10."""
    server.write("long.txt", "start\n")
    deaf, late = await opened(server, "long.txt", 20, small=True)
    reading, came = await opened(server, "long.txt", 5)
    for reader in deaf:
        reader.transport.pause_reading()
    before = memory(server.pid)
    async with PycrdtPeer(server.room("long.txt", server.token())) as ann:
        for number in range(1, CHANGES + 1):
            with ann.content.doc.transaction():
                ann.content.clear()
                ann.content.insert(0, f"mark{number}x " + f"word{number} " * 60_000)
            await until(lambda: len(came.get(number, ())) >= 5, within=60)  # noqa: B023 - it is awaited here
        grown = memory(server.pid) - before
        print(f"{grown / 20 / 1024:.0f} KiB for each who does not read")
        # Of each some 64 KiB wait, and one patch; not the megabytes that were sent to the others.
        assert grown < 40 * 2**20
        for reader in deaf:
            reader.transport.resume_reading()
        await until(lambda: len(late.get(CHANGES, ())) >= 20, within=60)
    heard, all_of_it = max(reader.heard for reader in deaf), min(reader.heard for reader in reading)
    print(f"{heard / 2**20:.1f} MiB of {all_of_it / 2**20:.1f}")
    assert heard < 0.8 * all_of_it
    assert all(not reader.over.done() for reader in deaf + reading)
    await check_stalls(server)
    for reader in deaf + reading:
        reader.transport.abort()
