"""PROC-5, PROC-6: SIGTERM: load balancers are told first, everything is stored, then the process ends."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from interop.pycrdt_peer import PycrdtPeer
from serving import serving
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.conftest import Peers
    from serving import Served


@pytest.fixture
def draining(tmp_path: Path) -> Iterator[Served]:
    """A server that drains for longer than any test."""
    with serving(tmp_path, COLLAB_DRAIN="600") as served:
        yield served


async def answer(server: Served, path: str) -> int:
    async with httpx.AsyncClient(verify=False, timeout=60) as client:
        return (await client.get(server.url + path)).status_code


async def becomes(server: Served, path: str, status: int) -> None:
    async with asyncio.timeout(60):
        while await answer(server, path) != status:
            pass


async def test_sigterm_saves_what_nobody_had_saved_yet_before_the_process_ends(server: Served, peers: Peers) -> None:
    server.write("stop.md", "start\n")
    clients = ("hocuspocus-2", "hocuspocus-4", "y-websocket-1", "y-websocket-3")
    started = [await (await peers(client, server, "stop.md")).synced() for client in clients]
    for peer in started:
        await peer.line(peer.client, 1.0)
    expected = Counter(["start", *clients])
    for peer in started:
        await peer.holds(expected)

    status = await asyncio.to_thread(server.stop)

    assert Counter(server.read("stop.md").splitlines()) == expected
    assert status == 0


async def test_sigterm_under_load_leaves_a_file_with_every_acknowledged_word(server: Served, peers: Peers) -> None:
    server.write("load.md", "start\n")
    started = [await (await peers(client, server, "load.md")).stored() for client in ("hocuspocus-3", "hocuspocus-4", "y-websocket-4")]
    for number, peer in enumerate(started):
        await peer.type(f"{number}", pause=5, seed=number + 1)
    async with asyncio.timeout(60):
        while (await started[0].do("progress"))["stored"] < 50:
            pass

    await asyncio.to_thread(server.stop)

    stored: set[str] = set()
    for peer in started:
        stored |= (await peer.rest())[1]
    assert stored <= set(server.read("load.md").splitlines())
    await asyncio.to_thread(server.start)
    words = Counter(["start"])
    for peer in started:
        words.update((await peer.rest())[0])
    for peer in started:
        await peer.holds(words)
    await server.holds("load.md", words)


async def test_while_it_drains_it_says_that_it_is_not_ready_and_still_listens(draining: Served) -> None:
    draining.write("drain.md", "start\n")
    assert await answer(draining, "/readyz") == 200
    async with PycrdtPeer(draining.room("drain.md", draining.token())) as peer:
        assert draining.process is not None

        draining.process.send_signal(signal.SIGTERM)

        await becomes(draining, "/readyz", 503)
        assert await answer(draining, "/healthz") == 200
        await peer.line("still edited", 1.0)
        async with PycrdtPeer(draining.room("drain.md", draining.token("Bob"))) as late:
            await late.until(lambda: "still edited" in late.text)
    draining.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(draining.process.wait, 60) == 0
    assert draining.read("drain.md") == "start\nstill edited\n"


async def test_a_second_sigterm_skips_the_drain_and_nothing_else(draining: Served) -> None:
    draining.write("twice.md", "start\n")
    async with connect(draining.room("twice.md", draining.token()), open_timeout=60) as watching:
        async with PycrdtPeer(draining.room("twice.md", draining.token())) as peer:
            await peer.line("not yet saved", 1.0)
            await watching.send(b"\x00\x00\x01\x00")
            while b"not yet saved" not in await watching.recv(decode=False):
                pass
        assert draining.process is not None
        draining.process.send_signal(signal.SIGTERM)
        await becomes(draining, "/readyz", 503)

        draining.process.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(draining.process.wait, 60) == 0
        assert draining.read("twice.md") == "start\nnot yet saved\n"
        await watching.wait_closed()
        assert watching.close_code in {1001, 1012}


async def test_a_half_open_socket_and_a_client_that_does_not_read_do_not_keep_the_server(server: Served) -> None:
    server.write("hang.md", "start\n")
    _, half_open = await asyncio.open_connection("127.0.0.1", server.port)
    half_open.write(b"GET / HTTP/1.1\r\nHost: 127")
    deaf = await connect(server.room("hang.md", server.token()), max_queue=1, open_timeout=60)
    await deaf.send(b"\x00\x00\x01\x00")

    status = await asyncio.to_thread(server.stop)

    assert status == 0
    half_open.close()
    await deaf.close()
