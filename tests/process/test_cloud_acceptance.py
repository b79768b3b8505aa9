"""What holds for a folder holds for a cloud: office suites in documents that people type in, versions, several nodes, the operator's commands."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from gateway import Cloud, CloudGateway
from gateway.served import cloud_server, on_cloud
from interop.pycrdt_peer import PycrdtPeer
from interop.test_office_suites import CEM, DOCUMENTS, SESSIONS, People
from office import BEN, Office, opened
from redis_server import running
from scale import scale
from serving import PATIENCE, free_port, until
from wopi_clients import Collabora

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.served import CloudServed
    from interop.conftest import Peers
    from redis_server import RedisServer

NAME = "notes.md"


@pytest.fixture
async def gateway() -> AsyncIterator[CloudGateway]:
    cloud = Cloud()
    cloud.add_user("ann")
    cloud.put("ann", NAME, b"start\n")
    async with CloudGateway(cloud) as made:
        yield made


def asking(server: CloudServed, token: str = "") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token or server.token()}"}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, trust_env=False)


# Office suites


async def test_suites_save_what_two_people_type_in_and_every_line_is_in_the_cloud_once(tmp_path: Path, gateway: CloudGateway) -> None:
    """WOPI-16 to WOPI-19 on a cloud, and somebody else writes there meanwhile."""
    pairs = [(product, name) for product in SESSIONS for name in DOCUMENTS]
    chosen = pairs if scale(0, 1) else [(product, name) for product, name in zip(SESSIONS, DOCUMENTS, strict=True)]
    async with cloud_server(tmp_path, gateway) as server:
        for number, (product, name) in enumerate(chosen):
            path, text = f"{number}-{name}", DOCUMENTS[name]
            server.write(path, text)
            first: Office = await asyncio.to_thread(opened, server, path, None)
            token = server.token()
            async with PycrdtPeer(server.room(path, token)) as one, PycrdtPeer(server.room(path, token)) as other:
                people = People(text.splitlines(), [one, other])
                await SESSIONS[product](people, [first, first.of(BEN), first.of(CEM)])
                server.write(path, "outside,x\n" + server.read(path))
                people.lines["outside,x"] += 1
                for peer in (one, other):
                    await peer.holds(people.lines)
                await server.holds(path, people.lines)


# Versions


async def test_versions_are_read_compared_and_restored_under_who_types_and_a_token_of_one_document_reaches_no_other(
    tmp_path: Path, peers: Peers, gateway: CloudGateway
) -> None:
    """HISTORY-3 on a cloud; each save is a version there, too."""
    gateway.cloud.put("ann", "other.md", b"secret\n")
    async with cloud_server(tmp_path, gateway) as server:
        made = await asyncio.to_thread(server.run, "token", "--document", NAME, "--role", "editor", "--name", "Ann")
        assert made.returncode == 0, made.stderr
        token = made.stdout.strip()
        peer = await (await peers("hocuspocus-4", server, NAME, token=token)).stored()
        await peer.line("first", 1.0)
        await server.shows(NAME, "start\nfirst\n")
        await peer.line("second", 1.0)
        await server.shows(NAME, "start\nfirst\nsecond\n")
        async with asking(server, token) as client:
            assert (await client.get("/api/documents/other.md/content")).status_code == 403
            # The file is written first, then the history.
            async with asyncio.timeout(PATIENCE):
                while len(listed := (await client.get(f"/api/documents/{NAME}/versions")).json()["versions"]) < 3:
                    pass
            assert [version["source"] for version in listed] == ["save", "save", "first"]
            before = listed[1]["number"]
            assert (await client.get(f"/api/documents/{NAME}/versions/{before}/content")).text == "start\nfirst\n"
            changed = (await client.get(f"/api/documents/{NAME}/versions/now/difference?from={before}")).json()["changes"]
            assert "".join(change["text"] for change in changed if change["kind"] == "added") == "second\n"
            restored = await client.post(f"/api/documents/{NAME}/versions/{before}/restoration")
            assert restored.status_code == 200, restored.text
            await peer.reads("start\nfirst\n")
            await server.shows(NAME, "start\nfirst\n")
            back = await client.post(
                f"/api/documents/{NAME}/versions/{restored.json()['before']}/restoration?over={restored.json()['version']}"
            )
            assert back.status_code == 200, back.text
            await server.shows(NAME, "start\nfirst\nsecond\n")


# The operator


async def test_backup_restore_erase_and_export_beside_a_cloud(tmp_path: Path, peers: Peers, gateway: CloudGateway) -> None:
    """RESTORE-1, RESTORE-2 on a cloud: what was typed since a backup is in the cloud, or with who typed it, and neither lost nor doubled."""
    async with cloud_server(tmp_path, gateway) as server:
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()
        await peer.line("before", 1.0)
        await server.holds(NAME, Counter(["start", "before"]))
        backup = tmp_path / "state.tar"
        copied = await asyncio.to_thread(server.run, "backup", "--to", str(backup))
        assert copied.returncode == 0, copied.stderr
        await peer.line("since", 1.0)
        await server.holds(NAME, Counter(["start", "before", "since"]))
        await asyncio.to_thread(server.stop)
        await peer.end()
        gateway.cloud.put("ann", NAME, gateway.cloud.body("ann", NAME) + b"outside\n")
        await asyncio.to_thread(shutil.move, server.state, tmp_path / "former")
        restored = await asyncio.to_thread(server.run, "restore", str(backup))
        assert restored.returncode == 0, restored.stderr
        assert "1 document" in restored.stdout
        await asyncio.to_thread(server.start)
        other = await (await peers("hocuspocus-4", server, NAME)).stored()
        await other.line("after", 1.0)
        await server.holds(NAME, Counter(["start", "before", "since", "outside", "after"]))
        await other.holds(Counter(["start", "before", "since", "outside", "after"]))
        name = "hocuspocus-4-0"
        erased = await asyncio.to_thread(server.run, "erase", name)
        assert erased.returncode == 0, erased.stderr
        async with asking(server) as client:
            told = (await client.get(f"/api/documents/{NAME}/versions")).json()["versions"]
            assert name not in {writer["name"] for version in told for writer in version["writers"]}
        refused = await asyncio.to_thread(server.run, "export", "--all", "--to", str(tmp_path / "out"))
        assert (refused.returncode, "in a cloud" in refused.stderr) == (2, True)


# Several nodes


@pytest.fixture
async def nodes(tmp_path: Path, gateway: CloudGateway) -> AsyncIterator[tuple[CloudServed, CloudServed, RedisServer]]:
    with running() as redis:
        common = {"COLLAB_JOURNAL": redis.url, "COLLAB_HEARTBEAT": "6s", "COLLAB_ROOM_IDLE": "1"}
        found = [
            on_cloud(
                tmp_path / "unused",
                tmp_path / "state",
                gateway,
                **common,
                COLLAB_NODE=name,
                COLLAB_NODE_ADDRESS=f"127.0.0.1:{free_port()}",
            )
            for name in ("one", "two")
        ]
        try:
            for each in found:
                await asyncio.to_thread(each.start)
            yield found[0], found[1], redis
        finally:
            for each in found:
                if each.process is not None:
                    await asyncio.to_thread(each.kill)
            print(found[0].log.read_text()[-8000:])


async def test_two_nodes_on_one_cloud_are_one_room_and_a_suite_and_people_go_on_when_one_is_killed(
    nodes: tuple[CloudServed, CloudServed, RedisServer], peers: Peers, gateway: CloudGateway
) -> None:
    """NODES-8, WOPI-24 on a cloud."""
    one, two, _ = nodes
    first = await (await peers("hocuspocus-4", one, NAME)).stored()  # so the room is there
    second = await (await peers("hocuspocus-4", two, NAME)).stored()
    third = await (await peers("y-websocket-3", two, NAME)).synced()
    office = await asyncio.to_thread(opened, two, NAME, None)
    suite = Collabora([office, office.of(BEN)])
    await asyncio.to_thread(suite.open)
    expected = Counter(["start"])
    for number, peer in enumerate((first, second, third)):
        await peer.line(f"line {number}", 0.0)
        expected[f"line {number}"] += 1
    suite.write("in the suite")
    await asyncio.to_thread(suite.save, 1)
    expected["in the suite"] += 1
    for peer in (first, second, third):
        await peer.holds(expected)
    await second.type("word", pause=5, seed=7)
    await asyncio.to_thread(one.kill)
    suite.write("after the node died")
    await asyncio.to_thread(suite.close, 0)
    expected["after the node died"] += 1
    before = (await second.do("progress"))["stored"]
    await until_stored(second, before + 60)
    words, _ = await second.rest()
    await second.stored()
    expected += Counter(words)
    await third.holds(expected, within=60)
    await two.holds(NAME, expected, within=60)
    lock = gateway.cloud.lock_of(gateway.cloud.at("ann", NAME))
    assert lock is not None
    assert lock.application == "Collab"


async def until_stored(peer: object, count: int) -> None:
    async with asyncio.timeout(60):
        while (await peer.do("progress"))["stored"] < count:  # type: ignore[attr-defined]
            pass


@pytest.mark.parametrize("ignoring", [True, False][: scale(1, 2)], ids=["ignores etags", "compares"][: scale(1, 2)])
async def test_a_node_that_is_stopped_between_its_look_and_its_write_writes_nothing_any_more(
    nodes: tuple[CloudServed, CloudServed, RedisServer], peers: Peers, gateway: CloudGateway, *, ignoring: bool
) -> None:
    """CS3-12, LOCK-1: its number is in the storage's lock, which the next node has replaced; also where nothing but the lock is looked at."""
    one, two, redis = nodes
    gateway.moods.ignores_if_match = ignoring
    first = await (await peers("hocuspocus-4", one, NAME)).stored()
    second = await (await peers("hocuspocus-4", two, NAME)).stored()
    held = gateway.moods.holds["PUT"] = asyncio.Event()
    puts = gateway.calls["PUT"]
    await second.line("before it stopped", 1.0)
    await until(lambda: gateway.calls["PUT"] > puts)
    os.kill(one.pid, signal.SIGSTOP)
    try:
        del gateway.moods.holds["PUT"]
        await until(lambda: redis.cli("EXISTS", "collab:node:one") == "0" or not alive(redis, "one"), within=60)
        await second.line("at the other node", 1.0)
        await second.stored()
        await two.holds(NAME, Counter(["start", "before it stopped", "at the other node"]), within=60)
        taken = gateway.cloud.lock_of(gateway.cloud.at("ann", NAME))
        assert taken is not None
        written = len(gateway.cloud.at("ann", NAME).versions)
        # Now the write of before comes to its end.
        held.set()
        await until(lambda: gateway.calls["PUT"] > puts + 1)
    finally:
        os.kill(one.pid, signal.SIGCONT)
    await first.stored()
    await first.line("when it is back", 1.0)
    expected = Counter(["start", "before it stopped", "at the other node", "when it is back"])
    for peer in (first, second):
        await peer.holds(expected, within=60)
    await two.holds(NAME, expected, within=60)
    node = gateway.cloud.at("ann", NAME)
    assert all(b"at the other node" in version.body for version in node.versions[written:])


def alive(redis: RedisServer, name: str) -> bool:
    return any(name in key for key in redis.cli("KEYS", "collab:node:*").split())
