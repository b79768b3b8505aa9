"""ID-5, ID-6, SYNC-9: connections are cut, the server is restarted or killed, people type meanwhile: all merges, nothing is doubled."""

from __future__ import annotations

import asyncio
import shutil
from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pytest
from interop.peer import CLIENTS, HOCUSPOCUS, Y_WEBSOCKET
from interop.pycrdt_peer import PycrdtPeer
from serving import until

if TYPE_CHECKING:
    from interop.conftest import Peers
    from serving import Served


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_cut_connection_comes_back_by_itself_and_both_sides_catch_up(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"cut/{client}.md"
    shared_server.write(name, "start\n")
    other = await (await peers("y-websocket-3", shared_server, name)).synced()
    peer = await (await peers(client, shared_server, name)).synced()

    await asyncio.gather(peer.do("cut"), peer.line("mine", 1.0), other.line("theirs", 0.0))

    expected = Counter(["start", "mine", "theirs"])
    await peer.holds(expected)
    await other.until(lambda: other.text == peer.text)
    await peer.stored()
    assert peer.state["connections"] == 2
    await shared_server.shows(name, peer.text)


@pytest.mark.parametrize("client", CLIENTS)
async def test_edits_made_offline_are_merged_with_those_made_meanwhile(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"offline/{client}.md"
    shared_server.write(name, "one\ntwo\nthree\n")
    other = await (await peers("hocuspocus-4", shared_server, name)).synced()
    peer = await (await peers(client, shared_server, name)).synced()
    await peer.reads("one\ntwo\nthree\n")
    await peer.offline()

    await peer.delete(0, 4)
    await peer.line("offline", 1.0)
    await other.line("meanwhile", 0.0)
    await other.stored()
    await peer.do("connect")

    expected = Counter(["two", "three", "offline", "meanwhile"])
    await peer.holds(expected)
    await other.until(lambda: other.text == peer.text)
    await shared_server.shows(name, peer.text)


@pytest.mark.parametrize("client", CLIENTS)
async def test_who_has_heard_of_words_that_only_their_writer_has_goes_on_writing(client: str, shared_server: Served, peers: Peers) -> None:
    """SYNC-4: as after a crash of the server, before which others were told of what was not stored yet."""
    name = f"heard/{client}.md"
    shared_server.write(name, "start\n")
    async with PycrdtPeer(shared_server.room(name, shared_server.token("writer"))) as writer:
        writer.content += "stored\n"
        await shared_server.shows(name, "start\nstored\n")
    lost: list[bytes] = []
    watch = writer.doc.observe(lambda event: lost.append(event.update))
    for line in ("first\n", "second\n"):
        writer.content.insert(0, line)
    writer.doc.unobserve(watch)
    peer = await (await peers(client, shared_server, name)).synced()

    await peer.offline()
    await peer.do("apply", document=name, update=b64encode(lost[-1]).decode())
    await peer.line("own", 1.0)
    await peer.do("connect")
    await peer.stored()
    await peer.line("more", 1.0)
    await peer.stored()
    await until(lambda: shared_server.read(name).splitlines()[-2:] == ["own", "more"])
    assert peer.refused == []

    async with writer:
        expected = Counter(["start", "stored", "first", "second", "own", "more"])
        await writer.holds(expected)
        await peer.holds(expected)
        await shared_server.shows(name, peer.text)


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_after_a_restart_all_clients_merge_what_they_typed_meanwhile_and_nothing_is_doubled(
    way: Literal["stop", "kill"], server: Served, peers: Peers
) -> None:
    server.write("restart.md", "start\n")
    started = await asyncio.gather(*(peers(client, server, "restart.md") for client in CLIENTS))
    for peer in started:
        await peer.synced()
        await peer.line(f"{peer.client} before", 1.0)
    before = Counter(["start", *(f"{client} before" for client in CLIENTS)])
    for peer in started:
        await peer.holds(before)
        await peer.stored()

    await asyncio.to_thread(getattr(server, way))
    for peer in started:
        await peer.lost()
        await peer.line(f"{peer.client} meanwhile", 0.5)
    await asyncio.to_thread(server.start)

    expected = before + Counter(f"{client} meanwhile" for client in CLIENTS)
    for peer in started:
        await peer.holds(expected, within=60)
        await peer.stored()
    assert len({peer.text for peer in started}) == 1
    await server.shows("restart.md", started[0].text)


async def test_a_client_that_was_away_while_the_room_was_let_go_and_the_server_restarted_doubles_nothing(
    server: Served, peers: Peers
) -> None:
    server.write("away.md", "start\n")
    away = [await (await peers(client, server, "away.md")).synced() for client in ("y-websocket-1", "hocuspocus-2", "hocuspocus-4")]
    for peer in away:
        await peer.line(peer.client, 1.0)
    everything = Counter(["start", *(peer.client for peer in away)])
    for peer in away:
        await peer.holds(everything)
        await peer.offline()
    await server.holds("away.md", everything)

    for _ in range(2):
        await asyncio.to_thread(server.restart)
    for peer in away:
        await peer.do("connect")
        await peer.synced()

    for peer in away:
        await peer.stored()
        assert peer.lines == everything
    await away[0].line("afterwards", 1.0)
    await server.holds("away.md", everything + Counter(["afterwards"]))


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_of_another_lineage_is_told_so_and_never_merged(client: str, server: Served, peers: Peers) -> None:
    server.write("lineage.md", "start\n")
    peer = await (await peers(client, server, "lineage.md")).synced()
    await peer.line("old", 1.0)
    await server.shows("lineage.md", "start\nold\n")
    await peer.offline()
    await peer.line("typed offline", 1.0)
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.state)
    await asyncio.to_thread(server.start)
    fresh = await (await peers("hocuspocus-4", server, "lineage.md")).synced()
    await fresh.line("new", 1.0)
    await fresh.stored()

    await peer.do("token", token=server.token("returns"))
    await peer.do("connect")

    await peer.denied("lineage")
    if client in Y_WEBSOCKET:
        await peer.until(lambda: 4409 in peer.codes)
    await fresh.line("newer", 1.0)
    await server.shows("lineage.md", "start\nold\nnew\nnewer\n")
    assert fresh.text == "start\nold\nnew\nnewer\n"
    assert "new\n" not in peer.text


@pytest.mark.parametrize("client", HOCUSPOCUS)
async def test_a_socket_with_a_document_of_another_lineage_still_serves_its_other_documents(
    client: str, server: Served, peers: Peers
) -> None:
    server.write("old.md", "start\n")
    peer = await (await peers(client, server, "old.md")).synced()
    await peer.offline()
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.state)
    await asyncio.to_thread(server.start)
    server.write("fresh.md", "fresh\n")

    await peer.do("token", token=server.token("returns"))
    await peer.do("connect")
    await peer.until(lambda: peer.refused == ["lineage"])
    await peer.do("open", document="fresh.md")

    await peer.synced("fresh.md")
    await peer.line("and edited", 1.0, "fresh.md")
    await server.shows("fresh.md", "fresh\nand edited\n")
    assert server.read("old.md") == "start\n"
