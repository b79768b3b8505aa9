"""A browser, an unmodified y-websocket client in Node and a pycrdt client edit one document."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from interop.peer import Peer, install
from interop.pycrdt_peer import PycrdtPeer

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served


async def test_a_browser_a_node_client_and_a_pycrdt_client_write_at_once_and_read_the_same(shared_server: Served, company: Company) -> None:
    await asyncio.to_thread(install)
    shared_server.write("mixed.md", "start 😀\n")
    editor = await (await company.join("Ann", shared_server)).open("mixed.md")
    node = await Peer.start("y-websocket-3", shared_server.ws, "mixed.md", token=shared_server.token("Node"))
    try:
        async with PycrdtPeer(shared_server.room("mixed.md", shared_server.token("Python"))) as python:
            await node.synced()

            async def write(client: Peer | PycrdtPeer, name: str) -> None:
                for number in range(20):
                    await client.line(f"{name} {number} ✍🏽", 1.0)

            await asyncio.gather(
                editor.type("".join(f"Ann {number}\n" for number in range(20)), at="Control+Home", pause=2),
                write(node, "Node"),
                write(python, "Python"),
            )

            expected = Counter(["start 😀", *(f"Ann {number}" for number in range(20))])
            expected.update(f"{name} {number} ✍🏽" for name in ("Node", "Python") for number in range(20))
            await node.holds(expected)
            await python.holds(expected)
            await editor.reads(python.text)
            assert node.text == python.text
            end = {"type": None, "tname": "content", "item": None, "assoc": 0}
            await node.do("awareness", state={"user": {"name": "Ann"}, "cursor": {"anchor": end, "head": end}})
            await editor.sees_caret_of("Node")
            await editor.sees("Ann", "Node")
            await shared_server.shows("mixed.md", python.text)
    finally:
        await node.end()
