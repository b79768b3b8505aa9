"""WIRE-11: clients that are refused come again and again; the server makes them slow instead of being stormed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from scale import scale

if TYPE_CHECKING:
    from interop.conftest import Peers
    from serving import Served

HELD_SECONDS = 5.0
CLIENTS = ("y-websocket-1", "y-websocket-2", "y-websocket-3", "y-websocket-4")


async def test_a_refused_client_is_held_before_it_is_closed_and_longer_each_time(server: Served, peers: Peers) -> None:
    times = scale(1, 3)
    start = time.monotonic()
    refused = [await peers(client, server, "no such file.md", options={}) for client in CLIENTS]

    for peer in refused:
        # One of them stops for good at a final close code; the others come back, whatever the code.
        wanted = 1 if peer.client == "y-websocket-3" else times
        await peer.closed(wanted, within=90)
        assert set(peer.codes) == {4404}
        assert peer.state["connections"] <= wanted + 1
        await peer.denied("not-found")

    assert time.monotonic() - start >= HELD_SECONDS * (2**times - 1)
    assert not (server.root / "no such file.md").exists()


async def test_honest_clients_notice_nothing_of_many_refused_ones(server: Served, peers: Peers) -> None:
    server.write("honest.md", "start\n")
    crowd = await asyncio.gather(
        *(peers("y-websocket-2", server, f"nothing {number}.md", token=f"wrong {number}") for number in range(scale(4, 12)))
    )
    for peer in crowd:
        await peer.denied("unauthorized")

    honest = await (await peers("hocuspocus-4", server, "honest.md")).synced()
    await honest.line("undisturbed", 1.0)
    await honest.stored()

    assert honest.state["connections"] == 1
    assert all(peer.state["connections"] <= 2 for peer in crowd)
