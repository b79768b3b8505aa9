"""JOURNAL-8, JOURNAL-9, SAVE-3, SAVE-6: `kill -9` under load from eight real clients: what was acknowledged is in the file after the restart."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from interop.peer import CLIENTS
from scale import scale
from serving import until

if TYPE_CHECKING:
    import random

    from interop.conftest import Peers
    from interop.peer import Peer
    from serving import Served

EIGHT = (*CLIENTS, "hocuspocus-4")
NAME = "notes/under load.md"
SECONDS = 60.0


async def acknowledged(peers: list[Peer], more: int) -> None:
    """Until the clients were told of so many more words that they are stored."""
    async with asyncio.timeout(SECONDS):
        start = await _stored(peers)
        while await _stored(peers) < start + more:
            pass


async def _stored(peers: list[Peer]) -> int:
    told = await asyncio.gather(*(peer.do("progress") for peer in peers))
    return sum(each["stored"] for each in told)


async def test_every_acknowledged_word_is_in_the_file_after_each_kill_without_anyone_opening_it(
    server: Served, peers: Peers, seeded: random.Random
) -> None:
    server.write(NAME, "start\n")
    eight = await asyncio.gather(*(peers(client, server, NAME) for client in EIGHT))
    typed: dict[int, list[str]] = {}
    for kill in range(scale(2, 20)):
        for number, peer in enumerate(eight):
            await peer.stored()
            await peer.type(f"{number}-{peer.client}", pause=15, seed=seeded.randrange(1, 2**31 - 1))
        await acknowledged(eight, more=seeded.randrange(20, 200))

        await asyncio.to_thread(server.kill)
        stored: set[str] = set()
        for number, peer in enumerate(eight):
            typed[number], known = await peer.rest()
            await peer.offline()
            stored |= known
        await asyncio.to_thread(server.start)

        await until(
            lambda stored=stored: stored <= set(server.read(NAME).splitlines()),  # type: ignore[misc]
            saying=lambda kill=kill, stored=stored: (kill, stored - set(server.read(NAME).splitlines())),  # type: ignore[misc]
        )
        for peer in eight:
            await peer.do("connect")

    expected = Counter(["start", *(word for words in typed.values() for word in words)])
    for peer in eight:
        await peer.holds(expected, within=SECONDS)
        await peer.stored()
    await server.holds(NAME, expected)


async def test_a_server_that_was_killed_while_it_saved_starts_again_and_saves_the_same(
    server: Served, peers: Peers, seeded: random.Random
) -> None:
    server.environment |= {"COLLAB_SAVE_DELAY": "0.02"}
    await asyncio.to_thread(server.restart)
    server.write(NAME, "start\n")
    peer = await peers("hocuspocus-4", server, NAME)
    typed: list[str] = []
    for _ in range(scale(2, 40)):
        await peer.stored()
        await peer.type("word", pause=10, seed=seeded.randrange(1, 2**31 - 1))
        await acknowledged([peer], more=seeded.randrange(5, 25))
        await asyncio.to_thread(server.kill)
        typed, _ = await peer.rest()
        await peer.offline()
        await asyncio.to_thread(server.start)
        await peer.do("connect")

    expected = Counter(["start", *typed])
    await peer.holds(expected)
    await peer.stored()
    await server.holds(NAME, expected)
    # What a save replaced is kept for half a minute beside the file, for a program that may still have it open.
    folder = (server.root / NAME).parent
    await until(lambda: [path.name for path in folder.iterdir()] == ["under load.md"], within=60, saying=lambda: list(folder.iterdir()))
