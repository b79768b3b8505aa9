"""A whole server on the files of a cloud (CS3-4, CS3-6, CS3-11, CS3-13)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from gateway import Cloud, CloudGateway
from gateway.cloud import MACHINE
from gateway.served import cloud_server
from scale import scale
from serving import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from interop.conftest import Peers

NAME = "notes.md"


@pytest.fixture
async def gateway() -> AsyncIterator[CloudGateway]:
    cloud = Cloud()
    cloud.add_user("ann")
    cloud.put("ann", NAME, b"start\n")
    async with CloudGateway(cloud) as made:
        yield made


def body(gateway: CloudGateway, name: str = NAME) -> str:
    return gateway.cloud.body("ann", name).decode()


async def shows(gateway: CloudGateway, *lines: str) -> None:
    await until(lambda: sorted(body(gateway).splitlines()) == sorted(lines), saying=lambda: body(gateway))


async def test_what_is_typed_is_in_the_cloud_and_what_others_write_there_is_in_the_room(
    tmp_path: Path, peers: Peers, gateway: CloudGateway
) -> None:
    """CS3-13, CS3-15."""
    gateway.cloud.put("ann", "old.md", b"old")
    space, key = gateway.cloud.space("ann"), gateway.cloud.delete(gateway.cloud.at("ann", "old.md"))
    space.bin[key].at = 1.0
    async with cloud_server(tmp_path, gateway) as server:
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()
        await peer.line("typed", 1.0)
        await shows(gateway, "start", "typed")
        async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {server.token()}"}, timeout=60) as client:
            (entry,) = (await client.get("/api/bin")).json()["entries"]
        # It waits as long as the cloud likes.
        assert (entry["path"], entry["until"]) == ("old.md", None)
        assert key in space.bin
        gateway.cloud.put("ann", NAME, b"first\n" + gateway.cloud.body("ann", NAME))
        await peer.until(lambda: "first" in peer.text)
        gateway.cloud.move(gateway.cloud.at("ann", NAME), gateway.cloud.space("ann").root, "new.md")
        await peer.line("after the rename", 1.0)
        await until(lambda: "after the rename" in body(gateway, "new.md"))
        assert "first" in body(gateway, "new.md")


async def test_a_gateway_that_is_away_and_a_server_that_is_killed_lose_no_word(tmp_path: Path, peers: Peers, gateway: CloudGateway) -> None:
    """CS3-4: what is acknowledged is in the journal, whatever becomes of the cloud meanwhile."""
    async with cloud_server(tmp_path, gateway) as server:
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()
        await gateway.stop()
        await peer.line("while it is away", 1.0)
        await peer.stored()
        await asyncio.to_thread(server.kill)
        await peer.end()
        assert body(gateway) == "start\n"
        await gateway.start()
        await asyncio.to_thread(server.start)
        await shows(gateway, "start", "while it is away")
        other = await (await peers("y-websocket-3", server, NAME)).synced()
        await other.reads(body(gateway))
        await gateway.restart()
        await other.line("after it is back", 1.0)
        await shows(gateway, "start", "while it is away", "after it is back")


async def test_a_save_whose_answer_is_lost_and_that_somebody_goes_on_from_is_merged_from_itself(
    tmp_path: Path, peers: Peers, gateway: CloudGateway
) -> None:
    """CS3-11: what the server announced may be what the other had read, although it never heard that it is in the file."""
    async with cloud_server(tmp_path, gateway) as server:
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()
        await peer.line("one", 1.0)
        await shows(gateway, "start", "one")
        gateway.data.deaf = True
        gateway.data.then = lambda: gateway.cloud.put("ann", NAME, b"on top\n" + gateway.cloud.body("ann", NAME))
        await peer.line("two", 1.0)
        await until(lambda: "on top" in body(gateway))
        assert "two" in body(gateway)
        # The room goes on, so that it is told apart from what was announced.
        await peer.line("three", 1.0)
        await peer.until(lambda: "on top" in peer.text)
        await shows(gateway, "on top", "start", "one", "two", "three")
        assert sorted(peer.text.split()) == sorted(["on", "top", "start", "one", "two", "three"])


async def test_neither_token_nor_secret_of_the_cloud_is_in_the_log_at_its_most_talkative(
    tmp_path: Path, peers: Peers, gateway: CloudGateway
) -> None:
    """CS3-6."""
    async with cloud_server(tmp_path, gateway, COLLAB_LOG_LEVEL="debug") as server:
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()
        await peer.line("typed", 1.0)
        await shows(gateway, "start", "typed")
        written = server.log.read_text()
        tokens = {token for token in gateway.tokens if token}
        assert tokens
        assert not any(secret in written for secret in (*tokens, MACHINE))


async def test_a_cloud_that_does_not_know_the_secret_is_said_and_nothing_is_lost(
    tmp_path: Path, peers: Peers, gateway: CloudGateway
) -> None:
    """CS3-8."""
    async with cloud_server(tmp_path, gateway, COLLAB_CS3_MACHINE_SECRET="another") as server:
        peer = await peers("hocuspocus-4", server, NAME)
        await peer.until(lambda: peer.refused)
        assert "unauthorized" in str(peer.refused)


async def test_a_room_and_its_file_are_equal_after_a_storm(tmp_path: Path, peers: Peers, gateway: CloudGateway) -> None:
    """CS3-4, CS3-9, CS3-11: late, torn, silent, away and restarting, while two write and somebody else writes in the cloud."""
    async with cloud_server(tmp_path, gateway, COLLAB_SAVE_AT_MOST="0.5") as server:
        ann = await (await peers("hocuspocus-4", server, NAME)).stored()
        bob = await (await peers("y-websocket-3", server, NAME)).synced()
        moods = gateway.moods
        moods.processing, moods.torn, moods.away, moods.mute, moods.slow = 1, 0.2, 0.02, 0.02, 0.005
        moods.loses_locks = 0.1
        await ann.type("ann", pause=40, seed=1)
        await bob.type("bob", pause=40, seed=2)
        outside = []
        for number in range(scale(2, 6)):
            before = len(gateway.cloud.at("ann", NAME).versions)
            await until(lambda before=before: len(gateway.cloud.at("ann", NAME).versions) >= before + 2, within=60)  # type: ignore[misc]
            outside.append(f"outside-{number}")
            gateway.cloud.put("ann", NAME, f"{outside[-1]}\n".encode() + gateway.cloud.body("ann", NAME))
            await gateway.restart()
        gateway.moods = type(moods)()
        (by_ann, _), (by_bob, _) = await ann.rest(), await bob.rest()
        expected = Counter(["start", *outside, *by_ann, *by_bob])
        await until(lambda: Counter(body(gateway).splitlines()) == expected, within=60, saying=lambda: body(gateway)[-3000:])
        for peer in (ann, bob):
            await peer.holds(expected)
