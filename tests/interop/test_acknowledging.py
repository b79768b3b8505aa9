"""WIRE-5, WIRE-6, WIRE-7, SYNC-3, JOURNAL-1, JOURNAL-5: a client's count of what is not stored reaches 0 when the journal has it on disk."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

import pytest
from interop.peer import HOCUSPOCUS, SECONDS, Y_WEBSOCKET
from interop.pycrdt_peer import PycrdtPeer
from measured import processes
from serving import serving, until
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import Peers
    from serving import Served


@pytest.mark.parametrize("client", HOCUSPOCUS)
async def test_what_was_acknowledged_is_in_the_file_after_a_kill_at_that_moment(client: str, server: Served, peers: Peers) -> None:
    server.write("stored.md", "start\n")
    peer = await (await peers(client, server, "stored.md")).stored()
    await peer.line("acknowledged", 1.0)
    await peer.until(lambda: "acknowledged" in peer.text and peer.of()["pending"] == 0)

    await asyncio.to_thread(server.kill)
    await peer.end()
    await asyncio.to_thread(server.start)

    await server.shows("stored.md", "start\nacknowledged\n")


@pytest.mark.parametrize(("client", "workers"), [*((client, 1) for client in HOCUSPOCUS), (HOCUSPOCUS[-1], 2)])
async def test_while_the_journal_cannot_write_others_see_an_edit_and_its_writer_waits(
    client: str, workers: int, tmp_path: Path, peers: Peers
) -> None:
    with serving(tmp_path, COLLAB_WORKERS=str(workers)) as server:
        server.write("full.md", "start\n")
        peer = await (await peers(client, server, "full.md")).stored()
        await peer.do("stateless", payload='collab:hello {"version": "0"}')
        unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        async with PycrdtPeer(server.room("full.md", server.token("other"))) as other:
            limit(server, (0, unlimited[1]))
            await peer.line("not yet", 1.0)
            await other.until(lambda: "not yet" in other.text)
            await peer.until(lambda: any('"owed":1' in word.replace(" ", "") for word in peer.of()["stateless"]))
            waiting = peer.of()["pending"]
            limit(server, unlimited)

        assert waiting == 1
        await peer.stored()
        await server.shows("full.md", "start\nnot yet\n")


def limit(server: Served, sizes: tuple[int, int]) -> None:
    """How long files may become that its processes write; any of them may have the document."""
    for pid in (server.pid, *processes(server.pid)):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, sizes)


@pytest.mark.parametrize("client", Y_WEBSOCKET)
async def test_a_y_websocket_client_gets_its_own_update_back_when_it_is_durable(client: str, server: Served, peers: Peers) -> None:
    server.write("echo.md", "start\n")
    peer = await (await peers(client, server, "echo.md")).synced()

    await peer.type("word", pause=5, seed=11)
    async with asyncio.timeout(SECONDS):
        while not (await peer.do("progress"))["stored"]:
            pass
    await asyncio.to_thread(server.kill)
    _, stored = await peer.rest()
    await peer.end()
    await asyncio.to_thread(server.start)

    await until(lambda: stored <= set(server.read("echo.md").splitlines()))


async def keep_alive(connection: ClientConnection, frame: bytes) -> None:
    while await connection.recv() != frame:
        pass


async def test_everybody_gets_a_frame_every_20_seconds_although_nobody_has_presence_and_nobody_types(server: Served) -> None:
    server.write("quiet.md", "quiet\n")
    name = b"quiet.md"
    token = server.token("viewer", role="viewer").encode()
    hello = bytes([len(name)]) + name + b"\x02\x00" + bytes([len(token) & 127 | 128, len(token) >> 7]) + token
    async with (
        connect(server.room("quiet.md", token.decode()), open_timeout=SECONDS) as plain,
        connect(f"{server.ws}/collaboration", open_timeout=SECONDS) as prefixed,
    ):
        await plain.send(b"\x00\x00\x01\x00")
        await prefixed.send(hello)
        await prefixed.send(bytes([len(name)]) + name + b"\x00\x00\x01\x00")

        # On a busy machine as well, and before clients give a connection up, after 30 s.
        async with asyncio.timeout(27):
            await asyncio.gather(keep_alive(plain, b"\x01\x01\x00"), keep_alive(prefixed, bytes([len(name)]) + name + b"\x01\x01\x00"))
