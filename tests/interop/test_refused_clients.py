"""WIRE-11: clients that are refused come again and again; the server makes them slow instead of being stormed."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx
from interop.peer import HOCUSPOCUS
from scale import scale
from sharers import guest_token

if TYPE_CHECKING:
    from interop.conftest import Peers
    from interop.peer import Peer
    from serving import Served

HELD_SECONDS = 5.0
CLIENTS = ("y-websocket-1", "y-websocket-2", "y-websocket-3", "y-websocket-4")


def check_slowed(peer: Peer, start: float) -> None:
    """However late it is by now: each time that it was closed since then, it was held for twice as long as before, and it has come once for that."""
    closes = len(peer.codes)
    assert peer.state["connections"] <= closes + 1
    assert time.monotonic() - start >= HELD_SECONDS * (2**closes - 1)


async def test_a_refused_client_is_held_before_it_is_closed_and_longer_each_time(server: Served, peers: Peers) -> None:
    times = scale(1, 3)
    start = time.monotonic()
    refused = [await peers(client, server, "no such file.md", options={}) for client in CLIENTS]

    for peer in refused:
        # One of them stops for good at a final close code; the others come back, whatever the code.
        wanted = 1 if peer.client == "y-websocket-3" else times
        await peer.closed(wanted, within=90)
        assert set(peer.codes) == {4404}
        check_slowed(peer, start)
        await peer.denied("not-found")

    assert not (server.root / "no such file.md").exists()


async def test_honest_clients_notice_nothing_of_many_refused_ones(server: Served, peers: Peers) -> None:
    server.write("honest.md", "start\n")
    start = time.monotonic()
    crowd = await asyncio.gather(
        *(peers("y-websocket-2", server, f"nothing {number}.md", token=f"wrong {number}") for number in range(scale(4, 12)))
    )
    for peer in crowd:
        await peer.denied("unauthorized")

    honest = await (await peers("hocuspocus-4", server, "honest.md")).synced()
    await honest.line("undisturbed", 1.0)
    await honest.stored()

    assert honest.state["connections"] == 1
    for peer in crowd:
        check_slowed(peer, start)


async def test_clients_of_each_kind_whose_link_is_taken_back_while_they_write_do_not_storm(server: Served, peers: Peers) -> None:
    """WIRE-11, SHARE-3: some stay away for good, and who comes back, comes slowly."""
    server.write("shared.md", "start\n")
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {server.token('Op', role='owner')}"}, timeout=60
    ) as op:
        made = (await op.post("/api/documents/shared.md/shares", json={"kind": "link", "role": "editor"})).json()
        here = [
            await peers(client, server, "shared.md", token=await guest_token(server, made["id"], client)) for client in CLIENTS + HOCUSPOCUS
        ]
        for peer in here:
            await peer.synced()
            await peer.line(f"by {peer.client}", 1.0)
        for peer in here:
            await peer.holds(Counter(["start", *(f"by {each.client}" for each in here)]))
        assert {peer.state["connections"] for peer in here} == {1}
        start = time.monotonic()
        assert (await op.delete(f"/api/documents/shared.md/shares/{made['id']}")).status_code == 204
    for peer in here:
        await peer.denied("forbidden")
    # y-websocket comes back whatever it is told, when the socket on which it was told is let go of: by then it has waited.
    back = [peer for peer in here if peer.client in {"y-websocket-1", "y-websocket-2", "y-websocket-4"}]
    for peer in back:
        await peer.until(lambda peer=peer: peer.state["connections"] > 1)  # type: ignore[misc]
        assert set(peer.codes) == {4403}
        check_slowed(peer, start)
    for peer in here:
        if peer not in back:
            assert peer.state["connections"] == 1, peer.client
            assert len(peer.refused) == 1, peer.client
